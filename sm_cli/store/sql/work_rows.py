"""Rows of frames, map runs, jobs, timers and workers to values and back.

Apart from `rows`, for who only lists executions makes none of these.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from sm_cli.interpreter.frame import Brake, Frame, FrameStatus, Join
from sm_cli.interpreter.timers import TimerKind
from sm_cli.store.records import Company, EndedChild, Job, MapRun, Status, Timer, WorkerRecord
from sm_cli.store.sql.parameters import id_list
from sm_cli.store.sql.rows import Decode, Encode, Row, decode, encode

# Calling an enum costs more than the rest of the row; a tuple answers at once.
_FRAME_STATUS = tuple(FrameStatus)
_COMPANY = tuple(Company)
_TIMER_KIND = {kind.value: kind for kind in TimerKind}

#: How many columns at the end of a frame's row are values: `item` to `output`; and where its tree stands.
FRAME_VALUES, FRAME_TREE = 4, 0


def read_join(text: str) -> Join:
    """The counts of a fork."""
    values = orjson.loads(text)
    if len(values) == len(Join._fields):
        values[-1] = Brake(*values[-1])
    return Join(*values)


def join_text(join: Join) -> str:
    """The same as text: a JSON array, which only for a batch ends with a brake."""
    *values, brake = join
    return orjson.dumps(values if brake is None else [*values, list(brake)]).decode()


def frame(row: Row, value: Decode) -> Frame:
    """A row of `frames` to its value. value: reads a text that may stand for a large value."""
    (_, id, execution, parent, activation, idx, machine, state, seq, status, opens, retries, join, entered, last,
     entered_at, wake, work_since, item, vars, input, output) = row  # fmt: skip
    return Frame(
        id, execution, parent, activation, idx, machine, state, seq, _FRAME_STATUS[status], opens,
        () if retries is None else tuple(orjson.loads(retries)),
        None if join is None else read_join(join),
        value(item), {} if vars is None else value(vars),  # type: ignore[arg-type]  # vars are always an object
        value(input), value(output), entered, last, entered_at, decode(wake), work_since,
    )  # fmt: skip


def frame_identity(f: Frame) -> Row:
    """What never changes in a frame."""
    return (f.id, f.execution, f.parent, f.activation, f.index, f.machine)


def frame_step(f: Frame) -> Row:
    """What a step changes, from `opens` to `work_since`."""
    join = f.join
    return (
        f.opens,
        encode(list(f.retries)) if f.retries else None,
        None if join is None else join_text(join),
        f.entered, f.last, f.entered_at, encode(f.wake), f.work_since,
    )  # fmt: skip


def frame_values(f: Frame, text: Encode) -> Row:
    """The texts of a frame's four values: item, variables, input, output."""
    return (text(f.item), text(f.vars or None), text(f.input), text(f.output))


def job(row: Row, value: Decode) -> Job:
    """A row of `jobs` to its value. value: reads a text that may stand for a large value."""
    (id, execution, frame, seq, state, resource, input, attempt, queue, priority, available, timeout, heartbeat,
     leased_until, worker, deliveries, repeatable, company) = row  # fmt: skip
    return Job(
        id, execution, frame, seq, state, resource, value(input), attempt, queue, priority, available, timeout,
        heartbeat, leased_until, worker, deliveries, bool(repeatable), _COMPANY[company],
    )  # fmt: skip


#: Where the input stands in a row of `jobs`.
JOB_INPUT = 6


def job_row(j: Job, text: Encode) -> Row:
    """A job to a row of `jobs`. text: writes a value, a large one as its reference."""
    return (
        j.id, j.execution, j.frame, j.seq, j.state, j.resource, text(j.input), j.attempt, j.queue, j.priority,
        j.available, j.timeout, j.heartbeat, j.leased_until, j.worker, j.deliveries, int(j.repeatable),
        int(j.company),
    )  # fmt: skip


def lease_row(j: Job) -> Row:
    """The parameters that update a job's lease."""
    return (j.leased_until, j.worker, j.deliveries, int(j.repeatable), int(j.company), j.id)


def worker_row(w: WorkerRecord) -> Row:
    """A worker to a row of `workers`."""
    return (w.id, w.name, w.host, w.pid, w.process, w.started, w.seen, encode(w.serves))


def timer(row: Row) -> Timer:
    """A row of `timers` to its value."""
    execution, frame, seq, kind, due = row
    return Timer(execution, frame, seq, _TIMER_KIND[kind], due)


def timer_row(t: Timer) -> Row:
    """A timer to a row of `timers`."""
    return (t.execution, t.frame, t.seq, t.kind.value, t.due)


def counted_rows(children: Iterable[EndedChild]) -> list[Row]:
    """The parameters that delete these ended children, those of one fork at once."""
    ids_by_fork: dict[tuple[int, int], list[int]] = {}
    for each in children:
        ids_by_fork.setdefault((each.tree, each.frame), []).append(each.child)
    return [(*fork, id_list(ids)) for fork, ids in ids_by_fork.items()]


def map_run(row: Row) -> MapRun:
    """A row of `map_runs` to its value."""
    (id, ref, execution, frame, activation, state, workflow, type, status, started, closed, redrives, join) = row
    return MapRun(
        id, ref, execution, frame, activation, state, workflow, type, Status(status), started,
        read_join(join), closed, redrives,
    )  # fmt: skip


def map_run_row(r: MapRun) -> Row:
    """A map run to a row of `map_runs`."""
    return (
        r.id, r.ref, r.execution, r.frame, r.activation, r.state, r.workflow, r.type, r.status.value, r.started,
        r.closed, r.redrives, join_text(r.join),
    )  # fmt: skip


def map_run_changes(r: MapRun) -> Row:
    """The columns of `update_map_run`."""
    return (r.status.value, r.closed, r.redrives, join_text(r.join), r.id)
