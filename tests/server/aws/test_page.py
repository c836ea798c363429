"""The page about AWS's protocol: what it says is there, and its example runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from sm_cli.server.aws.answering import OPERATIONS
from tests.server.aws.calling import client
from tests.server.serving import Served

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "aws-protocol.md").read_text(encoding="utf-8")


def test_every_operation_has_its_row() -> None:
    rows = re.findall(r"^\| (`[A-Z]\w+`(?:, `[A-Z]\w+`)*) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(name for name in named if not name.endswith("Exception")) == sorted(OPERATIONS)


def test_the_example_finds_the_server_by_the_variables_of_the_page(on_file: Served, tmp_path: Path) -> None:
    lines = PAGE.partition("```sh\n")[2].partition("```")[0]
    variables = {
        name: value.replace("http://127.0.0.1:8083", on_file.address)
        for name, value in re.findall(r"([A-Z_]+)=(\S+)", lines)
    }
    example = PAGE.partition("```python\n")[2].partition("```")[0]
    tail = """
tested = client.test_state(definition='{"Type":"Pass","End":true}')["status"]
print(client.meta.endpoint_url, status, tested, execution["executionArn"])
"""
    done = subprocess.run(
        [sys.executable, "-c", example + tail], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    endpoint, status, tested, execution = done.stdout.split()
    assert (endpoint, status, tested) == (on_file.address, "SUCCEEDED", "SUCCEEDED")
    assert client(on_file.address).describe_execution(executionArn=execution)["output"] == '"hello"'
