"""The step that is being made: its events, the context object, bounds and random numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.errors import StateFailure
from sm_cli.history_event import HistoryEvent
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import Close, RunTask, StartTimer, TimerKind
from sm_cli.interpreter.env import NO_LIMIT, Env, Probe
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.step import ENTERED, EVENT_LIMIT, PAYLOAD_LIMIT, StepBuilder, event_limit_cause
from sm_cli.interpreter.tokens import read_token
from sm_cli.jsonvalue import DEEPEST, Json
from tests.interpreter.machines import INNER, INPUT, STATES, env, frame, program

#: A microsecond after 2026-01-01T00:00:00Z.
NOW = 1_767_225_600_000_001
PASS = STATES["Pass"]


def builder(state: dict[str, Any] = PASS, given: Frame | None = None, **options: Any) -> StepBuilder:
    return StepBuilder(program(state), frame() if given is None else given, env(**options))


def event(number: int, previous: int, type: str, detail: dict[str, Json], at: int = 0) -> HistoryEvent:
    """One of the execution and the frame that `builder` works on."""
    return HistoryEvent(1, number, previous, 1, at, type, detail)


def in_iteration(**options: Any) -> StepBuilder:
    """A frame that stands before the first state of a Map's third iteration."""
    at = Frame(7, 1, 1, 3, 2, "/States/S/ItemProcessor", "In", input="x")
    return StepBuilder(program(STATES["Map"]), at, env(**options))


def nested(depth: int) -> Json:
    value: Json = 1
    for _ in range(depth):
        value = [value]
    return value


# -- history ---------------------------------------------------------------------------------------------


def test_events_follow_one_another_and_a_leaf_is_followed_by_none() -> None:
    turn = builder(events=10)
    assert turn.record("A", {"x": 1}) == 11
    assert turn.record("B", {}, leaf=True) == 12
    assert turn.record("C", {}) == 13
    assert turn.records == [event(11, 0, "A", {"x": 1}), event(12, 11, "B", {}), event(13, 11, "C", {})]
    assert turn.frame.last == 13


def test_without_a_history_events_have_numbers_and_are_not_kept() -> None:
    turn = builder(history=False)
    assert [turn.record("A", {}), turn.record("B", {})] == [1, 2]
    assert (turn.records, turn.number, turn.frame.last) == ([], 2, 2)


@pytest.mark.parametrize(
    ("limits", "type", "most"),
    [
        (True, "STANDARD", EVENT_LIMIT - 1),
        (True, "EXPRESS", NO_LIMIT - 1),
        (False, "STANDARD", NO_LIMIT - 1),
        (False, "EXPRESS", NO_LIMIT - 1),
    ],
)
def test_the_last_event_is_kept_for_the_end_of_a_standard_execution_with_limits(
    limits: bool, type: str, most: int
) -> None:
    given = env(limits=limits)
    given = replace(given, facts=given.facts._replace(type=type))
    assert StepBuilder(program(PASS), frame(), given).most == most


def test_an_event_beyond_the_limit_fails_the_state_and_is_not_recorded() -> None:
    turn = builder(limits=True, events=EVENT_LIMIT - 2)
    assert turn.record("A", {}) == EVENT_LIMIT - 1
    with pytest.raises(StateFailure) as full:
        turn.record("B", {})
    assert (full.value.error, full.value.cause, full.value.located) == (
        "States.Runtime",
        event_limit_cause(EVENT_LIMIT),
        False,
    )
    assert (turn.number, len(turn.records)) == (EVENT_LIMIT - 1, 1)


# -- moving on -------------------------------------------------------------------------------------------


def test_entering_a_state_forgets_what_belonged_to_the_visit_before() -> None:
    at = replace(frame(), retries=(2, 1), last=5)
    turn = builder(given=at, now=NOW, events=8)
    turn.enter(turn.state)
    assert at.retries == ()
    assert at.join is None
    assert (at.entered_at, at.entered, at.last) == (NOW, 9, 9)
    assert turn.before == 5
    assert turn.records == [event(9, 5, "PassStateEntered", {"name": "S", "input": INPUT}, at=NOW)]


def test_entering_without_a_history_counts_the_event() -> None:
    turn = builder(history=False, events=8)
    turn.enter(turn.state)
    assert (turn.frame.entered, turn.frame.last, turn.number, turn.records) == (9, 9, 9, [])


def test_an_iteration_begins_with_an_event_of_its_own_and_only_once() -> None:
    turn = in_iteration()
    turn.enter(turn.state)
    turn.enter(turn.state)
    assert [(record.type, record.detail) for record in turn.records] == [
        ("MapIterationStarted", {"index": 2, "name": "S"}),
        ("PassStateEntered", {"name": "In", "input": "x"}),
        ("PassStateEntered", {"name": "In", "input": "x"}),
    ]


@pytest.mark.parametrize(
    ("status", "error", "types", "tail"),
    [
        (FrameStatus.SUCCEEDED, None, ["MapIterationSucceeded"], 5),
        (FrameStatus.FAILED, "Boom", ["MapIterationFailed"], 5),
        (FrameStatus.FAILED, None, ["MapIterationFailed"], 5),
        (FrameStatus.FAILED, "States.Runtime", [], 0),
    ],
)
def test_an_iteration_ends_with_an_event_that_the_map_goes_on_from(
    status: FrameStatus, error: str | None, types: list[str], tail: int
) -> None:
    turn = in_iteration(events=4)
    turn.close(status, "out", error, "why")
    assert [record.type for record in turn.records] == types
    assert turn.commands == [Close(status is FrameStatus.SUCCEEDED, "out", error, "why", tail)]
    assert (turn.frame.status, turn.frame.output) == (status, "out")


def test_another_frame_closes_without_an_event() -> None:
    turn = builder()
    turn.frame.last = 3
    turn.close(FrameStatus.SUCCEEDED, "out")
    assert (turn.records, turn.commands) == ([], [Close(True, "out", None, None, 3)])


def test_leaving_for_a_next_state_hands_the_output_on_as_its_input() -> None:
    turn = builder({"Type": "Pass", "Next": "Z"})
    assert turn.leave(turn.state, {"o": 1}, {"v": 2}) is ENTERED
    assert (turn.frame.state, turn.frame.input, turn.frame.vars) == ("Z", {"o": 1}, {"v": 2})
    assert turn.records == [
        event(1, 0, "PassStateExited", {"name": "S", "output": {"o": 1}, "assignedVariables": {"v": 2}})
    ]
    assert turn.frame.status is FrameStatus.READY


def test_leaving_for_nowhere_closes_the_frame() -> None:
    turn = builder()
    assert turn.leave(turn.state, 5) is None
    assert (turn.frame.status, turn.frame.output) == (FrameStatus.SUCCEEDED, 5)


@pytest.mark.parametrize("assigned", [None, {}])
def test_nothing_assigned_is_not_told_in_the_history(assigned: Json) -> None:
    turn = builder()
    turn.leave(turn.state, 5, assigned)
    assert turn.records[0].detail == {"name": "S", "output": 5}


def test_leaving_without_a_history_counts_the_event() -> None:
    turn = builder(history=False, events=4)
    turn.leave(turn.state, 5)
    assert (turn.number, turn.frame.last, turn.records) == (5, 5, [])


def test_a_blocked_frame_has_asked_for_what_it_waits_for() -> None:
    turn = builder()
    commands = StartTimer(TimerKind.DELAY, 5), RunTask("h", None, 1, None, None)
    turn.block(*commands)
    assert (turn.frame.status, turn.commands) == (FrameStatus.BLOCKED, list(commands))


# -- bounds ----------------------------------------------------------------------------------------------


def test_an_output_that_is_deeper_than_data_may_be_fails_the_state() -> None:
    turn = builder()
    assert turn.leave(turn.state, nested(DEEPEST)) is None
    with pytest.raises(StateFailure) as deep:
        builder().leave(turn.state, nested(DEEPEST + 1))
    assert (deep.value.error, deep.value.cause) == (
        "States.Runtime", f"The output is nested more than {DEEPEST} levels deep.",
    )  # fmt: skip


def test_variables_are_bounded_together() -> None:
    at = frame()
    at.vars = {"old": "x" * 60}
    with pytest.raises(StateFailure, match="DataLimitExceeded"):
        builder(given=at, max_payload=100).leave(program(PASS).root.states["S"], None, {"new": "y" * 60})
    assert at.vars == {"old": "x" * 60}


@pytest.mark.parametrize(("size", "limits", "fails"), [
    (PAYLOAD_LIMIT - 2, True, False), (PAYLOAD_LIMIT - 1, True, True), (PAYLOAD_LIMIT - 1, False, False),
])  # fmt: skip
def test_aws_s_limit_holds_where_it_is_on_also_for_a_value_that_is_passed_through(
    size: int, limits: bool, fails: bool
) -> None:
    at = frame("x" * size)
    turn = builder(given=at, limits=limits)
    if fails:
        with pytest.raises(StateFailure, match="'S' returned a result with a size exceeding"):
            turn.leave(turn.state, at.input)
    else:
        turn.leave(turn.state, at.input)
        assert at.output == at.input


# -- what expressions see --------------------------------------------------------------------------------


def test_the_context_object_has_the_execution_the_state_and_the_workflow() -> None:
    turn = builder(now=NOW)
    turn.enter(turn.state)
    assert turn.context() == {
        "Execution": {
            "Id": "arn:aws:states:us-east-1:111111111111:execution:workflow:name", "Input": INPUT, "Name": "name",
            "RoleArn": "arn:aws:iam::111111111111:role/sm-local", "StartTime": "2026-01-01T00:00:00.000Z",
            "RedriveCount": 0,
        },
        "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": "S"},
        "StateMachine": {"Id": "arn:aws:states:us-east-1:111111111111:stateMachine:workflow", "Name": "workflow"},
    }  # fmt: skip


def with_facts(state: dict[str, Any], at: Frame | None = None, **facts: Any) -> dict[str, Any]:
    given = env()
    given = replace(given, facts=given.facts._replace(**facts))
    found: dict[str, Any] = StepBuilder(program(state), frame() if at is None else at, given).context()
    return found


def test_an_express_execution_has_an_arn_of_its_own_and_no_redrives() -> None:
    execution = with_facts(PASS, type="EXPRESS")["Execution"]
    assert execution["Id"] == "arn:aws:states:us-east-1:111111111111:express:workflow:name:REF"
    assert "RedriveCount" not in execution


def test_a_redriven_execution_says_when() -> None:
    execution = with_facts(PASS, redrive_count=2, redriven=1_769_904_000_000_000)["Execution"]
    assert (execution["RedriveCount"], execution["RedriveTime"]) == (2, "2026-02-01T00:00:00.000Z")


def test_region_and_account_stand_where_they_are_set() -> None:
    found = with_facts(PASS, region="eu-west-1", account="42")
    assert found["Execution"]["Id"] == "arn:aws:states:eu-west-1:42:execution:workflow:name"
    assert found["Execution"]["RoleArn"] == "arn:aws:iam::42:role/sm-local"
    assert found["StateMachine"]["Id"] == "arn:aws:states:eu-west-1:42:stateMachine:workflow"


def test_a_task_has_its_retries_and_only_one_with_a_callback_a_token() -> None:
    at = frame()
    at.retries, at.seq = (1, 2), 4
    plain = with_facts(STATES["Task"], at)
    assert plain["State"]["RetryCount"] == 3 and "Task" not in plain
    waiting = with_facts({**STATES["Task"], "Resource": "do.waitForTaskToken"}, at)
    assert read_token(b"", waiting["Task"]["Token"]) == (1, 4)
    assert "RetryCount" not in with_facts(STATES["Parallel"], at)["State"]


def test_inside_a_map_the_context_object_has_the_item() -> None:
    at = frame()
    at.item = {"Index": 0, "Value": None}
    assert with_facts(PASS, at)["Map"] == {"Item": {"Index": 0, "Value": None}}
    assert "Map" not in with_facts(PASS)


@pytest.mark.parametrize("context", [{}, {"Execution": {"Id": "mine"}}])
def test_a_probe_s_context_stands_for_the_execution_s(context: dict[str, Json]) -> None:
    assert builder(probe=Probe(context=context)).context() == context
    assert "StateMachine" in builder(probe=Probe()).context()


@pytest.mark.parametrize(
    ("written", "sees"),
    [
        ({"Parameters": {"v.$": "$w", "i.$": "$.a", "n.$": "$$.Execution.Name"}}, {"v": [1], "i": 1, "n": "name"}),
        (
            {
                "QueryLanguage": "JSONata",
                "Output": {
                    "v": "{% $w[0] %}", "i": "{% $states.input.a %}", "n": "{% $states.context.Execution.Name %}",
                },
            },
            {"v": 1, "i": 1, "n": "name"},
        ),
    ],
)  # fmt: skip
def test_an_expression_sees_variables_input_and_context(written: dict[str, Any], sees: Json) -> None:
    at = frame()
    at.vars = {"w": [1]}
    assert advance(program({"Type": "Pass", "End": True, **written}), at, Entered(0), env()).frame.output == sees


def test_random_numbers_come_from_execution_frame_and_seq() -> None:
    def drawn(ref: str = "REF", id: int = 1, seq: int = 0) -> list[float]:
        given = env()
        at = frame()
        at.id, at.seq = id, seq
        turn = StepBuilder(program(PASS), at, replace(given, facts=given.facts._replace(ref=ref)))
        assert turn.random() is turn.random(), "one generator a step"
        return [turn.random().random() for _ in range(3)]

    assert drawn() == drawn()
    others = [drawn("OTHER"), drawn(id=2), drawn(seq=1)]
    assert drawn() not in others
    assert len({tuple(numbers) for numbers in others}) == 3


def test_the_time_that_jsonata_sees_is_that_of_the_step() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $millis() %}", "End": True}
    assert advance(program(state), frame(), Entered(0), env(NOW)).frame.output == NOW // 1000


def test_a_branch_closes_without_an_event_of_its_own() -> None:
    branching: Any = {"Type": "Parallel", "Branches": [INNER], "End": True}
    compiled = compile_program({"StartAt": "P", "States": {"P": branching}})
    at = Frame(7, 1, 1, 3, 0, "/States/P/Branches/0", "In", input="x")
    step = advance(compiled, at, Entered(0), env())
    assert [record.type for record in step.records] == ["PassStateEntered", "PassStateExited"]
    assert step.commands == [Close(True, "x", None, None, 2)]


def test_an_env_has_no_limits_unless_it_is_told() -> None:
    given = env()
    assert isinstance(given, Env)
    assert (given.limits, given.history, given.probe, given.clock, given.enough) == (False, True, None, None, None)
