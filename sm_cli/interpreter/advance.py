"""`advance`: one frame, one event, one step. The interpreter's only entrance, with `started` and `abort_frame`.

Same arguments, same Step. The frame that comes in is left as it is.
"""

from __future__ import annotations

from sm_cli.asl.model import DistributedMap, Map, Parallel, Program, Role, State, Task, Wait
from sm_cli.errors import IllegalTransition, StateFailure
from sm_cli.history_event import HistoryEvent
from sm_cli.interpreter import events
from sm_cli.interpreter.env import Env
from sm_cli.interpreter.events import Entered, Event
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.records import task_detail, task_event
from sm_cli.interpreter.recovery import recover
from sm_cli.interpreter.states.task import note_submitted as task_submitted
from sm_cli.interpreter.step import Step, StepBuilder, most_events
from sm_cli.interpreter.transitions import TRANSITIONS
from sm_cli.jsonvalue import Json


def advance(program: Program, frame: Frame, event: Event, env: Env) -> Step:
    """Step the frame until it blocks or closes, or has passed `env.budget` states, or enough (then it stays READY).
    Raises IllegalTransition, a bug of ours."""
    if event.seq != frame.seq or frame.status.closed:
        return Step(frame, env.events, ignored=True)
    frame = frame.copy()
    frame.seq += 1
    frame.opens = Opens.NOTHING
    frame.wake = None
    turn = StepBuilder(program, frame, env)
    states, budget, enough = turn.machine.states, env.budget, env.enough
    next: Event | None = event
    while next is not None:
        if budget == 0 or (enough is not None and next is not event and enough(turn.records)):
            frame.status = FrameStatus.READY
            break
        budget -= 1
        state = states[frame.state]
        transition = TRANSITIONS.get((type(state), type(next)))
        if transition is None:
            raise IllegalTransition(
                f"state {state.name!r} of type {type(state).__name__} has no row for {type(next).__name__}"
            )
        try:
            if type(next) is Entered:
                turn.enter(state)
            next = transition(turn, state, next)
        except StateFailure as failure:
            next = recover_in_bounds(turn, state, failure)
    return Step(frame, turn.number, turn.commands, turn.records)


def recover_in_bounds(turn: StepBuilder, state: State, failure: StateFailure) -> Event | None:
    """As `recover`; when there is no room to record what comes of the failure, that is the failure."""
    try:
        return recover(turn, state, failure)
    except StateFailure as full:
        return recover(turn, state, full)


def started(program: Program, frame: Frame, env: Env) -> HistoryEvent | None:
    """The event that a worker took the frame's job; None where there is none. Nothing else comes of it, so it is no
    step."""
    state = program.machines[frame.machine].states[frame.state]
    # Not what a distributed Map has done for it; and the last event is kept for the execution's end.
    if not isinstance(state, Task) or env.events >= most_events(env):
        return None
    type, detail = task_event(state.resource, "Started"), task_detail(state.resource)
    return HistoryEvent(frame.execution, env.events + 1, frame.last, frame.id, env.now, type, detail)


def submitted(program: Program, frame: Frame, result: Json, env: Env) -> Step:
    """A `.waitForTaskToken` task's handler returned: recorded; the frame waits on for its callback. The seq stays.
    Raises StateFailure for a result that is too large to be kept."""
    frame = frame.copy()
    turn = StepBuilder(program, frame, env)
    state = turn.state
    assert isinstance(state, Task)
    if turn.number < turn.most:
        task_submitted(turn, state, result)
    return Step(frame, turn.number, [], turn.records)


def awaits_token(program: Program, frame: Frame) -> bool:
    """Whether the frame's task ends by a callback and not by its handler's return."""
    state = program.machines[frame.machine].states[frame.state]
    return isinstance(state, Task) and state.resource.pattern == "waitForTaskToken"


def abort_frame(program: Program, frame: Frame, env: Env) -> Step:
    """Close the frame because one above it, or the execution, is closed."""
    frame = frame.copy()
    frame.seq += 1
    turn = StepBuilder(program, frame, env)
    state = turn.state
    # With AWS's limits an execution that is stopped when it is full has no room for these.
    if frame.entered and turn.number + 3 <= turn.most:
        if isinstance(state, DistributedMap) and frame.opens & Opens.EXECUTIONS:
            turn.record("MapRunAborted", {}, leaf=True)
        if isinstance(state, (Task, Wait, Parallel, Map)):
            turn.record(f"{state.type}StateAborted", {}, leaf=True)
        if turn.machine.role is Role.ITERATION:
            turn.record("MapIterationAborted", turn.iteration(), leaf=True)
    frame.status = FrameStatus.ABORTED
    frame.opens = Opens.NOTHING
    frame.wake = None
    return Step(frame, turn.number, [], turn.records)


def wake_event(frame: Frame, wake: Json) -> Event:
    """The event that a READY frame is stepped with."""
    if wake is None:
        return Entered(frame.seq)
    assert isinstance(wake, dict)
    kind = getattr(events, str(wake["event"]))
    event: Event = kind(seq=frame.seq, **{name: value for name, value in wake.items() if name != "event"})
    return event
