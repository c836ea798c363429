"""The words for what is under way: bars, rates, waits; and a line every ten seconds where there is no terminal."""

from __future__ import annotations

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.cli.terminal.live import Nobody
from sm_cli.cli.terminal.progress import Rates, bar, clock_time, deadline_words, map_words, wait_words
from sm_cli.cli.terminal.region import Painted
from sm_cli.cli.terminal.tables import cut_to_width, rough_duration, width, wrap
from sm_cli.interpreter.frame import Frame, Join, Opens
from sm_cli.interpreter.timers import TimerKind
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.watch import Progress
from tests.store.samples import T0, frame, timer

RETRY = [{"ErrorEquals": ["ConnectionError"], "MaxAttempts": 4}]
TASK = compile_program(
    {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "r", "Retry": RETRY, "End": True}}}  # type: ignore[dict-item]
).root.states["A"]


def each(join: Join | None, opens: int = Opens.CHILDREN) -> Frame:
    return frame(1, state="M", join=join, opens=opens)


def text(parts: list[Painted]) -> str:
    return "".join(part.text for part in parts)


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (90, "━━━━━━━━──────────────────────────────── 205/1000 · 410/s · 2 s left · 1 failed"),
        (55, "━━━───────────── 205/1000 · 410/s · 2 s left · 1 failed"),
        (44, "━──── 205/1000 · 410/s · 2 s left · 1 failed"),
        (43, "━━────────── 205/1000 · 2 s left · 1 failed"),
        (34, "━━╸─────────── 205/1000 · 1 failed"),
        (20, "205/1000 · 1 failed"),
        (None, "205/1000 · 410/s · 2 s left · 1 failed"),
    ],
)
def test_a_map_is_told_in_the_room_that_there_is(room: int | None, words: str) -> None:
    said = text(map_words(Join(1000, settled_items=205, failed_items=1), 410, room))
    assert room is None or width(said) <= room
    assert said == words


@pytest.mark.parametrize(
    ("join", "opens", "words"),
    [
        (Join(0), Opens.JOB, "reads its items"),
        (Join(0), 0, "begins"),
        (Join(9, settled_items=9), Opens.JOB, "writes its results"),
        (Join(9, settled_items=9), 0, "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 9/9"),
    ],
)
def test_a_map_that_reads_or_writes_says_so(join: Join, opens: int, words: str) -> None:
    assert text(map_words(join, None, 80, opens=opens)) == words


def test_a_bar_is_never_full_before_the_end() -> None:
    assert text(bar(0, 1000, 10)) == "──────────"
    assert text(bar(999, 1000, 10)) == "━━━━━━━━━╸"
    assert text(bar(1000, 1000, 10)) == "━━━━━━━━━━"


def test_a_rate_is_that_of_the_last_seconds() -> None:
    rates = Rates()
    assert rates.of(1, Join(100)) is None
    for second, settled in ((0, 0), (1, 50), (2, 60), (7, 70), (8, 80)):
        rates.note(1, Join(100, settled_items=settled), T0 + second * MICROSECONDS)
    assert rates.of(1, Join(100)) == pytest.approx(20 / 6)
    assert rates.of(1, Join(100, activation=7)) is None, "a fork of its own"
    rates.note(2, None, T0)
    assert rates.of(2, Join(100)) is None


@pytest.mark.parametrize(
    ("rate", "words"), [(0.5, "30/min · 3 m left"), (0.001, "4/h · 25 h left"), (0, ""), (None, "")]
)
def test_a_slow_rate_is_told_by_the_minute_or_hour(rate: float | None, words: str) -> None:
    said = text(map_words(Join(100, settled_items=10), rate, None))
    assert said == " · ".join(word for word in ("10/100", words) if word)


def test_what_time_brings_is_told_in_the_words_of_why() -> None:
    def waits(kind: TimerKind, seconds: int) -> Progress:
        return Progress(frame(1, retries=(2,)), TASK, timer(1, T0 + seconds * MICROSECONDS, kind))

    later = clock_time(T0 + 900 * MICROSECONDS, T0)
    assert wait_words(waits(TimerKind.BACKOFF, 3), "ConnectionError", T0) == (
        "tried again in 3 s (attempt 3 of 5): ConnectionError"
    )
    assert wait_words(waits(TimerKind.BACKOFF, 900), "Other", T0) == f"tried again at {later} (attempt 3): Other"
    assert wait_words(waits(TimerKind.DELAY, 3), None, T0) == "goes on in 3 s"
    assert wait_words(waits(TimerKind.DELAY, 900), None, T0) == f"until {later}"
    assert wait_words(waits(TimerKind.DEADLINE, 3), None, T0) == ""
    assert wait_words(None, None, T0) == ""
    assert deadline_words(waits(TimerKind.DEADLINE, 3), T0) == ", 3 s left"
    assert deadline_words(waits(TimerKind.DEADLINE, 900), T0) == f" until {later}"
    assert deadline_words(waits(TimerKind.DELAY, 9), T0) == ""
    assert len(later) == 5
    assert len(clock_time(T0 + 86400 * MICROSECONDS, T0)) == 16, "another day comes with its date"


def test_without_a_terminal_there_is_a_line_and_less_often_while_nothing_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nobody, lines = Nobody(), []
    assert nobody.interval == 10 * MICROSECONDS
    for ten in range(1, 21):
        settled = min(ten, 4) * 100
        progress = [Progress(each(Join(1000, settled_items=settled, failed_items=2)), TASK, None)]
        nobody.report(progress, T0 + ten * 10 * MICROSECONDS)
        if line := capsys.readouterr().err:
            lines.append((ten, line))
    assert [ten for ten, _ in lines] == [1, 2, 3, 4, 5, 7, 11, 19]
    assert lines[0][1] == "  … M 100/1000 · 2 failed\n"
    assert lines[2][1] == "  … M 300/1000 · 10/s · 70 s left · 2 failed\n"


def test_a_line_names_states_where_no_map_is_under_way_and_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = Nobody()
    frames = [frame(i, state=f"S{i}\x1b[2J", entered_at=T0) for i in range(6)]
    nobody.report([Progress(each, TASK, None) for each in frames], T0 + 12 * MICROSECONDS)
    states = "; ".join(f"S{i}\\u001b[2J for 12.0 s" for i in range(4))
    assert capsys.readouterr().err == f"  … {states} and 2 more\n"
    nobody.report([], T0 + 30 * MICROSECONDS)
    assert capsys.readouterr().err == ""


def test_cells_are_counted_when_text_is_cut_or_broken() -> None:
    assert [cut_to_width("日本語 text", to) for to in (11, 8, 4, 1, 0)] == ["日本語 text", "日本語 …", "日…", "…", ""]
    assert wrap("the quick brown foxjumpsoverthelazydog", 10) == [
        "the quick",
        "brown",
        "foxjumpsov",
        "erthelazyd",
        "og",
    ]
    assert wrap("日本語", 5) == ["日本", "語"]


def test_a_rough_duration_is_rounded_up() -> None:
    seconds = (0, 1.2, 89, 90, 3599, 7200, 200_000)
    assert [rough_duration(round(each * MICROSECONDS)) for each in seconds] == [
        "0 s", "2 s", "89 s", "2 m", "60 m", "2 h", "3 d",
    ]  # fmt: skip
