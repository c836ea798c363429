"""Queues and workers, on every kind of database."""

from __future__ import annotations

from typing import Any

from sm_cli.handlers.handler import Handler
from sm_cli.views.operating.workforce import queue_document, queue_report, worker_document, worker_rows
from tests.engine.workers import SECOND, Rota, Yard, one_task, soon, workflow

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxAttempts": 3}]


def failing(_input: Any, _context: Any) -> Any:
    raise ValueError("no")


def _queues(here: Yard) -> dict[str, Any]:
    report = queue_report(here.engine)
    return {queue.name: queue_document(report, queue) for queue in report.queues}


def test_what_stands_in_which_queue(here: Yard) -> None:
    assert _queues(here) == {}
    for _ in range(3):
        here.start(one_task(), queue="critical")
    here.start(workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 50, "End": True}}}, "rest"))
    here.later(7)
    gate = here.gate()
    worker = here.worker(gate.handlers, concurrency=1)
    worker.tick()
    soon(lambda: gate.calls)
    critical = _queues(here)["critical"]
    assert (critical["pending"], critical["active"], critical["oldest_age"]) == (2, 1, 7.0)
    assert _queues(here)["default"]["timed"] == 1
    gate.open.set()
    soon(lambda: (worker.tick() and False) or (not worker.jobs and _queues(here)["critical"]["pending"] == 0))
    assert (_queues(here)["critical"]["succeeded"], _queues(here)["critical"]["failed"]) == (3, 0)
    here.later(3700)
    assert "critical" not in _queues(here)  # an hour later nobody counts it


def test_what_failed_and_is_tried_again(here: Yard) -> None:
    here.start(one_task(Retry=RETRY), queue="low")
    worker = here.worker({"work": Handler("work", failing)})

    def is_retrying() -> bool:
        worker.tick()
        return bool(_queues(here)["low"]["retrying"])

    soon(is_retrying)
    low = _queues(here)["low"]
    assert (low["failed"], low["pending"], low["active"], low["oldest_age"]) == (1, 0, 0, None)


def test_who_is_there_and_what_each_serves(here: Yard) -> None:
    assert worker_rows(here.engine) == []
    gate = here.gate()
    here.start(one_task())
    rota = Rota({"default": 3, "low": 1})
    worker = here.worker(gate.handlers, "w1", concurrency=4, rota=rota, alive=True)
    worker.tick()
    other = here.worker({}, "w2")
    other.tick()
    soon(lambda: gate.calls)
    first, second = (worker_document(row) for row in worker_rows(here.engine))
    assert (first["name"], first["status"], first["tasks"], first["concurrency"]) == ("w1", "running", 1, 4)
    assert (first["queues"], first["handlers"], first["only_execution"]) == ({"default": 3, "low": 1}, ["work"], False)
    assert (second["name"], second["status"], second["queues"], second["tasks"]) == ("w2", "running", None, 0)
    here.clock.advance_to(here.clock.now() + 90 * SECOND)
    assert [row.state for row in worker_rows(here.engine)] == ["running", "silent"]
    gate.open.set()


def test_new_handlers_are_told_to_others(here: Yard) -> None:
    gate = here.gate()
    worker = here.worker({}, "w1")
    worker.tick()
    worker.reload(gate.handlers)
    worker.tick()
    (row,) = worker_rows(here.engine)
    assert worker_document(row)["handlers"] == ["work"]
