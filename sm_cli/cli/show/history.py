"""`sm history`: what happened in an execution, state by state or event by event."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import fits_terminal, paint_status, time_of_day
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Full,
    LockTimeout,
    Reference,
    TableOutput,
    Trust,
    count,
    table_format,
)

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.views.history import VisitFilter
    from sm_cli.views.records import Execution, HistoryEvent
    from sm_cli.views.state_visits import StateVisit

#: Seconds between two looks at a growing history.
_PAUSE = 0.1
#: Microseconds in the queue that are worth a word.
_TOLD = 1000
_HEADS = ("STATE", "TYPE", "STATUS", "STARTED", "QUEUED", "DURATION", "RETRIES", "ERROR")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history)


def history(
    execution: Reference,
    events: Annotated[bool, typer.Option("--events", help="AWS's events instead of the states.")] = False,
    payloads: Annotated[bool, typer.Option("--payloads", help="Show inputs and outputs too.")] = False,
    full: Full = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution is closed.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Only states that failed, and where they are.")] = False,
    state: Annotated[str | None, typer.Option("--state", metavar="NAME", help="Only the state of this name.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Entered since: 1h, 2d, 2026-01-31.")
    ] = None,
    limit: Annotated[str | None, typer.Option("--limit", metavar="N", help="At most so many, the newest.")] = None,
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show what happened in an execution."""
    format, wide = table_format(output, json)
    _check(events=events, follow=follow, only_states=failed or state is not None, some=bool(since or limit))
    filter = _filter(failed, state, since, limit)
    with opened_engine(db) as engine:
        record = engine.find(execution)
        if follow:
            _follow(engine, record, events, payloads, format, full=full)
        elif format != "table":
            _tell_document(engine, record, filter, events, format)
        elif events:
            event = None
            for event in _wanted_events(engine, record, filter, large=payloads):
                _tell_event(event, payloads, full=full)
            if event is None and (reason := _why_empty(record)):
                say(reason)
        else:
            _tell_states(engine, record, filter, payloads, full=full, fits=fits_terminal(wide=wide or full))


def _check(*, events: bool, follow: bool, only_states: bool, some: bool) -> None:
    from sm_cli.errors import UsageError

    if follow and (only_states or some):
        raise UsageError("--follow shows all that comes: leave out --failed, --state, --since and --limit")
    if events and only_states:
        raise UsageError("--failed and --state choose among states, not among the events of --events")


def _filter(failed: bool, state: str | None, since: str | None, limit: str | None) -> VisitFilter:
    from sm_cli.views.history import VisitFilter

    moment = None
    if since is not None:
        from sm_cli.cli.terminal.moments import microseconds_of

        moment = microseconds_of(since, "--since")
    return VisitFilter(failed, state, moment, None if limit is None else count(limit, "--limit"))


def _wanted_events(engine: Engine, execution: Execution, filter: VisitFilter, *, large: bool) -> Iterator[HistoryEvent]:
    from sm_cli.views.history import events_of, first_event_since

    after = 0 if filter.limit is None else max(0, execution.events - filter.limit)
    if filter.since is not None:
        after = max(after, first_event_since(engine, execution, filter.since) - 1)
    return events_of(engine, execution, after, large=large)


def _tell_states(
    engine: Engine, execution: Execution, filter: VisitFilter, payloads: bool, *, full: bool, fits: bool
) -> None:
    from sm_cli.cli.terminal.growing import growing_table
    from sm_cli.views.history import VisitFilter, visits_of

    now = engine.clock.now()
    some = filter != VisitFilter()  # then what a state is in need not stand above it
    visits = visits_of(engine, execution, filter, data=payloads)
    heads = (_HEADS[0], "WHERE", *_HEADS[1:]) if some else _HEADS
    rows = growing_table(heads, visits, lambda visit: _row(visit, now, some=some, fits=fits), full=full)
    empty = True
    columns = out.terminal_size(sys.stdout).columns
    for visit, line in rows:
        if fits:
            out.lines(_paint(tables.cut_to_width(line, columns), visit))
        else:
            out.text(line)
        if visit is None:
            continue
        empty = False
        if payloads:
            _tell_data(visit, full=full)
    if empty and (reason := _why_empty(execution)):
        say(reason)
    elif some and empty:
        hint = "without --failed, --state and --since all are shown"
        say(f"no state of execution {execution.name} is one of these; {hint}")


def _paint(line: str, visit: StateVisit | None) -> str:
    """The line of a visit with its status, which comes after its type, in colour."""
    if visit is None:
        return line
    before, kind, after = line.partition(f"  {visit.type} ")
    return f"{before}{kind}{after.replace(visit.status, paint_status(visit.status, visit.status), 1)}"


def _why_empty(execution: Execution) -> str | None:
    """Why an execution has no history; None for one that has."""
    if execution.parent is not None and execution.parent.run is not None and execution.type == "EXPRESS":
        return f"execution {execution.name} has no history: EXPRESS children of a map run record none"
    if execution.status == "PENDING":
        return f"execution {execution.name} has no history yet: it waits for its turn"
    if execution.events == 0:
        return f"execution {execution.name} has no history"
    return None


def _row(visit: StateVisit, now: int, *, some: bool, fits: bool) -> tuple[str, ...]:
    """Its duration is that of its work: without the time that its tasks were in the queue."""
    place = f"{visit.where[-1][visit.where[-1].rindex('[') :]} " if visit.where else ""
    name = (visit.name, " ".join(visit.where)) if some else (f"{'  ' * len(visit.where)}{place}{visit.name}",)
    queue_time = visit.queue_time_until(now)
    return (
        *name,
        visit.type,
        visit.status,
        time_of_day(visit.start, now) if fits else tables.local_time(visit.start),
        tables.duration(queue_time) if queue_time >= _TOLD else "",
        tables.duration((now if visit.end is None else visit.end) - visit.start - queue_time),
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

    words = [str(event.detail[key]) for key in ("name", "error") if event.detail.get(key) is not None]
    what = tables.screenful(tables.clean(" ".join(words)), full=full)
    out.text(f"{event.number:>5}  {rfc3339(event.at)}  {event.type:<28}  {what}".rstrip())
    if payloads and event.detail:
        out.text(f"       {tables.screenful(dumps(event.detail), full=full)}")


def _tell_document(engine: Engine, execution: Execution, filter: VisitFilter, events: bool, format: str) -> None:
    """With `events` what GetExecutionHistory answers, else the execution and its states; as `jsonl` only these."""
    from sm_cli.cli.terminal.growing import growing_document
    from sm_cli.engine.aws_history import aws_events
    from sm_cli.views.history import visit_document, visits_of
    from sm_cli.views.listing import execution_facts

    if events:
        history_events = _wanted_events(engine, execution, filter, large=True)
        growing_document({}, "events", (aws_events([event])[0] for event in history_events), format)
        return
    visits = visits_of(engine, execution, filter, data=True)
    head = {**execution_facts(execution), "input": execution.input, "output": execution.output}
    growing_document(head, "states", map(visit_document, visits), format)


def _follow(engine: Engine, execution: Execution, events: bool, payloads: bool, format: str, *, full: bool) -> None:
    """What comes, as it comes: a line for each event, or for each state that ends; with a format for machines an event
    a line, an element of YAML's sequence, or what a JSONPath finds in each event."""
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
        if format in ("json", "jsonl", "yaml"):
            out.rows([*aws_events(batch)], "yaml" if format == "yaml" else "jsonl")
        elif format != "table":
            for document in aws_events(batch):
                out.print_document(document, format)
        elif events:
            for event in batch:
                _tell_event(event, payloads, full=full)
        else:
            states.see(batch, 0)
        out.flush()
    current = execution_now(engine, execution.id)
    say(f"execution {execution.ref} {current.status if current else 'is gone'}")


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
