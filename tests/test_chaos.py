"""The promise in short: workers are killed without end, and every execution ends as in a calm run. `bench/chaos`
does the same for minutes."""

from __future__ import annotations

from pathlib import Path

from bench import chaos, chaos_batches, chaos_postgres, chaos_schedules, chaos_stops


def test_workers_are_killed_and_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in chaos.short(tmp_path)}
    assert [str(figure) for figure in figures.values() if figure.met is False] == []
    assert figures["kills of a worker"].value >= 10
    assert figures["executions, and task attempts in them"].value == 8
    assert figures["children of distributed Maps"].value == 6 * 12 + 2 * 21


def test_workers_and_the_server_are_killed_and_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in chaos_postgres.short(tmp_path)}
    assert [str(figure) for figure in figures.values() if figure.met is False] == []
    assert figures["kills of a worker"].value >= 10
    assert figures["kills of the server"].value >= 2
    assert figures["executions, and task attempts in them"].value == 8


def test_workers_are_stopped_and_their_clocks_jump_and_nobody_else_notices(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in chaos_stops.short(tmp_path)}
    assert [str(figure) for figure in figures.values() if figure.met is False] == []
    assert figures["stops of a worker"].value >= 3
    assert figures["stops of a worker inside a transaction"].value >= 1
    assert figures["jumps of the workers' clocks"].value >= 1
    assert figures["greedy executions"].value == 2


def test_workers_are_killed_and_every_time_of_a_schedule_starts_one_execution(tmp_path: Path) -> None:
    figures = {figure.name: figure for figure in chaos_schedules.short(tmp_path)}
    assert [str(figure) for figure in figures.values() if figure.met is False] == []
    assert figures["kills of a worker"].value >= 10


def test_batches_live_through_kills_of_whoever_works_on_them(tmp_path: Path) -> None:
    figures = list(chaos_batches.short(tmp_path))
    assert [figure for figure in figures if figure.met is False] == []
