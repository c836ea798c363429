"""SQL by name: every statement of the store stands in `sql/*.sql` under a line `-- name: due_timers`.

No other module contains SQL that touches a table. `{other_name}` in a statement stands for the text
of that block; a file `sql/DIALECT/*.sql` replaces blocks of the same name for one dialect.

A command asks a handful of the statements, and waits for all that is done to them first: the files are cut into
blocks, and a block is made a statement when it is first asked for.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SQL = Path(__file__).parent

_NAME = "\n-- name: "
_COMMENT = r"(?m)^--.*\n?"
_PLACE = r"\{(\w+)\}"


@cache
def query_text(name: str, dialect: str = "sqlite") -> str:
    """The block of this name as one statement or fragment, without comments, places filled in.

    Raises KeyError for the name of no block."""
    text = re.sub(_COMMENT, "", _blocks(dialect)[name]).strip()
    return re.sub(_PLACE, lambda place: query_text(place[1], dialect), text) if "{" in text else text


def all_queries(dialect: str = "sqlite") -> dict[str, str]:
    """Every block by its name, as `query_text` gives it. Raises KeyError for an unknown place."""
    return {name: query_text(name, dialect) for name in _blocks(dialect)}


@cache
def _blocks(dialect: str) -> Mapping[str, str]:
    blocks: dict[str, str] = {}
    for folder in (SQL, SQL / dialect):
        for name in sorted(os.listdir(folder) if folder.is_dir() else ()):  # noqa: PTH208 - a third of what glob costs
            if name.endswith(".sql"):
                blocks.update(split_blocks((folder / name).read_text(encoding="utf-8")))
    return blocks


def split_blocks(text: str) -> dict[str, str]:
    """The blocks of one file by name, as they are written. Raises ValueError for a name that it uses twice."""
    _, *parts = f"\n{text}".split(_NAME)
    blocks = {name: body for name, _, body in (part.partition("\n") for part in parts)}
    if len(blocks) < len(parts):
        names = [part.partition("\n")[0] for part in parts]
        raise ValueError(f"a query name is used twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
    return blocks
