"""Hints by Procrastinate: jobs of one task of its own, in one of its queues for each of ours, in our database.

A hint is deferred inside the transaction that makes the jobs ready, so it is as certain as they are. Procrastinate's
worker, in a thread here, receives it. Its tables stand in our schema.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import procrastinate
import psycopg
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg import errors as pg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolTimeout

from sm_cli.carriers.port import Receiver
from sm_cli.errors import CarrierAway, ConfigurationError
from sm_cli.store.postgres.errors import explain_error
from sm_cli.store.postgres.session import PostgresSession, Undone
from sm_cli.store.postgres.url import PostgresUrl, parse_url
from sm_cli.store.sql.transaction import Transaction

log = logging.getLogger("sm.worker")

#: The task that a hint is for Procrastinate.
TASK = "sm.work"
#: Seconds between two looks for a free slot, of who has none; and for queues that nobody here receives yet.
_FULL, _LOOK = 0.05, 1.0
#: Seconds after which Procrastinate looks without a notice: it can miss one that comes while it looks.
_POLL = 0.25
#: Seconds for a connection to be made; and, of who has one, before the server counts as away.
_PATIENCE, _ANSWER = 5, 2
#: Defers a hint for each of these queues. One that waits already says what another one would.
_DEFER = """
SELECT procrastinate_defer_jobs_v1(
    array_agg((queue, $1::text, 0, NULL, NULL, '{}', NULL)::procrastinate_job_to_defer_v1)
)
FROM unnest($2::text[]) AS queue
WHERE NOT EXISTS (
    SELECT FROM procrastinate_jobs WHERE status = 'todo' AND task_name = $1::text AND queue_name = queue
)
HAVING count(*) > 0
"""
_QUEUES = "SELECT DISTINCT queue_name FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s"
#: What a statement fails with where Procrastinate's tables, types or functions are not there.
_MISSING = (pg.UndefinedTable, pg.UndefinedObject, pg.UndefinedFunction)
#: What an answer is that is not the one that was asked for. Else there was none: the server is away.
_REFUSALS = (psycopg.ProgrammingError, psycopg.InternalError, psycopg.IntegrityError, pg.LockNotAvailable)
#: What of Procrastinate is called here: a function for each of its own versions.
_FUNCTIONS = ("procrastinate_defer_jobs_v1", "procrastinate_fetch_job_v2", "procrastinate_prune_stalled_workers_v1")
_FIND = "SELECT count(*) FILTER (WHERE to_regproc(name) IS NULL), count(*) FROM unnest(%s::text[]) AS wanted(name)"


class ProcrastinateCarrier:
    """Hints over Procrastinate's tables in the database of this URL. queues: ours, which it receives from the
    beginning; others as soon as a hint of them waits, unless `only_those`. prefix: what Procrastinate's queues begin
    with."""

    def __init__(self, url: str, prefix: str, queues: Collection[str], *, only_those: bool = False) -> None:
        self._url = parse_url(url)
        self.name = f"Procrastinate in {self._url.place}"
        self._prefix = f"{prefix}."
        self._queues = dict.fromkeys(self._prefix + queue for queue in queues)
        self._only_those = only_those
        self._over = threading.Event()
        self._sender: psycopg.Connection | None = None
        self._stop_loop: Callable[[], object] = lambda: None
        # What goes wrong is said once, and by us; a server that is away is a traceback to it.
        for noisy in ("procrastinate", "psycopg.pool"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)

    def check_access(self) -> None:
        """Raises ConfigurationError where Procrastinate's tables are missing, or too old for what is installed; a
        server that is away may come back."""
        try:
            with self._errors(), _connect(self._url) as connection:
                missing, count = _missing_functions(connection)
        except CarrierAway:
            return
        if missing == count:
            raise ConfigurationError(f"{self.name} is not set up", topic="no engine tables")
        if missing:
            raise _too_old(self._url)

    # -- announcing -----------------------------------------------------------------------------------

    def announce(self, queue: str) -> None:
        """One job, unless one waits."""
        try:
            with self._errors():
                if self._sender is None or self._sender.closed:
                    self._sender = _connect(self._url, f"-c lock_timeout={_ANSWER}s")
                psycopg.RawCursor(self._sender).execute(_DEFER.encode(), self._hints([queue]))
        finally:
            if self._over.is_set():  # `stop` came while it connected
                self._drop_sender()

    def announce_inside(self, transaction: Transaction, queues: Collection[str]) -> None:
        """The same in the transaction that makes the jobs ready. Two that write at the same time may both leave a
        hint, so that neither waits for the other: a doubled hint does no harm."""
        session = transaction.session
        assert isinstance(session, PostgresSession)
        try:
            session.aside(_DEFER, self._hints(queues))
        except Undone as e:
            raise self._away(e) from e

    def _hints(self, queues: Collection[str]) -> tuple[str, list[str]]:
        """What `_DEFER` is given."""
        names = sorted(self._prefix + queue for queue in queues)
        if not self._only_those:
            self._queues |= dict.fromkeys(names)
        return TASK, names

    # -- receiving --------------------------------------------------------------------------------------

    def receive(self, receiver: Receiver) -> None:
        """Run a worker of Procrastinate until `stop`, again whenever there is a queue more. It takes one hint at a
        time: who has no slot keeps that one until it has, and leaves the next to others."""
        with self._errors():
            asyncio.run(self._receive(receiver))

    async def _receive(self, receiver: Receiver) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=_conninfo(self._url), min_size=1, max_size=4, timeout=_ANSWER, reconnect_timeout=_ANSWER
        )
        app = procrastinate.App(connector=connector)

        @app.task(name=TASK, pass_context=True)
        async def work(context: procrastinate.JobContext) -> None:
            while not receiver.has_room() and not self._over.is_set():
                await asyncio.sleep(_FULL)
            receiver.hear(str(context.job.queue).removeprefix(self._prefix))

        over, loop = asyncio.Event(), asyncio.get_running_loop()
        # What fails beside the worker, a hint that somebody deleted while it was carried out, say, costs nothing.
        loop.set_exception_handler(lambda _loop, context: log.debug("Procrastinate: %s", context.get("message")))
        self._stop_loop = lambda: loop.call_soon_threadsafe(over.set)
        # A pool waits half a minute for a server that is away; this does not.
        await (await psycopg.AsyncConnection.connect(_conninfo(self._url))).close()
        async with app.open_async():
            for job in await app.job_manager.get_stalled_jobs(task_name=TASK):  # of workers that were killed
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            receiver.comes_up()
            while not self._over.is_set():
                await self._work(app, over)

    async def _work(self, app: procrastinate.App, over: asyncio.Event) -> None:
        """Run the worker until `over`, or until there is a queue more. Raises CarrierAway when it gives up."""
        queues = list(self._queues)
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=queues, concurrency=1, install_signal_handlers=False, delete_jobs="always",
                fetch_job_polling_interval=_POLL, shutdown_graceful_timeout=_ANSWER,
            )
        )  # fmt: skip
        stop = asyncio.create_task(over.wait())
        try:
            while not stop.done() and len(self._queues) == len(queues):
                await asyncio.wait({worker, stop}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                if worker.done():
                    worker.result()
                    raise CarrierAway(f"{self.name} cannot be reached")
                if not self._only_those:
                    await self._look_for_queues(app)
        finally:
            stop.cancel()
            while not worker.done():  # a pool that lends a connection this moment swallows a cancellation
                worker.cancel()
                await asyncio.wait({worker}, timeout=_ANSWER)
            await asyncio.gather(worker, return_exceptions=True)  # the first error is the one that counts

    async def _look_for_queues(self, app: procrastinate.App) -> None:
        rows = await app.connector.execute_query_all_async(_QUEUES.replace("%s", "%(task)s"), task=TASK)
        names = (row["queue_name"] for row in rows)
        self._queues |= dict.fromkeys(name for name in names if name.startswith(self._prefix))

    def stop(self) -> None:
        """`receive` ends as soon as its worker has."""
        self._over.set()
        with suppress(RuntimeError):  # its loop has ended this moment
            self._stop_loop()
        self._drop_sender()

    def _drop_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the driver and Procrastinate raise of a server that is away, as CarrierAway."""
        try:
            yield
        except (ProcrastinateException, psycopg.Error, PoolTimeout, OSError) as e:
            self._drop_sender()
            raise self._away(e) from e

    def _away(self, error: BaseException) -> CarrierAway:
        """What went wrong, in one sentence. The driver's error may be the cause of the one that was raised."""
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, psycopg.Error):
            cause = cause.__cause__ or cause.__context__
        if isinstance(cause, _MISSING):
            return CarrierAway(f"{self.name} is not set up")
        if isinstance(cause, _REFUSALS):
            return CarrierAway(f"{self.name} takes no hints: {cause.diag.message_primary or type(cause).__name__}")
        return CarrierAway(f"{self.name} cannot be reached")


def install(url: str) -> bool:
    """Make Procrastinate's tables and functions in the schema of this database; whether they were not there. Raises
    ConfigurationError where older ones are, and DatabaseError."""
    place = parse_url(url)
    with _translate_errors(place), _connect(place) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{place.schema} procrastinate",))
        missing, count = _missing_functions(connection)
        if not missing:
            return False
        if missing < count:
            raise _too_old(place)
        connection.execute(SchemaManager.get_schema())
    return True


@contextmanager
def _translate_errors(url: PostgresUrl) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as e:
        raise explain_error(e, url.place) from e


def _too_old(url: PostgresUrl) -> ConfigurationError:
    return ConfigurationError(
        f"the tables of Procrastinate in {url.place} are older than Procrastinate {procrastinate.__version__}",
        hint="Procrastinate brings migrations of its own: its documentation says how they are applied.",
    )


def _missing_functions(connection: psycopg.Connection) -> tuple[int, int]:
    """(how many are missing, of how many)."""
    row = connection.execute(_FIND, (list(_FUNCTIONS),)).fetchone()
    assert row is not None
    return row[0], row[1]


def _conninfo(url: PostgresUrl, more: str = "") -> str:
    """With our schema as the one that Procrastinate's names are looked up in. more: options of the session."""
    options = f"{conninfo_to_dict(url.conninfo).get('options') or ''} {more}"
    return make_conninfo(
        url.conninfo,
        options=f"{options} -c search_path={url.schema}".strip(),
        connect_timeout=_PATIENCE,
        client_encoding="UTF8",
    )


def _connect(url: PostgresUrl, more: str = "") -> psycopg.Connection:
    return psycopg.connect(_conninfo(url, more), autocommit=True)
