"""What a handler asks for when it starts an execution."""

from __future__ import annotations

from dataclasses import dataclass

from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class StartRequest:
    """An execution to start, as JSON can say it: the handler may run in another process."""

    #: What `order`, `order:3`, `order:prod` or an ARN means.
    workflow: str
    #: The input; None is {}, or what the source gives.
    input: Json
    #: The execution's name.
    name: str
    #: Whether the name was chosen by the handler; else it is made of its attempt and means the same execution again.
    is_named: bool
    #: `EXECUTION` or `EXECUTION:STATE` whose output is the input; None: `input` is.
    source: str | None = None
    #: A JSONata expression over `$states.input` that makes the input of the source's output.
    transform: str | None = None
    #: Whether a source that failed will do.
    allow_failed: bool = False
    #: Whether the source may lead to this workflow once.
    unique: bool = False
