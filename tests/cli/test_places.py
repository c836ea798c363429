"""The place of a failure reaches the author of the handler, in every command that speaks of failures."""

from __future__ import annotations

import json
import re

import pytest

from sm_cli.cli.project.config import find_project
from sm_cli.cli.show.places import from_root
from tests.cli.conftest import Project

HANDLERS = """
def price(order):
    return order["price"]
@handler
def charge(order):
    try:
        return price(order)
    except KeyError as e:
        raise LookupError("no \\x1b[2Jprice") from e
@handler
def work(x):
    return price(x)
"""
TASK = "StartAt: Charge\nStates:\n  Charge: {Type: Task, Resource: RESOURCE, End: true}\n"
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:work"
CHILDREN = """
StartAt: M
States:
  M:
    Type: Map
    ItemsPath: $.items
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: TYPE}
      StartAt: Charge
      States: {Charge: {Type: Task, Resource: work, End: true}}
    End: true
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    project.workflow(TASK.replace("RESOURCE", "charge"), "charge.yaml")
    project.workflow(TASK.replace("RESOURCE", LAMBDA), "lambda.yaml")
    return project


def test_run_says_where_it_failed_on_stderr_and_with_v_the_whole_traceback(shop: Project) -> None:
    result = shop.sm("run", "charge")
    assert (result.code, result.out) == (1, "")
    told = ["  state: Charge", "  error: LookupError", "  cause: no \\u001b[2Jprice",
            "  at handlers/orders.py:10 in charge"]  # fmt: skip
    assert result.err.splitlines()[1:] == told
    result = shop.sm("run", "-v", "charge")
    lines = result.err.splitlines()
    assert lines[lines.index(told[-1]) + 1 :][:2] == [
        "  | Traceback (most recent call last):", '  |   File "handlers/orders.py", line 8, in charge',
    ]  # fmt: skip
    assert "  | KeyError: 'price'" in lines
    assert lines[-1] == "  | LookupError: no \\u001b[2Jprice"
    assert "\x1b" not in result.err


@pytest.mark.parametrize("arguments", [(), ("--express",), ("--processes", "1")])
def test_it_is_the_same_in_memory_and_in_a_process_of_its_own(shop: Project, arguments: tuple[str, ...]) -> None:
    result = shop.sm("run", "charge", *arguments)
    assert result.err.splitlines()[-1] == "  at handlers/orders.py:10 in charge"


def test_show_knows_it_later_and_in_full(shop: Project) -> None:
    shop.sm("run", "charge", "--name", "n1")
    shown = shop.sm("show", "n1").out
    assert "failed      in Charge\n            at handlers/orders.py:10 in charge\ndigest" in shown
    full = shop.sm("show", "n1", "--full").out
    assert "            | LookupError: no \\u001b[2Jprice\ndigest" in full
    failure = json.loads(shop.sm("show", "n1", "-o", "json").out)["failure"]
    assert (failure["state"], failure["places"]) == ("Charge", ["handlers/orders.py:10 in charge"])
    assert failure["traceback"].endswith("LookupError: no \x1b[2Jprice\n")
    assert failure["failed_execution"] is None


def test_show_and_output_tell_a_directory_below_the_project_the_same(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.path / "sm.toml").touch()
    shop.sm("run", "charge", "--name", "n1")
    monkeypatch.chdir(shop.path / "handlers")
    assert "at handlers/orders.py:10 in charge" in shop.sm("show", "n1").out
    assert shop.sm("output", "n1").err.splitlines()[-1] == "  at handlers/orders.py:10 in charge"


def test_what_lambda_writes_as_the_cause_is_unfolded_for_people_alone(shop: Project) -> None:
    result = shop.sm("run", "lambda", "--name", "n1")
    assert result.err.splitlines()[1:] == [
        "  state: Charge", "  error: KeyError", "  cause: 'price'", "  at handlers/orders.py:4 in price",
        "  at handlers/orders.py:13 in work",
    ]  # fmt: skip
    assert "cause       'price'\n" in shop.sm("show", "n1").out
    for command in ("show", "history"):
        assert json.loads(json.loads(shop.sm(command, "n1", "-o", "json").out)["cause"])["errorType"] == "KeyError"


def test_a_cause_that_a_real_lambda_wrote_has_its_places(shop: Project) -> None:
    shop.workflow(TASK.replace("RESOURCE", "arn:aws:states:::lambda:invoke.waitForTaskToken").replace(
        "End: true", "Parameters: {FunctionName: hand, 'Payload': {}}, End: true"), "token.yaml")  # fmt: skip
    shop.handlers(f"{HANDLERS}\n@handler\ndef hand(x): return {{}}\n")
    shop.sm("run", "token", "--name", "n1", "--detach")
    shop.sm("worker", "--drain")
    token = json.loads(shop.sm("task", "list", "-o", "json").out)[0]["token"]
    cause = json.dumps(
        {"errorMessage": "no\nprice", "errorType": "Error", "trace": ["Error: no", "    at f (i.js:3:9)"]}
    )
    shop.sm("task", "failure", token, "--error", "Error", "--cause", cause)
    shown = shop.sm("show", "n1").out
    assert "cause       no\\nprice\nfailed      in Charge\n            at f (i.js:3:9)\n" in shown


def test_v_shows_the_worker_where_and_q_does_not(shop: Project) -> None:
    for name in ("n1", "n2"):
        shop.sm("run", "charge", "--name", name, "--detach")
    whole = shop.sm("worker", "--drain", "-v").err
    assert "\n| LookupError: no \\u001b[2Jprice\n" in whole
    assert "\x1b" not in whole
    assert "Traceback" not in shop.sm("worker", "--drain").err


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_of_a_distributed_map_the_child_that_failed_first_has_its_place(shop: Project, type: str) -> None:
    shop.workflow(CHILDREN.replace("TYPE", type), "children.yaml")
    result = shop.sm("run", "children", "-i", '{"items":[{"price":1},{"price":2},{}]}', "--name", "n1")
    lines = result.err.splitlines()
    assert [re.sub(r"\(\w+\)", "(REF)", line) for line in lines[-3:]] == [
        "  child 2 (REF) failed first, in Charge: KeyError: 'price'",
        "  at handlers/orders.py:4 in price",
        "  at handlers/orders.py:13 in work",
    ]
    below = json.loads(shop.sm("show", "n1", "-o", "json").out)["failure"]
    assert (below["state"], below["places"], below["failed_execution"]["error"]) == ("M", [], "KeyError")
    assert below["failed_execution"]["failure"]["places"][0] == "handlers/orders.py:4 in price"
    assert f"({below['failed_execution']['id']})" in lines[-3]


def test_a_place_that_is_no_longer_so_is_not_told(shop: Project) -> None:
    shop.workflow(
        "StartAt: Charge\nStates:\n"
        "  Charge: {Type: Task, Resource: charge, Catch: [{ErrorEquals: [States.ALL], Next: Bad}], End: true}\n"
        "  Bad: {Type: Fail, Error: E}\n",
        "caught.yaml",
    )
    result = shop.sm("run", "caught")
    assert result.err.splitlines()[1:] == ["  state: Bad", "  error: E"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ROOT/handlers/x.py:3 in f", "handlers/x.py:3 in f"),
        ('  File "ROOT/handlers/x.py", line 3', '  File "handlers/x.py", line 3'),
        ("/otherROOT/x.py:3 in f", "/otherROOT/x.py:3 in f"),
        ("ROOT-2/x.py:3 in f", "ROOT-2/x.py:3 in f"),
    ],
)
def test_only_paths_below_the_project_are_shortened(project: Project, text: str, told: str) -> None:
    root = find_project().root
    assert from_root(text.replace("ROOT", str(root)), root) == told.replace("ROOT", str(root))


RETRIED = """
StartAt: Charge
States:
  Charge: {Type: Task, Resource: work, Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 600}], End: true}
"""


def test_why_says_where_an_execution_failed(shop: Project) -> None:
    shop.sm("run", "charge", "--name", "n1")
    said = shop.sm("why", "n1").out
    assert " and failed in Charge, at handlers/orders.py:10 in charge. Nothing is left to do" in said
    assert "with LookupError: no \\u001b[2Jprice." in said
    assert "Traceback" not in said
    assert "\n| LookupError: no \\u001b[2Jprice\n" in shop.sm("why", "n1", "-v").out
    document = json.loads(shop.sm("why", "n1", "-o", "json").out)
    assert document["failure"]["places"] == ["handlers/orders.py:10 in charge"]


def test_why_of_a_task_that_is_tried_again_says_where_it_failed_last(shop: Project) -> None:
    shop.workflow(RETRIED, "retried.yaml")
    shop.sm("run", "retried", "--name", "n1", "--detach")
    shop.sm("worker", "--drain", "--ok-to-leave")
    said = shop.sm("why", "n1").out
    assert "Charge failed with KeyError: 'price' at handlers/orders.py:4 in price and is tried again" in said
    assert "\n| KeyError: 'price'\n" in shop.sm("why", "n1", "-v").out
    (reason,) = json.loads(shop.sm("why", "n1", "-o", "json").out)["reasons"]
    assert reason["traceback"].endswith("KeyError: 'price'\n")
    assert " at handlers/orders.py:4 in price " in reason["text"]


def test_why_of_a_distributed_map_says_which_child_failed_first_and_where(shop: Project) -> None:
    shop.workflow(CHILDREN.replace("TYPE", "STANDARD"), "children.yaml")
    shop.sm("run", "children", "-i", '{"items":[{}]}', "--name", "n1")
    said = re.sub(r"\(\w{26}\) failed", "(REF) failed", shop.sm("why", "n1").out)
    assert (
        " and failed in M; child 0 (REF) failed first, in Charge: KeyError: 'price', at handlers/orders.py:4 in price."
    ) in said


def test_what_lambda_writes_as_the_cause_is_unfolded_by_why(shop: Project) -> None:
    shop.sm("run", "lambda", "--name", "n1")
    assert " with KeyError: 'price'." in shop.sm("why", "n1").out


def test_a_state_alone_says_where_it_failed(shop: Project) -> None:
    result = shop.sm("test-state", "lambda", "Charge")
    assert result.err.splitlines()[1:] == [
        "  error: KeyError", "  cause: 'price'", "  at handlers/orders.py:4 in price",
        "  at handlers/orders.py:13 in work",
    ]  # fmt: skip
    assert "  | KeyError: 'price'" in shop.sm("test-state", "-v", "lambda", "Charge").err.splitlines()
    document = json.loads(shop.sm("test-state", "lambda", "Charge", "--json").out)
    assert set(document) == {"status", "error", "cause"}
    assert json.loads(document["cause"])["errorType"] == "KeyError"


def test_an_express_execution_that_is_kept_keeps_it(shop: Project) -> None:
    shop.sm("run", "charge", "--express", "--keep-history", "--name", "n1")
    assert "            at handlers/orders.py:10 in charge\n" in shop.sm("show", "n1").out
