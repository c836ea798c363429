"""Scenario 44 of the behaviour that `sm` must have: a set of broken workflows, each told with its JSON path."""

from __future__ import annotations

import pytest

from sm_cli.asl.validation.validate import check

END = "{Type: Succeed}"
TEST = "Variable: $.a, IsNull: true"

BROKEN = [
    ("no StartAt", "States: {A: %END%}", "SM102", ""),
    ("StartAt missing in States", "{StartAt: B, States: {A: %END%}}", "SM203", "/StartAt"),
    ("no end", "{StartAt: A, States: {A: {Type: Pass, Next: B}, B: {Type: Pass, Next: A}}}", "SM205", "/States"),
    (
        "dead loop",
        "{StartAt: A, States: {A: {Type: Pass, Next: B}, B: {Type: Pass, Next: A}, C: %END%}}",
        "SM205",
        "/StartAt",
    ),
    (
        "dangling Choice",
        "{StartAt: A, States: {A: {Type: Choice, Choices: [{%TEST%, Next: X}], Default: B}, B: %END%}}",
        "SM203",
        "/States/A/Choices/0/Next",
    ),
    (
        "dangling Catch",
        "{StartAt: A, States: {A: {Type: Task, Resource: r, Catch: [{ErrorEquals: [x], Next: X}], End: true}}}",
        "SM203",
        "/States/A/Catch/0/Next",
    ),
    (
        "dangling TimeoutPath",
        "{StartAt: A, States: {A: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, TimeoutSeconds: 1,"
        " TimeoutPath: X, End: true}}}",
        "SM203",
        "/States/A/TimeoutPath",
    ),
    (
        "dangling Default",
        "{StartAt: A, States: {A: {Type: Choice, Choices: [{%TEST%, Next: B}], Default: X}, B: %END%}}",
        "SM203",
        "/States/A/Default",
    ),
    ("Next and End", "{StartAt: A, States: {A: {Type: Pass, Next: B, End: true}, B: %END%}}", "SM204", "/States/A/End"),
    (
        "TimeoutSeconds 0",
        "{StartAt: A, States: {A: {Type: Task, Resource: r, TimeoutSeconds: 0, End: true}}}",
        "SM104",
        "/States/A/TimeoutSeconds",
    ),
    ("Succeed with Next", "{StartAt: A, States: {A: {Type: Succeed, Next: B}, B: %END%}}", "SM101", "/States/A/Next"),
    (
        "Wait with two kinds",
        "{StartAt: A, States: {A: {Type: Wait, Seconds: 1, SecondsPath: $.s, End: true}}}",
        "SM105",
        "/States/A/SecondsPath",
    ),
    (
        "Heartbeat not below Timeout",
        "{StartAt: A, States: {A: {Type: Task, Resource: r, TimeoutSeconds: 5, HeartbeatSeconds: 5, End: true}}}",
        "SM601",
        "/States/A/HeartbeatSeconds",
    ),
    (
        "BackoffRate .5",
        "{StartAt: A, States: {A: {Type: Task, Resource: r, End: true,"
        " Retry: [{ErrorEquals: [x], BackoffRate: 0.5}]}}}",
        "SM104",
        "/States/A/Retry/0/BackoffRate",
    ),
    ("unknown Type", "{StartAt: A, States: {A: {Type: Tusk, End: true}}}", "SM104", "/States/A/Type"),
]


@pytest.mark.parametrize(("text", "code", "pointer"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_workflow_is_an_error_with_its_path_line_and_column(text: str, code: str, pointer: str) -> None:
    _, found = check(text.replace("%END%", END).replace("%TEST%", TEST), file="workflow.yaml")
    [problem] = [d for d in found if d.severity == "error"]
    assert (problem.code, problem.pointer, problem.file) == (code, pointer, "workflow.yaml")
    assert problem.position is not None
    assert [d.code for d in found if d.severity != "error"] in ([], ["SM206"])


def test_every_error_of_a_workflow_is_told_at_once() -> None:
    text = """
StartAt: A
States:
  A: {Type: Pass, Next: X}
  B: {Type: Wait, End: true}
  C: {Type: Task, Resource: r, TimeoutSeconds: 0, End: true}
"""
    _, found = check(text)
    assert [(d.code, d.position.line if d.position else 0) for d in found] == [("SM203", 4), ("SM106", 5), ("SM104", 6)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{StartAt: A, States: {A: %END%, B: {Type: Pass, Next: A}}}", "SM206"),
        (
            "{StartAt: A, States: {A: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, TimeoutSeconds: 1,"
            " End: true}}}",
            "SM702",
        ),
    ],
    ids=["unreachable", "a timeout without TimeoutPath or Catch"],
)
def test_what_may_be_meant_is_a_warning(text: str, code: str) -> None:
    _, found = check(text.replace("%END%", END))
    assert [(d.code, d.severity) for d in found] == [(code, "warning")]


def test_a_loop_that_has_an_exit_passes() -> None:
    text = """
StartAt: Poll
States:
  Poll: {Type: Task, Resource: poll, Next: Done?}
  Done?:
    Type: Choice
    Choices: [{Variable: $.done, BooleanEquals: true, Next: End}]
    Default: Pause
  Pause: {Type: Wait, Seconds: 5, Next: Poll}
  End: {Type: Succeed}
"""
    assert check(text)[1] == []
