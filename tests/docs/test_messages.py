"""What docs/messages.md says: its code runs, and the options and fields that it names are there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from sm_cli.engine.engine import Engine
from sm_cli.engine.send_message import SendOutcome, Sent

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "buffered ()\n", "")


def test_the_signature_on_the_page_is_that_of_the_code() -> None:
    shown = re.findall(r"`Engine\.publish\((.*?)\)`", PAGE)[0]
    parameters = list(inspect.signature(Engine.publish).parameters.values())[1:]
    written = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        written.append(p.name if p.default is p.empty else f"{p.name}={p.default!r}")
    assert shown == ", ".join(written).replace("'", '"')


def test_every_field_and_outcome_is_on_the_page() -> None:
    table = PAGE.partition("It answers with a `Sent`")[2]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        name for name in ("outcome", "message", "executions", "until", "first", "near")
        if name in {field.name for field in fields(Sent)}
    ]  # fmt: skip
    assert len(fields(Sent)) == 6
    assert all(f'"{outcome.value}"' in table for outcome in SendOutcome)


def test_every_option_on_the_page_is_one_of_a_command() -> None:
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    help = "".join(
        subprocess.run(
            [sys.executable, "-m", "sm_cli", *command, "--help"], env={"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True, text=True, check=True,
        ).stdout
        for command in (("send-message",), ("waits",), ("messages", "list"), ("run",))
    )  # fmt: skip
    assert named
    assert sorted(option for option in named if option not in help) == []
