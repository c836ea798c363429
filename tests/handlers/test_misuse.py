"""Functions that cannot be handlers, and names that cannot be a handler's, are refused where they are registered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.handler import Context, Handler, handler
from sm_cli.handlers.loading import load_handlers
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate


def nothing() -> Json:
    return 1


def three(input: Json, context: Context, more: Json) -> Json:
    return 1


def keyword(*, input: Json) -> Json:
    return 1


def needs_a_keyword(input: Json, *, more: Json) -> Json:
    return 1


def yields(input: Json) -> Iterator[Json]:
    yield 1


async def yields_later(input: Json) -> AsyncIterator[Json]:
    yield 1


class Empty:
    pass


@pytest.mark.parametrize("function", [nothing, three, keyword, needs_a_keyword, Empty])
def test_a_function_with_no_or_three_parameters_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"the handler 'x' takes \(input\) or \(input, context\), and \w+ is written"):
        Handler("x", function)


@pytest.mark.parametrize("function", [yields, yields_later])
def test_a_generator_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="the handler 'x' yields; a handler returns its result"):
        handler("x")(function)


def test_a_name_with_the_null_character_is_refused() -> None:
    with pytest.raises(ValueError, match=r"@handler takes the name of a resource, and 'a\\x00' holds the character U"):
        handler("a\0")


@pytest.mark.parametrize("value", [5, None, "work"])
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"@handler\('x'\) stands above a function"):
        handler("x")(value)
    with pytest.raises(TypeError, match="the handler 'x' is no function"):
        Handler("x", value)


@pytest.mark.parametrize("name", [5, ["a"], 1.5, b"work"])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="takes the name of a resource as text"):
        handler(name)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="an empty text names none"):
        handler(name)


@pytest.mark.parametrize(
    ("function", "two"),
    [
        (lambda input: input, False), (lambda input, context: input, True), (lambda input, context=None: input, True),
        (lambda *everything: None, True), (lambda input, **more: input, False), (lambda input, /: input, False),
        (lambda input, context, more=1: input, True), (len, False),
    ],
)  # fmt: skip
def test_what_can_be_called_with_an_input_is_a_handler(function: Callable[..., Any], two: bool) -> None:
    assert Handler("x", function).wants_context is two


def test_a_file_that_misuses_the_decorator_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from sm_cli import handler\n\n\n@handler(5)\ndef f(input): return 1\n")
    with pytest.raises(HandlerLoadError, match=r"a\.py:4: cannot be imported: TypeError: @handler takes the name"):
        load_handlers(tmp_path)
    (tmp_path / "a.py").write_text("from sm_cli import handler\n\n@handler\ndef f(): return 1\n")
    with pytest.raises(HandlerLoadError, match=r"a\.py:3: .* f is written as f\(\)"):
        load_handlers(tmp_path)


def test_simulate_refuses_a_function_of_three_parameters_at_once() -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}}
    with pytest.raises(TypeError, match="the handler 'work' takes"):
        simulate(definition, {}, handlers={"work": three})
