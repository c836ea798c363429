"""What each code means, at length: an explanation, a definition that is wrong, and the same put right.

Rule: a page says what would go wrong and what to write; its bad definition breaks its own rule and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Page:
    """The text about one code; `bad` and `good` are YAML or JSON, "" for what no text can show."""

    explanation: str
    bad: str = ""
    good: str = ""


def page(code: str) -> Page:
    """The page of a code of the catalogue; an empty one for a code without."""
    return _pages().get(code, Page(""))


@cache
def _pages() -> dict[str, Page]:
    from sm_cli.asl.rules import pages_expressions, pages_jsonata, pages_maps, pages_states, pages_text

    found: dict[str, Page] = {}
    for written in (pages_text, pages_states, pages_expressions, pages_maps, pages_jsonata):
        found |= _read(written.PAGES)
    return found


def _read(text: str) -> dict[str, Page]:
    """Pages as they are written: `== CODE`, a paragraph, and the definitions after `-- bad` and `-- good`."""
    found: dict[str, Page] = {}
    for written in text.split("\n== ")[1:]:
        code, _, rest = written.partition("\n")
        explanation, _, examples = rest.partition("\n-- bad\n")
        bad, _, good = examples.partition("\n-- good\n")
        ends = "\n" if bad else ""
        found[code] = Page(" ".join(explanation.split()), bad.strip("\n") + ends, good.strip("\n") + ends)
    return found
