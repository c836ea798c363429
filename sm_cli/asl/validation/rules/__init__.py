"""The rules of the language that a schema cannot say, one small function each.

A function looks for one kind of problem and yields a Finding for each; it never repeats what the
structural check says, so it passes over whatever has the wrong type.
"""
