"""The items of a batch, wherever they are: in a file, in a bucket, or kept in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.buckets import BatchItems
from sm_cli.engine.batches.kept import is_kept, read_kept_items

if TYPE_CHECKING:
    from pathlib import Path

    from sm_cli.jsonvalue import Json
    from sm_cli.store.protocol import Store


class SourceItems:
    """Reads them; one serves several threads. root: the directory that stands for S3."""

    def __init__(self, store: Store, root: Path) -> None:
        self._store = store
        self._files = BatchItems(root)

    def read(self, source: dict[str, Json], mark: str, start: int, limit: int) -> list[Json]:
        """The items from number `start` on, `limit` at most; fewer are the last. Raises ItemReaderFailed, also when
        the source is not what bore this mark any more."""
        if is_kept(source):
            return read_kept_items(self._store, source, mark, start, limit)
        return self._files.read(source, mark, start, limit)
