"""Handlers for what open executions will need, before a task waits for one in vain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sm_cli.asl.resources import BUILT_IN, INTERNAL, serving
from sm_cli.engine.programs import compile_stored, document_of
from sm_cli.errors import SmError
from sm_cli.handlers.needs import needed_handlers
from sm_cli.views.doctor.findings import Examination, Found, Severity

if TYPE_CHECKING:
    from sm_cli.store.records import WorkerRecord
    from sm_cli.store.sql.questions import Questions

#: So many definitions are looked at, those with the most open executions first; so many sentences of a kind are said.
_MOST_DEFINITIONS, _MOST = 100, 5


def check_resources(examination: Examination) -> Found:
    """Whether somebody has a handler for every resource of the definitions that executions run by."""
    handlers = _handlers(examination.handlers, examination.workers)
    if handlers is None:
        yield Severity.FINE, "which handlers there are is known neither here nor of every worker", None
        return
    missing: dict[str, list[str]] = {}
    with examination.engine.store.read() as questions:
        rows = questions.open_by_definition(_MOST_DEFINITIONS)
        for digest, workflow, _ in rows:
            needs = _needs(questions, digest)
            if isinstance(needs, str):
                yield Severity.BROKEN, f"executions of {workflow} run by a text that cannot be read: {needs}", None
                continue
            for name, states in needs.items():
                if name not in BUILT_IN and not name.startswith(INTERNAL) and serving(name, handlers) is None:
                    missing.setdefault(name, []).append(f"{workflow}, state {states[0]}")
    for name, places in list(missing.items())[:_MOST]:
        text = f"open executions will need a handler {name!r} ({'; '.join(places[:_MOST])})"
        yield Severity.WARNING, f"{text}, and nobody has it: add one before a worker gets there", None
    if len(missing) > _MOST:
        yield Severity.WARNING, f"and {len(missing) - _MOST} more handlers are missing", None
    if not missing:
        count = sum(open_ones for *_, open_ones in rows)
        text = f"every handler that the {count} open ones need is there" if count else "no execution is open"
        yield Severity.FINE, text, None


def _handlers(here: Collection[str] | None, workers: Sequence[WorkerRecord]) -> Mapping[str, None] | None:
    """The names of those here and of all workers; None when something is not known, and one may be there."""
    serves: list[Any] = [worker.serves for worker in workers]
    if any(each is None for each in serves) or (here is None and not serves):
        return None
    names = dict.fromkeys(here or ())
    for each in serves:
        names.update(dict.fromkeys(each["handlers"]))
    return names


def _needs(questions: Questions, digest: str) -> dict[str, list[str]] | str:
    """The handlers that a definition needs, each with its states; a sentence when it cannot be read."""
    definition = questions.definition(digest)
    if definition is None:
        return "it is not there"
    try:
        return needed_handlers(compile_stored(definition), document_of(definition).value)
    except SmError as e:
        return e.message
