"""Our parser against another one, jsonpath-ng, on the part of the dialect that both share.

A path is grown beside the document, one step at a time, and only where both libraries mean the same by it:
jsonpath-ng takes a lone value for a list of one, reads no letter beyond ASCII without quotes, orders deep scans its
own way, and converts types in filters.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext.parser import parse

from sm_cli.expr.jsonpath.path import PathNotFound, compile_path

KEYS = ["a", "b", "c", "key", "k_2"]

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "yz"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@lru_cache(maxsize=2_000)
def oracle(text: str) -> Any:
    return parse(text)


def theirs(text: str, document: Any) -> list[Any]:
    return [match.value for match in oracle(text).find(document)]


def ours(text: str, document: Any) -> list[Any]:
    path = compile_path(text)
    try:
        found: Any = path.find(document)
    except PathNotFound:
        return []
    if path.definite:
        return [found]
    assert isinstance(found, list)
    return found


def unordered(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


names = st.sampled_from(KEYS)
bounds = st.sampled_from(["", "0", "1", "2", "-1", "-2", "9"])
array_steps = st.one_of(
    st.just("[*]"),
    st.integers(-4, 4).map("[{}]".format),
    st.tuples(bounds, bounds).filter(any).map(lambda pair: f"[{pair[0]}:{pair[1]}]"),
)
object_steps = st.one_of(names.map(".{}".format), names.map("['{}']".format), st.just(".*"))


@settings(deadline=None, max_examples=150)
@given(st.data(), documents)
def test_names_indices_slices_and_wildcards_agree(data: st.DataObject, document: Any) -> None:
    text = "$"
    for _ in range(4):
        nodes = ours(text, document)
        if nodes and all(isinstance(node, list) for node in nodes):
            text += data.draw(array_steps)
        elif nodes and all(isinstance(node, dict) for node in nodes):
            text += data.draw(object_steps)
        else:
            text += data.draw(names.map(".{}".format))
        assert ours(text, document) == theirs(text, document), text


@settings(deadline=None, max_examples=150)
@given(names, documents)
def test_deep_scans_for_a_name_agree_but_for_the_order(name: str, document: Any) -> None:
    text = f"$..{name}"
    assert unordered(ours(text, document)) == unordered(theirs(text, document))


rows = st.lists(st.fixed_dictionaries({}, optional={"a": st.integers(-3, 3), "b": st.integers(-3, 3)}), max_size=6)
comparisons = st.builds(
    "@.{} {} {}".format, st.sampled_from("ab"), st.sampled_from(["==", "<", "<=", ">", ">="]), st.integers(-3, 3)
)


@settings(deadline=None, max_examples=100)
@given(st.lists(comparisons, min_size=1, max_size=2), rows)
def test_comparisons_of_numbers_agree(tests: list[str], items: list[dict[str, int]]) -> None:
    text = f"$.rows[?({' && '.join(tests)})]"
    assert ours(text, {"rows": items}) == theirs(text, {"rows": items})


@settings(deadline=None, max_examples=50)
@given(st.sampled_from("ab"), rows)
def test_tests_for_presence_agree(name: str, items: list[dict[str, int]]) -> None:
    text = f"$.rows[?(@.{name})].{name}"
    assert ours(text, {"rows": items}) == theirs(text, {"rows": items})
