"""Where everything lives that a restart must not lose.

One transaction moves a frame and everything that hangs on it. A failed write is an error that ends
the tick, never a line in a log.
"""
