"""`sm validate --format`: SARIF, GitHub's commands and JUnit say what the text says."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.asl.validation.validate import CATALOGUE
from sm_cli.cli.validate.reports import TEXTS, CheckedFile, as_github, as_sarif
from sm_cli.diagnostics import Diagnostic, Position
from tests.cli.conftest import Project

GOOD = "StartAt: A\nStates:\n  A: {Type: Succeed}\n"
BAD = "StartAt: A\nStates:\n  A: {Type: Pass, Parameters: {id: $.a}, Next: C}\n"
ERROR = Diagnostic("SM203", "error", "No 'C'", "/States/A/Next", Position(3, 48, 3, 49), "did you mean A?", "a,b.yaml")


def test_json_is_the_same_by_either_name(project: Project) -> None:
    project.write("bad.yaml", BAD)
    assert project.sm("validate", "--json", ".").out == project.sm("validate", "--format", "json", ".").out


def test_sarif_has_the_rules_and_every_result_points_at_one(project: Project) -> None:
    project.write("w/bad one.yaml", BAD)
    project.write("w/good.yaml", GOOD)
    result = project.sm("validate", "--format", "sarif", "w")
    assert result.code == 1
    sarif: Any = result.json
    [run] = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert sarif["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == sorted(CATALOGUE)
    assert all(rule["shortDescription"]["text"].endswith(".") for rule in rules)
    assert {"SM203", "SM308"} <= {found["ruleId"] for found in run["results"]}
    for found in run["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        [location] = found["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "w/bad%20one.yaml"
        region = location["physicalLocation"]["region"]
        assert region["startLine"] == 3
        assert region["endColumn"] > region["startColumn"] > 0
    assert [f["level"] for f in run["results"] if f["ruleId"] == "SM308"] == ["warning"]


def test_sarif_names_codes_of_aws_too(project: Project) -> None:
    project.write("bad.yaml", BAD)
    [run] = project.sm("validate", "--format", "sarif", "--aws", "bad.yaml").json["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[found["ruleIndex"]] for found in run["results"]] == [found["ruleId"] for found in run["results"]]
    assert "MISSING_TRANSITION_TARGET" in rules


def test_sarif_without_a_place_has_no_region() -> None:
    sarif: Any = as_sarif([CheckedFile("/tmp/a b.yaml", "", [Diagnostic("SM016", "error", "x", "")])])
    [location] = sarif["runs"][0]["results"][0]["locations"]
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "file:///tmp/a%20b.yaml"}}


def test_a_problem_is_one_command_for_github() -> None:
    assert as_github([CheckedFile("a,b.yaml", "", [ERROR])]) == (
        "::error file=a%2Cb.yaml,line=3,endLine=3,col=48,endColumn=49,title=SM203::No 'C' (did you mean A?)"
    )


def test_github_gets_a_message_as_one_line_with_percents_escaped() -> None:
    problem = Diagnostic("SM101", "info", "50%\nmore\r", "", Position(1, 2, 3, 4))
    shown = as_github([CheckedFile("-", "", [problem])])
    assert shown == "::notice file=<stdin>,line=1,endLine=3,title=SM101::50%25\\nmore\\r"


def test_github_hears_nothing_of_a_good_file(project: Project) -> None:
    project.write("good.yaml", GOOD)
    result = project.sm("validate", "--format", "github", "good.yaml")
    assert (result.code, result.out) == (0, "")


@pytest.mark.parametrize(("strict", "failures"), [(False, 1), (True, 2)])
def test_junit_has_a_suite_for_each_file_and_a_case_for_each_problem(
    project: Project, strict: bool, failures: int
) -> None:
    project.write("w/bad.yaml", BAD)
    project.write("w/good.yaml", GOOD)
    arguments = ["--ignore", "SM205,SM207", *(["--strict"] if strict else [])]
    result = project.sm("validate", "--format", "junit", *arguments, "w")
    root = ElementTree.fromstring(result.out)
    bad, good = root
    assert (bad.get("name"), good.get("name")) == ("w/bad.yaml", "w/good.yaml")
    assert root.get("failures") == bad.get("failures") == str(failures)
    assert len(bad.findall("testcase/failure")) == failures
    assert [len(list(case)) for case in good] == [0]
    assert len(bad) == int(bad.get("tests", "0")) == int(root.get("tests", "0")) - 1


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(TEXTS)))
def test_no_text_breaks_a_report(text: str, format: str) -> None:
    problem = Diagnostic("SM101", "error", text, text, Position(1, 1, 1, 2), text, text)
    report = TEXTS[format]([CheckedFile(text, text, [problem])])
    if format == "junit":
        assert len(ElementTree.fromstring(report.encode())) == 1
    else:
        assert report.count("\n") == report.count("\r") == 0
