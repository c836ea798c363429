"""The command line and REST side by side, as docs/api.md has them: what one can, the other can, or it says why."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from sm_cli.cli.app import build
from sm_cli.cli.commands import COMMANDS
from sm_cli.server.api.links import API
from tests.cli.test_snapshots import leaves
from tests.server.serving import Served

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
_TABLE = PAGE.partition("## Commands and requests")[2].partition("\n## ")[0]
_ROW = re.compile(r"^\| `sm ([a-z -]+)` \| (.+) \|$", re.MULTILINE)
_REQUEST = re.compile(r"`([A-Z]+) (/[^`]*)`")
ROWS = dict(_ROW.findall(_TABLE))


def routes(here: Served) -> set[tuple[str, str]]:
    paths = here.get(f"{API}/openapi.json")["paths"]
    return {
        (method.upper(), path.removeprefix(API))
        for path, item in paths.items() for method in item if path.startswith(API)
    }  # fmt: skip


def test_every_command_has_a_request_or_a_reason() -> None:
    every = dict(leaves(get_command(build([*dict.fromkeys(COMMANDS.values())]))))
    commands = {name for name, each in every.items() if not hasattr(each, "commands")}
    assert set(ROWS) == commands
    assert [name for name, text in ROWS.items() if not _REQUEST.search(text) and not re.match("– .{4,}", text)] == []


def test_every_request_belongs_to_a_command_and_there_is_no_other(on_file: Served) -> None:
    told = {request for text in ROWS.values() for request in _REQUEST.findall(text)}
    assert told == routes(on_file)


def test_each_route_of_the_design_has_a_counterpart_that_there_is(on_file: Served) -> None:
    design = PAGE.partition("## The design that this follows")[2]
    rows = dict(re.findall(r"^\| `([A-Z]+ /[^`]+)` \| (.+) \|$", design, re.MULTILINE))
    assert len(rows) == 31
    for there, here in rows.items():
        named = _REQUEST.findall(here)
        assert named or re.match("– .{4,}", here), there
        assert {*named} <= routes(on_file), there
    assert {*_REQUEST.findall(design)} - {*_REQUEST.findall("\n".join(f"`{each}`" for each in rows))} <= routes(on_file)


def test_people_find_every_request_on_a_page_that_asks_no_other_host(on_file: Served) -> None:
    page = on_file.ask("GET", "/docs", 200)
    for method, path in routes(on_file):
        assert f"{method} {API}{path}" in page.text
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    assert "<script" not in page.text
