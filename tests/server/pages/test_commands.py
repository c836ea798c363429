"""The commands that pages show to be copied can be given so."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

import sm_cli.server
from sm_cli.cli import app
from sm_cli.cli.commands import COMMANDS

_TEMPLATES = Path(sm_cli.server.__file__).with_name("templates")
#: In the text of a page, or of what a macro offers.
_COMMAND = re.compile(r"<code>(sm .+?)</code>|\"address\": \"(sm .+?)\"")
_SHOWN = sorted({
    html.unescape(found[1] or found[2])
    for file in _TEMPLATES.rglob("*.html") for found in _COMMAND.finditer(file.read_text(encoding="utf-8"))
})  # fmt: skip


def test_some_pages_show_commands() -> None:
    assert len(_SHOWN) >= 4


@pytest.mark.parametrize("text", _SHOWN)
def test_a_command_that_is_shown_is_one(text: str) -> None:
    words = shlex.split(text)[1:]
    command: Any = get_command(app.build(sorted({*COMMANDS.values()})))
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    parsed = typer.Context(command, info_name="sm", **command.context_settings)
    command.parse_args(parsed, words)  # which refuses what there is not
