"""What is exported, whatever the format: the definition with its placeholders, functions, parameters, permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from sm_cli.jsonvalue import Json

#: The type of a state machine on AWS.
MachineType: TypeAlias = Literal["STANDARD", "EXPRESS"]
#: How much AWS logs of executions.
LogLevel: TypeAlias = Literal["ALL", "ERROR", "FATAL"]


class TextPart(NamedTuple):
    """A piece of a text that every tool writes in its own way."""

    #: "text": as it stands; "function": the ARN of one of ours; "parameter": what is given at deployment; "machine":
    #: the name of the state machine; the others are AWS's own facts.
    kind: Literal["text", "function", "parameter", "machine", "partition", "region", "account"]
    #: The text, the id of the function, the name of the parameter; "" for the others.
    value: str = ""


#: A text in pieces, such as an ARN.
Text: TypeAlias = tuple[TextPart, ...]


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A Lambda function that a local handler becomes."""

    #: In capitals and unique, such as ProcessOrder.
    id: str
    #: What the handler is called for: `process:order`.
    resource: str
    #: The name between `${` and `}` in the definition that its ARN takes the place of.
    placeholder: str
    #: The name of the handler's file, without its ending.
    module: str
    #: The Python name of its entry in the wrapper, unique in it.
    entry: str
    #: Whether what it gets is `{"input": …, "taskToken": …}`: the task waits for a callback.
    gets_token: bool
    #: How long it may run, in seconds.
    timeout: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is given when the template is deployed."""

    #: Letters and digits; the name of the placeholder in the definition.
    name: str
    #: One sentence without its full stop.
    description: str


@dataclass(frozen=True, slots=True)
class PolicyStatement:
    """What the state machine's role allows."""

    #: IAM's actions, such as sqs:SendMessage.
    actions: tuple[str, ...]
    #: ARNs; a single "*" where IAM knows no smaller one.
    resources: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """All that a template says of a workflow."""

    #: The workflow's name, as it is here.
    name: str
    #: The same in capitals, such as Order: the beginning of logical ids.
    id: str
    #: What the state machine is called: letters, digits, dashes and underscores.
    machine_name: str
    #: STANDARD or EXPRESS.
    type: MachineType
    #: None: nothing is logged.
    log_level: LogLevel | None
    #: One line about the workflow; "" without one.
    description: str
    #: In which functions and parameters are placeholders `${Name}`.
    definition: dict[str, Json]
    #: By the states, in their order.
    functions: tuple[DeployedFunction, ...]
    #: In the order in which the definition names them.
    parameters: tuple[Parameter, ...]
    #: Placeholders of AWS's own facts, such as AwsRegion, and which fact each is.
    facts: dict[str, TextPart]
    #: Besides the functions' invocation: what the definition shows that is needed.
    statements: tuple[PolicyStatement, ...]
    #: Sentences about what is still to be done, or is not on AWS what it is here.
    notes: tuple[str, ...]

    @property
    def substitutions(self) -> dict[str, TextPart]:
        """What takes the place of each `${Name}` of the definition."""
        functions = {each.placeholder: TextPart("function", each.id) for each in self.functions}
        return {**functions, **self.facts, **{each.name: TextPart("parameter", each.name) for each in self.parameters}}

    @property
    def invocations(self) -> tuple[Text, ...]:
        """The ARNs of our functions."""
        return tuple((TextPart("function", each.id),) for each in self.functions)

    @property
    def modules(self) -> dict[str, list[DeployedFunction]]:
        """The functions by their handler's file."""
        modules: dict[str, list[DeployedFunction]] = {}
        for each in self.functions:
            modules.setdefault(each.module, []).append(each)
        return modules

    def function(self, id: str) -> DeployedFunction:
        """The function with this id."""
        return next(each for each in self.functions if each.id == id)


def plain_text(value: str) -> Text:
    """A text without pieces of other kinds."""
    return (TextPart("text", value),)
