"""Data that is nested deeper than can be written down is refused, or fails its state; it never reaches the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import InvalidJson
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import DEEPEST, Json, as_json, is_too_deep, loads_exact
from sm_cli.store.open import open_store
from sm_cli.store.records import Status
from tests.engine.workers import Yard, workflow, yard

DEEP = '{% $reduce([1..300], function($a, $b) { {"a": $a} }) %}'

ITEMS = DEEP.replace("{%", "{% [").replace("%}", "] %}")


def nested(levels: int) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Yard]:
    with yard(open_store(str(tmp_path / "sm.db"))) as made:
        yield made


def test_the_limit_is_counted_in_objects_and_arrays() -> None:
    assert not is_too_deep(nested(DEEPEST))
    assert is_too_deep(nested(DEEPEST + 1))
    assert as_json(nested(DEEPEST)) == (nested(DEEPEST), None)
    assert as_json({"a": [None, "b"]}) == ({"a": [None, "b"]}, None)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 900, 50_000])
def test_text_that_is_deeper_is_refused(levels: int) -> None:
    with pytest.raises(InvalidJson, match="the input is nested more than 200 levels deep"):
        loads_exact("[" * levels + "]" * levels)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 300, 50_000])
def test_a_handler_that_returns_more_fails_its_task(levels: int) -> None:
    _, problem = as_json(nested(levels))
    assert problem == "the value is nested more than 200 levels deep or holds itself"


def jsonata(state: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": {**state, "End": True}}}


PROCESSOR = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a loop that wraps": (
        {
            "StartAt": "Wrap",
            "States": {
                "Wrap": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "Ends"},
                "Ends": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.never", "IsPresent": True, "Next": "End"}],
                    "Default": "Wrap",
                },
                "End": {"Type": "Succeed"},
            },
        },
        "output",
    ),
    "a result at its path": (
        {
            "StartAt": "T",
            "States": {"T": {"Type": "Task", "Resource": "deep", "ResultPath": "$.a.b.c.d", "End": True}},
        },
        "output",
    ),
    "an output": (jsonata({"Type": "Pass", "Output": DEEP}), "output"),
    "a variable": (jsonata({"Type": "Pass", "Assign": {"x": DEEP}}), "value of Assign"),
    "arguments": (jsonata({"Type": "Task", "Resource": "deep", "Arguments": DEEP}), "value of Parameters or Arguments"),
    "items": (
        jsonata({"Type": "Map", "Items": ITEMS, "ItemProcessor": PROCESSOR}),
        "value of Items",
    ),
    "an item": (
        jsonata({"Type": "Map", "Items": [1], "ItemSelector": {"x": DEEP}, "ItemProcessor": PROCESSOR}),
        "value of ItemSelector",
    ),
    "a branch": (
        jsonata({"Type": "Parallel", "Arguments": DEEP, "Branches": [PROCESSOR]}),
        "value of Parameters or Arguments",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_state_that_makes_more_fails_and_its_worker_goes_on(here: Yard, case: str) -> None:
    definition, what = CASES[case]
    execution = here.start(workflow(definition), {})
    loop = here.worker({"deep": Handler("deep", lambda input: nested(DEEPEST - 2))})
    loop.run(lambda: here.now(execution).closed is not None)
    now = here.now(execution)
    assert (now.status, now.error) == (Status.FAILED, "States.Runtime")
    assert (now.cause or "").endswith(f"The {what} is nested more than 200 levels deep.")


def test_what_is_just_within_the_limit_can_be_stored_everywhere(here: Yard) -> None:
    """The most that sm puts around data: a Map's item, in its iteration, in the event of a Task that gets it."""
    states = {
        "M": {
            "Type": "Map",
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "ItemProcessor": {
                "StartAt": "T",
                "States": {"T": {"Type": "Task", "Resource": "echo", "InputPath": "$$.Map.Item.Value", "End": True}},
            },
            "End": True,
        }
    }
    execution = here.start(workflow({"StartAt": "M", "States": states}), [nested(DEEPEST - 2)])
    loop = here.worker({"echo": Handler("echo", lambda input: input)})
    loop.run(lambda: here.now(execution).closed is not None)
    assert here.now(execution).output == [nested(DEEPEST - 2)]
