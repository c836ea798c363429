"""One state, tested alone, with the semantics of AWS's TestState.

    answer = test_state({"Type": "Pass", "Result": 1, "Next": "B"}, inspection_level="DEBUG")
    # {"status": "SUCCEEDED", "output": 1, "nextState": "B", "inspectionData": {…}}

The interpreter that runs executions runs the state; here stands only what would have happened around it: the
mock or the handler, and the clock of a Wait, which is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from sm_cli.asl.model import DistributedMap, Map, Parallel, Program, Resulting, Task
from sm_cli.engine.clock import SystemClock, processor_seconds
from sm_cli.handlers.builtin import builtins
from sm_cli.handlers.handler import Context, Failure, Handler, Success, run_async, run_handler
from sm_cli.handlers.registry import Registry
from sm_cli.interpreter.advance import advance
from sm_cli.interpreter.commands import (
    AwaitMessage,
    CallSfn,
    Close,
    EndRun,
    Fork,
    RunTask,
    StartExecution,
    StartRun,
    StartTimer,
    TimerKind,
)
from sm_cli.interpreter.env import Env, Facts, Probe
from sm_cli.interpreter.events import (
    DeadlinePassed,
    DelayElapsed,
    Entered,
    Event,
    Joined,
    JoinFailed,
    MessageReceived,
    TaskFailed,
    TaskSucceeded,
)
from sm_cli.interpreter.frame import Frame, FrameStatus, Join
from sm_cli.interpreter.recovery import matches
from sm_cli.interpreter.step import Step, StepBuilder
from sm_cli.interpreter.traceback import Traceback
from sm_cli.jsonvalue import Json
from sm_cli.test_state.request import LEVELS as LEVELS
from sm_cli.test_state.request import (
    STATE_NAME,
    Configuration,
    Mock,
    Subject,
    invalid,
    read_configuration,
    read_items,
    read_mock,
    read_object,
    read_subject,
    refuse_misfits,
    refuse_waiting,
    too_many_failures,
)
from sm_cli.test_state.request import StateTestRefused as StateTestRefused

_THRESHOLD = ("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded")
#: AWS tells nothing of what comes before the branches of a Parallel.
_UNTOLD = ("afterInputPath", "afterParameters", "afterArguments")


def test_state(
    definition: Any,
    input: Json = None,
    *,
    state_name: str | None = None,
    inspection_level: str = "INFO",
    mock: Mapping[str, Any] | None = None,
    context: Any = None,
    variables: Any = None,
    state_configuration: Mapping[str, Any] | None = None,
    reveal_secrets: bool = False,
    handlers: Mapping[str, Callable[..., Any] | Handler] | None = None,
    role_arn: str | None = None,
    name: str = STATE_NAME,
    strict: bool = True,
    on_traceback: Callable[[Traceback], None] | None = None,
) -> dict[str, Json]:
    """Run one state and tell how it ended: the response of AWS's TestState, with JSON values where AWS has their text.

    definition: a state, or with `state_name` a whole machine, as a dict, JSON or YAML text, or a Document; the state
    is found also inside a Map or Parallel. input: {} unless given. mock: {"result": …} or {"errorOutput": {"error",
    "cause"}}, for a Task, Map or Parallel, and for a Message (its data). Without one a Task calls its handler.
    context: the context object, instead of one that is made up. variables: what the state finds assigned.
    state_configuration: retrierRetryCount, errorCausedByState, mapIterationFailureCount, mapItemReaderData.
    handlers: resource, name of a Lambda function or wildcard, to what is called; `sm`'s own are below them.
    name: what the state is called in the context object and in causes. strict: refuse what only AWS cannot do (a
    context without a mock), and tell no more than AWS does (of a Parallel nothing before its branches).
    on_traceback: called with where the handler failed, when it did.

    Returns status (SUCCEEDED, FAILED, RETRIABLE, CAUGHT_ERROR) and what there is of output, error, cause, nextState
    and, from DEBUG on, inspectionData. Raises StateTestRefused with AWS's error code for a request that it refuses.
    """
    if inspection_level not in LEVELS:
        raise invalid(f"The inspectionLevel is one of {', '.join(LEVELS)}, not {inspection_level!r}.")
    subject = read_subject(definition, state_name, name)
    mock_object = read_mock(mock, reveal_secrets=reveal_secrets)
    configuration = read_configuration(state_configuration, mock_object)
    context_object = read_object(context, "Context")
    if context_object is not None and mock_object is None and strict:
        raise invalid("TestState does not support Context when a mock is not specified.")
    registry = Registry.of(handlers or {})
    refuse_misfits(subject, mock_object, configuration, has_stub=any(handler.final for handler in registry.values()))
    test = _Test(subject, mock_object, configuration, registry, on_traceback)
    test.prepare({} if input is None else input, read_object(variables, "Variables") or {}, context_object, role_arn)
    answer = test.answer(test.run())
    if inspection_level != "INFO":
        answer["inspectionData"] = test.inspection(strict=strict)
    return answer


#: For pytest: what is imported into a test module is not one of its tests.
setattr(test_state, "__test__", False)  # noqa: B010 - a function has no such attribute for mypy


class _Test:
    """A state on its way: a frame, and what stands in for the world around it."""

    def __init__(
        self,
        subject: Subject,
        mock: Mock | None,
        configuration: Configuration,
        handlers: Registry,
        on_traceback: Callable[[Traceback], None] | None,
    ) -> None:
        self.on_traceback = on_traceback
        self.subject = subject
        self.mock = mock
        self.configuration = configuration
        self.handlers = Registry({**builtins(), **handlers})
        self.program = subject.program if mock is None or not mock.is_failure else _inline(subject)
        self.probe = Probe(is_mock=mock is not None)

    def prepare(
        self, input: Json, variables: dict[str, Json], context: dict[str, Json] | None, role: str | None
    ) -> None:
        """The frame before its state, in an execution of its own."""
        clock = SystemClock()
        now, ref = clock.now(), clock.new_ref()
        facts = Facts(ref, ref, "test-state", "EXPRESS", input, now)
        self.env = Env(now, facts, events=1, history=False, budget=1, probe=self.probe, clock=processor_seconds)
        self.frame = Frame(1, 1, None, 0, 0, "", self.subject.name, last=1, input=input, vars=variables, entered_at=now)
        self.input = input
        self.probe.context = self.context(role) if context is None else context
        self.probe.items = read_items(self.subject, self.configuration)

    def context(self, role: str | None) -> dict[str, Json]:
        """The context object of an execution that is made up for the test."""
        first = self.frame.copy()
        first.seq = 1  # a task token is made for the attempt
        document: Any = StepBuilder(self.program, first, self.env).context()
        document["Execution"]["RoleArn"] = role
        if isinstance(self.subject.state, (Task, Map, Parallel)):
            document["State"]["RetryCount"] = self.configuration.retries
        context: dict[str, Json] = document
        return context

    # -- running -----------------------------------------------------------------------------------------

    def run(self) -> Step:
        step = advance(self.program, self.frame, Entered(0), self.env)
        while step.frame.status is FrameStatus.BLOCKED:
            event = self.event(step)
            if event is None:
                break
            step = advance(self.program, step.frame, event, self.env)
        return step

    def event(self, step: Step) -> Event | None:
        """What the state waits for; None when that is the pause before a retry."""
        frame = step.frame
        command = next(command for command in step.commands if not isinstance(command, EndRun))
        if isinstance(self.subject.state, DistributedMap) and isinstance(command, StartRun):
            assert self.mock is not None and frame.join is not None, "a Map without a mock was refused"
            return self.join_result(frame, frame.join, self.mock)
        if isinstance(command, StartExecution):
            return self.start_result(frame, f"starts no execution of {command.workflow!r}")
        if isinstance(command, CallSfn):
            return self.start_result(frame, f"does not call {command.action}")
        if isinstance(command, RunTask):
            return self.task_result(frame, command) if self.mock is None else self.mocked_task(frame, self.mock)
        assert not isinstance(command, Close), "a closed frame is not blocked"
        if isinstance(command, Fork):
            assert self.mock is not None, "a Map or Parallel without a mock was refused"
            return self.join_result(frame, command.join, self.mock)
        if isinstance(command, AwaitMessage):
            assert self.mock is not None, "a Message without a mock was refused"
            return DeadlinePassed(frame.seq) if self.mock.is_failure else MessageReceived(frame.seq, self.mock.result)
        assert isinstance(command, StartTimer)
        return None if command.kind is TimerKind.BACKOFF else DelayElapsed(frame.seq)

    def mocked_task(self, frame: Frame, mock: Mock) -> Event:
        if not mock.is_failure:
            return TaskSucceeded(frame.seq, mock.result)
        self.count_retries(frame, mock.error)
        return TaskFailed(frame.seq, mock.error, mock.cause)

    def start_result(self, frame: Frame, missing: str) -> Event:
        """Other executions are not touched by a test: only a mock can stand for them."""
        if self.mock is not None:
            return self.mocked_task(frame, self.mock)
        return TaskFailed(frame.seq, "States.TaskFailed", f"A test {missing}; give a mock.")

    def join_result(self, frame: Frame, join: Join, mock: Mock) -> Event:
        """How a Map or Parallel ends: as its mock says, unless more iterations failed than are tolerated."""
        failures = self.configuration.failures or 0
        if isinstance(self.subject.state, Map) and mock.is_failure and failures > join.total:
            raise too_many_failures()
        error, cause = mock.error, mock.cause
        if not mock.is_failure:
            limits = {"toleratedFailureCount", "toleratedFailurePercentage"} & self.probe.stages.keys()
            if not limits or failures <= join.tolerated:
                result: Any = mock.result
                return Joined(frame.seq, result, frame.last)
            error, cause = _THRESHOLD
        self.count_retries(frame, error, "States.BranchFailed" if isinstance(self.subject.state, Parallel) else None)
        return JoinFailed(frame.seq, error, cause, frame.last)

    def task_result(self, frame: Frame, task: RunTask) -> Event:
        """A Task without a mock calls its handler, here and now."""
        handler = self.handlers.find(task.handler)
        if handler is None or not handler.final:
            refuse_waiting(self.subject.state)
        if handler is None:
            missing = f"No handler is registered for {task.handler!r}."
            return TaskFailed(frame.seq, "States.TaskFailed", missing)
        ref = self.env.facts.ref
        key = f"{ref}-{frame.id}-{frame.seq}"
        context = Context(ref, ref, "test-state", self.subject.name, task.attempt, key, resource=task.handler)
        outcome = _call(handler, task.input, context)
        if isinstance(outcome, Success):
            return TaskSucceeded(frame.seq, outcome.result)
        if self.on_traceback is not None and outcome.traceback is not None:
            self.on_traceback(outcome.traceback)
        return TaskFailed(frame.seq, outcome.error, outcome.cause, outcome.stack)

    def count_retries(self, frame: Frame, error: str, also: str | None = None) -> None:
        """Count the retries that there were for the retrier that the error belongs to."""
        state = self.subject.state
        assert isinstance(state, Resulting), "only a state with a result has a mock"
        for i, retrier in enumerate(state.retry):
            if matches(retrier.error_equals, error, also):
                frame.retries = tuple(self.configuration.retries if i == j else 0 for j in range(len(state.retry)))
                return

    # -- telling -----------------------------------------------------------------------------------------

    def answer(self, step: Step) -> dict[str, Json]:
        self.frame = frame = step.frame
        error, cause = self.probe.failure
        if frame.status is FrameStatus.BLOCKED:
            return _inspection_data({"error": error, "cause": cause, "status": "RETRIABLE"})
        if frame.status is FrameStatus.FAILED:
            (close,) = (command for command in step.commands if isinstance(command, Close))
            return _inspection_data({"error": close.error, "cause": close.cause, "status": "FAILED"})
        if frame.status is FrameStatus.SUCCEEDED:
            return {"output": frame.output, "status": "SUCCEEDED"}
        details = self.probe.stages.get("errorDetails")
        is_caught = isinstance(details, dict) and "catchIndex" in details
        inspection = _inspection_data({"error": error, "cause": cause}) if is_caught else {}
        return {
            "output": frame.input,
            **inspection,
            "nextState": frame.state,
            "status": "CAUGHT_ERROR" if is_caught else "SUCCEEDED",
        }

    def inspection(self, *, strict: bool) -> dict[str, Json]:
        """AWS's InspectionData: the input, the stages of the data flow in their order, the variables afterwards."""
        hidden_stages = _UNTOLD if strict and isinstance(self.subject.state, Parallel) else ()
        stages = {name: value for name, value in self.probe.stages.items() if name not in hidden_stages}
        variables: dict[str, Json] = {"variables": self.frame.vars} if self.frame.vars else {}
        return {"input": self.input, **stages, **variables}


def _call(handler: Handler, input: Json, context: Context) -> Success | Failure:
    if not handler.is_async:
        return run_handler(handler, input, context)
    import asyncio

    return asyncio.run(run_async(handler, input, context))


def _inline(subject: Subject) -> Program:
    """With a Map that fails with the error of an iteration, as an inline one does: the mock gives that error."""
    state, root = subject.state, subject.program.root
    if not isinstance(state, DistributedMap):
        return subject.program
    inline = Map(**{field.name: getattr(state, field.name) for field in fields(Map)})
    states = {**root.states, subject.name: inline}
    return replace(subject.program, machines={**subject.program.machines, "": replace(root, states=states)})


def _inspection_data(members: dict[str, str | None]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value is not None}
