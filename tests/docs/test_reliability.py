"""What the page on reliability names is there: its tests, and its benches."""

from __future__ import annotations

import re
from pathlib import Path

from bench.__main__ import BENCHES, LONG

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "reliability.md"


def test_every_test_and_bench_that_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"tests/[\w/]+\.py", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (CHECKOUT / name).is_file()] == []
    benches = {name for line in re.findall(r"python -m bench ([\w -]+)", text) for name in line.split()}
    assert {"chaos", "chaos_stops", "fairness", "writers"} <= benches <= {*BENCHES, *LONG}


def test_every_paragraph_of_what_holds_the_promise_names_its_tests() -> None:
    text = PAGE.read_text(encoding="utf-8")
    held = text[text.index("## What holds it") : text.index("## How it is proved")]
    table = text[text.index("held by tests of its own") : text.index("### A crash at every commit")].lower()
    titles = re.findall(r"^- \*\*(.+?)\.\*\*", held, re.MULTILINE)
    assert len(titles) > 10
    assert [title for title in titles if title.lower() not in table] == []
