"""What a handler is given is its own, and what it returns becomes plain JSON that is nobody else's."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest

from sm_cli.handlers.handler import Context, Failure, Handler, Success, run_handler

Point = namedtuple("Point", "x y")


def context() -> Context:
    return Context("ref", "name", "w", "S", 1, "key")


class Label(str):
    """Text of a kind of its own."""


def odd(filling: list[Any]) -> Any:
    inside = [Point(1, Point(2, [])), OrderedDict(a=Label("b")), True, None, 2**64 - 1, -0.5, "é", filling]
    return {"inside": inside, "again": filling, "empty": defaultdict(list)}


@pytest.mark.parametrize("size", [1, 2000], ids=["short", "long"])
def test_what_a_handler_returns_is_plain_json_of_its_own(size: int) -> None:
    filling: list[Any] = ["x" * 1000] * size
    ended = run_handler(Handler("h", lambda input: odd(filling)), {}, context())
    assert isinstance(ended, Success)
    plain = [[1, [2, []]], {"a": "b"}, True, None, 2**64 - 1, -0.5, "é", filling]
    assert ended.result == {"inside": plain, "again": filling, "empty": {}}
    assert isinstance(ended.result, dict)
    inside: Any = ended.result["inside"]
    assert [type(each) for each in inside] == [list, dict, bool, type(None), int, float, str, list]
    assert type(inside[0][1]) is list
    assert type(inside[1]["a"]) is str
    assert type(ended.result["empty"]) is dict
    filling.append("later")
    assert inside[-1] == filling[:-1]
    assert inside[-1] is not ended.result["again"]


@pytest.mark.parametrize("size", [1, 2000], ids=["short", "long"])
def test_a_handler_that_changes_its_input_changes_nobody_elses(size: int) -> None:
    given: Any = {"rows": [{"text": "x" * 1000, "tags": []} for _ in range(size)]}

    def spoil(input: Any) -> None:
        assert input == given
        input["rows"][0]["tags"].append("spoilt")
        input["rows"][0]["text"] = ""
        input["rows"].clear()
        input["more"] = 1

    assert run_handler(Handler("h", spoil), given, context()) == Success(None)
    assert given == {"rows": [{"text": "x" * 1000, "tags": []} for _ in range(size)]}


@pytest.mark.parametrize("wrong", [{1}, float("nan"), "\ud800", 2**64, {2: 3}, b"x"], ids=repr)
def test_what_is_not_json_is_found_in_a_long_result_too(wrong: Any) -> None:
    ended = run_handler(Handler("h", lambda input: [["x" * 1000] * 2000, {"a": [wrong]}]), {}, context())
    assert isinstance(ended, Failure)
    assert "is not JSON" in ended.cause
