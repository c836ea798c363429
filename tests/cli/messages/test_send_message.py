"""`sm send-message`: who waits goes on, and the sender is told what became of the message."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

WAITS = """
StartAt: Wait
States:
  Wait: {Type: Message, CorrelationKey: orderId, CorrelationValuePath: $.orderId, End: true}
"""


@pytest.mark.parametrize(
    ("waits_for", "sent"),
    [("ORD-1", "ORD-1"), ("7", "7"), ('"7"', "7"), ("a=b", "a=b"), ("true", "true"), ('"null"', "null")],
)
def test_a_message_reaches_who_waits_and_its_data_is_merged(project: Project, waits_for: str, sent: str) -> None:
    project.workflow(WAITS)
    project.sm("run", "--detach", "--name", "n1", f"orderId={waits_for}", "keep=1")
    result = project.sm("send-message", f"orderId={sent}", "--data", '{"approved": true}')
    assert result.code == 0, result.err
    output = project.sm("output", "n1").json
    assert (output["keep"], output["approved"]) == (1, True)


def test_a_message_that_nobody_waits_for_is_kept_and_consumed_later(project: Project) -> None:
    project.workflow(WAITS)
    project.database()
    result = project.sm("send-message", "orderId=ORD-1", "--data", "-", stdin='{"early": 1}')
    assert result.code == 0
    assert "nobody waits for orderId=ORD-1 now" in result.out + result.err
    assert project.sm("run", "orderId=ORD-1").json == {"orderId": "ORD-1", "early": 1}


def test_the_command_that_show_prints_moves_the_execution(project: Project) -> None:
    project.workflow(WAITS)
    project.sm("run", "--detach", "--name", "n1", "orderId=ORD 1")
    assert "sm send-message 'orderId=ORD 1'" in project.sm("show", "n1").out
    project.sm("send-message", "orderId=ORD 1")
    assert project.sm("output", "n1").code == 0


@pytest.mark.parametrize("argument", ["orderId", "=7"])
def test_what_is_not_key_and_value_is_refused(project: Project, argument: str) -> None:
    result = project.sm("send-message", argument)
    assert result.code == 2
    assert "is not KEY=VALUE" in result.err
