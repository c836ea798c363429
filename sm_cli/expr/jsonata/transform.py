"""The transform operator of JSONata, `|pattern|update, delete|`.

The argument itself is never changed; what is changed is a copy that shares nothing with it.
"""

from __future__ import annotations

from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.operators import clone


class TransformOperator(Jsonata.JFunctionCallable):  # type: ignore[misc]  # the package ships no types
    """`|pattern|update, delete|`: a copy of its argument, changed at the places that the pattern finds."""

    def __init__(self, evaluator: Any, node: Any, environment: Any) -> None:
        self.evaluator = evaluator
        self.node = node
        self.environment = environment

    def call(self, _input: Any, arguments: list[Any]) -> Any:
        """A copy of the first argument with what matches changed."""
        if arguments[0] is None:
            return None
        result = clone(arguments[0])
        places = self.evaluator.eval(self.node.pattern, result, self.environment)
        for place in places if isinstance(places, list) else [] if places is None else [places]:
            self.change(place)
        return result

    def change(self, place: Any) -> None:
        """Change one match in place, in the copy. Raises JException (T2011, T2012)."""
        update = self.evaluator.eval(self.node.update, place, self.environment)
        if update is not None and not isinstance(update, dict):
            raise JException("T2011", self.node.update.position, update)
        if not isinstance(place, dict):
            return
        place.update(update or {})
        names = None if self.node.delete is None else self.evaluator.eval(self.node.delete, place, self.environment)
        for name in names if isinstance(names, list) else [] if names is None else [names]:
            if not isinstance(name, str):
                raise JException("T2012", self.node.delete.position, names)
            place.pop(name, None)
