"""`simulate`: a definition and what a test says about the world around it, in; an Outcome, out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json, as_json, loads_exact
from sm_cli.testing.answers import Callback, Stubbed, callbacks_at
from sm_cli.testing.clock import EPOCH, FakeClock
from sm_cli.testing.simulation import MAX_STATES, Outcome, Simulation
from sm_cli.testing.sources import Definition, Definitions, library_of, reader_for, workflow_of
from sm_cli.timestamps import MICROSECONDS


def simulate(
    definition: Definition,
    input: Json = None,
    *,
    handlers: Mapping[str, Callable[..., Any]] | None = None,
    type: str = "STANDARD",
    now: datetime | None = None,
    aws_limits: bool = False,
    messages: Sequence[tuple[float, str, Json, Json]] = (),
    callbacks: Sequence[Callback] = (),
    workflows: Definitions | None = None,
    buckets: str | os.PathLike[str] = "buckets",
    stub: Stubbed = False,
    substitutions: Mapping[str, Json] | None = None,
    max_states: int = MAX_STATES,
) -> Outcome:
    """Run a definition to its end, in memory and in virtual time.

    definition: a dict, YAML or JSON text, or the Path of a file or folder (of a project's: the workflow that its
    settings name, or the only one). input: any JSON value. handlers: resource, or Lambda function name, to a callable
    taking (input) or (input, context), sync or async; `dynamodb:*` and `*` stand for what no other one is named for;
    one named `states:startExecution` answers in place of other workflows. type: STANDARD or EXPRESS. now: when it
    starts. aws_limits: AWS's 256 KiB and its kin. messages: (seconds after the start, key, value, data). callbacks:
    (seconds after the start, state, output or TaskError): ends the task of that state which has waited for its token
    longest. workflows: those that others start, by name, or the folder that has them; of a Path its own folder unless
    given. buckets: the directory that stands for S3; it is only read. stub: True, and every task without a handler has
    the result {}; or answers by resource: a callable, a list or iterator with one for each call (an exception among
    them is raised), or one value for all. substitutions: values for `${Name}`, by name. max_states: states that may be
    entered, in all executions together.

    Raises InvalidDefinition (with `.diagnostics`), NotFound and UsageError for a path, TypeError when the input, a
    message or a callback is not JSON, HandlerLoadError for a task that nothing answers, UsageError for a callback of
    whose state no task has begun or a stub without an answer left, and StillRunning beyond max_states.
    """
    own_input, problem = as_json(input)
    if problem is not None:
        raise TypeError(f"the input is not JSON: {problem}")
    if max_states < 1:
        raise UsageError(f"max_states is a number from 1 on, not {max_states}")
    start = EPOCH if now is None else round(_aware(now).timestamp() * MICROSECONDS)
    reader = reader_for(definition, substitutions)
    workflow = workflow_of(definition, reader)
    with TemporaryDirectory(prefix="sm-results-") as results:
        simulation = Simulation(
            workflow, handlers or {}, FakeClock(start), limits=aws_limits,
            library=library_of(workflows, definition, reader), buckets=Path(buckets), results=Path(results), stub=stub,
            callbacks=callbacks_at(start, callbacks), max_states=max_states,
        )  # fmt: skip
        for at, key, value, data in messages:
            simulation.post(start + round(at * MICROSECONDS), key, value, data)
        outcome = simulation.run(own_input, type)
        return replace(outcome, written=_written_in(Path(results)))


def load_handlers(directory: str | os.PathLike[str]) -> dict[str, Callable[..., Any]]:
    """The handlers of a directory by name, as `sm run` finds them, for `simulate(handlers=…)`.

    Raises HandlerLoadError when the directory is not there or a file in it does not import.
    """
    from sm_cli.handlers.loading import load_handlers as load

    return {name: handler.function for name, handler in load(Path(directory)).items()}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written_in(root: Path) -> dict[str, Any]:
    """The value of each file by its path; of JSON Lines, whose every line ends, the list of theirs."""
    files: dict[str, Any] = {}
    for file in sorted(path for path in root.rglob("*.json") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        lines = [loads_exact(line) for line in text.split("\n")[:-1]] if text.endswith("\n") else None
        files[file.relative_to(root).as_posix()] = loads_exact(text) if lines is None else lines
    return files
