"""Everything that one tick wants written. Only who writes imports it: a reader need not wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sm_cli.interpreter.frame import Frame
from sm_cli.store.links import Link
from sm_cli.store.messages import Consumed, KeyedAnswer, PastWait, StoredMessage, Subscription, WaitEnd
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.records import (
    EndedChild,
    Execution,
    FailedAttempt,
    HistoryEvent,
    Job,
    KeptItems,
    MapRun,
    Timer,
    Waking,
    WorkerRecord,
)
from sm_cli.store.schedules import Schedule
from sm_cli.store.statistics import StateTimes
from sm_cli.store.versions import Alias, Definition, Version


@dataclass(eq=False, repr=False)
class Changes:
    """Everything one tick wants written. Applied whole or not at all.

    A frame or execution in `new_*` is inserted, in `frames`/`executions` updated. `jobs_gone`, `timers_gone` and
    `subscriptions_gone` are applied before the new ones are inserted, so a frame may lose a timer and get a new one
    in the same tick. Of the subscriptions that go, those of `waits_ended` are remembered as past waits. `waking` names
    frames that are in no other field. `leased_jobs` are existing jobs with their new lease (worker, leased_until,
    deliveries, repeatable, company); `timers` replace an older one of the same frame and kind, `workers` the row of
    the same id.
    """

    #: Texts to be inserted; one whose digest is there takes the place of a text that is damaged.
    new_definitions: list[Definition] = field(default_factory=list)
    #: To be inserted, or to be there again after they were deleted; each is the current version of its name from then
    #: on, the last of a name if there are several.
    new_versions: list[Version] = field(default_factory=list)
    #: Versions that are there, with when they are deleted. Their texts go when nothing has them any more.
    versions_gone: list[Version] = field(default_factory=list)
    #: (workflow, the number of the version that is current from now on; None: none is).
    current_versions: list[tuple[str, int | None]] = field(default_factory=list)
    #: To be inserted or, under the same names, replaced.
    aliases: list[Alias] = field(default_factory=list)
    #: To be deleted: (workflow, alias).
    aliases_gone: list[tuple[str, str]] = field(default_factory=list)
    #: To be inserted or, of the same thing, replaced.
    particulars: list[Particulars] = field(default_factory=list)
    #: To be deleted: (kind, name).
    particulars_gone: list[tuple[ResourceKind, str]] = field(default_factory=list)
    #: To be inserted; their ids were reserved before.
    new_executions: list[Execution] = field(default_factory=list)
    executions: dict[int, Execution] = field(default_factory=dict)
    #: To be inserted; each belongs to one of `new_executions`.
    new_links: list[Link] = field(default_factory=list)
    #: By id.
    new_frames: dict[int, Frame] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    #: Ids of frames whose jobs go.
    jobs_gone: list[int] = field(default_factory=list)
    #: Ids of frames whose timers go.
    timers_gone: list[int] = field(default_factory=list)
    #: Ids of frames whose subscriptions go.
    subscriptions_gone: list[int] = field(default_factory=list)
    #: To be inserted.
    new_jobs: list[Job] = field(default_factory=list)
    leased_jobs: list[Job] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    #: To be inserted.
    new_subscriptions: list[Subscription] = field(default_factory=list)
    #: To be inserted.
    new_messages: list[StoredMessage] = field(default_factory=list)
    #: Buffered messages and who received them.
    messages_consumed: list[Consumed] = field(default_factory=list)
    #: Ids of buffered messages whose time is up.
    messages_expired: list[int] = field(default_factory=list)
    #: Ids of messages to be deleted.
    messages_gone: list[int] = field(default_factory=list)
    waits_ended: list[WaitEnd] = field(default_factory=list)
    #: Past waits to be deleted.
    waits_forgotten: list[PastWait] = field(default_factory=list)
    #: To requests with a key; each replaces an older one of its key.
    answers: list[KeyedAnswer] = field(default_factory=list)
    #: To be deleted: (key, when it was given).
    answers_gone: list[tuple[str, int]] = field(default_factory=list)
    waking: list[Waking] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    #: `WorkerRecord.id` of workers to be deleted.
    workers_gone: list[str] = field(default_factory=list)
    #: (frame, workers lost over it).
    losses: list[tuple[int, int]] = field(default_factory=list)
    #: To be inserted.
    new_map_runs: list[MapRun] = field(default_factory=list)
    #: To be updated.
    map_runs: list[MapRun] = field(default_factory=list)
    #: To be inserted: closed children that their parents are to count later.
    ended_children: list[EndedChild] = field(default_factory=list)
    #: To be deleted: their parents have counted them.
    children_counted: list[EndedChild] = field(default_factory=list)
    #: Each replaces an older one of the same state and frame.
    failed_attempts: list[FailedAttempt] = field(default_factory=list)
    #: To be inserted.
    new_schedules: list[Schedule] = field(default_factory=list)
    #: To be updated, by id: when each fires next, and what became of its times.
    schedules: dict[int, Schedule] = field(default_factory=dict)
    #: Ids of schedules to be deleted.
    schedules_gone: list[int] = field(default_factory=list)
    #: Ids of closed executions to be deleted with all that is theirs, but for their map runs and the children of these.
    executions_gone: list[int] = field(default_factory=list)
    #: Ids of map runs to be deleted.
    map_runs_gone: list[int] = field(default_factory=list)
    #: Whether texts of deleted versions that no execution has any more are to be deleted.
    texts_gone: bool = False
    #: To be inserted.
    kept_items: list[KeptItems] = field(default_factory=list)
    #: To be deleted: (batch, the number of the first item that stays).
    kept_items_gone: list[tuple[str, int]] = field(default_factory=list)
    #: To be added to what is stored of the same execution and state.
    state_times: list[StateTimes] = field(default_factory=list)
    #: Events to be appended, in the order of their numbers for each execution.
    history: list[HistoryEvent] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)
