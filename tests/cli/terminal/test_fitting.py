"""Tables on a terminal fit it; whoever reads stdout otherwise gets all of them."""

from __future__ import annotations

import re
import time

import pytest

from sm_cli.cli.terminal.fitting import fitted_table, relative_time, time_of_day
from sm_cli.cli.terminal.tables import width
from sm_cli.timestamps import MICROSECONDS
from sm_cli.views.listing import short_refs
from sm_cli.views.records import Store
from tests.cli.conftest import Project
from tests.cli.terminal.screen import Terminal
from tests.store.samples import T0, apply, execution
from tests.views.rows import Rows, map_run

TASK = "StartAt: Pay\nStates:\n  Pay: {Type: Task, Resource: pay, End: true}\n"
HANDLERS = """
@handler
def pay(x):
    if x.get("fail"):
        raise TaskError("AnErrorWhoseNameIsVeryLongSoThatItDoesNotFitIntoATerminalOfEightyColumns", "\\x1b[2J")
    return x
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.handlers(HANDLERS)
    project.workflow(TASK)
    assert project.sm("run", "order").code == 0
    assert project.sm("run", "order", "fail=true", "--name", "a-name").code == 1
    return project


def on_terminal(shop: Project, *arguments: str, columns: int = 80) -> list[str]:
    with Terminal(shop, *arguments, columns=columns) as terminal:
        assert terminal.end() == 0, terminal.screen.text
        assert not any(row.goes_on for row in terminal.screen.rows), "no line is wider than the terminal"
        return [line for line in terminal.screen.lines if line]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_list_fits_and_its_ids_are_references(shop: Project, columns: int) -> None:
    heads, failed, succeeded = on_terminal(shop, "list", columns=columns)
    assert heads.startswith("ID          NAME")
    assert ("STARTED" in heads) == (columns >= 80)
    assert ("ERROR" in heads) == (columns >= 80)
    assert failed.endswith("…") == (columns == 80)
    short = [line.split()[0] for line in (failed, succeeded)]
    assert [len(id) for id in short] == [10, 10]
    full = [each["id"] for each in shop.sm("list", "--json").json]
    assert [shop.sm("show", id, "--json").json["id"] for id in short] == full
    if columns > 40:
        assert re.search(r"  \d+ (s|min) ago  ", failed)


def test_wide_and_pipes_get_all(shop: Project) -> None:
    piped = shop.sm("list").out
    assert re.search(r"[0-9A-Z]{26}  a-name  order:1   FAILED     \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", piped)
    assert shop.sm("list", "-o", "wide").out == piped
    assert "\n".join(on_terminal(shop, "list", "-o", "wide", columns=200)) + "\n" == piped
    assert shop.sm("show", "@last", "-o", "wide").code == 2, "what is no table has no wide form"


def test_a_status_is_coloured_unless_no_color_is_set(shop: Project) -> None:
    with Terminal(shop, "list", columns=80) as terminal:
        terminal.end()
        assert terminal.written.count("\x1b[31mFAILED   \x1b[0m") == 1
        assert "\x1b[32mSUCCEEDED\x1b[0m" in terminal.written
    with Terminal(shop, "history", "@last", columns=80) as terminal:
        terminal.end()
        assert "\x1b[31mFAILED\x1b[0m" in terminal.written
    with Terminal(shop, "list", columns=80, NO_COLOR="1") as terminal:
        terminal.end()
        assert "\x1b[" not in terminal.written


@pytest.mark.parametrize("command", ["history @last", "messages list"])
@pytest.mark.parametrize("columns", [40, 200])
def test_every_table_fits(shop: Project, command: str, columns: int) -> None:
    assert shop.sm("send-message", f"{'key' * 20}={'value' * 30}").code == 0
    assert on_terminal(shop, *command.split(), columns=columns)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_map_runs_are_followed_in_a_line_each(project: Project, columns: int) -> None:
    project.handlers("""
    import pathlib, time
    @handler
    def item(x, context):
        while x > 3 and not pathlib.Path("go").exists() and not context.cancelled.is_set():
            time.sleep(0.01)
    """)
    project.workflow("""
    StartAt: Each
    States:
      Each:
        Type: Map
        Label: E
        MaxConcurrency: 1
        ItemProcessor:
          ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: EXPRESS}
          StartAt: Inner
          States: {Inner: {Type: Task, Resource: item, End: true}}
        End: true
    """)
    for _ in range(2):
        assert project.sm("run", "--detach", "--input", "[1, 2, 3, 4, 5, 6]").code == 0
    project.start("worker", "-q")
    with Terminal(project, "map-runs", "--follow", columns=columns) as terminal:
        terminal.until(lambda screen: len(re.findall(r"^order/E (━*╸?─* )?3/6", screen.text, re.M)) == 2, "both runs")
        assert not any(row.goes_on for row in terminal.screen.rows)
        project.write("go", "")
        assert terminal.end() == 0
        heads, *runs = terminal.screen.lines[:3]
        assert heads.startswith("MAP RUN")
        assert all("SUCCEEDED" in run for run in runs)
        assert "3/6" not in terminal.screen.text


def test_a_token_is_never_cut(project: Project) -> None:
    project.handlers("@handler\ndef hand_over(x): return None\n")
    project.workflow("""
    StartAt: C
    States:
      C:
        Type: Task
        Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
        Parameters: {FunctionName: hand_over, Payload: {token.$: $$.Task.Token}}
        End: true
    """)
    assert project.sm("run", "--detach").code == 0
    assert project.sm("worker", "--once").code == 0
    [task] = project.sm("task", "list", "--json").json
    with Terminal(project, "task", "list", columns=40) as terminal:
        terminal.end()
        assert task["token"] in terminal.screen.text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--workflow", "ordr"), "no execution of workflow 'ordr'; did you mean 'order'?"),
        (("--workflow", "x\x1b[2J"), "no execution of workflow 'x\\x1b[2J'"),
        (("--status", "running"), "there is no execution that is RUNNING"),
        (("--workflow", "order", "--status", "running"), "no execution of workflow 'order' is RUNNING"),
    ],
)
def test_an_empty_list_is_a_sentence_on_stderr(shop: Project, arguments: tuple[str, ...], sentence: str) -> None:
    result = shop.sm("list", *arguments)
    assert (result.code, result.out, result.err) == (0, "", f"{sentence}\n")
    assert shop.sm("list", *arguments, "--json").json == []


def test_no_execution_at_all_is_a_sentence(project: Project) -> None:
    project.database()
    result = project.sm("list")
    assert (result.code, result.out, result.err) == (0, "", "there is no execution\n")


def test_time_in_the_queue_is_a_column_and_not_work(project: Project) -> None:
    project.handlers("@handler\ndef pay(x): return x\n")
    project.workflow(TASK)
    assert project.sm("run", "--detach").code == 0
    end = time.monotonic() + 30
    while not re.search(r"RUNNING .*  [1-9][\d.]* s +0 ms\n", project.sm("history", "@last").out):
        assert time.monotonic() < end
    assert project.sm("worker", "--once").code == 0
    heads, line = project.sm("history", "@last").out.splitlines()
    assert heads.split() == ["STATE", "TYPE", "STATUS", "STARTED", "QUEUED", "DURATION"]
    assert re.fullmatch(r"Pay +Task +SUCCEEDED +\S+ \S+  \d+\.\d s +\d+ ms", line)


def test_a_short_id_names_one_now_and_later() -> None:
    rows = Rows()
    store: Store = rows.store
    ids = ["01K0000000AAAA", "01K0000000AABB", "01K0000001CCCC"]
    apply(rows.store, new_executions=[execution(i, ref=ref) for i, ref in enumerate(ids, 1)])
    assert short_refs(store, ids) == dict(zip(ids, ["01K0000000AAA", "01K0000000AAB", "01K0000001"], strict=True))
    assert short_refs(store, [ids[1]]) == {ids[1]: "01K0000000AAB"}, "those that are not shown count too"
    runs = ["01K0000000AAAA-1-1", "01K0000000AAAA-1-10"]
    rows.put(new_map_runs=[map_run(i, ref=ref) for i, ref in enumerate(runs, 1)])
    assert short_refs(store, runs, map_runs=True) == {run: run for run in runs}


def test_the_last_column_is_cut_and_others_go() -> None:
    heads, rows = ("A", "B", "C"), [("aaaa", "bbbb", "c" * 20), ("日本", "", "c")]
    assert fitted_table(heads, rows, 20) == ["A     B     C", "aaaa  bbbb  ccccccc…", "日本        c"]
    assert fitted_table(heads, rows, 17) == ["A     B", "aaaa  bbbb", "日本"]
    assert fitted_table(heads, rows, 5) == ["A", "aaaa", "日本"]
    assert fitted_table(heads, rows, 3) == ["A", "aa…", "日…"]
    assert max(map(width, fitted_table(heads, rows, 20, whole="C"))) == 32


def test_times_are_told_as_a_person_says_them() -> None:
    spans = (0, 59, 60, 3599, 3600, 47 * 3600, 3 * 86400)
    assert [relative_time(T0 - s * MICROSECONDS, T0) for s in spans] == [
        "0 s ago", "59 s ago", "1 min ago", "59 min ago", "1 h ago", "47 h ago", "3 d ago",
    ]  # fmt: skip
    assert relative_time(T0 + 120 * MICROSECONDS, T0) == "in 2 min"
    assert re.fullmatch(r"2025-1[01]-\d\d", relative_time(T0 - 60 * 86400 * MICROSECONDS, T0))
    assert len(time_of_day(T0, T0)) == 8
    assert len(time_of_day(T0 - 2 * 86400 * MICROSECONDS, T0)) == 19
