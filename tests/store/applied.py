"""The records that were applied, in dicts: what the oracle's answers are drawn from."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from sm_cli.errors import Conflict
from sm_cli.interpreter.frame import Frame, FrameStatus, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.changes import Changes
from sm_cli.store.messages import MessageStatus, PastWait, StoredMessage, Subscription
from sm_cli.store.records import Execution, HistoryEvent, Job, MapRun, Timer, WorkerRecord
from sm_cli.store.versions import Alias, Definition, Version


class Applied:
    def __init__(self) -> None:
        self.texts: dict[str, Definition] = {}  # by digest
        self.versions_by_number: dict[tuple[str, int], Version] = {}
        self.current: dict[str, int | None] = {}  # by name
        self.all_aliases: dict[tuple[str, str], Alias] = {}
        self.all_executions: dict[int, Execution] = {}
        self.all_frames: dict[int, Frame] = {}
        self.all_jobs: dict[int, Job] = {}
        self.all_timers: dict[tuple[int, TimerKind], Timer] = {}
        self.waits: dict[int, Subscription] = {}  # by frame
        self.past: dict[tuple[int, int, int], PastWait] = {}  # by end, frame, seq
        self.messages: dict[int, StoredMessage] = {}
        self.runs: dict[int, MapRun] = {}
        self.seen: dict[str, WorkerRecord] = {}
        self.events: dict[tuple[int, int], HistoryEvent] = {}  # by execution, number

    def apply(self, given: Changes) -> None:
        """Raises Conflict, with nothing applied, when a name or ref is taken."""
        changes = deepcopy(given)
        self._refuse_taken(changes.new_executions)
        for definition in changes.new_definitions:
            self.texts.setdefault(definition.digest, definition)
        self._apply_versions(changes)
        self._remove(changes)
        self.all_executions |= {e.id: e for e in changes.new_executions} | changes.executions
        self.all_frames |= changes.new_frames | changes.frames
        for waking in changes.waking:
            for frame in (self.all_frames[id] for id in waking.frames):
                frame.status, frame.opens, frame.wake = FrameStatus.READY, Opens.NOTHING, waking.wake
        self.all_jobs |= {job.id: job for job in changes.new_jobs + changes.leased_jobs}
        self.all_timers |= {(timer.frame, timer.kind): timer for timer in changes.timers}
        self.waits |= {wait.frame: wait for wait in changes.new_subscriptions}
        self._apply_messages(changes)
        self.runs |= {run.id: run for run in changes.new_map_runs + changes.map_runs}
        for worker in changes.workers:
            self.seen[worker.id] = replace(self.seen.get(worker.id, worker), seen=worker.seen)
        for id in changes.workers_gone:
            self.seen.pop(id, None)
        self.events |= {(event.execution, event.number): event for event in changes.history}

    def _apply_versions(self, changes: Changes) -> None:
        for new in changes.new_versions:
            before = self.versions_by_number.get((new.name, new.number))
            if before is None or before.deleted is not None:
                self.versions_by_number[new.name, new.number] = new
            self.current[new.name] = new.number
        self.current |= dict(changes.current_versions)
        for alias in changes.aliases:
            created = self.all_aliases.get((alias.workflow, alias.name), alias).created
            self.all_aliases[alias.workflow, alias.name] = alias._replace(created=created)
        for gone in changes.aliases_gone:
            self.all_aliases.pop(gone, None)
        for version in changes.versions_gone:
            self.versions_by_number[version.name, version.number] = version

    def _refuse_taken(self, new: list[Execution]) -> None:
        known = [*self.all_executions.values(), *new]
        for each in (lambda e: e.id, lambda e: e.ref, lambda e: (e.name, e.workflow)):
            if len({each(e) for e in known}) < len(known):
                raise Conflict("exists already")

    def _remove(self, changes: Changes) -> None:
        self.all_jobs = {id: job for id, job in self.all_jobs.items() if job.frame not in changes.jobs_gone}
        self.all_timers = {at: t for at, t in self.all_timers.items() if t.frame not in changes.timers_gone}
        for end in changes.waits_ended:
            if wait := self.waits.get(end.frame):
                ended = PastWait(wait.execution, wait.frame, wait.seq, wait.key, wait.value, end.at, end.how)
                self.past.setdefault((end.at, wait.frame, wait.seq), ended)
        for frame in changes.subscriptions_gone:
            self.waits.pop(frame, None)
        for past in changes.waits_forgotten:
            self.past.pop((past.ended, past.frame, past.seq), None)

    def _apply_messages(self, changes: Changes) -> None:
        self.messages |= {message.id: message for message in changes.new_messages}
        for taken in changes.messages_consumed:
            if message := self.messages.get(taken.message):
                message.status, message.consumed = MessageStatus.CONSUMED, taken.at
                message.count, message.receivers = 1, (taken.execution,)
        for id in changes.messages_expired:
            if self.messages[id].status is MessageStatus.BUFFERED:
                self.messages[id].status = MessageStatus.EXPIRED
        for id in changes.messages_gone:
            self.messages.pop(id, None)

    def tree_of(self, execution: int) -> int:
        found = self.all_executions.get(execution)
        return execution if found is None else found.tree
