"""Where a handler failed. Apart from `events`, which a store does not need."""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from typing import NamedTuple


class Traceback(NamedTuple):
    """Where a handler failed. It is kept beside the execution, and never part of its data or its history."""

    #: The lines of a person's own code, as `/…/handlers/x.py:12 in charge`, innermost first; a handful at most.
    places: tuple[str, ...]
    #: The whole traceback in Python's form, 16 KB at most.
    text: str
