"""`-o json|jsonl|yaml|table` of the commands that answer about one execution or one message."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.cli.conftest import Project

TWO = """
    StartAt: A
    States:
      A: {Type: Pass, Next: B}
      B: {Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}
"""


@pytest.fixture
def waiting(project: Project) -> Project:
    project.workflow(TWO)
    project.sm("run", "--detach")
    return project


def test_why_and_history_are_printed_in_every_format(waiting: Project) -> None:
    for command in (["why", "@last"], ["history", "@last"], ["history", "@last", "--events"]):
        document = waiting.sm(*command, "--json").json
        assert waiting.sm(*command, "-o", "json").json == document
        assert yaml.safe_load(waiting.sm(*command, "-o", "yaml").out) == document
        shown, usual = waiting.sm(*command, "-o", "table").out, waiting.sm(*command).out
        assert shown.split()[:3] == usual.split()[:3]  # durations grow
        refused = waiting.sm(*command, "-o", "xml")
        assert (refused.code, "-o takes table, json, jsonl, yaml or jsonpath" in refused.err) == (2, True)


def test_jsonl_has_a_line_for_each_state_event_or_answer(waiting: Project) -> None:
    def lines(*command: str) -> list[object]:
        return [json.loads(line) for line in waiting.sm(*command, "-o", "jsonl").out.splitlines()]

    assert lines("history", "@last") == waiting.sm("history", "@last", "--json").json["states"]
    assert lines("history", "@last", "--events") == waiting.sm("history", "@last", "--events", "--json").json["events"]
    assert lines("why", "@last") == [waiting.sm("why", "@last", "--json").json]


@pytest.mark.parametrize("format", ["json", "jsonl", "yaml"])
def test_what_became_of_a_message_is_printed_in_every_format(waiting: Project, format: str) -> None:
    said = waiting.sm("send-message", "k=v", "-o", format)
    document = yaml.safe_load(said.out)
    assert (said.code, document["outcome"], len(document["executions"])) == (0, "delivered", 1)


def test_a_followed_history_is_a_sequence_of_events(waiting: Project) -> None:
    waiting.sm("send-message", "k=v")
    events = waiting.sm("history", "@last", "--events", "--json").json["events"]
    assert yaml.safe_load(waiting.sm("history", "@last", "--follow", "-o", "yaml").out) == events
    followed = waiting.sm("history", "@last", "--follow", "-o", "json").out
    assert [json.loads(line) for line in followed.splitlines()] == events
