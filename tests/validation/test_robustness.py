"""Whatever is written, the validator answers; and what it finds free of errors can be compiled."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sm_cli.asl.compile import compile_program
from sm_cli.asl.fields import ROWS, STATE_TYPES
from sm_cli.asl.validation.validate import check, find_unsupported
from sm_cli.jsonvalue import Json

WORKING: dict[str, Any] = {
    "Comment": "one state of every type",
    "StartAt": "Begin",
    "TimeoutSeconds": 60,
    "States": {
        "Begin": {"Type": "Pass", "Result": {"a": 1}, "ResultPath": "$.begin", "Next": "Do"},
        "Do": {
            "Type": "Task",
            "Resource": "do:it",
            "InputPath": "$.x",
            "Parameters": {"a.$": "$.y", "b": [{"c.$": "States.Format('{}', $.z)"}]},
            "ResultSelector": {"r.$": "$"},
            "ResultPath": "$.result",
            "OutputPath": "$",
            "TimeoutSeconds": 5,
            "HeartbeatSecondsPath": "$.h",
            "Retry": [{"ErrorEquals": ["States.Timeout"], "BackoffRate": 1.5, "JitterStrategy": "FULL"}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
            "Next": "Which",
        },
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.a", "NumericLessThan": 5, "Next": "Pause"},
                {"And": [{"Variable": "$.b", "IsPresent": True}, {"Not": {"Variable": "$.b", "StringMatches": "x*"}}],
                 "Next": "Both"},
                {"Variable": "$.t", "TimestampLessThanEqualsPath": "$.u", "Next": "Each"},
            ],
            "Default": "Hear",
        },
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Done"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "L", "States": {"L": {"Type": "Wait", "TimestampPath": "$.t", "End": True}}},
                {"StartAt": "R", "States": {"R": {"Type": "Succeed"}}},
            ],
            "Next": "Done",
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "MaxConcurrency": 2,
            "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
            "Next": "Done",
        },
        "Hear": {
            "Type": "Message",
            "CorrelationKey": "orderId",
            "CorrelationValuePath": "$.orderId",
            "TimeoutSeconds": 5,
            "TimeoutPath": "Failed",
            "MessagePath": "$.m",
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "Cause": "it failed"},
    },
}  # fmt: skip

NAMES = sorted({row.field for row in ROWS} | {"x", "a.$", "", "~/", "${Name}"})
VALUES: list[Json] = [
    None, True, False, 0, -1, 1, 1.5, 10**8, 2**63, 1e300, "", "x", "Done", "I", "$", "$.a", "$$", "$$.x", "$x",
    "$.a[*]", "$.", "$[", "${x}", "%A%", "{% 1 %}", "{% 1", "States.UUID()", "States.Format('{}')", "States.",
    "JSONata", "JSONPath", "2020-01-01T00:00:00Z", "DISTRIBUTED", "States.ALL", *STATE_TYPES, [], {}, [[]], [{}],
    ["x"], [1], ["States.ALL", "x"],
    {"a.$": 5}, {"a.$": "$.b"}, {"": {}}, {"StartAt": "A", "States": {"A": 5}}, {"Type": "Pass", "End": True},
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """The working definition with one to three values replaced, added or taken away."""
    definition = copy.deepcopy(WORKING)
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = definition
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(holder[key], (dict, list)) and draw(st.integers(0, 4)):
                holder = holder[key]
                continue
            change = draw(st.sampled_from(["replace", "add", "remove"]))
            value = copy.deepcopy(draw(st.sampled_from(VALUES)))
            if change == "remove":
                del holder[key]
            elif change == "add" and isinstance(holder, dict):
                holder[draw(st.sampled_from(NAMES))] = value
            else:
                holder[key] = value
            break
    return definition


def test_the_definition_that_is_damaged_is_right_and_runs() -> None:
    document, found = check(WORKING)
    assert found == []
    assert document is not None
    assert find_unsupported(document) == []
    assert compile_program(document.value).root.start_at == "Begin"


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(damaged())
def test_a_damaged_definition_gets_its_problems_with_places_or_compiles(definition: dict[str, Any]) -> None:
    document, found = check(json.dumps(definition, indent=1))
    assert document is not None
    places = [d.position for d in found]
    assert None not in places
    assert places == sorted(places, key=lambda p: (p.line, p.column) if p else (0, 0))
    assert len({(d.code, d.pointer, d.message) for d in found}) == len(found)
    by_value = check(definition)[1]
    assert sorted((d.code, d.pointer) for d in by_value) == sorted((d.code, d.pointer) for d in found)
    if not any(d.severity == "error" for d in found) and not find_unsupported(document):
        assert compile_program(document.value).root.start_at == definition["StartAt"]


json_values: st.SearchStrategy[Json] = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_no_json_value_makes_it_raise(value: Json) -> None:
    document, found = check(value) if not isinstance(value, str) else check(json.dumps(value))
    assert (document is None) == (not isinstance(value, dict))
    assert found
