"""JSON text: one sentence with a place for each mistake, and a place for every value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.asl.text import json_source
from sm_cli.asl.text.source import parse
from sm_cli.asl.text.spans import Lines, find
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json

MISTAKES = [
    ('{"a": 1,}', "SM003", (1, 8), "no ',' before the closing '}'"),
    ('{"a": [1,\n]}', "SM003", (1, 9), "no ',' before the closing ']'"),
    ('{"a": 1 "b": 2}', "SM003", (1, 9), "',' is missing"),
    ('{"a" 1}', "SM003", (1, 6), "':' is missing after the key 'a'"),
    ('{"a": "b": 2}', "SM003", (1, 10), "':' cannot stand here"),
    ('{"a": }', "SM003", (1, 7), "value is missing"),
    ('{,"a": 1}', "SM003", (1, 2), "one too many"),
    ('{"a": [1}', "SM003", (1, 9), "cannot close the '[' of line 1"),
    ('{"a": {"b": 1],\n"c": 2}', "SM003", (1, 14), "cannot close the '{' of line 1"),
    ('{"a": 1', "SM003", (1, 8), "before the '{' of line 1 is closed"),
    ('{"a": ["b"', "SM003", (1, 11), "before the '[' of line 1 is closed"),
    ('{"a": 1} x', "SM003", (1, 10), "has ended before this"),
    ('{"a": 1} // done', "SM003", (1, 10), "no comments"),
    ('{"a": 1, # one\n "b": 2}', "SM003", (1, 10), "no comments"),
    ('{/* why */ "a": 1}', "SM003", (1, 2), "no comments"),
    ("{'a': 1}", "SM003", (1, 2), "double quotes"),
    ("{\"a\": 'b'}", "SM003", (1, 7), "double quotes"),
    ('{"a": b}', "SM003", (1, 7), "JSON has no value b"),
    ('{"a": True}', "SM003", (1, 7), "writes true, not True"),
    ('{"a": None}', "SM003", (1, 7), "writes null, not None"),
    ('{"a": 01}', "SM003", (1, 7), "01 is not a JSON number"),
    ('{"a": .5}', "SM003", (1, 7), ".5 is not a JSON number"),
    ('{"a": +1}', "SM003", (1, 7), "+1 is not a JSON number"),
    ('{"a": 0x1F}', "SM003", (1, 7), "0x1F is not a JSON number"),
    ('{"a": "b\nc"}', "SM003", (1, 7), "not closed on its line"),
    ('{"a": "b\tc"}', "SM003", (1, 9), "0x09 must be written"),
    ('{"a": "\\x"}', "SM003", (1, 8), "does not know the escape \\x"),
    ('{"a": "b', "SM003", (1, 7), "not closed"),
    ('{"a": NaN}', "SM007", (1, 7), "no NaN"),
    ('{"a": -Infinity}', "SM007", (1, 7), "no -Infinity"),
    ('{"a": 1e999}', "SM007", (1, 7), "double cannot keep"),
    ('{"a": 123456789012345678901234}', "SM007", (1, 7), "64 bits"),
    ('{"a": 0.1234567890123456789}', "SM007", (1, 7), "double cannot keep"),
    ('{"a": "\\ud800"}', "SM014", (1, 7), "surrogate"),
    ('{"\\udc00": 1}', "SM014", (1, 2), "surrogate"),
    ('{"a": 1,\n "b": {"a": 2, "a": 3}}', "SM006", (2, 16), "'a' stands here again; its first is on line 2"),
    ('{"a": 1,\n "\\u0061": 2}', "SM006", (2, 2), "its first is on line 1"),
]


@pytest.mark.parametrize(("text", "code", "place", "words"), MISTAKES, ids=[m[0][:24] for m in MISTAKES])
def test_a_mistake_gets_one_sentence_with_its_place(text: str, code: str, place: tuple[int, int], words: str) -> None:
    parsed = parse(text, file="w.json")
    assert parsed.document is None
    [problem] = parsed.diagnostics
    assert (problem.code, problem.severity, problem.file) == (code, "error", "w.json")
    assert problem.position is not None
    assert (problem.position.line, problem.position.column) == place
    assert words in problem.message
    assert not problem.message[0].islower()


@pytest.mark.parametrize("text", ['{"a":' * 100_000, "[" * 100_000, '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_a_hundred_thousand_brackets_are_one_sentence(text: str) -> None:
    [problem] = parse(text).diagnostics
    assert problem.code == "SM009"
    assert "more than 200 levels" in problem.message


def test_two_hundred_levels_are_not_too_deep_and_one_more_is() -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    assert parse(nested(200)).document is not None
    assert [d.code for d in parse(nested(201)).diagnostics] == ["SM009"]


def test_all_mistakes_that_leave_the_structure_readable_are_reported_at_once() -> None:
    parsed = parse('{"a": 1, "a": 2, "b": 1e999, "c": "\\ud800", "c": 3}')
    assert [d.code for d in parsed.diagnostics] == ["SM006", "SM007", "SM014", "SM006"]


def test_a_text_full_of_mistakes_ends_in_a_hundred_and_one_sentences() -> None:
    text = "{" + ",".join('"a": 1' for _ in range(5_000)) + "}"
    assert len(parse(text).diagnostics) == json_source.MAX_PROBLEMS + 1


def test_what_the_first_reader_refuses_the_scanner_can_explain() -> None:
    for text, *_ in MISTAKES:
        assert json_source.read_json_text(text)[1] == json_source.scan(text)[1] != []


json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(json_values, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_value_of_a_right_text_has_the_place_where_it_is_written(
    value: Json, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    root, problems = json_source.scan(text)
    assert problems == []
    assert root is not None
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        pointer, part = waiting.pop()
        span = find(root, pointer)
        assert span is not None
        assert json.loads(text[span.start : span.end]) == part
        if isinstance(part, dict):
            for key in part:
                inner = find(root, child(pointer, key))
                assert inner is not None
                assert json.loads(text[inner.key_start : inner.key_end]) == key
                waiting.append((child(pointer, key), part[key]))
        elif isinstance(part, list):
            waiting.extend((child(pointer, i), item) for i, item in enumerate(part))


@settings(deadline=None)
@given(json_values.map(json.dumps), st.data())
def test_the_scanner_and_the_first_reader_agree_about_damaged_texts(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    instead = data.draw(st.sampled_from(["", ",", '"', "}", "]", "{", ":", "1", "e", "\\", "\n"]))
    damaged = text[:at] + instead + text[at + 1 :]
    value, problems = json_source.read_json_text(damaged)
    root, found = json_source.scan(damaged)
    assert problems == found
    if root is not None:
        assert {p.code for p in found} <= {"SM006", "SM007", "SM014"}
    if not problems:
        assert value == json.loads(damaged)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_that_an_editor_shows(end: str) -> None:
    text = end.join(["{", '  "ä€": 1,', '  "b": "x"', "}"])
    document = parse(text).document
    assert document is not None
    place, key = document.position("/b"), document.position("/b", key=True)
    assert place is not None and key is not None
    assert (place.line, place.column, place.end_line, place.end_column) == (3, 8, 3, 11)
    assert (key.line, key.column, key.end_column) == (3, 3, 6)


def test_the_last_offset_of_a_text_has_a_place() -> None:
    assert Lines("a\nb").position(3, 3).column == 2


def test_a_substitution_without_quotes_is_its_text_where_a_value_stands() -> None:
    text = '{"a": ${A}, "b": [${ f("x") }, "${C} \\" ${D}"],\n "c": ${E}}'
    value, problems = json_source.read_json_text(text)
    assert (value, problems) == ({"a": "${A}", "b": ['${ f("x") }', '${C} " ${D}'], "c": "${E}"}, [])
    span = find(json_source.scan(text)[0] or pytest.fail("it has places"), "/c")
    assert span is not None
    assert text[span.start : span.end] == "${E}"


@pytest.mark.parametrize(
    "text", ['{"a": ${}}', '{"a": ${A}', '{"a": $A}', "{${A}: 1}", '{"a": ${A} ${B}}', '{"a": 01, "b": ${B}}']
)
def test_a_substitution_excuses_nothing_else(text: str) -> None:
    assert json_source.read_json_text(text)[1] != []
