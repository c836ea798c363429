"""A Map over an object: its keys with their values, in the order in which they are written. AWS, "ItemsPath (Map)"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.jsonvalue import Json
from sm_cli.test_state import run as single
from sm_cli.testing import Outcome, simulate

STOCK: dict[str, Json] = {"tea": 3, "rum": 9}
PASS = {"Type": "Pass", "End": True}
BOTH = {"k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"}
BOTH_JSONATA = {
    "k": "{% $states.context.Map.Item.Key %}",
    "v": "{% $states.context.Map.Item.Value %}",
    "i": "{% $states.context.Map.Item.Index %}",
}
PAIRS: Json = [{"k": "tea", "v": 3, "i": 0}, {"k": "rum", "v": 9, "i": 1}]
MODES = ["INLINE", "DISTRIBUTED"]


def mapping(
    mode: str = "INLINE", inner: dict[str, Any] = PASS, language: str = "JSONPath", **more: Any
) -> dict[str, Any]:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    processor = {"ProcessorConfig": config, "StartAt": "In", "States": {"In": inner}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True, **more}
    return {"QueryLanguage": language, "StartAt": "M", "States": {"M": state}}


def run(definition: dict[str, Any], input: Json = STOCK, **more: Any) -> Outcome:
    return simulate(definition, input, **more)


@pytest.mark.parametrize("mode", MODES)
def test_the_item_selector_sees_the_key_and_the_value(mode: str) -> None:
    assert run(mapping(mode, ItemSelector=BOTH)).output == PAIRS
    inside = mapping(mode, ItemsPath="$.stock", ItemSelector=BOTH)
    assert run(inside, {"stock": STOCK}).output == PAIRS


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "items",
    [
        {}, {"Items": "{% $states.input %}"}, {"Items": {"tea": "{% 1 + 2 %}", "rum": 9}},
        {"Items": "{% {'tea': 3, 'rum': 9} %}"},
    ],
    ids=["input", "expression", "object", "built"],
)  # fmt: skip
def test_jsonata_iterates_over_an_object_too(mode: str, items: dict[str, Any]) -> None:
    assert run(mapping(mode, language="JSONata", ItemSelector=BOTH_JSONATA, **items)).output == PAIRS


@pytest.mark.parametrize("mode", MODES)
def test_without_an_item_selector_an_iteration_gets_the_pair(mode: str) -> None:
    assert run(mapping(mode)).output == [{"Key": "tea", "Value": 3}, {"Key": "rum", "Value": 9}]


def test_the_states_of_an_inline_iteration_see_their_key() -> None:
    inner = {"Type": "Pass", "Parameters": {"k.$": "$$.Map.Item.Key"}, "End": True}
    assert run(mapping(inner=inner)).output == [{"k": "tea"}, {"k": "rum"}]


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_object_has_no_iterations(mode: str) -> None:
    outcome = run(mapping(mode), {})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", [])


def test_the_history_counts_the_members_and_numbers_the_iterations() -> None:
    history = run(mapping()).history
    (started,) = [event for event in history if event["type"] == "MapStateStarted"]
    assert started["mapStateStartedEventDetails"] == {"length": 2}
    begun = [event["mapIterationStartedEventDetails"] for event in history if event["type"] == "MapIterationStarted"]
    assert begun == [{"index": 0, "name": "M"}, {"index": 1, "name": "M"}]


def test_an_array_has_no_key() -> None:
    outcome = run(mapping(ItemSelector={"k.$": "$$.Map.Item.Key"}), [{"Key": "tea", "Value": 3}])
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    selected = run(mapping(ItemSelector={"v.$": "$$.Map.Item.Value"}), [{"Key": "tea", "Value": 3}])
    assert selected.output == [{"v": {"Key": "tea", "Value": 3}}]


def test_more_members_than_a_portion_keep_their_keys_and_their_order() -> None:
    input: Json = {f"k{n}": n for n in range(1_003)}
    selector = {"k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value"}
    assert run(mapping("DISTRIBUTED", ItemSelector=selector), input).output == [
        {"k": f"k{n}", "v": n} for n in range(1_003)
    ]


def test_a_batch_holds_pairs() -> None:
    batched = run(mapping("DISTRIBUTED", ItemBatcher={"MaxItemsPerBatch": 2}), {"a": 1, "b": 2, "c": 3})
    assert batched.output == [
        {"Items": [{"Key": "a", "Value": 1}, {"Key": "b", "Value": 2}]}, {"Items": [{"Key": "c", "Value": 3}]},
    ]  # fmt: skip


@pytest.mark.parametrize(("pointer", "text"), [(None, '{"tea": 3, "rum": 9}'), ("/in", '{"in": {"tea": 3, "rum": 9}}')])
def test_an_item_reader_gives_the_keys_of_a_file(tmp_path: Path, pointer: str | None, text: str) -> None:
    (tmp_path / "bkt").mkdir()
    (tmp_path / "bkt" / "stock.json").write_text(text)
    config = {"InputType": "JSON", **({"ItemsPointer": pointer} if pointer else {})}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config,
        "Parameters": {"Bucket": "bkt", "Key": "stock.json"},
    }  # fmt: skip
    definition = mapping("DISTRIBUTED", ItemReader=reader, ItemSelector=BOTH)
    assert run(definition, buckets=tmp_path).output == PAIRS
    assert run(mapping("DISTRIBUTED", ItemReader=reader), buckets=tmp_path).output == [
        {"Key": "tea", "Value": 3}, {"Key": "rum", "Value": 9},
    ]  # fmt: skip


def test_a_state_that_is_tested_alone_shows_the_pairs() -> None:
    state = mapping(ItemsPath="$.stock", ItemSelector=BOTH)["States"]["M"]
    answer: Any = single.test_state(state, {"stock": STOCK}, inspection_level="DEBUG", mock={"result": []})
    assert answer["inspectionData"]["afterItemsPath"] == STOCK
    assert answer["inspectionData"]["afterItemSelector"] == PAIRS


@pytest.mark.parametrize("input", ["text", 5, None, True])
def test_what_is_neither_array_nor_object_is_refused(input: Json) -> None:
    outcome = run(mapping(), input)
    assert (outcome.error, outcome.cause) == ("States.Runtime", 'Reference path "$" must point to array.')
    assert run(mapping(language="JSONata"), input).error == "States.QueryEvaluationError"
