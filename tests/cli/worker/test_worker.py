"""`sm worker`: works on what there is, with or without waiting."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.conftest import Project, ended

pytestmark = pytest.mark.usefixtures("place")

TASK = "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, Next: B}\n  B: {Type: Task, Resource: work, End: true}\n"
WAIT = "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 3600, End: true}\n"
MESSAGE = "StartAt: A\nStates:\n  A: {Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}\n"
WORK = "@handler\ndef work(x):\n    print('noise')\n    return x\n"


def _statuses(project: Project) -> dict[str, str]:
    return {each["name"]: each["status"] for each in project.sm("list", "--json").json}


def test_drain_does_what_can_be_done_now_and_waits_for_nothing(project: Project) -> None:
    project.handlers(WORK)
    for name, text in (("task", TASK), ("wait", WAIT), ("message", MESSAGE)):
        project.workflow(text, f"{name}.yaml")
        project.sm("run", name, "--detach", "--name", name)
    result = project.sm("worker", "--drain")
    assert (result.code, result.out) == (0, "")
    assert "noise\n" in result.err
    assert _statuses(project) == {"task": "SUCCEEDED", "wait": "RUNNING", "message": "RUNNING"}


def test_a_worker_without_handlers_warns_and_leaves_tasks_to_others(project: Project) -> None:
    project.workflow(TASK)
    project.handlers(WORK)
    project.sm("run", "--detach", "--name", "n1")
    (project.path / "handlers").rename(project.path / "elsewhere")
    result = project.sm("worker", "--drain")
    assert result.code == 6
    assert result.err.splitlines()[-1] == "nothing ended; 1 still waits: no handler for 'work'"
    assert (
        "sm: warning: there is no handlers/: this worker runs timers, messages, http:invoke, and reads and writes for "
        "Maps, but no other task" in result.err
    )
    assert _statuses(project) == {"n1": "RUNNING"}
    assert project.sm("worker", "--drain", "--handlers", "elsewhere").code == 0
    assert _statuses(project) == {"n1": "SUCCEEDED"}


def test_a_worker_works_on_what_others_start_until_it_is_told_to_stop(project: Project, place: str) -> None:
    project.workflow(TASK)
    project.handlers(WORK)
    project.database()
    worker = project.start("worker", "--name", "w1", "--concurrency", "3")
    assert worker.stderr is not None
    where = ", in processes of their own" if place == "processes" else ""
    assert worker.stderr.readline() == f"worker w1: 1 handlers from handlers/, 3 at once{where}, on .sm/sm.db\n"
    ref = project.sm("run", "--detach", "a=1").out.strip()
    assert project.sm("history", ref, "--follow").code == 0
    assert project.sm("output", ref).json == {"a": 1}
    worker.send_signal(signal.SIGTERM)
    result = ended(worker)
    assert result.code == 0
    assert "worker w1 stopped" in result.err


def test_json_logs_are_one_object_a_line(project: Project) -> None:
    project.workflow(TASK)
    project.handlers(
        "@handler\ndef work(x, context):\n    context.logger.warning('careful with %s', x)\n    return x\n"
    )
    result = project.sm("run", "--log-format", "json", "a=1")
    logged = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert [(line["level"], line["logger"], line["message"]) for line in logged] == [
        ("warning", "sm.handler.A", "careful with {'a': 1}"),
        ("warning", "sm.handler.B", "careful with {'a': 1}"),
    ]
