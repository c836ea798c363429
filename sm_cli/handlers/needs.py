"""Which handlers a workflow needs, and what is said when one is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sm_cli.asl.model import Program, Task
from sm_cli.asl.resources import BUILT_IN, function_name, parse_resource, serving, workflow_name
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.display import display_path
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import Json


def calls_handlers(program: Program) -> bool:
    """Whether any state of it is a Task."""
    return any(isinstance(state, Task) for machine in program.machines.values() for state in machine.states.values())


def needed_handlers(program: Program, definition: Json) -> dict[str, list[str]]:
    """Handler names that the Tasks of a program call for, each with the states that do.

    A FunctionName that is computed when the state runs is not among them, nor is an activity (its workers are
    somebody else's) or another workflow.
    """
    needs: dict[str, list[str]] = {}
    for pointer, machine in program.machines.items():
        for name, state in machine.states.items():
            if not isinstance(state, Task) or state.resource.kind == "activity" or state.resource.needs_no_handler:
                continue
            handler: str | None = state.resource.handler
            if state.resource.kind == "invoke":
                handler = _constant_function(_at(definition, pointer), name)
            if handler is not None:
                needs.setdefault(handler, []).append(name)
    return needs


def nested_workflows(program: Program, definition: Json) -> list[str]:
    """Names of the workflows that the Tasks of a program start; not one that is computed when the state runs."""
    names: dict[str, None] = {}
    for pointer, machine in program.machines.items():
        for name, state in machine.states.items():
            if isinstance(state, Task) and (
                state.resource.starts_execution or state.resource.sfn_action in ("startExecution", "startSyncExecution")
            ):
                argument = _constant_argument(_at(definition, pointer), name, "StateMachineArn")
                if argument is not None:
                    names[workflow_name(argument)] = None
    return list(names)


def _at(definition: Json, pointer: str) -> Any:
    """The part of a definition that a JSON pointer (RFC 6901) names."""
    value: Any = definition
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _constant_function(machine: Mapping[str, Any], state: str) -> str | None:
    name = _constant_argument(machine, state, "FunctionName")
    return None if name is None else function_name(name)


def _constant_argument(machine: Mapping[str, Any], state: str, member: str) -> str | None:
    definition = machine["States"][state]
    arguments = definition.get("Parameters", definition.get("Arguments"))
    text = arguments.get(member) if isinstance(arguments, dict) else None
    return text if isinstance(text, str) and not text.startswith("{%") else None


def check_handlers(needs: Mapping[str, Sequence[str]], handlers: Mapping[str, Handler], directory: Path) -> None:
    """Raise HandlerLoadError when a handler that a workflow needs is not there: nothing passes silently. `handlers`
    are the user's own; what `sm` brings is always there."""
    missing = {
        name: states for name, states in needs.items() if serving(name, handlers) is None and name not in BUILT_IN
    }
    if not missing:
        return
    names = "; ".join(f"{name!r} for the state {_format_list(states)}" for name, states in missing.items())
    there = f"{len(handlers)} handler{'' if len(handlers) == 1 else 's'}"
    message = f"no handler is registered as {names} (looked in {display_path(directory)}/, which has {there})"
    raise HandlerLoadError(message, hint=" ".join(_advice(missing, handlers)), topic="missing handler")


def _advice(missing: Mapping[str, Sequence[str]], handlers: Mapping[str, Handler]) -> Iterator[str]:
    close = {name: get_close_matches(name, handlers, 2) for name in missing}
    guesses = sorted({guess for matches in close.values() for guess in matches})
    if guesses:
        yield f"Nearest: {', '.join(map(repr, guesses))}."
    first = next(iter(missing))
    reason = parse_resource(f"arn:aws:states:::{first}").why_refused
    if reason is not None:
        yield reason
    yield f'Write one with @handler("{first}") above a function.'


def _format_list(names: Sequence[str]) -> str:
    text = ", ".join(map(repr, names[:3]))
    return f"{text} and {len(names) - 3} more" if len(names) > 3 else text
