"""sm runs Amazon States Language workflows on your own machine and keeps them alive.

    from sm_cli import handler, TaskError        # to write handlers
    from sm_cli import transformer               # to make the input of one execution from the output of another one
    from sm_cli import validate, simulate        # to check and to test workflows
    from sm_cli import Client                    # to start executions from a program, and ask about them
    from sm_cli import errors                    # what can go wrong

Importing this package imports nothing else; what stands below is fetched when it is first used.
"""

from __future__ import annotations

from sm_cli._version import __version__

TYPE_CHECKING = False  # typing itself is not imported: `sm --version` would pay for it
if TYPE_CHECKING:
    from collections.abc import Collection

    from sm_cli import errors as errors
    from sm_cli.client import Client, ExecutionDescription, ExecutionLink, ExecutionSummary, MessageReceipt, WaitingTask
    from sm_cli.diagnostics import Diagnostic
    from sm_cli.errors import TaskError
    from sm_cli.handlers.handler import handler
    from sm_cli.handlers.transformer import transformer
    from sm_cli.jsonvalue import Json
    from sm_cli.testing import simulate

__all__ = [
    "Client", "ExecutionDescription", "ExecutionLink", "ExecutionSummary", "MessageReceipt", "TaskError", "WaitingTask",
    "__version__", "errors", "handler", "simulate", "transformer", "validate",
]  # fmt: skip

_HOMES = {
    "Client": "sm_cli.client",
    "ExecutionDescription": "sm_cli.client",
    "ExecutionLink": "sm_cli.client",
    "ExecutionSummary": "sm_cli.client",
    "MessageReceipt": "sm_cli.client",
    "WaitingTask": "sm_cli.client",
    "TaskError": "sm_cli.errors",
    "errors": "sm_cli.errors",
    "handler": "sm_cli.handlers.handler",
    "transformer": "sm_cli.handlers.transformer",
    "simulate": "sm_cli.testing",
}


def validate(definition: str | bytes | Json, *, handlers: Collection[str] | None = None) -> list[Diagnostic]:
    """Every problem of a definition, given as YAML or JSON text or as a dict; empty for one without.

    `handlers` are the names that handlers are registered under: a Task without one gets a warning. Raises nothing.
    """
    from sm_cli.asl.validation.validate import check

    return check(definition, handlers=handlers)[1]


def __getattr__(name: str) -> object:
    """PEP 562: fetch a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sm_cli' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(_HOMES[name])
    value: object = home if name == "errors" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
