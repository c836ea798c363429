"""`-o jsonpath=EXPR`: parts of a document, as kubectl prints them.

EXPR is read by jsonpath-ng: what people know of JSONPath elsewhere, with filters. Definitions have AWS's dialect, which
this has nothing to do with.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sm_cli.cli import escaping
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import dumps

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json

PREFIX = "jsonpath="


@lru_cache(maxsize=1)
def compile_selection(text: str) -> Any:
    """The expression, also as kubectl writes it (`{.status}`). Raises UsageError."""
    from jsonpath_ng.ext.parser import parse  # a tenth of a second

    inside = text.strip()
    if inside.startswith("{") and inside.endswith("}"):
        inside = inside[1:-1].strip()
    if inside.startswith((".", "[")):
        inside = f"${inside}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is deprecated there works here
            return parse(inside)
    except Exception as e:  # the library raises plain Exceptions, too
        raise UsageError(f"-o jsonpath={text[:200]} is not a JSONPath: {_reason(e)}") from None


def find_matches(document: Json, text: str) -> list[Json]:
    """What the expression finds, in the order of the document. Raises UsageError for one that cannot be evaluated."""
    path = compile_selection(text)
    try:
        return [match.value for match in path.find(document)]
    except Exception as e:  # a filter may compare, and a function count, what it cannot
        raise UsageError(f"-o jsonpath={text[:200]} cannot be evaluated here: {_reason(e)}") from None


def _reason(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0].rstrip("!.")
    return text[:1].lower() + text[1:] if text else type(error).__name__


def text_of_match(value: Json) -> str:
    """Texts as they are, everything else as JSON; so is a text that a terminal or a CI system would obey."""
    if isinstance(value, str) and escaping.escape(value) == value and not re.match(r"\s*::", value):
        return value
    return dumps(value)
