"""What the doctor says of tasks that no running worker would take."""

from __future__ import annotations

from sm_cli.views.doctor.checks import examine
from tests.engine.workers import Rota, Yard, one_task


def _queues(here: Yard) -> list[tuple[str, str]]:
    findings = examine(here.engine, time_text=str)
    return [(each.severity.value, each.text) for each in findings if each.check == "queues"]


def test_a_queue_that_no_worker_serves_is_broken(here: Yard) -> None:
    here.start(one_task(), queue="low")
    assert [severity for severity, _ in _queues(here)] == ["fine"]  # nobody runs: another check says so
    here.worker(here.gate().handlers, rota=Rota({"critical": 6}), alive=True).tick()
    assert _queues(here) == [
        ("broken", "tasks for 'work' in queue 'low' wait, and no running worker serves both"),
    ]
    worker = here.worker(here.gate().handlers, "other", rota=Rota({"low": 1}), concurrency=1, alive=True)
    worker.take(False)
    worker.tick()
    assert [severity for severity, _ in _queues(here)] == ["fine"]


def test_a_handler_that_no_worker_has_is_broken(here: Yard) -> None:
    here.start(one_task())
    here.worker({}, alive=True).tick()
    assert [severity for severity, _ in _queues(here)] == ["broken"]
