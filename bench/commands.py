"""`sm` in processes of its own, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]


class Project:
    """The sm that is measured is that of the checkout, run by this Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / ".sm" / "sm.db"

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        return subprocess.Popen(
            [sys.executable, "-m", "sm_cli", *arguments], cwd=self.folder, env=environment, text=True, **options
        )

    def worker(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """A worker that has begun."""
        process = self.start("worker", "--name", name, *arguments, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"worker {name}:")
        return process

    def run(self, *arguments: str) -> str:
        """The stdout of a command that succeeds."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"sm {' '.join(arguments)} ended with {process.returncode}: {error}")
        return out


def end(process: subprocess.Popen[str]) -> str:
    """Stop a worker; what it has said on stderr."""
    process.terminate()
    _, error = process.communicate()
    return error or ""
