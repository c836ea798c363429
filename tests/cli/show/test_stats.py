"""`sm stats`: as a table with bars, CSV and JSON, and what is refused."""

from __future__ import annotations

import csv
import io

import pytest

from tests.cli.conftest import Project
from tests.cli.show.test_list import ORDER, PAYMENT


@pytest.fixture
def five(project: Project) -> Project:
    """sm-order: one that succeeded, one that waits, one that failed; sm-payment: two that succeeded."""
    project.workflow(ORDER, "sm-order.yaml")
    project.workflow(PAYMENT, "sm-payment.yaml")
    for end, code in (("S", 0), ("R", 6), ("F", 1)):
        arguments = ("run", "sm-order", f"end={end}", "--detach-on-wait", "--tag", f"end={end}")
        assert project.sm(*arguments).code == code
    for _ in range(2):
        assert project.sm("run", "sm-payment").code == 0
    return project


def test_a_table_has_a_line_a_group_with_a_bar_and_one_for_all(five: Project) -> None:
    lines = [line.split() for line in five.sm("stats").out.splitlines()]
    assert lines[0] == ["STATUS", "COUNT", "RATE", "FAILURES", "AVERAGE", "P50", "P95", "P99", "MAX", "FIRST", "LAST"]
    assert [line[:3] for line in lines[1:]] == [
        ["RUNNING", "1", "████"], ["SUCCEEDED", "3", "████████████"], ["FAILED", "1", "████"], ["total", "5", "5.0/d"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ([], {"RUNNING": 1, "SUCCEEDED": 3, "FAILED": 1}),
        (["sm-order"], {"RUNNING": 1, "SUCCEEDED": 1, "FAILED": 1}),
        (["--by", "workflow"], {"sm-order": 3, "sm-payment": 2}),
        (["--by", "workflow", "--status", "SUCCEEDED"], {"sm-payment": 2, "sm-order": 1}),
        (["--by", "error"], {"Declined": 1}),
        (["--by", "status", "--tag", "end=F"], {"FAILED": 1}),
        (["--state", "Paid"], {"RUNNING": 1}),
        (["--since", "all", "--until", "1h"], {}),
    ],
)
def test_documents_have_the_groups(five: Project, options: list[str], counts: dict[str, int]) -> None:
    document = five.sm("stats", *options, "--json").json
    by = document["by"]
    assert {group[by]: group["count"] for group in document["groups"]} == counts
    assert document["total"]["count"] == sum(counts.values())
    rows = csv.DictReader(io.StringIO(five.sm("stats", *options, "-o", "csv").out))
    assert {row[by]: int(row["count"]) for row in rows} == counts
    lines = five.sm("stats", *options, "-o", "jsonl").out.splitlines()
    assert len(lines) == len(counts)


def test_versions_are_told_apart_by_their_workflow(five: Project) -> None:
    assert five.sm("stats", "--by", "version", "-o", "jsonpath=$.groups[*].workflow").out.split() == [
        "sm-order", "sm-payment",
    ]  # fmt: skip
    assert five.sm("stats", "sm-payment", "--by", "version", "-o", "jsonpath=$.groups[*].version").out == "1\n"


def test_states_are_told_with_their_visits_and_what_they_were_spent_with(five: Project) -> None:
    document = five.sm("stats", "--by", "state", "--json").json
    assert {(group["workflow"], group["state"]): group["count"] for group in document["groups"]} == {
        ("sm-order", "Which"): 3, ("sm-order", "Good"): 1, ("sm-order", "Bad"): 1, ("sm-payment", "Done"): 2,
    }  # fmt: skip
    (bad,) = (group for group in document["groups"] if group["state"] == "Bad")
    assert (bad["failed"], bad["retries"], bad["working"], bad["waiting"]) == (1, 0, 0.0, 0.0)
    failed = five.sm("stats", "--by", "state", "--status", "FAILED", "-o", "jsonpath=$.groups[*].state").out.split()
    assert sorted(failed) == ["Bad", "Which"]
    assert five.sm("stats", "sm-order", "--by", "state", "--tag", "end=S", "--json").json["total"]["count"] == 2


def test_an_hour_is_a_time(five: Project) -> None:
    groups = five.sm("stats", "--by", "hour", "--json").json["groups"]
    assert {group["hour"][13:] for group in groups} == {":00:00.000Z"}
    assert sum(group["count"] for group in groups) == 5


def test_parts_are_chosen_by_a_path(five: Project) -> None:
    assert five.sm("stats", "-o", "jsonpath={.groups[?(@.status=='SUCCEEDED')].count}").out == "3\n"


def test_where_nothing_is_a_sentence_says_so(five: Project) -> None:
    result = five.sm("stats", "sm-ordr")
    assert (result.code, result.out) == (0, "")
    assert "no execution of workflow 'sm-ordr'; did you mean 'sm-order'?" in result.err
    assert five.sm("stats", "--error", "Nothing", "--json").json["groups"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--by", "size"], "--by takes status, workflow, version, state, error or hour, not 'size'"),
        (["--since", "yesterday"], "--since takes a span like 2h or a date like 2026-01-31T12:00, not 'yesterday'"),
        (["--since", "1h", "--until", "2h"], "--until 2h is not after --since 1h"),
        (["-o", "xml"], "-o takes table, csv, json, jsonl, yaml or jsonpath=EXPR, not 'xml'"),
        (["--status", "DONE"], "--status takes PENDING, RUNNING"),
        (["--tag", "a"], "--tag takes NAME=VALUE, not 'a'"),
    ],
)
def test_what_makes_no_sense_is_refused(project: Project, arguments: list[str], sentence: str) -> None:
    project.database()
    result = project.sm("stats", *arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
