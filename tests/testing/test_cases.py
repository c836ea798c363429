"""Test cases in files: read with every mistake placed, run in virtual time, and told what did not come."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from sm_cli.errors import NotFound, TaskError, UsageError
from sm_cli.testing.case_runs import run_case, unused_stubs
from sm_cli.testing.cases import TestCase, read_cases

FLOW = {
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task", "Resource": "work", "Next": "Sum",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["Broken"], "Next": "Sorry"}],
        },
        "Sum": {"Type": "Pass", "End": True},
        "Sorry": {"Type": "Fail", "Error": "Refused", "Cause": "it is broken"},
    },
}  # fmt: skip
WAITING = {
    "StartAt": "Paid",
    "States": {
        "Paid": {"Type": "Message", "CorrelationKey": "id", "CorrelationValuePath": "$.id", "Next": "Approve"},
        "Approve": {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 60,
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}, "End": True,
        },
    },
}  # fmt: skip


def cases(folder: Path, text: str, name: str = "flow.test.yaml") -> list[TestCase]:
    (folder / "flow.json").write_text(json.dumps(FLOW))
    (folder / "waiting.json").write_text(json.dumps(WAITING))
    file = folder / name
    file.write_text(dedent(text))
    return read_cases(file)


def failures(case: TestCase, workflow: str = "flow.json", **handlers: Any) -> list[str]:
    return list(run_case(case, str(Path(case.file).parent / workflow), handlers).failures)


def one(folder: Path, fields: str) -> TestCase:
    (case,) = cases(folder, "tests:\n  - name: one\n" + "".join(f"    {line}\n" for line in fields.splitlines()))
    return case


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("stub: {work: {a: 1}}\nexpect: {output: {a: 1}}", []),
        ("stub: {work: {a: 1, b: 2}}\nexpect: {output_contains: {a: 1}}", []),
        ("stub: {work: [{throw: Busy}, {throw: {error: Busy}}, 7]}\nexpect: {output: 7}", []),
        ("stub: {work: {return: {throw: 1}}}\nexpect: {output: {throw: 1}}", []),
        ("stub: {'*': yes}\nexpect: {output: 'yes'}", []),
        ("stub: true\nexpect: {output: {}, states: [Call, Sum]}", []),
        ("stub: {work: {throw: Broken}}\nexpect: {error: Refused, cause: it is broken, states: [Call, Sorry]}", []),
        ("stub: {work: {throw: {error: Broken}}}\nexpect: {status: FAILED, cause_contains: broken}", []),
        ("stub: {work: 1}\nexpect: {status: FAILED}", ["status: expected FAILED, got SUCCEEDED"]),
        ("stub: {work: 1}\nexpect: {error: Refused}",
         ["status: expected FAILED, got SUCCEEDED", 'error: expected "Refused", got null']),
        ("stub: {work: {throw: {error: Broken}}}\nexpect: {output: 1}",
         ['status: expected SUCCEEDED, got FAILED, with Refused: "it is broken"']),
        ("stub: {work: {a: 1, b: [1, 2]}}\nexpect: {output: {a: 2, b: [1, 3]}}",
         ["output/a: expected 2, got 1", "output/b/1: expected 3, got 2"]),
        ("stub: {work: {a: 1}}\nexpect: {output: {}}", ["output/a: expected nothing, got 1"]),
        ("stub: {work: {a: 1}}\nexpect: {output: {a: null, b: null}}",
         ["output/a: expected null, got 1", "output/b: expected null, got nothing"]),
        ("stub: {work: {a: [{b: 1}]}}\nexpect: {output_contains: {a: [{b: 2}], c: 1}}",
         ["output/a/0/b: expected 2, got 1", "output/c: expected 1, got nothing"]),
        ("stub: {work: {a: [1]}}\nexpect: {output_contains: {a: []}}", ["output/a: expected [], got [1]"]),
        ("stub: {work: 1}\nexpect: {states: [Call, Sorry]}",
         ['states: expected "Sorry" as number 2, got "Sum"; the path was Call > Sum']),
        ("stub: {work: 1}\nexpect: {states: [Call, Sum, Sum]}",
         ['states: expected "Sum" as number 3, got the end; the path was Call > Sum']),
        ("stub: {work: 1}\nexpect: {states: []}",
         ['states: expected the end as number 1, got "Call"; the path was Call > Sum']),
        ("stub: {work: {throw: {error: Broken}}}\nexpect: {error: Refused, cause_contains: whole}",
         ['cause: expected a text with "whole", got "it is broken"']),
        ("expect: {}", ["no handler answers 'work', which the state 'Call' of flow calls"]),
        ("stub: {work: [{throw: Busy}]}", ["the stub of 'work' has 1 answers, and 'Call' asks for one more"]),
    ],
)  # fmt: skip
def test_what_is_expected_is_compared_with_what_came(tmp_path: Path, fields: str, expected: list[str]) -> None:
    assert failures(one(tmp_path, fields)) == expected


def test_the_handlers_of_the_project_do_what_no_stub_does(tmp_path: Path) -> None:
    case = one(tmp_path, "input: {n: 3}\nexpect: {output: 6}")
    assert failures(case, work=lambda order: 2 * order["n"]) == []
    assert failures(one(tmp_path, "stub: {work: 6}\nexpect: {output: 6}"), work=lambda order: 0) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("stub: {wrk: 1}", ["stub: nothing called 'wrk'; did you mean 'work'?"]),
        ("stub: {wrk: 1, work: 2}", ["stub: nothing called 'wrk'; did you mean 'work'?"]),
        ("stub: {ship: 1, wrk: 2}\nexpect: {output: 2}", [
            "output: expected 2, got 6", "stub: nothing called 'ship'; called were 'work'",
            "stub: nothing called 'wrk'; did you mean 'work'?",
        ]),
        ("stub: {'*': 1, 'sqs:*': 2}", []),  # for what may come
        ("stub: true", []),
        ("stub: {work: {throw: Broken}}\nexpect: {error: Refused}", []),
        ("stub: {work: [{throw: Busy}, 1]}", []),
    ],
)  # fmt: skip
def test_a_stub_that_nothing_calls_fails_its_test(tmp_path: Path, fields: str, expected: list[str]) -> None:
    assert failures(one(tmp_path, fields), work=lambda order: 6) == expected


def test_of_stubs_for_all_tests_one_that_none_calls_is_told(tmp_path: Path) -> None:
    text = """\
        stub: {work: 1, wrk: 2, 'sqs:sendMessage': 3, '*': 4}
        tests:
          - {name: one}
          - {name: two, workflow: waiting.json, stub: {work: 7, sqs: 5}, input: {id: 1}, expect: {status: RUNNING}}
    """
    flow, waiting = cases(tmp_path, text)
    assert waiting.own_stubs == ("work", "sqs") and flow.own_stubs == ()
    results = [run_case(each, str(tmp_path / (each.workflow or "flow.json")), {}) for each in (flow, waiting)]
    assert [result.failures for result in results] == [
        (), ("stub: nothing called 'work'; no task was begun", "stub: nothing called 'sqs'; no task was begun"),
    ]  # fmt: skip
    assert unused_stubs(results) == [
        "no test calls the stub 'wrk'; did you mean 'work'?",
        "no test calls the stub 'sqs:sendMessage'; called were 'work'",
    ]
    cut = run_case(replace(flow, stub=False), str(tmp_path / "flow.json"), {})
    assert (cut.has_passed, unused_stubs([cut, results[1]])) == (False, [])


def test_messages_and_callbacks_come_at_their_time(tmp_path: Path) -> None:
    text = """\
        workflow: waiting.json
        stub: {'sqs:sendMessage': null}
        tests:
          - name: approved
            input: {id: 7}
            messages: [{after: 90, key: id, value: 7, data: {paid: true}}]
            callbacks: [{after: 100, state: Approve, output: {ok: true}}]
            expect: {output: {ok: true}}
          - name: refused
            input: {id: 7}
            messages: [{key: id, value: 7}]
            callbacks: [{after: 1, state: Approve, error: No, cause: never}]
            expect: {error: No, cause: never, status: FAILED}
          - name: nobody answers
            input: {id: 7}
            messages: [{key: id, value: 7}]
            callbacks: [{after: 86400, state: Approve, output: {}}]
            expect: {error: States.Timeout}
          - name: no message
            input: {id: 7}
            expect: {status: RUNNING}
    """
    for case in cases(tmp_path, text):
        assert failures(case, "waiting.json") == [], case.name


def test_what_tests_share_stands_once_and_their_own_goes_before(tmp_path: Path) -> None:
    text = """\
        stub: {work: 1, other: 2}
        substitutions: {A: 1, B: 1}
        type: EXPRESS
        tests:
          - name: one
          - name: two
            stub: {work: {throw: {error: Busy, cause: later}}}
            substitutions: {B: 2}
            type: STANDARD
            now: 2026-12-24T18:00:00Z
            handlers: false
    """
    first, second = cases(tmp_path, text)
    assert (first.stub, first.substitutions, first.type, first.has_handlers) == (
        {"work": 1, "other": 2}, {"A": 1, "B": 1}, "EXPRESS", True
    )  # fmt: skip
    assert isinstance(second.stub, dict)
    error = second.stub["work"]
    assert isinstance(error, TaskError)
    assert (error.error, error.cause, second.stub["other"]) == ("Busy", "later", 2)
    assert (second.substitutions, second.type, second.has_handlers) == ({"A": 1, "B": 2}, "STANDARD", False)
    assert second.now is not None
    assert second.now.isoformat() == "2026-12-24T18:00:00+00:00"
    assert (first.line, second.line) == (5, 6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- 1", "1:1: a file of tests is an object with tests"),
        ("tests: []", "1:1: tests is a list of test cases, at least one"),
        ("workflow: a", "tests is a list of test cases, at least one"),
        ("tests:\n  - input: 1", "2:5: a test needs a name of its own"),
        ("tests:\n  - name: a\n  - name: a", "3:5: a test needs a name of its own, not 'a' again"),
        ("tests:\n  - {name: a, stubb: {}}", "2:15: 'stubb' is nothing that a test has"),
        ("tests:\n  - {name: a, stub: 3}", "stub is true, or an object of answers by resource"),
        ("tests:\n  - {name: a, stub: {b: {throw: {cause: x}}}}", "an error has its name as error"),
        ("tests:\n  - {name: a, expect: {output: 1, stauts: x}}", "'stauts' is nothing that what is expected has"),
        ("tests:\n  - {name: a, expect: {status: DONE}}", "status is one of SUCCEEDED, FAILED"),
        ("tests:\n  - {name: a, expect: {states: A}}", "states is a list of names"),
        ("tests:\n  - {name: a, expect: {error: 4}}", "error is a text"),
        ("tests:\n  - {name: a, messages: [{key: a}]}", "a message has a key and a value"),
        ("tests:\n  - {name: a, messages: {key: a}}", "messages is a list"),
        ("tests:\n  - {name: a, messages: [{key: a, value: 1, after: -1}]}", "after is a number of seconds"),
        ("tests:\n  - {name: a, callbacks: [{state: a}]}", "a callback has a state, an output or an error"),
        ("tests:\n  - {name: a, type: FAST}", "type is STANDARD or EXPRESS"),
        ("tests:\n  - {name: a, now: later}", "now is a time such as"),
        ("tests:\n  - {name: a, handlers: some}", "handlers is true or false"),
        ("tests:\n  - {name: a, substitutions: 1}", "substitutions is an object"),
        ("tests: [", "1:"),
        ("", "1:1: "),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_told_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        cases(tmp_path, text)
    assert caught.value.message.startswith(str(tmp_path / "flow.test.yaml"))
    assert sentence in caught.value.message


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_cases(tmp_path / "none.test.yaml")
