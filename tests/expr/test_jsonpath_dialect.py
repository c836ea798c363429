"""The dialect: every form of step and function, what is refused and how, and what a hostile path may cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.expr.jsonpath.path import PathError, PathNotFound, compile_path
from sm_cli.expr.jsonpath.steps import MOST_MATCHES

STORE: Any = {
    "book": [
        {"title": "one", "price": 8, "tags": ["x", "y"]},
        {"title": "two", "price": 12.5},
        {"title": "three", "isbn": "3", "price": 9},
    ],
    "bicycle": {"price": 20},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$.book[*].title", ["one", "two", "three"]),
        ("$.book.*.title", ["one", "two", "three"]),
        ("$.*.price", [20]),
        ("$[*].price", [20]),
        ("$.book[ * ].isbn", ["3"]),
        ("$.book[1:].title", ["two", "three"]),
        ("$.book[:1].title", ["one"]),
        ("$.book[0:2].title", ["one", "two"]),
        ("$.book[-2:].title", ["two", "three"]),
        ("$.book[:-2].title", ["one"]),
        ("$.book[::2].title", ["one", "three"]),
        ("$.book[0:5:2].title", ["one", "three"]),
        ("$.book[1:9].title", ["two", "three"]),
        ("$.book[5:9]", []),
        ("$.book[0,2].title", ["one", "three"]),
        ("$.book[ 2 , -3 , 7 ].title", ["three", "one"]),
        ("$.book[0]['title','price']", {"title": "one", "price": 8}),
        ("$.book[1]['title', 'isbn']", {"title": "two"}),
        ("$.book.[*].['title','isbn']", [{"title": "one"}, {"title": "two"}, {"title": "three", "isbn": "3"}]),
        ("$['book','bicycle'].price", [20]),
        ("$['bicycle','none'].price", [20]),
        ("$..price", [8, 12.5, 9, 20]),
        ("$..['price']", [8, 12.5, 9, 20]),
        ("$.book..price", [8, 12.5, 9]),
        ("$..book[0].title", ["one"]),
        ("$..[0]", [STORE["book"][0], "x"]),
        ("$..tags[*]", ["x", "y"]),
        ("$.bicycle..*", [20]),
        ("$..['title','isbn']", [{"title": "three", "isbn": "3"}]),
        ("$..[?(@.isbn)].title", ["three"]),
        ("$.[?(@.bicycle)].bicycle.price", [20]),
        ("$.book[(@.length-1)].title", "three"),
        ("$.book[( @.length - 3 )].title", "one"),
    ],
)
def test_a_step_selects(text: str, value: Any) -> None:
    path = compile_path(text)
    assert path.find(STORE) == value
    assert path.definite is not isinstance(value, list)


@pytest.mark.parametrize(
    "text",
    [
        "$.items[*]",
        "$.item.items[:1].itemValue",
        "$.item.items[1:5]",
        "$.no.items[?(@.a)]",
        "$..nowhere",
        "$.no[0,1]",
        "$['no','where'].x",
        "$.text[*].x",
        "$.text[1:]",
        "$.text[?(@.a)]",
        "$.text..a",
    ],
)
def test_a_path_that_may_yield_many_yields_an_empty_list_where_nothing_is(text: str) -> None:
    path = compile_path(text)
    assert not path.definite
    assert path.find({"text": "words"}) == []


def test_deep_scan_meets_parents_before_their_members() -> None:
    assert compile_path("$..a").find({"a": {"a": 1, "b": [{"a": 2}]}, "c": {"a": 3}}) == [
        {"a": 1, "b": [{"a": 2}]},
        1,
        2,
        3,
    ]
    assert compile_path("$..*").find({"a": [1, {"b": 2}], "c": 3}) == [[1, {"b": 2}], 3, 1, {"b": 2}, 2]


def test_names_of_something_that_is_no_object_are_not_found() -> None:
    with pytest.raises(PathNotFound, match="can only be taken from an object"):
        compile_path("$.text['a','b']").find({"text": "words"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$.n.length()", 4),
        ("$.n.size()", 4),
        ("$.o.length()", 2),
        ("$.s.length()", None),
        ("$.length($.n)", 4),
        ("$.n.min()", 1.0),
        ("$.n.max()", 4.0),
        ("$.n.sum()", 10.0),
        ("$.n.avg()", 2.5),
        ("$.n.stddev()", 1.118033988749895),
        ("$.sum($.n)", 10.0),
        ("$.sum($.n, 5, $.d)", 15.6),
        ("$.d.sum()", 0.1 + 0.2 + 0.3),
        ("$.mixed.sum()", 3.0),
        ("$.o.keys()", ["k", "l"]),
        ("$.n.keys()", None),
        ("$.o.keys().length()", 2),
        ("$.concat('a', \"b\", $.s, 1, true)", "abtext1true"),
        ("$.words.concat()", "onetwo"),
        ("$.words.concat('three')", "onetwothree"),
        ("$.n.append(5)", [1, 2, 3, 4, 5]),
        ("$.n.append($.s).length()", 5),
        ("$.s.append(5)", "text"),
        ("$.n.first()", 1),
        ("$.n.last()", 4),
        ("$.n.index(-2)", 3),
        ("$..k.sum()", 3.0),
        ("$.o.*.length()", [None, None]),
        ("$.lists[*].length()", [1, 2]),
        ("$.lists[?(@.length() > 1)]", [[2, 3]]),
        ("$.n.append(@.length())", [1, 2, 3, 4, 4]),
    ],
)
def test_a_function_ends_a_path(text: str, value: Any) -> None:
    document: Any = {
        "n": [1, 2, 3, 4],
        "d": [0.1, 0.2, 0.3],
        "mixed": [1, "x", True, 2, None],
        "o": {"k": 1, "l": 2},
        "s": "text",
        "words": ["one", 2, "two"],
        "lists": [[1], [2, 3]],
        "under": {"k": 2},
    }
    before = repr(document)
    found = compile_path(text).find(document)
    assert found == (pytest.approx(value) if isinstance(value, float) else value)
    assert repr(document) == before


def test_sums_are_decimals_and_added_from_the_left_as_java_adds() -> None:
    total = compile_path("$.sum()").find([1, 2])
    assert isinstance(total, float)
    assert compile_path("$.sum()").find([0.1, 0.2, 0.3]) == 0.6000000000000001


@pytest.mark.parametrize(
    "text",
    ["$.none.sum()", "$.none.avg()", "$.none.first()", "$.n.index(9)", "$.n.index()", "$..zz.max()", "$.n.x.sum()"],
)
def test_an_aggregate_of_nothing_is_not_found(text: str) -> None:
    with pytest.raises(PathNotFound):
        compile_path(text).find({"none": [], "n": [1]})


def test_a_sum_beyond_a_decimal_is_not_found() -> None:
    with pytest.raises(PathNotFound, match="too large"):
        compile_path("$.sum()").find([1e308, 1e308])


def test_whether_a_function_path_is_definite_follows_from_what_it_is_applied_to() -> None:
    assert compile_path("$.a.length()").definite
    assert compile_path("$..a.length()").definite
    assert not compile_path("$.a[*].length()").definite


@pytest.mark.parametrize(
    ("text", "says", "position"),
    [
        ("", "is empty", 0),
        ("a.b", "does not begin with $", 0),
        (" $.a", "does not begin with $", 0),
        ("States.Format('x')", "does not begin with $", 0),
        ("$a b", "has 'b' where only '.' or '[' can follow", 3),
        ("$$a", "has 'a' where only '.' or '[' can follow", 2),
        ("$*", "has '*' where only '.' or '[' can follow", 1),
        ("${x}/models", "has '{' where only '.' or '[' can follow", 1),
        ("$.", "ends with a dot", 2),
        ("$..", "ends with a dot", 3),
        ("$...", "has no name after the dot", 3),
        ("$.a.", "ends with a dot", 4),
        ("$.a b", "has 'b' where only '.' or '[' can follow", 4),
        ("$. a", "has no name after the dot", 2),
        ("$.a]", "has ']' where only '.' or '[' can follow", 3),
        ("$.a\\", "has '\\\\' where only '.' or '[' can follow", 3),
        ("$[", "has a bracket that is not closed", 1),
        ("$[]", "has [], which is neither an index nor a name in quotes", 1),
        ("$[abc]", "has [abc], which is neither an index nor a name in quotes", 1),
        ("$.a[0", "has a bracket that is not closed", 3),
        ("$.a[99999999999]", "has [99999999999], which is neither an index nor a name in quotes", 3),
        ("$.a[1:2:3:4]", "has [1:2:3:4], which is not a slice", 3),
        ("$.a[1:x]", "has [1:x], which is not a slice", 3),
        ("$.a[::0]", "has a slice whose step is 0", 3),
        ("$['a", "has a quote that is not closed", 2),
        ("$['a' 'b']", "needs ',' or ']' after the name in brackets", 6),
        ("$['a',]", "needs a name in quotes after the comma", 6),
        ("$[* x]", "needs ']' after '[*'", 4),
        (r"$['\ud800']", "holds half of a surrogate pair", 2),
        ("$[(1+1)]", "has an expression in brackets; only one like (@.length-1) can be used", 2),
        ("$[(@.length-0)]", "has an expression in brackets; only one like (@.length-1) can be used", 2),
        ("$.a.foo()", "calls foo(), which is not a function of paths", 4),
        ("$..length()", "has a function where a name should follow '..'", 1),
        ("$.a.length().b", "goes on after the function length(), which must end it", 12),
        ("$.sum(1 2)", "needs ',' or ')' after an argument of sum()", 8),
        ("$.sum(1", "needs ',' or ')' after an argument of sum()", 7),
        ("$.[?", "needs '(' after '[?'", 4),
        ("$[?@.a]", "needs '(' after '[?'", 3),
        ("$[?(", "ends inside a filter", 4),
        ("$[?(@.a", "needs ')' at the end of the filter", 7),
        ("$[?(@.a)", "needs ']' after the filter", 8),
        ("$[?((@.a)]", "needs ')' at the end of the filter", 9),
        ("$[?(@.a = 1)]", "has '=' in a filter, where '==' compares", 8),
        ("$[?(@.a & @.b)]", "needs ')' at the end of the filter", 8),
        ("$[?(@.a like 1)]", "has 'like' where its filter needs an operator", 8),
        ("$[?(1)]", "has a filter that tests no path, such as @.name", 4),
        ("$[?(@.a == )]", "has ')' where a value should be", 11),
        ("$[?(@.a == 'x)]", "has a quote that is not closed", 11),
        ("$[?(@.a in ['x' 'y'])]", "needs ',' or ']' in an array", 16),
        ("$[?(@.a == {x:1})]", "needs a name in quotes in an object", 12),
        ("$[?(@.a == {'x' 1})]", "needs ':' after a name in an object", 16),
        ("$[?(@.a == {'x':1 'y':2})]", "needs ',' or '}' in an object", 18),
        ("$[?(@.a =~ x)]", "needs a regular expression between slashes after '=~'", 11),
        ("$[?(@.a == /x/)]", "has a regular expression that does not follow '=~'", 11),
        ("$[?(@.a =~ /x/q)]", "has the flag 'q', which regular expressions do not know", 11),
        ("$[?(@.a =~ /(/)]", "has a regular expression that cannot be read: missing )", 11),
    ],
)
def test_what_is_no_path_is_refused_with_a_sentence_and_a_place(text: str, says: str, position: int) -> None:
    with pytest.raises(PathError) as caught:
        compile_path(text)
    assert says in caught.value.message
    assert caught.value.message.startswith("The path ")
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$[?(" + "(" * 500 + "@.a" + ")" * 500 + ")]", "nests more than 32 levels deep"),
        ("$[?(" + "!" * 500 + "@.a)]", "nests more than 32 levels deep"),
        ("$[?(@.a == " + "[" * 500 + "]" * 500 + ")]", "nests more than 32 levels deep"),
        ("$.sum(" + "$.sum(" * 500 + "1" + ")" * 501, "nests more than 32 levels deep"),
        ("$[?(@.a == " + "{'a':" * 500 + "1" + "}" * 500 + ")]", "nests more than 32 levels deep"),
        ("$" + "[?(@" * 500 + ")]" * 500, "nests more than 3 filters"),
        ("$[?(@.a =~ /" + "a" * 1001 + "/)]", "has a regular expression of more than 1,000 characters"),
        ("$[" + " " * 50_000, "has a bracket that is not closed"),
        ("$['" + "\\'" * 50_000, "has a quote that is not closed"),
    ],
)
def test_a_hostile_text_is_refused(text: str, says: str) -> None:
    with pytest.raises(PathError, match=says) as caught:
        compile_path(text)
    assert len(caught.value.message) < 200


def test_a_long_path_and_a_deep_document_do_not_exhaust_the_stack() -> None:
    document: Any = {"end": 1}
    for _ in range(5_000):
        document = {"a": [document]}
    assert compile_path("$" + ".a[0]" * 5_000 + ".end").find(document) == 1
    assert compile_path("$..end").find(document) == [1]
    assert compile_path("$[?(@.a == $.a)]").find(document) == [document]


@pytest.mark.parametrize("text", ["$[0]", "$.concat($)"])
def test_a_value_too_deep_to_be_written_is_not_found(text: str) -> None:
    document: Any = {}
    for _ in range(600):
        document = {"a": document}
    with pytest.raises(PathNotFound, match="nested too deeply"):
        compile_path(text).find(document)


def test_a_path_that_multiplies_its_matches_is_stopped() -> None:
    document: Any = 1
    for _ in range(40):
        document = [document]
    with pytest.raises(PathNotFound, match=f"more than {MOST_MATCHES:,} values"):
        compile_path("$" + "[0,0]" * 40).find(document)


words = st.sampled_from(
    [
        *"$.[]()'\"*?@,:-01ab \\/=<>!~&|{}",
        *("$.", "[?(@.a", ")]", "..", "[0]", "['a']", " == ", " in ", "length()", "[*]", "a"),
    ]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=400)
@given(st.lists(words, max_size=12).map(lambda parts: "$" + "".join(parts)), documents)
def test_any_text_is_a_path_or_a_path_error_and_any_path_finds_or_does_not(text: str, document: Any) -> None:
    try:
        path = compile_path(text)
    except PathError as e:
        assert 0 <= e.position <= len(text)
        return
    before = repr(document)
    try:
        found = path.find(document)
    except PathNotFound as e:
        assert e.reason
    else:
        assert path.definite or isinstance(found, list)
    assert repr(document) == before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (r"""$['a\"b']""", r"a\"b"),
        (r"""$["a\'b"]""", r"a\'b"),
        (r"""$['Test\""Name"']""", r'Test\""Name"'),
        (r"""$['a\'b']""", "a'b"),
        (r"""$["a\"b"]""", 'a"b'),
        (r"""$['a\\b']""", r"a\b"),
        (r"""$['a\\\"b']""", r"a\\"[:2] + r"\"b"),
        (r"""$['a\.b']""", r"a\.b"),
        (r"""$['a\/b']""", r"a\/b"),
        (r"""$['a\xb']""", r"a\xb"),
        (r"""$['a\nb']""", "a\nb"),
        (r"""$['a\u0041b']""", "aAb"),
        (r"""$['a\u004']""", r"a\u004"),
    ],
)
def test_a_backslash_in_a_name_in_brackets_that_escapes_nothing_stays(text: str, name: str) -> None:
    assert compile_path(text).steps == (name,)
