"""The pool: how many handlers run, what comes back of them, and what a cancelled one still holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sm_cli.handlers.handler import Context, Handler, Success
from sm_cli.store.records import Job
from sm_cli.worker.pool import Pool
from tests.engine.workers import soon


def job(frame: int, seq: int = 1) -> Job:
    return Job(frame * 100 + seq, 1, frame, seq, "S", "h", frame)


def context() -> Context:
    return Context("ref", "name", "w", "S", 1, "key")


def submit(pool: Pool, frame: int, function: Callable[..., Any], seq: int = 1) -> Context:
    given = context()
    pool.submit(job(frame, seq), Handler("h", function), lambda: given)
    return given


def results(pool: Pool, count: int) -> list[Any]:
    found: list[Any] = []
    soon(lambda: len(found.extend(pool.drain()) or found) >= count)  # type: ignore[func-returns-value]
    return [(done.job.frame, done.outcome) for done in found]


async def echo(input: Any) -> Any:
    await asyncio.sleep(0)
    return input


def test_results_come_back_with_their_jobs_and_free_the_slots() -> None:
    woken = threading.Event()
    pool = Pool(3, woken.set)
    for frame, function in ((1, lambda input: input * 2), (2, echo)):
        submit(pool, frame, function)
    assert sorted(results(pool, 2)) == [(1, Success(2)), (2, Success(2))]
    assert woken.is_set()
    assert pool.free == 3
    pool.close()


def test_a_thread_is_used_again() -> None:
    pool = Pool(1, lambda: None)
    threads = []
    for frame in range(5):
        submit(pool, frame, lambda input: threads.append(threading.get_ident()))
        results(pool, 1)
    assert len(set(threads)) == 1
    pool.close()


def test_a_cancelled_handler_keeps_its_slot_until_it_ends_and_its_result_is_dropped() -> None:
    pool, gate = Pool(1, lambda: None), threading.Event()
    begun = threading.Event()
    given = submit(pool, 1, lambda input, context: begun.set() or gate.wait(60))  # type: ignore[func-returns-value]
    assert begun.wait(60)
    pool.cancel(1, 1)
    assert given.cancelled.is_set()
    assert pool.free == 0
    gate.set()
    soon(lambda: pool.free == 1)
    assert pool.drain() == []
    pool.close()


def test_a_handler_that_hangs_beyond_its_cancellation_loses_its_slot(caplog: pytest.LogCaptureFixture) -> None:
    pool, gate = Pool(1, lambda: None, patience=0), threading.Event()
    submit(pool, 1, lambda input: gate.wait(60))
    assert pool.free == 0
    pool.cancel(1, 1)
    assert pool.free == 1
    assert pool.free == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the handler 'h' goes on although its task was cancelled 0 s ago; another one gets its place"
    ]
    submit(pool, 2, lambda input: "next")
    assert results(pool, 1) == [(2, Success("next"))]
    gate.set()
    soon(lambda: pool._idle == 2)
    assert (pool.free, pool.drain()) == (1, [])
    pool.close()


def test_the_same_task_may_run_again_while_its_cancelled_handler_still_ends() -> None:
    pool, gate = Pool(2, lambda: None), threading.Event()
    submit(pool, 1, lambda input: gate.wait(60))
    pool.cancel(1, 1)
    submit(pool, 1, lambda input: "second")
    assert results(pool, 1) == [(1, Success("second"))]
    gate.set()
    soon(lambda: pool.free == 2)
    assert pool.drain() == []
    pool.close()


def test_an_async_handler_is_cancelled_before_its_first_step_and_in_the_middle() -> None:
    pool, ended = Pool(2, lambda: None), []

    async def work(input: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append(input)
            raise

    for frame in range(20):
        submit(pool, frame, work)
        if frame % 2:
            soon(lambda: pool._loop is not None and len(asyncio.all_tasks(pool._loop)) > 0)
        pool.cancel(frame, 1)
        soon(lambda: pool.free == 2)
    assert set(ended) <= set(range(20))
    assert pool.drain() == []
    pool.close()


def test_a_handler_that_was_cancelled_before_it_began_is_told_so() -> None:
    pool, made, found = Pool(1, lambda: None), threading.Event(), []

    def late() -> Context:
        assert made.wait(60)
        return context()

    pool.submit(job(1), Handler("h", lambda input, context: found.append(context.cancelled.is_set())), late)
    pool.cancel(1, 1)
    made.set()
    soon(lambda: pool.free == 1)
    assert found == [True]
    pool.close()


def test_a_context_that_nobody_wants_is_not_made() -> None:
    pool, made = Pool(1, lambda: None), []
    pool.submit(job(1), Handler("h", lambda input: input), lambda: made.append(1) or context())  # type: ignore[func-returns-value]
    assert results(pool, 1) == [(1, Success(1))]
    assert made == []
    pool.close()


def test_a_handler_may_raise_anything() -> None:
    pool = Pool(1, lambda: None)

    def leave(input: Any) -> None:
        raise SystemExit(3)

    submit(pool, 1, leave)
    ((_, outcome),) = results(pool, 1)
    assert outcome.error == "SystemExit"
    pool.close()
