"""`sm history`: what happened in an execution, state by state or event by event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Database, Full, LockTimeout, Output, Reference, Trust, output_format

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import Execution, HistoryEvent
    from sm_cli.views.state_visits import StateVisit

#: Seconds between two looks at a growing history.
_PAUSE = 0.1
_HEADS = ("STATE", "TYPE", "STATUS", "STARTED", "DURATION", "RETRIES", "ERROR")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history)


def history(
    execution: Reference,
    events: Annotated[bool, typer.Option("--events", help="AWS's events instead of the states.")] = False,
    payloads: Annotated[bool, typer.Option("--payloads", help="Show inputs and outputs too.")] = False,
    full: Full = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution is closed.")] = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show what happened in an execution."""
    format = output_format(output, json)
    with opened_engine(db) as engine:
        found = engine.find(execution)
        if follow:
            _follow(engine, found, events, payloads, format, full=full)
        elif format == "jsonl":
            _tell_each(engine, found, events)
        elif format != "table":
            out.one(_document(engine, found, events), format)
        elif events:
            from sm_cli.views.executions import history_of

            for event in history_of(engine, found):
                _tell_event(event, payloads, full=full)
        else:
            _tell_states(engine, found, payloads, full=full)


def _tell_states(engine: Engine, execution: Execution, payloads: bool, *, full: bool) -> None:
    from sm_cli.views.executions import history_of
    from sm_cli.views.state_visits import state_visits

    visits = state_visits(history_of(engine, execution))
    now = engine.clock.now()
    lines = tables.table(_HEADS, [_row(visit, now) for visit in visits], full=full)
    out.text(lines[0])
    for visit, line in zip(visits, lines[1:], strict=True):
        out.text(line)
        if payloads:
            _tell_data(visit, full=full)


def _row(visit: StateVisit, now: int) -> tuple[str, ...]:
    place = f"{visit.where[-1][visit.where[-1].rindex('[') :]} " if visit.where else ""
    return (
        f"{'  ' * len(visit.where)}{place}{visit.name}",
        visit.type,
        visit.status,
        tables.local_time(visit.started),
        tables.duration((now if visit.ended is None else visit.ended) - visit.started),
        str(visit.retries or ""),
        visit.error or "",
    )


def _tell_data(visit: StateVisit, *, full: bool) -> None:
    from sm_cli.jsonvalue import dumps

    indent = "  " * (len(visit.where) + 2)
    out.text(f"{indent}input  {tables.screenful(dumps(visit.input), full=full)}")
    if visit.status in ("SUCCEEDED", "CAUGHT"):
        out.text(f"{indent}output {tables.screenful(dumps(visit.output), full=full)}")
    if visit.cause:
        out.text(f"{indent}cause  {tables.screenful(tables.clean(visit.cause), full=full)}")


def _tell_event(event: HistoryEvent, payloads: bool, *, full: bool) -> None:
    """One line: number, time, type, then the state's name or the error; the whole detail with --payloads."""
    from sm_cli.jsonvalue import dumps
    from sm_cli.timestamps import rfc3339

    said = [str(event.detail[key]) for key in ("name", "error") if event.detail.get(key) is not None]
    what = tables.screenful(tables.clean(" ".join(said)), full=full)
    out.text(f"{event.number:>5}  {rfc3339(event.at)}  {event.type:<28}  {what}".rstrip())
    if payloads and event.detail:
        out.text(f"       {tables.screenful(dumps(event.detail), full=full)}")


def _document(engine: Engine, execution: Execution, events: bool) -> Json:
    """With `events` what GetExecutionHistory answers, else the execution and its states."""
    from sm_cli.engine.aws_history import aws_events
    from sm_cli.jsonvalue import as_json
    from sm_cli.views.executions import history_of
    from sm_cli.views.listing import execution_facts
    from sm_cli.views.state_visits import state_visits

    happened = history_of(engine, execution)
    if events:
        return {"events": [*aws_events(happened)]}
    states = as_json([_state(visit) for visit in state_visits(happened)])[0]
    return {**execution_facts(execution), "input": execution.input, "output": execution.output, "states": states}


def _tell_each(engine: Engine, execution: Execution, events: bool) -> None:
    """`jsonl`: an event a line, or a state a line."""
    document = _document(engine, execution, events)
    assert isinstance(document, dict)
    found = document["events" if events else "states"]
    assert isinstance(found, list)
    out.rows(found, "jsonl")


def _state(visit: StateVisit) -> dict[str, Json]:
    from sm_cli.timestamps import rfc3339

    return {
        "name": visit.name,
        "type": visit.type,
        "status": visit.status,
        "where": list(visit.where),
        "started": rfc3339(visit.started),
        "ended": None if visit.ended is None else rfc3339(visit.ended),
        "milliseconds": None if visit.ended is None else (visit.ended - visit.started) // 1000,
        "retries": visit.retries,
        "error": visit.error,
        "cause": visit.cause,
        "input": visit.input,
        "output": visit.output,
    }


def _follow(engine: Engine, execution: Execution, events: bool, payloads: bool, format: str, *, full: bool) -> None:
    """What comes, as it comes: a line for each event, or for each state that ends; with a format for machines an event
    a line, or an element of YAML's sequence."""
    from sm_cli.cli.terminal.live import LiveLines
    from sm_cli.engine.aws_history import aws_events
    from sm_cli.views.executions import execution_now

    class States(LiveLines):
        def line(self, text: str, colour: str | None = None) -> None:  # noqa: ARG002 - the base's
            out.text(text)

        def tell(self, visit: StateVisit) -> None:
            super().tell(visit)
            if payloads:
                _tell_data(visit, full=full)

    states = States()
    for batch in _growing(engine, execution):
        if format != "table":
            out.rows([*aws_events(batch)], "yaml" if format == "yaml" else "jsonl")
        elif events:
            for event in batch:
                _tell_event(event, payloads, full=full)
        else:
            states.see(batch, 0)
        out.flush()
    closed = execution_now(engine, execution.id)
    say(f"execution {execution.ref} {closed.status if closed else 'is gone'}")


def _growing(engine: Engine, execution: Execution) -> Iterator[list[HistoryEvent]]:
    """The events, as they are written, until the last one of a closed execution."""
    from sm_cli.views.watch import Watch

    watch = Watch(engine, execution)
    while True:
        look = watch.look()
        if look.events:
            yield look.events
        if look.execution is None or look.execution.closed is not None:
            return
        time.sleep(_PAUSE)
