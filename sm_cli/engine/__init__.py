"""The engine: carries the interpreter's commands out, in transactions, and runs handlers.

One thread owns the writing connection and does all stepping; everything else that happens (a handler's
result, a signal) reaches it as data.
"""
