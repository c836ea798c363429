"""What a payload of 50 MB costs in the database and in memory, on its way through three states."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.commands import CHECKOUT, Project
from bench.report import Figure

MB = 1 << 20
SIZE = 50 * MB
ECHO = "from sm_cli import handler\n@handler\ndef echo(input): return input\n"
STATES: dict[str, dict[str, object]] = {
    "Pass": {"Type": "Pass"},
    "Wait": {"Type": "Wait", "Seconds": 0},
    "Task": {"Type": "Task", "Resource": "echo"},
}


def write_payload(file: Path, size: int) -> int:
    """An array of texts of 1 KB; the size of the file. Written in pieces, for `peak` counts what this process holds."""
    text = json.dumps("x" * 1024)
    with file.open("w", encoding="utf-8") as written:
        written.write(f"[{text}")
        for _ in range(size // (len(text) + 1) - 1):
            written.write(f",{text}")
        written.write("]")
    return file.stat().st_size


def peak(project: Project, *arguments: str) -> int:
    """The most memory that a command held, in bytes (getrusage(2), of the child alone). A child begins as what this
    process is, so that this one must never have held more: RuntimeError when it has."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "SM_MAX_PAYLOAD": str(4 * SIZE)}
    with subprocess.Popen(
        [sys.executable, "-m", "sm_cli", *arguments], cwd=project.folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"sm {' '.join(arguments)} ended with {process.returncode}")
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        raise RuntimeError("this process has held more than the command, whose memory cannot be measured then")
    return int(usage.ru_maxrss) * 1024


def run(folder: Path) -> Iterator[Figure]:
    for kind, state in STATES.items():
        project = Project(folder / kind)
        project.write("handlers/echo.py", ECHO)
        following: dict[str, dict[str, object]] = {"A": {"Next": "B"}, "B": {"Next": "C"}, "C": {"End": True}}
        states = {name: {**state, **more} for name, more in following.items()}
        project.write("workflows/three.asl.json", json.dumps({"StartAt": "A", "States": states}))
        file = project.folder / "input.json"
        write_payload(file, 2000)
        small = peak(project, "run", "three", "--input", "input.json")
        size = write_payload(file, SIZE)
        held = peak(project, "run", "three", "--input", "input.json") - small
        stored = sum(each.stat().st_size for each in project.database.parent.glob("sm.db*"))
        yield Figure(f"three states of {kind}: the database", stored / size, "x the payload", "<= 3")
        yield Figure(f"three states of {kind}: memory beyond an empty run's", held / size, "x the payload", "<= 4")
