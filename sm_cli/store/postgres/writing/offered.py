"""What a transaction is offered: work that waits, of parts that nobody else holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sm_cli.store.locks import OLD_MESSAGES, SCHEDULES
from sm_cli.store.messages import PastWait, Stale
from sm_cli.store.postgres.writing.claims import ALL_ENDED, LOOKED_AT, MOST, READY, TAKEN, claim_of
from sm_cli.store.postgres.writing.held import HeldTransaction
from sm_cli.store.records import EndedChild, Execution, Job, Timer
from sm_cli.store.schedules import Schedule
from sm_cli.store.sql.parameters import id_list, name_list
from sm_cli.store.sql.rows import Row
from sm_cli.store.sql.session import Parameters

#: Where rows have their ids.
_ID_COLUMNS = {"jobs": 0, "frames": 1, "executions": 0}


class OfferedTransaction(HeldTransaction):
    """A transaction that is offered due timers, free jobs, READY frames, ended children and schedules, as far as they
    can be held; the others are left to who has them."""

    def ready(self, limit: int, tree: int | None = None) -> list[tuple[int, int]]:
        """As everywhere, of parts that can be held."""
        if tree is None and not self._begun_with.ready:  # what others make READY is looked at by the next tick
            return []
        name, all_parameters = READY
        parameters = {**all_parameters, "most": min(limit, MOST)}  # type: ignore[dict-item]
        name = name if tree is None else "take_ready_in_tree"
        ids, executions = self._take_offers(name, parameters if tree is None else {**parameters, "tree": tree})
        if not ids:
            return []
        name = "ready_of_executions" if len(ids) == parameters["most"] else "ready_held"
        self._read_ahead([(name, (id_list(ids), limit))], ids, executions)
        frames: list[tuple[int, int]] = self.session.all(name, (id_list(ids), limit))
        self._ready_trees |= {tree for tree, _ in frames}
        return frames

    def ready_trees(self, after: int, limit: int) -> list[int]:
        """As everywhere, of trees of which frames were offered."""
        return [tree for tree in super().ready_trees(after, LOOKED_AT) if tree in self._ready_trees][:limit]

    def has_due(self, now: int, tree: int | None = None) -> bool:
        """As everywhere."""
        return (tree is not None or self._offers.has_due(now)) and super().has_due(now, tree)

    def queues(self) -> list[str]:
        """As everywhere."""
        return super().queues() if self._begun_with.free_jobs else []

    def overdue(self, now: int, limit: int, tree: int | None = None) -> list[Execution]:
        """As everywhere, of parts that can be held."""
        if tree is None:
            ids = self._take_offer("take_overdue", (now, LOOKED_AT, MOST))
        else:
            ids = self._take_offer("take_overdue_in_tree", (tree, now, limit))
        return self._executions("overdue_held", (id_list(ids), now, limit)) if ids else []

    def due_timers(
        self, now: int, limit: int, tree: int | None = None, worker: str | None = None, *,
        after: tuple[int, int] = (-1, 0),
    ) -> list[Timer]:  # fmt: skip
        """As everywhere, of parts that can be held."""
        due, frame = after
        parameters = {"now": now, "limit": limit, "worker": worker, "due": due, "frame": frame}
        if tree is None:
            ids = self._take_offer("take_due", {**parameters, "limit": LOOKED_AT, "most": MOST})
        else:
            ids = self._take_offer("take_due_in_tree", {**parameters, "tree": tree})
        return self._timers("due_timers_held", {**parameters, "held": id_list(set(ids))}) if ids else []

    def claimable(
        self, now: int, limit: int, *, tree: int | None = None, resources: frozenset[str] | None = None,
        queue: str | None = None,
    ) -> list[Job]:  # fmt: skip
        """As everywhere, of parts that can be held: who asks at the same time gets the ones behind."""
        parameters = {"now": now, "tree": tree, "queue": queue, "resources": name_list(resources)}
        name = "take_free" if queue is None else "take_free_in_queue"
        name = name if tree is None else "take_free_in_tree"
        if tree is None:
            self._own.last_claims.append((name, parameters))
        claim = claim_of(name, parameters, limit)
        if not self._postgres.has_ahead(claim):
            self._postgres.forget_ahead(*TAKEN)
            self._postgres.ask_ahead([claim, *TAKEN])
        answers = [row for row in self.session.all(*claim) if row[0] is not None]
        ids, executions = self._note_offers(answers)
        jobs, frames, executions_rows = (self.session.all(*question) for question in TAKEN)
        if not ids:
            return []
        held_ids = set(ids)
        waiting_frames = [row[5] for row in answers if row[0] in held_ids]
        if all(row[3] is not None for row in answers):  # a part without its top was taken after these were read
            self._know("jobs", ids, jobs)
            self._know("frames", self._unknown_frames(waiting_frames), frames)
            self._know("executions", self._unknown_executions(executions), executions_rows)
        self._read_ahead([("jobs", (id_list(ids),))], waiting_frames, executions)
        newest = self.jobs(ids)
        return [newest[id] for id in ids if id in newest and newest[id].leased_until is None]

    def _read_ahead(
        self, questions: list[tuple[str, Parameters]], frames: Sequence[int], executions: Sequence[int]
    ) -> None:
        """Ask these questions together with the rows of these frames and executions, all held: who steps them reads
        them next."""
        unknown_frames, unknown_executions = self._unknown_frames(frames), self._unknown_executions(executions)
        if unknown_frames:
            questions.append(("frames", (id_list(unknown_frames),)))
        if unknown_executions:
            questions.append(("executions", (id_list(unknown_executions),)))
        self._postgres.ask_ahead(questions)
        self.frames(unknown_frames)
        self.executions(unknown_executions)

    def _know(self, name: str, ids: list[int], rows: list[Row]) -> None:
        """Have these rows be the answer to who asks for those of these ids next, if all of those are among them."""
        rows_by_id = {row[_ID_COLUMNS[name]]: row for row in rows}
        if all(id in rows_by_id for id in ids):
            self._postgres.answer_ahead((name, (id_list(ids),)), [rows_by_id[id] for id in ids])

    def _unknown_frames(self, frames: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(id for id in frames if id not in self._row_cache.frames))

    def _unknown_executions(self, executions: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(id for id in executions if id not in self._row_cache.executions))

    def lapsed_jobs(self, now: int, limit: int, tree: int | None = None) -> list[Job]:
        """As everywhere, of parts that can be held."""
        if not self._begun_with.has_lapsed(now):
            return []
        return self._jobs_of_held(lambda: super(OfferedTransaction, self).lapsed_jobs(now, limit, tree))

    def leased_to(self, worker: str) -> list[Job]:
        """As everywhere, of parts that can be held."""
        return self._jobs_of_held(lambda: super(OfferedTransaction, self).leased_to(worker))

    def _jobs_of_held(self, read: Callable[[], list[Job]]) -> list[Job]:
        jobs = read()
        if jobs and not self._holding.parts_of({job.execution for job in jobs}) <= self._holding.parts:
            within = set(self.hold({job.execution for job in jobs}))
            jobs = [job for job in read() if job.execution in within]
        return jobs

    def ended_children(self, limit: int, tree: int | None = None) -> list[EndedChild]:
        """As everywhere, of parents that can be held."""
        if self._row_cache.no_ended_children:
            return []
        name, parameters = ALL_ENDED if tree is None else ("take_ended", {"tree": tree, "most": MOST})
        frames = self._take_offer(name, parameters)
        return [EndedChild(*row) for row in self.session.all("ended_held", (id_list(frames), limit))] if frames else []

    def may_have_ended_children(self) -> bool:
        """As everywhere: others write some at any time."""
        return True

    def due_schedules(self, now: int, limit: int) -> list[Schedule]:
        """As everywhere, unless somebody else sees to schedules."""
        schedules = super().due_schedules(now, limit)
        if not schedules or SCHEDULES in self._locks or self._is_alone:
            return schedules
        return super().due_schedules(now, limit) if self._try(SCHEDULES) else []

    def strays(self, limit: int) -> tuple[list[PastWait], list[int]]:
        """As everywhere, unless somebody else sees to it."""
        return super().strays(limit) if self._try(OLD_MESSAGES) else ([], [])

    def stale(self, now: int, limit: int) -> Stale:
        """As everywhere, unless somebody else sees to it."""
        return super().stale(now, limit) if self._try(OLD_MESSAGES) else Stale([], [], [], [])
