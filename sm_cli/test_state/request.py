"""What is asked of a single state: the request of AWS's TestState, read and refused as AWS refuses it.

Whatever is wrong with a request is a StateTestRefused before anything runs. Members that are JSON text on AWS
(a mock's result, the context, the variables, the data of an ItemReader) may be that text, or the value itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sm_cli.asl.compile import compile_program
from sm_cli.asl.fields import Language, language_of
from sm_cli.asl.model import Map, Message, Parallel, Program, State, Task
from sm_cli.asl.outline import StateAt, outline
from sm_cli.asl.text.source import Document, from_value
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.asl.validation.aws import invalid_definition, validate_as_aws
from sm_cli.asl.validation.rules.flow import all_targets
from sm_cli.asl.validation.validate import validate
from sm_cli.diagnostics import Diagnostic
from sm_cli.errors import InvalidJson, UsageError
from sm_cli.jsonpointer import tokens
from sm_cli.jsonvalue import Json, as_json, loads_exact

#: What AWS calls a state that is tested alone, whatever its own name is.
STATE_NAME = "StateName"
LEVELS = ("INFO", "DEBUG", "TRACE")
_STANDS_IN = "A mock stands in for what it would do."
_MODES = ("STRICT", "PRESENT", "NONE")
#: What a mock stands in for; none of it is done, so none of it has to be compiled.
_MOCKED_AWAY = ("ItemReader", "ItemBatcher", "ResultWriter")


class StateTestRefused(UsageError):
    """A request that AWS's TestState would refuse too: `error` is its code, the message its text.

    `diagnostics` say more when the definition is at fault.
    """

    def __init__(
        self, error: str, message: str, *, hint: str | None = None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.error = error
        self.diagnostics = diagnostics or []


@dataclass(frozen=True, slots=True)
class Mock:
    """Either a result, or (`is_failure`) an error and its cause."""

    #: What the task returns.
    result: Json = None
    is_failure: bool = False
    #: The error name; "" when it has a result.
    error: str = ""
    #: Text for people; None when there is none.
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """AWS's TestStateConfiguration. `data` is what an ItemReader read, None when it is not given."""

    #: How often the state was retried before.
    retries: int = 0
    #: How many children of a Map failed; None when it is not given.
    failures: int | None = None
    data: Json = None
    #: The state in a branch or iteration that the error comes from; None when it is not given.
    caused_by: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The state, compiled in a machine of its own under `name`. `definition` is its definition."""

    name: str
    definition: Mapping[str, Json]
    #: With this machine only.
    program: Program

    @property
    def state(self) -> State:
        """The state, compiled."""
        return self.program.root.states[self.name]


def invalid(message: str, *, hint: str | None = None) -> StateTestRefused:
    """A request that AWS refuses as ValidationException."""
    return StateTestRefused("ValidationException", message, hint=hint)


# -- the definition ------------------------------------------------------------------------------------


def read_subject(definition: Any, state_name: str | None, name: str) -> Subject:
    """The state of a definition: the definition itself, or the state of that name anywhere in it.

    `name` is what the state is called while it is tested.
    """
    document = _document(definition)
    whole: Any = document.value
    if state_name is None:
        state_definition = dict(whole)
        alone = _alone(state_definition, name, "JSONPath")
        _refuse_problems(from_value(alone).document or document, codes_to_ignore=("SM205",))
    else:
        if "States" not in whole:
            raise invalid("A state's name belongs to the definition of a whole state machine.")
        _refuse_problems(document)
        state_definition = find_state(whole, state_name).value
        alone = _alone(state_definition, name, language_of(whole, "JSONPath"))
    alone["States"][name] = {field: value for field, value in state_definition.items() if field not in _MOCKED_AWAY}
    return Subject(name, state_definition, compile_program(alone))


def find_state(definition: dict[str, Json], name: str) -> StateAt:
    """The state of this name, in whichever machine of the definition it stands. Raises StateTestRefused."""
    for machine in outline(definition):
        if name in machine.states:
            return machine.states[name]
    raise invalid(f"There is no state named '{name}' in the definition.")


def _document(definition: Any) -> Document:
    if isinstance(definition, Document):
        return definition
    parse_result = parse_source(definition) if isinstance(definition, (str, bytes)) else from_value(definition)
    if parse_result.document is None:
        error, message = invalid_definition(validate_as_aws(definition))
        raise StateTestRefused(error, message, diagnostics=parse_result.diagnostics)
    return parse_result.document


def _alone(state: dict[str, Json], name: str, language: Language) -> dict[str, Any]:
    """A machine that begins with the state, and ends at once wherever it leads to."""
    states: dict[str, Any] = {name: state}
    alone: dict[str, Any] = {"QueryLanguage": language, "StartAt": name, "States": states}
    (root, *_) = outline(alone)
    for _, target in all_targets(root):
        states.setdefault(target, {"Type": "Succeed"})
    return alone


def _refuse_problems(document: Document, codes_to_ignore: tuple[str, ...] = ()) -> None:
    problems = [d for d in validate(document) if d.severity == "error" and d.code not in codes_to_ignore]
    if not problems:
        return
    problems_of_aws = validate_as_aws(document)
    error, message = invalid_definition(problems_of_aws)
    if not problems_of_aws:
        message = f"Invalid State Machine Definition: '{problems[0].message} at {problems[0].pointer}'"
    raise StateTestRefused(error, message, diagnostics=problems)


# -- mock, configuration, context and variables -----------------------------------------------------------


def read_mock(mock: Mapping[str, Any] | None, *, reveal_secrets: bool) -> Mock | None:
    """The mock of a request; None when it has none. Raises StateTestRefused."""
    if mock is None:
        return None
    if ("result" in mock) == ("errorOutput" in mock):
        raise invalid("A test mock should have only one of the following fields: [result, errorOutput].")
    if reveal_secrets:
        raise invalid("TestState does not support RevealSecrets when a mock is specified.")
    mode = mock.get("fieldValidationMode", "STRICT")
    if mode not in _MODES:
        raise invalid(f"The fieldValidationMode of a mock is one of {', '.join(_MODES)}, not {mode!r}.")
    if "errorOutput" not in mock:
        return Mock(_json(mock["result"], "Mocked result must be valid JSON"))
    output = mock["errorOutput"]
    if not isinstance(output, Mapping) or not all(isinstance(value, str) for value in output.values()):
        raise invalid("The errorOutput of a mock is an object with the texts error and cause.")
    return Mock(is_failure=True, error=output.get("error") or "", cause=output.get("cause"))


def read_configuration(configuration: Mapping[str, Any] | None, mock: Mock | None) -> Configuration:
    """The stateConfiguration of a request. Raises StateTestRefused."""
    configuration = {} if configuration is None else configuration
    if not isinstance(configuration, Mapping):
        raise invalid("The stateConfiguration must be a JSON object.")
    if mock is None:
        for member in ("mapIterationFailureCount", "retrierRetryCount", "errorCausedByState", "mapItemReaderData"):
            if configuration.get(member) is not None:
                member_name = f"{member[:1].upper()}{member[1:]}"
                raise invalid(f"TestState does not support {member_name} when a mock is not specified.")
    for member in ("mapIterationFailureCount", "retrierRetryCount"):
        number = configuration.get(member, 0)
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise invalid(f"{member} is a whole number from 0 on.")
    return Configuration(
        configuration.get("retrierRetryCount", 0),
        configuration.get("mapIterationFailureCount"),
        _json(configuration.get("mapItemReaderData"), "mapItemReaderData must be valid JSON"),
        configuration.get("errorCausedByState"),
    )


def read_object(value: Any, what: str) -> dict[str, Json] | None:
    """The context or the variables."""
    document = _json(value, f"{what} must be valid JSON")
    if document is not None and not isinstance(document, dict):
        raise invalid(f"{what} must be a JSON object.")
    return document


def read_items(subject: Subject, configuration: Configuration) -> list[Json] | dict[str, Json] | None:
    """What the ItemReader of a Map would have read, an array or an object; None for a state without one."""
    reader: Any = subject.definition.get("ItemReader")
    if reader is None:
        return None
    pointer = reader.get("ReaderConfig", {}).get("ItemsPointer")
    data = configuration.data if pointer is None else _value_at(configuration.data, pointer)
    if data is None:
        return []
    if not isinstance(data, (list, dict)):
        raise invalid("mapItemReaderData must be a JSON array or object, or hold one where ItemsPointer points.")
    return data


def _value_at(value: Json, pointer: str) -> Json:
    """What a JSON pointer names; None where there is nothing."""
    for token in tokens(pointer):
        if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            value = value.get(token) if isinstance(value, dict) else None
    return value


def _json(value: Any, problem: str) -> Json:
    """JSON text as its value; anything else as it is."""
    if isinstance(value, str):
        try:
            return loads_exact(value)
        except InvalidJson:
            raise invalid(problem) from None
    result, wrong = as_json(value)
    if wrong is not None:
        raise invalid(problem)
    return result


# -- all of it together ---------------------------------------------------------------------------------


def refuse_misfits(
    subject: Subject, mock: Mock | None, configuration: Configuration, *, has_stub: bool = False
) -> None:
    """Refuse a mock for what has none, its lack where one is needed, and one of the wrong shape. `has_stub`: a stub may
    answer a Task that waits, so that whoever calls it has to `refuse_waiting`."""
    state = subject.state
    if mock is None:
        _refuse_without_mock(state)
        if not has_stub:
            refuse_waiting(state)
        return
    if not isinstance(state, (Task, Map, Parallel, Message)):
        raise invalid(f"State type '{state.type}' is not supported when a mock is specified")
    caused_by = configuration.caused_by
    if caused_by is not None and not any(caused_by in m.states for m in subject.program.machines.values() if m.pointer):
        raise invalid(f"There is no state named '{caused_by}' inside the state that is tested.")
    if mock.is_failure or not isinstance(state, (Map, Parallel)):
        return
    if not isinstance(mock.result, list):
        if "ResultWriter" in subject.definition:
            return  # what it wrote is told in an object
        raise invalid("Mocked result must be an array.")
    if isinstance(state, Parallel) and len(mock.result) != len(state.branches):
        raise invalid("Mocked result must contain the same number of items as number of Parallel branches.")
    if isinstance(state, Map) and (configuration.failures or 0) > len(mock.result):
        raise too_many_failures()


def too_many_failures() -> StateTestRefused:
    """More iterations failed than there are."""
    return invalid("Map iteration failure count must be less than or equal to the number of Map iterations")


def _refuse_without_mock(state: State) -> None:
    if isinstance(state, (Map, Parallel)):
        raise StateTestRefused(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: "
            "[Task, Wait, Pass, Succeed, Fail, Choice]",
            hint=_STANDS_IN,
        )
    if isinstance(state, Message):
        raise invalid("A Message state waits for a message, which a mock has to give.", hint=_STANDS_IN)


def refuse_waiting(state: State) -> None:
    """Refuse a Task whose handler's answer would not be its end. Raises StateTestRefused."""
    if isinstance(state, Task) and (state.resource.kind == "activity" or state.resource.pattern):
        what = "an activity" if state.resource.kind == "activity" else f"'.{state.resource.pattern}'"
        message = f"TestState does not support a Task that waits for {what} when a mock is not specified."
        raise StateTestRefused("InvalidDefinition", message, hint=_STANDS_IN)
