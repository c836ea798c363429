"""`sm history`: states for people, AWS's events for who knows them, JSON for scripts."""

from __future__ import annotations

import json

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine.engine import prepare
from sm_cli.errors import TaskError
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.testing import FakeClock, Simulation
from tests.cli.conftest import Project, ended

WORKFLOW = """
StartAt: Try
States:
  Try:
    Type: Task
    Resource: flaky
    Retry: [{ErrorEquals: [States.ALL], MaxAttempts: 2, JitterStrategy: FULL}]
    ResultPath: $.tried
    Next: Each
  Each:
    Type: Map
    ItemsPath: $.items
    ItemProcessor:
      StartAt: One
      States: {One: {Type: Pass, End: true}}
    ResultPath: null
    Next: Both
  Both:
    Type: Parallel
    Branches:
      - {StartAt: Left, States: {Left: {Type: Pass, Next: After}, After: {Type: Succeed}}}
      - {StartAt: Right, States: {Right: {Type: Pass, End: true}}}
    ResultPath: null
    End: true
"""


@pytest.fixture
def done(project: Project) -> Project:
    """A project with one execution that is done, named `n1`; its backoffs took no real time."""
    calls: list[object] = []

    def flaky(order: object) -> int:
        calls.append(order)
        if len(calls) < 3:
            raise TaskError("Again", "not yet")
        return len(calls)

    document = parse(WORKFLOW).document
    assert document is not None
    store = SqliteStore(project.path / ".sm" / "sm.db")
    simulation = Simulation(prepare(document, "order"), {"flaky": flaky}, FakeClock(), store=store)
    execution, _, jobs = simulation.engine.start(
        simulation.workflow, {"items": [5, 6]}, name="n1", taker=simulation.taker()
    )
    simulation.todo.extend(jobs)
    assert simulation.finish(execution).status == "SUCCEEDED"
    store.close()
    project.workflow(WORKFLOW)
    project.handlers("@handler\ndef flaky(x): return 0\n")
    return project


def _columns(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()]


def test_states_are_shown_with_status_times_duration_and_retries(done: Project) -> None:
    result = done.sm("history", "n1")
    assert result.code == 0
    heads, *rows = _columns(result.out)
    assert heads == ["STATE", "TYPE", "STATUS", "STARTED", "DURATION", "RETRIES"]
    assert rows[0][:3] == ["Try", "Task", "SUCCEEDED"]
    assert rows[0][-1] == "2"
    assert all(row[2] == "SUCCEEDED" or row[3] == "SUCCEEDED" for row in rows)


def test_iterations_and_branches_are_indented_under_their_state(done: Project) -> None:
    names = [line[:13].rstrip() for line in done.sm("history", "n1").out.splitlines()[1:]]
    assert names[:4] == ["Try", "Each", "  [0] One", "  [1] One"]
    assert names[4] == "Both"
    assert sorted(names[5:]) == ["  [0] After", "  [0] Left", "  [1] Right"]


def test_payloads_are_shown_when_asked_for(done: Project) -> None:
    plain, full = done.sm("history", "n1").out, done.sm("history", "n1", "--payloads").out
    assert '{"items":[5,6],"tried":3}' not in plain
    assert 'input  {"items":[5,6]}' in full
    assert 'output {"items":[5,6],"tried":3}' in full


def test_events_are_awss_one_a_line(done: Project) -> None:
    lines = done.sm("history", "n1", "--events").out.splitlines()
    assert [line.split()[0] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
    assert lines[0].split()[2] == "ExecutionStarted"
    assert lines[1].split()[2:] == ["TaskStateEntered", "Try"]
    assert lines[4].split()[2:] == ["TaskFailed", "Again"]
    assert lines[-1].split()[2] == "ExecutionSucceeded"
    assert '"cause":"not yet"' in done.sm("history", "n1", "--events", "--payloads").out


def test_json_has_the_execution_and_its_states(done: Project) -> None:
    found = done.sm("history", "n1", "--json").json
    assert (found["name"], found["status"], found["input"]) == ("n1", "SUCCEEDED", {"items": [5, 6]})
    first = found["states"][0]
    assert (first["name"], first["retries"], first["output"]) == ("Try", 2, {"items": [5, 6], "tried": 3})
    assert {tuple(state["where"]) for state in found["states"]} == {
        (), ("Each[0]",), ("Each[1]",), ("Both[0]",), ("Both[1]",),
    }  # fmt: skip


def test_json_of_the_events_is_what_get_execution_history_answers(done: Project) -> None:
    events = done.sm("history", "n1", "--events", "--json").json["events"]
    assert events[0]["executionStartedEventDetails"]["input"] == '{"items":[5,6]}'
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("how", ["id", "prefix", "name", "@last"])
def test_an_execution_is_named_in_four_ways(done: Project, how: str) -> None:
    ref = done.sm("list", "--json").json[0]["id"]
    reference = {"id": ref, "prefix": ref[:12], "name": "n1", "@last": "@last"}[how]
    assert done.sm("history", reference).code == 0


def test_what_is_not_there_is_exit_3(done: Project) -> None:
    result = done.sm("history", "nothing")
    assert result.code == 3
    assert "no execution is named 'nothing'" in result.err


def test_a_prefix_of_several_is_asked_back(done: Project) -> None:
    done.sm("run", "--name", "n2", "items=[]")
    result = done.sm("history", "0")
    assert result.code == 4
    assert "name one by its id" in result.err


def test_a_failed_state_shows_its_error(project: Project) -> None:
    project.workflow("{StartAt: Bad, States: {Bad: {Type: Fail, Error: Broken, Cause: it is}}}")
    project.sm("run")
    heads, row = _columns(project.sm("history", "@last").out)
    assert heads[-1] == "ERROR"
    assert (row[2], row[-1]) == ("FAILED", "Broken")


@pytest.mark.parametrize("options", [[], ["--events"], ["--json"]])
def test_follow_prints_all_of_a_closed_execution_and_ends(done: Project, options: list[str]) -> None:
    result = done.sm("history", "n1", "--follow", *options)
    assert result.code == 0
    assert result.err.endswith(" SUCCEEDED\n")
    last = result.out.splitlines()[-1]
    if options == ["--json"]:
        assert json.loads(last)["type"] == "ExecutionSucceeded"
    else:
        assert ("ExecutionSucceeded" in last) if options else ("✓ Both" in last)


def test_follow_prints_what_comes(project: Project) -> None:
    project.workflow("StartAt: W\nStates:\n  W: {Type: Message, CorrelationKey: k, CorrelationValue: 1, End: true}\n")
    project.sm("run", "--detach", "--name", "n1")
    process = project.start("history", "n1", "--follow", "--events")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert "MessageSubscribed" in lines[2]
    project.sm("stop", "n1", "--error", "Enough")
    rest = ended(process)
    assert "ExecutionAborted" in rest.out
    assert rest.err.endswith(" ABORTED\n")


def test_only_states_that_failed_are_shown_with_where_they_are(project: Project) -> None:
    project.workflow("""
StartAt: Each
States:
  Each:
    Type: Map
    ItemsPath: $.items
    ToleratedFailurePercentage: 100
    ItemProcessor:
      StartAt: Odd
      States:
        Odd:
          Type: Choice
          Choices: [{Variable: $, NumericEquals: 3, Next: Bad}]
          Default: Good
        Bad: {Type: Fail, Error: Broken}
        Good: {Type: Succeed}
    End: true
""")
    project.sm("run", "--name", "n1", "items=[1,3,5]")
    heads, *rows = _columns(project.sm("history", "n1", "--failed").out)
    assert heads == ["STATE", "WHERE", "TYPE", "STATUS", "STARTED", "DURATION"]
    assert [row[:4] for row in rows] == [["Bad", "Each[1]", "Fail", "FAILED"]]
    (state,) = project.sm("history", "n1", "--failed", "--json").json["states"]
    assert (state["name"], state["where"], state["status"]) == ("Bad", ["Each[1]"], "FAILED")


def test_the_newest_states_and_events_come_last(done: Project) -> None:
    whole = done.sm("history", "n1", "--json").json
    found = done.sm("history", "n1", "--limit", "2", "--json").json
    assert found == {**whole, "states": whole["states"][-2:]}
    assert len(done.sm("history", "n1", "--limit", "2").out.splitlines()) == 3
    events = done.sm("history", "n1", "--events", "-o", "jsonl").out.splitlines()
    assert done.sm("history", "n1", "--events", "-o", "jsonl", "--limit", "3").out.splitlines() == events[-3:]


def test_one_state_is_shown_wherever_it_was_entered(done: Project) -> None:
    found = done.sm("history", "n1", "--state", "One", "--json").json["states"]
    assert [(state["name"], state["where"]) for state in found] == [("One", ["Each[0]"]), ("One", ["Each[1]"])]


def test_an_answer_without_states_says_so(done: Project) -> None:
    result = done.sm("history", "n1", "--failed")
    assert (result.code, len(result.out.splitlines())) == (0, 1)
    assert "no state of execution n1 is one of these" in result.err
    assert done.sm("history", "n1", "--since", "2100-01-01").err == result.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--follow", "--limit", "3"], "--follow shows all that comes"),
        (["--events", "--failed"], "choose among states"),
        (["--limit", "none"], "--limit takes a whole number"),
        (["--since", "yesterday"], "--since takes a span"),
    ],
)
def test_options_that_do_not_go_together_are_exit_2(done: Project, options: list[str], sentence: str) -> None:
    result = done.sm("history", "n1", *options)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_a_long_table_looks_like_a_short_one_and_shows_every_column(project: Project) -> None:
    project.workflow("""
StartAt: Count
States:
  Count: {Type: Pass, Parameters: {"n.$": "States.MathAdd($.n, 1)"}, Next: More}
  More:
    Type: Choice
    Choices: [{Variable: $.n, NumericLessThan: 150, Next: Count}]
    Default: A state with a long name
  A state with a long name: {Type: Fail, Error: Enough}
""")
    project.sm("run", "--name", "n1", "n=0")
    heads, *rows = project.sm("history", "n1").out.splitlines()
    assert heads.split() == ["STATE", "TYPE", "STATUS", "STARTED", "QUEUED", "DURATION", "RETRIES", "ERROR"]
    assert len(rows) == 301
    assert rows[0].split()[:3] == ["Count", "Pass", "SUCCEEDED"]
    assert rows[-1].startswith("A state with a long name  Fail")
    assert rows[-1].endswith("Enough")
    whole = project.sm("history", "n1", "--json").json
    assert [state["name"] for state in whole["states"]] == [row.split()[0] for row in rows[:-1]] + [rows[-1][:24]]
