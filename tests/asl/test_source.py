"""From bytes, text or a value to a Document; nothing makes it raise."""

from __future__ import annotations

import math
from collections import OrderedDict, UserDict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.asl.text import source
from sm_cli.asl.text.source import from_value, parse


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ('{"a": 1}', "json"),
        ('\n \t{"a": 1}', "json"),
        ("a: 1", "yaml"),
        ("--- {a: 1}", "yaml"),
        ("{a: 1}", "yaml"),
        ("{StartAt: A, States: {A: {Type: Succeed}}}", "yaml"),
        ("# remark\na: 1", "yaml"),
    ],
)
def test_the_format_is_seen_from_the_content(text: str, format: str) -> None:
    document = parse(text).document
    assert document is not None
    assert document.format == format


def test_a_file_that_says_yaml_may_hold_what_json_refuses() -> None:
    text = '{"a": 1, # remark\n "b": 2,}'
    assert parse(text, file="w.json").document is None
    document = parse(text, file="w.yml").document
    assert document is not None
    assert document.value == {"a": 1, "b": 2}


def test_json_that_is_wrong_is_told_json_s_mistakes_whatever_yaml_says() -> None:
    [problem] = parse('{"a": 1,}').diagnostics
    assert problem.code == "SM003"


@pytest.mark.parametrize("empty", ["", " ", "\n\n\t", b"", "\ufeff", b"\xef\xbb\xbf ", "# only a remark\n", "---\n"])
def test_an_empty_definition_is_called_empty_or_no_object(empty: str | bytes) -> None:
    [problem] = parse(empty).diagnostics
    assert problem.message == "The definition is empty" or problem.message.endswith("this is null")


@pytest.mark.parametrize(
    ("text", "what"), [("[1]", "an array"), ("'a'", "text"), ("5", "a number"), ("true", "true"), ("null", "null")]
)
def test_what_is_no_object_is_called_what_it_is(text: str, what: str) -> None:
    [problem] = parse(text).diagnostics
    assert problem.code == "SM005"
    assert problem.message == f"A definition is an object with StartAt and States; this is {what}"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    for text in ("\ufeff" + '{"a": 1}', b"\xef\xbb\xbf" + b'{"a": 1}', "\ufeffa: 1"):
        document = parse(text).document
        assert document is not None
        assert document.value == {"a": 1}
        place = document.position("/a")
        assert place is not None
        assert place.line == 1


def test_bytes_that_are_not_utf8_are_named_with_their_line() -> None:
    [problem] = parse(b'{\n "\xc3\xa4": "\xff"}').diagnostics
    assert problem.code == "SM001"
    assert "line 2" in problem.message and "0xff" in problem.message
    assert problem.position is not None
    assert (problem.position.line, problem.position.column) == (2, 8)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf16_is_not_read_as_anything_else(encoding: str) -> None:
    parsed = parse('{"a": 1}'.encode(encoding))
    assert parsed.document is None
    assert parsed.diagnostics


def test_half_a_surrogate_pair_in_a_python_text_is_refused() -> None:
    [problem] = parse('{"a": "\ud800"}').diagnostics
    assert problem.code == "SM014"


def test_a_definition_over_aws_s_limit_is_read_with_a_warning() -> None:
    parsed = parse('{"a": "%s"}' % ("x" * source.AWS_MAX_BYTES))
    assert parsed.document is not None
    assert [(d.code, d.severity) for d in parsed.diagnostics] == [("SM015", "warning")]


def test_a_definition_over_ten_megabytes_is_not_read() -> None:
    parsed = parse(b'{"a": "%s"}' % (b"x" * source.MAX_BYTES))
    assert parsed.document is None
    assert [(d.code, d.severity) for d in parsed.diagnostics] == [("SM008", "error")]


def test_a_value_that_a_program_gives_is_copied_and_has_no_places() -> None:
    given_value: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    document = from_value(given_value).document
    assert document is not None
    assert (document.value, document.format, document.text) == (given_value, "value", None)
    given_value["States"]["A"]["Type"] = "Fail"
    assert document.value == {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    assert document.position("/StartAt") is None
    assert document.source_of("/StartAt") is None


def test_a_mapping_and_a_tuple_that_json_can_write_are_taken() -> None:
    document = from_value(OrderedDict(a=(1, 2))).document
    assert document is not None
    assert document.value == {"a": [1, 2]}


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


def _deep() -> Any:
    value: Any = {}
    for _ in range(230):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"a": math.nan},
        {"a": math.inf},
        {"a": 2**70},
        {"a": {1, 2}},
        {"a": b"x"},
        {1: "a"},
        {"a": object()},
        {"a": "\ud800"},
        UserDict(a=1),
        _endless(),
        _deep(),
        [1],
        None,
        5,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_no_json_object_is_refused_in_one_sentence(value: object) -> None:
    parsed = from_value(value)
    assert parsed.document is None
    [problem] = parsed.diagnostics
    assert problem.severity == "error"
    assert "\n" not in problem.message


def test_a_pointer_that_names_nothing_has_no_place() -> None:
    document = parse('{"a": [1], "b/~": {"": 2}}').document
    assert document is not None
    for pointer in ("/x", "/a/1", "/a/-1", "/a/x", "/a/0/0", "/b", "/b~1~0/x"):
        assert document.position(pointer) is None
    assert document.position("/b~1~0/") is not None
    assert document.position("") is not None


@settings(deadline=None)
@given(st.text() | st.binary())
def test_no_text_makes_it_raise(text: str | bytes) -> None:
    parsed = parse(text)
    assert (parsed.document is None) == any(d.severity == "error" for d in parsed.diagnostics)
    assert all(d.position is not None for d in parsed.diagnostics)


@settings(deadline=None)
@given(st.text(alphabet=" \n\t-:?[]{},&*#!|>'\"%@`ab1.$<~", max_size=60))
def test_no_text_of_yaml_s_own_characters_makes_it_raise(text: str) -> None:
    parsed = parse(text)
    assert (parsed.document is None) == any(d.severity == "error" for d in parsed.diagnostics)
