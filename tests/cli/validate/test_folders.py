"""`sm validate FOLDER`: only what is a definition is checked, by content; one line says what was passed over."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
BAD = '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'
OTHERS: dict[str, str | bytes] = {
    "package.json": '{"name": "StartAt", "States": 1}',
    "ci/build.yaml": "StartAt: [1,\nStates: {",
    "list.json": "[1, 2]",
    "empty.json": "",
    "half.json": '{"StartAt": "A"}',
    "deploy.yml": "{{ .Values }}\n",
    "latin.json": b'{"a": "\xe9"}',
    "node_modules/x/w.asl.json": BAD,
    ".hidden/w.json": BAD,
    "notes.md": GOOD,
}


def test_only_definitions_are_checked_and_one_line_says_so(project: Project) -> None:
    for name, content in OTHERS.items():
        project.write(f"repo/{name}", content)
    project.write("repo/src/order.json", GOOD)
    project.write("repo/src/other.yml", "StartAt: A\nStates:\n  A: {Type: Succeed}\n")
    result = project.sm("validate", "repo")
    assert (result.code, result.out) == (0, "repo/src/order.json: OK\nrepo/src/other.yml: OK\n")
    assert result.err == (
        "sm: looked at 9 files in repo: 2 workflows, 7 passed over; "
        "of these 1 names StartAt but cannot be read: repo/ci/build.yaml\n"
    )


@pytest.mark.parametrize("name", ["order.asl", "order.asl.json.tpl", "order.tftpl", "order.json.j2", "ORDER.JSON"])
def test_names_that_only_some_use_are_looked_at(project: Project, name: str) -> None:
    project.write(f"repo/{name}", GOOD)
    assert project.sm("validate", "repo").out == f"repo/{name}: OK\n"


@pytest.mark.parametrize("content", ['{"StartAt": ', '{"Start": "A"}', "[1]", ""])
def test_what_is_named_a_definition_and_is_broken_is_told(project: Project, content: str) -> None:
    project.write("repo/order.asl.json", content)
    project.write("repo/good.json", GOOD)
    result = project.sm("validate", "repo")
    assert result.code == 1
    assert "repo/order.asl.json:1:" in result.out


def test_in_the_folder_of_the_project_what_is_broken_is_told(project: Project) -> None:
    project.write("sm.toml", "")
    project.workflow('{"StartAt": "A"}', "half.json")
    project.workflow("{", "broken.json")
    project.workflow('{"id": 1}', "order.input.json")
    result = project.sm("validate", ".")
    files = [each["file"] for each in project.sm("validate", "--json", ".").json]
    assert (result.code, files) == (1, ["workflows/broken.json", "workflows/half.json"])


def test_a_file_that_is_named_is_always_checked(project: Project) -> None:
    project.write("package.json", "{}")
    assert project.sm("validate", "package.json").code == 1


def test_a_folder_without_a_workflow_is_told(project: Project) -> None:
    project.write("repo/package.json", "{}")
    result = project.sm("validate", "repo")
    assert result.code == 2
    assert "sm: looked at 1 file in repo: 0 workflows, 1 passed over" in result.err
    assert "repo holds no workflow" in result.err


def test_nothing_is_said_of_the_projects_own_folder_when_all_is_a_workflow(project: Project) -> None:
    project.workflow(GOOD, "a.json")
    assert project.sm("validate").err == ""
    project.workflow(json.dumps({"id": 1}), "b.json")
    assert project.sm("validate").err == "sm: looked at 2 files in workflows: 1 workflow, 1 passed over\n"
