"""`sm run`: start an execution and work on it until it is closed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.chaining.sources import AllowFailed, FromExecution, Start, TransformText, Unique, chaining_of
from sm_cli.cli.project.config import find_project
from sm_cli.cli.run.preparing import registry_for, what_to_start
from sm_cli.cli.run.processes import loader_for
from sm_cli.cli.run.stubbing import stubbing
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Buckets,
    Concurrency,
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
    output_format,
    queue_name,
    seconds,
)
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.engine.programs import Workflow
    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import Execution
    from sm_cli.worker.worker import Worker

_Arguments: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORKFLOW|KEY=VALUE",
        show_default=False,
        help="A file, a name in workflows/, order:3 or order:prod; input members.",
    ),
]
_Input: TypeAlias = Annotated[
    str | None, typer.Option("--input", "-i", metavar="FILE|-|JSON", help="The input, JSON or YAML; {} unless given.")
]
_Name: TypeAlias = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The execution's name; unique for its workflow.")
]
_Detach: TypeAlias = Annotated[
    bool, typer.Option("--detach", help="Only start it and print its id; `sm worker` does the rest.")
]
_DetachOnWait: TypeAlias = Annotated[
    bool, typer.Option("--detach-on-wait", help="Leave it with exit code 6 when only a message can move it.")
]
_Timeout: TypeAlias = Annotated[
    str | None, typer.Option("--timeout", metavar="SPAN", help="End it as TIMED_OUT after 30s, 5m, 1h, …")
]
_Priority: TypeAlias = Annotated[
    str | None,
    typer.Option("--priority", metavar="QUEUE", help="The queue of its tasks: critical, default, low, …"),
]
_Tag: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="A tag to find it by later; may be given again."),
]
_Express: TypeAlias = Annotated[
    bool, typer.Option("--express", help="In memory, at most once, within 5 minutes: AWS's type EXPRESS.")
]
_KeepHistory: TypeAlias = Annotated[
    bool, typer.Option("--keep-history", help="With --express: store the execution when it has ended.")
]
_AwsLimits: TypeAlias = Annotated[
    bool, typer.Option("--aws-limits", help="Hold it to AWS's limits: payloads of 256 KiB, 25,000 events, …")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    arguments: _Arguments = None,
    input: _Input = None,
    name: _Name = None,
    from_execution: FromExecution = None,
    transform: TransformText = None,
    allow_failed: AllowFailed = False,
    unique: Unique = False,
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    stub: Stubbed = False,
    detach: _Detach = False,
    detach_on_wait: _DetachOnWait = False,
    timeout: _Timeout = None,
    priority: _Priority = None,
    tag: _Tag = None,
    express: _Express = False,
    keep_history: _KeepHistory = False,
    buckets: Buckets = None,
    aws_limits: _AwsLimits = False,
    concurrency: Concurrency = None,
    processes: Processes = None,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
    _log_format: LogFormat = None,
) -> None:
    """Run a workflow and print its output."""
    from sm_cli.cli.project.opening import opened_engine

    check_run_options(express, keep_history=keep_history, detach=detach or detach_on_wait, queue=priority)
    project, format, limit = find_project(substitutions=substitutions), output_format(output, json), _span(timeout)
    chaining = chaining_of(from_execution, transform, allow_failed=allow_failed, unique=unique, express=express)
    workflow, data, limits = what_to_start(project, arguments or [], input, chaining, aws_limits=aws_limits, db=db)
    queue, tags = queue_name(priority or project.queue_of(workflow.name), "--priority"), tags_of(tag)
    with out.guard_stdout() as result, stubbing(stub) as stubs, loader_for(project, concurrency, processes) as load:
        registry = registry_for(workflow, project, handlers, load, stubs)
        if express:
            from sm_cli.cli.run.express import run_in_memory

            raise typer.Exit(run_in_memory(
                workflow, data, registry, result, project=project, name=name, timeout=limit, concurrency=load.slots,
                keep=keep_history, db=db, limits=limits, format=format, tags=tags,
            ))  # fmt: skip
        with opened_engine(db, project, workflow, create=not chaining.reference, buckets=buckets, stub=stub) as engine:
            source = chaining.find(engine, lambda: load.transformers(project.handlers(handlers)[0]))
            how = Start(name=name, timeout=limit, queue=queue, limits=limits, tags=tags, source=source)
            if detach:
                raise typer.Exit(_print_left(engine.start(workflow, data, **how)[0], result, format))
            from sm_cli.cli.run.following import follow, worker_for

            loop = worker_for(engine, registry, load.slots)
            begin, data = partial(_begin, loop, workflow, [data], how), None
            go_on = command_line("worker", db=db, handlers=handlers, buckets=buckets, processes=processes, stub=stub)
            raise typer.Exit(follow(loop, begin, result, go_on, root=project.root,
                                    detach_on_wait=detach_on_wait, format=format))  # fmt: skip


def _begin(loop: Worker, workflow: Workflow, data: list[Json], how: Start) -> Execution:
    """Start it with the one value of `data`: it is stored then, and a large one is not also kept here to the end."""
    execution, _ = loop.start(workflow, data.pop(), **how)
    execution.input = None
    return execution


def _span(timeout: str | None) -> float | None:
    return None if timeout is None else seconds(timeout, "--timeout")


def _print_left(execution: Execution, result: TextIO, format: str) -> int:
    from sm_cli.cli.run.results import print_left

    if format == "table":
        say(f"execution {execution.name} of {execution.workflow}:{execution.version} is started")
    return print_left(execution, result, format)


def check_run_options(express: bool, *, keep_history: bool, detach: bool, queue: str | None) -> None:
    """Options that say nothing together. Raises UsageError."""
    if keep_history and not express:
        raise UsageError("--keep-history says what becomes of an --express execution; others are always kept")
    if express and (detach or queue is not None):
        raise UsageError("--express runs at once and to the end: it excludes --detach, --detach-on-wait and --priority")


def tags_of(texts: list[str] | None) -> dict[str, str]:
    """The tags that the options give. Raises UsageError."""
    if not texts:
        return {}
    from sm_cli.cli.terminal.filters import tag_pairs
    from sm_cli.engine.tags import check_tags

    return check_tags(tag_pairs(texts))


def command_line(command: str, **options: str | bool | None) -> list[str]:
    """A command line of ours with the options that were given; True is one without a value."""
    words = ["sm", command]
    for name, value in options.items():
        if isinstance(value, str):
            words += [f"--{name}", value]
        elif value:
            words.append(f"--{name}")
    return words
