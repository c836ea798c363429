"""One question at a time, each in a snapshot of its own."""

from __future__ import annotations

from typing import Any, cast

from sm_cli.store.filters import Cursor, ExecutionFilter, ExecutionPage
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


def listed_ids(store: Store, limit: int = 50, after: Cursor | None = None, **filter: Any) -> list[int]:
    """The ids of the executions that a page has with these fields of an ExecutionFilter, newest first."""
    page = ExecutionPage(limit, after=after)
    return [execution.id for execution in asked(store).list_executions(ExecutionFilter(**filter), page)]
