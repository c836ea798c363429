"""What is said of payloads that AWS would refuse: where, how large, and once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.settings import Settings
from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.step import PAYLOAD_LIMIT
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.open import open_store
from sm_cli.store.sql import rows
from sm_cli.testing import simulate
from sm_cli.worker import passes
from tests.engine.workers import Yard, workflow, yard

#: A text that is exactly as long as AWS allows, quotes among it, and one that is one byte longer.
FITS, TOO_LONG = "x" * (PAYLOAD_LIMIT - 2), "x" * (PAYLOAD_LIMIT - 1)
TASK: dict[str, Any] = {"Type": "Task", "Resource": "work", "End": True}

Warned = Callable[[], list[str]]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Yard]:
    with yard(open_store(f"sqlite:{tmp_path}/sm.db?sync=normal")) as made:
        yield made


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Warned:
    caplog.set_level(logging.WARNING, "sm.engine")
    return lambda: [record.getMessage() for record in caplog.records]


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def returning(value: Json) -> dict[str, Handler]:
    return {"work": Handler("work", lambda _: value)}


def done(here: Yard, definition: dict[str, Any], input: Json = None, result: Json = None) -> Json:
    """Run it in this yard's own process; its output."""
    execution = here.start(workflow(definition), input)
    passes.drain(here.worker(returning(result)), lambda: False)
    assert here.now(execution).closed is not None
    return here.now(execution).output


def test_a_row_of_history_is_long_before_a_payload_is_too_large() -> None:
    assert rows.HISTORY_ROW <= PAYLOAD_LIMIT
    assert (len(dumps(FITS).encode()), len(dumps(TOO_LONG).encode())) == (PAYLOAD_LIMIT, PAYLOAD_LIMIT + 1)


def test_an_input_a_result_and_an_output_of_just_256_kib_are_not_warned_of(here: Yard, warned: Warned) -> None:
    assert done(here, machine(A={"Type": "Pass", "Next": "T"}, T=TASK), FITS, FITS) == FITS
    assert warned() == []


def test_an_execution_with_a_large_input_is_warned_of_once(here: Yard, warned: Warned) -> None:
    definition = machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "End": True})
    for _ in range(2):
        assert done(here, definition, TOO_LONG) == TOO_LONG
    assert warned() == ["an execution of 'w' has an input of 262,145 bytes; AWS allows 262,144"]


def test_what_a_handler_returned_is_warned_of_also_when_the_state_drops_it(here: Yard, warned: Warned) -> None:
    task = {"Type": "Task", "Resource": "work", "ResultPath": None, "Next": "Z"}
    definition = machine(A={"Type": "Pass", "Next": "T"}, T=task, Z={"Type": "Pass", "End": True})
    assert done(here, definition, 1, TOO_LONG) == 1
    assert warned() == ["the state 'T' of 'w' has a result of 262,145 bytes; AWS allows 262,144"]


@pytest.mark.parametrize("resource", ["lambda:eu-west-1:1:function:work", "states:eu-west-1:1:activity:work"])
def test_the_result_of_a_function_or_an_activity_is_warned_of(here: Yard, warned: Warned, resource: str) -> None:
    done(here, machine(T={**TASK, "Resource": f"arn:aws:{resource}"}), 1, TOO_LONG)
    assert warned() == ["the state 'T' of 'w' has a result of 262,145 bytes; AWS allows 262,144"]


def test_what_is_handed_over_to_a_callback_and_what_comes_back_is_warned_of(here: Yard, warned: Warned) -> None:
    execution = here.start(workflow(machine(T={**TASK, "Resource": "work.waitForTaskToken"})))
    passes.drain(here.worker(returning(TOO_LONG)), lambda: False)
    assert here.now(execution).closed is None
    assert warned() == ["the state 'T' of 'w' has a result of 262,145 bytes; AWS allows 262,144"]


def test_a_state_is_warned_of_when_its_output_grew_and_not_when_it_passes_on_what_it_got(
    here: Yard, warned: Warned
) -> None:
    """A and B together are too large from B on; C to E only hand it on, across ticks too, and F has less."""
    half = "x" * 140_000
    definition = machine(
        A={"Type": "Pass", "Result": half, "ResultPath": "$.a", "Next": "B"},
        B={"Type": "Pass", "Parameters": {"twice.$": "States.Array($.a, $.a)"}, "Next": "C"},
        C={"Type": "Pass", "Next": "D"},
        D={"Type": "Task", "Resource": "work", "ResultPath": "$.d", "Next": "E"},
        E={"Type": "Wait", "Seconds": 0, "Next": "F"},
        F={"Type": "Pass", "Result": "small", "End": True},
    )
    assert done(here, definition, {}) == "small"
    assert warned() == ["the state 'B' of 'w' has an output of 280,017 bytes; AWS allows 262,144"]


def test_a_state_that_grew_in_a_later_tick_is_compared_with_what_it_was_entered_with(
    here: Yard, warned: Warned
) -> None:
    definition = machine(T={**TASK, "ResultPath": "$.more"})
    done(here, definition, {"x": "x" * 140_000}, "y" * 140_000)
    assert warned() == ["the state 'T' of 'w' has an output of 280,018 bytes; AWS allows 262,144"]


def test_a_state_of_an_iteration_is_warned_of_once_for_all_of_them(here: Yard, warned: Warned) -> None:
    inner = machine(I=TASK)
    definition = machine(M={"Type": "Map", "ItemProcessor": inner, "ResultSelector": {"n": 1}, "End": True})
    done(here, definition, [1, 2, 3], TOO_LONG)
    assert warned() == ["the state 'I' of 'w' has a result of 262,145 bytes; AWS allows 262,144"]


def test_bytes_count_and_not_characters(here: Yard, warned: Warned) -> None:
    done(here, machine(A={"Type": "Pass", "End": True}), "ü" * 140_000)
    assert warned() == ["an execution of 'w' has an input of 280,002 bytes; AWS allows 262,144"]


def test_names_are_told_without_what_a_terminal_would_obey(here: Yard, warned: Warned) -> None:
    done(here, {"StartAt": "a\x1b[2J", "States": {"a\x1b[2J": TASK}}, 1, TOO_LONG)
    assert warned() == ["the state 'a\\x1b[2J' of 'w' has a result of 262,145 bytes; AWS allows 262,144"]


def test_nothing_is_told_where_awss_limits_are_on(here: Yard, warned: Warned) -> None:
    engine = Engine(here.store, clock=here.clock, settings=Settings(limits=True))
    engine.start(workflow(machine(A={"Type": "Wait", "Seconds": 60, "End": True})), TOO_LONG)
    assert warned() == []


def test_a_simulation_warns_of_nothing(warned: Warned) -> None:
    outcome = simulate(machine(T=TASK), TOO_LONG, handlers={"work": lambda _: TOO_LONG})
    assert (outcome.status, warned()) == ("SUCCEEDED", [])


def test_what_is_small_is_not_measured(here: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(value: Json) -> int:
        raise AssertionError(f"{value!r} was encoded once more")

    monkeypatch.setattr("sm_cli.engine.payload_warnings.size_of", measured)
    many = machine(A={"Type": "Pass", "Next": "T"}, T=TASK)
    for _ in range(3):
        assert done(here, many, "x" * 50_000, "y" * 50_000) == "y" * 50_000
