"""`sm schedule add`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.config import Project, find_project, is_file
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    LockTimeout,
    Output,
    Substitutions,
    Trust,
    choice,
    output_format,
    queue_name,
    seconds,
)
from sm_cli.errors import NotFound, UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    from sm_cli.engine.engine import Engine, Workflow
    from sm_cli.views.schedules.documents import Schedule

_Arguments: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORKFLOW|KEY=VALUE",
        show_default=False,
        help="A name in workflows/, or a file; input members.",
    ),
]
_Cron: TypeAlias = Annotated[
    str | None, typer.Option("--cron", metavar="EXPR", help='When, as in cron: "0 2 * * 1-5"; seconds may stand first.')
]
_Zone: TypeAlias = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="The time zone of --cron and --at; this machine's own unless given."),
]
_Every: TypeAlias = Annotated[str | None, typer.Option("--every", metavar="SPAN", help="Every 30s, 15m, 2h, …")]
_At: TypeAlias = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Once: 2026-12-24T18:00.")]
_Input: TypeAlias = Annotated[
    str | None, typer.Option("--input", "-i", metavar="FILE|-|JSON", help="The input, JSON or YAML; {} unless given.")
]
_Name: TypeAlias = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What it is called; the workflow's name unless given.")
]
_Overlap: TypeAlias = Annotated[
    str,
    typer.Option("--overlap", metavar="WHAT", help="While one of its executions runs: skip, queue or allow the next."),
]
_CatchUp: TypeAlias = Annotated[
    str,
    typer.Option("--catch-up", metavar="WHICH", help="Times that passed while no worker was there: none, last or all."),
]
_Jitter: TypeAlias = Annotated[
    str, typer.Option("--jitter", metavar="SPAN", help="Fire up to so much later, each time by its own part of it.")
]
_Priority: TypeAlias = Annotated[
    str | None, typer.Option("--priority", metavar="QUEUE", help="The queue of its tasks: critical, default, low, …")
]


def add_schedule(
    arguments: _Arguments = None,
    cron: _Cron = None,
    zone: _Zone = None,
    every: _Every = None,
    at: _At = None,
    input: _Input = None,
    name: _Name = None,
    overlap: _Overlap = "skip",
    catch_up: _CatchUp = "last",
    jitter: _Jitter = "0",
    priority: _Priority = None,
    substitutions: Substitutions = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Add a schedule, which workers fire: by --cron, --every or once --at a time."""
    from sm_cli.cli.run.preparing import split
    from sm_cli.cli.terminal.inputs import read_input
    from sm_cli.engine.versions.references import parse_reference
    from sm_cli.project.definitions import files_by_name
    from sm_cli.views.schedules.documents import UTC_NAME, CatchUp, Overlap, find_zone, local_zone

    format = output_format(output, json)
    project = find_project(substitutions=substitutions)
    _check_options(cron, every, at, zone)
    workflow, pairs = split(arguments or [])
    reference = _reference(project, workflow)
    of = parse_reference(reference).workflow if isinstance(reference, str) else reference.name
    place = zone or (UTC_NAME if every is not None else local_zone())
    wanted_overlap = Overlap(choice(overlap, "--overlap", tuple(each.value for each in Overlap)))
    wanted_catch_up = CatchUp(choice(catch_up, "--catch-up", tuple(each.value for each in CatchUp)))
    is_known = not isinstance(reference, str) or of in files_by_name(project.workflows)
    target = None if isinstance(reference, str) else reference
    with opened_engine(db, project, target, create=is_known) as engine, _telling_near_names(project, reference):
        if substitutions and isinstance(reference, str):
            reference = _with_values(engine, project, reference)
        schedule, is_new = engine.schedules.add(
            of if name is None else name, reference, read_input(input, pairs), cron=cron, zone=place,
            every=None if every is None else seconds(every, "--every"),
            at=None if at is None else _moment(at, find_zone(place), place),
            overlap=wanted_overlap, catch_up=wanted_catch_up, jitter=seconds(jitter, "--jitter"),
            queue=queue_name(priority or project.queue_of(of), "--priority"), limits=project.aws_limits,
        )  # fmt: skip
        _print_added(engine, schedule, is_new=is_new, format=format)


def _check_options(cron: str | None, every: str | None, at: str | None, zone: str | None) -> None:
    """Raises UsageError for options that say nothing together, or not when."""
    options = [name for name, value in (("--cron", cron), ("--every", every), ("--at", at)) if value is not None]
    if len(options) > 1:
        raise UsageError(f"{' and '.join(options)} exclude each other")
    if not options:
        raise UsageError('a schedule needs --cron, --every or --at: sm schedule add order --cron "0 2 * * 1-5"')
    if zone is not None and every is not None:
        raise UsageError("--tz says nothing with --every, which goes on by elapsed time")


def _reference(project: Project, workflow: str | None) -> str | Workflow:
    """What is meant: a name that is looked up at each time, or a file that stands in no workflows/. Raises UsageError,
    NotFound, InvalidDefinition."""
    from sm_cli.cli.project import workflows
    from sm_cli.project.definitions import files_by_name
    from sm_cli.project.reading import split_reference

    if workflow == workflows.STDIN:
        raise UsageError("a schedule needs a workflow that is still there when it fires, and stdin is not")
    if workflow is None:
        workflow = workflows.choose(project, None)
    there = files_by_name(project.workflows)
    file, _ = split_reference(workflow)
    if not is_file(file):
        if "/" in workflow or "." in workflow or Path(workflow).exists():
            workflows.choose(project, workflow)  # a folder, or a file that is not there
        return workflow
    name = workflows.name_of_file(workflow)
    if name not in there:
        return workflows.load(project, workflow)
    if not there[name].samefile(file):
        raise UsageError(
            f"the project has another workflow {name!r}, {there[name]}, and a schedule finds its workflow by the name"
        )
    return name


def _with_values(engine: Engine, project: Project, name: str) -> str:
    """The version that a workflow of the project is with the values that were given: who fires the schedule reads the
    file without them. Raises UsageError for a version, whose values were put in long ago."""
    from sm_cli.cli.project import workflows
    from sm_cli.engine.versions.references import parse_reference
    from sm_cli.project.definitions import files_by_name

    file = files_by_name(project.workflows).get(name)
    if file is None:
        raise UsageError(f"--substitutions is for a text that is read now, and {name} is a stored one")
    registration = engine.workflows.register(workflows.load(project, str(file)), None)
    reference = f"{parse_reference(name).workflow}:{registration.number}"
    say(f"the schedule starts {reference}, which has these values; a later change of {file} does not change it")
    return reference


@contextmanager
def _telling_near_names(project: Project, reference: str | Workflow) -> Iterator[None]:
    """A workflow that neither the project nor the database has is told with names that it may be."""
    from sm_cli.cli.project import workflows

    try:
        yield
    except NotFound as e:
        if e.topic == "workflow" and isinstance(reference, str) and ":" not in reference:
            workflows.choose(project, reference)
        raise


def _moment(text: str, zone: tzinfo, name: str) -> int:
    """Microseconds since 1970 UTC. Raises UsageError for what is no time, and for one that a change of the clock leaves
    out."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
            back = datetime.fromtimestamp(moment.timestamp(), zone)
            if back.replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise UsageError(f"--at {text}: the clock in {name} leaves this time out; it goes on at {back:%H:%M}")
        return round(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--at takes a time like 2026-12-24T18:00 or 2026-12-24T17:00:00Z, not {text!r}") from None


def _print_added(engine: Engine, schedule: Schedule, *, is_new: bool, format: str) -> None:
    from sm_cli.cli.schedules.listing import short_times
    from sm_cli.views.schedules.documents import schedule_document, times_to_come, when_text
    from sm_cli.views.why import working

    if format != "table":
        out.one(schedule_document(schedule, {}), format)
    else:
        out.text(schedule.name)
    times = short_times(times_to_come(schedule))
    again = "" if is_new else " is there already, and"
    say(f"schedule {schedule.name}{again} starts {schedule.workflow}: {when_text(schedule)}; next {times}")
    if not working(engine):
        say("no worker is running, and only a worker fires it: sm worker")
