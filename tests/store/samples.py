"""Values for the store's tests: short to write, complete to read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sm_cli.interpreter.frame import Frame, FrameStatus
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.changes import Changes
from sm_cli.store.messages import (
    MessageStatus,
    StoredMessage,
    Subscription,
)
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, HistoryEvent, Job, Reserved, Status, Timer
from sm_cli.store.versions import Definition, Version

T0 = 1_767_225_600_000_000  # 2026-01-01, microseconds
SECOND = 1_000_000


def definition(digest: str = "d1", name: str = "order", created: int = T0) -> Definition:
    return Definition(digest, name, '{"StartAt": "A"}', "json", created)


def version(number: int = 1, digest: str = "d1", name: str = "order", created: int = T0) -> Version:
    return Version(name, number, digest, created)


def registering(*versions: Version) -> dict[str, Any]:
    """Changes that register these versions, the last as the current one, with their texts."""
    texts = [definition(each.digest, each.name, each.created) for each in versions]
    return {"new_definitions": texts, "new_versions": list(versions)}


def execution(id: int, **more: Any) -> Execution:
    given: dict[str, Any] = {
        "ref": f"ref-{id:06d}", "name": f"name-{id}", "workflow": "order", "digest": "d1", "type": "STANDARD",
        "status": Status.RUNNING, "started": T0 + id, "input": {"n": id},
    }  # fmt: skip
    return Execution(id, **(given | more))


def frame(id: int, execution: int = 1, **more: Any) -> Frame:
    given: dict[str, Any] = {"parent": None, "activation": 0, "index": 0, "machine": "", "state": "A"}
    return Frame(id, execution, **(given | more))


def child(id: int, parent: int, index: int, status: FrameStatus, **more: Any) -> Frame:
    return frame(id, parent=parent, activation=1, index=index, status=status, **more)


def job(id: int, frame: int = 1, execution: int = 1, **more: Any) -> Job:
    given: dict[str, Any] = {"seq": 1, "state": "A", "resource": "echo", "input": {"n": id}}
    return Job(id, execution, frame, **(given | more))


def timer(frame: int, due: int, kind: TimerKind = TimerKind.DELAY, execution: int = 1, seq: int = 1) -> Timer:
    return Timer(execution, frame, seq, kind, due)


def subscription(
    frame: int, since: int = T0, key: str = "orderId", value: str = '"A"', execution: int = 1, kind: str = "s"
) -> Subscription:
    return Subscription(execution, frame, 1, key, value, since, None, kind)


def message(id: int, **more: Any) -> StoredMessage:
    given: dict[str, Any] = {
        "key": "orderId", "value": '"A"', "message_id": None, "received": T0, "expires": T0 + 3600 * SECOND,
        "status": MessageStatus.BUFFERED, "body": {"n": id},
    }  # fmt: skip
    return StoredMessage(id, **(given | more))


def events(execution: int, numbers: Iterable[int]) -> list[HistoryEvent]:
    return [HistoryEvent(execution, n, n - 1, 7, T0 + n, "PassStateEntered", {"n": n}) for n in numbers]


def apply(store: Store, **changes: Any) -> None:
    """One transaction that writes; lists of frames and executions are given their ids as keys."""
    for keyed in ("executions", "new_frames", "frames"):
        if keyed in changes:
            changes[keyed] = {value.id: value for value in changes[keyed]}
    with store.write() as tx:
        tx.apply(Changes(**changes))


def reserve(store: Store, table: Reserved, count: int = 1) -> int:
    with store.write() as tx:
        return tx.reserve(table, count)
