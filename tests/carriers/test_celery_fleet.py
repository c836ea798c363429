"""Workers with hints by Celery, in processes of their own: one is killed, the broker loses all, goes and comes, and the
outcome is that of a calm run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.carriers.fleet import ITEMS, Fleet, fleet, soon


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as made:
        yield made


def stop(process: subprocess.Popen[bytes]) -> int:
    """The exit code after SIGTERM."""
    process.terminate()
    return process.wait(60)


def test_three_workers_of_ours_live_through_a_kill_a_flush_and_a_broker_that_goes_and_comes(crowd: Fleet) -> None:
    workers = [crowd.worker("--name", f"w{n}") for n in range(3)]
    crowd.begin(3)
    crowd.calm()
    crowd.hold()
    crowd.begin(3)
    soon(lambda: crowd.leases() == 6)
    workers[0].kill()
    crowd.broker.flush()
    soon(lambda: crowd.leases() == 4)
    crowd.release()
    crowd.calm()
    crowd.broker.stop()
    crowd.begin(3, "critical")
    crowd.calm()
    crowd.broker.start()
    soon(lambda: all("answers again; going on" in crowd.log(n) for n in (1, 2)))
    crowd.begin(3, "nightly")
    crowd.calm()
    assert [stop(worker) for worker in workers[1:]] == [0, 0]
    said = crowd.log(1)
    assert said.count("cannot be reached") == 1
    assert "Traceback" not in said


def test_a_worker_that_begins_before_its_broker_waits_for_it_and_works_meanwhile(crowd: Fleet) -> None:
    crowd.broker.stop()
    crowd.worker()
    crowd.begin(2)
    crowd.calm()
    soon(lambda: "cannot be reached" in crowd.log(0))
    crowd.broker.start()
    soon(lambda: "answers again" in crowd.log(0))
    assert crowd.log(0).count("cannot be reached") == 1


@pytest.mark.parametrize("pool", [("-P", "prefork"), ("-P", "threads")], ids=["prefork", "threads"])
def test_workers_of_celery_live_through_a_kill_a_flush_and_a_broker_that_goes_and_comes(
    crowd: Fleet, pool: tuple[str, ...]
) -> None:
    options = (*pool, "-c", "2", "--without-mingle")
    workers = [crowd.celery(*options) for _ in range(3)]
    crowd.begin(2)
    crowd.calm()
    crowd.hold()
    crowd.begin(2)
    soon(lambda: crowd.leases() == 6)
    os.killpg(workers[0].pid, signal.SIGKILL)
    crowd.broker.flush()
    soon(lambda: crowd.leases() == 4)
    crowd.release()
    crowd.calm()
    crowd.broker.stop()
    crowd.begin(2, "critical")
    soon(lambda: "onnection" in crowd.log(1).split(" ready.")[1])
    crowd.broker.start()
    left = workers[1:]

    def are_done() -> bool:
        # Celery itself may end when the broker goes while it acknowledges a message; whoever runs it starts it again.
        left[:] = [worker if worker.poll() is None else crowd.celery(*options) for worker in left]
        return crowd.are_closed()

    soon(are_done)
    crowd.calm()
    for worker in left:
        stop(worker)
    for number in (1, 2):
        assert crowd.log(number).count("trying again until it works") <= 1, "each slot says it"


def test_a_child_of_a_pool_that_is_killed_costs_nothing(crowd: Fleet) -> None:
    crowd.celery("-P", "prefork", "-c", "2", "--without-mingle")
    crowd.hold()
    crowd.begin(2)
    soon(lambda: crowd.leases() == 2)
    with crowd.store.read() as questions:
        held = questions.jobs_by_worker()
        pids = [worker.pid for worker in questions.workers() if worker.id in held]
    os.kill(pids[0], signal.SIGKILL)
    crowd.release()
    crowd.calm()


def test_a_queue_that_no_setting_names_is_read_as_soon_as_it_has_work(crowd: Fleet) -> None:
    crowd.celery("-P", "threads", "-c", "2", "--without-mingle")
    crowd.begin(1, "nightly")
    crowd.calm()
    assert "sm.nightly" in crowd.log(0)


def test_a_worker_of_celery_for_one_queue_takes_jobs_of_no_other(crowd: Fleet) -> None:
    crowd.celery("-P", "threads", "-c", "2", "--without-mingle", "-Q", "sm.critical")
    crowd.begin(1, "low")
    low = crowd._ids.pop()
    crowd.begin(1, "critical")
    crowd.calm()
    crowd._ids = [low]
    assert crowd.ended() == []
    crowd.worker("--queues", "low")
    crowd.calm()


def test_the_setting_of_queues_holds_for_workers_of_celery_too(crowd: Fleet) -> None:
    (crowd.folder / "sm.toml").write_text('queues = "critical:9,nightly"\n')
    crowd.celery("-P", "threads", "-c", "2", "--without-mingle")
    assert "> sm.nightly" in crowd.log(0)
    assert "> sm.default" not in crowd.log(0)
    crowd.begin(1, "low")
    low = crowd._ids.pop()
    crowd.begin(1, "nightly")
    crowd.calm()
    crowd._ids = [low]
    assert crowd.ended() == []


def test_monitors_see_each_run_of_a_handler_by_the_name_of_its_resource(crowd: Fleet) -> None:
    crowd.celery("-P", "prefork", "-c", "2", "--without-mingle", "-E")
    seen: Counter[tuple[str, str]] = Counter()
    names: dict[str, str] = {}

    def see(event: dict[str, Any]) -> None:
        if event["type"].startswith("task-"):
            names.setdefault(event["uuid"], event.get("name", ""))
            seen[event["type"], names[event["uuid"]]] += 1
        if seen["task-succeeded", "add up"] == 1:
            receiver.should_stop = True

    app = Celery(broker=crowd.broker.url, set_as_current=False)
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": see})
        with receiver.consumer_context():
            crowd.begin(1)
            receiver.capture(limit=None, timeout=60, wakeup=False)
    kinds = ("task-received", "task-started", "task-succeeded")
    assert seen == {(kind, name): n for kind in kinds for name, n in (("double", ITEMS), ("add up", 1))}
    crowd.calm()


@pytest.mark.parametrize(
    ("variables", "code", "sentence"),
    [
        ({"SM_DATABASE_URL": "sm.db"}, 7, "sm: error: celery needs a database on a Postgres server"),
        ({"SM_CELERY_BROKER_URL": ""}, 7, "sm: error: celery needs the URL of a broker, and none is named"),
        ({"SM_HANDLERS": "nowhere"}, 8, "sm: error: "),
    ],
)
def test_a_worker_of_celery_that_cannot_begin_says_why_in_a_sentence(
    crowd: Fleet, variables: dict[str, str], code: int, sentence: str
) -> None:
    crowd.environment |= variables
    process = crowd.start("celery", "-A", "sm_cli.celery.app", "worker", "-P", "threads")
    assert process.wait(60) == code
    assert sentence in crowd.log(0)
    assert "Traceback" not in crowd.log(0)


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_worker_of_celery_that_has_no_database_ends_and_says_why(crowd: Fleet, pool: str) -> None:
    crowd.environment["SM_DATABASE_URL"] += "_that_nobody_made"
    worker = crowd.start("celery", "-A", "sm_cli.celery.app", "worker", "-P", pool, "-c", "1", "--without-mingle")
    assert worker.wait(120) == 7
    assert "there is no database of sm at" in crowd.log(0)
    assert "; this worker ends" in crowd.log(0)
    crowd.environment["SM_DATABASE_URL"] = "postgresql://me:ge#heim@host/db"
    worker = crowd.start("celery", "-A", "sm_cli.celery.app", "worker", "-P", pool, "-c", "1", "--without-mingle")
    assert worker.wait(120) == 7
    assert crowd.log(1).startswith("sm: error: a URL of Postgres has an @")
    assert "me:ge" not in crowd.log(1)
