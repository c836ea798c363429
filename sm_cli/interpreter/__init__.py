"""The engine's core: a pure function over frames.

No I/O, no clock, no randomness, no threads. Everything arrives as an argument, and the same
arguments give the same Step.
"""
