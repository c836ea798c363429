"""The stub: `{}` for every task that no handler serves, so that a definition can be walked through.

A handler like any other, registered as `*`; whatever has a handler of its own never meets it. Nobody will call
back for what it answered, so its answer ends a `.waitForTaskToken` task too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from sm_cli.handlers.handler import Context, Handler
from sm_cli.handlers.registry import Registry
from sm_cli.jsonvalue import Json


class Stub:
    """`told` is called once for each resource, when it is first answered, from a handler's thread."""

    def __init__(self, on_first_answer: Callable[[str], None] | None = None) -> None:
        self.on_first_answer = on_first_answer
        #: The resources that were answered, in order.
        self.resources: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, input: Json, context: Context) -> Json:  # noqa: ARG002 - the handlers' protocol
        with self._lock:
            new = context.resource not in self.resources
            if new:
                self.resources.append(context.resource)
        if new and self.on_first_answer is not None:
            self.on_first_answer(context.resource)
        return {}

    def under(self, handlers: Mapping[str, Handler]) -> Registry:
        """These handlers, and the stub for the rest; a handler registered as `*` leaves it no rest."""
        return Registry({"*": Handler("*", self, final=True), **handlers})
