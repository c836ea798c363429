"""Where the input of an execution comes from, when another execution has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypedDict

import typer

from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sm_cli.engine.chaining.source import Source
    from sm_cli.engine.engine import Engine
    from sm_cli.handlers.transformer import Transformer

FromExecution: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from-execution", metavar="ID[:STATE]", show_default=False,
        help="The input is the output of this execution, or what STATE was left with last.",
    ),
]  # fmt: skip
TransformText: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--transform", metavar="JSONATA", show_default=False,
        help="Make the input of that: an expression over $states.input, a file of one, or name:TRANSFORMER.",
    ),
]  # fmt: skip
AllowFailed: TypeAlias = Annotated[
    bool, typer.Option("--allow-failed", help="Take one that failed, too; its output is {Error, Cause}.")
]
Unique: TypeAlias = Annotated[
    bool, typer.Option("--unique", help="Refuse when it led to an execution of this workflow already.")
]


class Start(TypedDict):
    """What a start is told beside the workflow and the input."""

    name: str | None
    timeout: float | None
    queue: str
    limits: bool
    tags: dict[str, str]
    source: Source | None


@dataclass(frozen=True, slots=True)
class Chaining:
    """What the options ask for."""

    #: `EXECUTION[:STATE]`, as it was given; None: no execution has the input.
    reference: str | None
    #: What makes the input of the output, as it was given; None: the output is the input.
    transform: str | None
    #: Whether one that failed will do.
    allow_failed: bool
    #: Whether it may lead to this workflow once.
    unique: bool

    def refuse_input(self, input: str | None, pairs: list[str]) -> None:
        """Raises UsageError when an input is given as well as an execution that has it."""
        if self.reference is not None and (input is not None or pairs):
            text = "--from-execution gives the input: it excludes --input and key=value"
            raise UsageError(text, hint="--transform makes another input of it.")

    def find(self, engine: Engine, transformers: Callable[[], Mapping[str, Transformer]]) -> Source | None:
        """The source in this database; None when no execution has the input. transformers: those of the project, asked
        for only when one is named. Raises NotFound, Conflict, UsageError, HandlerLoadError."""
        if self.reference is None:
            return None
        transform = None
        if self.transform is not None:
            from sm_cli.project.transforms import read_transform

            transform = read_transform(self.transform, transformers)
        return engine.find_source(
            self.reference, transform=transform, allow_failed=self.allow_failed, unique=self.unique
        )


def chaining_of(
    reference: str | None, transform: str | None, *, allow_failed: bool, unique: bool, express: bool = False
) -> Chaining:
    """What the options ask for. Raises UsageError for some that say nothing together."""
    others = {"--transform": transform is not None, "--allow-failed": allow_failed, "--unique": unique}
    for option, is_given in others.items():
        if reference is None and is_given:
            raise UsageError(f"{option} belongs to --from-execution: without it there is no output to take")
    if reference is not None and express:
        raise UsageError("--express leaves nothing that a link could tell of: it excludes --from-execution")
    if transform is not None and not transform.strip():
        raise UsageError("--transform is empty")
    return Chaining(reference, transform, allow_failed, unique)
