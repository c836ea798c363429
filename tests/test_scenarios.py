"""The scenarios that the design promises, each as a user would write it, through `simulate`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from sm_cli.errors import HandlerLoadError, InvalidDefinition
from sm_cli.jsonvalue import Json
from sm_cli.testing import Outcome, simulate, sleep


class CustomError(Exception):
    pass


def boom(input: Any) -> Json:
    raise CustomError("c")


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    """A definition of these states, in order: the first is where it starts; Next and End are added where absent."""
    names = list(states)
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        if state["Type"] in ("Choice", "Succeed", "Fail") or "Next" in state or "End" in state:
            continue
        state.update({"Next": following} if following else {"End": True})
    return {"StartAt": names[0], "States": states}


def passed(outcome: Outcome) -> list[str]:
    """Names of the states entered, in order."""
    return [
        str(e["stateEnteredEventDetails"]["name"]) for e in outcome.history if str(e["type"]).endswith("StateEntered")
    ]


def types(outcome: Outcome) -> list[str]:
    return [str(e["type"]) for e in outcome.history]


def seconds(outcome: Outcome) -> float:
    """Virtual time from the first event to the last."""
    first, last = (datetime.fromisoformat(str(e["timestamp"])) for e in (outcome.history[0], outcome.history[-1]))
    return (last - first).total_seconds()


def kept(seen: list[Json], input: Json) -> Json:
    seen.append(input)
    return input


def task(resource: str = "do", **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **more}


# -- 1 to 11: data flow ---------------------------------------------------------------------------------


def test_01_a_pass_state_gives_its_result() -> None:
    outcome = simulate(machine(A={"Type": "Pass", "Result": {"message": "hi"}, "End": True}), {"x": 1})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"message": "hi"})
    assert passed(outcome) == ["A"]


def test_02_four_states_in_a_row() -> None:
    outcome = simulate(machine(**{f"State{n}": {"Type": "Pass", "Result": {"step": n}} for n in range(1, 5)}), {})
    assert passed(outcome) == ["State1", "State2", "State3", "State4"]
    assert outcome.output == {"step": 4}


def test_03_a_result_at_its_path() -> None:
    state = {"Type": "Pass", "Result": {"transformed": True}, "ResultPath": "$.metadata"}
    assert simulate(machine(A=state), {"a": 1}).output == {"a": 1, "metadata": {"transformed": True}}


def test_04_the_next_input_is_the_output_and_nothing_is_merged() -> None:
    seen: list[Json] = []
    handlers = {"a": lambda input: {"a": "new"}, "b": lambda input: {"seen": kept(seen, input)}}
    outcome = simulate(machine(A=task("a"), B=task("b")), {"a": "old", "keep": 1}, handlers=handlers)
    assert seen == [{"a": "new"}]
    assert outcome.output == {"seen": {"a": "new"}}


def test_05_the_order_workflow() -> None:
    definition = machine(
        ProcessOrder=task("process:order", ResultPath="$.orderResult"),
        ValidatePayment=task("validate:payment", ResultPath="$.paymentResult"),
        SendNotification=task("send:notification", ResultPath="$.notificationResult"),
    )
    handlers = {
        "process:order": lambda input: {"processed": True},
        "validate:payment": lambda input: {"valid": True},
        "send:notification": lambda input: {"sent": True},
    }
    outcome = simulate(definition, {"orderId": "ORD-12345", "amount": 150}, handlers=handlers)
    assert outcome.output == {
        "orderId": "ORD-12345",
        "amount": 150,
        "orderResult": {"processed": True},
        "paymentResult": {"valid": True},
        "notificationResult": {"sent": True},
    }


def test_06_a_resource_without_handler_never_passes_in_silence() -> None:
    with pytest.raises(HandlerLoadError, match="no handler answers 'process:order', which the state 'A'"):
        simulate(machine(A=task("process:order")), {})


def test_07_parameters_are_what_the_handler_gets() -> None:
    state = task(Parameters={"amount.$": "$.order.total", "currency": "USD", "customer.$": "$.customer"})
    outcome = simulate(machine(A=state), {"order": {"total": 150}, "customer": {"id": 1}}, handlers={"do": lambda i: i})
    assert outcome.output == {"amount": 150, "currency": "USD", "customer": {"id": 1}}


def test_08_the_raw_input_is_kept_until_output_path() -> None:
    state = task(InputPath="$.rawData", ResultPath="$.processed", OutputPath="$.processed.result")
    seen: list[Json] = []
    handlers = {"do": lambda i: {"result": 9, "of": kept(seen, i)}}
    assert simulate(machine(A=state), {"rawData": {"v": 1}, "k": 2}, handlers=handlers).output == 9
    assert seen == [{"v": 1}]


def test_09_result_selector() -> None:
    state = task(ResultSelector={"id.$": "$.Payload.id"})
    assert simulate(machine(A=state), {}, handlers={"do": lambda i: {"Payload": {"id": 5}, "z": 1}}).output == {"id": 5}


def test_10_result_path_null_drops_the_result() -> None:
    assert simulate(machine(A=task(ResultPath=None)), {"k": 1}, handlers={"do": lambda i: {"x": 1}}).output == {"k": 1}


def test_11_an_output_path_that_finds_nothing_fails_as_on_aws() -> None:
    outcome = simulate(machine(A={"Type": "Pass", "OutputPath": "$.missing"}), {"a": 1})
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    assert outcome.cause == (
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        "Invalid path '$.missing' : No results for path: $['missing']"
    )


# -- 12 to 19: Choice -----------------------------------------------------------------------------------


def choose(*rules: dict[str, Any], default: str | None = "Standard") -> dict[str, Any]:
    targets = {rule["Next"] for rule in rules} | ({default} if default else set())
    choice: dict[str, Any] = {"Type": "Choice", "Choices": list(rules)}
    if default:
        choice["Default"] = default
    return {"StartAt": "C", "States": {"C": choice, **{t: {"Type": "Pass", "Result": t, "End": True} for t in targets}}}


def test_12_a_path_into_an_array() -> None:
    rule = {"Variable": "$.accounts[0].createdBy", "StringEquals": "LESSPAY", "Next": "Less"}
    assert simulate(choose(rule), {"accounts": [{"createdBy": "LESSPAY"}]}).output == "Less"


@pytest.mark.parametrize(
    ("input", "taken"),
    [
        ({"order": {"total": 1500}, "tier": "BASIC"}, "Large"),
        ({"order": {"total": 10}, "tier": "PREMIUM"}, "Premium"),
        ({"order": {"total": 10}, "tier": "BASIC"}, "Standard"),
    ],
)
def test_13_the_first_rule_that_matches(input: Json, taken: str) -> None:
    definition = choose(
        {"Variable": "$.order.total", "NumericGreaterThan": 1000, "Next": "Large"},
        {"Variable": "$.tier", "StringEquals": "PREMIUM", "Next": "Premium"},
    )
    assert simulate(definition, input).output == taken


@pytest.mark.parametrize(("n", "path"), [(15, "High"), (5, "Low")])
def test_14_both_ways_merge(n: int, path: str) -> None:
    definition = {
        "StartAt": "Check",
        "States": {
            "Check": {"Type": "Choice", "Choices": [
                {"Variable": "$.n", "NumericGreaterThanEquals": 10, "Next": "High"},
                {"Variable": "$.n", "NumericLessThan": 10, "Next": "Low"}]},
            "High": {"Type": "Pass", "Result": "high", "ResultPath": "$.path", "Next": "Merge"},
            "Low": {"Type": "Pass", "Result": "low", "ResultPath": "$.path", "Next": "Merge"},
            "Merge": {"Type": "Succeed"},
        },
    }  # fmt: skip
    outcome = simulate(definition, {"n": n})
    assert passed(outcome) == ["Check", path, "Merge"]
    assert outcome.output == {"n": n, "path": path.lower()}


@pytest.mark.parametrize("a", [0, 2])
@pytest.mark.parametrize("b", [True, False])
def test_15_truth_tables(a: int, b: bool) -> None:
    big, true = {"Variable": "$.a", "NumericGreaterThan": 1}, {"Variable": "$.b", "BooleanEquals": True}
    for operator, expected in (("And", a > 1 and b), ("Or", a > 1 or b)):
        assert simulate(choose({operator: [big, true], "Next": "Yes"}), {"a": a, "b": b}).output == (
            "Yes" if expected else "Standard"
        )
    assert simulate(choose({"Not": big, "Next": "Yes"}), {"a": a}).output == ("Standard" if a > 1 else "Yes")


def test_15_a_missing_variable_fails_the_execution_unless_it_is_asked_for() -> None:
    outcome = simulate(choose({"Variable": "$.nope", "NumericEquals": 1, "Next": "Yes"}), {})
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    guarded = {
        "And": [{"Variable": "$.nope", "IsPresent": True}, {"Variable": "$.nope", "NumericEquals": 1}],
        "Next": "Yes",
    }
    assert simulate(choose(guarded), {}).output == "Standard"


def test_16_another_type_is_no_match() -> None:
    assert simulate(choose({"Variable": "$.a", "NumericEquals": 1, "Next": "Yes"}), {"a": "abc"}).output == "Standard"


def test_17_no_rule_and_no_default() -> None:
    outcome = simulate(choose({"Variable": "$.a", "NumericEquals": 1, "Next": "Yes"}, default=None), {"a": 2})
    assert (outcome.status, outcome.error) == ("FAILED", "States.NoChoiceMatched")


@pytest.mark.parametrize(
    ("rule", "input"),
    [
        ({"Variable": "$.a", "IsPresent": True}, {"a": None}),
        ({"Variable": "$.file", "StringMatches": "log-*.txt"}, {"file": "log-2026.txt"}),
        ({"Variable": "$.a", "StringEqualsPath": "$.b"}, {"a": "x", "b": "x"}),
    ],
)
def test_18_operators_that_others_lack(rule: dict[str, Any], input: Json) -> None:
    assert simulate(choose({**rule, "Next": "Yes"}), input).output == "Yes"


def test_19_timestamps() -> None:
    rule = {"Variable": "$.t", "TimestampLessThan": "2024-06-01T00:00:00Z", "Next": "Yes"}
    assert simulate(choose(rule), {"t": "2024-01-01T00:00:00Z"}).output == "Yes"


# -- 20 to 25: Wait and Parallel ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait", "waited"),
    [
        ({"Seconds": 1}, 1),
        ({"SecondsPath": "$.w"}, 1),
        ({"TimestampPath": "$.t"}, 0),
        ({"Timestamp": "2026-01-01T01:00:00Z"}, 3600),
    ],
)
def test_20_the_four_forms_of_wait(wait: dict[str, Any], waited: int) -> None:
    input: Json = {"w": 1, "t": "2020-01-01T00:00:00Z"}
    outcome = simulate(machine(W={"Type": "Wait", **wait}), input)
    assert (outcome.output, seconds(outcome)) == (input, waited)
    assert types(outcome).count("WaitStateExited") == 1


def branch(result: Json) -> dict[str, Any]:
    return machine(**{f"B{json.dumps(result)}"[:20]: {"Type": "Pass", "Result": result}})


def test_22_and_23_results_in_the_order_of_the_branches() -> None:
    branches = [branch("branch1-result"), branch("branch2-result")]
    state = {"Type": "Parallel", "Branches": branches, "ResultPath": "$.results"}
    expected = ["branch1-result", "branch2-result"]
    assert simulate(machine(P=state), {"original": "data"}).output == {"original": "data", "results": expected}
    assert (
        simulate(machine(P={"Type": "Parallel", "Branches": branches, "OutputPath": "$[0]"}), {}).output
        == "branch1-result"
    )


def test_22_the_order_holds_whichever_branch_is_first() -> None:
    def slow(input: Any) -> Json:
        sleep(60)
        return "slow"

    branches = [machine(S=task("slow")), machine(Q=task("quick"))]
    outcome = simulate(
        machine(P={"Type": "Parallel", "Branches": branches}), {}, handlers={"slow": slow, "quick": lambda i: "quick"}
    )
    assert outcome.output == ["slow", "quick"]
    assert seconds(outcome) == 60


def test_24_a_branch_fails_and_its_siblings_are_cancelled() -> None:
    branches = [
        machine(W={"Type": "Wait", "Seconds": 9999}),
        machine(F={"Type": "Fail", "Error": "Bad", "Cause": "why"}),
    ]
    parallel: dict[str, Any] = {"Type": "Parallel", "Branches": branches, "Next": "H"}
    caught = {**parallel, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "H"}]}
    outcome = simulate({"StartAt": "P", "States": {"P": caught, "H": {"Type": "Pass", "End": True}}}, {"k": 1})
    assert (outcome.status, outcome.output) == ("SUCCEEDED", {"k": 1, "error": {"Error": "Bad", "Cause": "why"}})
    assert seconds(outcome) == 0
    assert "WaitStateAborted" in types(outcome)
    outcome = simulate({"StartAt": "P", "States": {"P": parallel, "H": {"Type": "Pass", "End": True}}}, {})
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "Bad", "why")


def test_25_a_choice_inside_a_branch() -> None:
    inner = choose({"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Yes"})
    assert simulate(machine(P={"Type": "Parallel", "Branches": [inner]}), {"n": 2}).output == ["Yes"]


# -- 27 to 33: errors -----------------------------------------------------------------------------------


def test_27_retries_with_growing_pauses() -> None:
    calls: list[int] = []

    def flaky(input: Any, context: Any) -> Json:
        calls.append(context.attempt)
        if len(calls) < 3:
            raise CustomError("not yet")
        return "ok"

    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2}]
    outcome = simulate(machine(T=task(Retry=retry)), {}, handlers={"do": flaky})
    assert (outcome.status, outcome.output, calls) == ("SUCCEEDED", "ok", [1, 2, 3])
    assert seconds(outcome) == 3
    assert types(outcome).count("TaskFailed") == 2


def test_29_a_timeout_is_caught_at_once() -> None:
    def late(input: Any) -> Json:
        sleep(3)
        return "late"

    catch = [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "H"}]
    definition = machine(T=task(TimeoutSeconds=1, Catch=catch), H={"Type": "Pass"})
    outcome = simulate(definition, {"k": 1}, handlers={"do": late})
    assert outcome.output == {"k": 1, "error": {"Error": "States.Timeout", "Cause": ""}}
    assert seconds(outcome) == 1


@pytest.mark.parametrize("beats", [True, False])
def test_29_heartbeats_keep_a_task_alive(beats: bool) -> None:
    def work(input: Any, context: Any) -> Json:
        for _ in range(5):
            sleep(2)
            if beats:
                context.heartbeat()
        return "done"

    outcome = simulate(machine(T=task(HeartbeatSeconds=3)), {}, handlers={"do": work})
    assert (outcome.status, outcome.error) == (("SUCCEEDED", None) if beats else ("FAILED", "States.Timeout"))
    assert seconds(outcome) == (10 if beats else 3)


@pytest.mark.parametrize("ends", [{"End": True}, {"Next": "H"}])
def test_30_and_31_an_error_by_its_class_name(ends: dict[str, Any]) -> None:
    catch = [{"ErrorEquals": ["CustomError"], "ResultPath": "$.error", "Next": "H"}]
    definition = {"StartAt": "T", "States": {"T": {**task(Catch=catch), **ends}, "H": {"Type": "Pass", "End": True}}}
    outcome = simulate(definition, {"id": 1}, handlers={"do": boom})
    assert outcome.output == {"id": 1, "error": {"Error": "CustomError", "Cause": "c"}}


def test_30_a_lambda_arn_has_the_cause_that_lambda_writes() -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:charge:live"
    outcome = simulate(machine(T=task(arn)), {}, handlers={"charge": boom})
    assert outcome.error == "CustomError"
    cause = json.loads(str(outcome.cause))
    assert (cause["errorMessage"], cause["errorType"]) == ("c", "CustomError")
    assert any("raise CustomError" in line for line in cause["stackTrace"])


def test_32_a_fail_state() -> None:
    definition = machine(
        First={"Type": "Pass", "Next": "F"},
        F={"Type": "Fail", "Error": "CustomError", "Cause": "This is a test failure"},
    )
    outcome = simulate(definition, {})
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "CustomError", "This is a test failure")
    assert passed(outcome) == ["First", "F"]


def test_33_an_unexpected_exception_is_an_error_like_others() -> None:
    handlers = {"do": lambda input: input["nope"]}
    outcome = simulate(machine(T=task()), {"orderId": "ORD-123"}, handlers=handlers)
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", "KeyError", "'nope'")
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "H"}]
    assert simulate(machine(T=task(Catch=catch), H={"Type": "Succeed"}), {}, handlers=handlers).status == "SUCCEEDED"


def test_a_handler_that_returns_what_is_not_json_fails_with_the_type_named() -> None:
    outcome = simulate(machine(T=task()), {}, handlers={"do": lambda i: {"tags": {1, 2}}})
    assert outcome.error == "States.TaskFailed"
    assert outcome.cause == "The handler 'do' returned what is not JSON: $.tags is of type set."


def test_handlers_get_their_own_copy_of_the_input() -> None:
    def spoil(input: Any) -> Json:
        input["items"].append("spoilt")
        return None

    branches = [machine(A=task("spoil", ResultPath=None)), machine(B=task("spoil", ResultPath=None))]
    outcome = simulate(machine(P={"Type": "Parallel", "Branches": branches}), {"items": []}, handlers={"spoil": spoil})
    assert outcome.output == [{"items": []}, {"items": []}]


async def answer(input: Any) -> Json:
    return {"async": True}


def test_async_handlers() -> None:
    assert simulate(machine(T=task()), {}, handlers={"do": answer}).output == {"async": True}


def test_machine_timeout_ends_the_execution() -> None:
    definition = {**machine(W={"Type": "Wait", "Seconds": 60}), "TimeoutSeconds": 5}
    outcome = simulate(definition, {})
    assert (outcome.status, seconds(outcome)) == ("TIMED_OUT", 5)
    assert types(outcome)[-1] == "ExecutionTimedOut"


# -- 34 to 39: Message ----------------------------------------------------------------------------------

WAIT: dict[str, Any] = {
    "Type": "Message",
    "CorrelationKey": "orderId",
    "CorrelationValuePath": "$.orderId",
    "TimeoutSeconds": 3600,
    "TimeoutPath": "Timeout",
    "Next": "After",
}


def waiting(**change: Any) -> dict[str, Any]:
    return {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Result": 1, "ResultPath": "$.a", "Next": "W"},
            "W": {**WAIT, **change},
            "After": {"Type": "Pass", "Result": "after", "ResultPath": "$.went", "End": True},
            "Timeout": {"Type": "Pass", "Result": "timeout", "ResultPath": "$.went", "End": True},
        },
    }


ORDER: dict[str, Json] = {"orderId": "ORD-1", "keep": 1}


def test_34_a_message_is_merged_over_the_input() -> None:
    outcome = simulate(waiting(), ORDER, messages=[(60, "orderId", "ORD-1", {"approved": True})])
    assert outcome.output == {"orderId": "ORD-1", "keep": 1, "a": 1, "approved": True, "went": "after"}
    assert [e["id"] for e in outcome.history] == list(range(1, len(outcome.history) + 1))
    assert seconds(outcome) == 60


def test_35_no_message_takes_the_timeout_path() -> None:
    outcome = simulate(waiting(), ORDER)
    assert outcome.output["went"] == "timeout"
    assert {k: outcome.output[k] for k in ("orderId", "keep", "a", "status")} == {**ORDER, "a": 1, "status": "TIMEOUT"}
    assert seconds(outcome) == 3600


def test_35_without_timeout_path_it_is_an_error_that_can_be_caught() -> None:
    states = waiting(Catch=[{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "Timeout"}])
    del states["States"]["W"]["TimeoutPath"]
    outcome = simulate(states, ORDER)
    assert outcome.output["error"] == {"Error": "States.Timeout", "Cause": ""}


def test_36_a_message_sent_before_the_wait_is_buffered() -> None:
    definition = waiting()
    definition["States"]["A"] = {"Type": "Wait", "Seconds": 100, "Next": "W"}
    outcome = simulate(definition, ORDER, messages=[(1, "orderId", "ORD-1", {"early": True})])
    assert outcome.output["early"] is True
    assert seconds(outcome) == 100


@pytest.mark.parametrize(("waits_for", "sent"), [(7, 7), (7, "7"), ("7", 7), (7.0, 7), (True, "true")])
def test_36_values_match_as_text(waits_for: Json, sent: Json) -> None:
    outcome = simulate(waiting(), {"orderId": waits_for}, messages=[(1, "orderId", sent, {})])
    assert outcome.output["went"] == "after"


@pytest.mark.parametrize(("key", "value"), [("orderId", "ORD-2"), ("orderid", "ORD-1"), ("orderId", "ord-1")])
def test_36_another_key_or_value_is_not_for_us(key: str, value: str) -> None:
    outcome = simulate(waiting(), ORDER, messages=[(1, key, value, {})])
    assert outcome.output["went"] == "timeout"


def test_38_with_paths_everything_else_is_kept() -> None:
    input: dict[str, Json] = {"userId": 1, "order": {"orderId": "O-1"}, "amount": 5}
    change = {"InputPath": "$.order", "ResultPath": "$.msg"}
    outcome = simulate(waiting(**change), input, messages=[(1, "orderId", "O-1", {"x": 1})])
    assert outcome.output == {**input, "a": 1, "msg": {"x": 1}, "went": "after"}
    outcome = simulate(waiting(**{**change, "ResultPath": "$.timeoutInfo"}), input)
    assert outcome.output["timeoutInfo"]["status"] == "TIMEOUT"
    assert {k: outcome.output[k] for k in input} == input


def test_39_each_visit_waits_for_its_own_message() -> None:
    definition: dict[str, Any] = {
        "StartAt": "W1",
        "States": {
            "W1": {**WAIT, "ResultPath": "$.one", "Next": "W2", "TimeoutSeconds": 10},
            "W2": {**WAIT, "ResultPath": "$.two", "Next": "Again", "TimeoutSeconds": 10},
            "Again": {"Type": "Choice", "Choices": [{"Variable": "$.round", "IsPresent": True, "Next": "End"}],
                      "Default": "Round"},
            "Round": {"Type": "Pass", "Result": 2, "ResultPath": "$.round", "Next": "W1"},
            "End": {"Type": "Succeed"},
            "Timeout": {"Type": "Fail", "Error": "Late"},
        },
    }  # fmt: skip
    sent = [(5.0 * n, "orderId", "O", n) for n in range(1, 5)]
    outcome = simulate(definition, {"orderId": "O"}, messages=sent)
    assert outcome.output == {"orderId": "O", "one": 3, "two": 4, "round": 2}
    # The second round's first wait begins at 10 s and has a new timeout of its own: a message at 21 s is late.
    outcome = simulate(definition, {"orderId": "O"}, messages=[*sent[:2], (21, "orderId", "O", "late")])
    assert (outcome.status, outcome.error, seconds(outcome)) == ("FAILED", "Late", 20)


def test_a_wait_for_a_message_that_never_comes_is_still_running() -> None:
    definition = waiting()
    del definition["States"]["W"]["TimeoutSeconds"], definition["States"]["W"]["TimeoutPath"]
    del definition["States"]["Timeout"]
    assert simulate(definition, ORDER).status == "RUNNING"


# -- Map ------------------------------------------------------------------------------------------------


def each(processor: dict[str, Any], **more: Any) -> dict[str, Any]:
    return machine(M={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, **more})


@pytest.mark.parametrize("limit", [0, 1, 3, 50])
def test_a_map_never_has_more_than_max_concurrency_in_flight_and_keeps_the_order(limit: int) -> None:
    now, most = 0, 0

    def work(input: Any) -> Any:
        return input * 2

    outcome = simulate(each(machine(T=task()), MaxConcurrency=limit), {"items": list(range(20))}, handlers={"do": work})
    assert outcome.output == [n * 2 for n in range(20)]
    for type in types(outcome):
        now += {"MapIterationStarted": 1, "MapIterationSucceeded": -1}.get(type, 0)
        most = max(most, now)
    assert most <= (limit or 20)
    assert most == min(limit or 20, 20)


def test_an_empty_map_gives_an_empty_array() -> None:
    assert simulate(each(machine(T=task())), {"items": []}).output == []


def test_a_failing_iteration_stops_the_others() -> None:
    def work(input: Any) -> Any:
        sleep(input)
        if input == 2:
            raise CustomError("two")
        return input

    outcome = simulate(each(machine(T=task())), {"items": [1, 2, 3, 900]}, handlers={"do": work})
    assert (outcome.status, outcome.error, seconds(outcome)) == ("FAILED", "CustomError", 2)
    assert types(outcome).count("MapIterationAborted") == 2


def test_a_distributed_map_tolerates_failures_up_to_its_threshold() -> None:
    processor = {**machine(T=task()), "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}

    def work(input: Any) -> Any:
        if input % 4 == 0:
            raise CustomError("four")
        return input

    items: Json = {"items": list(range(8))}
    outcome = simulate(each(processor, ToleratedFailureCount=2), items, handlers={"do": work})
    assert outcome.output == [1, 2, 3, 5, 6, 7]
    outcome = simulate(each(processor, ToleratedFailurePercentage=20), items, handlers={"do": work})
    assert (outcome.status, outcome.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")


def test_the_context_object_inside_an_iteration() -> None:
    processor = machine(
        P={"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "in.$": "$"}}
    )
    outcome = simulate(each(processor, ItemSelector={"x.$": "$$.Map.Item.Value"}), {"items": ["a", "b"]})
    assert outcome.output == [{"i": 0, "v": "a", "in": {"x": "a"}}, {"i": 1, "v": "b", "in": {"x": "b"}}]


# -- definitions ----------------------------------------------------------------------------------------


def test_an_invalid_definition_raises_with_its_diagnostics() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        simulate({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}})
    assert any("Nowhere" in d.message for d in caught.value.diagnostics)


def test_yaml_text_is_a_definition_too() -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Result: {country: NO, at: 12:30, on: true}\n    End: true\n"
    assert simulate(text, {}).output == {"country": "NO", "at": "12:30", "on": True}


# -- AWS's limits ---------------------------------------------------------------------------------------


def test_a_payload_over_256_kib_fails_only_with_aws_limits() -> None:
    definition = machine(A={"Type": "Pass", "Parameters": {"twice.$": "States.Array($.text, $.text)"}})
    input: Json = {"text": "x" * 200_000}
    assert simulate(definition, input).status == "SUCCEEDED"
    outcome = simulate(definition, input, aws_limits=True)
    assert (outcome.status, outcome.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_loop_without_end_fails_at_25_000_events_with_aws_limits() -> None:
    again = {"Variable": "$.n", "IsNull": True, "Next": "End"}
    definition = machine(
        Round={"Type": "Pass"},
        Check={"Type": "Choice", "Choices": [again], "Default": "Round"},
        End={"Type": "Succeed"},
    )
    outcome = simulate(definition, {"n": 1}, aws_limits=True)
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    assert "25000" in str(outcome.cause)
    assert len(outcome.history) == pytest.approx(25_000, abs=2)
