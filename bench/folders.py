"""Folders: `sm validate` of 700 definitions, of a checkout with 5,000 other files, and of 300 templates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Figure
from bench.validate import chain, texts

OTHERS = 5_000
TEMPLATES = 300
DEFINITIONS = 700


def seconds_of(folder: Path) -> float:
    """What checking a folder takes, start-up included; whether all of it is valid does not matter."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    begun = time.perf_counter()
    command = [sys.executable, "-m", "sm_cli", "validate", "--severity", "error", str(folder)]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return time.perf_counter() - begun


def template(definition: str) -> str:
    """A template of CloudFormation with the definition as text."""
    block = "\n".join(f"        {line}" for line in definition.splitlines())
    return (
        "Resources:\n  Machine:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n"
        f"      DefinitionString: !Sub |\n{block}\n"
    )


def run(folder: Path) -> Iterator[Figure]:
    definitions = texts()
    for name in ("definitions", "others", "templates"):
        (folder / name).mkdir()
    for i in range(DEFINITIONS):
        text = definitions[i % len(definitions)]
        (folder / "definitions" / f"d{i}.asl.json").write_text(text, encoding="utf-8", errors="replace")
    value = {f"key{i}": {"a": i, "list": [1, 2, 3]} for i in range(60)}
    lines = "\n".join(f"key{i}:\n  a: {i}\n  list: [1, 2, 3]" for i in range(60))
    for i in range(OTHERS):
        suffix, text = ("json", json.dumps(value, indent=2)) if i % 2 else ("yaml", lines)
        (folder / "others" / f"o{i}.{suffix}").write_text(text, encoding="utf-8")
    (folder / "others" / "order.json").write_text(chain(10), encoding="utf-8")
    for i in range(TEMPLATES):
        (folder / "templates" / f"t{i}.yaml").write_text(template(chain(20)), encoding="utf-8")
    yield Figure(f"{DEFINITIONS} definitions", seconds_of(folder / "definitions"), "s", "<= 3")
    yield Figure(f"a checkout with {OTHERS:,} other files", seconds_of(folder / "others"), "s", "<= 10")
    yield Figure(f"{TEMPLATES} templates with a definition as text", seconds_of(folder / "templates"), "s")
