"""The kinds of timers. In a file of their own: the store needs them, and nothing else of the commands."""

from __future__ import annotations

from enum import StrEnum


class TimerKind(StrEnum):
    """What a timer is for, and with that which event it brings."""

    DELAY = "delay"  # a Wait state
    DEADLINE = "deadline"  # TimeoutSeconds of a Task or Message
    BACKOFF = "backoff"  # the pause before a retry
    HEARTBEAT = "heartbeat"  # HeartbeatSeconds of a Task
