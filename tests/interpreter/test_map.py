"""Map, inline: which children it makes, and what their ends make of it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.interpreter.commands import Close, Fork
from sm_cli.interpreter.events import Joined, JoinFailed
from sm_cli.interpreter.frame import FrameStatus
from sm_cli.interpreter.states.map import Items, as_items, tolerated_failures
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import INNER, enter, follow

MAP: dict[str, Any] = {"Type": "Map", "ItemProcessor": INNER, "End": True}
CONTEXT = {"StartAt": "In", "States": {"In": {"Type": "Pass", "OutputPath": "$$.Map.Item.Index", "End": True}}}


def fork(fields: dict[str, Any], input: Json) -> Fork:
    (command,) = enter({**MAP, **fields}, input)[1].commands
    assert isinstance(command, Fork)
    return command


def test_each_item_is_a_child_in_order() -> None:
    made = fork({}, [10, None, {"a": 1}])
    assert [(child.index, child.input, child.item) for child in made.children] == [
        (0, 10, None), (1, None, None), (2, {"a": 1}, None),
    ]  # fmt: skip
    assert (made.join.total, made.join.limit, made.join.tolerated) == (3, 0, 0)


def test_an_object_is_its_pairs() -> None:
    assert as_items({"a": 1, "b": [2]}) == Items([{"Key": "a", "Value": 1}, {"Key": "b", "Value": [2]}], has_keys=True)
    assert as_items([1]) == Items([1], has_keys=False)
    assert [child.input for child in fork({}, {"a": 1}).children] == [{"Key": "a", "Value": 1}]


def test_the_item_is_kept_for_a_child_that_may_ask_for_it_and_has_a_key_in_an_object() -> None:
    made = fork({"ItemProcessor": CONTEXT}, ["x"])
    assert made.children[0].item == {"Index": 0, "Value": "x"}
    made = fork({"ItemProcessor": CONTEXT}, {"k": "x"})
    assert made.children[0].item == {"Index": 0, "Key": "k", "Value": "x"}


def test_the_item_selector_sees_the_state_s_input_and_the_item() -> None:
    selector = {"all.$": "$.n", "item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index"}
    made = fork({"ItemsPath": "$.items", "ItemSelector": selector}, {"items": ["x", "y"], "n": 7})
    assert [child.input for child in made.children] == [
        {"all": 7, "item": "x", "at": 0}, {"all": 7, "item": "y", "at": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "limit"),
    [({}, 0), ({"MaxConcurrency": 2}, 2), ({"MaxConcurrencyPath": "$.n"}, 3)],
)
def test_how_many_run_at_once(fields: dict[str, Any], limit: int) -> None:
    assert fork({"ItemsPath": "$.items", **fields}, {"items": [1], "n": 3}).join.limit == limit


@pytest.mark.parametrize(
    ("given", "total", "most"),
    [
        ((None, None), 10, 0),
        ((3, None), 10, 3),
        ((None, 25.0), 10, 2),
        ((3, 25.0), 10, 2),
        ((1, 100.0), 10, 1),
        ((None, 100.0), 0, 0),
    ],
)
def test_the_smaller_threshold_counts(given: tuple[int | None, float | None], total: int, most: int) -> None:
    assert tolerated_failures(given, total) == most


def test_the_outputs_are_the_result() -> None:
    compiled, step = enter({**MAP, "ResultPath": "$.out"}, {"Key": 1})
    step = follow(compiled, step, Joined(step.frame.seq, [1, 2], 9))
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, {"Key": 1, "out": [1, 2]})


def test_the_error_of_an_iteration_is_the_map_s_and_may_be_caught() -> None:
    compiled, step = enter(MAP, [1])
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 9))
    (close,) = [command for command in step.commands if isinstance(command, Close)]
    assert (close.error, close.cause) == ("Boom", "why")
    assert [record.type for record in step.records] == ["MapStateFailed"]
    compiled, step = enter({**MAP, "Catch": [{"ErrorEquals": ["Boom"], "Next": "Z"}]}, [1])
    step = follow(compiled, step, JoinFailed(step.frame.seq, "Boom", "why", 9))
    assert (step.frame.status, step.frame.output) == (FrameStatus.SUCCEEDED, {"Error": "Boom", "Cause": "why"})


@pytest.mark.parametrize(
    ("fields", "input", "says"),
    [
        ({}, 5, 'Reference path "$" must point to array.'),
        ({"ItemsPath": "$.a"}, {"a": "x"}, 'Reference path "$.a" must point to array.'),
        ({"ItemsPath": "$$.Execution"}, {}, 'Reference path "$.Execution" must point to array.'),
        ({"ItemsPath": "$.b"}, {"a": []}, "Invalid path '$.b'"),
        ({"ItemsPath": "$.a", "MaxConcurrencyPath": "$.n"}, {"a": [], "n": -1}, "MaxConcurrency cannot be negative."),
    ],
)
def test_what_a_map_cannot_do_fails_it_in_a_sentence(fields: dict[str, Any], input: Json, says: str) -> None:
    (close,) = enter({**MAP, **fields}, input)[1].commands
    assert isinstance(close, Close)
    assert close.error == "States.Runtime"
    assert close.cause is not None and says in close.cause
