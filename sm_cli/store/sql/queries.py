"""SQL by name: every statement of the store stands in `sql/*.sql` under a line `-- name: due_timers`.

No other module contains SQL that touches a table. `{other_name}` in a statement stands for the text
of that block; a file `sql/DIALECT/*.sql` replaces blocks of the same name for one dialect.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SQL = Path(__file__).parent

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)
_PLACE = re.compile(r"\{(\w+)\}")


@cache
def load_queries(dialect: str = "sqlite") -> Mapping[str, str]:
    """Every named block as one statement or fragment, places filled in. Raises KeyError for an unknown place."""
    blocks: dict[str, str] = {}
    for folder in (SQL, SQL / dialect):
        for file in sorted(folder.glob("*.sql")):
            blocks.update(parse_blocks(file.read_text(encoding="utf-8")))
    return {name: _fill(text, blocks) for name, text in blocks.items()}


def parse_blocks(text: str) -> dict[str, str]:
    """The blocks of one file, without comments. Raises ValueError for a name that it uses twice."""
    _, *parts = _NAME.split(text)
    blocks = {name: _COMMENT.sub("", body).strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
    if len(blocks) * 2 != len(parts):
        twice = sorted({name for name in parts[::2] if parts[::2].count(name) > 1})
        raise ValueError(f"a query name is used twice: {', '.join(twice)}")
    return blocks


def _fill(text: str, blocks: Mapping[str, str]) -> str:
    while _PLACE.search(text):
        text = _PLACE.sub(lambda place: blocks[place[1]], text)
    return text
