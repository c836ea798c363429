"""Everything that one tick wants written. Only who writes imports it: a reader need not wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sm_cli.interpreter.frame import Frame
from sm_cli.store.messages import Consumed, PastWait, StoredMessage, Subscription, WaitEnd
from sm_cli.store.records import Definition, Execution, HistoryEvent, Job, MapRun, Timer, Waking, WorkerRecord


@dataclass(eq=False, repr=False)
class Changes:
    """Everything one tick wants written. Applied whole or not at all.

    A frame or execution in `new_*` is inserted, in `frames`/`executions` updated. `gone` names frames whose
    jobs, timers and subscriptions (of any seq) go away; it is applied before the new ones are inserted, so a
    frame may stand in `gone` and get a new timer in the same tick. Of the subscriptions that go, those of
    `waits_ended` are remembered as past waits. `waking` names frames that are in no other field. `leased` are
    existing jobs with their new lease (worker, leased_until, deliveries, repeatable); `timers` replace an older
    one of the same frame and kind, `workers` the row of the same id.
    """

    new_definitions: list[Definition] = field(default_factory=list)
    new_executions: list[Execution] = field(default_factory=list)
    executions: dict[int, Execution] = field(default_factory=dict)
    new_frames: dict[int, Frame] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    jobs_gone: list[int] = field(default_factory=list)  # frame ids
    timers_gone: list[int] = field(default_factory=list)  # frame ids
    subscriptions_gone: list[int] = field(default_factory=list)  # frame ids
    new_jobs: list[Job] = field(default_factory=list)
    leased: list[Job] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    new_subscriptions: list[Subscription] = field(default_factory=list)
    new_messages: list[StoredMessage] = field(default_factory=list)
    messages_consumed: list[Consumed] = field(default_factory=list)
    messages_expired: list[int] = field(default_factory=list)
    messages_gone: list[int] = field(default_factory=list)
    waits_ended: list[WaitEnd] = field(default_factory=list)
    waits_forgotten: list[PastWait] = field(default_factory=list)
    waking: list[Waking] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    workers_gone: list[str] = field(default_factory=list)
    new_map_runs: list[MapRun] = field(default_factory=list)
    map_runs: list[MapRun] = field(default_factory=list)
    history: list[HistoryEvent] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)
