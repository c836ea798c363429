"""The man pages say what the help says, lie in the wheel, and are pages."""

from __future__ import annotations

import re
import tomllib

import pytest

from sm_cli.cli.commands import COMMANDS
from tests.docs import manpages

PAGES = manpages.pages()


def test_there_is_a_page_for_sm_and_for_each_command() -> None:
    assert {"sm.1", "sm-db-backup.1", *(f"sm-{name}.1" for name in COMMANDS)} <= PAGES.keys()


def test_the_pages_are_those_of_the_help() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in manpages.MAN.iterdir()}
    assert written == PAGES, "python -m tests.docs.manpages writes them anew"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_parts_and_no_line_that_roff_misreads(name: str) -> None:
    lines = PAGES[name].splitlines()
    assert lines[0].startswith(f".TH {name.removesuffix('.1').upper()} 1 ")
    assert [line for line in lines if line.startswith(".SH ")][:3] == [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"]
    assert re.fullmatch(r"[\w\\-]+ \\- \S.*", lines[2])
    for line in lines:
        assert not line.startswith("'")
        assert not line.startswith(".") or re.match(r"\.(TH|SH|TP|PP|B|BR) ?", line)


def test_the_wheel_installs_them_where_man_looks() -> None:
    project = tomllib.loads((manpages.MAN.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"] == {"docs/man": "share/man/man1"}
