"""Handlers that end in every way there is; tests load this directory in their own process and in others."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

from sm_cli import TaskError, handler
from sm_cli.handlers.handler import Context

Point = namedtuple("Point", "x y")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Bare(TaskError):
    def __init__(self) -> None:
        """Says nothing to its base."""


ERRORS: dict[str, BaseException] = {
    "mute": Mute(),
    "bare": Bare(),
    "data as cause": TaskError("E", {"code": [1]}),  # type: ignore[arg-type]  # as a handler may
    "number as name": TaskError(404, None),  # type: ignore[arg-type]
    "not UTF-8": TaskError("\ud800", "\udfff"),
    "a set as cause": TaskError("E", {1}),  # type: ignore[arg-type]
    "exit": SystemExit(3),
    "group": ExceptionGroup("many", [ValueError()]),
}

VALUES: dict[str, Any] = {
    "ordered": OrderedDict(a=1),
    "default": defaultdict(list, a=[1]),
    "counter": Counter("aa"),
    "named tuple": Point(1, {"z": Point(2, 3)}),
    "deep": {"deep": [OrderedDict()]},
    "set": {"a": {1, 2}},
    "bytes": Point(1, b""),
    "type as key": {Point: 1},
    "subclass as key": {type("Key", (str,), {})("k"): 1},
    "nan": Point(1, float("nan")),
}


@handler("raise")
def raise_(input: str) -> None:
    raise ERRORS[input]


@handler("return")
def return_(input: str) -> Any:
    return VALUES[input]


@handler
def echo(input: Any) -> Any:
    return input


@handler
async def echo_async(input: Any) -> Any:
    await asyncio.sleep(0)
    return input


def _inner(input: Any) -> Any:
    return input["not there"]


@handler
def outer(input: Any) -> Any:
    return _inner(input)


@handler
async def outer_async(input: Any) -> Any:
    await asyncio.sleep(0)
    return _inner(input)


@handler
def fork(input: Any) -> Any:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if input:
        raise ValueError
    return "the child's"


@handler
async def fork_async(input: Any) -> Any:
    return fork(input)


@handler("told:*")
def told(input: Any, context: Context) -> Any:
    """Everything that the context holds."""
    return [
        context.execution_id, context.execution_name, context.workflow, context.state, context.attempt,
        context.idempotency_key, context.task_token, context.resource, context.cancelled.is_set(),
    ]  # fmt: skip


@handler
def beats(input: int, context: Context) -> None:
    for _ in range(input):
        context.heartbeat()


@handler
def speaks(input: str, context: Context) -> None:
    print(f"printed {input}")  # noqa: T201 - it is what this is about
    print(f"complained {input}", file=sys.stderr)  # noqa: T201
    context.logger.warning("logged %s", input)
    context.logger.debug("whispered %s", input)
    try:
        _inner({})
    except KeyError:
        context.logger.exception("met %s", input)


@handler
def gated(input: dict[str, str], context: Context) -> str:
    """Say that it has begun, wait until somebody writes into the gate, and say what it was told meanwhile."""
    Path(input["begun"]).touch()
    Path(input["gate"]).read_text(encoding="utf-8")
    context.check()
    return "done"


@handler
def heeds(input: dict[str, str], context: Context) -> None:
    Path(input["begun"]).touch()
    assert context.cancelled.wait(60)
    Path(input["ended"]).touch()
    context.check()


@handler
async def heeds_async(input: dict[str, str]) -> None:
    Path(input["begun"]).touch()
    try:
        await asyncio.sleep(3600)
    finally:
        Path(input["ended"]).touch()


@handler
def where(input: Any) -> list[int]:
    return [os.getpid(), threading.get_ident()]


def _unreadable() -> None:
    raise Mute


def _many_lines() -> None:
    raise ValueError("line\n" * 100_000)


def _chained() -> None:
    try:
        _inner({})
    except KeyError as e:
        raise LookupError("no price") from e


def _during() -> None:
    try:
        _inner({})
    except KeyError:
        raise LookupError("no price")  # noqa: B904 - what this is about


def _named() -> None:
    raise TaskError("Declined", "no money")


def _from_the_library() -> None:
    json.loads("{")


def _recursive() -> None:
    _recursive()


def _mutual(n: int = 0) -> None:
    _mutual_too(n + 1)


def _mutual_too(n: int) -> None:
    _mutual(n + 1)


def _broken_code() -> None:
    compile("1 +", __file__, "exec")


def _no_file() -> None:
    compile("1 +", "<formula>", "exec")


def _grouped() -> None:
    found = []
    try:
        _inner({})
    except KeyError as e:
        found.append(e)
    raise ExceptionGroup("many", found)


def _circular() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def _long_line() -> None:
    raise LookupError("x" * 1_000_000)


FAULTS: dict[str, Any] = {name.lstrip("_"): function for name, function in list(globals().items()) if name in (
    "_unreadable", "_many_lines", "_chained", "_during", "_named", "_from_the_library", "_recursive", "_mutual",
    "_broken_code", "_no_file", "_grouped", "_circular", "_long_line",
)}  # fmt: skip


@handler("fails")
def fails(input: str) -> None:
    FAULTS[input]()


@handler("fails_async")
async def fails_async(input: str) -> None:
    await asyncio.sleep(0)
    FAULTS[input]()
