"""`sm worker`: queues, one pass, the end, the restart, and handlers that are loaded again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.cli.conftest import Project, ended

pytestmark = pytest.mark.usefixtures("place")

ONE = "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n"
THREE = """
StartAt: S1
States:
  S1: {Type: Task, Resource: step, ResultPath: $.one, Next: S2}
  S2: {Type: Task, Resource: step, ResultPath: $.two, Next: S3}
  S3: {Type: Task, Resource: step, ResultPath: $.three, End: true}
"""
#: Notes each of its runs in a file; stays in S2 while the file `hold` is there.
STEP = """
import os, pathlib, time
@handler
def step(input, context):
    with open("log", "a") as log:
        log.write(f"{context.state} {context.attempt} {context.idempotency_key} {sorted(input)}\\n")
    while context.state == "S2" and pathlib.Path("hold").exists() and not context.cancelled.is_set():
        time.sleep(0.01)
    return context.state
"""
ORDER = """
@handler
def work(input):
    with open("log", "a") as log:
        log.write(input["queue"] + "\\n")
"""


def soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def log(project: Project) -> list[str]:
    file = project.path / "log"
    return file.read_text().splitlines() if file.exists() else []


def status(project: Project, name: str) -> str:
    found: str = project.sm("show", name, "--json").json["status"]
    return found


def in_step_two(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """A worker whose handler is in S2."""
    project.workflow(THREE)
    project.handlers(STEP)
    project.write("hold", "")
    assert project.sm("run", "--detach", "--name", "n1", "given=1").code == 0
    worker = project.start("worker", "--name", "w1", *arguments)
    soon(lambda: len(log(project)) == 2)
    return worker


def test_a_worker_killed_in_the_second_step_goes_on_there_when_it_is_started_again(project: Project) -> None:
    worker = in_step_two(project)
    worker.kill()
    worker.wait()
    (project.path / "hold").unlink()
    again = project.process("worker", "--name", "w1", "--drain")
    assert again.code == 0
    lines = [line.split(" ", 3) for line in log(project)]
    assert [line[0] for line in lines] == ["S1", "S2", "S2", "S3"]
    assert lines[1] == lines[2]  # the same attempt, the same key, its own input
    assert lines[1][3] == "['given', 'one']"
    assert project.sm("output", "n1").json == {"given": 1, "one": "S1", "two": "S2", "three": "S3"}


def test_a_worker_that_is_told_to_stop_lets_its_handlers_end(project: Project) -> None:
    worker = in_step_two(project)
    worker.send_signal(signal.SIGTERM)
    assert worker.stderr is not None
    worker.stderr.readline()
    assert worker.stderr.readline() == "worker w1 waits up to 10 s for 1 handler; a second signal ends it at once\n"
    (project.path / "hold").unlink()
    result = ended(worker)
    assert (result.code, result.err) == (0, "worker w1 stopped\n")
    assert len(log(project)) == 2
    assert '"two":"S2"' in project.sm("history", "n1", "--json").out
    assert project.sm("worker", "--drain").code == 0
    assert [line.split()[0] for line in log(project)] == ["S1", "S2", "S3"]


def test_what_does_not_end_in_its_time_is_given_back_and_taken_at_once(project: Project) -> None:
    worker = in_step_two(project, "--grace", "0.1s")
    worker.send_signal(signal.SIGINT)
    result = ended(worker)
    assert result.code == 130
    assert result.err.endswith("worker w1 stopped; 1 job given back\n")
    (project.path / "hold").unlink()
    assert project.sm("worker", "--drain", "--name", "w2").code == 0
    assert status(project, "n1") == "SUCCEEDED"
    assert [line.split()[0] for line in log(project)] == ["S1", "S2", "S2", "S3"]


def test_a_second_signal_ends_a_worker_that_waits_for_its_handlers(project: Project) -> None:
    worker = in_step_two(project)
    assert worker.stderr is not None
    worker.stderr.readline()
    worker.send_signal(signal.SIGTERM)
    worker.stderr.readline()
    worker.send_signal(signal.SIGTERM)
    assert ended(worker).code == 143
    assert status(project, "n1") == "RUNNING"


def test_once_follows_each_execution_as_far_as_it_goes(project: Project) -> None:
    project.workflow(THREE)
    project.handlers(STEP)
    for name in ("n1", "n2"):
        project.sm("run", "--detach", "--name", name)
    result = project.sm("worker", "--once")
    assert result.code == 0
    assert sorted(line.split()[0] for line in log(project)) == ["S1", "S1", "S2", "S2", "S3", "S3"]
    assert {status(project, "n1"), status(project, "n2")} == {"SUCCEEDED"}
    assert result.err.splitlines()[-1] == "2 ended: 2 SUCCEEDED; nothing is left"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--queues", "critical:6,default:3,low:1"], "critical default critical critical default critical low"),
        (["--queues", "low,default", "--strict"], "low low low low default default default default"),
        (["--queues", "low"], "low low low low"),
        ([], "critical default critical critical default critical low"),
    ],
)
def test_queues_are_served_as_the_options_say(project: Project, options: list[str], expected: str) -> None:
    project.workflow(ONE)
    project.handlers(ORDER)
    for queue in ("low", "default", "critical"):
        for _ in range(4):
            assert project.sm("run", "--detach", "--priority", queue, f"queue={queue}").code == 0
    assert project.sm("worker", "--drain", "--concurrency", "1", *options).code == 0
    order = " ".join(log(project))
    assert order.startswith(expected)
    assert len(log(project)) == (12 if "critical" in expected else len(expected.split()))


def test_the_configuration_names_the_queue_of_a_workflow_and_the_queues_of_a_worker(project: Project) -> None:
    project.write("sm.toml", 'queues = "low:2,default"\n[priority]\norder = "low"\n')
    project.workflow(ONE)
    project.handlers(ORDER)
    project.sm("run", "--detach", "--name", "a", "--priority", "critical", "queue=critical")
    project.sm("run", "--detach", "--name", "b", "queue=low")
    assert project.sm("worker", "--drain").code == 0
    assert (status(project, "a"), status(project, "b")) == ("RUNNING", "SUCCEEDED")
    project.sm("worker", "--drain", "--queues", "low")
    assert status(project, "a") == "RUNNING"
    project.sm("worker", "--drain", "--queues", "critical")
    assert status(project, "a") == "SUCCEEDED"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--queues", "a:0"], "--queues takes a whole number from 1 on, not '0'"),
        (["--queues", "a:x"], "--queues takes a whole number from 1 on, not 'x'"),
        (["--queues", "a,,b"], "--queues takes a queue's name, of letters, digits, '-', '_' and '.', not ''"),
        (["--queues", "a:1,a:2"], "--queues names 'a' twice"),
        (["--once", "--drain"], "--once and --drain exclude each other"),
        (["--grace", "soon"], "--grace takes seconds or a span like 30s, 5m, 1h or 1h30m, not 'soon'"),
    ],
)
def test_options_that_make_no_sense_are_refused(project: Project, arguments: list[str], sentence: str) -> None:
    result = project.sm("worker", *arguments)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_a_priority_that_is_no_name_of_a_queue_is_refused(project: Project) -> None:
    project.workflow(ONE)
    project.handlers(ORDER)
    assert project.sm("run", "--priority", "very high").code == 2
    project.write("sm.toml", "priority = 3\n")
    result = project.sm("run")
    assert result.code == 7
    assert "priority is a table of queues by workflow, not 3" in result.err


def test_reload_without_its_package_says_what_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = project.sm("worker", "--reload")
    assert result.code == 7
    assert "--reload needs the package watchfiles, which is not installed" in result.err
    assert "pip install watchfiles" in result.err


def test_reload_loads_handlers_again_and_keeps_them_when_a_file_is_broken(project: Project) -> None:
    project.workflow(ONE)
    file = project.handlers("@handler\ndef work(input): return 'old'\n")
    project.database()
    worker = project.start("worker", "--name", "w1", "--reload")
    assert worker.stderr is not None
    assert worker.stderr.readline().startswith("worker w1: 1 handlers from handlers/")
    pipe = worker.stderr.fileno()

    def change(text: str, says: str) -> None:
        # Before the watch has begun no change is noticed: it is made again until one is.
        said = b""

        def told() -> bool:
            nonlocal said
            file.write_text(f"{text}\n# {time.monotonic()}\n")
            if select.select([pipe], [], [], 1)[0]:
                said += os.read(pipe, 65536)
            return says in said.decode()

        soon(told)

    change("def broken(:", "the handlers stay as they were")
    new = "from sm_cli import handler\n@handler\ndef work(input): return 'new'"
    change(new, "1 handlers loaded again from handlers/")
    assert project.sm("run", "--detach", "--name", "n1").code == 0
    soon(lambda: status(project, "n1") == "SUCCEEDED")
    assert project.sm("output", "n1").json == "new"
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
