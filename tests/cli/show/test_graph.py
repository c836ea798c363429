"""`sm graph` from the command line: formats, the file, the path that an execution took."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sm_cli.__main__ import main
from sm_cli.asl.graph.graph import Mark, graph_of
from sm_cli.cli.show.graph import marks_of
from sm_cli.views.state_visits import StateVisit

TWO = """
StartAt: First
States:
  First: {Type: Pass, Next: Check}
  Check:
    Type: Choice
    Choices: [{Variable: $.go, BooleanEquals: true, Next: Done}]
    Default: Stop
  Done: {Type: Succeed}
  Stop: {Type: Fail, Error: Stopped}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one workflow, and nothing of the caller's environment."""
    for name in ("SM_DATABASE_URL", "SM_HANDLERS", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "two.yaml").write_text(TWO)
    (tmp_path / "sm.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("format", "begins", "holds"),
    [
        ("text", " ●\n ▼\n╭─ Pass ─╮\n│ First  │", "│ $.go = true"),
        ("mermaid", "flowchart TD\n", 'n1 -->|"$.go = true"| n2'),
        ("dot", "digraph workflow {\n", 'n1 -> n2 [label="$.go = true"];'),
    ],
)
def test_the_only_workflow_is_drawn_in_each_format(
    format: str, begins: str, holds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "--format", format]) == 0
    drawn = capsys.readouterr()
    assert drawn.out.startswith(begins)
    assert holds in drawn.out
    assert drawn.err == ""
    assert "\x1b" not in drawn.out


def test_the_drawing_goes_to_a_file_in_utf_8(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "two", "-o", "two.txt"]) == 0
    assert capsys.readouterr().out == ""
    assert "╭─ Choice ─╮" in (project / "two.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("project")
def test_it_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "22")
    assert main(["graph"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 22


@pytest.mark.usefixtures("project")
def test_a_stdout_without_unicode_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("workflows/two.yaml").write_text(TWO.replace("First", "Prüfung 支払い"), encoding="utf-8")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    assert main(["graph"]) == 0
    drawn = raw.getvalue().decode("latin-1")
    assert "| Prüfung ??? |" in drawn
    assert "\n+- Pass " in drawn


@pytest.mark.usefixtures("project")
def test_an_invalid_definition_is_drawn_with_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.yaml").write_text("{StartAt: A, States: {A: {Type: Pass, Next: Gone}}}")
    assert main(["graph", "broken.yaml"]) == 0
    assert "┆ Gone      ┆" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nothing.yaml"], 3, "there is no file nothing.yaml"),
        (["--format", "svg"], 2, "--format takes text, mermaid or dot, not 'svg'"),
        (["-o", "no/such/folder.txt"], 2, "no/such/folder.txt cannot be written"),
        (["--execution", "@last"], 7, "sm.db"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", *arguments]) == code
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""


def run(data: dict[str, Any]) -> int:
    return main(["run", "two", "--input", json.dumps(data)])


@pytest.mark.usefixtures("project")
def test_an_execution_marks_the_path_it_took(capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"go": True}) == 0
    capfd.readouterr()
    assert main(["graph", "--execution", "@last"]) == 0
    drawn = capfd.readouterr().out
    assert "✓ First" in drawn and "✓ Check" in drawn and "✓ Done" in drawn
    assert "│ Stop " in drawn


@pytest.mark.usefixtures("project")
def test_a_failed_execution_shows_where_in_the_definition_it_ran(capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"go": False}) == 1
    Path("workflows/two.yaml").write_text("{StartAt: New, States: {New: {Type: Succeed}}}")
    capfd.readouterr()
    assert main(["graph", "two", "--execution", "@last", "--format", "mermaid"]) == 0
    drawn = capfd.readouterr().out
    assert 'n3(["✗ Stop<br/>Fail Stopped"])' in drawn
    assert "class n3 failed" in drawn
    assert "New" not in drawn


@pytest.mark.usefixtures("project")
def test_an_execution_of_another_workflow_is_not_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"go": True}) == 0
    assert main(["graph", "other", "--execution", "@last"]) == 2
    assert "is an execution of 'two', not of 'other'" in capfd.readouterr().err


def visit(name: str, status: str, *where: str) -> StateVisit:
    return StateVisit(name, "Task", 0, status=status, where=where)


@pytest.mark.parametrize(
    ("visits", "mark"),
    [
        ([visit("S", "CAUGHT"), visit("S", "SUCCEEDED")], Mark("SUCCEEDED", 2)),
        ([visit("S", "FAILED", "M[0]"), visit("S", "SUCCEEDED", "M[1]")], Mark("FAILED", 2)),
        ([visit("S", "SUCCEEDED", "M[0]"), visit("S", "RUNNING", "M[1]"), visit("S", "FAILED", "M[2]")],
         Mark("RUNNING", 3)),
        ([visit("S", "TIMED_OUT")], Mark("TIMED_OUT", 1)),
    ],
)  # fmt: skip
def test_a_mark_is_the_last_visit_s_and_the_most_urgent_iteration_s(visits: list[StateVisit], mark: Mark) -> None:
    graph = graph_of({"StartAt": "S", "States": {"S": {"Type": "Succeed"}, "T": {"Type": "Succeed"}}})
    assert marks_of(graph, [*visits, visit("of an older version", "FAILED")]) == {("", "S"): mark}


@pytest.mark.parametrize("format", ["text", "mermaid", "dot"])
@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("package.json", '{"name": "shop", "version": "1.0.0"}', "this is no workflow"),
        ("empty.json", "{}", "this is no workflow"),
        ("list.json", "[1, 2]", "A definition is an object"),
        ("none.json", '{"States": {}}', "this workflow has no states"),
        ("wrong.json", '{"StartAt": 5, "States": [1]}', "this workflow has no states"),
    ],
)
def test_what_has_no_machine_is_an_error_and_draws_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, problem: str, format: str
) -> None:
    (project / name).write_text(text)
    assert main(["graph", name, "--format", format]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{name}:1:1: error SM")
    assert problem in printed.err
    assert main(["graph", name, "--format", format, "-o", "out.txt"]) == 1
    assert not (project / "out.txt").exists()


@pytest.mark.parametrize("format", ["text", "mermaid", "dot"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("template.json", '{"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}'),
        ("template.yaml", "Resources:\n  F: {Type: AWS::Lambda::Function}\n"),
    ],
)
def test_a_template_without_a_machine_is_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, format: str
) -> None:
    (project / name).write_text(text)
    assert main(["graph", name, "--format", format, "-o", "out.txt"]) == 3
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"sm: error: {name} is a template without a state machine\n")
    assert not (project / "out.txt").exists()


def test_a_machine_with_a_start_and_nothing_else_is_drawn(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "begun.json").write_text('{"StartAt": "A"}')
    assert main(["graph", "begun.json"]) == 0
    assert "missing" in capsys.readouterr().out
