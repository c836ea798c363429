"""Values as parameters of SQL: lists as JSON texts, which `json_each` reads, and a pattern for LIKE."""

from __future__ import annotations

from collections.abc import Iterable

import orjson


def id_list(ids: Iterable[int]) -> str:
    """A JSON array of these ids, in their order."""
    return orjson.dumps(list(ids)).decode()


def name_list(names: Iterable[str] | None) -> str | None:
    """A JSON array of these names, sorted; None, which SQL reads as "all", for None."""
    return None if names is None else orjson.dumps(sorted(names)).decode()


def containing(text: str) -> str:
    r"""A pattern of LIKE ... ESCAPE '\' for what contains this text; `%`, `_` and `\` in it mean themselves."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
