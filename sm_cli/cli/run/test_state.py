"""`sm test-state`: one state of a workflow, run alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.run.stubbing import stubbed_handlers, stubbing
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import AsJson, Handlers, Stubbed, Substitutions, Trust, Verbose, choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sm_cli.asl.outline import StateAt
    from sm_cli.asl.text.source import Document
    from sm_cli.cli.project.config import Project
    from sm_cli.handlers.handler import Handler
    from sm_cli.handlers.stub import Stub
    from sm_cli.interpreter.traceback import Traceback
    from sm_cli.jsonvalue import Json


_Workflow: TypeAlias = Annotated[
    str, typer.Argument(metavar="WORKFLOW", show_default=False, help="A file or a name in workflows/.")
]
_State: TypeAlias = Annotated[
    str, typer.Argument(metavar="STATE", show_default=False, help="Its name; inside a Map or Parallel, too.")
]
_Input: TypeAlias = Annotated[
    str | None, typer.Option("--input", "-i", metavar="FILE|-|JSON", help="Its input; {} unless given.")
]
_Mock: TypeAlias = Annotated[
    str | None, typer.Option("--mock", metavar="FILE|-|JSON", help="The result, instead of doing the work.")
]
_MockError: TypeAlias = Annotated[
    str | None, typer.Option("--mock-error", metavar="NAME[:CAUSE]", help="Fail the work with this error.")
]
_Trace: TypeAlias = Annotated[
    bool, typer.Option("--trace", help="List what becomes of the data, field by field; as --level TRACE.")
]
_Context: TypeAlias = Annotated[
    str | None, typer.Option("--context", metavar="FILE|-|JSON", help="The context object, instead of made-up.")
]
_Variables: TypeAlias = Annotated[
    str | None, typer.Option("--variables", metavar="FILE|-|JSON", help="The variables that it finds assigned.")
]
_Configuration: TypeAlias = Annotated[
    str | None,
    typer.Option("--configuration", metavar="FILE|-|JSON", help="AWS's stateConfiguration: retrierRetryCount, …"),
]
_Level: TypeAlias = Annotated[
    str | None, typer.Option("--level", metavar="LEVEL", help="INFO, DEBUG or TRACE; INFO unless given.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test-state")(test_state)


def test_state(
    workflow: _Workflow,
    state: _State,
    input: _Input = None,
    mock: _Mock = None,
    mock_error: _MockError = None,
    trace: _Trace = False,
    context: _Context = None,
    variables: _Variables = None,
    configuration: _Configuration = None,
    level: _Level = None,
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    stub: Stubbed = False,
    json: AsJson = False,
    _trust: Trust = False,
    _verbose: Verbose = False,
) -> None:
    """Run one state of a workflow alone, as AWS's TestState does; nothing is stored."""
    from sm_cli.cli.project import workflows
    from sm_cli.cli.terminal.inputs import read_input, read_json
    from sm_cli.errors import UsageError
    from sm_cli.test_state import run as single

    if mock is not None and mock_error is not None:
        raise UsageError("--mock and --mock-error exclude each other")
    depth = choice(level.upper(), "--level", single.LEVELS) if level else "TRACE" if trace else "INFO"
    if trace and depth == "INFO":
        raise UsageError("--trace shows what --level INFO leaves out")
    project = find_project(substitutions=substitutions)
    document = workflows.document(project, workflows.choose(project, workflow))
    definition = state_in(document, state)
    options: dict[str, Any] = {
        name: None if source is None else read_json(source, f"--{option}")
        for name, option, source in (
            ("context", "context", context),
            ("variables", "variables", variables),
            ("state_configuration", "configuration", configuration),
        )
    }
    data, mock_result = read_input(input, []), mock_of(mock, mock_error)
    tracebacks: list[Traceback] = []
    with out.guard_stdout() as result, stubbing(stub) as stubs:
        registry = {} if mock_result is not None else handlers_for_state(definition, project, handlers, stubs)
        answer = single.test_state(
            document, data, state_name=state, inspection_level=depth if json else _check_level(depth), mock=mock_result,
            handlers=registry, name=state, strict=False, on_traceback=tracebacks.append, **options,
        )  # fmt: skip
        if json:
            out.value(answer, result)
        elif depth != "INFO":
            for line in stages(answer):
                out.text(line, result)
        elif "output" in answer:
            out.value(answer["output"], result)
    for line in outcome_lines(state, answer, tracebacks, project.root):
        say(line)
    if answer["status"] == "FAILED":
        raise typer.Exit(1)


def _check_level(level: str) -> str:
    """A person is always told which retrier or catcher takes an error."""
    return "DEBUG" if level == "INFO" else level


def state_in(document: Document, name: str) -> StateAt:
    """The state of a valid definition. Raises InvalidDefinition, NotFound."""
    from sm_cli.asl.outline import outline
    from sm_cli.asl.validation.nearest import did_you_mean
    from sm_cli.asl.validation.validate import validate
    from sm_cli.errors import InvalidDefinition, NotFound

    problems = [d for d in validate(document) if d.severity == "error"]
    if problems:
        raise InvalidDefinition(problems)
    definition: Any = document.value
    there = {name: state for machine in outline(definition) for name, state in machine.states.items()}
    if name not in there:
        hint = did_you_mean(name, there) or f"it has {', '.join(there)}."
        raise NotFound(f"the workflow has no state {name!r}", hint=hint)
    return there[name]


def mock_of(result: str | None, error: str | None) -> dict[str, Json] | None:
    """The mock as AWS's TestState takes it."""
    from sm_cli.cli.terminal.inputs import read_json
    from sm_cli.jsonvalue import dumps

    if result is not None:
        return {"result": dumps(read_json(result, "--mock"))}
    if error is not None:
        name, colon, cause = error.partition(":")
        return {"errorOutput": {"error": name, **({"cause": cause.strip()} if colon else {})}}
    return None


def handlers_for_state(
    state: StateAt, project: Project, option: str | None, stub: Stub | None = None
) -> Mapping[str, Handler]:
    """The handlers, when the state calls one. Raises HandlerLoadError when it is not there."""
    from sm_cli.asl.resources import parse_resource
    from sm_cli.cli.project.handlers import load_trusted
    from sm_cli.handlers.builtin import builtins
    from sm_cli.handlers.needs import check_handlers

    resource = parse_resource(state.text("Resource") or "") if state.type == "Task" else None
    if resource is None or (stub is None and (resource.kind == "activity" or resource.pattern)):
        return {}
    directory, is_named = project.handlers(option)
    if stub is not None:
        return stubbed_handlers(stub, directory, is_named, load_trusted)
    ours = builtins(project.http())
    if resource.handler in ours and not directory.is_dir():
        return ours
    registry = load_trusted(directory)
    if resource.kind != "invoke":  # which names its function when it runs
        check_handlers({resource.handler: [state.name]}, registry, directory)
    return {**ours, **registry}


def stages(answer: Mapping[str, Any]) -> Iterator[str]:
    """The stages of the data flow, the output and where it goes, a line each."""
    from sm_cli.cli.terminal import tables
    from sm_cli.jsonvalue import dumps

    stage_values = {**answer["inspectionData"]}
    stage_values.update({name: answer[name] for name in ("output", "nextState") if name in answer})
    width = max(map(len, stage_values))
    for name, value in stage_values.items():
        text = value if name == "nextState" else dumps(value)
        yield f"{name:<{width}}  {tables.clean(text)}"


def outcome_lines(state: str, answer: Mapping[str, Any], tracebacks: Sequence[Traceback], root: Path) -> Iterator[str]:
    """How it ended, for stderr. tracebacks: of what its handler raised. root: the project's directory."""
    from sm_cli.cli.show.places import place_lines
    from sm_cli.cli.terminal import logs, tables
    from sm_cli.views.failures import readable_cause

    goes_on = f", goes on to {answer['nextState']}" if "nextState" in answer else ""
    yield tables.clean(f"state {state} {answer['status']}{goes_on}")
    for name in ("error", "cause"):
        if answer.get(name):
            value = readable_cause(answer[name]) if name == "cause" else answer[name]
            yield f"  {name}: {tables.cut(tables.clean(value))}"
    for each in tracebacks:
        yield from (f"  {line}" for line in place_lines(each.places, each, root, whole=logs.is_verbose()))
    details = answer.get("inspectionData", {}).get("errorDetails", {})
    if "retryIndex" in details:
        yield f"  Retry[{details['retryIndex']}] takes it, after {details['retryBackoffIntervalSeconds']:g} s"
    if "catchIndex" in details:
        yield f"  Catch[{details['catchIndex']}] takes it"
