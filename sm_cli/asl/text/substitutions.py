"""Values for the `${Name}` of a definition, filled in before it is validated.

A text that is nothing but `${Name}` becomes the value, of whatever type; inside a longer text its text is put.
Names without a value stay as they are. Positions stay those of the text that was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sm_cli.asl.text.source import Document
from sm_cli.jsonvalue import Json, dumps

_NAME = re.compile(r"\$\{\s*([^{}]+?)\s*\}")


def substitute(document: Document, values: Mapping[str, Json]) -> Document:
    """A document with these values in place, by the names between `${` and `}`. Raises nothing."""
    if not values or (document.text is not None and "${" not in document.text):
        return document
    value = _fill(document.value, values)
    return document if value == document.value else replace(document, value=value, is_whole=False)


def has_placeholders(value: Json) -> bool:
    """Whether a `${Name}` stands anywhere in it."""
    if isinstance(value, dict):
        return any("${" in key or has_placeholders(member) for key, member in value.items())
    if isinstance(value, list):
        return any(has_placeholders(item) for item in value)
    return isinstance(value, str) and "${" in value


def _fill(value: Json, values: Mapping[str, Json]) -> Json:
    """A copy; its depth is bounded, because that of a Document is."""
    if isinstance(value, dict):
        return {_text(key, values): _fill(member, values) for key, member in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, str) and "${" in value:
        whole = _NAME.fullmatch(value)
        return values[whole[1]] if whole and whole[1] in values else _text(value, values)
    return value


def _text(text: str, values: Mapping[str, Json]) -> str:
    def put(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else dumps(value)

    return _NAME.sub(put, text) if "${" in text else text
