"""The public face of paths: Reference Paths, roots, what is said when nothing is found, and what a Path is."""

from __future__ import annotations

import copy
import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_cli.expr.jsonpath.path import PathError, PathNotFound, compile_path, compile_reference, normalize
from sm_cli.expr.scope import Scope

NO_DEADLINE = settings(deadline=None, max_examples=100)
DOCUMENT: Any = {
    "a": {"b": {"c": 1, "d": {"e": 5}}},
    "items": [{"sku": "x"}, {"sku": "y"}],
    "text": "words",
    "none": None,
    "dash-name": 2,
    "under_score": 3,
    "Größe": 4,
    "foo.bar": 6,
    "": 7,
    'Test""Name"': 8,
    r'Test\""Name"': 9,
}


def scope(**variables: Any) -> Scope:
    return Scope(DOCUMENT, lambda: {"Execution": {"Id": "e-1"}}, variables, lambda: Random(0))


@pytest.mark.parametrize(
    ("text", "steps", "value"),
    [
        ("$", (), DOCUMENT),
        ("$.a.b.c", ("a", "b", "c"), 1),
        ("$.a.b.d.e", ("a", "b", "d", "e"), 5),
        ("$['a']['b'].c", ("a", "b", "c"), 1),
        ('$["a"].b["c"]', ("a", "b", "c"), 1),
        ("$[ 'a' ].b.c ", ("a", "b", "c"), 1),
        ("$.items[0].sku", ("items", 0, "sku"), "x"),
        ("$.items[-1].sku", ("items", -1, "sku"), "y"),
        ("$.items.[1].sku", ("items", 1, "sku"), "y"),
        ("$.items[ 1 ]", ("items", 1), {"sku": "y"}),
        ("$.dash-name", ("dash-name",), 2),
        ("$.under_score", ("under_score",), 3),
        ("$.Größe", ("Größe",), 4),
        (r"$.foo\.bar", ("foo.bar",), 6),
        ("$['foo.bar']", ("foo.bar",), 6),
        ("$['']", ("",), 7),
        (r"""$['Test\""Name"']""", (r'Test\""Name"',), 9),
        (r"""$["Test\"\"Name\""]""", ('Test""Name"',), 8),
    ],
)
def test_a_reference_path_names_its_steps_and_finds_its_node(text: str, steps: tuple[Any, ...], value: Any) -> None:
    path = compile_reference(text)
    assert (path.text, path.root, path.definite, path.steps) == (text, "$", True, steps)
    assert path.find(DOCUMENT) == value
    assert path.resolve(scope()) == value


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (r"$.store\.book", ("store.book",)),
        (r"$.\stor\e.boo\k", ("store", "book")),
        (r"$.foo.\.bar", ("foo", ".bar")),
        (r"$.foo\@bar.baz\[\[.\?pretty", ("foo@bar", "baz[[", "?pretty")),
        (r"$.&Ж中.\uD800\uDF46", ("&Ж中", "\U00010346")),
        ("$.ledgers[0][22][315].foo", ("ledgers", 0, 22, 315, "foo")),
        ("$['store'][0]['book']", ("store", 0, "book")),
        (r"$['tab\tquote\'back\\']", ("tab\tquote'back\\",)),
        ("$['a,b:c*d?e@f']", ("a,b:c*d?e@f",)),
        ("$.${Substitution}", ("${Substitution}",)),
    ],
)
def test_the_specifications_own_examples_and_their_kin_are_reference_paths(text: str, steps: tuple[str, ...]) -> None:
    assert compile_reference(text).steps == steps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$.NoSuch", "No results for path: $['NoSuch']"),
        ("$.a.x", "No results for path: $['a']['x']"),
        ("$.no.such.result.path", "Missing property in path $['no']"),
        ("$.a.no.such", "Missing property in path $['a']['no']"),
        ("$.items[7]", "No results for path: $['items'][7]"),
        ("$.items[-3].sku", "No results for path: $['items'][-3]['sku']"),
        ("$.items[0].no.way", "Missing property in path $['items'][0]['no']"),
        ("$.text.x", "Expected to find an object with property ['x'] in path $['text'] but found a string"),
        ("$.none.x.y", "Expected to find an object with property ['x'] in path $['none'] but found null"),
        ("$.items.sku", "Expected to find an object with property ['sku'] in path $['items'] but found an array"),
        ("$[0]", "Filter: [0] can only be applied to arrays. Current context is: "),
        ("$.text[0]", 'Filter: [0] can only be applied to arrays. Current context is: "words"'),
        ("$.none[0]", "The path $['none'] is null"),
        ("$.a.b.c.d.e", "Expected to find an object with property ['d'] in path $['a']['b']['c'] but found a number"),
        ("$.a.b.d.f", "No results for path: $['a']['b']['d']['f']"),
        ("$.no.length()", "Missing property in path $['no']"),
    ],
)
def test_a_definite_path_without_a_match_says_what_is_missing(text: str, reason: str) -> None:
    path = compile_path(text)
    with pytest.raises(PathNotFound) as caught:
        path.find(DOCUMENT)
    assert caught.value.reason.startswith(reason)
    assert str(caught.value) == caught.value.reason
    assert not path.exists(scope())


def test_a_letter_is_never_taken_out_of_a_string_by_an_index() -> None:
    with pytest.raises(PathNotFound):
        compile_path("$.text[0]").find(DOCUMENT)


@given(st.data(), st.lists(st.sampled_from(["a", "b", "items", "text", "none", 0, -1, 1, 2]), max_size=4))
def test_a_reference_path_exists_exactly_when_it_finds_a_value(data: st.DataObject, steps: list[str | int]) -> None:
    root = data.draw(st.sampled_from(["$", "$$", "$v", "$nobody"]))
    path = compile_reference(root + normalize(steps)[1:])
    where = Scope(DOCUMENT, lambda: DOCUMENT, {"v": DOCUMENT}, lambda: Random(0))
    try:
        path.resolve(where)
    except PathNotFound:
        assert path.exists(where) is False
    else:
        assert path.exists(where) is True


def test_whether_a_path_into_the_input_exists_is_known_without_the_context() -> None:
    def refuse() -> Any:
        raise AssertionError("the context was built")

    where = Scope(DOCUMENT, refuse, {}, lambda: Random(0))
    assert not compile_path("$.nope").exists(where)
    assert not compile_path("$.items[?(@.sku == 'z')]").exists(where)
    assert compile_path("$.items[?(@.sku == 'x')]").exists(where)


def test_null_is_a_value() -> None:
    assert compile_path("$.none").find(DOCUMENT) is None
    assert compile_path("$.none").exists(scope())


@pytest.mark.parametrize(
    ("text", "root", "value"),
    [
        ("$", "$", DOCUMENT),
        ("$.text", "$", "words"),
        ("$$", "$$", {"Execution": {"Id": "e-1"}}),
        ("$$.Execution.Id", "$$", "e-1"),
        ("$$['Execution'].Id", "$$", "e-1"),
        ("$order", "order", {"lines": [1, 2]}),
        ("$order.lines[1]", "order", 2),
        ("$order.lines[*]", "order", [1, 2]),
        ("$_größe2[0]", "_größe2", "first"),
    ],
)
def test_the_root_chooses_input_context_or_variable(text: str, root: str, value: Any) -> None:
    path = compile_path(text)
    assert path.root == root
    assert path.resolve(scope(order={"lines": [1, 2]}, _größe2=["first"])) == value
    assert path.exists(scope(order={"lines": [1, 2]}, _größe2=["first"]))


@pytest.mark.parametrize("text", ["$nobody", "$nobody.x", "$nobody[*]"])
def test_a_variable_that_is_not_assigned_is_not_found_under_its_name(text: str) -> None:
    with pytest.raises(PathNotFound, match=r"No variable is named \$nobody"):
        compile_path(text).resolve(scope())
    assert not compile_path(text).exists(scope())


def test_the_context_is_not_built_for_a_path_into_the_input() -> None:
    def refuse() -> Any:
        raise AssertionError("the context was built")

    assert compile_path("$.text").resolve(Scope(DOCUMENT, refuse, {}, lambda: Random(0))) == "words"


@pytest.mark.parametrize(
    ("text", "phrase", "position"),
    [
        ("$.a[*]", "'*'", 4),
        ("$.*", "'*'", 2),
        ("$..a", "'..'", 1),
        ("$.a[1:]", "':'", 3),
        ("$.a[0,1]", "','", 3),
        ("$['a','b']", "','", 5),
        ("$.a[?(@.b)]", "'?'", 4),
        ("$[(@.length-1)]", "'@'", 1),
        ("$.a.length()", "the function length()", 4),
        ("$.a@b", "'@'", 2),
        ("$.ns:tag", "':'", 2),
    ],
)
def test_what_may_yield_many_is_no_reference_path(text: str, phrase: str, position: int) -> None:
    assert compile_path(text).steps is None
    with pytest.raises(PathError) as caught:
        compile_reference(text)
    assert caught.value.message == f"The path {text} has {phrase}, which a Reference Path cannot have"
    assert caught.value.position == position


def test_a_text_is_parsed_once() -> None:
    assert compile_path("$.once") is compile_path("$.once")


def test_a_path_cannot_be_changed_and_is_equal_to_itself_only() -> None:
    path = compile_path("$.a.b")
    with pytest.raises(AttributeError):
        path.text = "$.other"
    assert path == compile_path("$.a.b") and path != compile_path("$['a'].b") and path != "$.a.b"
    assert {path: 1}[compile_path("$.a.b")] == 1
    assert repr(path) == "Path('$.a.b')"


def test_a_path_survives_copying_and_pickling() -> None:
    path = compile_path("$.a[?(@.b > 1)]")
    assert copy.deepcopy(path) is path
    assert pickle.loads(pickle.dumps(path)) is path


def test_normalized_is_jayways_bracket_notation() -> None:
    assert normalize(()) == "$"
    assert normalize(("a", 0, "b c", -1)) == "$['a'][0]['b c'][-1]"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@NO_DEADLINE
@given(st.data(), json_values)
def test_every_node_of_a_document_is_found_under_its_path(data: st.DataObject, document: Any) -> None:
    text, node = "$", document
    while isinstance(node, (dict, list)) and node and data.draw(st.booleans()):
        if isinstance(node, dict):
            key = data.draw(st.sampled_from(sorted(node)))
            text += "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"
            node = node[key]
        else:
            index = data.draw(st.integers(-len(node), len(node) - 1))
            text += f"[{index}]"
            node = node[index]
    assert compile_reference(text).find(document) is node
