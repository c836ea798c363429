"""`sm batch run`: start a batch and work on it until it is over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.batch.sources import (
    FromExecutions,
    Reached,
    SourceChoice,
    SourceLimit,
    SourceState,
    SourceWorkflow,
    UniqueSources,
)
from sm_cli.cli.chaining.sources import AllowFailed, TransformText
from sm_cli.cli.project.config import find_project
from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.project.references import find_runnable
from sm_cli.cli.run.preparing import registry_for
from sm_cli.cli.run.processes import loader_for
from sm_cli.cli.run.stubbing import stubbing
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.filters import NamePart, OfStatus, Since, Until
from sm_cli.cli.terminal.options import (
    AsJson,
    Buckets,
    Database,
    Handlers,
    LockTimeout,
    LogFormat,
    Output,
    Processes,
    Stubbed,
    Substitutions,
    Trust,
    Verbose,
    choice,
    count,
    output_format,
    queue_name,
)
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.buckets import Opened
    from sm_cli.cli.project.config import Project
    from sm_cli.engine.batches.executions import OfExecutions
    from sm_cli.engine.batches.options import BatchOptions
    from sm_cli.engine.engine import Engine, Workflow
    from sm_cli.engine.stepping.batch.plan import Plan
    from sm_cli.handlers.registry import Registry
    from sm_cli.jsonvalue import Json

_FORMATS = ("jsonl", "json", "csv", "tsv", "parquet")
#: No more handlers than this run at once because of --concurrency alone.
_MOST_SLOTS = 64
_BUCKET = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)


_Workflow: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="WORKFLOW", show_default=False, help="A file or a name in workflows/."),
]
_Inputs: TypeAlias = Annotated[
    str | None,
    typer.Option("--inputs", "-i", metavar="FILE|-|s3://BUCKET/KEY", help="JSON Lines, JSON, CSV or Parquet."),
]
_Format: TypeAlias = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="Of --inputs, where its name does not say it.")
]
_NamePrefix: TypeAlias = Annotated[
    str | None,
    typer.Option("--name-prefix", metavar="P", help="Names P-0, P-1, …; one that is there is not started again."),
]
_Concurrency: TypeAlias = Annotated[
    str | None, typer.Option("--concurrency", metavar="N", help="Executions at once; 1: one after the other.")
]
_StopOnError: TypeAlias = Annotated[bool, typer.Option("--stop-on-error", help="The first failure ends the batch.")]
_MaxFailureRate: TypeAlias = Annotated[
    str | None, typer.Option("--max-failure-rate", metavar="PERCENT", help="With more failures than that it fails.")
]
_MinSamples: TypeAlias = Annotated[
    str | None, typer.Option("--min-samples", metavar="N", help="That rate is judged from so many items on.")
]
_MicroBatch: TypeAlias = Annotated[
    str | None,
    typer.Option("--micro-batch", metavar="N", help="Rounds of so many; the next begins when all ended."),
]
_PauseAt: TypeAlias = Annotated[
    str | None, typer.Option("--pause-at", metavar="PERCENT", help="With more failures in a round it pauses.")
]
_FailAt: TypeAlias = Annotated[
    str | None, typer.Option("--fail-at", metavar="PERCENT", help="With more failures in a round it fails.")
]
_Results: TypeAlias = Annotated[
    str | None, typer.Option("--results", metavar="FILE", help="Write what became of every item, as JSON Lines.")
]
_DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Only tell what would start.")]
_Detach: TypeAlias = Annotated[
    bool, typer.Option("--detach", help="Only start it and print its id; `sm worker` does the rest.")
]
_Priority: TypeAlias = Annotated[
    str | None,
    typer.Option("--priority", metavar="QUEUE", help="The queue of its tasks: critical, default, low, …"),
]


def run_batch(
    workflow: _Workflow = None,
    inputs: _Inputs = None,
    format: _Format = None,
    from_executions: FromExecutions = False,
    of_workflow: SourceWorkflow = None,
    status: OfStatus = None,
    since: Since = None,
    until: Until = None,
    name: NamePart = None,
    passed_state: Reached = None,
    limit: SourceLimit = None,
    state: SourceState = None,
    transform: TransformText = None,
    unique: UniqueSources = False,
    allow_failed: AllowFailed = False,
    name_prefix: _NamePrefix = None,
    concurrency: _Concurrency = None,
    stop_on_error: _StopOnError = False,
    max_failure_rate: _MaxFailureRate = None,
    min_samples: _MinSamples = None,
    micro_batch: _MicroBatch = None,
    pause_at: _PauseAt = None,
    fail_at: _FailAt = None,
    results: _Results = None,
    dry_run: _DryRun = False,
    detach: _Detach = False,
    priority: _Priority = None,
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    stub: Stubbed = False,
    buckets: Buckets = None,
    processes: Processes = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
    _log_format: LogFormat = None,
) -> None:
    """Start one execution of a workflow for each item, and work on them."""
    executions = SourceChoice(from_executions, of_workflow, status, since, until, name, passed_state, limit, state,
                              transform, unique, allow_failed)  # fmt: skip
    executions.check(inputs)
    check_results(results, is_left=detach or dry_run)
    options = options_of(concurrency, stop_on_error, max_failure_rate, min_samples, micro_batch, pause_at, fail_at)
    how = How(output_format(output, json), results, dry_run, detach)
    project = find_project(substitutions=substitutions)
    target = find_runnable(project, workflow, db)
    queue = queue_name(priority or project.queue_of(target.name), "--priority")
    load = loader_for(project, slots_for(project, concurrency, options), processes)
    with out.guard_stdout() as result, stubbing(stub) as stubs, load:
        registry = registry_for(target, project, handlers, load, stubs)
        with opened_engine(db, project, target, create=inputs is not None, buckets=buckets, stub=stub) as engine:
            items = inputs or executions.sources(lambda: load.transformers(project.handlers(handlers)[0]))
            raise typer.Exit(begin_batch(
                engine, target, items, format, name_prefix, options, queue, registry, load.slots, result, how
            ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class How:
    """What the command does with the batch that it was told of."""

    #: How it prints: table, json, jsonl, yaml, jsonpath=.
    format: str
    #: The file of `--results`.
    results: str | None
    #: Whether it only shows what would start.
    dry_run: bool
    #: Whether it only starts it.
    detach: bool


def begin_batch(
    engine: Engine, target: Workflow, items: str | OfExecutions, kind: str | None, prefix: str | None,
    options: BatchOptions, queue: str, registry: Registry, slots: int, result: TextIO, how: How,
) -> int:  # fmt: skip
    """Look at the items, and show what would start, or start it, or work on it to its end. Returns the exit code."""
    ref = engine.clock.new_ref()
    plan, first = plan_for(engine, target, items, kind, ref, prefix, options, is_kept=not how.dry_run)
    if how.dry_run:
        from sm_cli.cli.batch.dry_run import print_plan
        from sm_cli.engine.batches.kept import forget_items, is_kept

        if is_kept(plan.source):
            forget_items(engine.store, ref)
        return print_plan(engine, plan, first, result, how.format)
    from sm_cli.cli.batch.working import start_batch, work_on

    if how.detach:
        out.text(start_batch(engine, target, plan, ref, queue).ref, result)
        return 0
    return work_on(
        engine, target, plan, ref, queue, registry, slots, result, format=how.format, results=how.results
    )  # fmt: skip


def options_of(
    concurrency: str | None, stop_on_error: bool, max_failure_rate: str | None, min_samples: str | None,
    micro_batch: str | None, pause_at: str | None, fail_at: str | None,
) -> BatchOptions:  # fmt: skip
    """What these options mean together. Raises UsageError."""
    from sm_cli.engine.batches.options import CONCURRENCY, BatchOptions

    limit = _number(concurrency, "--concurrency", CONCURRENCY)
    rounds, samples = _number(micro_batch, "--micro-batch"), _number(min_samples, "--min-samples")
    options = BatchOptions(limit, stop_on_error, max_failure_rate, samples, rounds, pause_at, fail_at)
    options.limits()
    return options


def check_results(results: str | None, *, is_left: bool) -> None:
    """Refuse a file that would never be written. is_left: whether the command ends before the batch does. Raises
    UsageError."""
    if results is not None and is_left:
        raise UsageError("--results is written when the batch is over; after --detach, sm batch results ID prints them")


def slots_for(project: Project, concurrency: str | None, options: BatchOptions) -> str | None:
    """How many handlers run at once, as `loader_for` reads it: as many as executions, when that was said and the
    settings say nothing else."""
    if concurrency is None or project.setting("concurrency") is not None:
        return None
    return str(min(max(1, options.concurrency), _MOST_SLOTS))


def plan_for(
    engine: Engine, workflow: Workflow, items: str | OfExecutions, format: str | None, ref: str, prefix: str | None,
    options: BatchOptions, *, is_kept: bool = True,
) -> tuple[Plan, list[Json]]:  # fmt: skip
    """What the batch is to do, and its first items. ref: the id that it will have. is_kept: whether a file that workers
    elsewhere need is kept for them. Raises UsageError for items that it cannot work through."""
    from sm_cli.engine.batches.starting import look_at_inputs, make_plan

    kind = None if format is None else choice(format, "--format", _FORMATS).upper()
    if isinstance(items, str):
        source, preview = _look_at(engine, items, kind, ref, is_kept=is_kept)
    else:
        source, preview = look_at_inputs(
            engine.store, engine.buckets, engine.clock.now(), items, ref, engine.source_input
        )
    return make_plan(workflow, source, preview, prefix or ref, options), preview.first


def _look_at(
    engine: Engine, inputs: str, kind: str | None, ref: str, *, is_kept: bool
) -> tuple[dict[str, Json], Opened]:
    """Where the items come from; stdin is kept in the database, and on a server a file. kind: their format; None to go
    by the name. is_kept: whether a file needs to be kept at all."""
    from sm_cli.buckets import BatchItems
    from sm_cli.engine.batches.starting import bucket_source, file_source, look_at_file, look_at_stream, open_source

    now = engine.clock.now()
    if inputs == "-":
        import sys

        if sys.stdin is None or sys.stdin.closed:
            raise UsageError("stdin is closed, so nothing can be read from it")
        return look_at_stream(engine.store, now, sys.stdin.buffer, kind, ref)
    match = _BUCKET.fullmatch(inputs)
    source = file_source(Path(inputs), kind) if match is None else bucket_source(match[1], match[2], kind)
    if match is None and is_kept:
        return look_at_file(engine.store, engine.buckets, now, source, ref)
    return source, open_source(BatchItems(engine.buckets), source)


def _number(text: str | None, option: str, default: int = 0) -> int:
    return default if text is None else 0 if text == "0" else count(text, option)
