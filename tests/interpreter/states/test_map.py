"""Map, inline: items, selectors and thresholds, as paths and as expressions."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import Child, Fork, StartTimer, TimerKind
from sm_cli.interpreter.env import Probe
from sm_cli.interpreter.events import BackoffElapsed, Entered, Joined, JoinFailed
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import INNER, details, enter, env, failure, follow, frame, only, program, types

JSONATA = {"QueryLanguage": "JSONata"}
INPUT: Json = {"items": ["x", "y"], "n": 3, "text": "3", "object": {"k": 1, "l": 2}, "none": None}
#: A processor that may read its item in the context object.
READS = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}, "End": True}}}


def mapped(**fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": INNER, "End": True, **fields}


def children(**fields: Any) -> list[Child]:
    return only(enter(mapped(**fields), INPUT)[1], Fork).children


@pytest.mark.parametrize(
    ("fields", "inputs"),
    [
        ({"ItemsPath": "$.items"}, ["x", "y"]),
        ({"ItemsPath": "$.object"}, [{"Key": "k", "Value": 1}, {"Key": "l", "Value": 2}]),
        ({"InputPath": "$.items"}, ["x", "y"]),
        ({"ItemsPath": "$$.Execution.Input.items"}, [10, 20]),
        ({**JSONATA, "Items": [7, "{% $states.input.n %}"]}, [7, 3]),
        ({**JSONATA, "Items": "{% $states.input.object %}"}, [{"Key": "k", "Value": 1}, {"Key": "l", "Value": 2}]),
        ({**JSONATA, "Items": "{% [] %}"}, []),
        ({**JSONATA, "Items": {"k": "{% $states.input.n %}"}}, [{"Key": "k", "Value": 3}]),
    ],
)
def test_items_are_a_list_or_the_members_of_an_object(fields: dict[str, Any], inputs: list[Json]) -> None:
    made = children(**fields)
    assert [child.input for child in made] == inputs
    assert [(child.index, child.machine) for child in made] == [
        (i, "/States/S/ItemProcessor") for i in range(len(inputs))
    ]


def test_in_jsonata_without_items_the_input_is_iterated() -> None:
    _, step = enter(mapped(**JSONATA), [1, 2])
    assert [child.input for child in only(step, Fork).children] == [1, 2]


@pytest.mark.parametrize("field", ["ItemSelector", "Parameters"])
def test_a_selector_makes_the_input_of_each_child(field: str) -> None:
    selector = {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "n.$": "$.n", "state.$": "$$.State.Name"}
    made = children(ItemsPath="$.items", **{field: selector})
    assert [child.input for child in made] == [
        {"item": "x", "at": 0, "n": 3, "state": "S"}, {"item": "y", "at": 1, "n": 3, "state": "S"},
    ]  # fmt: skip


def test_a_selector_in_jsonata_sees_the_context_with_its_item() -> None:
    selector = {"item": "{% $states.context.Map.Item.Value & '!' %}", "n": "{% $states.input.n %}"}
    made = children(**JSONATA, Items="{% $states.input.items %}", ItemSelector=selector)
    assert [child.input for child in made] == [{"item": "x!", "n": 3}, {"item": "y!", "n": 3}]


def test_a_selector_over_an_object_sees_key_and_value() -> None:
    selector = {"key.$": "$$.Map.Item.Key", "value.$": "$$.Map.Item.Value"}
    made = children(ItemsPath="$.object", ItemSelector=selector)
    assert [child.input for child in made] == [{"key": "k", "value": 1}, {"key": "l", "value": 2}]


@pytest.mark.parametrize(
    ("fields", "items"),
    [
        ({}, [None, None]),
        ({"ItemProcessor": READS}, [{"Index": 0, "Value": "x"}, {"Index": 1, "Value": "y"}]),
        (
            {"ItemProcessor": READS, "ItemSelector": {"c": 1}},
            [{"Index": 0, "Value": "x"}, {"Index": 1, "Value": "y"}],
        ),
        ({"ItemSelector": {"c": 1}}, [None, None]),
    ],
)
def test_an_item_is_kept_only_for_a_processor_that_may_ask_for_it(fields: dict[str, Any], items: list[Json]) -> None:
    assert [child.item for child in children(ItemsPath="$.items", **fields)] == items


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, 0),
        ({"MaxConcurrency": 0}, 0),
        ({"MaxConcurrency": 2}, 2),
        ({"MaxConcurrencyPath": "$.n"}, 3),
        ({"MaxConcurrencyPath": "$.text"}, 3),
        ({**JSONATA, "Items": [1], "MaxConcurrency": "{% $states.input.n + 1 %}"}, 4),
        ({**JSONATA, "Items": [1], "MaxConcurrency": "{% $states.input.n * 1.0 %}"}, 3),
    ],
)
def test_how_many_children_run_at_once(fields: dict[str, Any], limit: int) -> None:
    state = mapped(**({} if "Items" in fields else {"ItemsPath": "$.items"}), **fields)
    assert only(enter(state, INPUT)[1], Fork).join.limit == limit


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, 0),
        ({"ToleratedFailureCount": 1}, 1),
        ({"ToleratedFailureCountPath": "$.n"}, 3),
        ({"ToleratedFailurePercentage": 50}, 1),
        ({"ToleratedFailurePercentage": 49.9}, 0),
        ({"ToleratedFailurePercentage": 100, "ToleratedFailureCount": 1}, 1),
        ({"ToleratedFailurePercentagePath": "$.text"}, 0),
    ],
)
def test_how_many_items_may_fail(fields: dict[str, Any], allowed: int) -> None:
    step = enter(mapped(ItemsPath="$.items", **fields), INPUT)[1]
    assert only(step, Fork).join.tolerated == allowed


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"ItemsPath": "$.missing"}, "States.Runtime", "Invalid path '$.missing'"),
        ({"ItemsPath": "$.n"}, "States.Runtime", 'Reference path "$.n" must point to array.'),
        ({"ItemsPath": "$$.Map"}, "States.Runtime", "Invalid path '$$.Map'"),
        ({"ItemsPath": "$$.Execution.Input"}, "States.Runtime", '"$.Execution.Input" must point to array.'),
        ({"InputPath": "$.n"}, "States.Runtime", 'Reference path "$" must point to array.'),
        ({"ItemsPath": "$.items", "MaxConcurrencyPath": "$.missing"}, "States.Runtime", "Invalid path '$.missing'"),
        (
            {"ItemsPath": "$.items", "MaxConcurrencyPath": "$.none"},
            "States.Runtime",
            'The MaxConcurrencyPath field refers to value "null" which is not a valid integer: $.none',
        ),
        ({"ItemsPath": "$.items", "ToleratedFailureCount": -1}, "States.Runtime", "ToleratedFailureCount cannot be"),
        (
            {"ItemsPath": "$.items", "ToleratedFailurePercentage": 100.5},
            "States.Runtime",
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
        (
            {"ItemsPath": "$.items", "ToleratedFailurePercentage": -1},
            "States.Runtime",
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
        ({**JSONATA, "Items": "{% 7 %}"}, "States.QueryEvaluationError", "Expected 'array', but was 'number'"),
        ({**JSONATA, "MaxConcurrency": "{% 'x' %}", "Items": [1]}, "States.QueryEvaluationError", "MaxConcurrency"),
    ],
)
def test_what_a_map_cannot_work_with_fails_it(fields: dict[str, Any], error: str, says: str) -> None:
    found, cause = failure(enter(mapped(**fields), INPUT)[1])
    assert found == error
    assert cause is not None and says in cause


def test_in_jsonata_an_input_that_is_no_list_fails_the_map() -> None:
    _, step = enter(mapped(**JSONATA), 7)
    error, cause = failure(step)
    assert error == "States.QueryEvaluationError"
    assert cause is not None and cause.endswith("Map state input must be an array but was: 7")
    assert types(step) == ["MapStateEntered", "EvaluationFailed", "MapStateFailed"]


@pytest.mark.parametrize("given", ["2.5", "0.5", "1e300", "-0.5", "9223372036854775808"])
def test_a_count_that_is_not_whole_or_does_not_fit_is_not_rounded(given: str) -> None:
    error, cause = failure(enter(mapped(**JSONATA, Items=[1], MaxConcurrency=f"{{% {given} %}}"), {})[1])
    assert error == "States.QueryEvaluationError"
    assert cause is not None and "The MaxConcurrency field must be an integer but was: " in cause


@pytest.mark.parametrize("given", ["1_0", " 2 ", "٣", "0x10", "", "2.0", "99999999999999999999", 2**63, 2.0, [1]])
def test_text_is_a_count_only_as_json_writes_one(given: Json) -> None:
    error, cause = failure(enter(mapped(ItemsPath="$.i", MaxConcurrencyPath="$.n"), {"i": [], "n": given})[1])
    assert error == "States.Runtime"
    assert cause is not None and cause.endswith("which is not a valid integer: $.n")


def test_the_state_s_history_begins_with_how_many_items_there_are() -> None:
    _, step = enter(mapped(ItemsPath="$.items"), INPUT)
    assert types(step) == ["MapStateEntered", "MapStateStarted"]
    assert details(step, "MapStateStarted") == {"length": 2}


def test_a_join_leaves_the_state_after_the_last_event_of_its_children() -> None:
    compiled, step = enter(mapped(ItemsPath="$.items", ResultSelector={"all.$": "$"}), INPUT)
    step = follow(compiled, step, Joined(step.frame.seq, [1, 2], 30))
    assert step.frame.output == {"all": [1, 2]}
    assert [(record.type, record.previous) for record in step.records] == [
        ("MapStateSucceeded", 30), ("MapStateExited", 30),
    ]  # fmt: skip


def test_a_retry_forks_again_and_a_used_up_one_leaves_the_error_to_a_catcher() -> None:
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 4, "MaxAttempts": 1}]
    state = mapped(ItemsPath="$.items", Retry=retry, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}])
    compiled, step = enter(state, INPUT)
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 9))
    assert only(step, StartTimer) == StartTimer(TimerKind.BACKOFF, 4_000_000)
    assert types(step) == []
    step = follow(compiled, step, BackoffElapsed(step.frame.seq))
    assert len(only(step, Fork).children) == 2
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 19))
    assert step.frame.output == {"Error": "Boom", "Cause": "why"}
    assert types(step)[:2] == ["MapStateFailed", "MapStateExited"]


def test_a_runtime_error_of_an_iteration_ends_the_map_at_once() -> None:
    compiled, step = enter(mapped(ItemsPath="$.items", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}]), INPUT)
    step = follow(compiled, step, JoinFailed(step.frame.seq, "States.Runtime", "c", 9))
    assert (failure(step), types(step)) == (("States.Runtime", "c"), [])


def test_a_probe_gives_the_items_and_is_told_what_becomes_of_them() -> None:
    state = mapped(
        ItemsPath="$.nowhere", ItemSelector={"v.$": "$$.Map.Item.Value"}, MaxConcurrency=2,
        ToleratedFailureCount=1, ToleratedFailurePercentage=50,
    )  # fmt: skip
    probe = Probe(items=["p", "q"])
    step = advance(program(state), frame(INPUT), Entered(0), env(probe=probe))
    assert [child.input for child in only(step, Fork).children] == [{"v": "p"}, {"v": "q"}]
    assert probe.stages == {
        "afterInputPath": INPUT, "maxConcurrency": 2, "toleratedFailureCount": 1, "toleratedFailurePercentage": 50.0,
        "afterItemSelector": [{"v": "p"}, {"v": "q"}],
    }  # fmt: skip


def test_a_probe_without_items_is_told_those_that_were_found() -> None:
    probe = Probe()
    step = advance(program(mapped(ItemsPath="$.items")), frame(INPUT), Entered(0), env(probe=probe))
    assert step.frame.status is FrameStatus.BLOCKED
    assert probe.stages["afterItemsPath"] == ["x", "y"]
    assert "afterItemSelector" not in probe.stages


def test_a_selector_whose_values_grow_beyond_what_may_be_written_fails_the_map() -> None:
    state = mapped(ItemsPath="$.items", ItemSelector={"all.$": "$"})
    step = advance(program(state), frame({"items": [1], "x": "y" * 99}), Entered(0), env(max_payload=100))
    assert failure(step)[0] == "States.DataLimitExceeded"
