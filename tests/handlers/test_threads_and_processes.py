"""Whatever a handler returns, raises, forks, says or is told is the same in a thread and in a process of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.handlers.handler import Failure, Success
from tests.engine.workers import soon
from tests.handlers.places import PLACES, SAMPLES, Place, place


@pytest.fixture(params=PLACES, scope="module")
def here(request: pytest.FixtureRequest) -> Iterator[Place]:
    with place(request.param) as made:
        yield made


@pytest.mark.parametrize(
    ("error", "name", "cause"),
    [
        ("mute", "Mute", "(its text cannot be read: RuntimeError)"),
        ("bare", "Bare", ""),
        ("data as cause", "E", '{"code":[1]}'),
        ("number as name", "404", ""),
        ("not UTF-8", "?", "?"),
        ("a set as cause", "E", "{1}"),
        ("exit", "SystemExit", "3"),
        ("group", "ExceptionGroup", "many (1 sub-exception)"),
    ],
)
def test_whatever_is_raised_has_a_name_and_a_cause(here: Place, error: str, name: str, cause: str) -> None:
    failure = here.run("raise", error)
    assert (failure.error, failure.cause) == (name, cause)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("ordered", {"a": 1}),
        ("default", {"a": [1]}),
        ("counter", {"a": 2}),
        ("named tuple", [1, {"z": [2, 3]}]),
        ("deep", {"deep": [{}]}),
    ],
)
def test_objects_and_arrays_by_other_names_are_json(here: Place, value: str, result: Any) -> None:
    assert here.run("return", value) == Success(result)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("set", "$.a is of type set"),
        ("bytes", "$[1] is of type bytes"),
        ("type as key", "of type type; JSON keys are strings"),
        ("subclass as key", "of type Key; JSON keys are strings"),
        ("nan", "$[1] is nan, which JSON does not have"),
    ],
)
def test_what_is_not_json_is_named(here: Place, value: str, sentence: str) -> None:
    ended = here.run("return", value)
    assert isinstance(ended, Failure)
    assert sentence in ended.cause


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python tells who forks beside threads
@pytest.mark.parametrize(("raises", "status"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("name", ["fork", "fork_async"])
def test_a_child_that_a_handler_forks_ends_with_the_handler(here: Place, name: str, raises: bool, status: int) -> None:
    assert here.run(name, raises) == Success(status)
    assert here.run("echo", "next") == Success("next")


@pytest.mark.parametrize("name", ["outer", "outer_async"])
def test_the_traceback_has_the_frames_of_the_handlers_files(here: Place, name: str) -> None:
    failure = here.run(name, {})
    assert (failure.error, failure.cause) == ("KeyError", "'not there'")
    file = SAMPLES / "endings.py"
    assert [line.split("\n")[0].partition(", line ")[0] for line in failure.stack] == [f'  File "{file}"'] * 2
    assert [line.split("\n")[0].rpartition(", in ")[2] for line in failure.stack] == [name, "_inner"]


def test_the_context_says_the_same(here: Place) -> None:
    told: list[Any] = ["ref", "name", "w", "S", 1, "ref-1-1", "token", "told:this", False]
    assert here.run("told:this") == Success(told)


@pytest.mark.parametrize("name", ["echo", "echo_async"])
@pytest.mark.parametrize(
    "value", [None, 2**64 - 1, -0.0, "é\u2028\x00", [[]] * 3, {"": {"a": [True, False]}}], ids=repr
)
def test_data_comes_and_goes_as_it_is(here: Place, name: str, value: Any) -> None:
    assert here.run(name, value) == Success(value)


def test_data_may_be_thirty_megabytes_long_and_two_hundred_levels_deep(here: Place) -> None:
    long: list[Any] = ["x" * 1000] * 30_000
    assert here.run("echo", long) == Success(long)
    deep: Any = []
    for _ in range(199):
        deep = [deep]
    assert here.run("echo", deep) == Success(deep)


def test_heartbeats_are_heard(here: Place) -> None:
    beats: list[int] = []
    here.submit("beats", 3, beat=lambda: beats.append(1))
    assert here.results(1) == [(1, Success(None))]
    assert len(beats) == 3


@pytest.mark.parametrize("name", PLACES)
def test_what_it_prints_and_logs_is_seen(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with place(name) as here:
        assert here.run("speaks", "it") == Success(None)
    printed = capfd.readouterr()
    assert "printed it\n" in printed.out + printed.err
    assert "complained it\n" in printed.err
    records = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert records == [
        ("sm.handler.S", logging.WARNING, "logged it"),
        ("sm.handler.S", logging.ERROR, "met it"),
    ]
    assert "KeyError: 'not there'" in caplog.text


def test_a_cancelled_handler_that_heeds_it_ends_and_its_result_is_dropped(here: Place, tmp_path: Path) -> None:
    for name in ("heeds", "heeds_async"):
        begun, ended = tmp_path / f"{name} begun", tmp_path / f"{name} ended"
        given = here.submit(name, {"begun": str(begun), "ended": str(ended)})
        soon(begun.exists)
        here.pool.cancel(1, 1)
        assert given.cancelled.is_set() or name == "heeds_async"  # which is cancelled itself
        soon(lambda: here.pool.free == 2)
        assert ended.exists()
        assert here.pool.drain() == []
    assert here.run("echo", "next") == Success("next")


def test_a_cancelled_handler_keeps_its_slot_until_it_ends(here: Place, tmp_path: Path) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    os.mkfifo(gate)
    given = here.submit("gated", {"begun": str(begun), "gate": str(gate)})
    soon(begun.exists)
    here.pool.cancel(1, 1)
    assert given.cancelled.is_set()
    assert here.pool.free == 1
    # The same task may run again meanwhile.
    assert here.run("echo", "second") == Success("second")
    assert here.pool.free == 1
    gate.write_text("open", encoding="utf-8")
    soon(lambda: here.pool.free == 2)
    assert here.pool.drain() == []


def test_a_handler_cancelled_before_it_begins_ends_too(here: Place, tmp_path: Path) -> None:
    for name in ("heeds", "heeds_async"):
        for frame in range(10):
            marks = {"begun": str(tmp_path / "begun"), "ended": str(tmp_path / "ended")}
            here.submit(name, marks, frame)
            here.pool.cancel(frame, 1)
            soon(lambda: here.pool.free == 2)
    assert here.pool.drain() == []
    assert here.run("echo", "next") == Success("next")


def test_as_many_run_at_once_as_there_are_slots(here: Place, tmp_path: Path) -> None:
    gates = [tmp_path / f"gate {frame}" for frame in (1, 2)]
    for frame, gate in enumerate(gates, 1):
        os.mkfifo(gate)
        here.submit("gated", {"begun": f"{gate} begun", "gate": str(gate)}, frame)
    soon(lambda: all(Path(f"{gate} begun").exists() for gate in gates))
    assert here.pool.free == 0
    for gate in gates:
        gate.write_text("open", encoding="utf-8")
    assert sorted(here.results(2)) == [(1, Success("done")), (2, Success("done"))]


def test_it_runs_where_it_was_meant_to(here: Place) -> None:
    assert (here.run("where").result[0] == os.getpid()) is (here.processes is None)
