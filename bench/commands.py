"""`sm` in processes of its own, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]


class Project:
    """The sm that is measured is that of the checkout, run by this Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / ".sm" / "sm.db"
        #: Where the database is, when it is not that file.
        self.url: str | None = None

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        if self.url is not None:
            environment["SM_DATABASE_URL"] = self.url
        return subprocess.Popen(
            [sys.executable, "-m", "sm_cli", *arguments], cwd=self.folder, env=environment, text=True, **options
        )

    def worker(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """A worker that has begun. What it says goes to a file: nobody empties a pipe while it works."""
        file = self.folder / f"{name}.log"
        with file.open("w", encoding="utf-8") as log:
            process = self.start("worker", "--name", name, *arguments, stderr=log)
        while not file.read_text(encoding="utf-8").startswith(f"worker {name}:"):
            assert process.poll() is None, file.read_text(encoding="utf-8")
            time.sleep(0.01)
        return process

    def end(self, process: subprocess.Popen[str], name: str) -> str:
        """Stop a worker; what it has said on stderr."""
        process.terminate()
        process.wait()
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """The stdout of a command that succeeds."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"sm {' '.join(arguments)} ended with {process.returncode}: {error}")
        return out
