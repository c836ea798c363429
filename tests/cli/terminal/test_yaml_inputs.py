"""Inputs as YAML: what JSON can hold, kept exactly or refused with line and column."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.text.yaml_data import read_data
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json
from tests.cli.conftest import Project

ECHO = "{StartAt: S, States: {S: {Type: Pass, End: true}}}"
DATA = """
# an order
orderId: 007
amount: 12.50
on: yes
date: 2026-01-31
time: 12:30
hex: 0x1F
big: 18446744073709551615
none: null
empty:
items:
  - {sku: a, n: 1}
  - "quoted: text"
note: |
  two
  lines
"""
VALUE: dict[str, Any] = {
    "orderId": "007", "amount": 12.5, "on": "yes", "date": "2026-01-31", "time": "12:30", "hex": "0x1F",
    "big": 18446744073709551615, "none": None, "empty": None, "items": [{"sku": "a", "n": 1}, "quoted: text"],
    "note": "two\nlines\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ["data.yaml", "data.yml", "data.txt", "data"])
def test_a_file_may_be_yaml(project: Project, name: str) -> None:
    project.workflow(ECHO)
    project.write(name, DATA)
    assert project.sm("run", "--input", name).json == VALUE
    assert project.sm("run", "--input", name, "amount=1").json == {**VALUE, "amount": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (DATA, VALUE), ("- 1\n- a\n", [1, "a"]), ("---\na: 1\n", {"a": 1}), ("\ufeffa: 1\n", {"a": 1}), ("-5", -5),
        ('{"a": 1}', {"a": 1}), ("true", True), ('"text"', "text"),
    ],
)  # fmt: skip
def test_stdin_may_be_yaml(project: Project, text: str, value: Json) -> None:
    project.workflow(ECHO)
    assert project.sm("run", "--input", "-", stdin=text).json == value


def test_a_yaml_file_may_hold_json_and_a_lone_text(project: Project) -> None:
    project.workflow(ECHO)
    for text, value in (('{"a":\t1}', {"a": 1}), ("{a: 1}", {"a": 1}), ("word", "word"), ("12:30", "12:30")):
        project.write("data.yaml", text)
        assert project.sm("run", "--input", "data.yaml").json == value


def test_a_message_and_a_result_may_be_yaml(project: Project) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Task, Resource: 'ask.waitForTaskToken', End: true}}}", "ask.yaml")
    project.workflow(
        "{StartAt: S, States: {S: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, End: true}}}"
    )
    project.handlers('@handler("ask")\ndef ask(input):\n    return None\n')
    project.write("data.yaml", "a: [1, NO]\n")
    project.sm("run", "order", "v=1", "--name", "m", "--detach")
    project.sm("run", "ask", "--name", "t", "--detach")
    project.sm("worker", "--drain", "--ok-to-leave")
    token = project.sm("task", "list", "--json").json[0]["token"]
    assert project.sm("task", "success", token, "--output", "data.yaml").code == 0
    assert project.sm("send-message", "k=1", "--data", "data.yaml").code == 0
    project.sm("worker", "--drain")
    assert project.sm("output", "t").json == {"a": [1, "NO"]}
    assert project.sm("output", "m").json == {"v": 1, "a": [1, "NO"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "the key 'a' stands here again; its first is on line 1, at line 2, column 1"),
        ("a: &x 1\n", "the anchor &x is not part of JSON, at line 1, column 4"),
        ("a: *x\n", "the alias *x is not part of JSON, at line 1, column 4"),
        ("a: !!timestamp 2026-01-31\n", "the YAML tag !!timestamp is not part of JSON, at line 1, column 4"),
        ("a: 1\n<<: {b: 1}\n", "the merge key << is not part of JSON, at line 2, column 1"),
        ("a: 1\n---\nb: 1\n", "a second YAML document begins here; data is one document, at line 2, column 1"),
        ("a: 18446744073709551616\n", "the integer 18446744073709551616, which does not fit in 64 bits"),
        ("a: 0.12345678901234567890\n", "which a double cannot keep exactly"),
        ("a: [1\n", "at line 2, column 1"),
        ("a:\n\tb: 1\n", "a tab cannot indent YAML, at line 2, column 1"),
        ("a: {b: {% x %}}\n", "this must stand in quotes in YAML"),
        ("# nothing\n", "data.yaml is empty"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(project: Project, text: str, says: str) -> None:
    project.workflow(ECHO)
    project.write("data.yaml", text.encode())
    result = project.sm("run", "--input", "data.yaml")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("sm: error: data.yaml ")
    assert says in result.err
    assert "definition" not in result.err
    assert "States Language" not in result.err


@pytest.mark.parametrize("text", ["hello", "NaN", "[1", '{"a": }', "12:30"])
def test_stdin_that_is_neither_is_refused_as_json(project: Project, text: str) -> None:
    project.workflow(ECHO)
    result = project.sm("run", "--input", "-", stdin=text)
    assert result.code == 2
    assert "stdin is not JSON" in result.err or "not JSON" in result.err


@pytest.mark.parametrize("text", ["", " \n"])
def test_stdin_without_anything_is_told_as_empty(project: Project, text: str) -> None:
    project.workflow(ECHO)
    result = project.sm("run", "--input", "-", stdin=text)
    assert (result.code, result.out, result.err) == (2, "", "sm: error: stdin is empty\n")


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InvalidJson, match="data is not UTF-8: byte 3 is 0xff"):
        read_data(b"a: \xff", "data")
