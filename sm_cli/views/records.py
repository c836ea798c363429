"""The records that views answer with, and the filters that they take: all that a front end sees of the database."""

from __future__ import annotations

from sm_cli.interpreter.frame import Frame, Join, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.messages import (
    MessageFilter,
    MessageStatus,
    OpenWait,
    StoredMessage,
    Subscription,
    WaitFilter,
    WaitPlace,
)
from sm_cli.store.protocol import Store
from sm_cli.store.records import HANDED_OVER, Execution, HistoryEvent, Job, MapRun, Status, Timer
from sm_cli.store.versions import Alias, Definition

__all__ = [
    "HANDED_OVER",
    "Alias",
    "Definition",
    "Execution",
    "ExecutionFilter",
    "ExecutionPage",
    "Frame",
    "HistoryEvent",
    "Job",
    "Join",
    "MapRun",
    "MessageFilter",
    "MessageStatus",
    "OpenWait",
    "Opens",
    "Status",
    "Store",
    "StoredMessage",
    "Subscription",
    "Timer",
    "TimerKind",
    "WaitFilter",
    "WaitPlace",
]  # fmt: skip
