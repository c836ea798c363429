"""Four workers against one on Postgres, 2 ms away in each direction: no-op tasks, and a distributed Map."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.engines import prepared, tasks_in_a_row
from bench.latency import longer_line
from bench.report import Figure
from sm_cli.engine.engine import Engine, Workflow
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.worker.worker import Worker
from tests.postgres.server import Server

WORKERS, EXECUTIONS, TASKS, CHILDREN = 4, 1000, 10, 10_000
#: Seconds in each direction, and of the handlers of the Map.
DELAY, WORK = 0.002, 0.005
SLOTS = 8


#: A distributed Map over the input.
MAP: dict[str, Any] = {
    "Type": "Map",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": "sleep", "End": True}},
    },
    "ResultPath": None,
    "End": True,
}


def sleep(input: Any, context: object) -> Any:
    time.sleep(WORK)
    return input


def echo(input: Any, context: object) -> Any:
    return input


def work(url: str, name: str, there: Any, over: Any) -> None:
    """One worker, from when all are there until it is told to stop."""
    store = open_store(url)
    handlers = {"echo": Handler("echo", echo, True), "sleep": Handler("sleep", sleep, True)}
    worker = Worker(Engine(store), handlers, concurrency=SLOTS, name=name)
    there.wait()
    worker.run(over.is_set)
    worker.let_go()
    store.close()


def seconds(server: Server, port: int, workers: int, workflow: Workflow, inputs: list[Any], schema: str) -> float:
    """How long so many workers take for an execution of each of these inputs."""
    near = open_store(f"{server.url}&schema={schema}")
    engine = Engine(near)
    executions = [engine.start(workflow, input)[0] for input in inputs]
    far = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable&schema={schema}"
    context = multiprocessing.get_context("spawn")
    over, there = context.Event(), context.Barrier(workers + 1)
    processes = [context.Process(target=work, args=(far, f"w{number}", there, over)) for number in range(workers)]
    for process in processes:
        process.start()
    there.wait()
    begun = time.perf_counter()
    while True:
        time.sleep(0.1)
        with near.read() as questions:
            if not questions.count_executions()[0].get("RUNNING"):
                break
    took = time.perf_counter() - begun
    over.set()
    for process in processes:
        process.join()
    with near.read() as questions:
        statuses = {questions.execution(each.id).status.value for each in executions}  # type: ignore[union-attr]
    assert statuses == {"SUCCEEDED"}, statuses
    near.close()
    return took


def compare(executions: int, children: int, delay: float) -> Iterator[Figure]:
    """The figures, for so many executions and children. delay: seconds in each direction."""
    server = Server()
    try:
        with longer_line(server.socket, delay) as port:
            for what, workflow, inputs in (
                (f"{executions:,} executions of {TASKS} no-op tasks", tasks_in_a_row(TASKS), list(range(executions))),
                (
                    f"a distributed Map of {children:,}",
                    prepared({"StartAt": "M", "States": {"M": MAP}}),
                    [list(range(children))],
                ),
            ):
                one, four = (
                    seconds(server, port, workers, workflow, inputs, f"s{len(inputs)}_{workers}")
                    for workers in (1, WORKERS)
                )
                yield Figure(f"{what}: one worker", one, "s")
                yield Figure(f"{what}: {WORKERS} workers", four, "s")
                yield Figure(f"{what}: {WORKERS} against one", one / four, "x", ">= 3")
    finally:
        server.stop()


def run(folder: Path) -> Iterator[Figure]:
    yield from compare(EXECUTIONS, CHILDREN, DELAY)
