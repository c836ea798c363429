"""`sm explain`: what a code means."""

from __future__ import annotations

import pytest

from sm_cli.asl.validation.validate import CATALOGUE
from tests.cli.conftest import Project


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_is_explained(project: Project, code: str) -> None:
    result = project.sm("explain", code)
    rule = CATALOGUE[code]
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{code} ({rule.severity}): {rule.title}.\n")
    if rule.bad:
        assert "\nWrong:\n\n    " in result.out
        assert "\nRight:\n\n    " in result.out
    if rule.aws_code:
        assert f"AWS calls it {rule.aws_code}." in result.out
    assert max(len(line) for line in result.out.splitlines() if not line.startswith("    ")) <= 100


def test_without_a_code_all_are_listed(project: Project) -> None:
    lines = project.sm("explain").out.splitlines()
    assert lines[0].split() == ["CODE", "SEVERITY", "TITLE"]
    assert [line.split()[0] for line in lines[1:]] == sorted(CATALOGUE)


def test_a_code_may_be_written_small_and_be_the_one_of_aws(project: Project) -> None:
    assert project.sm("explain", "sm203").out == project.sm("explain", "SM203").out
    assert project.sm("explain", "missing_end_state").out == project.sm("explain", "SM205").out
    assert "SM101" in project.sm("explain", "SCHEMA_VALIDATION_FAILED").out


@pytest.mark.parametrize(("code", "hint"), [("SM2O3", "did you mean SM203?"), ("x" * 500, "sm explain lists them all")])
def test_an_unknown_code_is_not_found(project: Project, code: str, hint: str) -> None:
    result = project.sm("explain", code)
    assert (result.code, result.out) == (3, "")
    assert hint in result.err
    assert len(result.err) < 200


def test_json_has_all_of_it(project: Project) -> None:
    assert set(project.sm("explain", "SM203", "--json").json) == {
        "code", "severity", "title", "aws_code", "explanation", "bad", "good",
    }  # fmt: skip
    assert len(project.sm("explain", "--json").json) == len(CATALOGUE)
