"""YAML text: JSON's scalars, one sentence with a place for each mistake, and a place for every value."""

from __future__ import annotations

import pytest
import yaml

from sm_cli.asl.text import yaml_source
from sm_cli.asl.text.source import parse
from sm_cli.jsonvalue import Json

SCALARS: list[tuple[str, Json]] = [
    ("true", True),
    ("false", False),
    ("null", None),
    ("", None),
    ("1", 1),
    ("-1.5", -1.5),
    ("1e5", 1e5),
    ("1.0", 1.0),
    ("NO", "NO"),
    ("yes", "yes"),
    ("on", "on"),
    ("True", "True"),
    ("~", "~"),
    ("Null", "Null"),
    ("12:30", "12:30"),
    ("0x1F", "0x1F"),
    ("0o17", "0o17"),
    ("010", "010"),
    ("1_000", "1_000"),
    ("+1", "+1"),
    (".5", ".5"),
    ("1.", "1."),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("2024-01-01", "2024-01-01"),
    ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ("'1'", "1"),
    ('"true"', "true"),
    ("!!str 5", "5"),
    ("!!int 5", 5),
    ("! 5", "5"),
    ("|\n  x\n  y\n", "x\ny\n"),
    (">-\n  x\n  y\n", "x y"),
    ("$.a.b", "$.a.b"),
    ("States.Format('{}, {}', $.a, $.b)", "States.Format('{}, {}', $.a, $.b)"),
    ('"{% $states.input %}"', "{% $states.input %}"),
]


@pytest.mark.parametrize(("written", "value"), SCALARS, ids=[s[0] for s in SCALARS])
def test_a_scalar_is_what_json_would_make_of_it_or_the_text_that_was_written(written: str, value: Json) -> None:
    document = parse(f"a: {written}").document
    assert document is not None
    assert document.value == {"a": value}
    assert type(document.value["a"]) is type(value)  # True is not 1


def test_keys_are_texts_as_they_are_written() -> None:
    document = parse("1: a\n2.50: b\ntrue: c\n~: d\n'5': e\n2024-01-01: f\n").document
    assert document is not None
    assert list(document.value) == ["1", "2.50", "true", "~", "5", "2024-01-01"]  # type: ignore[arg-type] # a dict


MISTAKES = [
    ("a: 1\nb: 2\na: 3", "SM006", (3, 1), "'a' stands here again; its first is on line 1"),
    ("1: x\n'1': y", "SM006", (2, 1), "its first is on line 1"),
    ("a: &x 1\nb: *x", "SM010", (1, 4), "anchor &x"),
    ("a: &x {b: 1}", "SM010", (1, 4), "anchor &x"),
    ("&x a: 1", "SM010", (1, 1), "anchor &x"),
    ("a: *x", "SM010", (1, 4), "alias *x"),
    ("<<: {a: 1}", "SM011", (1, 1), "merge key <<"),
    ("a: !Sub x", "SM012", (1, 4), "tag !Sub"),
    ("a: !GetAtt\n  - b", "SM012", (1, 4), "tag !GetAtt"),
    ("a: !!binary aGk=", "SM012", (1, 4), "tag !!binary"),
    ("a: 1\n---\nb: 2", "SM013", (2, 1), "second YAML document"),
    ("a: 123456789012345678901234", "SM007", (1, 4), "64 bits"),
    ("a: 1e999", "SM007", (1, 4), "double cannot keep"),
    ("a:\n\t- b", "SM004", (2, 1), "tab"),
    ("a: 1\n b: 2", "SM004", (2, 3), "':' cannot stand here"),
    ("a: b: c", "SM004", (1, 5), "':' cannot stand here"),
    ("a:\n  - 1\n b: 2", "SM004", (3, 2), "expected here"),
    ("a: {% $x %}", "SM004", (1, 5), "must stand in quotes"),
    ("a: @b", "SM004", (1, 4), "cannot begin with '@'"),
    ("a: `b`", "SM004", (1, 4), "cannot begin with '`'"),
    ('a: "b', "SM004", (1, 6), "not closed"),
    ('a: "\\q"', "SM004", (1, 5), "does not know this escape"),
    ("a: [1, 2", "SM004", (1, 9), "']' was expected"),
    ("a: {b: 1", "SM004", (1, 9), "'}' was expected"),
    ("a: 1\nb\nc: 2", "SM004", (3, 1), "':' is missing"),
    ("? {a: 1}\n: 2", "SM004", (1, 3), "a text, not a mapping"),
    ("a: \x00", "SM004", (1, 4), "control character"),
    ("- a", "SM005", (1, 1), "this is an array"),
    ("just text", "SM005", (1, 1), "this is text"),
]


@pytest.mark.parametrize(("text", "code", "place", "words"), MISTAKES, ids=repr)
def test_a_mistake_gets_one_sentence_with_its_place(text: str, code: str, place: tuple[int, int], words: str) -> None:
    parsed = parse(text, file="w.yaml")
    assert parsed.document is None
    problem = parsed.diagnostics[0]
    assert len(parsed.diagnostics) == 1 or code == "SM010"
    assert (problem.code, problem.severity, problem.file) == (code, "error", "w.yaml")
    assert words in problem.message
    assert problem.position is not None
    if yaml.__with_libyaml__:  # the parser in Python puts some of its errors one column aside
        assert (problem.position.line, problem.position.column) == place


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "a: " + "{a: " * 100_000, "- " * 100_000])
def test_a_hundred_thousand_brackets_are_one_sentence(text: str) -> None:
    [problem] = parse(text).diagnostics
    assert problem.code == "SM009"


def test_a_laughing_billion_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    parsed = parse("\n".join(lines))
    assert parsed.document is None
    assert {d.code for d in parsed.diagnostics} == {"SM010"}


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_values_and_their_places_do_not_depend_on_the_parser(loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "_LOADER", loader)
    document = parse("a:\n- 1\n- b: x\n  c: |\n    foo\n    bar\n\n# remark\nd: {e: [ü, 2]}\nf:\n").document
    assert document is not None
    assert document.value == {"a": [1, {"b": "x", "c": "foo\nbar\n"}], "d": {"e": ["ü", 2]}, "f": None}

    def place(pointer: str, *, key: bool = False) -> tuple[int, int, int, int]:
        found = document.position(pointer, key=key)
        assert found is not None
        return found.line, found.column, found.end_line, found.end_column

    assert place("/a") == (2, 1, 6, 8)  # without the blank line and the remark after it
    assert place("/a/1/b") == (3, 6, 3, 7)
    assert place("/a/1/c") == (4, 6, 6, 8)
    assert place("/a/1/c", key=True) == (4, 3, 4, 4)
    assert place("/d/e/1") == (9, 12, 9, 13)
    assert place("/d") == (9, 4, 9, 15)
    assert place("/f")[:2] == (10, 3)


def test_numbers_stay_what_was_written_where_only_text_can_be_meant() -> None:
    document = parse(
        "Version: 1.0\nStartAt: 1\nComment: 3\nStates:\n"
        "  1: {Type: Task, Resource: x, Parameters: {Version: 1.0}, Next: 2.0,\n"
        "      Catch: [{ErrorEquals: [404], Next: 2.0}]}\n"
        "  2.0: {Type: Fail, Error: 404, Cause: 5}\n"
    ).document
    assert document is not None
    assert document.value == {
        "Version": "1.0",
        "StartAt": "1",
        "Comment": "3",
        "States": {
            "1": {
                "Type": "Task",
                "Resource": "x",
                "Parameters": {"Version": 1.0},
                "Next": "2.0",
                "Catch": [{"ErrorEquals": ["404"], "Next": "2.0"}],
            },
            "2.0": {"Type": "Fail", "Error": "404", "Cause": "5"},
        },
    }
    assert document.source_of("/Version") == "1.0"


def test_json_has_quotes_so_that_a_number_there_stays_a_number() -> None:
    document = parse('{"Version": 1.0}').document
    assert document is not None
    assert document.value == {"Version": 1.0}


@pytest.mark.parametrize("text", ["a: {b: ${B}}", "a: [${B}]"])
def test_a_substitution_inside_braces_is_told_to_stand_in_quotes(text: str) -> None:
    (problem,) = parse(text).diagnostics
    assert (problem.code, problem.hint) == ("SM004", 'write "${…}"')
    assert problem.position is not None
    assert problem.position.column == text.index("${B}") + 2
