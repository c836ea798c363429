"""Filters: each operator over each kind of value, logic, operands, and what an unquoted word is."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.expr.jsonpath import compile_path
from sm_cli.expr.jsonpath_filter import same

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
        ("@.age == 30", [1, 5]),
        ("@.age==30.0", [1, 5]),
        ("30 == @.age", [1, 5]),
        ("@.age != 30", [2, 3, 4]),
        ("@.age == null", [3]),
        ("@.name == null", []),
        ("@.none == @.neither", []),
        ("@.none != 1", [1, 2, 3, 4, 5]),
        ("@.age == '30'", [4]),
        ('@.age == "30"', [4]),
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


def test_the_unquoted_words_of_a_filter_are_told() -> None:
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
