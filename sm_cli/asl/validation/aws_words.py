"""What AWS says of a problem that our rules have found: its sentence, and the place that it points at.

The sentences are those that ValidateStateMachineDefinition and CreateStateMachine have been seen to give; of what they
have not been seen to say our own sentence stands. Objects are pointed at for fields that are missing, too many or
unknown, fields for the values in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sm_cli.asl.fields import OPERATORS, ROWS
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, aws_code
from sm_cli.jsonpointer import tokens

#: The state types of AWS, in the order in which it lists them.
TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign", "BatchInput", "Credentials")
#: Fields whose value says what other fields there are: AWS has another sentence for them.
_DECISIVE = ("Type", "InputType")
#: Words in the order in which AWS lists them, where it is not ours.
_LISTS = {
    "Type": ", ".join(TYPES),
    "InputType": "MANIFEST, JSON, CSV, JSONL, PARQUET",
    "JitterStrategy": "NONE, FULL",
}
#: What a Wait waits for, in the order in which AWS lists it.
_WAITS = "SecondsPath, Seconds, TimestampPath, Timestamp"
#: Pairs of which there must be one, and of which AWS says so.
_PAIRS = ("ItemProcessor, Iterator", _WAITS)
_SELECTORS = "And, Or, Not, Variable, Condition"
#: The comparisons of a rule. In which order AWS lists them is not known.
_COMPARISONS = ", ".join(dict.fromkeys(row.field for row in ROWS if row.field in OPERATORS))
_NO_REFERENCE = "Value is not a Reference Path"
_READERS = "arn:<partition>:states:::s3:getObject, arn:<partition>:states:::s3:listObjectsV2"

#: (AWS's sentence, the JSON pointer that it points at).
Words = tuple[str, str]


def aws_sentence(code: str, finding: Finding) -> Words:
    """What AWS says of a finding with this code of ours, and where."""
    return _WORDS.get(code, _ours)(finding)


def code_of(code: str, finding: Finding) -> str:
    """What AWS calls it: of a few of our codes it makes several."""
    if code == "SM802":
        return "RESERVED_VARIABLE_NAME" if finding.about == "states" else "INVALID_VARIABLE_NAME"
    if code == "SM104" and _field(finding) == "Label":
        return "INVALID_LABEL_NAME"
    return aws_code(code) or SCHEMA


def express_words(finding: Finding, resource_text: str) -> Words:
    """What AWS says of what an EXPRESS workflow cannot have. resource_text: the Resource of its state, "" for a Map."""
    if _field(finding) == "Mode":
        message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        return message, finding.pointer
    resource = parse_resource(resource_text)
    if resource.kind == "activity":
        return "Express state machine does not support Activity ARN", finding.pointer
    # AWS's own message about tokens ends with a blank.
    pattern, end = ("waitForTaskToken", " ") if resource.pattern == "waitForTaskToken" else ("sync", "")
    return f"Express state machine does not support '.{pattern}' service integration{end}", finding.pointer


def required(names: list[str]) -> str:
    """The sentence about the fields that an object lacks, in the order in which AWS was seen to list them."""
    return f"These fields are required: [{', '.join(sorted(names, reverse=True))}]"


def parent(pointer: str) -> str:
    """The pointer of the object or array that holds a value."""
    return pointer.rpartition("/")[0]


def _ours(finding: Finding) -> Words:
    return finding.message, finding.pointer


def _field(finding: Finding) -> str:
    return tokens(finding.pointer)[-1] if finding.pointer else ""


def _not_supported(finding: Finding) -> Words:
    return f"Field '{_field(finding)}' is not supported", parent(finding.pointer)


def _is_missing(finding: Finding) -> Words:
    return f"The field '{finding.about}' is required but was missing", finding.pointer


# -- values ------------------------------------------------------------------------------------------------------------


def _wrong_type(finding: Finding) -> Words:
    if finding.about.startswith("integer"):
        return "Expected value of type Integer", finding.pointer
    types = ", ".join(each.upper() for each in finding.about.split(", ") if each != "null")
    return (f"Expected value of type [{types}]" if types else finding.message), finding.pointer


def _out_of_bounds(finding: Finding) -> Words:
    field = _field(finding)
    if finding.about == "empty":
        return "Value cannot be empty", finding.pointer
    if finding.about == "string":
        return _wrong_type(finding)
    keyword, _, bound = finding.about.partition(" ")
    if keyword in ("minimum", "maximum"):
        return f"{keyword.capitalize()} value is {bound}", finding.pointer
    if field in _DECISIVE:
        return f"The field '{field}' should have one of these values: [{_LISTS[field]}]", finding.pointer
    if not finding.about or finding.about in ("minLength", "maxLength"):
        return _ours(finding)
    return f"Value should be one of the following: [{_LISTS.get(field, finding.about)}]", finding.pointer


# -- fields beside each other ------------------------------------------------------------------------------------------


def _too_many(finding: Finding) -> Words:
    fields = _WAITS if set(finding.about.split(", ")) <= set(_WAITS.split(", ")) else finding.about
    return f"There should only be one of the following fields: [{fields}]", parent(finding.pointer)


def _none_of_them(finding: Finding) -> Words:
    names = finding.about.split(", ")
    if names[0] == "RoleArn":
        return f"The field '{names[0]}' is required but was missing", finding.pointer
    for fields in _PAIRS:
        if set(names) <= set(fields.split(", ")):
            return f"This object should have only one of the following fields: [{fields}]", finding.pointer
    return _ours(finding)


def _next_or_end(finding: Finding) -> Words:
    if finding.about == "both":
        return "There should only be one of the following fields: [Next, End]", parent(finding.pointer)
    state = parent(finding.pointer) if _field(finding) == "End" else finding.pointer
    return "This object should have only one of the following fields: [Next, End]", state


def _one_test(finding: Finding) -> Words:
    """A rule is pointed at as a whole."""
    rule = finding.pointer if finding.about in ("nothing", "no comparison") else parent(finding.pointer)
    if finding.about == "comparisons":
        return f"There should only be one of the following fields: [{_COMPARISONS}]", rule
    if finding.about == "no comparison":
        return f"This object should have only one of the following fields: [{_COMPARISONS}]", rule
    return f"The object must have only one of the following fields, [{_SELECTORS}]", rule


def _other_language(finding: Finding) -> Words:
    theirs, ours = ("JSONata", "JSONPath") if "belongs to JSONata" in finding.message else ("JSONPath", "JSONata")
    about = f"field '{_field(finding)}' is only supported for the '{theirs}' QueryLanguage"
    return f"The QueryLanguage is set to '{ours}', but {about}", parent(finding.pointer)


def _reader_field(finding: Finding) -> Words:
    if finding.about == "CSVHeaderLocation":
        return _is_missing(finding)
    if finding.about:
        return required([finding.about]), parent(finding.pointer)
    return _not_supported(finding)


def _execution_type(finding: Finding) -> Words:
    return (required([finding.about]), finding.pointer) if finding.about else _not_supported(finding)


# -- paths and resources -----------------------------------------------------------------------------------------------


def _no_path(finding: Finding) -> Words:
    steps = tokens(finding.pointer)
    if "Choices" in steps:
        return f"{_NO_REFERENCE}: Reference path didn't start with '$'", finding.pointer
    return "Value must be a valid JSONPath.", finding.pointer


def _no_template_path(finding: Finding) -> Words:
    """AWS names the leaf of a template and points at the template."""
    steps = finding.pointer.split("/")
    pointer = finding.pointer
    for i, step in enumerate(steps):
        if step in _TEMPLATES and i >= 3:
            pointer = "/".join(steps[: i + 1])
            break
    message = f"The value for the field '{_field(finding)}' must be a valid JSONPath or a valid intrinsic function call"
    return message, pointer


def _not_recognized(finding: Finding) -> Words:
    message = (
        f"The resource provided {finding.about} is not recognized. The value is not a valid resource ARN, "
        "or the resource is not available in this region."
    )
    return message, finding.pointer


def _not_of_s3(finding: Finding) -> Words:
    if tokens(finding.pointer)[-2] != "ItemReader":
        return _ours(finding)
    message = f"The field 'Resource' does not match any of the allowed values. Examples: [{_READERS}]"
    return message, finding.pointer


def _variable_name(finding: Finding) -> Words:
    if finding.about == "states":
        return "Cannot assign to reserved variable '$states'.", finding.pointer
    if len(finding.about) > 80:
        return _ours(finding)
    message = f"Invalid variable name '{finding.about}': the variable name contains invalid characters."
    return message, finding.pointer


def _fixed_sentence(message: str, at_parent: bool = False) -> Callable[[Finding], Words]:
    return lambda finding: (message, parent(finding.pointer) if at_parent else finding.pointer)


def _about(finding: Finding) -> Words:
    return finding.about, finding.pointer


def _with_name(message: str) -> Callable[[Finding], Words]:
    return lambda finding: (f"{message}: {finding.about}", finding.pointer)


_WORDS: Mapping[str, Callable[[Finding], Words]] = {
    "SM101": _not_supported,
    "SM102": _is_missing,
    "SM103": _wrong_type,
    "SM104": _out_of_bounds,
    "SM105": _too_many,
    "SM106": _none_of_them,
    "SM107": _other_language,
    "SM201": _with_name("Duplicate State name"),
    "SM204": _next_or_end,
    "SM301": _no_path,
    **dict.fromkeys(("SM302", "SM303", "SM314"), _fixed_sentence(_NO_REFERENCE)),
    "SM304": _fixed_sentence("Value must be a valid JSONPath."),
    "SM305": _no_template_path,
    **dict.fromkeys(("SM401", "SM402"), _one_test),
    "SM403": _fixed_sentence("String does not match RFC3339 timestamp"),
    **dict.fromkeys(("SM501", "SM502"), _fixed_sentence("States.ALL must appear alone and at end of list")),
    "SM602": _fixed_sentence("Value is not a valid resource ARN"),
    "SM603": _fixed_sentence("Value is not a valid resource ARN"),
    "SM604": _not_recognized,
    "SM712": _execution_type,
    "SM714": _with_name("Duplicate Label name"),
    "SM715": _reader_field,
    "SM716": _not_of_s3,
    "SM801": _fixed_sentence(
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at_parent=True
    ),
    "SM802": _variable_name,
    "SM804": _fixed_sentence("JSONata string must start with {% and end with %}"),
    **dict.fromkeys(("SM810", "SM811", "SM814", "SM816"), _about),
}
