"""A server that is killed, a line that breaks: nothing is lost, nothing is done twice."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import DatabaseAway, DatabaseError, TaskError
from sm_cli.handlers.handler import Context, Handler
from sm_cli.interpreter.states.distributed_map import WRITE
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.locks import NOTHING
from sm_cli.store.open import open_store
from sm_cli.store.postgres.database import PostgresStore
from sm_cli.store.protocol import Store
from sm_cli.store.records import Status
from sm_cli.store.waiting import Patience
from sm_cli.views.endings import AttemptEnd, Endings
from sm_cli.worker.worker import Worker
from tests.engine.workers import one_task, soon, workflow
from tests.postgres.proxy import Proxy, relay
from tests.postgres.server import Server, with_option
from tests.store.asking import asked
from tests.store.samples import apply, execution

FROM_HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that these tests may kill: what it has committed is on disk."""
    made = Server(quick=False)
    yield made
    made.stop()


@pytest.fixture
def url(own: Server, request: pytest.FixtureRequest) -> str:
    return with_option(own.url, f"schema=t_{abs(hash(request.node.name)):x}")


@pytest.fixture
def proxy(own: Server) -> Iterator[Proxy]:
    with relay(own.socket) as made:
        yield made


def is_over(store: Store, id: int) -> bool:
    """Whether the execution has ended, as far as the server tells now."""
    try:
        found = asked(store).execution(id)
    except DatabaseAway:
        return False
    return found is not None and found.closed is not None


@contextmanager
def running(worker: Worker) -> Iterator[None]:
    """In the block it works, in a thread."""

    def run() -> None:
        with suppress(DatabaseAway):  # of who is stopped while the server is away
            worker.run(lambda: False)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)
        worker.pool.close()
    assert not thread.is_alive()


def test_a_worker_outlasts_a_killed_server_says_so_once_and_goes_on(
    own: Server, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    calls: list[str] = []
    entered, go_on = threading.Event(), threading.Event()

    def work(input: Json, context: object) -> Json:
        calls.append(str(input))
        entered.set()
        assert go_on.wait(60)
        return "done"

    with closing(open_store(url)) as store:
        engine = Engine(store)
        started = [engine.start(one_task(), str(number), name=f"n{number}")[0] for number in range(4)]
        worker = Worker(engine, {"work": Handler("work", work, True)}, concurrency=2)
        with running(worker):
            assert entered.wait(30)
            with own.away():
                go_on.set()
                soon(lambda: "trying again" in caplog.text)
            soon(lambda: all(is_over(store, each.id) for each in started))
        worker.let_go()
        assert sorted(calls) == ["0", "1", "2", "3"], "a handler ran twice"
        assert caplog.text.count("trying again") == 1
        assert caplog.text.count("answers again") == 1
        assert "password" not in caplog.text


def test_a_server_that_goes_as_a_commit_is_told_of_costs_nothing_that_was_committed(
    own: Server, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What the commit took is begun, and what it ended is told, if with less around it."""
    calls: list[str] = []
    ends: list[AttemptEnd] = []
    is_killed = threading.Event()

    def work(input: Json, context: Context) -> Json:
        calls.append(context.state)
        if context.state == "A":
            raise TaskError("Refused", "no")
        return "done"

    def kill_at_the_failure(tick: Tick) -> None:
        if any(attempt.error for attempt in tick.attempts) and not is_killed.is_set():
            own.kill()
            is_killed.set()

    task = {"Type": "Task", "Resource": "work"}
    caught = {**task, "Catch": [{"ErrorEquals": ["Refused"], "Next": "B"}], "Next": "B"}
    branch = {"StartAt": "A", "States": {"A": caught, "B": {**task, "End": True}}}
    machine = workflow({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [branch], "End": True}}})
    with closing(open_store(url)) as store:
        engine = Engine(store, observers=[kill_at_the_failure, Endings(store, ends.append, lambda _: None).observe])
        one = engine.start(machine, 1)[0]
        worker = Worker(engine, {"work": Handler("work", work, False)}, concurrency=1)
        with running(worker):
            assert is_killed.wait(30)
            own.start()
            soon(lambda: (found := asked(store).execution(one.id)) is not None and found.closed)
        found = asked(store).execution(one.id)
        assert found is not None
        assert (found.status, found.output) == (Status.SUCCEEDED, ["done"])
    assert calls == ["A", "B"]
    assert [(end.attempt.frame.state, end.attempt.error) for end in ends] == [("A", "Refused"), ("B", None)]


def test_a_transaction_in_which_a_statement_has_failed_is_not_taken_for_committed(own: Server, url: str) -> None:
    """COMMIT is no error to the server then, and undoes everything."""
    with closing(open_store(url)) as store:
        with pytest.raises(DatabaseError, match="because a statement before had failed"), store.write() as tx:
            tx.apply(Changes(new_executions=[execution(1)]))
            with suppress(psycopg.Error):
                tx.session.connection.execute("SELECT 1/0")
        assert asked(store).execution(1) is None
        apply(store, new_executions=[execution(1)])
        assert asked(store).execution(1) == execution(1)


def test_what_writes_the_results_of_a_map_and_what_a_handler_starts_outlast_a_killed_server(
    own: Server, url: str, tmp_path: Path
) -> None:
    starting: list[threading.Thread] = []

    def kill() -> None:
        own.kill()
        starting.append(threading.Thread(target=own.start))
        starting[-1].start()

    def work(input: Json, context: Context) -> Json:
        kill()
        return context.start("other", input)

    with closing(open_store(url)) as store:
        engine = Engine(store, buckets=tmp_path)
        each = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
        engine.start(workflow({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, "other"))
        write = engine.builtin[WRITE]
        writes: list[Json] = []

        def write_without_server(request: Json) -> Json:
            writes.append(request)
            if len(writes) == 1:
                kill()
            result: Json = write.function(request)
            return result

        engine.builtin[WRITE] = replace(write, function=write_without_server)
        states = {
            "M": {
                "Type": "Map", "End": True,
                "ItemProcessor": {**each, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                "ResultWriter": {"WriterConfig": {"OutputType": "JSON", "Transformation": "COMPACT"}},
            }
        }  # fmt: skip
        execution = engine.start(workflow({"StartAt": "M", "States": states}), [1])[0]
        worker = Worker(engine, {"work": Handler("work", work)})

        with running(worker):
            soon(lambda: is_over(store, execution.id))
        worker.let_go()
        for each_thread in starting:
            each_thread.join()
        ended = asked(store).execution(execution.id)
        assert ended is not None and (ended.status, ended.error, ended.cause) == (Status.SUCCEEDED, None, None)
        assert len(asked(store).list_executions(ExecutionFilter(workflow="other"))) == 2


def test_whose_server_becomes_a_standby_goes_to_the_one_that_writes(own: Server) -> None:
    """Its connections live, as behind a proxy: none of them breaks to say so."""
    other = Server()
    try:
        hosts = ",".join(quote(str(Path(each.socket).parent), safe="") for each in (own, other))
        url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write&schema=moved"
        with closing(open_store(f"{other.url}&schema=moved")) as second, closing(open_store(url)) as store:
            apply(store, new_executions=[execution(1)])
            assert not store.changed()
            own.set("default_transaction_read_only = on")
            try:
                with pytest.raises(DatabaseAway, match="is read-only"):
                    for id in range(2, 1_000):  # sessions hear of a new setting a moment later
                        apply(store, new_executions=[execution(id)])
                apply(store, new_executions=[execution(2_000)])
                assert asked(store).execution(1) is None
                assert asked(second).execution(2_000) == execution(2_000)
                assert store.changed()
                assert not store.changed()
                apply(second, new_executions=[execution(2_001)])
                soon(store.changed)
            finally:
                own.reset("default_transaction_read_only")
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("default_transaction_read_only = on", "is read-only (a standby?), so nothing was written"),
        ("statement_timeout = 1", "ended a statement before it was done (canceling statement due to"),
    ],
)
def test_a_server_that_does_not_write_for_a_while_is_outlasted_too(
    own: Server, url: str, caplog: pytest.LogCaptureFixture, setting: str, sentence: str
) -> None:
    """As after a failover that leaves us on a standby, and with a limit that no write keeps."""
    caplog.set_level(logging.WARNING)
    calls: list[str] = []
    go_on = threading.Event()

    def work(input: Json, context: object) -> Json:
        calls.append(str(input))
        assert go_on.wait(60)
        return "x" * 5_000_000  # takes longer than a millisecond

    with closing(open_store(url)) as store:
        engine = Engine(store)
        started = [engine.start(one_task(), str(number))[0] for number in range(2)]
        worker = Worker(engine, {"work": Handler("work", work, True)}, concurrency=2)
        with running(worker), closing(open_store(with_option(url, "notify=off"))) as other:
            soon(lambda: len(calls) == 2)
            own.set(setting)
            try:
                go_on.set()
                soon(lambda: "trying again" in caplog.text)
                with pytest.raises(DatabaseAway, match=re.escape(sentence)) as told:
                    apply(other, new_executions=[execution(1000, input="x" * 20_000_000)])
                assert told.value.exit_code == 7
            finally:
                own.reset(setting.partition(" ")[0])
            soon(lambda: all(is_over(store, each.id) for each in started))
        worker.let_go()
        assert sorted(calls) == ["0", "1"], "a handler ran twice"
        assert sentence in caplog.text
        assert caplog.text.count("trying again") == caplog.text.count("answers again") == 1


def test_a_command_says_one_sentence(own: Server, url: str) -> None:
    with closing(open_store(url)) as store:
        with own.away():
            with pytest.raises(DatabaseAway, match="cannot be reached") as told:
                apply(store, new_executions=[execution(1)])
            with pytest.raises(DatabaseAway, match="cannot be reached"):
                open_store(url)
        assert told.value.exit_code == 7
        apply(store, new_executions=[execution(1)])
        assert asked(store).execution(1) == execution(1)


def test_a_service_that_is_started_before_its_server_waits_for_it_and_shows_no_password(
    own: Server, url: str, tmp_path: Path
) -> None:
    open_store(url).close()
    secret = url.replace("postgres@", "postgres:geheim@")
    log = tmp_path / "log"
    command, environment = [sys.executable, "-m", "sm_cli", "worker", "--db", secret], {**os.environ, **FROM_HERE}
    with ExitStack() as stack:
        with own.away():
            with log.open("w") as err:
                worker = subprocess.Popen(command, cwd=tmp_path, stderr=err, env=environment)
            stack.callback(worker.wait)
            stack.callback(worker.kill)
            soon(lambda: "trying again until it works" in log.read_text())
            once = subprocess.run(
                [*command, "--once"], cwd=tmp_path, text=True, capture_output=True, check=False, env=environment
            )
            assert once.returncode == 7
            assert "cannot be reached" in once.stderr
        soon(lambda: "on postgresql:///postgres?host=" in log.read_text())
        worker.terminate()
        assert worker.wait(30) == 0
    assert log.read_text().count("trying again") == 1
    assert "the database answers again" in log.read_text()
    assert "geheim" not in log.read_text() + once.stderr


@pytest.mark.parametrize("verdict", ["cut", "swallow"])
def test_a_commit_of_unknown_outcome_is_found_out(proxy: Proxy, verdict: str) -> None:
    with closing(open_store(with_option(proxy.url(), f"schema=t_{verdict}"))) as store:
        apply(store, new_executions=[execution(1)])
        commits = store.commits
        judged: list[bytes] = []

        def judge(piece: bytes) -> str:
            if b"COMMIT" in piece and not judged:
                judged.append(piece)
                return verdict
            return "pass"

        proxy.judge = judge
        if verdict == "cut":
            with pytest.raises(DatabaseAway):
                apply(store, new_executions=[execution(2)])
        else:
            apply(store, new_executions=[execution(2)])
        assert judged, "the line was not cut"
        assert (asked(store).execution(2) is not None) == (verdict == "swallow")
        assert store.commits == commits + (verdict == "swallow")
        apply(store, new_executions=[execution(3)])
        assert asked(store).execution(3) == execution(3)


def last_commit(store: PostgresStore) -> str:
    """The number of a transaction that was committed."""
    with store.read() as questions:
        row = questions.session.connection.execute(
            "SELECT xmin::text FROM executions ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return str(row[0])


def test_the_number_of_a_commit_that_a_killed_server_forgot_is_not_taken_for_one(own: Server, url: str) -> None:
    """After a restart it may be one that is in the future, or another transaction's."""
    with closing(open_store(url)) as store:
        assert isinstance(store, PostgresStore)
        apply(store, new_executions=[execution(1)])
        assert not store._writer._was_committed("999999999")
        assert store._writer._was_committed(last_commit(store))
        with store.write(NOTHING) as tx:
            tx.executions([1])
            another = last_commit(store)
        with pytest.raises(DatabaseAway, match="whether it was written is not known"):
            store._writer._was_committed(another)


def test_a_commit_whose_outcome_nobody_can_tell_is_said_to_be_unknown(own: Server, proxy: Proxy) -> None:
    url = with_option(proxy.url(), "schema=t_unknown")

    def judge(piece: bytes) -> str:
        if b"COMMIT" in piece:
            proxy.close()
            return "cut"
        return "pass"

    with closing(open_store(url, patience=Patience(lambda: 0.3))) as store:
        proxy.judge = judge
        with pytest.raises(DatabaseAway, match="whether it was written is not known"):
            apply(store, new_executions=[execution(1)])
    with closing(open_store(with_option(own.url, "schema=t_unknown"))) as after:
        assert asked(after).execution(1) is None


def test_work_goes_on_over_a_line_that_breaks_at_every_commit_once(proxy: Proxy) -> None:
    """Each commit's first try is cut, before or after the server has seen it, in turn."""
    url = with_option(proxy.url(), "schema=t_every")
    with closing(open_store(url)) as store, closing(open_store(url)) as direct:
        seen = 0

        def judge(piece: bytes) -> str:
            nonlocal seen
            if b"COMMIT" not in piece:
                return "pass"
            seen += 1
            return ("cut", "pass", "swallow", "pass")[seen % 4]

        definition = workflow(
            {
                "StartAt": "A",
                "States": {
                    "A": {"Type": "Task", "Resource": "work", "Next": "B"},
                    "B": {"Type": "Wait", "Seconds": 0, "Next": "C"},
                    "C": {"Type": "Task", "Resource": "work", "End": True},
                },
            }
        )
        engine = Engine(store)
        started = [engine.start(definition, number, name=f"n{number}")[0] for number in range(10)]
        proxy.judge = judge
        worker = Worker(engine, {"work": Handler("work", lambda input, context: input, True)}, concurrency=2)
        with running(worker):
            soon(lambda: all(is_over(direct, each.id) for each in started))
        for number, one in enumerate(started):
            found = asked(direct).execution(one.id)
            assert found is not None
            assert (found.status, found.output) == (Status.SUCCEEDED, number)
            history = asked(direct).history(one.id)
            assert [event.number for event in history] == list(range(1, len(history) + 1))
            assert sum(event.type == "TaskSucceeded" for event in history) == 2
        assert seen > 4
