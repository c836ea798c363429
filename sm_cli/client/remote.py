"""The RemoteClient: a Client's methods, over HTTP, for a program on another machine than the database.

It speaks REST to a server, has the same results and raises the same errors. httpx, of the extra `client`, is imported
when one is made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from urllib.parse import quote
from uuid import uuid4

from sm_cli import errors
from sm_cli.client.client import Client, Events, Links, Summaries, WaitingTasks
from sm_cli.client.results import (
    ExecutionDescription,
    ExecutionLink,
    ExecutionSummary,
    MessageReceipt,
    OutcomeName,
    StatusName,
    WaitingTask,
)
from sm_cli.client.transforms import Transformation
from sm_cli.jsonvalue import Json, as_json, loads

if TYPE_CHECKING:
    import httpx

_API = "/api/v1"
#: Seconds that one request waits for an end; a longer wait is several of them.
_ONE_WAIT = 30.0
#: Seconds before a request is sent again, at first.
_FIRST_PAUSE = 0.1
#: What a server says whose database cannot be asked now.
_UNAVAILABLE = 503


class RemoteClient(Client, schemes=("http", "https")):
    """Starts executions and asks about them at a server. One serves all threads of a process.

    Every method raises errors of `sm_cli.errors`, those that a Client raises; DatabaseAway when the server cannot be
    reached."""

    def __init__(
        self, url: str | os.PathLike[str], *, token: str | None = None, timeout: float = 60.0, retries: int = 2
    ) -> None:
        """url: `http://127.0.0.1:8083`. token: the server's, if it has one. timeout: seconds that one request may take.
        retries: how often one is sent again when the server does not answer, or says that its database cannot; what
        changes something has a key then, so that it happens once. Raises ConfigurationError when httpx is not
        installed."""
        try:
            import httpx
        except ImportError as e:
            raise errors.ConfigurationError("httpx is not installed", hint="Install the extra `client`.") from e
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._unreachable = httpx.TransportError
        self._retries = retries
        self._http: httpx.Client = httpx.Client(base_url=os.fspath(url), headers=headers, timeout=timeout)

    def close(self) -> None:
        """Give the connections back. Closing twice is no error."""
        self._http.close()

    @property
    def engine(self) -> NoReturn:
        """There is none here. Raises UsageError."""
        raise errors.UsageError("this Client asks a server: the engine is there")

    # -- executions --------------------------------------------------------------------------------

    def start(
        self, workflow: str | os.PathLike[str] | dict[str, Any], input: Json = None, *, name: str | None = None,
        timeout: float | None = None, queue: str | None = None, workflow_name: str | None = None,
        tags: Mapping[str, str] | None = None, source: str | None = None, transform: Transformation | None = None,
        allow_failed: bool = False, unique: bool = False, idempotency_key: str | None = None,
    ) -> ExecutionDescription:  # fmt: skip
        """Start an execution, and return at once. As `Client.start`: a name is one that the server knows, a Path is of
        a file here. Raises UsageError for a transform that is a function: it cannot be sent."""
        body = {
            **_target(workflow, workflow_name), "input": input, "name": name, "timeout": timeout, "queue": queue,
            "tags": dict(tags or {}), "source": source, "transform": _expression(transform),
            "allow_failed": allow_failed, "unique": unique,
        }  # fmt: skip
        return self.get(self._change("/executions", body, idempotency_key)["id"])

    def get(self, execution: str) -> ExecutionDescription:
        """The execution as it is now, with its data. Raises NotFound, Conflict."""
        return _description(self._ask("GET", _path("executions", execution)))

    def wait(self, execution: str, timeout: float | None = None) -> ExecutionDescription:
        """Wait for its end, which may be a failure. timeout: seconds; None: for ever. Raises StillRunning."""
        left = timeout
        while True:
            portion = _ONE_WAIT if left is None else min(left, _ONE_WAIT)
            answer = self._ask("GET", _path("executions", execution, "wait"), query={"timeout": f"{portion:.3f}"})
            if answer["ended"] is not None:
                return self.get(answer["id"])
            left = None if left is None else left - portion
            if left is not None and left <= 0:
                raise errors.StillRunning(f"execution {answer['name']} is still running after {timeout:g} s")

    def list(
        self, *, status: StatusName | None = None, workflow: str | None = None, since: datetime | None = None,
        until: datetime | None = None, name: str | None = None, state: str | None = None, error: str | None = None,
        tags: Mapping[str, str] | None = None, limit: int = 50,
    ) -> Summaries:  # fmt: skip
        """Executions, newest first, without their data, as `Client.list`."""
        query = {
            "status": status, "workflow": workflow, "since": _text(since), "until": _text(until), "name": name,
            "state": state, "error": error, "tag": [f"{key}={value}" for key, value in (tags or {}).items()],
        }  # fmt: skip
        return [_summary(item) for item in self._items("/executions", query, limit)]

    def links(
        self, execution: str | None = None, *, source_workflow: str | None = None, target_workflow: str | None = None,
        state: str | None = None, since: datetime | None = None, limit: int = 50,
    ) -> Links:  # fmt: skip
        """Which executions were started with the data of others, newest first, as `Client.links`."""
        query = {
            "execution": execution, "source_workflow": source_workflow, "target_workflow": target_workflow,
            "state": state, "since": _text(since),
        }  # fmt: skip
        return [
            ExecutionLink(
                item["source"]["id"], item["source"]["workflow"], item["state"], item["target"]["id"],
                item["target"]["workflow"], _time(item["at"]), item["transform"],
            )
            for item in self._items("/links", query, limit)
        ]  # fmt: skip

    def history(self, execution: str) -> Events:
        """Its events, as AWS's GetExecutionHistory gives them."""
        return [*self._events(execution)]

    def _events(self, execution: str) -> Iterator[dict[str, Any]]:
        after: int | None = 0
        while after is not None:
            page = self._ask("GET", _path("executions", execution, "events"), query={"after": after})
            yield from page["events"]
            after = page["next"]

    def stop(
        self, execution: str, *, error: str | None = None, cause: str | None = None, idempotency_key: str | None = None
    ) -> ExecutionDescription:
        """End it as ABORTED, with all that it has started. Raises NotFound, Conflict."""
        self._change(_path("executions", execution, "stop"), {"error": error, "cause": cause}, idempotency_key)
        return self.get(execution)

    def redrive(
        self, execution: str, *, state: str | None = None, input: Json = None, version: int | None = None,
        idempotency_key: str | None = None,
    ) -> ExecutionDescription:  # fmt: skip
        """Go on with one that failed, as `Client.redrive`. Raises NotFound, Conflict."""
        body = {"state": state, "input": input, "version": version}
        path = _path("executions", execution, "redrive")
        return self.get(self._change(path, body, idempotency_key)["execution_id"])

    # -- messages and tasks ------------------------------------------------------------------------

    def send(
        self, key: str, value: Json, data: Json = None, *, message_id: str | None = None, ttl: float = 3600.0,
        to: Literal["all", "one"] = "all", strict_type: bool = False, require_match: bool = False,
        execution: str | None = None, idempotency_key: str | None = None,
    ) -> MessageReceipt:  # fmt: skip
        """Send a message to who waits for `key` with `value`, as `Client.send`. Raises NotFound, Conflict."""
        body = {
            "key": key, "value": value, "data": data, "message_id": message_id, "ttl": ttl, "to": to,
            "strict_type": strict_type, "require_match": require_match, "execution": execution,
        }  # fmt: skip
        answer = self._change("/messages", body, idempotency_key)
        outcome: OutcomeName = answer["outcome"].replace("_", " ")
        return MessageReceipt(outcome, tuple(answer["executions"]), _time(answer["until"]), tuple(answer["near"]))

    def tasks(self, limit: int = 50) -> WaitingTasks:
        """Tasks that wait for a callback, oldest first."""
        return [
            WaitingTask(each["execution_id"], each["workflow"], each["state"], each["resource"], each["token"])
            for each in self._items("/tasks", {}, limit)
        ]

    def task_succeeded(self, token: str, output: Json = None, *, idempotency_key: str | None = None) -> None:
        """The task that waits for this token has this result. Raises UsageError, TaskTimedOut."""
        self._change("/tasks/success", {"token": token, "output": output}, idempotency_key)

    def task_failed(
        self, token: str, error: str, cause: str | None = None, *, idempotency_key: str | None = None
    ) -> None:
        """The task that waits for this token has failed. Raises UsageError, TaskTimedOut."""
        self._change("/tasks/failure", {"token": token, "error": error, "cause": cause}, idempotency_key)

    def task_heartbeat(self, token: str, *, idempotency_key: str | None = None) -> None:
        """The work goes on. Raises UsageError, TaskTimedOut."""
        self._change("/tasks/heartbeat", {"token": token}, idempotency_key)

    # -- the line ----------------------------------------------------------------------------------

    def _items(self, path: str, query: dict[str, Any], limit: int) -> Iterator[dict[str, Any]]:
        if limit < 1:
            raise errors.UsageError(f"limit is a number from 1 on, not {limit}")
        cursor: str | None = None
        while limit > 0:
            portion = min(limit, 1000)
            page = self._ask("GET", path, query={**query, "limit": portion, "cursor": cursor})
            yield from page["items"]
            cursor, limit = page["next"], limit - portion
            if cursor is None:
                return

    def _change(self, path: str, body: dict[str, Any], key: str | None) -> Any:
        """The document of what was done once, however often it had to be asked for. Raises what its problem says."""
        if key is None and self._retries:
            key = str(uuid4())
        if key is not None and not (key.isascii() and key.isprintable()):
            raise errors.UsageError("the idempotency key has characters that are not printable ASCII")
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._ask("POST", path, body, headers=headers)

    def _ask(
        self, method: str, path: str, body: object = None, query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:  # fmt: skip
        """The document of an answer. Raises what its problem says."""
        content, problem = (None, None) if body is None else as_json(body)
        if problem is not None:
            raise errors.UsageError(f"what is sent is not JSON: {problem}")
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, _API + path, json=content, params=parameters, headers=headers)
        response = self._send(request)
        if response.is_success:
            return loads(response.content)
        raise _error_of(response)

    def _send(self, request: httpx.Request) -> httpx.Response:
        """The answer, of a later attempt where the server was away. Raises DatabaseAway."""
        pause = _FIRST_PAUSE
        for remaining in range(self._retries, -1, -1):
            try:
                response = self._http.send(request)
                if response.status_code != _UNAVAILABLE or not remaining:
                    return response
                pause = max(pause, _seconds(response.headers.get("retry-after")))
            except self._unreachable as e:
                if not remaining:
                    raise errors.DatabaseAway(f"the server at {self._http.base_url} does not answer: {e}") from None
            time.sleep(pause)
            pause *= 4
        raise AssertionError("the last attempt returns or raises")


def _target(workflow: str | os.PathLike[str] | dict[str, Any], name: str | None) -> dict[str, Any]:
    """What a request says of a workflow. Raises InvalidDefinition, NotFound."""
    if isinstance(workflow, str):
        return {"workflow": workflow, "workflow_name": name}
    if isinstance(workflow, os.PathLike):
        from sm_cli.project.definitions import stem_of
        from sm_cli.project.reading import DefinitionReader, split_reference

        reference = os.fspath(workflow)
        machine, document = DefinitionReader().named_document(*split_reference(reference))
        return {"definition": document.value, "workflow_name": name or machine or stem_of(reference)}
    return {"definition": workflow, "workflow_name": name}


def _expression(transform: Transformation | None) -> str | None:
    if transform is None or isinstance(transform, str):
        return transform
    if isinstance(transform, os.PathLike):
        try:
            return Path(transform).read_text(encoding="utf-8")
        except OSError as e:
            raise errors.NotFound(f"there is no file {os.fspath(transform)}") from e
    raise errors.UsageError("a function cannot be sent to a server: give a JSONata expression, or the Path of one")


def _seconds(header: str | None) -> float:
    """What Retry-After says in seconds, within reason; 0 for what it says otherwise."""
    return min(float(header), _ONE_WAIT) if header is not None and header.isdecimal() else 0.0


def _error_of(response: httpx.Response) -> errors.SmError:
    """The error that a problem document names."""
    try:
        problem = loads(response.content)
        kind = getattr(errors, problem["code"], errors.ConfigurationError)
        detail = problem["detail"]
    except (ValueError, KeyError, TypeError):
        return errors.ConfigurationError(f"the server answered {response.status_code}, and nothing that can be read")
    if not issubclass(kind, errors.SmError) or kind is errors.InvalidDefinition:
        kind = errors.UsageError
    error: errors.SmError = kind(detail, **({"hint": problem["hint"]} if "hint" in problem else {}))
    return error


def _path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()


def _time(text: Any) -> Any:
    """A time of a document, in UTC; None for None."""
    return None if text is None else datetime.fromisoformat(text)


def _facts(document: Mapping[str, Any]) -> tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any]:
    return (
        document["id"], document["name"], document["workflow"], document["status"], _time(document["started"]),
        _time(document["ended"]), document["error"], document["cause"], document["tags"],
    )  # fmt: skip


def _summary(document: Mapping[str, Any]) -> ExecutionSummary:
    return ExecutionSummary(*_facts(document))


def _description(document: Mapping[str, Any]) -> ExecutionDescription:
    return ExecutionDescription(*_facts(document), document["input"], document["output"])
