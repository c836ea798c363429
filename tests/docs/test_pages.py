"""Who follows a page of docs/ command by command gets where it leads; the files that it shows are what they look like."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.docs import tour

PAGES = {page: (tour.ROOT / page).read_text(encoding="utf-8") for page in tour.PAGES}
#: Programs of other machines: what is done with them on a page is read, not run.
_ELSEWHERE = {"aws", "docker", "journalctl", "sudo", "zip"}
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT_CODE = re.compile(r"# exit code (\d+)$")


def _files(page: str) -> list[tour.Step]:
    return [step for step in tour.steps(PAGES[page]) if step.file]


FILES = [(page, step.file) for page in PAGES for step in _files(page)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_does_and_prints_what_the_page_says(page: str, tmp_path: Path) -> None:
    steps = list(tour.steps(PAGES[page]))
    printed = tour.run(steps, tmp_path)
    assert any(step.command.startswith("sm ") for step in steps)
    for step, (output, code) in zip(steps, printed, strict=True):
        wanted = _EXIT_CODE.search(step.command)
        assert code == (int(wanted[1]) if wanted else 0), f"{step.command or step.file}\n{output}"
        assert "Traceback" not in output
        if step.output and not step.file:
            assert tour.normalised(output) == tour.normalised(step.output), step.command


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_run_or_read(page: str) -> None:
    for block in _BLOCK.finditer(PAGES[page]):
        assert block["language"] in ("console", "sh") or list(tour.steps(block[0])), block[0]


@pytest.mark.parametrize("page", PAGES)
def test_commands_for_other_machines_are_shell(page: str) -> None:
    for block in _BLOCK.finditer(PAGES[page]):
        if block["language"] == "sh":
            done = subprocess.run(["bash", "-n", "-c", block["body"]], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            assert {shlex.split(line)[0] for line in block["body"].splitlines()} <= _ELSEWHERE


@pytest.mark.parametrize(("page", "name"), FILES)
def test_a_file_that_a_page_shows_can_be_read_by_whoever_it_is_for(page: str, name: str, tmp_path: Path) -> None:
    (content, *_) = [step.output for step in _files(page) if step.file == name]
    kind = Path(name).suffix or Path(name).name
    match kind:
        case ".yaml" | ".yml":
            assert isinstance(yaml.safe_load(content), dict)
        case ".toml":
            assert tomllib.loads(content)
        case ".py":
            compile(content, name, "exec")
        case ".service":
            _check_unit(name, content, tmp_path)
        case "Dockerfile":
            lines = [line for line in content.splitlines() if not line.startswith("#")]
            known = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "STOPSIGNAL", "CMD"}
            assert {line.split()[0] for line in lines} <= known
        case "crontab":
            for line in content.splitlines()[1:]:
                assert re.fullmatch(r"(?:(?:\*|\d+)\s+){5}\S.*", line), line
        case _:
            pytest.fail(f"nobody reads {name}")


def _check_unit(name: str, content: str, folder: Path) -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.read_string(content)
    assert {"ExecStart", "User", "WorkingDirectory"} <= {key for key in unit["Service"] if key} or unit["Service"]
    if shutil.which("systemd-analyze") is None:
        return
    file = folder / Path(name).name
    # The program of the unit is not installed here; everything else has to be right.
    file.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", content, flags=re.MULTILINE), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert file.name not in done.stderr, done.stderr


def test_workflows_of_github_have_jobs_whose_steps_do_something() -> None:
    (shown,) = [step.output for step in _files("docs/ci.md") if step.file.startswith(".github/workflows/")]
    workflow = yaml.safe_load(shown)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    # Each command of sm there is one that the page has run as well.
    run = {step.command.partition("  #")[0].strip() for step in tour.steps(PAGES["docs/ci.md"])}
    for step in steps:
        command = step.get("run", "")
        if command.startswith("sm ") and "github" not in command:
            assert command in run


def _anchors(page: str) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{f.name}" for f in (tour.ROOT / "docs").glob("*.md"))])
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    file = tour.ROOT / page
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (file.parent / path).resolve() if path else file
        assert other.exists(), target
        if anchor and other.suffix == ".md":
            assert anchor in _anchors(other.read_text(encoding="utf-8")), target


def test_the_readme_leads_to_every_page() -> None:
    readme = (tour.ROOT / "README.md").read_text(encoding="utf-8")
    for file in (tour.ROOT / "docs").glob("*.md"):
        assert f"(docs/{file.name}" in readme, file.name
