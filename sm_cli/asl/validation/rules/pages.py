"""What each code means, at length: an explanation, a definition that is wrong, and the same put right.

A page (`pages/SM201.md`) says what would go wrong and what to write; its wrong definition breaks its own rule
and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Page:
    """The text about one code."""

    #: A paragraph.
    explanation: str
    #: YAML or JSON in which this is wrong and nothing else; "" for what no text can show.
    bad: str = ""
    #: The same put right.
    good: str = ""


@cache
def page(code: str) -> Page:
    """The page of a code of the catalogue; an empty one for a code without."""
    file = files(__package__).joinpath("pages", f"{code}.md")
    return _read(file.read_text(encoding="utf-8")) if file.is_file() else Page("")


def _read(text: str) -> Page:
    """A page as it is written: a heading, a paragraph, and a fenced definition under `## Wrong` and `## Right`."""
    about, *examples = text.split("\n## ")
    texts_by_heading = {name: rest for name, _, rest in (example.partition("\n") for example in examples)}
    return Page(
        " ".join(about.split("\n", 1)[1].split()),
        *(_fence_content(texts_by_heading.get(name, "")) for name in ("Wrong", "Right")),
    )


def _fence_content(text: str) -> str:
    """What stands between the fences, with its last line's end."""
    lines = text.strip().splitlines(keepends=True)
    return "".join(lines[1:-1])
