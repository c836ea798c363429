"""The live picture as a person sees it: at three widths, while the terminal changes its size, and at its end."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Project
from tests.cli.terminal.screen import Screen, Terminal

_SPINNERS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
WIDTHS = pytest.mark.parametrize("columns", [40, 80, 200])

HANDLERS = """
import pathlib, time

def held(name, context):
    while not pathlib.Path(name).exists() and not context.cancelled.is_set():
        time.sleep(0.01)

CALLS = []

@handler
def work(x):
    return x

@handler
def unsure(x):
    CALLS.append(x)
    if len(CALLS) < 3:
        raise TaskError("ConnectionError")

@handler
def item(x, context):
    if x["i"] >= 205:
        held("all", context)
    if x["i"] in (7, 8, 9):
        raise TaskError("Broken")

@handler
def slow(x, context):
    held("go", context)

@handler
def noisy(x, context):
    print("printed by a handler")
    print("\\x1b]0;a title\\x07", end="")
    print("one that is much longer than forty cells, which the terminal breaks itself")
    held("go", context)

@handler
def hand_over(x):
    return None
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    return project


def states(*definitions: str) -> str:
    """A workflow of these states, each with its name, in this order."""
    names = [each.partition(":")[0] for each in definitions]
    follows = [*(f"Next: {name}" for name in names[1:]), "End: true"]
    body = "\n".join(f"  {d.rstrip('}')}, {f}}}" for d, f in zip(definitions, follows, strict=True))
    return f"StartAt: {names[0]}\nStates:\n{body}\n"


def pictured(screen: Screen) -> list[str]:
    """The lines of the picture, without spinners."""
    return [row.text[2:] for row in screen.rows if row.text[:1] in _SPINNERS and row.text]


_END = "execution ID of w:1 SUCCEEDED in TIME"


def steady(line: str) -> str:
    """Without what time changes."""
    line = re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", line)
    return re.sub(r"\b([0-9A-Z]{26}) of \S+:1\b", "ID of w:1", line)


def ended(terminal: Terminal) -> list[str]:
    """What is left on the screen at the end."""
    code = terminal.end()
    screen = terminal.screen
    assert code == 0, screen.text
    assert screen.cursor_shown
    assert not pictured(screen), screen.text
    return [steady(line) for line in screen.lines if line]


def never_wraps(screen: Screen) -> bool:
    """No line of the picture is wider than the terminal, and each stands there once."""
    rows = [row for row in screen.rows if row.text[:1] in _SPINNERS and row.text]
    names = [re.split(r"  | [━─\d]", row.text[2:].lstrip())[0] for row in rows]
    return not any(row.goes_on for row in rows) and len(names) == len({*names})


@WIDTHS
def test_thirty_states_pass_and_each_leaves_its_line(shop: Project, columns: int) -> None:
    names = [f"Number{i}" for i in range(30)]
    shop.workflow(
        states(*(f"{name}: {{Type: Task, Resource: {'slow' if i == 20 else 'work'}}}" for i, name in enumerate(names)))
    )
    with Terminal(shop, "run", columns=columns, height=12) as terminal:
        terminal.until(lambda screen: pictured(screen) and pictured(screen)[0].startswith("Number20"), "Number20")
        assert never_wraps(terminal.screen)
        shop.write("go", "")
        assert ended(terminal) == [
            *(f"  ✓ {name}  TIME" for name in names),
            "execution ID of w:1 SUCCEEDED in TIME",
            "null",
        ]


@WIDTHS
def test_a_map_of_a_thousand_has_a_bar(shop: Project, columns: int) -> None:
    each = "Type: Map, ItemsPath: $.items, MaxConcurrency: 4, ToleratedFailureCount: 3, ResultPath: null"
    inner = "ItemProcessor: {StartAt: Inner, States: {Inner: {Type: Task, Resource: item, End: true}}}"
    shop.workflow(
        f"StartAt: M\nStates:\n  M: {{{each}, {inner}, Next: Done}}\n  Done: {{Type: Pass, Result: 1, End: true}}\n"
    )
    items = shop.write("input.json", '{"items": [' + ", ".join(f'{{"i": {i}}}' for i in range(1000)) + "]}")
    with Terminal(shop, "run", "--input", str(items), columns=columns) as terminal:
        terminal.shows(r"205/1000.*3 failed")
        bar, inside = pictured(terminal.screen)
        assert re.fullmatch(r"M (━*╸?─* )?205/1000( · [\d,]+/\w+)?( · \d+ \w left)? · 3 failed", bar)
        assert "━" in bar or columns == 40
        assert inside.startswith("  Inner ×4  ")
        assert never_wraps(terminal.screen)
        shop.write("all", "")
        failures = [f"    ✗ {i}: Inner  TIME  Broken" for i in (7, 8, 9)]
        lines = ended(terminal)
        assert sorted(lines[:3]) == failures, "those at work at once end in any order"
        assert lines[3:] == ["  ✓ M  TIME", "  ✓ Done  TIME", "execution ID of w:1 SUCCEEDED in TIME", "1"]


@WIDTHS
def test_a_retry_says_when_which_and_why(shop: Project, columns: int) -> None:
    retry = "Retry: [{ErrorEquals: [ConnectionError], IntervalSeconds: 2, BackoffRate: 1, MaxAttempts: 4}]"
    shop.workflow(f"StartAt: A\nStates:\n  A: {{Type: Task, Resource: unsure, {retry}, End: true}}\n")
    with Terminal(shop, "run", columns=columns) as terminal:
        terminal.shows(r"A  \S+ m?s  tried again in [12] s")
        words = "A  TIME  tried again in TIME (attempt 2 of 5): ConnectionError"
        [line] = [steady(line) for line in pictured(terminal.screen)]
        assert line == words if columns > 60 else words.startswith(line.removesuffix("…")) and line.endswith("…")
        terminal.shows(r"attempt 3" if columns > 60 else "A  2")
        assert never_wraps(terminal.screen)
        assert ended(terminal) == ["  ✓ A  TIME, 2 retries", "execution ID of w:1 SUCCEEDED in TIME", "null"]


@WIDTHS
def test_a_message_and_a_callback_say_what_they_wait_for(shop: Project, columns: int) -> None:
    shop.workflow("""
    StartAt: Both
    States:
      Both:
        Type: Parallel
        End: true
        Branches:
          - StartAt: M
            States: {M: {Type: Message, CorrelationKey: orderId, CorrelationValue: ORD-1, End: true}}
          - StartAt: C
            States:
              C:
                Type: Task
                Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
                TimeoutSeconds: 9
                Parameters: {FunctionName: hand_over, Payload: {token.$: $$.Task.Token}}
                Catch: [{ErrorEquals: [States.Timeout, Enough], Next: D}]
                End: true
              D: {Type: Wait, Seconds: 2, End: true}
    """)
    with Terminal(shop, "run", columns=columns) as terminal:
        terminal.shows(r"C  \S+ s  waits for its")
        [both, message, callback] = map(steady, pictured(terminal.screen))
        assert both.startswith("Both  TIME  0/2 branches")
        assert "  M  TIME  waits for message orderId=ORD-1".startswith(message.removesuffix("…"))
        assert "  C  TIME  waits for its callback, TIME left".startswith(callback.removesuffix("…"))
        terminal.shows("sm task list")
        assert never_wraps(terminal.screen)
        [task] = shop.sm("task", "list", "--json").json
        assert shop.sm("task", "failure", task["token"], "--error", "Enough").code == 0
        assert shop.sm("send-message", "orderId=ORD-1").code == 0
        terminal.shows(r"D  \S+ m?s  goes on in [12] s")
        assert ended(terminal) == [
            "  … M waits for a message; send it with: sm send-message orderId=ORD-1",
            "    ↷ 1: C  TIME  Enough",
            "  ✓ Both  TIME",
            "execution ID of w:1 SUCCEEDED in TIME",
            *json.dumps(shop.sm("output", "@last").json, indent=2).splitlines(),
        ]


def six_branches(shop: Project) -> None:
    branches = ", ".join(
        f"{{StartAt: A{i}, States: {{A{i}: {{Type: Task, Resource: slow, End: true}}}}}}" for i in range(6)
    )
    shop.workflow(f"""
    StartAt: First
    States:
      First: {{Type: Task, Resource: work, Next: Six branches under way at once}}
      Six branches under way at once: {{Type: Parallel, Branches: [{branches}], ResultPath: null, Next: Last}}
      Last: {{Type: Pass, Result: 1, End: true}}
    """)


def test_after_a_resize_nothing_is_left_over(shop: Project) -> None:
    six_branches(shop)
    with Terminal(shop, "run", columns=80) as terminal:
        for columns, height in ((200, 24), (40, 24), (30, 10), (23, 24), (120, 12), (80, 24)):
            terminal.until(lambda screen: len(pictured(screen)) >= 2, "the picture")
            terminal.resize(columns, height)
            terminal.draws_again()
            assert never_wraps(terminal.screen), (columns, height, terminal.screen.text)
            assert len(pictured(terminal.screen)) == 7, terminal.screen.text
        shop.write("go", "")
        names = ("First", "Six branches under way at once", "Last")
        assert ended(terminal) == [
            *(f"  ✓ {name}  TIME" for name in names),
            "execution ID of w:1 SUCCEEDED in TIME",
            "1",
        ]


def test_a_low_terminal_shows_what_fits(shop: Project) -> None:
    six_branches(shop)
    with Terminal(shop, "run", columns=60, height=6) as terminal:
        terminal.shows("and 3 more states")
        terminal.draws_again()
        assert len(pictured(terminal.screen)) == 4
        assert len(terminal.screen.rows) <= 6
        shop.write("go", "")
        assert ended(terminal)[-1] == "1"


def test_what_a_handler_prints_stands_above_the_picture(shop: Project) -> None:
    shop.workflow("StartAt: A\nStates:\n  A: {Type: Task, Resource: noisy, ResultPath: null, End: true}\n")
    with Terminal(shop, "run", columns=40) as terminal:
        terminal.shows("terminal breaks itself")
        terminal.draws_again()
        assert terminal.screen.lines[0] == "printed by a handler"
        assert len(pictured(terminal.screen)) == 1
        shop.write("go", "")
        shown = ended(terminal)
        assert shown[:2] == [
            "printed by a handler",
            "\\u001b]0;a title\\u0007one that is much longer than forty cells, which the terminal breaks itself",
        ]
