"""What every family of questions is built on: a session, and rows made values.

Nothing here writes.
"""

from __future__ import annotations

from sm_cli.jsonvalue import Json, TooLarge
from sm_cli.store.records import (
    Execution,
)
from sm_cli.store.sql import rows
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.session import Parameters, Session


class Asking:
    """What every family of questions needs: the session, and how values are read."""

    def __init__(self, session: Session, value: rows.Decode) -> None:
        self.session = session
        self.value = value

    def _executions(self, name: str, parameters: Parameters) -> list[Execution]:
        return [rows.execution(row, self.value) for row in self.session.all(name, parameters)]

    def _short_executions(self, name: str, parameters: Parameters) -> list[Execution]:
        """From rows that end before input and output: a transaction must not remember them as whole."""
        return [rows.execution(row, self.value) for row in self.session.all(name, parameters)]

    def _outputs(self, rows: list[rows.Row], most: int | None) -> list[tuple[int, Json]]:
        """From rows of an index and a value's text. Raises TooLarge when these have more than `most` bytes together;
        none that is large is read then."""
        if most is not None:
            texts = [text for _, text in rows if text is not None]
            large = [int(text[1:]) for text in texts if text[0] == "@"]
            size = sum(len(text) for text in texts if text[0] != "@")
            if large:
                ((blob_bytes,),) = self.session.all("size_of_blobs", (id_list(large),))
                size += blob_bytes
            if size > most:
                raise TooLarge
        return [(index, self.value(text)) for index, text in rows]
