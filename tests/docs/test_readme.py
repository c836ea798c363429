"""What the README shows is what a person sees who follows it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs import tour

PAGE = (tour.ROOT / "README.md").read_text(encoding="utf-8")
STEPS = tour.readme()
COMMANDS = [i for i, step in enumerate(STEPS) if step.command]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    return tour.run(STEPS, tmp_path_factory.mktemp("tour"))


@pytest.mark.parametrize("number", COMMANDS, ids=[STEPS[i].command for i in COMMANDS])
def test_a_command_of_the_tour_prints_what_the_readme_says(number: int, printed: list[tuple[str, int]]) -> None:
    assert number < len(printed), f"the tour stopped after {printed[-1]}"
    assert tour.normalised(printed[number][0]) == tour.normalised(STEPS[number].output)


def test_the_tour_shows_every_command_that_it_promises() -> None:
    shown = {words[1] for i in COMMANDS if (words := shlex.split(STEPS[i].command))[0] == "sm"}
    assert {"init", "run", "worker", "show", "send-message", "output", "history", "validate", "graph"} <= shown


def test_commands_of_the_tour_end_with_the_exit_codes_of_the_table(printed: list[tuple[str, int]]) -> None:
    killed = [i for i in COMMANDS if STEPS[i].output.rstrip().endswith("Killed")]
    invalid = [i for i in COMMANDS if " error SM" in STEPS[i].output]
    assert killed
    assert invalid
    for i in COMMANDS:
        assert printed[i][1] == (137 if i in killed else 1 if i in invalid else 0), STEPS[i].command


def install_lines() -> list[str]:
    return re.findall(r"^python3 -m venv .*$", PAGE, re.MULTILINE)


def test_the_readme_has_one_line_to_run_and_one_to_test() -> None:
    run, test = install_lines()
    words = shlex.split(run)
    assert words[-4:-2] == ["workflows/order.yaml", "--input"] or "workflows/order.yaml" in words
    for word in words:
        if word.startswith("workflows/"):
            assert (tour.ROOT / word).is_file(), word
    assert test.endswith(".venv/bin/pytest")
    assert "'.[dev]'" in test


def test_the_check_before_a_commit_installs_as_the_readme_says() -> None:
    check = (tour.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "install -q '.[dev]'" in check
    for command in ("pytest", "ruff check", "ruff format", "mypy", "lint-imports"):
        tool, _, rest = command.partition(" ")
        assert f'"$bin/{tool}" {rest}'.rstrip() in check, command


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("01M82JHY0E9T386PQAK95G6JEJ SUCCEEDED in 4 ms", "01M82K6CZ0VQ8F2Q5T3W9D1XYA SUCCEEDED in 1.2 s"),
        ("bash: line 45: 23517 Killed     sm worker --once", "Killed"),
        ("Pack  Task  SUCCEEDED  2026-11-22 21:28:20  289 ms", "Pack   Task  SUCCEEDED  2027-01-01 00:00:00    1 ms"),
    ],
)
def test_what_varies_between_two_runs_is_not_compared(one: str, other: str) -> None:
    assert tour.normalised(one) == tour.normalised(other)


def test_what_does_not_vary_is_compared() -> None:
    assert tour.normalised("Pack  Task  SUCCEEDED") != tour.normalised("Pack  Task  FAILED")


def test_files_of_the_tour_are_written_where_their_first_line_says(tmp_path: Path) -> None:
    found = list(tour.steps("```yaml\n# a.txt\nhello\n```\n\n```console\n$ cat a.txt\n# a.txt\nhello\n$ false\n```\n"))
    assert found == [
        tour.Step(file="a.txt", output="# a.txt\nhello\n"),
        tour.Step("cat a.txt", "# a.txt\nhello\n"),
        tour.Step("false"),
    ]
    assert tour.run(found, tmp_path) == [("", 0), ("# a.txt\nhello\n", 0), ("", 1)]


def test_only_what_a_command_prints_otherwise_is_rewritten() -> None:
    page = "a\n\n```console\n$ sm list\nPack  3 ms\n$ sm show\nold\n```\n\n```yaml\n# a.yaml\nb\n```\n"
    new = tour.rewritten(page, [("Pack   12 ms\n", 0), ("bash: line 9: 17 Killed  sm\n", 137), ("", 0)])
    assert new == page.replace("old", "Killed")
