"""How much one evaluation of an expression may take, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one JSONata evaluation; beyond one of them it fails with States.QueryEvaluationError."""

    #: Seconds of processor time.
    seconds: float = 10.0
    #: Items of ranges, and members of the rows of joins, that it makes.
    elements: int = 2_000_000
    #: Items of one range.
    span: int = 1_000_000
    #: How deep operators, calls and blocks may stand inside each other in its text; 0: as deep as the parser goes.
    nesting: int = 0


DEFAULT = Limits()
#: What AWS was seen to take: a range of 873,783 items, a sum of 200 terms.
AWS = Limits(span=873_783, nesting=200)
