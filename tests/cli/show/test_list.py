"""`sm list`: filters, orders, pages and counts, as the scenario of filters has them, and what is refused."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

ORDER = """
    StartAt: Which
    States:
      Which:
        Type: Choice
        Choices:
          - {Variable: $.end, StringEquals: S, Next: Good}
          - {Variable: $.end, StringEquals: F, Next: Bad}
        Default: Paid
      Paid: {Type: Message, CorrelationKey: n, CorrelationValuePath: $.end, End: true}
      Good: {Type: Succeed}
      Bad: {Type: Fail, Error: Declined}
"""
PAYMENT = "{StartAt: Done, States: {Done: {Type: Succeed}}}"


@pytest.fixture
def five(project: Project) -> Project:
    """sm-order S, R, F; sm-payment S, S."""
    project.workflow(ORDER, "sm-order.yaml")
    project.workflow(PAYMENT, "sm-payment.yaml")
    for name, end, code in (("Order-1", "S", 0), ("order-2", "R", 6), ("ORDER-3", "F", 1)):
        tags = ("--tag", f"end={end}", "--tag", "kind=order")
        assert project.sm("run", "sm-order", f"end={end}", "--name", name, "--detach-on-wait", *tags).code == code
    for name in ("pay-1", "pay-2"):
        assert project.sm("run", "sm-payment", "--name", name, "--tag", "kind=payment").code == 0
    return project


def names(project: Project, *options: str) -> list[str]:
    result = project.sm("list", *options, "-o", "jsonpath=$[*].name")
    assert result.code == 0, result.err
    return result.out.split()


def number(project: Project, *options: str) -> int:
    result = project.sm("list", "--count", *options)
    assert result.code == 0, result.err
    return int(result.out)


def test_scenario_43_filters(five: Project) -> None:
    assert number(five, "--status", "SUCCEEDED") == 3
    assert number(five, "--workflow", "sm-order") == 3
    assert number(five, "--status", "SUCCEEDED", "--workflow", "sm-order") == 1
    assert names(five) == ["pay-2", "pay-1", "ORDER-3", "order-2", "Order-1"]
    assert names(five, "--limit", "2", "--after", "pay-1") == ["ORDER-3", "order-2"]
    assert names(five, "--name", "oRdEr") == ["ORDER-3", "order-2", "Order-1"]
    third = five.sm("list", "--name", "ORDER-3", "-o", "jsonpath=$[0].started").out.strip()
    assert names(five, "--until", third) == ["order-2", "Order-1"]
    assert names(five, "--since", third) == ["pay-2", "pay-1", "ORDER-3"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--state", "Paid"], ["order-2"]),
        (["--state", "Which"], ["ORDER-3", "order-2", "Order-1"]),
        (["--state", "Which", "--status", "failed"], ["ORDER-3"]),
        (["--state", "which"], []),
        (["--error", "Declined"], ["ORDER-3"]),
        (["--tag", "kind=payment"], ["pay-2", "pay-1"]),
        (["--tag", "kind=order", "--tag", "end=R"], ["order-2"]),
        (["--tag", "kind=payment", "--tag", "end=R"], []),
        (["--status", "FAILED", "--status", "running"], ["ORDER-3", "order-2"]),
        (["--until", "1h"], []),
        (["--sort", "started"], ["Order-1", "order-2", "ORDER-3", "pay-1", "pay-2"]),
        (["--sort", "name"], ["ORDER-3", "Order-1", "order-2", "pay-1", "pay-2"]),
        (["--sort", "-name", "--limit", "2"], ["pay-2", "pay-1"]),
        (["--sort", "-name", "--limit", "2", "--after", "pay-1"], ["order-2", "Order-1"]),
        (["--sort", "-ended"], ["pay-2", "pay-1", "ORDER-3", "Order-1", "order-2"]),
    ],
)
def test_what_is_listed_is_also_counted(five: Project, options: list[str], expected: list[str]) -> None:
    assert names(five, *options) == expected
    if "--limit" not in options:
        assert number(five, *options) == len(expected)


def test_a_count_is_a_number_or_a_document(five: Project) -> None:
    assert five.sm("list", "--count", "--limit", "1").out == "5\n"
    assert five.sm("list", "--count", "--json").json == {"count": 5}
    assert five.sm("list", "--count", "-o", "jsonpath=$.count").out == "5\n"


def test_tags_are_shown_and_stand_in_documents(five: Project) -> None:
    assert "tags        end=R kind=order" in five.sm("show", "order-2").out
    assert five.sm("show", "order-2", "--json").json["tags"] == {"end": "R", "kind": "order"}
    assert five.sm("list", "--name", "order-2", "--json").json[0]["tags"] == {"end": "R", "kind": "order"}
    assert "\ntags" not in five.sm("show", five.sm("run", "sm-payment", "--detach").out.strip()).out


def test_tags_of_an_express_execution_are_kept_with_its_history(five: Project) -> None:
    assert five.sm("run", "sm-payment", "--express", "--keep-history", "--name", "x", "--tag", "a=b").code == 0
    assert names(five, "--tag", "a=b") == ["x"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "--sort", "size"], "--sort takes started, ended, duration or name, not 'size'"),
        (["list", "--tag", "team"], "--tag takes NAME=VALUE, not 'team'"),
        (["list", "--tag", "a=1", "--tag", "a=2"], "--tag a is given twice, as '1' and as '2'"),
        (["list", "--until", "soon"], "--until takes a span like 2h or a date like 2026-01-31T12:00, not 'soon'"),
        (["list", "--since", "1h", "--until", "2h"], "--until 2h is not after --since 1h"),
        (["list", "--status", "DONE"], "--status takes PENDING, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED"),
        (["run", "sm-payment", "--tag", "=x"], "--tag takes NAME=VALUE, not '=x'"),
        (["run", "sm-payment", "--tag", "a*=x"], "the name of the tag 'a*' holds '*', which it may not"),
        (["run", "sm-payment", "--tag", "aws:a=x"], "the tag 'aws:a' begins with aws:"),
    ],
)
def test_what_makes_no_sense_is_refused(five: Project, arguments: list[str], sentence: str) -> None:
    result = five.sm(*arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert number(five) == 5


def test_a_page_after_nobody_is_not_found(five: Project) -> None:
    result = five.sm("list", "--after", "nobody")
    assert (result.code, result.out) == (3, "")
    assert "no execution is 'nobody'" in result.err
