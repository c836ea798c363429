"""The facade: what a command, the API or a program may ask of the engine.

Each call is one transaction, or a read. Stepping happens in `transact`, in the caller's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sm_cli.engine.batches.callbacks import BatchCallbacks, Callback
from sm_cli.engine.batches.endings import forget_items_of_ended
from sm_cli.engine.batches.options import BatchOptions
from sm_cli.engine.batches.starting import Inputs, look_at_inputs, make_plan, parent_workflow
from sm_cli.engine.chaining.source import Source as Source
from sm_cli.engine.chaining.source import read_source
from sm_cli.engine.chaining.transform import Transform
from sm_cli.engine.clock import Clock, clock_of
from sm_cli.engine.event_warnings import warn_of_many_events
from sm_cli.engine.execution_names import check_chosen_name
from sm_cli.engine.finding import find_execution, split_state
from sm_cli.engine.map_items import bucket_jobs
from sm_cli.engine.payload_warnings import PayloadWarnings, refuse_beyond_aws
from sm_cli.engine.programs import Programs
from sm_cli.engine.programs import Workflow as Workflow
from sm_cli.engine.programs import prepare as prepare
from sm_cli.engine.schedules.firing import log_firings
from sm_cli.engine.schedules.schedules import Schedules
from sm_cli.engine.send_message import Sent, To, check_sending, log_sent, publish
from sm_cli.engine.settings import JobTaker, Settings
from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.closing import end
from sm_cli.engine.stepping.redrive import Again, From, check_origin, redrive, text_of_definition, text_of_version
from sm_cli.engine.stepping.tasks import lease_jobs
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.stepping.tokens import frame_of_token, task_of_token
from sm_cli.engine.tags import check_tags
from sm_cli.engine.transactions import Observer, Transactions
from sm_cli.engine.versions.references import parse_reference
from sm_cli.engine.versions.resolving import find_stored_version
from sm_cli.engine.workflows.new_executions import NewExecution as NewExecution
from sm_cli.engine.workflows.new_executions import Started as Started
from sm_cli.engine.workflows.new_executions import check_queue, check_timeout, start_each
from sm_cli.engine.workflows.workflows import Workflows
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.interpreter.events import Event, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json
from sm_cli.store.messages import MessageStatus, StoredMessage
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    HANDED_OVER,
    Execution,
    Job,
    Status,
    Timer,
)

#: More jobs than an activity can have.
_ALL = 2**31


class Engine(Transactions):
    """One engine over one store; several may share a database, in this process and in others.

    library: workflows by name, for those that others start (states:startExecution); the database's are used else.
    buckets: the directory that stands for S3 where distributed Maps read and write. builtin: handlers of its own.
    schedules: what starts executions by the clock. workflows: their versions and aliases.
    observers: called after every commit; None for the usual ones, which warn of payloads and of numbers of
    events that AWS would refuse, log what schedules do, and delete what batches that end have kept.
    """

    def __init__(
        self, store: Store, *, clock: Clock | None = None, settings: Settings | None = None,
        library: Callable[[str], Workflow | None] | None = None, buckets: Path = Path("buckets"),
        observers: Sequence[Observer] | None = None,
    ) -> None:  # fmt: skip
        usual = (PayloadWarnings().tell, warn_of_many_events, log_firings, forget_items_of_ended(store))
        observers = usual if observers is None else tuple(observers)
        super().__init__(store, clock or clock_of(store), settings or Settings(), Programs(library), observers)
        self.buckets = buckets
        self.builtin = bucket_jobs(store, buckets)
        self.schedules = Schedules(self)
        self.workflows = Workflows(self)

    def find_workflow(self, text: str) -> Workflow:
        """What `order`, `order:3`, `order:prod` or an ARN means now, ready to be started.

        A bare name means the text that the library has, which is registered when it is started, else the current
        version of the database; `start` keeps the version and the alias of any other. A weighted alias draws here.
        Raises NotFound, UsageError, InvalidDefinition.
        """
        reference = parse_reference(text)
        name, qualifier = reference
        if qualifier is None and self.programs.library is not None and (workflow := self.programs.library(name)):
            return workflow
        lot = f"{self.settings.draw_seed}{self.clock.new_ref()}"
        with self.store.read() as questions:
            return self.programs.load(find_stored_version(questions, reference, lot), questions, qualifier)

    # -- executions ------------------------------------------------------------------------------

    def start(
        self, workflow: Workflow, input: Json = None, *, name: str | None = None, ref: str | None = None,
        type: str = "STANDARD", timeout: float | None = None, queue: str = "default", limits: bool = False,
        tags: Mapping[str, str] | None = None, targets: Sequence[Workflow] = (), taker: JobTaker | None = None,
        source: Source | None = None, facts: Mapping[str, Json] | None = None,
    ) -> tuple[Execution, bool, list[Job]]:  # fmt: skip
        """Start an execution: (it, whether it is new, jobs that `taker` took).

        The same name with the same input, while it runs, is the same execution. Raises Conflict when the name
        is taken with another input or by a closed execution, UsageError for a name that AWS would refuse.
        `timeout` in seconds overrides a longer TimeoutSeconds. `limits`: AWS's hold for it. `tags`: to find it by them
        later (`tags.check_tags`); one that runs already keeps those that it has. `source`: the input is made
        of its output, by `source_input`, in the place of `input`, and the execution is linked to it: it is a new one
        then, or an error; Conflict when the name is taken by any, or the source has to be unique and is not.
        `targets`: workflows that it starts; their definitions are stored with it. `ref`: its public id; None: a new.
        `facts`: what AWS's API keeps of a new one.
        """
        new = self.new_execution(
            workflow, input, name=name, ref=ref, type=type, timeout=timeout, queue=queue, limits=limits, tags=tags,
            targets=targets, source=source, facts=facts,
        )  # fmt: skip
        (execution, is_new), tick = self.answer(lambda tick: new.start_in(tick, self.programs), taker)
        return execution, is_new, tick.taken_jobs()

    def new_execution(
        self, workflow: Workflow, input: Json = None, *, name: str | None = None, ref: str | None = None,
        type: str = "STANDARD", timeout: float | None = None, queue: str = "default", limits: bool = False,
        tags: Mapping[str, str] | None = None, targets: Sequence[Workflow] = (), source: Source | None = None,
        facts: Mapping[str, Json] | None = None,
    ) -> NewExecution:  # fmt: skip
        """What `start` would start, checked, for `start_several`. Raises what `start` raises before its transaction."""
        labels = check_tags(tags or {})
        check_timeout(timeout)
        check_queue(queue)
        before = None
        if source is not None:
            if input is not None:
                raise UsageError("there is an input, and a source that it is to be made of; one of them is too many")
            before, input = self._read_source(source)
            if limits:
                refuse_beyond_aws(input)
        self.refuse_unbounded(input, "the input")
        ref = ref or self.clock.new_ref()
        name = ref if name is None else check_chosen_name(name)
        return NewExecution(
            workflow, input, ref, name, type, timeout, queue, limits, labels, targets, source, before, facts
        )

    def start_several(self, several: Sequence[NewExecution]) -> list[Started]:
        """Start them all in one transaction: of each, in their order, what `start` gives, or the error that it raises.
        None of them has a source. Raises what the transaction as a whole fails with; then none was started."""
        return self.answer(lambda tick: start_each(tick, self.programs, several))[0]

    def batch(
        self, workflow: Workflow, inputs: Inputs, *, name_prefix: str | None = None,
        options: BatchOptions | None = None, queue: str = "default",
        on_start: Callback | None = None, on_complete: Callback | None = None,
    ) -> Execution:  # fmt: skip
        """Start an execution of the workflow for each input: a batch, for workers to do. Returns its parent execution.

        inputs: a Path (JSON Lines, JSON, CSV, Parquet, by its name), an ObjectKey, or an iterable of JSON values, also
        one that never was a list: it is kept in the database before the batch begins, and memory does not grow
        with it; so is a file, where the database is a server's. name_prefix: names PREFIX-0, PREFIX-1, …; one that
        is there is not started again. on_start, on_complete: called after the commit with each execution that this
        engine begins and ends; of those that another process works on they are told nothing. Raises UsageError for
        inputs that cannot be read.
        """
        ref = self.clock.new_ref()
        source, preview = look_at_inputs(self.store, self.buckets, self.clock.now(), inputs, ref, self.source_input)
        plan = make_plan(workflow, source, preview, name_prefix or ref, options or BatchOptions())
        execution, _, _ = self.start(parent_workflow(), plan.as_input(), ref=ref, queue=queue, targets=(workflow,))
        if on_start is not None or on_complete is not None:
            self.observe(BatchCallbacks(execution.id, on_start, on_complete).observe)
        return execution

    def source_input(self, source: Source) -> Json:
        """The input that a start with this source has; nothing is written. Raises NotFound and Conflict as
        `read_source` does, and TransformError."""
        return self._read_source(source)[1]

    def _read_source(self, source: Source) -> tuple[Execution, Json]:
        """(the source as it was when its output was read, the input that is made of that)."""
        with self.store.read() as questions:
            before, output = read_source(questions, self.programs, source)
        if source.transform is not None:
            output = source.transform.apply(output, self.clock.now(), self.settings.evaluation)
        return before, output

    def stop(self, execution: Execution, *, error: str | None = None, cause: str | None = None) -> Execution:
        """Close a running execution as ABORTED, with everything below it. Raises Conflict when it is closed, or a child
        of a map run that has not begun."""

        def work(tick: Tick) -> Execution:
            judge(tick, [execution.id])
            current = tick.execution(execution.id)
            if current.status is Status.PENDING:
                raise Conflict(f"execution {current.name} has not begun: stop the execution that its Map is in")
            if current.status is not Status.RUNNING:
                raise Conflict(f"execution {current.name} is {current.status} already")
            end(tick, current, Status.ABORTED, error, cause)
            return current

        return self.answer(work)[0]

    def redrive(
        self, execution: Execution, *, state: str | None = None, input: Json = None, dry_run: bool = False,
        version: int | None = None, definition: Workflow | None = None,
    ) -> list[Again]:  # fmt: skip
        """Go on with a failed execution from where it failed, or from `state` (with `input`, or with what that state
        was last entered with). Tells what runs again; with `dry_run` nothing else happens.

        version, definition: it goes on with this version of its workflow, or with this text, which is registered as
        one. Raises NotFound when there is no such version or state, Conflict, naming all of it, when the other text
        does not have what was passed or what is to be gone on from.
        """
        origin = None
        if state is not None:
            is_own_text = version is None and definition is None
            origin = From(state, self.last_input(execution, state, is_own_text) if input is None else input)
            self.refuse_unbounded(origin.input, f"the input of {state!r}")

        def work(tick: Tick) -> list[Again]:
            judge(tick, [execution.id])
            text = None
            if definition is not None:
                text = text_of_definition(tick, execution, definition)
            elif version is not None:
                text = text_of_version(tick, execution, version)
            again = redrive(tick, execution, origin, text)
            if dry_run:
                raise _DryRun(again)
            return again

        try:
            return self.answer(work)[0]
        except _DryRun as e:
            return e.again

    def last_input(self, execution: Execution, state: str, is_own_text: bool = True) -> Json:
        """What the state was last entered with. Raises NotFound when it never was, or (is_own_text) when the text that
        the execution runs has no such state."""
        with self.store.read() as questions:
            if is_own_text:
                check_origin(self.programs.of(execution.digest, questions), state)
            events = questions.history(execution.id)
        for event in reversed(events):
            if event.type.endswith("StateEntered") and event.detail["name"] == state:
                return event.detail["input"]
        raise NotFound(f"execution {execution.name} never entered {state!r}", topic="input")

    # -- messages --------------------------------------------------------------------------------

    def publish(
        self, key: str, value: Json, data: Json = None, *, message_id: str | None = None, ttl: float = 3600.0,
        to: To = "all", strict_type: bool = False, require_match: bool = False, execution: Execution | None = None,
    ) -> Sent:  # fmt: skip
        """Send a message to the executions that wait for `key` with `value` (text, a number, true or false; text 42
        matches the number 42 unless `strict_type`). Returns what became of it.

        message_id: a message with the same key, value and id is sent once, however often it is repeated, for 7 days.
        ttl: seconds that it is kept for a wait that begins later; 0: only executions that wait now get it.
        to: "all" who wait, or the "one" who has waited longest. execution: only this one may receive it.
        require_match: keep nothing when nobody waits; the answer is NOT_DELIVERED then.
        Raises UsageError for what cannot be sent, Conflict when `execution` is closed.
        """
        sending = check_sending(
            key, value, data, ttl, message_id=message_id, to=to, strict=strict_type, require_match=require_match,
            execution=execution,
        )  # fmt: skip

        self.refuse_unbounded(sending.body, f"the data of the message {key}")

        def work(tick: Tick) -> Sent:
            if execution is not None:
                judge(tick, [execution.id])
            if execution is not None and tick.execution(execution.id).status is not Status.RUNNING:
                raise Conflict(f"execution {execution.name} is {tick.execution(execution.id).status} already")
            return publish(tick, sending)

        receipt, _ = self.answer(work)
        log_sent(sending, receipt)
        return receipt

    def delete_message(self, message: StoredMessage) -> None:
        """Forget a message that nobody received. Raises Conflict for one that was received: it is kept so that a
        repeat of it is known."""

        def work(tick: Tick) -> None:
            current = tick.tx.message(message.id)
            if current is not None and current.status is MessageStatus.CONSUMED:
                raise Conflict(f"message {message.id} was received already; it is kept so that a repeat is known")
            tick.changes.messages_gone.append(message.id)

        self.answer(work)

    # -- callbacks -------------------------------------------------------------------------------

    def poll_activity(self, name: str) -> tuple[str, Json] | None:
        """The oldest free task of an activity, for a worker outside: (task token, input), or None when there is none.

        AWS's GetActivityTask. Nobody else gets the task; its timeouts count from now, and it ends by `task_succeeded`
        or `task_failed` with the token, or by its timeout.
        """

        def work(tick: Tick) -> tuple[str, Json] | None:
            job = self._free_task(tick, name)
            if job is not None:
                lease_jobs(tick, [job])
                job.worker, job.leased_until = None, HANDED_OVER
                return make_token(tick.settings.token_key, job.frame, job.seq), job.input
            return None

        return self.answer(work, JobTaker(f"activity:{name}", 1, at_once=False))[0]

    def _free_task(self, tick: Tick, name: str) -> Job | None:
        """The oldest free task of an activity that is not over."""
        for limit in (1, 50, _ALL):
            jobs = tick.tx.claimable(tick.now, limit, resources=frozenset({name}))
            judge(tick, {job.execution for job in jobs})
            tick.load(job.frame for job in jobs)
            for job in jobs:
                frame = tick.frames[job.frame]
                if frame.seq == job.seq and not frame.status.closed:
                    return job
            if len(jobs) < limit:
                break
        return None

    def task_succeeded(self, token: str, output: Json) -> Execution:
        """A callback: the task that waits for this token has this result. Raises UsageError for a token that is not
        ours, Conflict for one whose task has ended."""
        self.refuse_unbounded(output, "the output")
        return self.call_back(token, lambda seq: TaskSucceeded(seq, output))

    def task_failed(self, token: str, error: str, cause: str | None = None) -> Execution:
        """A callback: the task that waits for this token has failed. Raises as `task_succeeded`."""
        return self.call_back(token, lambda seq: TaskFailed(seq, error, cause))

    def task_beat(self, token: str) -> Execution:
        """A callback: the work goes on; HeartbeatSeconds start again."""

        def work(tick: Tick) -> Execution:
            frame, job = self.waiting_task(tick, token)
            if job.heartbeat is not None:
                due = tick.now + round(job.heartbeat * 1_000_000)
                tick.rearm(Timer(job.execution, frame.id, frame.seq, TimerKind.HEARTBEAT, due))
            return tick.execution(frame.execution)

        return self.answer(work)[0]

    def call_back(self, token: str, event: Callable[[int], Event]) -> Execution:
        """Deliver the event of a callback; `event` makes it for the frame's seq."""

        def work(tick: Tick) -> Execution:
            frame, _ = self.waiting_task(tick, token)
            tick.deliver(frame.id, event(frame.seq))
            return tick.execution(frame.execution)

        return self.answer(work)[0]

    def waiting_task(self, tick: Tick, token: str) -> tuple[Frame, Job]:
        """The frame and job that a token is for. Raises UsageError, NotFound, TaskTimedOut."""
        frame = frame_of_token(tick, token)
        judge(tick, [frame.execution], [frame.id])
        return task_of_token(tick, token)

    def find(self, text: str) -> Execution:
        """The execution that a person means, as `finding` reads it. Raises NotFound, Conflict."""
        with self.store.read() as questions:
            return find_execution(questions, text)

    def find_source(
        self, text: str, *, transform: Transform | None = None, allow_failed: bool = False, unique: bool = False
    ) -> Source:
        """The source that `EXECUTION[:STATE]` names, asked for so. Raises NotFound, Conflict, UsageError."""
        execution, state = split_state(text)
        return Source(self.find(execution), state, transform, allow_failed, unique)


class _DryRun(Exception):
    def __init__(self, again: list[Again]) -> None:
        self.again = again
