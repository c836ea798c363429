"""Handlers as Lambda runs them: an event, an object as context, and the name of an exception's class as error name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.handler import Context, Failure, run_handler
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.on_lambda import lambda_function

#: What Lambda gives beside the event, as far as it is looked at.
CONTEXT = SimpleNamespace(
    aws_request_id="1b0c", function_name="order-Charge", memory_limit_in_mb="256",
    get_remaining_time_in_millis=lambda: 60_000,
)  # fmt: skip

CODE = """
import asyncio, os
from sm_cli import TaskError, handler
import helper

class OutOfStock(Exception):
    pass

class Rejected(TaskError):
    pass

@handler("double")
def double(input):
    return helper.double(input["n"])

@handler
def described(input, context):
    return [context.resource, context.task_token, context.idempotency_key, context.execution_id, context.attempt]

@handler("slow")
async def slow(input, context):
    await asyncio.sleep(0)
    return {"loop": id(asyncio.get_running_loop()), "state": context.state}

@handler("changed")
def changed(input):
    input["n"] = 2
    return (1, 2)

@handler("fails")
async def fails(input):
    raise TaskError(input["error"], input["cause"])

@handler("raises")
def raises(input):
    raise OutOfStock("no lamps")

@handler("rejects")
def rejects(input):
    raise Rejected("Order.Rejected", "by hand")

@handler("ends")
def ends(input):
    raise SystemExit("gone")

@handler("set")
def a_set(input):
    return {1, 2}

@handler("db:*")
def any_of_db(input, context):
    return context.resource
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "orders.py").write_text(CODE)
    (tmp_path / "helper.py").write_text("def double(n):\n    return 2 * n\n")
    return tmp_path


Invoke = Callable[..., Any]


@pytest.fixture
def invoke(directory: Path) -> Invoke:
    """Call a function as Lambda does: what it returns, or (errorType, errorMessage) of what it raises."""

    def call(resource: str, event: Any, **options: Any) -> Any:
        function = lambda_function(directory, resource, **options)
        try:
            return json.loads(json.dumps(function(event, CONTEXT)))
        except Exception as e:
            return type(e).__name__, str(e)

    return call


def test_what_a_handler_returns_is_the_functions_result(invoke: Invoke) -> None:
    assert invoke("double", {"n": 21}) == 42


def test_a_handler_may_take_the_input_alone_or_a_context_too(invoke: Invoke) -> None:
    assert invoke("described", {}) == ["described", None, "1b0c", "1b0c", 1]


def test_an_async_handler_is_awaited_on_one_loop_for_all_events(invoke: Invoke) -> None:
    first, second = invoke("slow", {}), invoke("slow", {})
    assert first == second
    assert first["state"] == "order-Charge"


def test_a_callback_gets_its_input_and_its_token(invoke: Invoke) -> None:
    event = {"input": {"n": 4}, "taskToken": "t0ken"}
    assert invoke("double", event, gets_token=True) == 8
    assert invoke("described", event, gets_token=True)[:2] == ["described", "t0ken"]


def test_a_wildcard_serves_and_is_told_what_it_was_called_for(invoke: Invoke) -> None:
    assert invoke("db:get", {}) == "db:get"


def test_an_event_is_the_handlers_own_and_a_tuple_a_list(invoke: Invoke) -> None:
    event = {"n": 1}
    assert (invoke("changed", event), event) == ([1, 2], {"n": 1})


@pytest.mark.parametrize(
    ("resource", "event", "error", "message"),
    [
        ("fails", {"error": "Card.Declined", "cause": "no money"}, "Card.Declined", "no money"),
        ("fails", {"error": "States.Timeout", "cause": ""}, "States.Timeout", ""),
        ("fails", {"error": "größer", "cause": {"a": 1}}, "größer", '{"a":1}'),
        ("raises", {}, "OutOfStock", "no lamps"),
        ("rejects", {}, "Order.Rejected", "by hand"),
        ("ends", {}, "SystemExit", "gone"),
        ("double", {}, "KeyError", "'n'"),
    ],
)
def test_an_error_has_the_name_and_text_that_it_has_in_a_worker(
    resource: str, event: Any, error: str, message: str, invoke: Invoke, directory: Path
) -> None:
    assert invoke(resource, event) == (error, message)
    handler = load_handlers(directory)[resource]
    context = Context("id", "name", "order", "State", 1, "key", None, resource)
    here: Any = run_handler(handler, event, context) if not handler.is_async else asyncio.run(_awaited(handler, event))
    assert isinstance(here, Failure)
    assert (here.error, here.cause) == (error, message)


async def _awaited(handler: Any, event: Any) -> Any:
    from sm_cli.handlers.handler import run_async

    return await run_async(handler, event, None)


def test_what_is_no_json_fails_as_in_a_worker(invoke: Invoke) -> None:
    error, message = invoke("set", {})
    assert error == "States.TaskFailed"
    assert message.startswith("The handler 'set' returned what is not JSON")


def test_the_exception_of_the_handler_itself_is_raised_with_its_frames(directory: Path) -> None:
    function = lambda_function(directory, "raises")
    with pytest.raises(Exception, match="no lamps") as info:
        function({}, CONTEXT)
    assert [entry.name for entry in info.traceback][-1] == "raises"


def test_a_named_error_says_where_it_comes_from(directory: Path) -> None:
    with pytest.raises(Exception, match="by hand") as info:
        lambda_function(directory, "rejects")({}, CONTEXT)
    assert type(info.value.__cause__).__name__ == "Rejected"


def test_a_handler_that_is_not_there_is_told_when_the_function_starts(directory: Path) -> None:
    with pytest.raises(HandlerLoadError, match="no handler is registered as 'nobody'"):
        lambda_function(directory, "nobody")


def test_a_file_that_does_not_import_is_told_when_the_function_starts(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(HandlerLoadError, match="nowhere_to_be_found"):
        lambda_function(tmp_path, "x")
