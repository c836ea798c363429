"""What the doctor says of the database itself: whether it can be written, its place, its clock, its workers."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from sm_cli.engine.clock import ServerClock
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.store.postgres.hazards import ServerFacts, state_of_server
from sm_cli.store.protocol import Store
from sm_cli.store.sqlite.hazards import file_system_of, lock_problem
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.views.doctor.checks import CHECKS, examine
from sm_cli.views.upkeep import try_to_write
from tests.engine.workers import SECOND, Yard, one_task, workflow
from tests.postgres.server import schema, with_option
from tests.store.asking import asked


def findings(engine: Engine, check: str, **more: object) -> list[tuple[str, str]]:
    found = examine(engine, time_text=str, **more)  # type: ignore[arg-type]
    assert {each.check for each in found} == set(CHECKS), "a check said nothing"
    return [(each.severity.value, each.text) for each in found if each.check == check]


def here(store: Store) -> Engine:
    return Engine(store)


# Writing


def test_a_database_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        engine = here(store)
        engine.start(one_task())
        commits = store.commits
        assert findings(engine, "writing") == [("fine", "it can be written")]
        assert store.commits == commits
        newest = asked(store).latest()
        assert newest is not None
        later, _, _ = engine.start(one_task())
        assert later.id > newest.id


def test_a_database_that_somebody_else_writes_is_not_broken(tmp_path: Path) -> None:
    file = str(tmp_path / "sm.db")
    entered, leave = threading.Event(), threading.Event()
    with closing(open_store(file)) as store, closing(open_store(file)) as other:
        engine, before = here(store), store.patience

        def hold() -> None:
            with other.write():
                entered.set()
                assert leave.wait(60)

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            assert entered.wait(30)
            ((severity, text),) = findings(engine, "writing")
        finally:
            leave.set()
            thread.join(30)
        assert (severity, text.endswith("it was tried for a second")) == ("warning", True)
        assert store.patience == before


def test_a_server_that_takes_no_writes_is_broken() -> None:
    with schema() as url:
        open_store(url).close()
        reading = with_option(url, "options=-c%20default_transaction_read_only%3Don")
        with closing(open_store(reading, create=False)) as store:
            engine = Engine.__new__(Engine)  # one cannot be made: the key of the tokens would have to be written
            engine.store, engine.clock = store, FakeClock()
            from sm_cli.views.doctor.database import check_writing
            from sm_cli.views.doctor.findings import Examination

            ((severity, text, _),) = check_writing(Examination(engine, 0, str))
            assert severity.value == "broken"
            assert "is read-only (a standby?), so nothing was written. Name the primary" in text


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_trying_to_write_writes_nothing(kind: str, tmp_path: Path) -> None:
    with schema() as url:
        place = {"memory": "memory:", "sqlite": str(tmp_path / "a.db"), "postgres": url}[kind]
        with closing(open_store(place)) as store:
            try_to_write(store)
            assert store.commits == 0


# Place


def test_a_file_says_where_it_is_and_what_that_risks(tmp_path: Path) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        engine = here(store)
        ((severity, text),) = findings(engine, "place")
        assert severity == "fine"
        assert "journal mode wal" in text
        (tmp_path / "sm.db").chmod(0o644)
        assert findings(engine, "place")[1:] == [
            ("warning", "others than its owner may use it (mode 0644); `chmod 600` keeps it to its owner")
        ]


def test_a_database_in_memory_has_no_place() -> None:
    assert findings(here(MemoryStore()), "place") == [("fine", "it is in memory, and ends with its process")]


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/me/local\\040disk rw - xfs /dev/sdb rw
32 22 0:41 / /mnt/s rw shared:9 master:1 - fuse.sshfs me@h:/ rw
broken line
33 22 0:42 / /home2 rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/sm.db", "ext4"),
        ("/home/me/sm.db", "nfs4"),
        ("/home/me/local disk/sm.db", "xfs"),
        ("/home/me/local diskette/sm.db", "nfs4"),
        ("/home2/sm.db", "tmpfs"),
        ("/mnt/s/deep/er/sm.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind
    assert file_system_of(Path(path), "") is None


@pytest.mark.parametrize(("kind", "is_network"), [("ext4", False), ("nfs4", True), ("fuse.sshfs", True)])
def test_a_network_file_system_is_warned_of(
    kind: str, is_network: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"{MOUNTS}40 22 0:50 / {tmp_path} rw - {kind} there rw\n")
    monkeypatch.setattr("sm_cli.store.sqlite.hazards._MOUNTS", mounts)
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        (_, where), *hazards = findings(here(store), "place")
        assert where.startswith(f"on {kind}, ")
        assert [severity for severity, _ in hazards] == (["warning"] if is_network else [])
        assert all(f"lies on a network file system ({kind})" in text for _, text in hazards)


def test_a_file_that_cannot_be_locked_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        engine = here(store)
        assert lock_problem(tmp_path / "sm.db") is None
        with store.write():
            assert lock_problem(tmp_path / "sm.db") is None, "who holds it shows that it can be locked"
        assert lock_problem(tmp_path / "nowhere" / "sm.db") is None

        def refuse(descriptor: int, operation: int) -> None:
            raise OSError(37, "No locks available")

        with monkeypatch.context() as patch:
            patch.setattr("sm_cli.store.sqlite.hazards.fcntl.flock", refuse)
            ((severity, text),) = findings(engine, "place")[1:]
        assert severity == "broken"
        assert "its file system cannot lock (No locks available)" in text
        assert findings(engine, "place")[1:] == []


SOUND = ServerFacts(180006, "18.6", False, "on", "on", "on", 3, 100)


@pytest.mark.parametrize(
    ("facts", "says", "is_broken"),
    [
        (SOUND, None, False),
        (SOUND._replace(number=120001, version="12.1"), "Postgres 12.1 is too old", True),
        (SOUND._replace(in_recovery=True), "a standby", True),
        (SOUND._replace(fsync="off"), "fsync is off", False),
        (SOUND._replace(full_page_writes="off"), "full_page_writes is off", False),
        (SOUND._replace(synchronous_commit="off"), "synchronous_commit is off", False),
        (SOUND._replace(connections=90), None, False),
        (SOUND._replace(connections=91), "hardly a connection is left", False),
    ],
)
def test_what_a_server_risks(facts: ServerFacts, says: str | None, is_broken: bool) -> None:
    state = state_of_server(facts)
    assert state.text.startswith(f"Postgres {facts.version}, fsync {facts.fsync}")
    assert [hazard.is_broken for hazard in state.hazards] == ([] if says is None else [is_broken])
    assert all(says is not None and says in hazard.text for hazard in state.hazards)


def test_a_server_says_how_it_is_kept() -> None:
    with schema() as url, closing(open_store(url)) as store:
        (first, *_) = findings(here(store), "place")
        assert first[0] == "fine"
        assert "connections in use" in first[1]


# Clocks


@pytest.mark.parametrize(
    ("apart", "severity", "text"),
    [
        (0, "fine", "the clock of this machine and the server's are 0.000 s apart"),
        (SECOND, "fine", "the clock of this machine and the server's are 1.000 s apart"),
        (-90 * SECOND, "warning", "the clock of this machine is 90.000 s ahead of the server's"),
        (2 * SECOND, "warning", "the clock of this machine is 2.000 s behind the server's"),
    ],
)
def test_a_skew_is_warned_of(apart: int, severity: str, text: str) -> None:
    clock = FakeClock()
    engine = Engine(MemoryStore(), clock=ServerClock(clock, lambda: clock.now() + apart))
    ((found, sentence),) = findings(engine, "clock")
    assert (found, sentence.startswith(text)) == (severity, True)


def test_a_worker_that_comes_from_the_future_shows_a_wrong_clock() -> None:
    yard = Yard()
    yard.clock.jump(60 * SECOND)
    yard.worker({}, name="early", alive=True).tick()
    assert findings(yard.engine, "clock") == [("fine", "nothing has a time that is yet to come")]
    yard.clock.jump(-30 * SECOND)
    ((severity, text),) = findings(yard.engine, "clock")
    assert severity == "warning"
    assert text.startswith("worker early was seen at ")
    yard.close()


# Workers


def test_a_silent_worker_is_warned_of_with_its_tasks() -> None:
    yard = Yard()
    gate = yard.gate()
    yard.start(one_task())
    worker = yard.worker(gate.handlers, name="quiet")
    worker.tick()
    assert findings(yard.engine, "silent") == [("fine", "every worker that is written down is there")]
    yard.later(61)
    ((severity, text),) = findings(yard.engine, "silent")
    assert severity == "warning"
    assert text.startswith("worker quiet of elsewhere (process ")
    assert "has said nothing since" in text
    assert "and has 1 task" in text
    yard.close()


# Resources


NEEDS = {
    "StartAt": "W",
    "States": {
        "W": {"Type": "Wait", "Seconds": 60, "Next": "Ship"},
        "Ship": {"Type": "Task", "Resource": "ship", "Next": "Bill"},
        "Bill": {"Type": "Task", "Resource": "bill", "End": True},
    },
}


def test_a_handler_that_an_open_execution_will_need_is_missed_before_it_gets_there() -> None:
    yard = Yard()
    yard.start(workflow(NEEDS))
    assert findings(yard.engine, "resources", handlers=["ship", "bill"]) == [
        ("fine", "every handler that the 1 open ones need is there")
    ]
    assert findings(yard.engine, "resources", handlers=["*"])[0][0] == "fine"
    ((severity, text),) = findings(yard.engine, "resources", handlers=["ship"])
    assert severity == "warning"
    assert text.startswith("open executions will need a handler 'bill' (")
    assert "state Bill" in text
    assert findings(yard.engine, "resources") == [
        ("fine", "which handlers there are is known neither here nor of every worker")
    ]
    bill = {"bill": Handler("bill", lambda input, context: input, True)}
    yard.worker(bill, alive=True).tick()
    assert findings(yard.engine, "resources", handlers=["ship"])[0][0] == "fine"
    assert [severity for severity, _ in findings(yard.engine, "resources")] == ["warning"]
    yard.close()


def test_what_has_ended_needs_no_handler() -> None:
    yard = Yard()
    execution = yard.start(workflow(NEEDS))
    yard.engine.stop(execution)
    assert findings(yard.engine, "resources", handlers=[]) == [("fine", "no execution is open")]
    yard.close()
