"""One question at a time, each in a snapshot of its own."""

from __future__ import annotations

from typing import Any, cast

from sm_cli.store.protocol import Store
from sm_cli.store.sql.questions import Questions


class _Asked:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, question: str) -> Any:
        def ask(*arguments: Any, **more: Any) -> Any:
            with self._store.read() as questions:
                return getattr(questions, question)(*arguments, **more)

        return ask


def asked(store: Store) -> Questions:
    """The questions of this store, for who asks one at a time and does not care for one snapshot."""
    return cast(Questions, _Asked(store))
