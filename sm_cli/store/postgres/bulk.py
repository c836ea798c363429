"""Many rows in one statement: what SQLite runs once a row, Postgres takes as one JSON array.

A round of the loop writes hundreds of rows of a few kinds. Sent one by one each costs the driver and the server as
much as a query; as an array, the rows of a statement cost a fraction of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import orjson

_PARAMETER = re.compile(r"\$(\d+)")
_INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)\s*VALUES \((.*)\)", re.DOTALL)
_UPDATE = re.compile(r"UPDATE (\w+) SET (.*?)\s*WHERE (\w+) = (\$\d+)", re.DOTALL)
_SETS = re.compile(r"(\w+) = (?:\1 \+ )?(\$\d+)")
_DELETE = re.compile(r"DELETE FROM (\w+) WHERE (\w+) = (\$1)")
_INSERT_ALL = "INSERT INTO {table} ({columns}) SELECT {values} FROM {rows}"
_UPDATE_ALL = "UPDATE {table} SET {values} FROM {rows} WHERE {table}.{column} = {value}"
_DELETE_ALL = "DELETE FROM {table} USING {rows} WHERE {table}.{column} = u.p1"
#: Types that JSON can carry.
_CARRIED = frozenset(["bigint", "text", "double precision"])

#: The type of each column by table and name.
Types: TypeAlias = Mapping[tuple[str, str], str]
#: What answers with them, for the tables of the current schema.
COLUMN_TYPES = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
"""


class Bulk(NamedTuple):
    """A statement that takes all rows at once, as its one parameter."""

    #: The text.
    text: str
    #: Names of the values of a row, in their order.
    names: tuple[str, ...]
    #: Which of them says what row is changed; None where rows are added.
    key: int | None

    def argument(self, rows: Sequence[Sequence[object]]) -> str | None:
        """The rows as JSON text; None when they cannot be written at once: two are for one row, or a text is not one
        that JSON can carry."""
        if self.key is not None and len({row[self.key] for row in rows}) < len(rows):
            return None
        names = self.names
        try:
            return orjson.dumps([dict(zip(names, map(_plain, row), strict=True)) for row in rows]).decode()
        except orjson.JSONEncodeError:
            return None


def bulk(text: str, types: Types) -> Bulk | None:
    """How to run this statement for many rows, each of another id, at once; None where it has another form."""
    if "RETURNING" in text:
        return None
    if (insert := _INSERT.fullmatch(text)) is not None:
        table, columns, values = insert.groups()
        parts = _parts(values)
        names = [name.strip().strip('"') for name in columns.split(",")]
        types_of_values = {part: types.get((table, name)) for name, part in zip(names, parts, strict=True)}
        return _of(_INSERT_ALL, values, types_of_values, table=table, columns=columns)
    if (update := _UPDATE.fullmatch(text)) is not None:
        table, sets, key, at = update.groups()
        pairs = _SETS.findall(sets)
        if len(pairs) != len(_PARAMETER.findall(sets)):
            return None
        types_of_values = {part: types.get((table, name)) for name, part in [*pairs, (key, at)]}
        return _of(_UPDATE_ALL, sets, types_of_values, int(at[1:]) - 1, table=table, column=key, value=f"u.p{at[1:]}")
    if (delete := _DELETE.fullmatch(text)) is not None:
        table, key, at = delete.groups()
        return _of(_DELETE_ALL, "", {at: types.get((table, key))}, 0, table=table, column=key)
    return None


def _of(frame: str, values: str, types: Mapping[str, str | None], key: int | None = None, **parts: str) -> Bulk | None:
    numbers = sorted(int(part[1:]) for part in types if _PARAMETER.fullmatch(part))
    if numbers != list(range(1, len(numbers) + 1)) or any(types[f"${n}"] not in _CARRIED for n in numbers):
        return None
    values = re.sub(r"(\w+) = \1 \+", rf"\1 = {parts['table']}.\1 +", values)
    values = _PARAMETER.sub(r"u.p\1", values)
    columns = ", ".join(f"p{n} {types[f'${n}']}" for n in numbers)
    rows = f"json_to_recordset($1::json) AS u({columns})"
    return Bulk(frame.format(values=values, rows=rows, **parts), tuple(f"p{n}" for n in numbers), key)


def _parts(values: str) -> list[str]:
    """The expressions of a list, at the commas that stand in no brackets."""
    parts, depth, begin = [], 0, 0
    for at, letter in enumerate(values):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(values[begin:at].strip())
            begin = at + 1
    return [*parts, values[begin:].strip()]


def _plain(value: object) -> object:
    """A bool is a number here."""
    return int(value) if value is True or value is False else value
