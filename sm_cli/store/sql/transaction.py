"""The writing transaction over SQL: reads first, writes once.

What was read is remembered, and of what comes back only the difference is written: a frame that
keeps its status touches no index, an execution that only counts events rewrites one short row, and a value
that is still the same object is not encoded again (JSON values are never changed in place).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NoReturn

import orjson

from sm_cli.errors import Conflict, DatabaseError
from sm_cli.interpreter.frame import Frame
from sm_cli.store.changes import Changes
from sm_cli.store.links import Link
from sm_cli.store.records import (
    EndedChild,
    Execution,
    HistoryEvent,
    Job,
    Reserved,
)
from sm_cli.store.schedules import Schedule
from sm_cli.store.sql import large_values, rows, work_rows
from sm_cli.store.sql.message_questions import subscription_row, write_messages
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.row_cache import RowCache
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.schedule_questions import schedule_changes, schedule_row
from sm_cli.store.sql.session import Parameters, Session
from sm_cli.store.sql.upkeep import pruning
from sm_cli.store.sql.upkeep.state_log import append_state_times
from sm_cli.store.sql.version_questions import write_versions


class AlreadyLinked(Conflict):
    """A link was to be the first of its source to its workflow, and there is one: nothing was written."""


class Transaction(Questions):
    """One writing transaction: the questions, ids that are reserved, and one `apply` for each step."""

    def __init__(self, session: Session, row_cache: RowCache) -> None:
        super().__init__(session, large_values.reader(session, row_cache.blobs))
        self._row_cache = row_cache
        self._ids: dict[str, int] = {}
        #: Whether something was half written: whoever has the transaction undoes all of it.
        self.broken = False
        self.go_on()

    def go_on(self) -> None:
        """Another step of the same transaction begins, which may apply once more."""
        self._values = large_values.BlobWriter(
            self.session, self._row_cache.blobs, lambda: self._reserve("blobs", 1), self._keep_blobs
        )
        self._text = self._values.text
        self._is_applied = False

    def hold(self, executions: Collection[int], now: int | None = None) -> Collection[int]:  # noqa: ARG002 - as below
        """Take these executions, by their ids, for this transaction, without waiting. Returns those of them that it
        may change: all, where nobody writes beside it. now: a tick begins, which asks what is due at this time."""
        return executions

    def hold_all(self, executions: Collection[int]) -> None:
        """Take all of these executions that are there. Raises Contended when others have one of them."""

    def holds_frame(self, frame: int) -> bool:  # noqa: ARG002 - who writes beside others asks
        """Take the execution of this frame without waiting, and say whether the transaction may change it."""
        return True

    def reserve(self, table: Reserved, count: int) -> int:
        """The first of `count` consecutive unused ids."""
        return self._reserve(table, count)

    def _reserve(self, table: str, count: int) -> int:
        first = self._ids.get(table)
        if first is None:
            row = self.session.one("next_id", (table,))
            assert row is not None, table
            first = int(row[0])
        self._ids[table] = first + count
        return first

    def apply(self, changes: Changes) -> list[HistoryEvent]:
        """Returns the events whose JSON text turned out to be long (`rows.HISTORY_ROW`); none when there is no text.
        Raises AlreadyLinked for a link that was to be the only one, RuntimeError when it is called again."""
        if self._is_applied:
            raise RuntimeError("a transaction is applied once")
        self._is_applied = True
        # A caller that catches what this raises must not commit the half of it.
        self.broken = True
        with self.session.together():
            long = self._write(changes)
        self._values.write()
        self.broken = False
        return long

    def _write(self, changes: Changes) -> list[HistoryEvent]:
        many = self.session.many
        write_versions(self.session, changes)
        self._remove_gone(changes)
        self._write_executions(changes)
        if changes.new_frames:
            self._insert_frames(changes.new_frames.values())
        if changes.frames:
            self._update_frames(changes.frames)
        for waking in changes.waking:
            self.session.many("wake_frames", [(rows.encode(waking.wake), orjson.dumps(waking.frames).decode())])
            self._row_cache.forget_frames(waking.frames)
        self._write_jobs(changes.new_jobs, changes.leased_jobs)
        if changes.timers:
            many("set_timer", map(work_rows.timer_row, changes.timers))
        if changes.new_subscriptions:
            many("insert_subscription", map(subscription_row, changes.new_subscriptions))
        write_messages(self.session, self._values, changes)
        if changes.new_map_runs:
            many("insert_map_run", map(work_rows.map_run_row, changes.new_map_runs))
        if changes.map_runs:
            many("update_map_run", map(work_rows.map_run_changes, changes.map_runs))
        if changes.ended_children or changes.children_counted:
            self._write_ended_children(changes)
        if changes.losses:
            self._row_cache.no_losses = False
            many("delete_losses", [()])
            many("add_loss", [{"frame": frame, "count": count} for frame, count in changes.losses])
        if changes.workers:
            many("set_worker", map(work_rows.worker_row, changes.workers))
        if changes.workers_gone:
            many("delete_worker", _singles(sorted(changes.workers_gone)))
        if changes.failed_attempts:
            many("set_failed_attempt", map(rows.failed_attempt_row, changes.failed_attempts))
        self._write_schedules(changes)
        self._write_kept_items(changes)
        self._remove_executions(changes)
        if changes.state_times:
            append_state_times(self.session, self._row_cache.states, changes.state_times, self._may_fold)
        long: list[HistoryEvent] = []
        if changes.history:
            history = rows.history_rows(changes.history, self._values.payload, self._values.long, long)
            many("insert_history", history)
        return long

    def finish(self) -> None:
        """Write what was reserved; the owner commits after this."""
        if self._ids:
            self.session.many("set_next_id", [(next, table) for table, next in self._ids.items()])
            self._ids.clear()
        self._row_cache.trim()

    # Executions

    def _write_executions(self, changes: Changes) -> None:
        if changes.new_executions:
            self._insert_executions(changes.new_executions)
        if changes.executions:
            self._update_executions(changes.executions)
        if changes.new_links:
            self._insert_links(changes.new_links)

    def _insert_executions(self, new: list[Execution]) -> None:
        texts = [(self._text(e.input), self._text(e.output)) for e in new]
        self.session.many("insert_execution", map(rows.execution_row, new))
        self.session.many("insert_execution_data", [(e.id, *both) for e, both in zip(new, texts, strict=True)])
        if tags := [tag for e in new for tag in rows.tag_rows(e)]:
            self.session.many("insert_tag", tags)
        for e, both in zip(new, texts, strict=True):
            self._row_cache.learn_execution(e, both)

    def _insert_links(self, links: list[Link]) -> None:
        if self.session.add_missing("insert_link", map(rows.link_row, links)) == len(links):
            return
        for link in links:
            if self.first_links([link.source], link.target_workflow)[link.source].target != link.target and link.unique:
                what = f"execution {link.source_ref} has led to an execution of workflow {link.target_workflow}"
                raise AlreadyLinked(f"{what} already")
        self._links_collided()

    def _links_collided(self) -> NoReturn:
        """A link that need not be unique made no row."""
        raise AssertionError("only a link that is to be unique makes no row")

    def _may_fold(self) -> bool:
        """Whether this transaction may empty the log of state times."""
        return True

    def _keep_blobs(self, ids: list[int]) -> None:
        """These large values stay where they are until the transaction ends. ids: ascending."""

    def _update_executions(self, executions: dict[int, Execution]) -> None:
        if not self._know_executions(executions):
            _missing("execution", executions)
        event_counts: list[Row] = []
        row_changes: list[Row] = []
        outputs: list[Row] = []
        for e in executions.values():
            before, (input, output) = self._row_cache.executions[e.id]
            if not rows.same_but_events(e, before):
                row_changes.append((*rows.execution_changes(e), e.id))
                self._change_tags(e, before)
            elif e.events != before.events:
                event_counts.append((e.events, e.id))
            if e.output is not before.output:
                output = self._text(e.output, output)
                outputs.append((output, e.id))
            self._row_cache.learn_execution(e, (input, output))
        updates = (("count_events", event_counts), ("update_execution", row_changes), ("set_output", outputs))
        for name, parameters in updates:
            if parameters:
                self.session.many(name, parameters)

    def _change_tags(self, e: Execution, before: Execution) -> None:
        if e.tags is not before.tags and e.tags != before.tags:
            self.session.many("delete_tag", rows.tag_rows(before))
            self.session.many("insert_tag", rows.tag_rows(e))

    def executions(self, ids: list[int]) -> dict[int, Execution]:
        """By id, as copies that may be changed; ids that there are not are left out."""
        self._know_executions(ids)
        cache = self._row_cache.executions
        return {id: rows.copy_execution(cache[id][0]) for id in ids if id in cache}

    def _know_executions(self, ids: Collection[int]) -> bool:
        """Read those that are not in the cache; whether all are there."""
        cache = self._row_cache.executions
        unknown = [id for id in ids if id not in cache]
        return not unknown or len(super().executions(unknown)) == len(unknown)

    def _executions(self, name: str, parameters: Parameters) -> list[Execution]:
        executions = []
        for row in self._execution_rows(name, parameters):
            execution = rows.execution(row, self.value)
            self._row_cache.learn_execution(execution, row[-rows.EXECUTION_VALUES :])
            executions.append(execution)
        return executions

    def _execution_rows(self, name: str, parameters: Parameters) -> list[Row]:
        return self.session.all(name, parameters)

    # Frames

    def _insert_frames(self, frames: Iterable[Frame]) -> None:
        new: list[Row] = []
        for f in frames:
            texts = work_rows.frame_values(f, self._text)
            new.append((*work_rows.frame_identity(f), f.state, f.seq, int(f.status), *work_rows.frame_step(f), *texts))
            self._row_cache.learn_frame(f, texts)
        self.session.many("insert_frame", new)

    def _update_frames(self, frames: dict[int, Frame]) -> None:
        if not self._know_frames(frames):
            _missing("frame", frames)
        steps: list[Row] = []
        updates: list[Row] = []
        for f in frames.values():
            before, texts = self._row_cache.frames[f.id]
            texts = self._changed_values(f, before, texts)
            columns = (f.state, f.seq, *work_rows.frame_step(f), *texts, f.id)
            if f.status is before.status:
                steps.append(columns)
            else:
                updates.append((int(f.status), *columns))
            self._row_cache.learn_frame(f, texts)
        if steps:
            self.session.many("step_frame", steps)
        if updates:
            self.session.many("update_frame", updates)

    def _changed_values(self, new: Frame, old: Frame, texts: Row) -> Row:
        item, vars, input, output = texts
        return (
            item if new.item is old.item else self._text(new.item, item),
            vars if new.vars is old.vars else self._text(new.vars or None, vars),
            input if new.input is old.input else self._text(new.input, input),
            output if new.output is old.output else self._text(new.output, output),
        )

    def frames(self, ids: list[int]) -> dict[int, Frame]:
        """By id, not to be changed; ids that there are not are left out."""
        self._know_frames(ids)
        cache = self._row_cache.frames
        return {id: cache[id][0] for id in ids if id in cache}

    def _know_frames(self, ids: Collection[int]) -> bool:
        """Read those that are not in the cache; whether all are there."""
        cache = self._row_cache.frames
        unknown = [id for id in ids if id not in cache]
        return not unknown or len(super().frames(unknown)) == len(unknown)

    def _frames(self, name: str, parameters: Parameters) -> list[Frame]:
        frames = []
        for row in self._frame_rows(name, parameters):
            frame = work_rows.frame(row, self.value)
            self._row_cache.learn_frame(frame, row[-work_rows.FRAME_VALUES :])
            frames.append(frame)
        return frames

    def _frame_rows(self, name: str, parameters: Parameters) -> list[Row]:
        return self.session.all(name, parameters)

    def losses(self) -> dict[int, int]:
        """As everywhere; that there are none stays true until somebody writes one, for a frame never has an old seq."""
        if self._row_cache.no_losses:
            return {}
        losses = super().losses()
        self._row_cache.no_losses = not losses
        return losses

    # Children of map runs that ended

    def ended_children(self, limit: int, tree: int | None = None) -> list[EndedChild]:
        """As everywhere; that there are none stays true until this process writes one."""
        if self._row_cache.no_ended_children:
            return []
        children = super().ended_children(limit, tree)
        self._row_cache.no_ended_children = not (children or super().ended_children(1))
        return children

    def may_have_ended_children(self) -> bool:
        """Whether a child of a map run may wait to be counted."""
        return not self._row_cache.no_ended_children

    def _write_ended_children(self, changes: Changes) -> None:
        self._row_cache.no_ended_children = False
        self.session.many("insert_ended_child", changes.ended_children)
        self.session.many("delete_ended_children", work_rows.counted_rows(changes.children_counted))

    # Schedules

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        """As everywhere; that there is none at all is known until somebody writes one."""
        if self._row_cache.no_schedules:
            return []
        schedules = super().due_schedules(now, limit)
        self._row_cache.no_schedules = not schedules and not self.has_schedules()
        return schedules

    def _write_schedules(self, changes: Changes) -> None:
        for id in changes.schedules_gone:
            for (text,) in self.session.all("delete_schedule", (id,)):
                self._values.free(text)
        if changes.new_schedules:
            self._row_cache.no_schedules = False
            self.session.many("insert_schedule", [schedule_row(s, self._text) for s in changes.new_schedules])
        if changes.schedules:
            self.session.many("update_schedule", map(schedule_changes, changes.schedules.values()))

    # Items of batches

    def _write_kept_items(self, changes: Changes) -> None:
        if changes.kept_items:
            self.session.many("insert_batch_items", changes.kept_items)
        if changes.kept_items_gone:
            self.session.many("delete_batch_items", changes.kept_items_gone)

    # Retention

    def _remove_executions(self, changes: Changes) -> None:
        if changes.executions_gone:
            frames = pruning.delete_executions(self.session, self._values.free, changes.executions_gone)
            self._row_cache.forget_executions(changes.executions_gone)
            self._row_cache.forget_frames(frames)
        if changes.map_runs_gone:
            self.session.many("delete_map_run", _singles(changes.map_runs_gone))

    # Jobs

    def _remove_gone(self, changes: Changes) -> None:
        if changes.jobs_gone:
            frames = orjson.dumps(changes.jobs_gone).decode()
            are_small = self._row_cache.forget_jobs(changes.jobs_gone)
            self.session.later("delete_jobs", (frames,), self._values.free_all, urgent=not are_small)
        if changes.waits_ended:
            self.session.many("end_wait", [end._asdict() for end in changes.waits_ended])
        if changes.timers_gone:
            self.session.many("delete_timers", _singles(changes.timers_gone))
        if changes.subscriptions_gone:
            self.session.many("delete_subscriptions", _singles(changes.subscriptions_gone))

    def _write_jobs(self, new: list[Job], leased_jobs: list[Job]) -> None:
        if new:
            inserts = [work_rows.job_row(job, self._text) for job in new]
            self._row_cache.learn_jobs(new, [row[work_rows.JOB_INPUT] for row in inserts])
            self.session.many("insert_job", inserts)
        if leased_jobs:
            self.session.many("lease_job", map(work_rows.lease_row, leased_jobs))


def _singles(ids: Iterable[int | str]) -> list[Row]:
    return [(id,) for id in ids]


def _missing(what: str, ids: Iterable[int]) -> NoReturn:
    text = ", ".join(map(str, ids))
    raise DatabaseError(f"nothing was written, because one {what} of these is not in the database: {text}")
