"""What a worker costs that has nothing to do for a minute: alone, and while others write every 100 ms."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.commands import Project
from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store

SECONDS = 60
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": True}}}
ECHO = "from sm_cli import handler\n@handler\ndef echo(input): return input\n"


def used(process: subprocess.Popen[str]) -> float:
    """Seconds of a core that it has used (proc(5), stat: utime and stime)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(folder: Path) -> Iterator[Figure]:
    project = Project(folder)
    project.write("handlers/echo.py", ECHO)
    store, workflow = open_store(str(project.database)), prepared(WAIT)
    engine = Engine(store)
    for _ in range(100):
        engine.start(workflow, {})
    worker = project.worker("w1")
    time.sleep(1)
    for name, pause, target in (("nobody writes", None, "<= 1"), ("another process writes every 100 ms", 0.1, None)):
        before, begun = used(worker), time.monotonic()
        while time.monotonic() - begun < SECONDS:
            if pause is not None:
                engine.start(workflow, {})
            time.sleep(pause or 1)
        share = (used(worker) - before) / (time.monotonic() - begun)
        yield Figure(f"an idle worker while {name}", share * 100, "% of a core", target)
    said = project.end(worker, "w1")
    store.close()
    assert "error" not in said, said
