"""Filters: each operator over each kind of value, logic, operands, and what an unquoted word is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.expr.jsonpath.filter import LENGTHS, bounded_regex, same
from sm_cli.expr.jsonpath.path import PathError, PathNotFound, compile_path

PEOPLE: list[Any] = [
    {"n": 1, "name": "Ann", "age": 30, "tags": ["a", "b"], "address": {"city": "Rome"}},
    {"n": 2, "name": "Bob", "age": 41.5, "tags": [], "active": True},
    {"n": 3, "name": "", "age": None, "active": False},
    {"n": 4, "age": "30"},
    {"n": 5, "name": "Ann", "age": 30.0, "tags": "ab", "o": {}},
]


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("@.name", [1, 2, 3, 5]),
        ("!@.name", [4]),
        ("!(@.name)", [4]),
        ("@.age", [1, 2, 3, 4, 5]),
        ("@.address.city", [1]),
        ("@.tags[*]", [1]),
        ("@..city", [1]),
        ("@['name']", [1, 2, 3, 5]),
        ("@.tags[0]", [1]),
        ("@.age == 30", [1, 4, 5]),
        ("@.age==30.0", [1, 5]),
        ("30 == @.age", [1, 4, 5]),
        ("@.age != 30", [2, 3]),
        ("@.age == null", [3]),
        ("@.name == null", []),
        ("@.none == @.neither", []),
        ("@.none != 1", [1, 2, 3, 4, 5]),
        ("@.age == '30'", [1, 4, 5]),
        ('@.age == "30"', [1, 4, 5]),
        ("@.active == true", [2]),
        ("@.active == false", [3]),
        ("@.active == 1", []),
        ("@.active === true", [2]),
        ("@.active !== true", [1, 3, 4, 5]),
        ("@.n == 1e0", [1]),
        ("@.n > -1 && @.n < 2", [1]),
        ("@.age > 30", [2]),
        ("@.age >= 30", [1, 2, 5]),
        ("@.age < 41", [1, 5]),
        ("@.age <= 41.5", [1, 2, 5]),
        ("@.name < 'B'", [1, 3, 5]),
        ("@.name > 1", []),
        ("@.active > false", []),
        ("@.tags == ['a', 'b']", [1]),
        ("@.tags == []", [2]),
        ("@.address == {'city': 'Rome'}", [1]),
        ('@.address == {"city": "Oslo"}', []),
        ("@.o == {}", [5]),
        ("@.name in ['Ann', 'Eve']", [1, 5]),
        ("@.name in @.tags", []),
        ("'a' in @.tags", [1]),
        ("@.name IN ['Bob']", [2]),
        ("@.name in['Bob']", [2]),
        ("@.name nin ['Ann']", [2, 3, 4]),
        ("@.name in 'Ann'", []),
        ("@.tags contains 'a'", [1, 5]),
        ("@.name contains 'nn'", [1, 5]),
        ("@.name contains 1", []),
        ("@.tags all ['b']", [1]),
        ("@.tags subsetof ['a','b','c']", [1, 2]),
        ("@.tags anyof ['b','z']", [1]),
        ("@.tags noneof ['z']", [1, 2]),
        ("@.tags noneof 'z'", []),
        ("@.tags size 2", [1, 5]),
        ("@.tags size 0", [2]),
        ("@.address size 1", [1]),
        ("@.tags size '2'", []),
        ("@.tags empty true", [2]),
        ("@.name empty true", [3]),
        ("@.name empty false", [1, 2, 5]),
        ("@.o empty true", [5]),
        ("@.age empty true", []),
        ("@.name =~ /A.*/", [1, 5]),
        ("@.name =~ /a.*/", []),
        ("@.name =~ /a.*/i", [1, 5]),
        ("@.name =~ /n/", []),
        (r"@.name =~ /\w{3}/", [1, 2, 5]),
        ("@.n =~ /[12]/", [1, 2]),
        ("@.active =~ /t.*/", [2]),
        ("@.tags =~ /.*/", [5]),
        ("@.name == 'Ann' && @.age == 30", [1, 5]),
        ("@.n == 1 || @.n == 2 && @.name == 'nobody'", [1]),
        ("(@.n == 1 || @.n == 2) && @.name == 'Bob'", [2]),
        ("!(@.n == 1 || @.n == 2)", [3, 4, 5]),
        ("!@.active && !@.tags", [4]),
        ("@.n==1||@.n==2", [1, 2]),
        ("\n  @.n == 1\n  && @.age > 1\n", [1]),
        ("@.name == Ann", [1, 5]),
        ("@.name==Bob", [2]),
        ("Ann == @.name", [1, 5]),
        ("@.tags.length() > 0", [1]),
        ("@.n == $[1].n", [2]),
        ("@.n > $.length() || @.n == $.length()", [5]),
        ("@.tags[?(@ == 'b')]", [1]),
    ],
)
def test_a_filter_keeps_what_passes(expression: str, numbers: list[int]) -> None:
    assert compile_path(f"$[?({expression})].n").find(PEOPLE) == numbers


def test_a_filter_tests_scalars_too() -> None:
    assert compile_path("$[?(@ > 1)]").find([1, 2, "3", 4]) == [2, 4]


def test_a_filter_on_an_object_tests_the_object_itself() -> None:
    path = compile_path("$.order[?(@.total > 5)].id")
    assert path.find({"order": {"id": 7, "total": 6}}) == [7]
    assert path.find({"order": {"id": 7, "total": 5}}) == []


def test_the_dollar_in_a_filter_is_the_root_of_the_document() -> None:
    approaches = [{"workerId": 1, "approach": "x"}, {"workerId": 2, "approach": "y"}]
    document: Any = {"agent_id": 2, "approaches": approaches}
    assert compile_path("$.approaches[?(@.workerId == $.agent_id)].approach").find(document) == ["y"]
    assert compile_path("$.approaches[?(@.workerId == $.nobody)].approach").find(document) == []


def test_the_unquoted_words_of_a_filter_are_reported() -> None:
    assert compile_path("$[?(@.a == es && @.b == 1 && @.c == 'x' && @.d == true)]").words == ("es",)
    assert compile_path("$.a").words == ()


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        (None, None, True),
        (None, False, False),
        ([1, {"a": [True]}], [1, {"a": [True]}], True),
        ([1, {"a": [True]}], [1, {"a": [1]}], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2], [2, 1], False),
        ([], {}, False),
    ],
)
def test_equality_is_that_of_json(left: Any, right: Any, equal: bool) -> None:
    assert same(left, right) is equal
    assert same(right, left) is equal


@pytest.mark.parametrize(
    ("test", "matches"),
    [
        ("@ == '1'", [1, "1", 1.0]),
        ("@ == 1", [1, "1", 1.0]),
        ("@ == '1.0'", [1, 1.0, "1.0"]),
        ("@ == 1.0", [1, 1.0, "1.0"]),
        ("'1' == @", [1, "1"]),
        ("@ == ' 1'", []),
        ("@ == 'NaN'", []),
        ("@ == '1e0'", [1, 1.0]),
        ("@ == 'true'", []),
        ("@ === '1'", ["1"]),
        ("@ !== 1", ["1", "1.0", True, None, [1]]),
        ("@ != 1", ["1.0", True, None, [1]]),
        ("@ in ['1', null]", [1, "1", 1.0, None]),
        ("@ contains '1'", ["1", "1.0", [1]]),
        ("@ < '2'", ["1", "1.0"]),
    ],
)
def test_a_number_and_a_text_are_compared_as_jayway_does(test: str, matches: list[Any]) -> None:
    document: Any = {"items": [1, "1", 1.0, "1.0", True, None, [1]]}
    found = compile_path(f"$.items[?({test})]").find(document)
    assert list(map(repr, found)) == list(map(repr, matches))  # type: ignore[arg-type]  # a filter finds a list


# -- what a regular expression may cost ------------------------------------------------------------------------------

REPEATED = "repeats a group in which something is repeated: that can take forever"
ALIKE = "repeats a group whose alternatives may begin alike: that can take forever"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(a+)+", REPEATED),
        ("(a*)*b", REPEATED),
        ("(?:a+)+?", REPEATED),
        ("(?P<name>a+){2,}", REPEATED),
        ("(a+)++", REPEATED),
        ("([a-z]+){10}", REPEATED),
        ("((a+)b)*", REPEATED),
        ("(a?){30}", REPEATED),
        ("(a{1,2})*", REPEATED),
        ("(a+)(?#a comment)+", REPEATED),
        ("(?i:a+)*", REPEATED),
        (r"(\(a+)*", REPEATED),
        ("([)]+)*", REPEATED),
        ("([]x]+)*", REPEATED),
        ("(a|a)*", ALIKE),
        ("(?:a|a)*", ALIKE),
        ("(a|A)*", ALIKE),
        ("(a|ab)*", ALIKE),
        ("(.|a)*", ALIKE),
        (r"(\w|\d)+", ALIKE),
        ("(a|)*", ALIKE),
        ("((a|a)b)+", ALIKE),
        ("((a)|(a))+", ALIKE),
        ("(a{0}b|b)+", ALIKE),
        ("(a?+b|b)+", ALIKE),
        (r"(\bb|b)+", ALIKE),
        ("a?" * 30 + "a" * 30, "has too many repeats to be tried in all ways"),
        ("(a|a)" * 30, "has too many repeats to be tried in all ways"),
        (".*" * 12, "has too many repeats to be tried in all ways"),
        ("a?" + ".*" * 300, "has too many repeats to be tried in all ways"),
        ("[a[bc]]", r"combines sets in brackets; write \[ where the bracket itself is meant"),
        (r"x[^\\[]", r"combines sets in brackets; write \[ where the bracket itself is meant"),
        ("[a-z&&[^x]]", r"combines sets in brackets; write \[ where the bracket itself is meant"),
        ("(?x:(a+) +)", "sets the flag x for a part of it only"),
    ],
)
def test_a_pattern_that_could_be_tried_forever_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(PathError) as caught:
        compile_path(f"$[?(@.name =~ /{pattern}/)]")
    assert caught.value.message.startswith("The path $[?(@.name =~ /")
    assert caught.value.message.endswith(f" has a regular expression that {says}")
    assert caught.value.position == 14


@pytest.mark.parametrize(
    ("pattern", "flags", "refused"),
    [
        ("(a+) +", re.X, True),
        ("(a+) # why not\n+", re.X, True),
        ("(?x)(a+) +", re.NOFLAG, True),
        ("(a+) +", re.NOFLAG, False),
        (r"(a)# (b+)*", re.X, False),
    ],
)
def test_spaces_and_comments_are_passed_over_where_the_pattern_may_hold_them(
    pattern: str, flags: re.RegexFlag, refused: bool
) -> None:
    if refused:
        with pytest.raises(ValueError, match=REPEATED):
            bounded_regex(pattern, flags)
    else:
        assert bounded_regex(pattern, flags).longest == 10_000


@pytest.mark.parametrize(
    ("pattern", "fits", "longest"),
    [
        (r"\d{4}-\d{2}-\d{2}", "2024-01-31", 10_000),
        (r"[^/]+/.*", "a/b", 10_000),
        (r"-?\d+(\.\d+)?", "-1.25", 5_000),
        ("(foo|bar)+", "foobarfoo", 10_000),
        (r"(\.|\\)+", ".\\.", 10_000),
        (r"(\d{3},)*\d{3}", "123,456", 10_000),
        (r"(\[x\+\])+", "[x+][x+]", 10_000),
        (r"([\[\]a-z_\-&|]x)+", "[x]x&x", 10_000),
        (r"([)(+*]x)+", ")x+x", 10_000),
        (r"(?P<a>x)(?P=a)+", "xxx", 10_000),
        ("(x{)+", "x{x{", 10_000),
        ("https?://[^/]+/.*", "https://a.b/c", 5_000),
        (r"(\w++,?+)+", "a,b,c", 10_000),
        (r"[\w.+-]+@[\w-]+\.[\w.-]+", "a.b@c.de", 500),
        (".*a.*b.*c.*", "-a-b-c-", 200),
        (r"\s*(\w+)\s*=\s*(\w+)\s*;\s*", "a = b;", 20),
        (r"\s*+(\w++)\s*+=\s*+(\w++)\s*+;\s*+", "a = b;", 10_000),
    ],
)
def test_the_more_a_pattern_leaves_open_the_shorter_is_the_text_it_is_matched_against(
    pattern: str, fits: str, longest: int
) -> None:
    compiled = bounded_regex(pattern, re.NOFLAG)
    assert compiled.longest == longest
    assert compiled.expression.fullmatch(fits)


def test_a_text_of_10_000_characters_is_matched_and_a_longer_one_ends_the_path() -> None:
    path = compile_path("$[?(@ =~ /a+/)]")
    assert path.find(["a" * 10_000, "b" * 10_000]) == ["a" * 10_000]
    with pytest.raises(PathNotFound) as caught:
        path.find(["a" * 10_001])
    assert caught.value.reason == (
        "The regular expression /a+/ is matched against at most 10,000 characters, not 10,001"
    )


@pytest.mark.parametrize("pattern", [".*.*x", r"\w+\w+\w+-", "(.*a)(.*a)(.*a).*b", "(ab|ba)*a?a?a?x", "a*+a*a*a*+x"])
def test_the_hardest_text_for_a_pattern_comes_to_an_end(pattern: str) -> None:
    compiled = bounded_regex(pattern, re.NOFLAG)
    assert compiled.expression.fullmatch("a" * (compiled.longest - 1) + "!") is None


@given(st.lists(st.sampled_from([*"ab().[]|*+?{}2,\\^$#: x-=!<>iP", "(?:", "(?x)", "(?=", "{2,}", "*+"]), max_size=14))
def test_any_text_is_a_pattern_of_known_cost_or_is_refused_with_a_reason(parts: list[str]) -> None:
    try:
        pattern = bounded_regex("".join(parts), re.NOFLAG)
    except ValueError as e:
        assert str(e).startswith(("cannot be read: ", "combines ", "repeats a group ", "has too many ", "sets the "))
    else:
        assert pattern.longest in LENGTHS
