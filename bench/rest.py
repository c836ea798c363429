"""REST: what a start costs beside the engine's facade, 16 clients, 100 reads in flight, 200 followers; one `sm serve`.

The server is a process with a worker inside, over a durable SQLite file; the clients are one other process, which
writes its requests by hand, so that it takes little of the processors. The load of the machine is printed beside what
was measured: compare figures of one run, and take targets from a machine that is quiet. SM_BENCH_REST=many,reads runs
those parts alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import aws
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from tests.engine.workers import workflow

API = "/api/v1"
ALONE, STARTS, CLIENTS = 400, 4000, 16
READS, IN_FLIGHT = 6000, 100
FOLLOWERS, EVENTS, SPAN = 200, 20, 6.0
ORDER = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
WAITS = {
    "StartAt": "M",
    "States": {
        "M": {"Type": "Message", "CorrelationKey": "k", "CorrelationValue": 1, "ResultPath": "$.got", "Next": "C"},
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.got.stop", "IsPresent": True, "Next": "E"}],
            "Default": "M",
        },
        "E": {"Type": "Succeed"},
    },
}
HANDLER = """
from sm_cli.handlers.handler import handler

@handler
def work(x):
    return x
"""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[int]:
    """The port of a server over a new database, in a project with the workflow and its handler."""
    folder.mkdir()
    (folder / "workflows").mkdir()
    (folder / "workflows" / "order.json").write_text(json.dumps(ORDER))
    (folder / "handlers").mkdir()
    (folder / "handlers" / "work.py").write_text(HANDLER)
    command = [sys.executable, "-m", "sm_cli", "serve", "--port", "0", "--create", "--no-ui", *options]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stderr=log, env={**os.environ, "SM_TRUST": "1"})
        try:
            while (found := _ADDRESS.search((folder / "log").read_text())) is None:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            yield int(found[1])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


class Client:
    """One connection that is kept alive, and asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))

    async def ask(self, request: bytes, statuses: tuple[int, ...] = (200, 201)) -> bytes:
        """The body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert int(head[9:12]) in statuses, head
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None, head
        return await self._reader.readexactly(int(length[1]))

    async def lines(self, request: bytes) -> Any:
        """Those of an answer that has no end."""
        self._writer.write(request)
        await self._reader.readuntil(b"\r\n\r\n")
        while line := await self._reader.readline():
            yield line

    def close(self) -> None:
        self._writer.close()


def posting(path: str, body: Any) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"POST {API}{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
    )
    return f"{head}\r\n\r\n".encode() + text


def getting(path: str) -> bytes:
    return f"GET {API}{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def by_facade(path: Path) -> float:
    """Milliseconds of a start, in the middle."""
    store = open_store(f"sqlite:{path}")
    engine, order = Engine(store), workflow(ORDER, "order")
    times = []
    for number in range(ALONE + 40):
        begin = time.perf_counter()
        engine.start(order, {"n": number})
        times.append(time.perf_counter() - begin)
    store.close()
    return statistics.median(times[40:]) * 1000


async def by_rest(port: int) -> float:
    """As `by_facade`, by one client."""
    client, times = await Client.connect(port), []
    for number in range(ALONE + 40):
        request = posting("/executions", {"workflow": "order", "input": {"n": number}})
        begin = time.perf_counter()
        await client.ask(request)
        times.append(time.perf_counter() - begin)
    client.close()
    return statistics.median(times[40:]) * 1000


async def many_starts(port: int) -> tuple[float, float]:
    """(started, finished) a second, by 16 clients."""
    clients = [await Client.connect(port) for _ in range(CLIENTS)]
    numbers = iter(range(STARTS))
    begin = time.perf_counter()

    async def start(client: Client) -> None:
        for number in numbers:
            await client.ask(posting("/executions", {"workflow": "order", "input": {"n": number}}))

    await asyncio.gather(*map(start, clients))
    started = time.perf_counter() - begin
    while json.loads(await clients[0].ask(getting("/executions/count?status=SUCCEEDED")))["count"] < STARTS:
        await asyncio.sleep(0.1)
    finished = time.perf_counter() - begin
    for client in clients:
        client.close()
    return STARTS / started, STARTS / finished


async def many_reads(port: int) -> tuple[float, float, float]:
    """(median, 99th percentile in milliseconds, reads a second), 100 in flight."""
    clients = [await Client.connect(port) for _ in range(IN_FLIGHT)]
    ref = json.loads(await clients[0].ask(posting("/executions", {"workflow": "order"})))["id"]
    request, times = getting(f"/executions/{ref}"), []
    numbers = iter(range(READS + 5 * IN_FLIGHT))

    async def read(client: Client) -> None:
        for number in numbers:
            begin = time.perf_counter()
            await client.ask(request)
            if number >= 5 * IN_FLIGHT:
                times.append(time.perf_counter() - begin)

    begin = time.perf_counter()
    await asyncio.gather(*map(read, clients))
    rate = (READS + 5 * IN_FLIGHT) / (time.perf_counter() - begin)
    for client in clients:
        client.close()
    times.sort()
    return statistics.median(times) * 1000, times[int(0.99 * len(times))] * 1000, rate


async def followed(port: int) -> tuple[float, list[float]]:
    """(what is left of the worker's throughput while 200 follow, milliseconds until the last of 200 heard of each
    event)."""
    control, clients = await Client.connect(port), [await Client.connect(port) for _ in range(FOLLOWERS)]
    body = {"definition": WAITS, "workflow_name": "waits"}
    ref = json.loads(await control.ask(posting("/executions", body)))["id"]
    heard: list[list[float]] = [[] for _ in clients]
    ready: set[Client] = set()

    async def follow(client: Client, times: list[float]) -> None:
        async for line in client.lines(getting(f"/executions/{ref}/events/stream")):
            ready.add(client)  # it has what was before
            if b"MessageReceived" in line or b"MessageStateExited" in line:
                times.append(time.perf_counter())

    rates: dict[bool, list[float]] = {False: [], True: []}
    delays: list[float] = []
    for is_followed in (False, True, False, True):
        tasks = [asyncio.create_task(follow(*pair)) for pair in zip(clients, heard, strict=True)] if is_followed else []
        while is_followed and len(ready) < FOLLOWERS:
            await asyncio.sleep(0.05)
        ready.clear()
        await asyncio.sleep(0.5)
        load = asyncio.create_task(_load(port))
        for _ in range(EVENTS):
            await asyncio.sleep(SPAN / EVENTS)
            before = [len(times) for times in heard]
            begin = time.perf_counter()
            await control.ask(posting("/messages", {"key": "k", "value": 1}), (200, 201, 202))
            if is_followed:
                while any(len(times) == count for times, count in zip(heard, before, strict=True)):
                    await asyncio.sleep(0.002)
                delays.append((max(times[-1] for times in heard) - begin) * 1000)
        rates[is_followed].append(await load)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            client.close()
        clients = [await Client.connect(port) for _ in range(FOLLOWERS)]
    for client in (control, *clients):
        client.close()
    return max(rates[True]) / max(rates[False]), delays


async def _load(port: int) -> float:
    """Executions that the worker finished a second, kept busy by a few clients."""
    clients = [await Client.connect(port) for _ in range(4)]
    end = time.perf_counter() + SPAN
    counting = getting("/executions/count?workflow=order&status=SUCCEEDED")
    before, begin = json.loads(await clients[0].ask(counting))["count"], time.perf_counter()

    async def start(client: Client) -> None:
        while time.perf_counter() < end:
            await client.ask(posting("/executions", {"workflow": "order"}))

    await asyncio.gather(*map(start, clients))
    after, took = json.loads(await clients[0].ask(counting))["count"], time.perf_counter() - begin
    for client in clients:
        client.close()
    return float((after - before) / took)


def loaded(name: str) -> str:
    """The name of a figure, with the load of the machine while it was measured."""
    return f"{name} (load {os.getloadavg()[0]:.1f})"


def run(folder: Path) -> Iterator[Figure]:
    parts: dict[str, Callable[[Path], Iterator[Figure]]] = {
        "alone": _alone, "many": _many, "reads": _reads, "followers": _followers,
    }  # fmt: skip
    chosen = os.environ.get("SM_BENCH_REST", ",".join(parts)).split(",")
    for name in chosen:
        yield from parts[name](folder)
    if len(chosen) == len(parts):
        (folder / "aws").mkdir()
        yield from aws.run(folder / "aws")


def _alone(folder: Path) -> Iterator[Figure]:
    facade = by_facade(folder / "facade.db")
    with serving(folder / "alone", "--workers", "0") as port:
        rest = asyncio.run(by_rest(port))
    yield Figure(loaded("a start by the facade, p50"), facade, "ms")
    yield Figure("a start by REST, p50", rest, "ms")
    yield Figure("a start by REST, of one by the facade", rest / facade, "x", "<= 3")


def _many(folder: Path) -> Iterator[Figure]:
    with serving(folder / "many") as port:
        started, finished = asyncio.run(many_starts(port))
    yield Figure(loaded(f"started by {CLIENTS} clients, one Task each"), started, "a second", ">= 500")
    yield Figure("  of these, finished by the worker inside", finished, "a second")


def _reads(folder: Path) -> Iterator[Figure]:
    with serving(folder / "reads") as port:
        median, late, rate = asyncio.run(many_reads(port))
    yield Figure(loaded(f"a read with {IN_FLIGHT} in flight, p99"), late, "ms", "<= 50")
    yield Figure("  p50", median, "ms")
    yield Figure("  reads", rate, "a second")


def _followers(folder: Path) -> Iterator[Figure]:
    with serving(folder / "followers") as port:
        rest, delays = asyncio.run(followed(port))
    yield Figure(loaded(f"an event reaches the last of {FOLLOWERS} followers, p50"), statistics.median(delays), "ms")
    yield Figure("  the slowest", max(delays), "ms", "<= 200")
    yield Figure("  of the worker's throughput that is left", rest, "x", ">= 0.9")
