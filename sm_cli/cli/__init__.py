"""The command line. One file per command group, thin: parse, call the engine, render.

Stdout carries the result only; everything else goes to stderr. What a command needs beyond typer is
imported inside the command, so that `sm --help` and `sm list` do not pay for the engine.
"""
