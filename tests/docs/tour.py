"""What the documents show, run in order in one shell, a page at a time. `python -m tests.docs.tour` writes the outputs.

In a ```console block a line that begins with `$ ` is a command and what follows is what it prints, on stdout
and stderr together. Any other block whose first line is `# PATH` is a file, written when its turn comes. Ids,
times, durations and the width of columns are not compared. In the README every output stands; the pages of PAGES may leave
one out, and `# exit code N` behind a command says that it does not end with 0.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
#: Pages whose commands are a tour too, each of its own.
PAGES = (
    "docs/production.md",
    "docs/ci.md",
    "docs/backup.md",
    "docs/upgrading.md",
    "docs/troubleshooting-maps.md",
    "docs/aws.md",
    "docs/schedules.md",
    "docs/versions.md",
    "docs/chaining.md",
)
_FILE = re.compile(r"# (?P<path>[\w./@-]+\.\w+|[\w.-]+/[\w./-]+|Dockerfile)\n")
_MARK = "<<end of step"
_VARIES = (
    (r"^.*: line \d+: +\d+ Killed\b.*$", "Killed"),
    (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ID"),
    (r"\bworker \S+:\d+:", "worker HOST:PID:"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b\d+(\.\d+)? m?s\b|\b\d+\.\d+s\b", "SPAN"),
    (r" {2,}", "  "),
    (r" +$", ""),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what the README says that it prints, or a file and its content."""

    command: str = ""
    output: str = ""
    file: str = ""


def steps(page: str) -> Iterator[Step]:
    for block in _BLOCK.finditer(page):
        body = block["body"]
        if block["language"] == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield Step(command, output)
        elif named := _FILE.match(body):
            yield Step(file=named["path"], output=body)


def script(tour: list[Step]) -> str:
    """All steps as one text for bash, each followed by a line with its exit code."""
    lines = []
    for step in tour:
        if step.file:
            if "/" in step.file:
                lines.append(f"mkdir -p {step.file.rpartition('/')[0]}")
            lines.append(f"cat > {step.file} <<'END_OF_FILE'\n{step.output}END_OF_FILE")
        else:
            lines.append(f"{{ {step.command}\n}} 2>&1")
        lines.append(f'echo "{_MARK} $?"')
    return "\n".join(lines)


def run(tour: list[Step], folder: Path) -> list[tuple[str, int]]:
    """What each step printed, and its exit code. `sm`, `python` and `pytest` are those of this checkout."""
    bin = folder / "bin"
    bin.mkdir()
    for name, module in (("sm", "-m sm_cli"), ("pytest", "-m pytest"), ("python", "")):
        (bin / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (bin / name).chmod(0o755)
    home = folder / "home"
    home.mkdir()
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "PYTEST_"))}
    ours |= {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(home), "TZ": "UTC"}
    ours |= {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-c", script(tour)], cwd=home, env=ours, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        stdin=subprocess.DEVNULL, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    parts = re.split(rf"^{_MARK} (\d+)\n", done.stdout, flags=re.MULTILINE)
    return [(output, int(code)) for output, code in zip(parts[::2], parts[1::2], strict=False)]


def normalised(output: str) -> str:
    for pattern, name in _VARIES:
        output = re.sub(pattern, name, output, flags=re.MULTILINE)
    return output.strip()


def rewritten(page: str, printed: list[tuple[str, int]], *, leaving_out: bool = False) -> str:
    """The page with what the commands print now, where that differs from what it says.

    `leaving_out`: an output that the page does not show stays out.
    """
    results = iter(printed)

    def block(found: re.Match[str]) -> str:
        mine = list(steps(found[0]))
        outputs = [next(results)[0] for _ in mine]
        if not mine or mine[0].file:
            return found[0]
        outputs = ["" if leaving_out and not step.output else out for step, out in zip(mine, outputs, strict=True)]
        return f"```console\n{''.join(map(_shown, mine, outputs))}```"

    return _BLOCK.sub(block, page)


def _shown(step: Step, output: str) -> str:
    same = normalised(output) == normalised(step.output)
    return f"$ {step.command}\n{step.output if same else re.sub(*_VARIES[0], output, flags=re.MULTILINE)}"


def readme() -> list[Step]:
    return list(steps(README.read_text(encoding="utf-8")))


def main() -> int:
    """Run the README and PAGES, or the pages named on the command line, and write what the commands print."""
    for name in sys.argv[1:] or ("README.md", *PAGES):
        file = ROOT / name
        page = file.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as scratch:
            printed = run(list(steps(page)), Path(scratch))
        file.write_text(rewritten(page, printed, leaving_out=name != "README.md"), encoding="utf-8")
        for step, (_, code) in zip(steps(page), printed, strict=True):
            sys.stdout.write(f"{code:>3}  {step.command or step.file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
