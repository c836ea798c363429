"""`sm test-state`, as a user types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Project

WORKFLOW = """
    StartAt: Charge
    States:
      Charge:
        Type: Task
        Resource: charge
        Parameters: {amount.$: $.amount}
        ResultPath: $.receipt
        Retry: [{ErrorEquals: [Busy], IntervalSeconds: 4, MaxAttempts: 2}]
        Catch: [{ErrorEquals: [Declined], Next: Refund}]
        Next: Lines
      Lines:
        Type: Map
        ItemsPath: $.lines
        ItemProcessor:
          StartAt: Line
          States:
            Line: {Type: Pass, Parameters: {who.$: $$.Execution.Name, state.$: $$.State.Name, of.$: $rate}, End: true}
        End: true
      Refund: {Type: Fail, Error: Refunded}
"""
HANDLERS = """
    @handler
    def charge(input):
        print("charging")
        if input["amount"] > 100:
            raise TaskError("Declined", "too much")
        return {"paid": input["amount"]}
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.workflow(WORKFLOW, "shop.yaml")
    project.handlers(HANDLERS)
    return project


def test_the_output_is_all_that_stands_on_stdout(shop: Project) -> None:
    done = shop.sm("test-state", "shop", "Charge", "--input", '{"amount": 5}')
    assert (done.code, done.out) == (0, '{"amount":5,"receipt":{"paid":5}}\n')
    assert done.err == "charging\nstate Charge SUCCEEDED, goes on to Lines\n"
    assert not (shop.path / ".sm").exists()


def test_a_trace_lists_the_stages_in_their_order(shop: Project) -> None:
    traced = shop.sm("test-state", "shop", "Charge", "--input", '{"amount": 5}', "--mock", '{"paid": 5}', "--trace")
    assert [tuple(line.split(None, 1)) for line in traced.out.splitlines()] == [
        ("input", '{"amount":5}'),
        ("afterInputPath", '{"amount":5}'),
        ("afterParameters", '{"amount":5}'),
        ("result", '{"paid":5}'),
        ("afterResultSelector", '{"paid":5}'),
        ("afterResultPath", '{"amount":5,"receipt":{"paid":5}}'),
        ("output", '{"amount":5,"receipt":{"paid":5}}'),
        ("nextState", "Lines"),
    ]


def test_an_error_that_is_caught_says_by_which_catcher(shop: Project) -> None:
    caught = shop.sm("test-state", "shop", "Charge", "-i", '{"amount": 500}')
    assert (caught.code, caught.json) == (0, {"Error": "Declined", "Cause": "too much"})
    assert caught.err.splitlines()[1:] == [
        "state Charge CAUGHT_ERROR, goes on to Refund",
        "  error: Declined",
        "  cause: too much",
        "  at handlers/orders.py:7 in charge",
        "  Catch[0] takes it",
    ]


def test_an_error_that_is_retried_says_after_how_long(shop: Project) -> None:
    words = ("test-state", "shop", "Charge", "-i", '{"amount": 5}', "--mock-error", "Busy: come back later")
    retried = shop.sm(*words, "--configuration", '{"retrierRetryCount": 1}')
    assert (retried.code, retried.out) == (0, "")
    assert retried.err.splitlines() == [
        "state Charge RETRIABLE",
        "  error: Busy",
        "  cause: come back later",
        "  Retry[0] takes it, after 8 s",
    ]
    told = shop.sm(*words, "--json")
    assert told.json == {"status": "RETRIABLE", "error": "Busy", "cause": "come back later"}


def test_an_error_that_nobody_takes_ends_with_exit_code_1(shop: Project) -> None:
    failed = shop.sm("test-state", "shop", "Charge", "-i", '{"amount": 5}', "--mock-error", "Broken")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err == "state Charge FAILED\n  error: Broken\n"


def test_a_state_inside_of_a_map_is_found_and_sees_the_context_and_variables_that_are_given(shop: Project) -> None:
    shop.write("context.json", '{"Execution": {"Name": "mine"}, "State": {"Name": "Line"}}')
    line = shop.sm(
        "test-state", "shop", "Line", "--context", "context.json", "--variables", '{"rate": 2}', "--level", "debug",
        "--json",
    )  # fmt: skip
    assert line.code == 0
    assert line.json["output"] == {"who": "mine", "state": "Line", "of": 2}
    assert line.json["inspectionData"]["variables"] == {"rate": 2}
    own = shop.sm("test-state", "shop", "Line", "--variables", '{"rate": 2}')
    assert own.json["state"] == "Line"


def test_the_mock_of_a_map_may_lie_in_a_file(shop: Project) -> None:
    shop.write("result.json", "[1, 2]")
    mapped = shop.sm("test-state", "shop", "Lines", "-i", '{"lines": [8, 9]}', "--mock", "result.json")
    assert (mapped.code, mapped.json) == (0, [1, 2])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("Chrage",), 3, "did you mean 'Charge'?"),
        (("Nothing",), 3, "it has Charge, Lines, Refund, Line."),
        (("Lines",), 2, "does not support Map or Parallel states"),
        (("Charge", "--mock", "{}", "--mock-error", "E"), 2, "exclude each other"),
        (("Charge", "--trace", "--level", "INFO"), 2, "--level INFO leaves out"),
        (("Charge", "--level", "ALL"), 2, "--level takes INFO, DEBUG or TRACE"),
        (("Refund", "--mock", "{}"), 2, "State type 'Fail' is not supported when a mock is specified"),
        (("Charge", "--handlers", "nowhere"), 8, "there is no handlers directory"),
    ],
)
def test_what_cannot_be_tested_is_said_in_a_sentence(
    shop: Project, words: tuple[str, ...], code: int, said: str
) -> None:
    refused = shop.sm("test-state", "shop", *words)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


def test_a_handler_that_is_missing_is_named(shop: Project) -> None:
    shop.handlers("", "orders.py")
    missing = shop.sm("test-state", "shop", "Charge", "-i", '{"amount": 5}')
    assert missing.code == 8
    assert "no handler is registered as 'charge' for the state 'Charge'" in missing.err


def test_an_invalid_workflow_is_told_with_its_lines(project: Project) -> None:
    project.workflow("StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n", "bad.yaml")
    refused = project.sm("test-state", "bad", "A")
    assert refused.code == 1
    assert "bad.yaml:3" in refused.err
