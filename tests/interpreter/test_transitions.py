"""The table is the engine: every row is crossed, every other pair is illegal."""

from __future__ import annotations

from typing import get_args

import pytest

from sm_cli.asl import model
from sm_cli.errors import IllegalTransition
from sm_cli.interpreter import events as e
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import (
    AwaitMessage,
    Close,
    Command,
    EndRun,
    Fork,
    RunTask,
    Spawn,
    StartRun,
    StartTimer,
    TimerKind,
)
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.transitions import TRANSITIONS
from sm_cli.jsonvalue import Json
from tests.interpreter.machines import RUN, STATES, enter, env, follow, frame, program

SAMPLES: dict[type[e.Event], e.Event] = {
    e.Entered: e.Entered(0),
    e.TaskSucceeded: e.TaskSucceeded(0, {"r": 1}),
    e.TaskFailed: e.TaskFailed(0, "Boom", "why"),
    e.DelayElapsed: e.DelayElapsed(0),
    e.BackoffElapsed: e.BackoffElapsed(0),
    e.DeadlinePassed: e.DeadlinePassed(0),
    e.HeartbeatMissed: e.HeartbeatMissed(0),
    e.MessageReceived: e.MessageReceived(0, {"m": 1}),
    e.ItemsWanted: e.ItemsWanted(0),
    e.Joined: e.Joined(0, [1, 2], 7),
    e.JoinFailed: e.JoinFailed(0, "Boom", "why", 7),
}
TYPES = {name: getattr(model, name) for name in STATES}
PAIRS = [(name, event) for name in STATES for event in SAMPLES]

#: (state, event) -> the frame's status afterwards, and the types of the commands it gave
ROWS: dict[tuple[str, str], tuple[FrameStatus, list[type[Command]]]] = {
    ("Pass", "Entered"): (FrameStatus.SUCCEEDED, [Close]),
    ("Choice", "Entered"): (FrameStatus.SUCCEEDED, [Close]),
    ("Succeed", "Entered"): (FrameStatus.SUCCEEDED, [Close]),
    ("Fail", "Entered"): (FrameStatus.FAILED, [Close]),
    ("Wait", "Entered"): (FrameStatus.BLOCKED, [StartTimer]),
    ("Wait", "DelayElapsed"): (FrameStatus.SUCCEEDED, [Close]),
    ("Task", "Entered"): (FrameStatus.BLOCKED, [RunTask]),
    ("Task", "BackoffElapsed"): (FrameStatus.BLOCKED, [RunTask]),
    ("Task", "TaskSucceeded"): (FrameStatus.SUCCEEDED, [Close]),
    ("Task", "TaskFailed"): (FrameStatus.BLOCKED, [StartTimer]),
    ("Task", "DeadlinePassed"): (FrameStatus.BLOCKED, [StartTimer]),
    ("Task", "HeartbeatMissed"): (FrameStatus.BLOCKED, [StartTimer]),
    ("Parallel", "Entered"): (FrameStatus.BLOCKED, [Fork]),
    ("Parallel", "BackoffElapsed"): (FrameStatus.BLOCKED, [Fork]),
    ("Parallel", "Joined"): (FrameStatus.SUCCEEDED, [Close]),
    ("Parallel", "JoinFailed"): (FrameStatus.BLOCKED, [StartTimer]),
    ("Map", "Entered"): (FrameStatus.BLOCKED, [Fork]),
    ("Map", "BackoffElapsed"): (FrameStatus.BLOCKED, [Fork]),
    ("Map", "Joined"): (FrameStatus.SUCCEEDED, [Close]),
    ("Map", "JoinFailed"): (FrameStatus.BLOCKED, [StartTimer]),
    ("DistributedMap", "Entered"): (FrameStatus.BLOCKED, [StartRun, Spawn]),
    ("DistributedMap", "BackoffElapsed"): (FrameStatus.BLOCKED, [StartRun, Spawn]),
    ("DistributedMap", "TaskSucceeded"): (FrameStatus.BLOCKED, [Spawn]),
    ("DistributedMap", "TaskFailed"): (FrameStatus.BLOCKED, [EndRun, StartTimer]),
    ("DistributedMap", "ItemsWanted"): (FrameStatus.BLOCKED, [Spawn]),
    ("DistributedMap", "Joined"): (FrameStatus.SUCCEEDED, [EndRun, Close]),
    ("DistributedMap", "JoinFailed"): (FrameStatus.BLOCKED, [EndRun, StartTimer]),
    ("Message", "Entered"): (FrameStatus.BLOCKED, [AwaitMessage, StartTimer]),
    ("Message", "BackoffElapsed"): (FrameStatus.BLOCKED, [AwaitMessage, StartTimer]),
    ("Message", "MessageReceived"): (FrameStatus.SUCCEEDED, [Close]),
    ("Message", "DeadlinePassed"): (FrameStatus.BLOCKED, [StartTimer]),
}


def test_the_samples_are_all_events_there_are() -> None:
    assert set(SAMPLES) == set(get_args(e.Event))


def test_every_row_of_the_table_is_crossed_below() -> None:
    assert {(state.__name__, event.__name__) for state, event in TRANSITIONS} == set(ROWS)


@pytest.mark.parametrize(("name", "event"), PAIRS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_a_pair_is_either_a_row_or_illegal(name: str, event: type[e.Event]) -> None:
    compiled, before = program(STATES[name]), frame()
    if (name, event.__name__) not in ROWS:
        with pytest.raises(IllegalTransition, match=f"of type {TYPES[name].__name__} has no row for {event.__name__}"):
            advance(compiled, before, SAMPLES[event], env())
        assert before == frame(), "the frame that came in is left as it was"
        return
    sample = SAMPLES[event]
    if name == "DistributedMap":
        before.join = RUN
        if event is e.TaskSucceeded:
            sample = e.TaskSucceeded(0, {"items": [30]})
    step = advance(compiled, before, sample, env())
    status, commands = ROWS[name, event.__name__]
    assert step.frame.status is status
    assert [type(c) for c in step.commands] == commands
    assert step.frame.seq == 1
    left = frame()
    left.join = before.join
    assert before == left, "the frame that came in is left as it was"


@pytest.mark.parametrize("seq", [1, 7, -1])
def test_an_event_for_another_seq_changes_nothing(seq: int) -> None:
    before = frame()
    step = advance(program(STATES["Task"]), before, e.TaskSucceeded(seq, {}), env())
    assert step.ignored
    assert step.frame == before
    assert not step.commands
    assert not step.records


def test_a_closed_frame_takes_no_event() -> None:
    compiled, step = enter(STATES["Succeed"])
    again = follow(compiled, step, e.Entered(step.frame.seq))
    assert again.ignored


def test_the_same_arguments_give_the_same_step() -> None:
    state = {
        "Type": "Pass",
        "Parameters": {"id.$": "States.UUID()", "n.$": "States.MathRandom(1, 1000000)"},
        "End": True,
    }
    _, first = enter(state)
    _, second = enter(state)
    assert first == second
    assert isinstance(first.frame.output, dict)


def test_a_step_that_has_passed_its_budget_stays_ready_and_goes_on() -> None:
    compiled = program({"Type": "Pass", "Next": "Z"})
    step = advance(compiled, frame(), e.Entered(0), env(budget=1))
    assert (step.frame.status, step.frame.state) == (FrameStatus.READY, "Z")
    step = follow(compiled, step, e.Entered(step.frame.seq))
    assert step.frame.status is FrameStatus.SUCCEEDED


def test_each_retrier_counts_for_itself_and_a_used_up_one_is_not_followed_by_another() -> None:
    state = {
        "Type": "Task", "Resource": "r", "End": True,
        "Retry": [
            {"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 1},
            {"ErrorEquals": ["B"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 2},
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 9},
        ],
    }  # fmt: skip
    compiled, step = enter(state)
    delays = []
    for error in ("B", "A", "B", "A"):
        step = follow(compiled, step, e.TaskFailed(step.frame.seq, error, None))
        if step.frame.status.closed:
            break
        (timer,) = step.commands
        assert isinstance(timer, StartTimer)
        assert timer.kind is TimerKind.BACKOFF
        delays.append(timer.due / 1_000_000)
        step = follow(compiled, step, e.BackoffElapsed(step.frame.seq))
    assert delays == [10, 1, 30]
    assert step.frame.status is FrameStatus.FAILED


@pytest.mark.parametrize(
    ("retrier", "expected"),
    [
        ({"IntervalSeconds": 3, "BackoffRate": 2, "MaxDelaySeconds": 5, "MaxAttempts": 4}, [3, 5, 5, 5]),
        ({"MaxAttempts": 3}, [1, 2, 4]),
        ({"BackoffRate": 1.5, "IntervalSeconds": 2, "MaxAttempts": 3}, [2, 3, 4.5]),
        ({"MaxAttempts": 0}, []),
    ],
)
def test_the_pauses_between_attempts(retrier: dict[str, Json], expected: list[float]) -> None:
    state = {"Type": "Task", "Resource": "r", "Retry": [{"ErrorEquals": ["States.TaskFailed"], **retrier}], "End": True}
    compiled, step = enter(state)
    delays = []
    while not (step := follow(compiled, step, e.TaskFailed(step.frame.seq, "Boom", "c"))).frame.status.closed:
        (timer,) = step.commands
        assert isinstance(timer, StartTimer)
        delays.append(timer.due / 1_000_000)
        step = follow(compiled, step, e.BackoffElapsed(step.frame.seq))
    assert delays == expected


def test_full_jitter_stays_between_nothing_and_the_whole_pause_and_is_reproducible() -> None:
    retrier = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "JitterStrategy": "FULL", "MaxAttempts": 1}
    compiled, step = enter({"Type": "Task", "Resource": "r", "Retry": [retrier], "End": True})
    dues = set()
    for _ in range(3):
        (timer,) = follow(compiled, step, e.TaskFailed(step.frame.seq, "Boom", None)).commands
        assert isinstance(timer, StartTimer)
        dues.add(timer.due)
    assert len(dues) == 1
    assert 0 < dues.pop() < 100_000_000


@pytest.mark.parametrize(
    ("names", "error", "caught"),
    [
        (["States.ALL"], "Boom", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.TaskFailed"], "Boom", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.Timeout"], "States.Timeout", True),
        (["Other", "Boom"], "Boom", True),
        (["boom"], "Boom", False),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
    ],
)
def test_which_error_names_a_catcher_takes(names: list[str], error: str, caught: bool) -> None:
    catch = [{"ErrorEquals": names, "Next": "Z", "ResultPath": "$.error"}]
    compiled, step = enter({"Type": "Task", "Resource": "r", "Catch": catch, "End": True})
    step = follow(compiled, step, e.TaskFailed(step.frame.seq, error, "c"))
    if caught:
        assert step.frame.status is FrameStatus.SUCCEEDED
        assert step.frame.output == {"a": 1, "items": [10, 20], "error": {"Error": error, "Cause": "c"}}
    else:
        assert step.frame.status is FrameStatus.FAILED


def test_a_missed_heartbeat_is_both_a_timeout_and_a_heartbeat_timeout() -> None:
    for name in ("States.Timeout", "States.HeartbeatTimeout"):
        catch = [{"ErrorEquals": [name], "Next": "Z", "ResultPath": "$.error"}]
        state = {"Type": "Task", "Resource": "r", "HeartbeatSeconds": 5, "Catch": catch, "End": True}
        compiled, step = enter(state)
        step = follow(compiled, step, e.HeartbeatMissed(step.frame.seq))
        assert isinstance(step.frame.output, dict)
        assert step.frame.output["error"] == {"Error": "States.Timeout", "Cause": ""}


def test_a_frame_survives_copying_with_every_field() -> None:
    original = Frame(1, 2, 3, 4, 5, "/m", "S", 6, FrameStatus.BLOCKED, retries=(1, 2), item={"Index": 0}, vars={"x": 1})
    copied = original.copy()
    assert copied == original
    assert copied is not original
