"""What `simulate` takes as a definition, and what it says of one that it cannot take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sm_cli.errors import InvalidDefinition, NotFound, UsageError
from sm_cli.testing import simulate

PASS = "StartAt: A\nStates:\n  A: {Type: Pass, Result: %s, End: true}\n"
PARENT: dict[str, Any] = {
    "StartAt": "Child",
    "States": {
        "Child": {
            "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "OutputPath": "$.Output",
            "Parameters": {"StateMachineArn": "child"}, "End": True,
        }
    },
}  # fmt: skip


def project(folder: Path, **files: str) -> Path:
    """A folder with workflows/NAME.yaml for each."""
    (folder / "workflows").mkdir()
    for name, text in files.items():
        (folder / "workflows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_path_is_a_file(tmp_path: Path) -> None:
    folder = project(tmp_path, a=PASS % "a", b=PASS % "b")
    assert simulate(folder / "workflows" / "b.yaml").output == "b"


def test_a_file_may_be_json(tmp_path: Path) -> None:
    (tmp_path / "a.asl.json").write_text(json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}))
    assert simulate(tmp_path / "a.asl.json", 3).output == 3


@pytest.mark.parametrize("inside", ["", "workflows"])
def test_a_folder_is_its_only_workflow(tmp_path: Path, inside: str) -> None:
    assert simulate(project(tmp_path, only=PASS % "only") / inside).output == "only"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sm.toml", 'workflow = "b"\n'),
        ("sm.toml", 'workflow = "workflows/b.yaml"\n'),
        ("pyproject.toml", '[tool.sm]\nworkflow = "b"\n'),
    ],
)
def test_a_project_s_folder_is_the_workflow_that_its_settings_name(tmp_path: Path, file: str, text: str) -> None:
    (project(tmp_path, a=PASS % "a", b=PASS % "b") / file).write_text(text)
    assert simulate(tmp_path).output == "b"


def test_a_folder_of_several_none_or_a_wrong_one_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = project(tmp_path)
    with pytest.raises(UsageError, match=r"workflows holds no workflow: no file there ends in \.yaml, \.yml, \.json"):
        simulate(folder)
    for name in ("order", "refund"):
        (folder / "workflows" / f"{name}.yaml").write_text(PASS % 1)
    with pytest.raises(UsageError, match="holds several workflows: order, refund; name the file of one of them"):
        simulate(folder)
    (folder / "sm.toml").write_text('workflow = "ordr"\n')
    with pytest.raises(UsageError, match="'ordr', which is not there; did it mean 'order'"):
        simulate(folder)


def test_a_path_that_is_not_there_and_a_path_as_text_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no file .*nowhere\.yaml"):
        simulate(tmp_path / "nowhere.yaml")
    with pytest.raises(NotFound, match=r"the file is Path\('workflows/order.yaml'\)"):
        simulate("workflows/order.yaml")


def test_an_invalid_definition_is_told_with_file_line_column_and_code(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    file.write_text("StartAt: A\nStates:\n  A:\n    Type: Pass\n    Next: B\n  C: {Type: Pass}\n")
    with pytest.raises(InvalidDefinition) as refused:
        simulate(file)
    first = next(d for d in refused.value.diagnostics if d.severity == "error")
    assert first.position is not None
    place = f"{file}:{first.position.line}:{first.position.column}: {first.code} "
    assert str(refused.value).startswith(place + first.message)
    assert " more)" in str(refused.value)
    with pytest.raises(InvalidDefinition, match=r"^definition:\d+:\d+: SM\d+ "):
        simulate(file.read_text())
    with pytest.raises(InvalidDefinition, match=r"^SM\d+ at /"):
        simulate({"StartAt": "A", "States": {"A": {"Type": "Pass"}}})


def test_children_are_given_as_dict_text_file_or_folder(tmp_path: Path) -> None:
    folder = project(tmp_path, child=PASS % "file", other=PASS % "other")
    file = folder / "workflows" / "child.yaml"
    as_dict = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "dict", "End": True}}}
    for given, output in (
        ({"child": as_dict}, "dict"),
        ({"child": PASS % "text"}, "text"),
        ({"child": file}, "file"),
        ({"child": folder}, "file"),
        (folder, "file"),
        (file.parent, "file"),
    ):
        assert simulate(PARENT, workflows=given).output == output


def test_the_children_of_a_file_are_its_neighbours_unless_others_are_given(tmp_path: Path) -> None:
    folder = project(tmp_path, child=PASS % "neighbour", parent=json.dumps(PARENT))
    parent = folder / "workflows" / "parent.yaml"
    assert simulate(parent).output == "neighbour"
    assert simulate(parent, workflows={"child": PASS % "given"}).output == "given"
    assert simulate(parent, workflows={}).error == "StepFunctions.StateMachineDoesNotExistException"


def test_a_folder_of_children_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        simulate(PARENT, workflows=tmp_path / "nowhere")
