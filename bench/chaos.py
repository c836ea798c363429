"""Workers die by kill -9 every second, and nothing is lost and nothing happens twice.

Three workers on one file; executions with Tasks, Retry, Wait, Parallel, a Map of 20, a Message of which every other
one is answered (each answer sent three times) and the rest times out, and a nested execution whose distributed Map
reads a CSV file and writes its results to files. What comes of it is compared, execution by execution, with a calm
run of the same: one worker, no kill. All of it through `sm` in processes of its own.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

from bench import chaos_rows
from bench.commands import Project
from bench.report import Figure
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from tests.store.asking import asked

WORKERS = ("w1", "w2", "w3")
#: So many tasks end between two kills: on a busy machine a worker would else be killed before it has done anything,
#: again and again.
_PROGRESS = 8
#: Seconds in which an execution or a command has to end, however busy the machine is.
_PATIENCE = 300
_ENDED = "SELECT coalesce(sum(length(events) - length(replace(events, 'TaskSucceeded', ''))), 0) / 13 FROM history"

WORKFLOW = """
StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: charge
    ResultPath: $.charge
    Retry: [{ErrorEquals: [Flaky], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 3}]
    Next: Both
  Both:
    Type: Parallel
    ResultPath: $.both
    Next: Answer
    Branches:
      - StartAt: Pause
        States:
          Pause: {Type: Wait, SecondsPath: $.pause, Next: Paused}
          Paused: {Type: Task, Resource: step, Parameters: {n.$: $.n}, End: true}
      - StartAt: Each
        States:
          Each:
            Type: Map
            ItemsPath: $.items
            MaxConcurrency: 5
            End: true
            ItemProcessor:
              StartAt: Item
              States:
                Item:
                  Type: Task
                  Resource: item
                  Retry: [{ErrorEquals: [Flaky], IntervalSeconds: 1, MaxAttempts: 2}]
                  End: true
  Answer:
    Type: Message
    CorrelationKey: chaos
    CorrelationValuePath: $.id
    TimeoutSecondsPath: $.timeout
    TimeoutPath: Late
    ResultPath: $.answer
    Next: Rows
  Late: {Type: Task, Resource: step, ResultPath: $.late, Next: Rows}
  Rows:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync:2
    Parameters: {StateMachineArn.$: $.rows, Input: {id.$: $.id}}
    ResultSelector: {status.$: $.Status, output.$: $.Output}
    ResultPath: $.mapped
    Next: Done
  Done: {Type: Task, Resource: step, ResultPath: $.done, End: true}
"""

HANDLERS = (
    '''
import os, random, time
from sm_cli import handler

class Flaky(Exception):
    pass

def note(context):
    """One line for each run, whole or not at all."""
    log = os.open("effects.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, f"{context.execution_id} {context.idempotency_key} {context.state} {os.getpid()}\\n".encode())
    os.close(log)
    time.sleep(random.uniform(0, 0.2))

@handler
def charge(order, context):
    note(context)
    if context.attempt <= order["n"] % 3:
        raise Flaky("not yet")
    return {"attempt": context.attempt, "id": order["id"]}

@handler
def item(n, context):
    note(context)
    if n % 7 == 3 and context.attempt == 1:
        raise Flaky("not yet")
    return n * n

@handler
async def step(input, context):
    note(context)
    return {"state": context.state, "n": input["n"]}
'''
    + chaos_rows.HANDLERS
)


@dataclass
class Plan:
    """executions: how many, begun over `seconds`. pause: seconds between two kills; None for the calm run.
    timeout: seconds that an answer is waited for which never comes."""

    executions: int
    seconds: float
    pause: float | None
    timeout: int = 15
    seed: int = 1

    def input(self, n: int) -> dict[str, Any]:
        timeout = 3600 if self.answered(n) else self.timeout
        rows = "batches" if n % 4 == 3 else "rows"
        return {
            "id": f"c{n}", "n": n, "pause": 1 + n % 5, "items": list(range(20)), "timeout": timeout, "rows": rows,
        }  # fmt: skip

    def answered(self, n: int) -> bool:
        return n % 2 == 0


@dataclass
class Run:
    """One run of a plan: its project, its processes, and what was counted."""

    plan: Plan
    project: Project
    workers: dict[str, Popen[str]] = field(default_factory=dict)
    kills: int = 0
    commands: list[Future[str]] = field(default_factory=list)

    def start_worker(self, name: str) -> None:
        slots = "24" if self.plan.pause is None else "4"  # the calm run's only worker must not be what it waits for
        with (self.project.folder / f"{name}.log").open("a") as log:
            self.workers[name] = self.project.start("worker", "-q", "--name", name, "--concurrency", slots, stderr=log)

    def kill(self, name: str) -> None:
        worker = self.workers[name]
        assert worker.poll() is None, f"the worker {name} has ended by itself with {worker.returncode}"
        worker.kill()
        worker.wait()
        self.kills += 1
        self.start_worker(name)

    def go(self) -> None:
        """Start, send and kill as planned, until every execution is closed."""
        self.project.write("workflows/chaos.yaml", WORKFLOW)
        self.project.write("handlers/chaos.py", HANDLERS)
        chaos_rows.prepare(self.project.folder)
        names = WORKERS if self.plan.pause is not None else WORKERS[:1]
        self.open().close()
        for name in names:
            self.start_worker(name)
        try:
            with ThreadPoolExecutor(3) as pool:
                self.carry_out(sorted(self.agenda(pool), key=lambda act: act[0]))
                for command in self.commands:
                    command.result()
        finally:
            for worker in self.workers.values():
                worker.terminate()
            for worker in self.workers.values():
                worker.wait()

    def agenda(self, pool: ThreadPoolExecutor) -> Iterator[tuple[float, Callable[[], None]]]:
        """(seconds after the start, what to do then)."""
        chance = random.Random(self.plan.seed)
        for n in range(self.plan.executions):
            begin = self.plan.seconds * n / self.plan.executions
            order = json.dumps(self.plan.input(n))
            yield begin, self.later(pool, "run", "chaos", "--detach", "--name", f"c{n}", "--input", order)
            if self.plan.answered(n):
                answer = ("send-message", f"chaos=c{n}", "--data", f'{{"paid": {n}}}', "--message-id", f"m{n}")
                for _ in range(3):
                    yield begin + chance.uniform(0, 10), self.later(pool, *answer)

    def later(self, pool: ThreadPoolExecutor, *arguments: str) -> Callable[[], None]:
        return lambda: self.commands.append(pool.submit(self.project.run, *arguments))

    def carry_out(self, agenda: list[tuple[float, Callable[[], None]]]) -> None:
        chance, begun = random.Random(self.plan.seed), time.monotonic()
        next_kill, progress = begun + 2, 0
        store = self.open()
        open_ones = [f"c{n}" for n in range(self.plan.executions)]
        moved_at, before = begun, (0, 0, 0)
        while agenda or open_ones:
            now = time.monotonic()
            counts = len(agenda), len(open_ones), sum(command.done() for command in self.commands)
            if counts != before:
                moved_at, before = now, counts
            assert now - moved_at < _PATIENCE, f"these do not come to their end: {open_ones}"
            while agenda and agenda[0][0] <= now - begun:
                agenda.pop(0)[1]()
            if self.plan.pause is not None and now >= next_kill and self.tasks_ended() >= progress:
                self.kill(chance.choice(WORKERS))
                next_kill, progress = now + self.plan.pause, self.tasks_ended() + _PROGRESS
            if not agenda:
                open_ones = [name for name in open_ones if not is_closed(store, name)]
            time.sleep(0.02)
        store.close()

    def tasks_ended(self) -> int:
        """How many tasks have ended well."""
        ((count,),) = self.select(_ENDED)
        return int(count)

    def open(self) -> Store:
        """The database, for the one who watches."""
        return open_store(self.project.url or str(self.project.database))

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a question of our own."""
        store = self.open()
        try:
            with store.read() as questions:
                return list(questions.session.connection.execute(sql).fetchall())
        finally:
            store.close()

    # -- what came of it -------------------------------------------------------------------------

    def trees(self, store: Store) -> dict[str, list[Execution]]:
        """By name: the execution, and then those that it and they have begun."""
        found = {}
        for n in range(self.plan.executions):
            (root,) = asked(store).find(f"c{n}")
            ids = self.select(f"SELECT id FROM executions WHERE tree = {root.id} ORDER BY id")
            found[root.name] = [execution for (id,) in ids if (execution := asked(store).execution(id)) is not None]
        return found

    def outcomes(self) -> dict[str, list[str]]:
        """By name, of the execution and all below it: status, output, error, cause, and how often each kind of event
        stands in its history. (That a task was begun is recorded for each worker that began it.)"""
        store = self.open()
        found = {name: sorted(outcome(store, each) for each in tree) for name, tree in self.trees(store).items()}
        store.close()
        return found

    def effects(self) -> dict[str, Counter[str]]:
        """By the execution's id: idempotency key to how often a handler ran with it."""
        found: dict[str, Counter[str]] = {}
        for line in (self.project.folder / "effects.log").read_text().splitlines():
            ref, key, _, _ = line.split()
            found.setdefault(ref, Counter())[key] += 1
        return found

    def left_over(self) -> int:
        """Rows of anything that should be gone, in the whole database."""
        counts = [
            self.select(f"SELECT count(*) FROM {what}")[0][0]
            for what in (
                "jobs", "timers", "subscriptions", "frames WHERE status < 3", "messages WHERE status = 'buffered'",
                "executions WHERE closed IS NULL", "map_runs WHERE closed IS NULL",
            )
        ]  # fmt: skip
        assert self.project.url is not None or self.select("PRAGMA integrity_check") == [("ok",)]
        return sum(counts)

    def complaints(self) -> list[str]:
        """What the workers, which are quiet, had to say."""
        lines = [
            line for name in self.workers for line in (self.project.folder / f"{name}.log").read_text().splitlines()
        ]
        return [line for line in lines if not line.startswith("worker w")]


def is_closed(store: Store, name: str) -> bool:
    return any(execution.closed is not None for execution in asked(store).find(name))


def outcome(store: Store, execution: Execution) -> str:
    events = Counter(event.type for event in asked(store).history(execution.id) if not event.type.endswith("Started"))
    e = execution
    return json.dumps([e.workflow, e.status.value, e.output, e.error, e.cause, sorted(events.items())])


def attempts_in(store: Store, execution: Execution) -> int:
    """Attempts at tasks of handlers."""
    scheduled = [event for event in asked(store).history(execution.id) if event.type == "TaskScheduled"]
    return sum(event.detail["resourceType"] == "handler" for event in scheduled)


def twice(store: Store, execution: Execution) -> int:
    """Transitions of an execution that are in its history more often than once: ends of the same attempt."""
    events = asked(store).history(execution.id)
    assert [event.number for event in events] == list(range(1, len(events) + 1)), "the history has a hole"
    steps = ("Entered", "Exited", "Scheduled", "Succeeded", "Failed", "TimedOut", "Received", "Submitted")
    seen = Counter((event.frame, event.previous, event.type) for event in events if event.type.endswith(steps))
    return sum(count - 1 for count in seen.values())


def judged(calm: Run, run: Run) -> Iterator[Figure]:
    """What the promise says, in numbers: all but the first three have to be nothing."""
    expected, found, effects = calm.outcomes(), run.outcomes(), run.effects()
    store = run.open()
    missing = doubled = rows = files = children = 0
    for tree in run.trees(store).values():
        for execution in tree:
            missing += abs(attempts_in(store, execution) - len(effects.get(execution.ref, ())))
            doubled += twice(store, execution)
            for map_run in asked(store).map_runs(execution.id):
                children += map_run.join.made_children
                rows += chaos_rows.rows_amiss(store, map_run)
                files += chaos_rows.files_amiss(run.project.folder, store, map_run)
    store.close()
    runs = sum(sum(keys.values()) for keys in effects.values())
    attempts = sum(len(keys) for keys in effects.values())
    yield Figure("kills of a worker", run.kills, "")
    yield Figure("executions, and task attempts in them", len(found), f"({attempts:,})")
    yield Figure("children of distributed Maps", children, "")
    yield Figure("handler runs beyond one an attempt: their worker was killed", runs - attempts, "")
    otherwise = sum(found[name] != expected[name] for name in found)
    yield Figure("executions that ended otherwise than in the calm run", otherwise, "", "<= 0")
    yield Figure("attempts whose handler never ran", missing, "", "<= 0")
    yield Figure("transitions that happened twice", doubled, "", "<= 0")
    yield Figure("rows of a data set not in exactly one child", rows, "", "<= 0")
    yield Figure("children not told of exactly once in the files of results", files, "", "<= 0")
    yield Figure("open executions and whatever belongs to them, left over", run.left_over(), "", "<= 0")
    yield Figure("lines of complaint from the workers", len(run.complaints()), "", "<= 0")


def chaos(folder: Path, plan: Plan) -> Iterator[Figure]:
    calm = Run(replace(plan, seconds=min(20, plan.seconds), pause=None), Project(folder / "calm"))
    wild = Run(plan, Project(folder / "wild"))
    calm.go()
    wild.go()
    yield from judged(calm, wild)


def run(folder: Path) -> Iterator[Figure]:
    yield from chaos(folder, Plan(executions=200, seconds=205, pause=1))


def short(folder: Path) -> Iterator[Figure]:
    """The same in less than a minute."""
    yield from chaos(folder, Plan(executions=8, seconds=4, pause=0.7, timeout=3))
