"""Where a handler failed, in lines for people: `at handlers/x.py:12 in charge`.

Paths below the project are written as from there. A traceback is another program's text: each of its lines is
escaped and has a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.escaping import mark_lines
from sm_cli.cli.terminal import tables
from sm_cli.views.failures import FailurePlace, error_line
from sm_cli.views.records import Status

if TYPE_CHECKING:
    from sm_cli.interpreter.traceback import Traceback
    from sm_cli.jsonvalue import Json
    from sm_cli.views.map_runs import ChildFailure
    from sm_cli.views.records import Execution


def from_root(text: str, root: Path) -> str:
    """The text with paths below this directory as they are called from there."""
    return re.sub(rf"(?<![\w./-]){re.escape(str(root))}/", "", text)


def with_places(failure: Json, root: Path) -> Json:
    """What `views.executions` tells of a failure, its places as they are called from the project."""
    if not isinstance(failure, dict):
        return failure
    places, below = failure["places"], failure["failed_execution"]
    display_places = [from_root(str(place), root) for place in places] if isinstance(places, list) else []
    if isinstance(below, dict):
        below = below | {"failure": with_places(below["failure"], root)}
    return failure | {"places": [*display_places], "failed_execution": below}


def failure_lines(failure: FailurePlace, root: Path, *, whole: bool) -> Iterator[str]:
    """The execution below that failed first, if one did, and the places of the innermost failure; with `whole` its
    traceback, too."""
    inner: FailurePlace | None = failure
    while inner is not None and inner.child is not None:
        yield _child_text(inner.child, inner.below)
        inner = inner.below
    if inner is None:
        return
    yield from place_lines(inner.places, inner.traceback, root, whole=whole)


def place_lines(places: Sequence[str], trace: Traceback | None, root: Path, *, whole: bool) -> Iterator[str]:
    """A line for each place; with `whole` the traceback, too."""
    yield from (f"at {tables.cut(tables.clean(from_root(place, root)))}" for place in places)
    if whole and trace is not None:
        yield from traceback_lines(trace.text, root)


def failure_text(failure: FailurePlace, root: Path) -> str:
    """How a sentence goes on that says of an execution how it began: ` and failed in Charge, at …`."""
    text = f" and failed in {failure.state}" if failure.state else " and failed" if failure.places else ""
    inner = failure
    while inner.child is not None and inner.below is not None:
        text += f"; {_child_text(inner.child, inner.below)}"
        inner = inner.below
    return f"{text}, at {from_root(inner.places[0], root)}" if inner.places else text


def child_failure_lines(failure: ChildFailure, root: Path) -> Iterator[str]:
    """How many items of a map run failed, whether it goes on, and the child that failed first."""
    run = failure.run
    over = {Status.SUCCEEDED: ", which it tolerates", Status.RUNNING: " so far"}.get(run.status, "")
    items = f"{run.join.failed_items:,} of {tables.total(run.join.item_count)} items failed{over}"
    yield tables.clean(f"{run.state}: {items} (map run {run.ref})")
    if failure.child is not None:
        yield from failure_lines(FailurePlace(None, child=failure.child, below=failure.place), root, whole=False)


def traceback_lines(text: str, root: Path) -> list[str]:
    """A traceback, a marked line each."""
    return mark_lines(from_root(text, root)).split("\n")


def _child_text(child: Execution, below: FailurePlace | None) -> str:
    run = child.parent is not None and child.parent.run is not None
    label = f"child {child.parent.number} ({child.ref})" if run and child.parent else f"execution {child.ref}"
    where = f", in {below.state}" if below is not None and below.state else ""
    return tables.clean(f"{label} failed{' first' if run else ''}{where}: {error_line(child.error, child.cause)}")
