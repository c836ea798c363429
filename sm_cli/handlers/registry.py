"""A registry: the handlers that there are, and which of them serves a resource.

It never changes; who loads handlers anew makes another one. Which name serves what stands in `asl.resources`;
every question about it is asked through `find`, so that a wildcard is never forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sm_cli.asl.resources import is_wildcard, serving
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.transformer import Transformer


class Registry(Mapping[str, Handler]):
    """Handlers by the names that they are registered under, wildcards (`dynamodb:*`, `*`) among them.

    As a Mapping it knows names; `find` knows resources.
    """

    __slots__ = ("_handlers", "exact", "transformers", "wild")

    def __init__(
        self, handlers: Mapping[str, Handler] | None = None, transformers: Mapping[str, Transformer] | None = None
    ) -> None:
        self._handlers = dict(handlers or {})
        #: The transformers that stand beside the handlers, by their names.
        self.transformers: Mapping[str, Transformer] = dict(transformers or {})
        #: The names that are resources, and whether there are others.
        self.exact = frozenset(name for name in self._handlers if not is_wildcard(name))
        self.wild = len(self.exact) < len(self._handlers)

    @classmethod
    def of(cls, functions: Mapping[str, Callable[..., Any] | Handler]) -> Registry:
        """From functions by name, and handlers as they are."""
        return cls({name: f if isinstance(f, Handler) else Handler(name, f) for name, f in functions.items()})

    def __getitem__(self, name: str) -> Handler:
        return self._handlers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)

    def find(self, resource: str) -> Handler | None:
        """The handler that serves this resource: its own, else the longest `PREFIX:*`, else `*`."""
        handler = self._handlers.get(resource)
        if handler is not None or not self.wild:
            return handler
        name = serving(resource, self._handlers)
        return None if name is None else self._handlers[name]

    def resources(self, waiting: Callable[[], Iterable[str]]) -> frozenset[str]:
        """The resources that jobs may be taken for. `waiting` names those of the jobs that nobody has (a store's
        `waiting_resources`); it is asked only when there are wildcards."""
        if not self.wild:
            return self.exact
        return self.exact.union(resource for resource in waiting() if self.find(resource) is not None)
