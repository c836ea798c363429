"""Whatever a handler returns, raises or forks, its task ends with it and nothing else does."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest

from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Context, Failure, Handler, Success, run, run_async

Point = namedtuple("Point", "x y")


def context() -> Context:
    return Context("ref", "name", "w", "S", 1, "key")


def raising(error: BaseException) -> Failure:
    def function(input: Any) -> Any:
        raise error

    ended = run(Handler("h", function), {}, context())
    assert isinstance(ended, Failure)
    return ended


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Bare(TaskError):
    def __init__(self) -> None:
        """Says nothing to its base."""


@pytest.mark.parametrize(
    ("error", "name", "cause"),
    [
        (Mute(), "Mute", "(its text cannot be read: RuntimeError)"),
        (Bare(), "Bare", ""),
        (TaskError("E", {"code": [1]}), "E", '{"code":[1]}'),  # type: ignore[arg-type]  # as a handler may
        (TaskError(404, None), "404", ""),  # type: ignore[arg-type]
        (TaskError("\ud800", "\udfff"), "?", "?"),
        (TaskError("E", {1}), "E", "{1}"),  # type: ignore[arg-type]
        (SystemExit(3), "SystemExit", "3"),
        (ExceptionGroup("many", [ValueError()]), "ExceptionGroup", "many (1 sub-exception)"),
    ],
)
def test_whatever_is_raised_has_a_name_and_a_cause(error: BaseException, name: str, cause: str) -> None:
    failure = raising(error)
    assert (failure.error, failure.cause) == (name, cause)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aa"), {"a": 2}),
        (Point(1, {"z": Point(2, 3)}), [1, {"z": [2, 3]}]),
        ({"deep": [OrderedDict()]}, {"deep": [{}]}),
    ],
)
def test_objects_and_arrays_by_other_names_are_json(value: Any, result: Any) -> None:
    assert run(Handler("h", lambda input: value), {}, context()) == Success(result)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"a": {1, 2}}, "$.a is of type set"),
        (Point(1, b""), "$[1] is of type bytes"),
        ({Point: 1}, "of type type; JSON keys are strings"),
        ({type("Key", (str,), {})("k"): 1}, "of type Key; JSON keys are strings"),
        (Point(1, float("nan")), "$[1] is nan, which JSON does not have"),
    ],
)
def test_what_is_not_json_is_named(value: Any, sentence: str) -> None:
    ended = run(Handler("h", lambda input: value), {}, context())
    assert isinstance(ended, Failure)
    assert sentence in ended.cause


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python tells who forks beside threads
@pytest.mark.parametrize(("raises", "status"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("sync", [True, False])
def test_a_child_that_a_handler_forks_ends_with_the_handler(sync: bool, raises: bool, status: int) -> None:
    def fork(input: Any) -> Any:
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if raises:
            raise ValueError
        return "the child's"

    async def fork_async(input: Any) -> Any:
        return fork(input)

    if sync:
        ended = run(Handler("h", fork), {}, context())
    else:
        ended = asyncio.run(run_async(Handler("h", fork_async), {}, context()))
    assert ended == Success(status)


class Label(str):
    """Text of a kind of its own."""


def odd(filling: list[Any]) -> Any:
    inside = [Point(1, Point(2, [])), OrderedDict(a=Label("b")), True, None, 2**64 - 1, -0.5, "é", filling]
    return {"inside": inside, "again": filling, "empty": defaultdict(list)}


@pytest.mark.parametrize("size", [1, 2000], ids=["short", "long"])
def test_what_a_handler_returns_is_plain_json_of_its_own(size: int) -> None:
    filling: list[Any] = ["x" * 1000] * size
    ended = run(Handler("h", lambda input: odd(filling)), {}, context())
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

    assert run(Handler("h", spoil), given, context()) == Success(None)
    assert given == {"rows": [{"text": "x" * 1000, "tags": []} for _ in range(size)]}


@pytest.mark.parametrize("wrong", [{1}, float("nan"), "\ud800", 2**64, {2: 3}, b"x"], ids=repr)
def test_what_is_not_json_is_found_in_a_long_result_too(wrong: Any) -> None:
    ended = run(Handler("h", lambda input: [["x" * 1000] * 2000, {"a": [wrong]}]), {}, context())
    assert isinstance(ended, Failure)
    assert "is not JSON" in ended.cause
