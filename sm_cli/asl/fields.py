"""Every field of the language in one table: where it stands, in which query language, and what it holds.

What a field may be is said here and nowhere else; the JSON Schemas, the sentences about wrong values
and the rules that read paths and templates are all made from this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sm_cli.jsonvalue import Json

Language = Literal["JSONPath", "JSONata"]
LANGUAGES: tuple[Language, Language] = ("JSONPath", "JSONata")
#: How the text of a value is read on by the rules.
Syntax = Literal[
    "", "text", "state", "path", "reference", "number path", "place", "value", "template", "static", "timestamp",
    "expression",
]  # fmt: skip

MOST_SECONDS = 99_999_999
#: What 64 bits hold: AWS bounds most counts by nothing else.
MOST_COUNT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field holds: `wants` ends the sentence "Field must be …", `schema` is its JSON Schema.

    `holds` names the shape of the object, or of the items of the array, that stands there; `expression`
    says that a JSONata state may write `{% … %}` instead; `syntax` says how the rules read it on.
    """

    wants: str
    schema: Mapping[str, Json]
    holds: str = ""
    expression: bool = False
    syntax: Syntax = ""


def whole(low: int, high: int = MOST_SECONDS, *, expression: bool = False) -> Kind:
    """A whole number in these bounds."""
    words = f"a whole number from {low} to {high}"
    schema: dict[str, Json] = {"type": "integer", "minimum": low, "maximum": high}
    return Kind(words, schema, expression=expression, syntax="expression" if expression else "")


def whole_in_64_bits() -> Kind:
    """How many of something at most, or a JSONata expression for it: a whole number, of which 0 says that there is no
    limit."""
    schema: dict[str, Json] = {"type": "integer", "minimum": 0, "maximum": MOST_COUNT}
    return Kind("a whole number of at least 0 in 64 bits", schema, expression=True, syntax="expression")


def one_of(*words: str) -> Kind:
    """One of these words."""
    choices = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else f'"{words[0]}"'
    return Kind(choices, {"enum": list(words)})


def object_of(shape: str, wants: str = "an object", *, expression: bool = False) -> Kind:
    """An object whose fields are those of `shape`. wants: what a message says that it must be."""
    return Kind(wants, {"type": "object"}, holds=shape, expression=expression)


def array_of(shape: str, wants: str, least: int = 0) -> Kind:
    """An array of objects whose fields are those of `shape`, at least so many."""
    schema: dict[str, Json] = {"type": "array", "items": {"type": "object"}}
    return Kind(wants, {**schema, "minItems": least} if least else schema, holds=shape)


STATE_TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map", "Message")

TEXT = Kind("text", {"type": "string"}, syntax="text")
#: Text that a JSONata state may compute.
MESSAGE_TEXT = Kind("text", {"type": "string"}, expression=True, syntax="text")
CONSTANT_TEXT = Kind("text", {"type": "string"})
BOOLEAN = Kind("true or false", {"type": "boolean"})
STATE = Kind("the name of a state", {"type": "string"}, syntax="state")
TYPE = one_of(*STATE_TYPES)
PATH = Kind("a path or null", {"type": ["string", "null"]}, syntax="path")
OPERAND_PATH = Kind("a path", {"type": "string"}, syntax="path")
REFERENCE = Kind("a reference path", {"type": "string"}, syntax="reference")
#: Leads to a number of a Map's: AWS lets it read the state's input and the variables, not the context object.
NUMBER_PATH = Kind("a reference path into the input", {"type": "string"}, syntax="number path")
PLACE = Kind("a reference path or null", {"type": ["string", "null"]}, syntax="place")
VALUE = Kind("a path or an intrinsic function call", {"type": "string"}, syntax="value")
TEMPLATE = Kind("any JSON value", {}, syntax="template")
OBJECT_TEMPLATE = Kind("an object", {"type": "object"}, syntax="template")
SELECTOR = Kind("an object", {"type": "object"}, syntax="template", expression=True)
STATIC = Kind("any JSON value", {}, syntax="static")
TIMESTAMP = Kind("a timestamp", {"type": "string"}, syntax="timestamp", expression=True)
TIME_OPERAND = Kind("a timestamp", {"type": "string"}, syntax="timestamp")
NUMBER = Kind("a number", {"type": "number"})
CONDITION = Kind("true, false or a {% … %} expression", {"type": "boolean"}, expression=True, syntax="expression")
ITEMS = Kind("an array or an object", {"type": ["array", "object"]}, syntax="template", expression=True)
SCALAR = Kind(
    "text, a number, true or false", {"type": ["string", "number", "boolean"]}, expression=True, syntax="expression"
)
ERROR_NAMES = Kind(
    "a list of error names", {"type": "array", "minItems": 1, "items": {"type": "string"}}, syntax="text"
)
NAMES = Kind("a list of names", {"type": "array", "minItems": 1, "items": {"type": "string"}})
RETRIERS = array_of("Retrier", "a list of retriers")
CATCHERS = array_of("Catcher", "a list of catchers")
PERCENTAGE = Kind(
    "a number from 0 to 100",
    {"type": "number", "minimum": 0, "maximum": 100},
    expression=True,
    syntax="expression",
)
LABEL = Kind("text of 1 to 40 characters", {"type": "string", "minLength": 1, "maxLength": 40}, syntax="text")


@dataclass(frozen=True, slots=True)
class Row:
    """One field: its name, the shapes (state types and other objects) that have it, its kind, and the query
    languages that know it."""

    field: str
    #: Which state types and other objects have it.
    shapes: tuple[str, ...]
    #: What it holds.
    kind: Kind
    #: Which query language knows it.
    language: Literal["both", "JSONPath", "JSONata"] = "both"


def _rows(text: str, rows: Iterable[tuple[str, str, Kind]]) -> list[Row]:
    language: Literal["both", "JSONPath", "JSONata"] = (
        "JSONPath" if text == "JSONPath" else "JSONata" if text == "JSONata" else "both"
    )
    return [Row(field, tuple(shapes.split()), kind, language) for field, shapes, kind in rows]


_STATES = " ".join(STATE_TYPES)
_MACHINES = "Machine Branch Processor"
_DOING = "Task Parallel Map Message"  # the states that can fail and be retried
_MOVING = f"{_DOING} Pass Wait"  # the states that have Next or End
_RULES = "Rule Test Expression"
_EXCEPT_FAIL = f"{_MOVING} Choice Succeed"

#: field · the shapes that have it · what it holds; States Language, the sections that bear the shapes' names.
ROWS: tuple[Row, ...] = (
    *_rows(
        "both",
        (
            ("Comment", f"{_MACHINES} {_STATES} {_RULES} Retrier Catcher", TEXT),
            ("QueryLanguage", f"Machine {_STATES}", one_of(*LANGUAGES)),
            ("StartAt", _MACHINES, STATE),
            ("States", _MACHINES, Kind("an object with at least one state", {"type": "object", "minProperties": 1})),
            ("Version", "Machine", Kind('"1.0"', {"enum": ["1.0"]}, syntax="text")),
            ("TimeoutSeconds", "Machine", whole(0)),
            ("Type", _STATES, TYPE),
            ("Next", _MOVING, STATE),
            ("Next", "Rule Expression Catcher", STATE),
            ("End", _MOVING, BOOLEAN),
            ("Retry", _DOING, RETRIERS),
            ("Catch", _DOING, CATCHERS),
            ("Assign", f"{_MOVING} Choice Rule Expression Catcher", OBJECT_TEMPLATE),
            # Task, Message
            ("Resource", "Task", CONSTANT_TEXT),
            ("TimeoutSeconds", "Task Message", whole(1, expression=True)),
            ("HeartbeatSeconds", "Task", whole(1, expression=True)),
            ("Credentials", "Task", Kind("an object", {"type": "object"}, "Credentials", True, "template")),
            ("RoleArn", "Credentials", CONSTANT_TEXT),
            ("CorrelationKey", "Message", Kind("text", {"type": "string", "minLength": 1}, syntax="text")),
            ("CorrelationValue", "Message", SCALAR),
            ("TimeoutPath", "Message", STATE),
            # Wait, Fail, Choice, Parallel
            ("Seconds", "Wait", whole(0, expression=True)),
            ("Timestamp", "Wait", TIMESTAMP),
            ("Error", "Fail", MESSAGE_TEXT),
            ("Cause", "Fail", MESSAGE_TEXT),
            ("Default", "Choice", STATE),
            ("Branches", "Parallel", array_of("Branch", "a list of at least one branch", 1)),
            # Map
            ("ItemProcessor", "Map", object_of("Processor")),
            ("Iterator", "Map", object_of("Processor")),
            ("ItemSelector", "Map", SELECTOR),
            ("MaxConcurrency", "Map", whole_in_64_bits()),
            ("ToleratedFailureCount", "Map", whole_in_64_bits()),
            ("ToleratedFailurePercentage", "Map", PERCENTAGE),
            ("Label", "Map", LABEL),
            ("ItemReader", "Map", object_of("ItemReader")),
            ("ItemBatcher", "Map", object_of("ItemBatcher")),
            ("ResultWriter", "Map", object_of("ResultWriter")),
            ("ProcessorConfig", "Processor", object_of("ProcessorConfig")),
            ("Mode", "ProcessorConfig", one_of("INLINE", "DISTRIBUTED")),
            ("ExecutionType", "ProcessorConfig", one_of("STANDARD", "EXPRESS")),
            ("Resource", "ItemReader ResultWriter", CONSTANT_TEXT),
            ("ReaderConfig", "ItemReader", object_of("ReaderConfig")),
            ("WriterConfig", "ResultWriter", object_of("WriterConfig")),
            ("InputType", "ReaderConfig", one_of("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")),
            ("CSVHeaderLocation", "ReaderConfig", one_of("FIRST_ROW", "GIVEN")),
            ("CSVDelimiter", "ReaderConfig", one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")),
            ("CSVHeaders", "ReaderConfig", NAMES),
            ("MaxItems", "ReaderConfig", whole(0, 100_000_000, expression=True)),
            ("ItemsPointer", "ReaderConfig", CONSTANT_TEXT),
            ("ManifestType", "ReaderConfig", one_of("ATHENA_DATA", "S3_INVENTORY")),
            ("Transformation", "ReaderConfig", one_of("NONE", "LOAD_AND_FLATTEN")),
            ("Transformation", "WriterConfig", one_of("NONE", "COMPACT", "FLATTEN")),
            ("OutputType", "WriterConfig", one_of("JSON", "JSONL")),
            ("MaxItemsPerBatch", "ItemBatcher", whole_in_64_bits()),
            ("MaxInputBytesPerBatch", "ItemBatcher", whole_in_64_bits()),
            ("BatchInput", "ItemBatcher", TEMPLATE),
            # Retriers and catchers
            ("ErrorEquals", "Retrier Catcher", ERROR_NAMES),
            ("IntervalSeconds", "Retrier", whole(0)),
            ("MaxAttempts", "Retrier", whole(0)),
            ("BackoffRate", "Retrier", Kind("a number of at least 1", {"type": "number", "minimum": 1})),
            ("MaxDelaySeconds", "Retrier", whole(1, 31_622_400)),
            ("JitterStrategy", "Retrier", one_of("FULL", "NONE")),
        ),
    ),
    *_rows(
        "JSONPath",
        (
            ("InputPath", _EXCEPT_FAIL, PATH),
            ("OutputPath", _EXCEPT_FAIL, PATH),
            ("Parameters", "Task Parallel Map Pass", TEMPLATE),
            ("Parameters", "ItemReader ResultWriter", OBJECT_TEMPLATE),
            ("ResultSelector", _DOING, OBJECT_TEMPLATE),
            ("ResultPath", f"{_DOING} Pass Catcher", PLACE),
            ("Result", "Pass", STATIC),
            ("TimeoutSecondsPath", "Task Message", REFERENCE),
            ("HeartbeatSecondsPath", "Task", REFERENCE),
            ("CorrelationValuePath", "Message", VALUE),
            ("MessagePath", "Message", PLACE),
            ("SecondsPath", "Wait", REFERENCE),
            ("TimestampPath", "Wait", REFERENCE),
            ("ErrorPath", "Fail", VALUE),
            ("CausePath", "Fail", VALUE),
            ("ItemsPath", "Map", REFERENCE),
            ("MaxConcurrencyPath", "Map", NUMBER_PATH),
            ("ToleratedFailureCountPath", "Map", NUMBER_PATH),
            ("ToleratedFailurePercentagePath", "Map", NUMBER_PATH),
            ("MaxItemsPath", "ReaderConfig", NUMBER_PATH),
            ("MaxItemsPerBatchPath", "ItemBatcher", NUMBER_PATH),
            ("MaxInputBytesPerBatchPath", "ItemBatcher", NUMBER_PATH),
            ("Choices", "Choice", array_of("Rule", "a list of at least one rule", 1)),
            ("Variable", "Rule Test", OPERAND_PATH),
            ("And", "Rule Test", array_of("Test", "a list of at least one rule", 1)),
            ("Or", "Rule Test", array_of("Test", "a list of at least one rule", 1)),
            ("Not", "Rule Test", object_of("Test")),
            ("StringMatches", "Rule Test", CONSTANT_TEXT),
            *((f"Is{what}", "Rule Test", BOOLEAN) for what in ("Null", "Present", "Numeric", "String")),
            *((f"Is{what}", "Rule Test", BOOLEAN) for what in ("Boolean", "Timestamp")),
            ("BooleanEquals", "Rule Test", BOOLEAN),
            ("BooleanEqualsPath", "Rule Test", OPERAND_PATH),
            *(
                (f"{what}{test}{path}", "Rule Test", OPERAND_PATH if path else kind)
                for what, kind in (("String", CONSTANT_TEXT), ("Numeric", NUMBER), ("Timestamp", TIME_OPERAND))
                for test in ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
                for path in ("", "Path")
            ),
        ),
    ),
    *_rows(
        "JSONata",
        (
            ("Arguments", "Task Parallel", TEMPLATE),
            ("Arguments", "ItemReader ResultWriter", SELECTOR),
            ("Output", f"{_EXCEPT_FAIL} Expression Catcher", TEMPLATE),
            ("Items", "Map", ITEMS),
            ("Choices", "Choice", array_of("Expression", "a list of at least one rule", 1)),
            ("Condition", "Expression", CONDITION),
        ),
    ),
)

#: The comparison operators of a Choice rule.
OPERATORS = frozenset(
    row.field for row in ROWS if row.shapes == ("Rule", "Test") and row.field not in ("Variable", "And", "Or", "Not")
)


@dataclass(frozen=True, slots=True)
class Groups:
    """What the fields of one shape ask of each other."""

    #: Fields that are always there.
    required: tuple[str, ...] = ()
    #: Pairs of fields that exclude each other.
    at_most_one: tuple[tuple[str, str], ...] = ()
    #: One of these at least; with `at_most_one` over the same fields: exactly one.
    at_least_one: tuple[tuple[str, ...], ...] = ()


def _pairs(*fields: str) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for i, a in enumerate(fields) for b in fields[i + 1 :])


_DURATIONS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
_TIMEOUT = ("TimeoutSeconds", "TimeoutSecondsPath")

GROUPS: Mapping[str, Groups] = {
    "Machine": Groups(("StartAt", "States")),
    "Branch": Groups(("StartAt", "States")),
    "Processor": Groups(("StartAt", "States")),
    "Task": Groups(("Type", "Resource"), (_TIMEOUT, ("HeartbeatSeconds", "HeartbeatSecondsPath"))),
    "Message": Groups(
        ("Type", "CorrelationKey"),
        (_TIMEOUT, ("CorrelationValue", "CorrelationValuePath"), ("ResultPath", "MessagePath")),
        (("CorrelationValue", "CorrelationValuePath"),),
    ),
    "Wait": Groups(("Type",), _pairs(*_DURATIONS), (_DURATIONS,)),
    "Fail": Groups(("Type",), (("Error", "ErrorPath"), ("Cause", "CausePath"))),
    "Choice": Groups(("Type", "Choices")),
    "Parallel": Groups(("Type", "Branches")),
    "Map": Groups(
        ("Type",),
        (
            ("ItemProcessor", "Iterator"),
            ("ItemSelector", "Parameters"),
            ("MaxConcurrency", "MaxConcurrencyPath"),
            ("ToleratedFailureCount", "ToleratedFailureCountPath"),
            ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
        ),
        (("ItemProcessor", "Iterator"),),
    ),
    "Pass": Groups(("Type",)),
    "Succeed": Groups(("Type",)),
    "Retrier": Groups(("ErrorEquals",)),
    "Catcher": Groups(("ErrorEquals", "Next")),
    "Rule": Groups(("Next",)),
    "Expression": Groups(("Condition", "Next")),
    "Credentials": Groups((), (), (("RoleArn", "RoleArn.$"),)),
    "ItemReader": Groups(("Resource",)),
    "ReaderConfig": Groups((), (("MaxItems", "MaxItemsPath"),)),
    "ItemBatcher": Groups(
        (),
        (("MaxItemsPerBatch", "MaxItemsPerBatchPath"), ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")),
        (("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),),
    ),
    "ResultWriter": Groups((), (), (("Resource", "WriterConfig"),)),
    "WriterConfig": Groups(("OutputType", "Transformation")),
}

#: Shapes whose further members are the user's own.
OPEN_SHAPES = frozenset({"Credentials"})

#: What a JSONata state has in place of a JSONPath state's field.
SUCCESSORS: Mapping[str, str] = {
    "InputPath": "Arguments",
    "Parameters": "Arguments",
    "ResultSelector": "Output",
    "ResultPath": "Output",
    "OutputPath": "Output",
    "Result": "Output",
    "ItemsPath": "Items",
    "And": "Condition",
    "Or": "Condition",
    "Not": "Condition",
    "Variable": "Condition",
    "MessagePath": "Output",
    **{
        row.field: row.field.removesuffix("Path")
        for row in ROWS
        if row.kind in (REFERENCE, NUMBER_PATH, VALUE) and row.field != "ItemsPath"
    },
}


def language_of(value: Mapping[str, object], around: Language) -> Language:
    """The query language of a definition, or of a state in one: its own QueryLanguage, else the one around it (JSONPath
    round a definition, the definition's own round every state, however deep it stands: neither the state that holds a
    branch or a processor hands its language on to what is in there, nor has such a machine one).

    As on AWS only the word JSONPath means JSONPath: what is misspelt was meant to be something else.
    """
    language = value.get("QueryLanguage", around)
    if isinstance(language, str) and ("${" in language or language[:1] in ("%", "_")):
        return around  # another tool says it
    return "JSONPath" if language == "JSONPath" else "JSONata"


@lru_cache(maxsize=256)
def fields_of(shape: str, language: Language) -> Mapping[str, Kind]:
    """The fields that a shape has in a query language, in the table's order."""
    return {row.field: row.kind for row in ROWS if shape in row.shapes and row.language in ("both", language)}


@lru_cache(maxsize=512)
def state_types_with(field: str) -> tuple[str, ...]:
    """The state types that have a field of this name."""
    shapes = {shape for row in ROWS if row.field == field for shape in row.shapes}
    return tuple(name for name in STATE_TYPES if name in shapes)
