"""Each bound of the language from both sides: the smallest state that breaks a rule, and the one beside it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.validation.validate import check

State = dict[str, Any]
INNER: State = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
APART: State = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
END: State = {"Type": "Succeed"}


def found(state: State, **others: State) -> list[tuple[str, str]]:
    """(code, pointer below the state A) of what is found in a machine of A and what it may lead to."""
    definition: State = {"StartAt": "A", "States": {"A": state, **others}}
    return [(each.code, each.pointer.removeprefix("/States/A")) for each in check(definition)[1]]


def task(**fields: Any) -> State:
    return {"Type": "Task", "Resource": "do:it", "End": True, **fields}


def retry(**fields: Any) -> State:
    return task(Retry=[{"ErrorEquals": ["E"], **fields}])


def passing(**fields: Any) -> State:
    return {"Type": "Pass", "End": True, **fields}


def wait(**fields: Any) -> State:
    return {"Type": "Wait", "End": True, **fields}


def mapping(**fields: Any) -> State:
    return {"Type": "Map", "ItemProcessor": INNER, "End": True, **fields}


def reader(**config: Any) -> State:
    bucket = {"Bucket": "b", "Key": "k"}
    return {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", **config},
            "Parameters": bucket}  # fmt: skip


def apart(**fields: Any) -> State:
    return mapping(ItemProcessor=APART, **fields)


def choice(**rule: Any) -> State:
    return {"Type": "Choice", "Choices": [{"Variable": "$.a", "Next": "Z", **rule}], "Default": "Z"}


def message(**fields: Any) -> State:
    return {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True, **fields}


#: name -> (code, pointer below the state, the state that breaks the rule, the state beside it)
PAIRS: dict[str, tuple[str, str, State, State]] = {
    "a retry of nothing before the first second": (
        "SM508", "/Retry/0/IntervalSeconds", retry(IntervalSeconds=0), retry(IntervalSeconds=1)),
    "a retry before now": (
        "SM104", "/Retry/0/IntervalSeconds", retry(IntervalSeconds=-1), retry(IntervalSeconds=0)),
    "a backoff that shrinks": (
        "SM104", "/Retry/0/BackoffRate", retry(BackoffRate=0.99), retry(BackoffRate=1)),
    "more attempts than AWS takes": (
        "SM104", "/Retry/0/MaxAttempts", retry(MaxAttempts=100_000_000), retry(MaxAttempts=99_999_999)),
    "a negative number of attempts": (
        "SM104", "/Retry/0/MaxAttempts", retry(MaxAttempts=-1), retry(MaxAttempts=0)),
    "a longest pause that is no longer than the first": (
        "SM505", "/Retry/0/MaxDelaySeconds", retry(IntervalSeconds=2, MaxDelaySeconds=2),
        retry(IntervalSeconds=2, MaxDelaySeconds=3)),
    "a longest pause of more than a year": (
        "SM104", "/Retry/0/MaxDelaySeconds", retry(MaxDelaySeconds=31_622_401), retry(MaxDelaySeconds=31_622_400)),
    "States.ALL beside another name": (
        "SM501", "/Retry/0/ErrorEquals", task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}]),
        task(Retry=[{"ErrorEquals": ["States.ALL"]}])),
    "States.ALL before another retrier": (
        "SM502", "/Retry/0/ErrorEquals", task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        task(Retry=[{"ErrorEquals": ["E"]}, {"ErrorEquals": ["States.ALL"]}])),
    "a timeout of nothing": ("SM104", "/TimeoutSeconds", task(TimeoutSeconds=0), task(TimeoutSeconds=1)),
    "a timeout longer than AWS takes": (
        "SM104", "/TimeoutSeconds", task(TimeoutSeconds=100_000_000), task(TimeoutSeconds=99_999_999)),
    "a heartbeat as long as the timeout": (
        "SM601", "/HeartbeatSeconds", task(TimeoutSeconds=5, HeartbeatSeconds=5),
        task(TimeoutSeconds=5, HeartbeatSeconds=4)),
    "two timeouts": (
        "SM105", "/TimeoutSecondsPath", task(TimeoutSeconds=5, TimeoutSecondsPath="$.a"),
        task(TimeoutSecondsPath="$.a")),
    "a wait for nothing": ("SM106", "", wait(), wait(Seconds=0)),
    "a wait for two things": ("SM105", "/SecondsPath", wait(Seconds=1, SecondsPath="$.a"), wait(SecondsPath="$.a")),
    "a wait into the past": ("SM104", "/Seconds", wait(Seconds=-1), wait(Seconds=0)),
    "a wait until a day without a time": (
        "SM403", "/Timestamp", wait(Timestamp="2026-02-28"), wait(Timestamp="2026-02-28T00:00:00Z")),
    "a wait until a day that no year has": (
        "SM403", "/Timestamp", wait(Timestamp="2026-02-29T00:00:00Z"), wait(Timestamp="2024-02-29T00:00:00Z")),
    "a negative concurrency": ("SM104", "/MaxConcurrency", mapping(MaxConcurrency=-1), mapping(MaxConcurrency=0)),
    "more failures than all": (
        "SM104", "/ToleratedFailurePercentage", apart(ToleratedFailurePercentage=100.1),
        apart(ToleratedFailurePercentage=100)),
    "a negative number of batched items": (
        "SM104", "/ItemBatcher/MaxItemsPerBatch", apart(ItemBatcher={"MaxItemsPerBatch": -1}),
        apart(ItemBatcher={"MaxItemsPerBatch": 0, "MaxInputBytesPerBatch": 9})),
    "a batch that is never full": (
        "SM719", "/ItemBatcher/MaxItemsPerBatch", apart(ItemBatcher={"MaxItemsPerBatch": 0}),
        apart(ItemBatcher={"MaxItemsPerBatch": 0, "MaxInputBytesPerBatchPath": "$.n"})),
    "a batch in bytes that is never full": (
        "SM719", "/ItemBatcher/MaxInputBytesPerBatch",
        apart(ItemBatcher={"MaxItemsPerBatchPath": "$.n", "MaxInputBytesPerBatch": 262_145}),
        apart(ItemBatcher={"MaxItemsPerBatchPath": "$.n", "MaxInputBytesPerBatch": 262_144})),
    "fewer items than none": (
        "SM104", "/ItemReader/ReaderConfig/MaxItems", apart(ItemReader=reader(MaxItems=-1)),
        apart(ItemReader=reader(MaxItems=0))),
    "more items than AWS reads": (
        "SM104", "/ItemReader/ReaderConfig/MaxItems", apart(ItemReader=reader(MaxItems=100_000_001)),
        apart(ItemReader=reader(MaxItems=100_000_000))),
    "more children than 64 bits": (
        "SM104", "/MaxConcurrency", mapping(MaxConcurrency=2**63), mapping(MaxConcurrency=2**63 - 1)),
    "a concurrency in the context object": (
        "SM314", "/MaxConcurrencyPath", mapping(MaxConcurrencyPath="$$.Execution.Input.n"),
        mapping(MaxConcurrencyPath="$.n", ItemsPath="$$.Execution.Input.n")),
    "a batch in the context object": (
        "SM314", "/ItemBatcher/MaxInputBytesPerBatchPath",
        apart(ItemBatcher={"MaxInputBytesPerBatchPath": "$$['Execution'].Input.n"}),
        apart(ItemBatcher={"MaxInputBytesPerBatchPath": "$['$$']"})),
    "items in the context object": (
        "SM314", "/ItemReader/ReaderConfig/MaxItemsPath", apart(ItemReader=reader(MaxItemsPath="$$")),
        apart(ItemReader=reader(MaxItemsPath="$"))),
    "tolerated failures of an inline Map": (
        "SM711", "/ToleratedFailurePercentage", mapping(ToleratedFailurePercentage=5),
        apart(ToleratedFailurePercentage=5)),
    "a label of more than 40 characters": ("SM104", "/Label", apart(Label="l" * 41), apart(Label="l" * 40)),
    "a label with a blank": ("SM713", "/Label", apart(Label="a b"), apart(Label="a-b")),
    "a Parallel without branches": (
        "SM104", "/Branches", {"Type": "Parallel", "Branches": [], "End": True},
        {"Type": "Parallel", "Branches": [INNER], "End": True}),
    "a result at a place in the context object": (
        "SM303", "/ResultPath", passing(ResultPath="$$.a"), passing(ResultPath="$.a")),
    "a result at several places": (
        "SM302", "/ResultPath", passing(ResultPath="$.a[*]"), passing(ResultPath="$.a[0]")),
    "a variable that is called as AWS's own": (
        "SM802", "/Assign/states", passing(Assign={"states": 1}), passing(Assign={"states_": 1})),
    "a variable with a blank": ("SM802", "/Assign/a b", passing(Assign={"a b": 1}), passing(Assign={"a_b": 1})),
    "a variable whose name is too long": (
        "SM802", f"/Assign/{'v' * 81}", passing(Assign={"v" * 81: 1}), passing(Assign={"v" * 80: 1})),
    "a function that there is not": (
        "SM305", "/Parameters/x.$", passing(Parameters={"x.$": "States.Uuid()"}),
        passing(Parameters={"x.$": "States.UUID()"})),
    "a function with one argument too many": (
        "SM305", "/Parameters/x.$", passing(Parameters={"x.$": "States.UUID(1)"}),
        passing(Parameters={"x.$": "States.UUID()"})),
    "a state that goes on and ends": ("SM204", "/Next", passing(Next="A"), passing()),
    "a state that goes on to itself by another name": ("SM203", "/Next", {"Type": "Pass", "Next": "a"},
                                                       {"Type": "Pass", "Next": "A"}),
    "a wait for a message that never ends": (
        "SM701", "", message(), message(TimeoutSeconds=60, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "A"}])),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_state_that_breaks_the_rule_is_found_at_its_place(name: str) -> None:
    code, below, breaks, _ = PAIRS[name]
    assert (code, below) in found(breaks)


@pytest.mark.parametrize("name", PAIRS)
def test_the_state_beside_it_keeps_the_rule(name: str) -> None:
    code, _, _, keeps = PAIRS[name]
    assert code not in [each for each, _ in found(keeps)]


CHOICES: dict[str, tuple[str, str, State, State]] = {
    "a number as text": ("SM103", "NumericEquals", {"NumericEquals": "1"}, {"NumericEquals": 1}),
    "a text as a number": ("SM103", "StringEquals", {"StringEquals": 1}, {"StringEquals": "1"}),
    "a boolean as text": ("SM103", "BooleanEquals", {"BooleanEquals": "true"}, {"BooleanEquals": True}),
    "a test that is no boolean": ("SM103", "IsNull", {"IsNull": 0}, {"IsNull": False}),
    "a time that is none": (
        "SM403", "TimestampEquals", {"TimestampEquals": "2026"}, {"TimestampEquals": "2026-01-01T00:00:00Z"}),
    "two operators": ("SM401", "IsString", {"IsNull": True, "IsString": True}, {"IsString": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_a_rule_of_a_choice_is_checked_at_its_operator(name: str) -> None:
    code, operator, breaks, keeps = CHOICES[name]
    assert (code, f"/Choices/0/{operator}") in found(choice(**breaks), Z=END)
    assert found(choice(**keeps), Z=END) == []


@pytest.mark.parametrize(("length", "codes"), [(80, []), (81, ["SM202"])])
def test_the_name_of_a_state_has_eighty_characters_at_most(length: int, codes: list[str]) -> None:
    name = "n" * length
    assert [code for code, _ in found({"Type": "Pass", "Next": name}, **{name: END})] == codes


def test_a_choice_without_a_default_is_told_of_and_one_with_it_is_not() -> None:
    state = choice(IsNull=True)
    assert found(state, Z=END) == []
    del state["Default"]
    state["Choices"][0]["Next"] = "Z"
    assert found(state, Z=END) == [("SM404", "")]
