"""`-o jsonpath=EXPR`: the common dialect, as kubectl prints it."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.cli.terminal.selecting import compile_selection, find_matches, text_of_match
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from tests.cli.conftest import Project

DOCUMENT: dict[str, Any] = {
    "status": "FAILED", "output": None, "n": 1.5,
    "states": [{"name": "a", "ok": True, "ms": 3}, {"name": "b", "ok": False, "ms": 5}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.status", ["FAILED"]),
        ("{.status}", ["FAILED"]),
        ("{ $.status }", ["FAILED"]),
        (".status", ["FAILED"]),
        ("status", ["FAILED"]),
        ("['status']", ["FAILED"]),
        ("$.output", [None]),
        ("$.states[*].name", ["a", "b"]),
        ("$.states[-1:].ms", [5]),
        ("$..ms", [3, 5]),
        ("$.states[?(@.ms > 3)].name", ["b"]),
        ("$.states[?(@.name == 'a')].ok", [True]),
        ("$.states[?(@.name == a)].ok", [True]),
        ("$.states.`len`", [2]),
        ("$.nothing", []),
        ("$", [DOCUMENT]),
    ],
)
def test_an_expression_finds_what_people_expect(text: str, found: list[Json]) -> None:
    assert find_matches(DOCUMENT, text) == found


@pytest.mark.parametrize("text", ["", "$[", "$.", "{}", "{.a", "$.a[?(", "\x00", "a b c"])
def test_what_is_no_expression_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"^-o jsonpath=.* is not a JSONPath: \S"):
        compile_selection(text)


def test_what_cannot_be_evaluated_is_refused_with_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"^-o jsonpath=\$\.`parent` cannot be evaluated here: \S"):
        find_matches(DOCUMENT, "$.`parent`")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("text", "text"), ("", ""), ("größe 1", "größe 1"), (1, "1"), (1.0, "1.0"), (None, "null"), (True, "true"),
        ({"a": [1, "x"]}, '{"a":[1,"x"]}'), ("two\nlines", '"two\\nlines"'), ("\x1b[2J", '"\\u001b[2J"'),
        ("::error::x", '"::error::x"'), ("  ::error::x", '"  ::error::x"'), ("a ::b", "a ::b"),
    ],
)  # fmt: skip
def test_texts_are_printed_as_they_are_unless_a_terminal_would_obey_them(value: Json, line: str) -> None:
    assert text_of_match(value) == line


@pytest.fixture
def three(project: Project) -> Project:
    project.workflow("{StartAt: S, States: {S: {Type: Succeed}}}")
    project.workflow("{StartAt: S, States: {S: {Type: Fail, Error: Bad}}}", "bad.yaml")
    for name in ("one", "two"):
        project.sm("run", "order", "--name", name)
    project.sm("run", "bad", "--name", "three")
    return project


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        (["list", "-o", "jsonpath=$[*].name"], "three\ntwo\none\n"),
        (["list", "-o", "jsonpath=$[?(@.status=='FAILED')].name"], "three\n"),
        (["list", "--workflow", "nobody", "-o", "jsonpath=$[*].name"], ""),
        (["show", "three", "-o", "jsonpath={.error}"], "Bad\n"),
        (["history", "one", "-o", "jsonpath=$.states[*].name"], "S\n"),
        (["history", "one", "--events", "-o", "jsonpath=$.events[0].type"], "ExecutionStarted\n"),
        (["history", "one", "--events", "--follow", "-o", "jsonpath=$.type"],
         "ExecutionStarted\nSucceedStateEntered\nSucceedStateExited\nExecutionSucceeded\n"),
        (["why", "one", "-o", "jsonpath=$.reasons[*].kind"], "ended\n"),
        (["output", "one", "-o", "jsonpath=$"], "{}\n"),
        (["output", "one", "-o", "yaml"], "{}\n"),
        (["map-runs", "-o", "jsonpath=$[*].id"], ""),
        (["waits", "-o", "jsonpath=$[*].key"], ""),
        (["task", "list", "-o", "jsonpath=$[*].token"], ""),
        (["messages", "list", "-o", "jsonpath=$[*].id"], ""),
        (["send-message", "k=v", "-o", "jsonpath=$.outcome"], "buffered\n"),
    ],
)  # fmt: skip
def test_every_command_with_documents_takes_it(three: Project, line: list[str], printed: str) -> None:
    result = three.sm(*line)
    assert (result.code, result.out) == (0, printed)


def test_one_document_in_which_nothing_is_found_is_exit_code_3(three: Project) -> None:
    result = three.sm("show", "one", "-o", "jsonpath=$.nothing")
    assert (result.code, result.out, result.err) == (3, "", "sm: error: jsonpath=$.nothing finds nothing\n")


def test_a_wrong_expression_is_refused_before_anything_happens(three: Project) -> None:
    result = three.sm("run", "order", "--name", "four", "-o", "jsonpath=$[")
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert three.sm("show", "four").code == 3
