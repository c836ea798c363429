"""Values as parameters of SQL: lists as JSON texts, which `json_each` reads, and a pattern for LIKE."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from sm_cli.errors import UsageError

#: SQLite takes patterns of 50,000 bytes; no name has as many characters.
_LONGEST = 10_000


def id_list(ids: Iterable[int]) -> str:
    """A JSON array of these ids, in their order."""
    return orjson.dumps(list(ids)).decode()


def without_nul(name: str) -> str:
    """A name to be looked for, with another character that no name has either in the place of U+0000: in JSON Postgres
    refuses that one, and in a pattern SQLite takes it for the end."""
    return name.replace("\0", "\1")


def name_list(names: Iterable[str] | None) -> str | None:
    """A JSON array of these names, sorted; None, which SQL reads as "all", for None."""
    return None if names is None else orjson.dumps(sorted(map(without_nul, names))).decode()


def containing(text: str) -> str:
    r"""A pattern of LIKE ... ESCAPE '\' for what contains this text; `%`, `_` and `\` in it mean themselves. Raises
    UsageError for one that is longer than what databases take, and than any name."""
    if len(text) > _LONGEST:
        raise UsageError(f"no name contains a text of {len(text):,} characters; {_LONGEST:,} are the most")
    text = without_nul(text)
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
