"""One step of one frame while it is being made: the working copy, and what it asked for so far.

A StepBuilder lives inside one call of `advance`. It changes only its own copy of the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from random import Random
from types import MappingProxyType

from sm_cli.asl.model import Machine, Program, QueryLanguage, Role, State, Task
from sm_cli.errors import StateFailure
from sm_cli.expr.limits import AWS
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.history_event import HistoryEvent
from sm_cli.immutable import immutable
from sm_cli.interpreter.commands import Close, Command
from sm_cli.interpreter.env import Env
from sm_cli.interpreter.events import Entered
from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import DEEPEST, Json, TooDeep, TooLarge, check_bounds, is_small, size_of
from sm_cli.timestamps import rfc3339

#: AWS's limit on a payload, in bytes of UTF-8 JSON.
PAYLOAD_LIMIT = 262_144
#: AWS's limit on the events of a STANDARD execution; reaching it fails the execution.
EVENT_LIMIT = 25_000
#: The error that nothing retries and nothing catches: the execution ends by it at once, with no other event.
RUNTIME = "States.Runtime"


#: Makes a NamedTuple at half of what calling its class costs: a step has five events.
_new = tuple.__new__
NO_MEMBERS: Mapping[str, Json] = MappingProxyType({})


def event_limit_cause(most: int) -> str:
    """AWS's words for an execution that may have no more than `most` events."""
    return f"The execution reached the maximum number of history events ({most})."


def most_events(env: Env) -> int:
    """So many events may be recorded; the one after them is the execution's last."""
    most = env.max_events - 1
    if env.limits and env.facts.type != "EXPRESS":
        return min(most, EVENT_LIMIT - 1)
    return most


class StepBuilder:
    """The working copy of one frame, and what its step has asked for so far."""

    __slots__ = (
        "_random", "before", "commands", "env", "frame", "history", "machine", "most", "number", "program", "records",
        "within_bounds",
    )  # fmt: skip

    def __init__(self, program: Program, frame: Frame, env: Env) -> None:
        self.program = program
        self.machine: Machine = program.machines[frame.machine]
        self.frame = frame
        self.env = env
        self.history = env.history
        self.number = env.events
        self.most = most_events(env)
        self.commands: list[Command] = []
        self.records: list[HistoryEvent] = []
        #: The event before the StateEntered of the state that the frame is in, when it was entered in this turn.
        self.before: int | None = None
        #: The newest value that `check_bounds` has let through.
        self.within_bounds: Json = None
        self._random: Random | None = None

    @property
    def state(self) -> State:
        """The state that the frame is in."""
        return self.machine.states[self.frame.state]

    # -- history ---------------------------------------------------------------------------------

    def record(self, type: str, detail: dict[str, Json], *, leaf: bool = False) -> int:
        """Record an event after the frame's newest one; a `leaf` is not followed by others of the frame. Raises
        StateFailure when only ExecutionFailed may follow."""
        if self.number >= self.most:
            raise StateFailure("States.Runtime", event_limit_cause(self.most + 1), located=False)
        self.number = number = self.number + 1
        frame = self.frame
        if self.history:
            event = (frame.execution, number, frame.last, frame.id, self.env.now, type, detail)
            self.records.append(_new(HistoryEvent, event))
        if not leaf:
            frame.last = number
        return number

    def note(self, stage: str, value: Json) -> None:
        """Tell who tests the state alone what its data flow has come by."""
        if self.env.probe is not None:
            self.env.probe.stages[stage] = value

    # -- moving on -------------------------------------------------------------------------------

    def enter(self, state: State) -> None:
        """States Language, "Transitions": a state is entered with its raw input; retry counters start again."""
        frame = self.frame
        if frame.entered == 0 and self.machine.role is Role.ITERATION:
            self.record("MapIterationStarted", self.iteration())
        frame.retries = ()
        frame.join = None
        frame.entered_at = self.env.now
        self.before = frame.last
        if self.history:
            frame.entered = self.record(f"{state.type}StateEntered", {"name": state.name, "input": frame.input})
        else:
            frame.entered = frame.last = self.number = self.number + 1

    def leave(self, state: State, output: Json, assignment: Json = None) -> Entered | None:
        """Leave the state with this output: to its Next, or out of the machine."""
        return self.leave_to(state, state.next, output, assignment)

    def leave_to(self, state: State, next: str | None, output: Json, assignment: Json) -> Entered | None:
        """Leave the state for `next`, setting the variables of `assignment` (an object, or None)."""
        self.check_bounds(output, "output", state.name)
        if self.env.limits:
            self.check_size(output, state.name)
        if isinstance(assignment, dict):
            variables = {**self.frame.vars, **assignment}
            self.check_bounds(variables, "value of Assign", state.name)
            self.frame.vars = variables
        if self.history:
            detail: dict[str, Json] = {"name": state.name, "output": output}
            if assignment:
                detail["assignedVariables"] = assignment
            self.record(f"{state.type}StateExited", detail)
        else:
            self.frame.last = self.number = self.number + 1
        return self.proceed(next, output)

    def proceed(self, next: str | None, output: Json) -> Entered | None:
        """Go on with `next`; None: the machine is at its end, and the frame closed with this output."""
        frame = self.frame
        if next is None:
            self.close(FrameStatus.SUCCEEDED, output)
            return None
        frame.input = output
        frame.state = next
        return ENTERED

    def close(self, status: FrameStatus, output: Json, error: str | None = None, cause: str | None = None) -> None:
        """Close the frame, with an error and a cause when it failed."""
        frame = self.frame
        is_success = status is FrameStatus.SUCCEEDED
        tail = frame.last
        if cause is not None:
            self.weigh(cause)
        if self.machine.role is Role.ITERATION and error != RUNTIME:
            what = "MapIterationSucceeded" if is_success else "MapIterationFailed"
            tail = self.record(what, self.iteration(), leaf=True)
        frame.status = status
        frame.output = output
        self.commands.append(Close(is_success, output, error, cause, tail))

    def iteration(self) -> dict[str, Json]:
        """The details of a Map iteration's events."""
        return {"index": self.frame.index, "name": self.machine.owner}

    def block(self, *commands: Command) -> None:
        """Wait for what these commands will bring."""
        self.frame.status = FrameStatus.BLOCKED
        self.commands.extend(commands)

    # -- what expressions see --------------------------------------------------------------------

    def scope(self, input: Json) -> Scope:
        """What a JSONPath expression sees: `$` is `input`."""
        return Scope(input, self.context, self.frame.vars, self.random)

    def states(self, members: Mapping[str, Json] = NO_MEMBERS) -> JsonataScope:
        """What a JSONata expression sees: `$states` with the raw input and these members beside it."""
        frame = self.frame
        env = self.env
        bounds = AWS if env.limits else env.evaluation
        return JsonataScope(frame.input, self.context, frame.vars, self.random, members, env.now, bounds, env.clock)

    def scope_of(self, state: State, input: Json) -> Scope:
        """What an expression of this state sees, in the state's query language."""
        return self.states() if state.language is QueryLanguage.JSONATA else self.scope(input)

    def random(self) -> Random:
        """One generator a step, seeded by execution, frame and seq: the same arguments draw the same numbers."""
        if self._random is None:
            self._random = Random(f"{self.env.facts.ref}/{self.frame.id}/{self.frame.seq}")
        return self._random

    def context(self) -> dict[str, Json]:
        """The context object, as AWS gives it."""
        probe = self.env.probe
        if probe is not None and probe.context is not None:
            return probe.context
        facts, frame = self.env.facts, self.frame
        execution: dict[str, Json] = {
            "Id": facts.execution_arn, "Input": facts.input, "Name": facts.name, "RoleArn": facts.role,
            "StartTime": rfc3339(facts.started),
        }  # fmt: skip
        if facts.type != "EXPRESS":
            execution["RedriveCount"] = facts.redrive_count
            if facts.redriven is not None:
                execution["RedriveTime"] = rfc3339(facts.redriven)
        state: dict[str, Json] = {"EnteredTime": rfc3339(frame.entered_at), "Name": frame.state}
        current = self.state
        if isinstance(current, Task):
            state["RetryCount"] = sum(frame.retries)
        context: dict[str, Json] = {
            "Execution": execution,
            "State": state,
            "StateMachine": {"Id": facts.machine_arn, "Name": facts.workflow},
        }
        if isinstance(current, Task) and current.resource.pattern:  # of a job that is waited for, too (`.sync`)
            context["Task"] = {"Token": self.token()}
        if frame.item is not None:
            context["Map"] = {"Item": frame.item}
        return context

    def token(self) -> str:
        """The token that a callback of this attempt carries."""
        return make_token(self.env.token_key, self.frame.id, self.frame.seq)

    # -- limits ----------------------------------------------------------------------------------

    def check_bounds(self, value: Json, what: str, name: str) -> None:
        """Our own limits, of what can be written down: what a state makes of its data may be deeper than what it got,
        and (because it shares its parts) far larger. Called before anything is written. Raises StateFailure."""
        if value is self.frame.input or value is self.within_bounds:
            return  # it was looked at before
        try:
            size = check_bounds(value, self.env.max_payload)
        except TooDeep:
            raise StateFailure("States.Runtime", f"The {what} is nested more than {DEEPEST} levels deep.") from None
        except TooLarge:
            raise self.too_large(name) from None
        self.within_bounds = value
        if size and self.env.weigh is not None:
            self.env.weigh(value, size)

    def weigh(self, value: Json) -> None:
        """Count data that was measured before (or is bounded otherwise) and is written again."""
        if self.env.weigh is not None and not is_small(value):
            self.env.weigh(value, size_of(value))

    def too_large(self, name: str) -> StateFailure:
        """In AWS's words; `name` is the state or the task."""
        return StateFailure(
            "States.DataLimitExceeded",
            f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes "
            "service limit.",
            located=False,
        )

    def check_size(self, value: Json, what: str) -> None:
        """States Language errors: States.DataLimitExceeded, when AWS's limits are on."""
        if self.env.limits and size_of(value) > PAYLOAD_LIMIT:
            raise self.too_large(what)


#: The event of a state that is entered inside a step: its seq is never looked at.
ENTERED = Entered(-1)


@immutable
class Step:
    """What one event made of a frame.

    `events` is the execution's number of history events afterwards. `ignored` is set when the event was not
    for this frame any more (its seq is not the frame's): then nothing changed.
    """

    #: The frame afterwards, a copy; the very frame of before when the event was ignored.
    frame: Frame
    events: int
    #: To be carried out in this order.
    commands: list[Command] = field(default_factory=list)
    #: The events of the history, in order; empty when none are recorded.
    records: list[HistoryEvent] = field(default_factory=list)
    ignored: bool = False
