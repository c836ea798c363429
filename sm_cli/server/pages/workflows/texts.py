"""A definition's text as people read it, and two of them side by side."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

import orjson

from sm_cli.views.workflows.versions import definition_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sm_cli.views.records import Definition

#: Lines around what differs, and lines of a text that are compared.
_AROUND, _MOST_LINES = 3, 20_000


def readable_text(definition: Definition) -> str:
    """The text as it was written; JSON that stands in one line is indented. Raises DatabaseError when it is damaged."""
    if definition.text.strip().count("\n") or not definition.text.lstrip().startswith("{"):
        return definition.text
    return orjson.dumps(definition_value(definition), option=orjson.OPT_INDENT_2).decode()


class DiffLine(NamedTuple):
    """One line of two texts side by side."""

    #: same, changed, added, removed or skipped.
    kind: str
    #: Its number and text before; ("", "") where there is none.
    before: tuple[str, str]
    #: Its number and text after.
    after: tuple[str, str]


def side_by_side(before: str, after: str) -> Iterator[DiffLine]:
    """Two texts line by line; what is the same is left out but for some lines around."""
    old, new = before.splitlines()[:_MOST_LINES], after.splitlines()[:_MOST_LINES]
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND)
    end = 0
    for group in groups:
        if group[0][1] > end:
            yield DiffLine("skipped", ("", f"{group[0][1] - end} lines are the same"), ("", ""))
        for tag, i, i_end, j, j_end in group:
            for k in range(max(i_end - i, j_end - j)):
                left = (str(i + k + 1), old[i + k]) if i + k < i_end else ("", "")
                right = (str(j + k + 1), new[j + k]) if j + k < j_end else ("", "")
                kind = (
                    "same" if tag == "equal" else "added" if not left[0] else "removed" if not right[0] else "changed"
                )
                yield DiffLine(kind, left, right)
        end = group[-1][2]
    if end and len(old) > end:
        yield DiffLine("skipped", ("", f"{len(old) - end} lines are the same"), ("", ""))
