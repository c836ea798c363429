"""The definition that is deployed: a placeholder wherever a local handler serves, and where AWS wants an ARN.

Service integrations and the ARNs of functions that no handler serves stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from sm_cli.asl.aws_export import invoke_with_token, without_extensions
from sm_cli.asl.export.names import capitals, function_id, snake, unique
from sm_cli.asl.export.plan import DeployedFunction, Parameter, TextPart
from sm_cli.asl.outline import StateAt, outline
from sm_cli.asl.resources import BUILT_IN, Resource, function_name, parse_resource, serving, workflow_name
from sm_cli.jsonvalue import Json, is_number

#: How long a function may run whose tasks have no TimeoutSeconds, and at most: Lambda's limit. Seconds.
_USUAL_TIMEOUT, _LONGEST_TIMEOUT = 60, 900
_PLACEHOLDER = re.compile(r"\$\{\s*([^{}\s]+)\s*\}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_WHOLE = re.compile(r"\$\{[^{}]+\}|%[A-Za-z]\w*%|__[A-Za-z]\w*__")
#: AWS's own facts, as templates call them.
_FACTS: dict[str, TextPart] = {
    "AWS::Partition": TextPart("partition"), "AWS::Region": TextPart("region"), "AWS::AccountId": TextPart("account"),
}  # fmt: skip
#: Fields of numbers, in which a text that is put in stays a text.
_NUMBERS = re.compile(
    r"(?:Timeout|Heartbeat|Interval|MaxDelay)?Seconds|Max(?:Concurrency|Attempts|Items\w*|InputBytes\w*)|BackoffRate|"
    r"ToleratedFailure\w+"
)


@dataclass(slots=True)
class DefinitionDraft:
    """The definition as it is deployed, and what its placeholders stand for."""

    #: With placeholders.
    definition: dict[str, Json]
    #: By the states, in their order.
    functions: list[DeployedFunction] = field(default_factory=list)
    #: In the order in which the definition names them.
    parameters: list[Parameter] = field(default_factory=list)
    #: Placeholders of AWS's own facts.
    facts: dict[str, TextPart] = field(default_factory=dict)
    #: Sentences about what is not on AWS what it is here, or is still to be done.
    notes: list[str] = field(default_factory=list)


def draft_definition(definition: dict[str, Json], handlers: Mapping[str, str], *, messages: bool) -> DefinitionDraft:
    """The definition with its placeholders. handlers: the names that handlers are registered under, wildcards among
    them, and the name of the file of each, without its ending. messages: whether a Message becomes a task."""
    writer = _Writer(DefinitionDraft(deepcopy(definition)), handlers)
    draft = writer.draft
    for machine in outline(draft.definition):
        for state in machine.states.values():
            if state.type == "Task" and (text := state.text("Resource")) is not None:
                writer.task(state, parse_resource(text))
            draft.notes += _numbers_as_text(state)
    value, losses = without_extensions(draft.definition, writer.arn_of_message, messages=messages)
    draft.notes += [loss.message for loss in losses]
    draft.definition = {key: writer.rename(member) for key, member in value.items()} if isinstance(value, dict) else {}
    return draft


def _numbers_as_text(state: StateAt) -> Iterator[str]:
    """A sentence for each number that is a placeholder: what is put in stays a text."""
    for value in (state.value, *(retrier for _, retrier in state.items("Retry"))):
        for name, member in value.items():
            if isinstance(member, str) and _NUMBERS.fullmatch(name) and _PLACEHOLDER.fullmatch(member):
                yield f"{state.name}: {name} is {member}, and a template puts texts in, no numbers: give its value now"


class _Writer:
    """Puts the placeholders into a draft."""

    def __init__(self, draft: DefinitionDraft, handlers: Mapping[str, str]) -> None:
        self.draft = draft
        self.handlers = handlers
        #: By what is called and whether it gets a token: the function's place among those of the draft.
        self._functions: dict[tuple[str, bool], int] = {}
        #: Placeholders without a handler, by what is called.
        self._missing: dict[str, str] = {}
        #: What each parameter is, by its name, where that is not only the value of a placeholder.
        self._descriptions: dict[str, str] = {}
        self._ids: set[str] = set()
        self._entries: dict[str, set[str]] = {}
        self._placeholders: set[str] = set()
        #: From a placeholder's name, as the definition has it, to the name that it is deployed with.
        self._names: dict[str, str] = {}

    def task(self, state: StateAt, resource: Resource) -> None:
        """Let a Task call the function that stands for its handler."""
        if resource.kind == "invoke":
            self._invoke(state)
        elif resource.kind == "lambda":
            is_short = ":lambda:::" in resource.text
            if is_short or serving(resource.handler, self.handlers) is not None:
                state.value["Resource"] = self._arn(state, resource.handler, gets_token=False)
        elif resource.kind == "handler" and not resource.text.startswith("arn:") and resource.handler not in BUILT_IN:
            self._handler(state, resource)
        elif resource.starts_execution or resource.sfn_action in ("startExecution", "startSyncExecution"):
            self._start(state)

    def _handler(self, state: StateAt, resource: Resource) -> None:
        gets_token = resource.pattern == "waitForTaskToken"
        arn = self._arn(state, resource.handler, gets_token=gets_token, text=resource.text.removesuffix(
            f".{resource.pattern}" if resource.pattern else ""))  # fmt: skip
        if gets_token:
            invoke_with_token(state, arn)
            return
        if resource.pattern:
            self.draft.notes.append(
                f"{state.name}: a Lambda function returns at once, so .{resource.pattern} of {resource.text} is gone"
            )
        state.value["Resource"] = arn

    def _invoke(self, state: StateAt) -> None:
        """The FunctionName of lambda:invoke, where it is constant and a handler serves it."""
        arguments = _arguments(state)
        name = None if arguments is None else arguments.get("FunctionName")
        if arguments is None or not isinstance(name, str) or name.startswith("{%"):
            return
        handler = function_name(name)
        if serving(handler, self.handlers) is not None:
            arguments["FunctionName"] = self._arn(state, handler, gets_token=False, text=name)

    def _start(self, state: StateAt) -> None:
        """The workflow that a Task starts: AWS wants its ARN."""
        arguments = _arguments(state)
        name = None if arguments is None else arguments.get("StateMachineArn")
        if arguments is None or not isinstance(name, str) or name.startswith(("arn:", "${", "{%")):
            return
        placeholder = self._missing.get(f"workflow {name}")
        if placeholder is None:
            placeholder = unique(f"{capitals(workflow_name(name), 'Workflow')}StateMachineArn", self._placeholders)
            self._missing[f"workflow {name}"] = self._names[placeholder] = placeholder
            self._descriptions[placeholder] = f"The ARN of the state machine of the workflow {workflow_name(name)}"
        arguments["StateMachineArn"] = f"${{{placeholder}}}"

    def arn_of_message(self, name: str) -> str:
        """What stands for the function that hands out the token of a Message: nobody has written it yet."""
        return f"${{{self._missing_function(name, f'The ARN of the function that gets the token of {name}')}}}"

    def _arn(self, state: StateAt, name: str, *, gets_token: bool, text: str = "") -> str:
        """The placeholder of the function that is called by this name. text: how the definition calls it."""
        handler = serving(name, self.handlers)
        own = text.strip("${}%_ ") if _WHOLE.fullmatch(text) else None
        if handler is not None:
            return f"${{{self._function(state, name, self.handlers[handler], own, gets_token=gets_token)}}}"
        if own is not None:
            return f"${{{own}}}"
        if name not in self._missing:
            self.draft.notes.append(f"no handler serves {name!r}, so the ARN of its function is a parameter")
        return f"${{{self._missing_function(name, f'The ARN of the Lambda function that serves {name}')}}}"

    def _missing_function(self, name: str, description: str) -> str:
        if name not in self._missing:
            placeholder = unique(f"{function_id(name)}FunctionArn", self._placeholders)
            self._missing[name] = self._names[placeholder] = placeholder
            self._descriptions[placeholder] = description
        return self._missing[name]

    def _function(self, state: StateAt, name: str, module: str, own: str | None, *, gets_token: bool) -> str:
        """The placeholder of a function of ours. own: the one that the definition has already."""
        key = (name, gets_token)
        if key not in self._functions:
            id = unique(function_id(name) + ("Callback" if gets_token else ""), self._ids)
            placeholder = unique(f"{id}FunctionArn" if own is None else _letters(own), self._placeholders)
            entry = unique(snake(id), self._entries.setdefault(module, set()))
            self._functions[key] = len(self.draft.functions)
            self._names[placeholder] = placeholder
            self.draft.functions.append(DeployedFunction(id, name, placeholder, module, entry, gets_token, 0))
        at = self._functions[key]
        function = self.draft.functions[at]
        seconds = _USUAL_TIMEOUT if gets_token else self._seconds(state)
        self.draft.functions[at] = replace(function, timeout=max(function.timeout, seconds))
        return function.placeholder

    def _seconds(self, state: StateAt) -> int:
        """How long the function of a task may run."""
        seconds = state.value.get("TimeoutSeconds")
        if not is_number(seconds):
            return _USUAL_TIMEOUT
        if seconds > _LONGEST_TIMEOUT:
            self.draft.notes.append(
                f"{state.name}: its task may take {seconds} seconds; Lambda ends a function after {_LONGEST_TIMEOUT}"
            )
        return max(1, min(int(seconds), _LONGEST_TIMEOUT))

    def rename(self, value: Json) -> Json:
        """A copy in which all placeholders have names that every tool takes."""
        if isinstance(value, dict):
            return {self._renamed_text(key): self.rename(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.rename(item) for item in value]
        return self._renamed_text(value) if isinstance(value, str) else value

    def _renamed_text(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: f"${{{self._name(match[1])}}}", text) if "${" in text else text

    def _name(self, name: str) -> str:
        if name not in self._names:
            self._names[name] = unique(_letters(name), self._placeholders)
        own = self._names[name]
        if name in _FACTS:
            self.draft.facts[own] = _FACTS[name]
        elif own not in {each.name for each in self.draft.parameters} | {f.placeholder for f in self.draft.functions}:
            description = self._descriptions.get(own, f"What stands for {name} in the definition")
            self.draft.parameters.append(Parameter(own, description))
        return own


def _letters(name: str) -> str:
    """A placeholder's name as every tool takes it: that of letters and digits as it is."""
    return name if _PLAIN.fullmatch(name) else capitals(name, "Value")


def _arguments(state: StateAt) -> dict[str, Json] | None:
    """What a Task gives to a service, as it stands in the state; None where that is no object."""
    value = state.value.get("Arguments" if state.language == "JSONata" else "Parameters")
    return value if isinstance(value, dict) else None
