"""Four processes write to one file for a minute: how long one of them waits for a commit, at most."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.engines import prepared
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store

PROCESSES, SECONDS = 4, 60
PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def through_sm(path: Path, end: float) -> list[float]:
    """The seconds that each execution took to start and to end, both in one transaction."""
    store, workflow, waits = open_store(str(path)), prepared(PASS), []
    engine = Engine(store)
    while (begun := time.monotonic()) < end:
        engine.start(workflow, {"at": begun})
        waits.append(time.monotonic() - begun)
    store.close()
    return waits


def stock(path: Path, end: float) -> list[float]:
    """The same by nothing but sqlite3 and its own busy handler."""
    connection, waits = sqlite3.connect(path, timeout=60, isolation_level=None), []
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (v TEXT)")
    while (begun := time.monotonic()) < end:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?)", (f"{begun}" * 20,))
        connection.execute("COMMIT")
        waits.append(time.monotonic() - begun)
    connection.close()
    return waits


def writer(kind: str, path: Path, end: float, answers: Any) -> None:
    answers.put((stock if kind == "stock" else through_sm)(path, end))


def together(kind: str, path: Path, seconds: float) -> list[list[float]]:
    """What each of the processes waited. Raises when one of them failed."""
    (stock if kind == "stock" else through_sm)(path, 0)  # makes the file
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    end = time.monotonic() + seconds + 1
    processes = [context.Process(target=writer, args=(kind, path, end, answers)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=seconds + 60) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return found


def run(folder: Path) -> Iterator[Figure]:
    for kind, name, target in (("sm", "sm", "<= 250"), ("stock", "sqlite3 and its busy handler", None)):
        seconds = SECONDS if kind == "sm" else SECONDS / 6
        waits = together(kind, folder / f"{kind}.db", seconds)
        every = sorted(wait for each in waits for wait in each)
        yield Figure(f"{name}: commits of {PROCESSES} processes", len(every) / seconds, "a second")
        yield Figure(f"{name}: p99 of waiting for a commit", every[len(every) * 99 // 100] * 1000, "ms")
        yield Figure(f"{name}: longest wait for a commit", every[-1] * 1000, "ms", target)
        most, least = max(map(len, waits)), min(map(len, waits))
        yield Figure(f"{name}: the busiest of them against the idlest", most / max(1, least), "x")
