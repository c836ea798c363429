"""A project in a fresh directory, and `sm` in this process or in one of its own."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from sm_cli.__main__ import main
from sm_cli.store.open import open_store

CHECKOUT = Path(__file__).resolve().parents[2]

#: Names of settings that a developer's own shell may have.
_SETTINGS = (
    "SM_DATABASE_URL",
    "SM_HANDLERS",
    "SM_BUCKETS",
    "SM_HTTP_ALLOW",
    "SM_CONCURRENCY",
    "SM_PROCESSES",
    "SM_RECYCLE_AFTER",
    "SM_LOG_FORMAT",
    "SM_WORKER",
    "SM_ENGINE",
    "SM_CELERY_BROKER_URL",
    "SM_DEBUG",
    "SM_WORKFLOW",
    "SM_TRUST",
)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Project:
    """A directory, the current one, with what a test writes into it."""

    def __init__(self, path: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.path = path
        self._capture = capture
        self._patch = patch
        self.started: list[subprocess.Popen[str]] = []

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.stat().st_mtime if file.is_file() else 0
        file.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        if file.stat().st_mtime < before + 1:  # Python tells a module from its older version by size and whole seconds
            os.utime(file, (before + 1, before + 1))
        return file

    def workflow(self, text: str, name: str = "order.yaml") -> Path:
        return self.write(f"workflows/{name}", text)

    def handlers(self, text: str, name: str = "orders.py") -> Path:
        return self.write(f"handlers/{name}", "from sm_cli import TaskError, handler\n" + dedent(text))

    def database(self) -> Path:
        """An empty database, as `sm init` leaves one."""
        file = self.path / ".sm" / "sm.db"
        open_store(str(file)).close()
        return file

    def sm(self, *arguments: str, stdin: str | bytes = b"") -> Result:
        """One command line, in this process."""
        content = stdin if isinstance(stdin, bytes) else stdin.encode()
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        self._capture.readouterr()
        code = main(list(arguments))
        assert gc.isenabled()
        captured = self._capture.readouterr()
        return Result(code, captured.out, captured.err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """One command line, in a process of its own; what is left of it ends with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "sm_cli", *arguments], cwd=self.path, env={**self.environment(), **environment},
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.started.append(process)
        return process

    def process(self, *arguments: str, **environment: str) -> Result:
        """One command line, in a process of its own, to its end."""
        return ended(self.start(*arguments, **environment))

    def environment(self) -> dict[str, str]:
        # The checkout first: the tests may run beside an installed sm.
        return {**os.environ, "PYTHONPATH": str(CHECKOUT)}


@pytest.fixture(params=["threads", "processes"])
def place(request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where handlers run, in whatever this test starts."""
    if request.param == "processes":
        monkeypatch.setenv("SM_PROCESSES", "3")
    where: str = request.param
    return where


def ended(process: subprocess.Popen[str]) -> Result:
    out, err = process.communicate(timeout=120)
    return Result(process.returncode, out, err)


@pytest.fixture
def project(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.chdir(tmp_path)
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    made = Project(tmp_path, capfd, monkeypatch)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()
    logger = logging.getLogger("sm")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
