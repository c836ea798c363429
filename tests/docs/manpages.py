"""The man pages, made from the help: `python -m tests.docs.manpages` writes `docs/man/`, which the wheel installs.

One page for `sm`, and one for each command and each group of commands: `man sm-run`, `man sm-db-backup`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from sm_cli.cli import app
from sm_cli.cli.commands import COMMANDS

MAN = Path(__file__).resolve().parents[2] / "docs" / "man"
_NAME = "sm"


def pages() -> dict[str, str]:
    """The text of each page by its file's name, `sm-run.1`."""
    root: Any = get_command(app.build(sorted({*COMMANDS.values()})))
    root.commands = {name: root.commands[name] for name in COMMANDS}
    return dict(_pages_of(root, [_NAME]))


def _pages_of(command: Any, words: list[str]) -> Iterator[tuple[str, str]]:
    below = getattr(command, "commands", {})
    yield f"{'-'.join(words)}.1", _page(command, words, below)
    for name, each in below.items():
        yield from _pages_of(each, [*words, name])


def _page(command: Any, words: list[str], below: dict[str, Any]) -> str:
    context = typer.Context(command, info_name=" ".join(words), **command.context_settings)
    title = "-".join(words)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH {title.upper()} 1 "" "sm" "User Commands"',
        ".SH NAME",
        f"{_roff(title)} \\- {_roff(_summary(command))}",
        ".SH SYNOPSIS",
        f".B {_roff(' '.join(words))}",
        _roff(usage),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
        *_options(command, context),
    ]
    if below:
        lines.append(".SH COMMANDS")
        for name, each in below.items():
            lines += [".TP", f".BR {_roff('-'.join([*words, name]))} (1)", _roff(_summary(each))]
    others = [_NAME] if len(words) > 1 else []
    others += ["-".join(words[:n]) for n in range(2, len(words))]
    if others:
        lines += [".SH SEE ALSO", ", ".join(f"\\fB{_roff(other)}\\fR(1)" for other in others)]
    return "\n".join(lines) + "\n"


def _options(command: Any, context: typer.Context) -> Iterator[str]:
    """The arguments and options, each with its help."""
    for heading, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        records = [
            record
            for parameter in command.get_params(context)
            if parameter.param_type_name == kind and (record := parameter.get_help_record(context)) is not None
        ]
        if records:
            yield f".SH {heading}"
        for names, text in records:
            yield ".TP"
            yield f".B {_roff(names.removesuffix(' <list[str]>'))}"
            yield _roff(text) or "\\&"


def _summary(command: Any) -> str:
    return str(command.get_short_help_str(200)).rstrip(".")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield _roff(" ".join(paragraph.split()))


def _roff(text: str) -> str:
    """Text in which nothing means anything to roff."""
    escaped = " ".join(text.split()).replace("…", "...").replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"[^ -~]", lambda other: f"\\[u{ord(other[0]):04X}]", re.sub(r"^([.'])", r"\\&\1", escaped))


def main() -> None:
    """Write all pages anew."""
    shutil.rmtree(MAN, ignore_errors=True)
    MAN.mkdir()
    for name, text in pages().items():
        MAN.joinpath(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
