"""The Client: one object that the threads of a program share.

What changes something takes its turn under one lock, for an engine steps for one thread at a time; what only
reads does not wait for it. A process that was forked opens the database anew: SQLite's connections do not survive one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from sm_cli.client.opening import Home
from sm_cli.client.results import (
    ExecutionDescription,
    ExecutionLink,
    ExecutionSummary,
    MessageReceipt,
    StatusName,
    WaitingTask,
    description_of,
    link_of,
    receipt_from,
    summary_of,
)
from sm_cli.client.transforms import Transformation, transform_from
from sm_cli.engine.aws_history import aws_events
from sm_cli.engine.idempotency.answers import do_once
from sm_cli.engine.payload_warnings import refuse_beyond_aws
from sm_cli.errors import DatabaseError, NotFound, StillRunning, UsageError
from sm_cli.jsonvalue import Json, as_json
from sm_cli.views.chaining.links import LinkFilter, list_links
from sm_cli.views.executions import execution_now, history_of
from sm_cli.views.listing import list_executions
from sm_cli.views.records import Execution, ExecutionFilter, ExecutionPage, Status
from sm_cli.views.tasks import handed_over_tasks

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine, Workflow

#: What a method returns beside one that is called `list`.
Summaries: TypeAlias = list[ExecutionSummary]
Links: TypeAlias = list[ExecutionLink]
Events: TypeAlias = list[dict[str, Any]]
WaitingTasks: TypeAlias = list[WaitingTask]
#: Seconds between two looks of who waits for an end: at first, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
_CLOSED = "this Client is closed"


class Client:
    """Starts executions and asks about them; workers do the work.

    One Client serves all threads of a process. An execution is named by its id, a unique beginning of that, its name,
    its ARN, or `@last`. Every method raises errors of `sm_cli.errors`: DatabaseError when the database cannot be used,
    NotFound and Conflict as each says, UsageError for arguments that make no sense and for a Client that is closed.

    `Client("https://…", token=…)` is a RemoteClient: the same methods, at a server.
    """

    #: The class for URLs that begin so; what there is says it with its `schemes`.
    _kinds: ClassVar[dict[str, type[Client]]] = {}

    def __init_subclass__(cls, schemes: tuple[str, ...] = ()) -> None:
        Client._kinds.update(dict.fromkeys(schemes, cls))

    def __new__(cls, url_or_path: str | os.PathLike[str] = "", *_: Any, **__: Any) -> Self:
        """A Client of the kind that the URL is for."""
        scheme = os.fspath(url_or_path).partition("://")[0].lower()
        kind: type[Any] = cls._kinds.get(scheme, cls) if cls is Client else cls
        client: Self = object.__new__(kind)
        return client

    def __init__(
        self, url_or_path: str | os.PathLike[str], *, project: str | os.PathLike[str] | None = None,
        create: bool = False, lock_timeout: float = 30.0, trust: bool = False, token: str | None = None,
    ) -> None:  # fmt: skip
        """url_or_path: the folder of a project (its settings name the database, `.sm/sm.db` unless they do), or the
        file or URL of a database. project: the folder whose `workflows/` and settings hold; unless given that of the
        database. create: make the database when it is not there. lock_timeout: seconds that a change waits for another
        program that writes. trust: obey settings and a database of another user, too. token: a server's; a database has
        none.

        Raises DatabaseError when the database is not there or cannot be used, ConfigurationError, UsageError.
        """
        if token is not None:
            raise UsageError("a token is for a server: for a URL like https://sm.example.org")
        self._home = Home(url_or_path, project, trust=trust)
        self._lock_timeout = lock_timeout
        self._closing = threading.Event()
        self._open(create=create)

    def _open(self, *, create: bool) -> None:
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._engine = self._home.open(create=create, lock_timeout=self._lock_timeout)

    def close(self) -> None:
        """Give the database back; who waits in another thread gets UsageError. Closing twice is no error."""
        if not self._closing.is_set():
            self._closing.set()
            with self._lock:
                if self._process == os.getpid():
                    self._engine.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def engine(self) -> Engine:
        """The engine below it. Raises UsageError when this Client is closed."""
        if self._closing.is_set():
            raise UsageError(_CLOSED)
        if self._process != os.getpid():
            self._open(create=False)
        return self._engine

    # -- executions --------------------------------------------------------------------------------

    def start(
        self, workflow: str | os.PathLike[str] | dict[str, Any], input: Json = None, *, name: str | None = None,
        timeout: float | None = None, queue: str | None = None, workflow_name: str | None = None,
        tags: Mapping[str, str] | None = None, source: str | None = None, transform: Transformation | None = None,
        allow_failed: bool = False, unique: bool = False, idempotency_key: str | None = None,
    ) -> ExecutionDescription:  # fmt: skip
        """Start an execution, and return at once: it is on disk, and a worker does the rest.

        workflow: the name of one in the project's `workflows/` (`order`), a version or an alias of the database
        (`order:3`, `order:prod`), the Path of a definition, or a dict. input: any JSON value; None is {}. name: the
        execution's; the same name with the same input is, while it runs, the same execution, so that a request that is
        repeated starts nothing twice. timeout: seconds until it ends as TIMED_OUT. queue: of its tasks; that of the
        settings unless given. workflow_name: what a dict or a Path is called; a Path unless given by its file, a dict
        `inline`. tags: names and values to find it by later, within AWS's limits. Its handlers are not looked for.

        source: `EXECUTION` or `EXECUTION:STATE`, in the place of `input`: its output, or what the state was left with
        last, is the input, and the two are linked (`links`). transform: makes the input of it: a JSONata expression
        over `$states.input`, the Path of a file that holds one, or a function. allow_failed: take an execution that
        failed, too; its output is {"Error", "Cause"}. unique: refuse when it led to an execution of this workflow
        already. With a source the name has to be new.

        idempotency_key: who calls again with the same key and the same arguments within a day, in this program or in
        another, gets the execution of the first time, whatever has become of it. The other methods that change
        something take one, too. Raises KeyReused (a Conflict) for a key that came with something else.

        Raises NotFound for a name that no workflow has, for an execution and a state; InvalidDefinition; Conflict when
        the name is taken, the source runs or failed, or was to lead here once; TransformError.
        """
        target = self._workflow(workflow, workflow_name)
        if source is None and (transform is not None or allow_failed or unique):
            raise UsageError("transform, allow_failed and unique say something about a source, and there is none")
        data = None if input is None and source is not None else _json({} if input is None else input, "the input")
        project, engine = self._home.project, self.engine
        if project.aws_limits:
            refuse_beyond_aws(data)
        making = transform_from(transform)

        def act() -> Execution:
            origin = None if source is None else engine.find_source(
                source, transform=making, allow_failed=allow_failed, unique=unique
            )  # fmt: skip
            return engine.start(
                target, data, name=name, timeout=timeout, queue=queue or project.queue_of(target.name),
                limits=project.aws_limits, tags=tags, source=origin,
            )[0]  # fmt: skip

        arguments: list[Any] = [
            target.name, target.program.digest, data, name, timeout, queue, dict(tags or {}), source,
            None if making is None else making.label, allow_failed, unique,
        ]  # fmt: skip
        return self._act_once(idempotency_key, "start", arguments, act)

    def _act_once(
        self, key: str | None, method: str, arguments: list[Any], act: Callable[[], Execution]
    ) -> ExecutionDescription:  # fmt: skip
        """The execution that an act is about, done once under its key."""
        if key is None:
            with self._lock:
                return description_of(act())
        return self.get(str(self._once(key, method, arguments, lambda: act().ref)))

    def _once(self, key: str | None, method: str, arguments: list[Any], act: Callable[[], Json]) -> Json:
        """What an act says of itself, done once under its key. arguments: all that it was asked for."""
        with self._lock:
            return act() if key is None else do_once(self.engine, key, method, arguments, act)

    def _workflow(self, source: str | os.PathLike[str] | dict[str, Any], name: str | None) -> Workflow:
        from sm_cli.asl.text.source import from_value
        from sm_cli.engine.engine import prepare
        from sm_cli.errors import InvalidDefinition
        from sm_cli.project.definitions import stem_of
        from sm_cli.project.library import Library
        from sm_cli.project.reading import split_reference

        if isinstance(source, str):
            return self._find_workflow(source)
        if isinstance(source, os.PathLike):
            path = Path(source)
            file, machine = split_reference(str(path))
            machine, document = self._home.project.reader().named_document(file, machine)
            workflow = prepare(document, name or machine or stem_of(str(path)))
            if machine is not None:
                library = Library(path.parent, self._home.project.reader(), (file,))
                library.register_nested(self.engine, workflow)
            return workflow
        parse_result = from_value(source)
        if parse_result.document is None:
            raise InvalidDefinition(parse_result.diagnostics)
        return prepare(parse_result.document, name or "inline")

    def _find_workflow(self, name: str) -> Workflow:
        """What the project's files have under a name; a version, an alias, or the current version of the database."""
        if ":" in name:
            return self.engine.find_workflow(name)
        try:
            return self._home.library.find(name)
        except NotFound:
            with suppress(NotFound):
                return self.engine.find_workflow(name)
            raise

    def get(self, execution: str) -> ExecutionDescription:
        """The execution as it is now, with its data. Raises NotFound; Conflict when several may be meant."""
        return description_of(self.engine.find(execution))

    def wait(self, execution: str, timeout: float | None = None) -> ExecutionDescription:
        """Wait for its end, which may be a failure: `status` says so. timeout: seconds; None: as long as it takes.

        Raises StillRunning when it has not ended in that time.
        """
        try:
            return self._wait(execution, timeout)
        except DatabaseError:
            if self._closing.is_set():  # meanwhile, by another thread
                raise UsageError(_CLOSED) from None
            raise

    def _wait(self, execution: str, timeout: float | None) -> ExecutionDescription:
        record = self.engine.find(execution)
        end = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while record.closed is None:
            remaining = None if end is None else end - time.monotonic()
            if remaining is not None and remaining <= 0:
                raise StillRunning(f"execution {record.name} is still running after {timeout:g} s")
            self._closing.wait(pause if remaining is None else min(pause, remaining))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            now = execution_now(self.engine, record.id)
            if now is None or now.closed is not None:
                break
        return self.get(record.ref)

    def list(
        self, *, status: StatusName | None = None, workflow: str | None = None, since: datetime | None = None,
        until: datetime | None = None, name: str | None = None, state: str | None = None, error: str | None = None,
        tags: Mapping[str, str] | None = None, limit: int = 50,
    ) -> Summaries:  # fmt: skip
        """Executions, newest first, without their data; those for which all holds that is given.

        since, until: started at or after, and before, this time (without a zone: UTC's). name: a text in their name.
        state: the name of one that they are in, or were. error: the name that they ended with. tags: all of these.
        limit: at most so many. Children of map runs are not among them. Raises UsageError for a status that is none."""
        if status is not None and status not in set(Status):
            raise UsageError(f"{status!r} is not a status; there are {', '.join(Status)}")
        if limit < 1:
            raise UsageError(f"limit is a number from 1 on, not {limit}")
        filter = ExecutionFilter(
            () if status is None else (Status(status),), workflow, _microseconds(since), _microseconds(until), name,
            state, error, tuple((tags or {}).items()),
        )  # fmt: skip
        return [summary_of(execution) for execution in list_executions(self.engine.store, filter, ExecutionPage(limit))]

    def links(
        self, execution: str | None = None, *, source_workflow: str | None = None, target_workflow: str | None = None,
        state: str | None = None, since: datetime | None = None, limit: int = 50,
    ) -> Links:  # fmt: skip
        """Which executions were started with the data of others, newest first. execution: only links from and to this
        one. since: made at or after this time (without a zone: UTC's). Raises NotFound, Conflict; UsageError for a
        limit below 1."""
        if limit < 1:
            raise UsageError(f"limit is a number from 1 on, not {limit}")
        filter = LinkFilter(None, source_workflow, target_workflow, state, _microseconds(since), limit)
        return [link_of(ends.link) for ends in list_links(self.engine.store, filter, execution)]

    def history(self, execution: str) -> Events:
        """Its events, as AWS's GetExecutionHistory gives them. Raises NotFound, Conflict."""
        engine = self.engine
        return aws_events(history_of(engine, engine.find(execution)))

    def stop(
        self, execution: str, *, error: str | None = None, cause: str | None = None, idempotency_key: str | None = None
    ) -> ExecutionDescription:
        """End it as ABORTED, with all that it has started. Raises NotFound; Conflict when it has ended already."""
        engine = self.engine

        def act() -> Execution:
            return engine.stop(engine.find(execution), error=error, cause=cause)

        return self._act_once(idempotency_key, "stop", [execution, error, cause], act)

    def redrive(
        self, execution: str, *, state: str | None = None, input: Json = None, version: int | None = None,
        idempotency_key: str | None = None,
    ) -> ExecutionDescription:  # fmt: skip
        """Go on with one that failed, from where it failed, or from `state`, with `input` or what that state was last
        entered with. version: of its workflow, with which it goes on. Raises NotFound; Conflict when it runs or
        succeeded, or when the version lacks what was passed or is to be gone on from."""
        if input is not None and state is None:
            raise UsageError("an input belongs to a state: without one every state keeps the input that it had")
        data, engine = _json(input, "the input"), self.engine

        def act() -> Execution:
            record = engine.find(execution)
            engine.redrive(record, state=state, input=data, version=version)
            return execution_now(engine, record.id) or record

        return self._act_once(idempotency_key, "redrive", [execution, state, data, version], act)

    # -- messages ----------------------------------------------------------------------------------

    def send(
        self, key: str, value: Json, data: Json = None, *, message_id: str | None = None, ttl: float = 3600.0,
        to: Literal["all", "one"] = "all", strict_type: bool = False, require_match: bool = False,
        execution: str | None = None, idempotency_key: str | None = None,
    ) -> MessageReceipt:  # fmt: skip
        """Send a message to who waits for `key` with `value` (text, a number, true or false).

        message_id: under which it is taken once, whoever repeats it, for 7 days. ttl: seconds that it is kept for a
        wait that begins later. to: "all" who wait, or the "one" that has waited longest. strict_type: text 42 is not
        the number 42. require_match: nothing is kept when nobody waits. execution: only this one may receive it.

        Raises NotFound for that execution, Conflict when it has ended or the message id came with other data.
        """
        body, engine = _json(data, "the data of the message"), self.engine

        def act() -> Json:
            receiver = None if execution is None else engine.find(execution)
            result = engine.publish(
                key, value, body, message_id=message_id, ttl=ttl, to=to, strict_type=strict_type,
                require_match=require_match, execution=receiver,
            )  # fmt: skip
            return [result.outcome.value, [*result.executions], result.until, [*result.near]]

        arguments = [key, value, body, message_id, ttl, to, strict_type, require_match, execution]
        return receipt_from(self._once(idempotency_key, "send", arguments, act))

    # -- tasks that wait for a token ---------------------------------------------------------------

    def tasks(self, limit: int = 50) -> WaitingTasks:
        """Tasks that wait for a callback, oldest first, at most `limit`."""
        tasks = handed_over_tasks(self.engine, limit)
        return [WaitingTask(t.execution.ref, t.execution.workflow, t.state, t.resource, t.token) for t in tasks]

    def task_succeeded(self, token: str, output: Json = None, *, idempotency_key: str | None = None) -> None:
        """The task that waits for this token has this result; None is {}. Raises UsageError for a token that is not
        ours, TaskTimedOut (a Conflict) when the task has ended."""
        data, engine = _json({} if output is None else output, "the output"), self.engine
        self._once(idempotency_key, "success", [token, data], lambda: engine.task_succeeded(token, data).ref)

    def task_failed(
        self, token: str, error: str, cause: str | None = None, *, idempotency_key: str | None = None
    ) -> None:
        """The task that waits for this token has failed. Raises as `task_succeeded`."""
        engine = self.engine
        arguments = [token, error, cause]
        self._once(idempotency_key, "failure", arguments, lambda: engine.task_failed(token, error, cause).ref)

    def task_heartbeat(self, token: str, *, idempotency_key: str | None = None) -> None:
        """The work goes on: HeartbeatSeconds begin anew. Raises as `task_succeeded`."""
        engine = self.engine
        self._once(idempotency_key, "heartbeat", [token], lambda: engine.task_beat(token).ref)


def _microseconds(moment: datetime | None) -> int | None:
    """Since 1970 UTC; a time without a zone is UTC's."""
    if moment is None:
        return None
    return round((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def _json(value: object, what: str) -> Json:
    """The value as JSON, a copy of its own. Raises UsageError."""
    result, problem = as_json(value)
    if problem is not None:
        raise UsageError(f"{what} is not JSON: {problem}")
    return result
