"""`sm validate`: OK, or every problem with its place."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

GOOD = "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n"
BAD = "StartAt: B\nStates:\n  A: {Type: Pass, Next: C}\n"


def test_a_good_file_is_ok(project: Project) -> None:
    project.write("good.yaml", GOOD)
    result = project.sm("validate", "good.yaml")
    assert (result.code, result.out, result.err) == (0, "good.yaml: OK\n", "")


def test_every_problem_of_every_file_is_reported(project: Project) -> None:
    project.write("good.yaml", GOOD)
    project.write("bad.yaml", BAD)
    result = project.sm("validate", "bad.yaml", "good.yaml")
    assert result.code == 1
    lines = result.out.splitlines()
    assert "good.yaml: OK" in lines
    assert lines[0].startswith("bad.yaml:1:10: error SM")
    assert any(line.startswith("bad.yaml:3:") for line in lines)


def test_a_folder_means_its_workflows_and_nothing_else(project: Project) -> None:
    project.write("w/good.yaml", GOOD)
    project.write("w/deep/fine.asl.json", json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}))
    project.write("w/data.json", '{"orderId": 1}')
    project.write("w/.hidden/bad.yaml", BAD)
    result = project.sm("validate", "w")
    assert (result.code, result.out) == (0, "w/deep/fine.asl.json: OK\nw/good.yaml: OK\n")


def test_a_file_that_is_named_is_always_judged(project: Project) -> None:
    project.write("data.json", '{"orderId": 1}')
    assert project.sm("validate", "data.json").code == 1


def test_stdin_is_a_dash(project: Project) -> None:
    assert project.sm("validate", "-", stdin=GOOD).out == "<stdin>: OK\n"
    result = project.sm("validate", "-", stdin=BAD)
    assert result.code == 1
    assert result.out.startswith("<stdin>:1:10: error SM")


def test_without_a_path_the_projects_workflows_are_meant(project: Project) -> None:
    project.workflow(GOOD, "a.yaml")
    project.workflow(GOOD, "b.yaml")
    assert project.sm("validate").out == "workflows/a.yaml: OK\nworkflows/b.yaml: OK\n"
    project.write("sm.toml", 'workflow = "b"\n')
    assert project.sm("validate").out == "workflows/b.yaml: OK\n"


def test_a_name_is_found_in_workflows(project: Project) -> None:
    project.workflow(GOOD, "a.yaml")
    assert project.sm("validate", "a").out == "workflows/a.yaml: OK\n"


def test_a_resource_without_handler_is_a_warning(project: Project) -> None:
    project.workflow(GOOD)
    project.handlers("@handler('works')\ndef w(x): return 1\n")
    result = project.sm("validate")
    assert result.code == 0
    place = "workflows/order.yaml:3:29: warning SM606: "
    assert result.out.startswith(f"{place}No handler is registered as 'work'")
    assert "did you mean works?" in result.out
    assert "workflows/order.yaml: OK" in result.out.splitlines()


def test_handlers_that_do_not_import_are_a_warning_unless_named(project: Project) -> None:
    project.workflow(GOOD)
    project.handlers("print('noise')\nraise ValueError('x')\n")
    result = project.sm("validate", "--import")
    assert (result.code, result.out) == (0, "workflows/order.yaml: OK\n")
    assert "sm: warning: handlers/orders.py:3: cannot be imported: ValueError: x" in result.err
    assert project.sm("validate", "--import", "--handlers", "handlers").code == 8


@pytest.mark.parametrize("path", ["bad.yaml", "-"])
def test_json_gives_every_problem_as_data(project: Project, path: str) -> None:
    project.write("bad.yaml", BAD)
    result = project.sm("validate", "--json", path, stdin=BAD)
    assert result.code == 1
    [found] = result.json
    assert (found["file"], found["valid"]) == (path, False)
    first = found["diagnostics"][0]
    assert (first["severity"], first["line"], first["column"], first["pointer"]) == ("error", 1, 10, "/StartAt")
    assert first["code"].startswith("SM")
    assert set(first) == {
        "code", "severity", "message", "hint", "pointer", "line", "column", "end_line", "end_column",
    }  # fmt: skip
