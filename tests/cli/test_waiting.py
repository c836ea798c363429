"""`sm wait` and `sm attach`: executions that others work on."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.cli.conftest import Project, ended

MESSAGE = """
    StartAt: S
    States:
      S: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, Next: T}
      T:
        Type: Choice
        Choices: [{Variable: $.ok, BooleanEquals: false, Next: F}]
        Default: Done
      F: {Type: Fail, Error: Bad, Cause: so it is}
      Done: {Type: Succeed}
"""


@pytest.fixture
def three(project: Project) -> Project:
    project.workflow(MESSAGE)
    for name in ("a", "b", "c"):
        assert project.sm("run", "order", f"v={name}", "--name", name, "--detach").code == 0
    return project


def go_on(project: Project, name: str, ok: bool = True) -> None:
    assert project.sm("send-message", f"k={name}", "--data", json.dumps({"ok": ok})).code == 0
    assert project.sm("worker", "--drain", "--ok-to-leave").code in (0, 1)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def id_of(project: Project, name: str) -> str:
    found: str = project.sm("show", name, "--json").json["id"]
    return found


@pytest.mark.parametrize(("ok", "code", "status"), [(True, 0, "SUCCEEDED"), (False, 1, "FAILED")])
def test_waiting_ends_with_the_code_of_the_execution(three: Project, ok: bool, code: int, status: str) -> None:
    waiting = three.start("wait", "a")
    go_on(three, "a", ok)
    result = ended(waiting)
    assert (result.code, result.out) == (code, f"{id_of(three, 'a')} {status}\n")
    assert ("error: Bad" in result.err) == (status == "FAILED")


def test_of_several_the_worst_code_counts_and_each_is_told_when_it_ends(three: Project) -> None:
    go_on(three, "a", ok=False)
    waiting = three.start("wait", "b", "a", "b")
    assert first_line(waiting) == f"{id_of(three, 'a')} FAILED\n"
    go_on(three, "b")
    result = ended(waiting)
    assert (result.code, result.out) == (1, f"{id_of(three, 'b')} SUCCEEDED\n")


def test_any_ends_with_the_first_that_ends(three: Project) -> None:
    waiting = three.start("wait", "a", "b", "--any", "-o", "jsonpath=$[*].status")
    go_on(three, "b")
    result = ended(waiting)
    assert (result.code, result.out) == (0, "RUNNING\nSUCCEEDED\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["a", "b"], 6), (["c", "a"], 1), (["c", "a", "--any"], 1), (["a", "b", "--any"], 6), (["c"], 1),
        (["nobody"], 3), (["a", "nobody"], 3), ([], 2),
    ],
)  # fmt: skip
def test_a_time_that_is_over_is_exit_code_6_unless_one_has_failed(three: Project, line: list[str], code: int) -> None:
    go_on(three, "c", ok=False)
    assert three.sm("wait", *line, "--timeout", "0").code == code


def test_the_documents_are_those_of_run(three: Project) -> None:
    go_on(three, "a")
    result = three.sm("wait", "b", "a", "--timeout", "0", "--json")
    assert result.code == 6
    running, good = result.json
    assert (running["name"], running["status"], running["ended"]) == ("b", "RUNNING", None)
    assert (good["name"], good["status"], good["output"]) == ("a", "SUCCEEDED", {"v": "a", "ok": True})
    assert "1 execution is still running" in result.err
    assert three.sm("attach", "a", "-o", "json").json == good


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["wait", "attach"])
def test_who_stops_waiting_stops_nothing(three: Project, command: str, number: int, code: int) -> None:
    process = three.start(command, "a", "-o", "json")
    assert process.stderr is not None
    # After a while something is said: of `wait` that nobody works, of `attach` what is waited for.
    assert process.stderr.readline()
    process.send_signal(number)
    result = ended(process)
    assert result.code == code
    document = json.loads(result.out)
    assert (document[0] if command == "wait" else document)["status"] == "RUNNING"
    assert three.sm("show", "a", "--json").json["status"] == "RUNNING"
    assert ("goes on without you" in result.err) == (command == "attach")


def test_attaching_shows_the_states_and_ends_as_run_does(three: Project) -> None:
    process = three.start("attach", "a")
    assert process.stderr is not None
    assert "S waits for a message; send it with: sm send-message k=a" in process.stderr.readline()
    go_on(three, "a")
    result = ended(process)
    assert (result.code, json.loads(result.out)) == (0, {"v": "a", "ok": True})
    assert "✓ S" in result.err
    assert "✓ Done" in result.err
    assert "SUCCEEDED in" in result.err


def test_attaching_says_what_nothing_moves_for(project: Project) -> None:
    project.workflow("{StartAt: S, States: {S: {Type: Task, Resource: work, End: true}}}")
    project.handlers('@handler("work")\ndef work(input):\n    return 1\n')
    assert project.sm("run", "order", "--name", "a", "--detach").code == 0
    process = project.start("attach", "a")
    assert process.stderr is not None
    assert "handler 'work'" in process.stderr.readline()
    assert project.sm("worker", "--drain").code == 0
    assert ended(process).out == "1\n"


def test_attaching_to_one_that_failed_tells_why(three: Project) -> None:
    go_on(three, "a", ok=False)
    result = three.sm("attach", "a")
    assert (result.code, result.out) == (1, "")
    assert "error: Bad" in result.err
