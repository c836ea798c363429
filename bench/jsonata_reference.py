"""JSONata: our answers beside those of JSONata 2.0.6 itself, over random expressions.

`npm install jsonata@2.0.6` in any folder, and name it: `SM_JSONATA_NODE=DIR python -m bench jsonata-reference`. Without
it, or without node, nothing is compared. SM_JSONATA_PART=10 draws a tenth; SM_JSONATA_KIND is one kind by name;
SM_JSONATA_SHOW=20 prints so many differences of each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.jsonata import answer
from bench.jsonata import same as told_alike
from bench.jsonata_corpus import KINDS, corpus
from bench.report import Figure
from sm_cli.expr.jsonata.expressions import default_engine

SCRIPT = Path(__file__).with_suffix(".js")
SEED = 8
#: So many expressions one process of node answers, and in so many seconds.
_PORTION, _PATIENCE = 250, 30


def reference(expressions: list[str], node: str, package: Path) -> list[dict[str, Any]]:
    """The answers of the npm package: {"value": …}, or undefined, function, nonfinite, or the code of the error;
    {"forever": true} where it had none after _PATIENCE."""
    answers: list[dict[str, Any]] = []
    while len(answers) < len(expressions):
        portion = expressions[len(answers) : len(answers) + _PORTION]
        lines = "".join(f"{json.dumps(each)}\n" for each in portion)
        try:
            told = subprocess.run(
                [node, SCRIPT, package], input=lines.encode(), capture_output=True, check=True, timeout=_PATIENCE
            ).stdout
        except subprocess.TimeoutExpired as e:
            told = e.stdout or b""
        answers += [json.loads(line) for line in told.decode().split("\n")[:-1]]
        if len(told.splitlines()) < len(portion):
            answers.append({"forever": True})
    return answers


def differences(kind: str, node: str, package: Path, part: int = 1) -> Iterator[tuple[str, Any, Any]]:
    """(expression, JSONata's answer, ours). What is no JSON number is left out: there AWS's rule holds."""
    expressions = corpus(kind, SEED, part)
    for expression, expected in zip(expressions, reference(expressions, node, package), strict=True):
        if "nonfinite" not in expected and "forever" not in expected:
            ours = answer(default_engine(), expression, {})
            if expected == {"error": ""} and "error" in ours:
                continue  # its own stumbling has no code
            if told_alike(ours) != told_alike(expected):
                yield expression, expected, ours


def run(folder: Path) -> Iterator[Figure]:
    node, package = shutil.which("node"), Path(os.environ.get("SM_JSONATA_NODE", ".")) / "node_modules" / "jsonata"
    if node is None or not package.is_dir():
        print("nothing to compare with: node is missing, or SM_JSONATA_NODE names no folder with jsonata@2.0.6")
        return
    part, show = int(os.environ.get("SM_JSONATA_PART", "1")), int(os.environ.get("SM_JSONATA_SHOW", "0"))
    for kind in KINDS:
        if os.environ.get("SM_JSONATA_KIND", kind) != kind:
            continue
        found = list(differences(kind, node, package.resolve(), part))
        for expression, expected, ours in found[:show]:
            print(f"  {expression!a}\n    JSONata: {json.dumps(expected)}\n    sm:      {json.dumps(ours)}")
        count = len(corpus(kind, SEED, part))
        yield Figure(f"{kind}: other answers than JSONata 2.0.6's, of {count}", len(found), "expressions")
