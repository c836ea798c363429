"""Data that is larger than `max_payload` is refused, or fails its state; no execution ends its worker by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import UsageError
from sm_cli.handlers.handler import Handler
from sm_cli.jsonvalue import DEEPEST, Json, TooDeep, TooLarge, check_bounds, dumps
from sm_cli.store.open import open_store
from sm_cli.store.records import Status
from sm_cli.store.sql.large_values import BlobCache
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.session import SqliteSession
from tests.engine.workers import Yard, workflow, yard
from tests.store.asking import asked

LIMIT = 1 << 20


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Yard]:
    with yard(open_store(str(tmp_path / "sm.db"))) as made:
        made.engine.settings.max_payload = LIMIT
        yield made


def test_the_limit_is_the_length_of_the_text_in_bytes() -> None:
    values: list[Json] = ["é\n" * 50, [1.5, None, "a"] * 20, {"k" * 40: {"b": True}}, "x", 7, None]
    for value in values:
        size = len(dumps(value).encode())
        check_bounds(value, size)
        with pytest.raises(TooLarge):
            check_bounds(value, size - 1)


def test_text_that_is_longer_escaped_is_measured_as_it_is_written() -> None:
    check_bounds("\x00" * 20_000, 6 * 20_000 + 2)
    with pytest.raises(TooLarge):
        check_bounds("\x00" * 20_000, 6 * 20_000 + 1)


def test_what_shares_its_parts_is_refused_without_being_written() -> None:
    for levels in (60, DEEPEST - 1):
        value: Json = "leaf"
        for _ in range(levels):
            value = {"l": value, "r": value}
        with pytest.raises(TooLarge):
            check_bounds(value, 32 << 20)
    wide: Json = "leaf"
    for _ in range(10):
        wide = [wide] * 10_000
    with pytest.raises(TooLarge):
        check_bounds(wide, 32 << 20)


def test_what_is_too_deep_is_distinguished() -> None:
    value: Json = 1
    for _ in range(DEEPEST + 100):
        value = [value]
    with pytest.raises(TooDeep):
        check_bounds(value, 32 << 20)


def loop_of(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """`state` again and again, until 30 rounds are done."""
    ends = {"Variable": "$.n", "NumericGreaterThan": 30, "Next": "End"}
    again = {"Type": "Choice", "Choices": [ends], "Default": "Double"}
    return {
        "StartAt": "Double",
        "States": {"Double": {**state, "Next": "Again"}, "Again": again, "End": {"Type": "Succeed"}},
        **more,
    }


DOUBLED = {"n.$": "States.MathAdd($.n,1)", "l.$": "$", "r.$": "$"}
BRANCH = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
OTHER = {"StartAt": "Q", "States": {"Q": {"Type": "Pass", "End": True}}}
ITEMS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"v.$": "$$.Execution.Input"}, "End": True}}}
LARGE = "x" * (LIMIT + 1)

CASES: dict[str, dict[str, Any]] = {
    "Pass": loop_of({"Type": "Pass", "Parameters": DOUBLED}),
    "JSONata": loop_of(
        {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"n": "{% $states.input.n + 1 %}", "l": "{% $states.input %}", "r": "{% $states.input %}"},
        }
    ),
    "a ResultSelector": loop_of(
        {
            "Type": "Parallel",
            "Branches": [BRANCH],
            "ResultSelector": {"n.$": "States.MathAdd($[0].n,1)", "l.$": "$[0]", "r.$": "$[0]"},
        }
    ),
    "a ResultPath": loop_of({"Type": "Pass", "Parameters": DOUBLED, "ResultPath": "$.l"}),
    "Parallel": loop_of(
        {
            "Type": "Parallel",
            "Branches": [BRANCH, OTHER],
            "ResultSelector": {"n.$": "States.MathAdd($[0].n,1)", "both.$": "$"},
        }
    ),
    "Map": {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": ITEMS, "End": True}},
    },
    "Assign": loop_of(
        {
            "Type": "Pass",
            "Parameters": {"n.$": "States.MathAdd($.n,1)"},
            "Assign": {"all": {"l.$": "$all", "r.$": "$all"}},
        }
    ),
    "several variables": {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"a.$": "$.large"}, "Next": "B"},
            "B": {"Type": "Pass", "Assign": {"b.$": "$.large"}, "End": True},
        },
    },
    "an intrinsic function": loop_of(
        {
            "Type": "Pass",
            "Parameters": {"n.$": "States.MathAdd($.n,1)", "t.$": "States.Format('{}{}', $.t, $.t)"},
        }
    ),
    "a handler's input": {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": "large",
                "Parameters": {"a.$": "$.large", "b.$": "$.large"},
                "End": True,
            }
        },
    },
    "a handler's result": {
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": "large", "ResultPath": None, "End": True}},
    },
    "what a handler returns that hands its work over": {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": "large.waitForTaskToken",
                "Parameters": {"t.$": "$$.Task.Token"},
                "End": True,
            }
        },
    },
}


def input_of(case: str) -> Json:
    large: dict[str, Json] = (
        {"large": "y" * (LIMIT * 3 // 4)} if case in ("several variables", "a handler's input") else {}
    )
    items: dict[str, Json] = {"items": list(range(100)), "filling": "z" * 20_000} if case == "Map" else {}
    return {"n": 0, "l": {}, "t": "abc", **large, **items}


def definition_of(case: str) -> dict[str, Any]:
    definition = CASES[case]
    if case == "Assign":
        first = {"Type": "Pass", "Assign": {"all": ["leaf"]}, "Next": "Double"}
        return {"StartAt": "First", "States": {"First": first, **definition["States"]}}
    return definition


@pytest.mark.parametrize("case", CASES)
def test_a_state_that_makes_more_fails_and_its_worker_goes_on(here: Yard, case: str) -> None:
    greedy = here.start(workflow(definition_of(case)), input_of(case))
    modest = here.start(workflow({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "echo", "End": True}}}))
    loop = here.worker({"large": Handler("large", lambda input: LARGE), "echo": Handler("echo", lambda input: input)})
    loop.run(lambda: here.now(greedy).closed is not None and here.now(modest).closed is not None)
    now = here.now(greedy)
    assert (now.status, now.error) == (Status.FAILED, "States.DataLimitExceeded"), now.cause
    assert here.now(modest).status is Status.SUCCEEDED


def test_it_can_be_caught(here: Yard) -> None:
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": "large",
        "Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "End"}],
        "End": True,
    }
    states = {"T": task, "End": {"Type": "Succeed"}}
    execution = here.start(workflow({"StartAt": "T", "States": states}), {})
    loop = here.worker({"large": Handler("large", lambda input: LARGE)})
    loop.run(lambda: here.now(execution).closed is not None)
    output = here.now(execution).output
    assert isinstance(output, dict)
    assert output["Error"] == "States.DataLimitExceeded"


def test_what_is_just_within_the_limit_passes(here: Yard) -> None:
    value: Json = {"t": "x" * (LIMIT - 8)}
    execution = here.start(
        workflow({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "e", "End": True}}}), value
    )
    loop = here.worker({"e": Handler("e", lambda input: input)})
    loop.run(lambda: here.now(execution).closed is not None)
    assert here.now(execution).output == value


def test_a_larger_input_is_refused_with_a_sentence(here: Yard) -> None:
    with pytest.raises(UsageError, match="the input is larger than 1,048,576 bytes of JSON"):
        here.start(workflow(CASES["Pass"]), {"t": LARGE})
    assert asked(here.store).latest() is None


def test_a_larger_message_is_refused_and_its_receiver_waits_on(here: Yard) -> None:
    waits = {"Type": "Message", "CorrelationKey": "order", "CorrelationValuePath": "$.order", "End": True}
    execution = here.start(workflow({"StartAt": "W", "States": {"W": waits}}), {"order": "7"})
    with pytest.raises(UsageError, match="the data of the message order is larger than"):
        here.engine.publish("order", "7", LARGE)
    assert here.now(execution).closed is None
    here.engine.publish("order", "7", {"paid": True})
    assert here.now(execution).output == {"order": "7", "paid": True}


def test_messages_that_add_up_fail_the_state_that_merges_them(here: Yard) -> None:
    waits = {"Type": "Message", "CorrelationKey": "order", "CorrelationValuePath": "$.order"}
    states = {"V": {**waits, "Next": "W"}, "W": {**waits, "End": True}}
    execution = here.start(workflow({"StartAt": "V", "States": states}), {"order": "7"})
    here.engine.publish("order", "7", {"a": "x" * (LIMIT * 2 // 3)})
    here.engine.publish("order", "7", {"b": "x" * (LIMIT * 2 // 3)})
    assert here.now(execution).error == "States.DataLimitExceeded"


def test_a_larger_output_of_a_callback_is_refused_and_its_task_waits_on(here: Yard) -> None:
    task = {"Type": "Task", "Resource": "work.waitForTaskToken", "Parameters": {"t.$": "$$.Task.Token"}, "End": True}
    execution = here.start(workflow({"StartAt": "T", "States": {"T": task}}), {})
    tokens: list[str] = []
    loop = here.worker({"work": Handler("work", lambda input: tokens.append(input["t"]))})
    loop.run(lambda: any(e.type.endswith("Submitted") for e in asked(here.store).history(execution.id)))
    with pytest.raises(UsageError, match="the output is larger than"):
        here.engine.task_succeeded(tokens[0], LARGE)
    assert here.now(execution).closed is None
    here.engine.task_succeeded(tokens[0], "done")
    assert here.now(execution).output == "done"


TEXT = "x" * 100_000


def mapping(mode: str, **more: Any) -> Any:
    """Forty outputs of 100 KB and more, five at a time."""
    made = {"Type": "Pass", "Parameters": {"n.$": "$", "text": TEXT}, "End": True}
    inner: dict[str, Any] = {"StartAt": "P", "States": {"P": made}, "ProcessorConfig": {"Mode": mode}}
    state = {"Type": "Map", "MaxConcurrency": 5, "ItemProcessor": inner, "End": True, **more}
    if mode == "DISTRIBUTED":
        inner["ProcessorConfig"]["ExecutionType"] = "STANDARD"
    after = {"Type": "Pass", "OutputPath": "$.why.Error", "End": True}
    return workflow({"StartAt": "M", "States": {"M": state, **({"C": after} if "Catch" in more else {})}})


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
@pytest.mark.parametrize("ends", ["too large", "within", "dropped"])
def test_outputs_that_are_too_large_together_are_not_read(
    here: Yard, monkeypatch: pytest.MonkeyPatch, mode: str, ends: str
) -> None:
    settings = here.engine.settings
    settings.max_payload, settings.tick_bytes = 5_000_000 if ends == "within" else 3_000_000, 500_000
    assert isinstance(here.store, SqliteStore)
    here.store._row_cache.blobs = BlobCache(0)  # as if each tick were another process's
    read: list[int] = []
    blob = SqliteSession.blob

    def counted(session: SqliteSession, id: int, before: Any) -> bytes | None:
        found = blob(session, id, before)
        read.append(len(found or b""))
        return found

    monkeypatch.setattr(SqliteSession, "blob", counted)
    more: dict[str, Any] = {"ResultPath": None} if ends == "dropped" else {}
    execution = here.start(mapping(mode, **more), list(range(40)))
    loop = here.worker({})
    loop.run(lambda: here.now(execution).closed is not None)
    now = here.now(execution)
    if ends == "too large":
        assert (now.status, now.error) == (Status.FAILED, "States.DataLimitExceeded")
        assert now.cause is not None and "'M'" in now.cause
    else:
        assert now.output == (list(range(40)) if ends == "dropped" else [{"n": n, "text": TEXT} for n in range(40)])
    assert sum(read) > 3_500_000 if ends == "within" else sum(read) < 500_000


def test_a_map_whose_outputs_are_too_large_together_can_be_caught(here: Yard) -> None:
    caught = [{"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": "$.why", "Next": "C"}]
    execution = here.start(mapping("INLINE", Catch=caught, ItemsPath="$.items"), {"items": list(range(40))})
    here.worker({}).run(lambda: here.now(execution).closed is not None)
    assert here.now(execution).output == "States.DataLimitExceeded"
