"""Which handlers and workflows a definition calls for, and what is said of one that is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.display import display_path
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.needs import calls_handlers, check_handlers, needed_handlers, nested_workflows

INVOKE = "arn:aws:states:::lambda:invoke"
START = "arn:aws:states:::states:startExecution"


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **fields}


def of(**states: dict[str, Any]) -> Any:
    return {"StartAt": next(iter(states)), "States": states}


def needs(definition: Any) -> dict[str, list[str]]:
    return needed_handlers(compile_program(definition), definition)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (task("do:it"), ["do:it"]),
        (task("do:it.waitForTaskToken"), ["do:it"]),
        (task("arn:aws:lambda:r:1:function:f:3"), ["f"]),
        (task("arn:aws:states:::sqs:sendMessage"), ["sqs:sendMessage"]),
        (task(INVOKE, Parameters={"FunctionName": "charge:3"}), ["charge"]),
        (task(INVOKE, QueryLanguage="JSONata", Arguments={"FunctionName": "charge"}), ["charge"]),
        (task(INVOKE, QueryLanguage="JSONata", Arguments={"FunctionName": "{% $f %}"}), []),
        (task(INVOKE, QueryLanguage="JSONata", Arguments="{% $all %}"), []),
        (task(INVOKE, Parameters={"FunctionName.$": "$.f"}), []),
        (task(INVOKE), []),
        (task("arn:aws:states:r:1:activity:pick"), []),
        (task(START, Parameters={"StateMachineArn": "child"}), []),
        (task("arn:aws:states:::aws-sdk:sfn:listStateMachines"), []),
        (task("arn:aws:states:::aws-sdk:sfn:createStateMachine"), ["aws-sdk:sfn:createStateMachine"]),
        ({"Type": "Pass", "End": True}, []),
    ],
)
def test_a_task_needs_the_handler_that_its_text_names(state: dict[str, Any], names: list[str]) -> None:
    assert list(needs(of(S=state))) == names


def test_states_of_branches_and_processors_are_among_them_also_with_odd_names() -> None:
    odd = {"StartAt": "a/b~c", "States": {"a/b~c": task(INVOKE, Parameters={"FunctionName": "deep"})}}
    definition = of(**{
        "P/1": {"Type": "Parallel", "Branches": [of(X=task("one")), odd], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": of(Y=task("one")), "End": True},
    })  # fmt: skip
    assert needs(definition) == {"one": ["X", "Y"], "deep": ["a/b~c"]}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (task(START, Parameters={"StateMachineArn": "child"}), ["child"]),
        (task(START + ".sync:2", Parameters={"StateMachineArn": "arn:aws:states:r:1:stateMachine:child:3"}), ["child"]),
        (task(START, Parameters={"StateMachineArn.$": "$.which"}), []),
        (task(START, QueryLanguage="JSONata", Arguments={"StateMachineArn": "{% $which %}"}), []),
        (task("arn:aws:states:::aws-sdk:sfn:startExecution", Parameters={"StateMachineArn": "child"}), ["child"]),
        (task("arn:aws:states:::aws-sdk:sfn:describeStateMachine", Parameters={"StateMachineArn": "child"}), []),
        (task("do:it", Parameters={"StateMachineArn": "child"}), []),
        (task(START), []),
    ],
)
def test_a_workflow_is_started_by_the_name_that_the_text_holds(state: dict[str, Any], names: list[str]) -> None:
    definition = of(S=state)
    assert nested_workflows(compile_program(definition), definition) == names


@pytest.mark.parametrize(("state", "calls"), [(task("x"), True), ({"Type": "Succeed"}, False)])
def test_only_a_task_calls_a_handler(state: dict[str, Any], calls: bool) -> None:
    inner = {"Type": "Map", "ItemProcessor": of(Y=state), "End": True}
    assert calls_handlers(compile_program(of(S=state))) is calls
    assert calls_handlers(compile_program(of(S=inner))) is calls


def handlers(*names: str) -> dict[str, Handler]:
    return {name: Handler(name, lambda data: data) for name in names}


@pytest.mark.parametrize("names", [["do:it"], ["do:*"], ["*"], ["do:it", "other"]])
def test_nothing_is_said_where_each_need_is_served(names: list[str], tmp_path: Path) -> None:
    check_handlers({"do:it": ["A"], "http:invoke": ["B"]}, handlers(*names), tmp_path)


@pytest.mark.parametrize(
    ("needed", "names", "says", "hint"),
    [
        ({"do:it": ["A"]}, [], "as 'do:it' for the state 'A' (looked in ", 'Write one with @handler("do:it")'),
        ({"do:it": ["A"]}, ["do:is"], "which has 1 handler)", "Nearest: 'do:is'."),
        (
            {"a": ["A", "B", "C", "D", "E"]},
            [],
            "for the state 'A', 'B', 'C' and 2 more",
            'Write one with @handler("a")',
        ),
        ({"a": ["A"], "b": ["B"]}, ["x", "y"], "as 'a' for the state 'A'; 'b' for the state 'B'", "Write one"),
        ({"a": ["A"], "b": ["B"]}, ["b"], "as 'a' for the state 'A' (looked", 'Write one with @handler("a")'),
    ],
)
def test_a_need_that_nobody_serves_is_named_with_its_states(
    needed: dict[str, list[str]], names: list[str], says: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(HandlerLoadError) as missing:
        check_handlers(needed, handlers(*names), tmp_path)
    assert says in missing.value.message
    assert missing.value.hint is not None and hint in missing.value.hint
    assert (missing.value.exit_code, missing.value.topic) == (8, "missing handler")


def test_an_action_that_the_engine_refuses_says_why() -> None:
    with pytest.raises(HandlerLoadError) as missing:
        check_handlers({"aws-sdk:sfn:createStateMachine": ["A"]}, {}, Path("handlers"))
    assert missing.value.hint is not None and "A state machine is a file of the project" in missing.value.hint


@pytest.mark.parametrize(("below", "shown"), [("handlers", "handlers"), ("a/b", "a/b")])
def test_a_path_below_the_current_directory_is_shown_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert display_path(tmp_path / below) == shown
    assert display_path(tmp_path) == str(tmp_path)
    assert display_path(tmp_path.parent / "other") == str(tmp_path.parent / "other")
