"""Handlers as functions of AWS Lambda: an event is the input, what is returned the result.

Lambda makes the name of an exception's class the error name, and its text the message in the cause. Reference:
docs.aws.amazon.com/lambda/latest/dg/python-handler.html and python-exceptions.html.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from sm_cli.errors import HandlerLoadError, TaskError
from sm_cli.handlers.handler import Context, Failure, Handler, arguments_for, failure_of, outcome
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.jsonvalue import Json

#: What Lambda calls: with the event, and an object that has aws_request_id and function_name.
LambdaFunction = Callable[[Any, Any], Json]

_registry = lru_cache(maxsize=None)(load_handlers)


@lru_cache(maxsize=1)
def _loop() -> asyncio.Runner:
    """The one event loop of this process: what an async handler opened for one event is still good for the next."""
    return asyncio.Runner()


def lambda_function(directory: Path, resource: str, *, gets_token: bool = False) -> LambdaFunction:
    """What Lambda calls for this resource, by the handlers of a directory.

    gets_token: an event is `{"input": …, "taskToken": …}`. What it raises has the error name as the name of its class.
    Raises HandlerLoadError when a file cannot be loaded or no handler serves the resource."""
    registry: Registry = _registry(directory)
    handler = registry.find(resource)
    if handler is None:
        raise HandlerLoadError(f"no handler is registered as {resource!r} in {directory}", topic="missing handler")

    def function(event: Any, context: Any) -> Json:
        input, token = (event["input"], event["taskToken"]) if gets_token else (event, None)
        return _run(handler, input, _context(context, resource, token))

    return function


def _context(context: Any, resource: str, token: str | None) -> Context:
    """What Lambda knows of the task: not the execution, nor which attempt this is."""
    request, name = str(context.aws_request_id), str(context.function_name)
    return Context(request, request, name, name, 1, request, token, resource)


def _run(handler: Handler, input: Json, context: Context) -> Json:
    try:
        value = handler.function(*arguments_for(handler, input, context))
        if handler.is_async:
            value = _loop().run(value)
    except TaskError as e:
        raise _named_error(failure_of(e, handler)) from e
    except Exception:
        raise  # Lambda takes the name of its class
    except BaseException as e:  # SystemExit would end the process of the function
        raise _named_error(failure_of(e, handler)) from e
    result = outcome(handler, value)
    if isinstance(result, Failure):
        raise _named_error(result)
    return result.result


def _named_error(failure: Failure) -> Exception:
    """An exception whose class has the name of this error."""
    name = failure.error.replace("\0", "")
    error: Exception = type(name, (Exception,), {"__module__": "handlers"})(failure.cause)
    return error
