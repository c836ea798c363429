"""Handlers in processes of their own: whatever one does to its process, its task fails and nothing else does."""

from __future__ import annotations

import logging
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.handler import Context, Failure, Success, run_handler
from sm_cli.store.open import open_store
from sm_cli.store.records import Status
from sm_cli.worker.processes.process import Process
from sm_cli.worker.processes.processes import Processes
from sm_cli.worker.worker import Worker
from tests.engine.workers import one_task, soon, workflow, yard
from tests.handlers.places import SAMPLES, Place, place
from tests.store.asking import asked

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place("processes") as made:
        yield made


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def pid_of(here: Place) -> int:
    pid: int = here.run("where").result[0]
    return pid


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("SIGSEGV", "the handler's process ended with signal 11 (SIGSEGV)"),
        ("SIGKILL", "the handler's process ended with signal 9 (SIGKILL)"),
        ("SIGABRT", "the handler's process ended with signal 6 (SIGABRT)"),
        ("0", "the handler's process ended with exit code 0"),
        ("3", "the handler's process ended with exit code 3"),
    ],
)
def test_a_process_that_ends_fails_its_task_and_the_next_one_finds_another(here: Place, how: str, cause: str) -> None:
    assert here.run("ends", how) == Failure("Runtime.ExitError", cause, [])
    assert here.run("echo", how) == Success(how)


def test_its_neighbours_notice_nothing(here: Place, tmp_path: Path) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    os.mkfifo(gate)
    here.submit("gated", {"begun": str(begun), "gate": str(gate)}, frame=1)
    soon(begun.exists)
    here.submit("ends", "SIGSEGV", frame=2)
    assert here.results(1)[0][0] == 2
    gate.write_text("open", encoding="utf-8")
    assert here.results(1) == [(1, Success("done"))]


def test_an_end_is_noticed_although_a_forked_child_holds_the_connection(here: Place, tmp_path: Path) -> None:
    child, cause = tmp_path / "child", "the handler's process ended with exit code 5"
    assert here.run("leaves_a_child", str(child)) == Failure("Runtime.ExitError", cause, [])
    soon(lambda: gone(int(child.read_text(encoding="utf-8"))))


def test_who_closes_every_file_ends_his_task(here: Place) -> None:
    assert here.run("closes_everything").error == "Runtime.ExitError"
    assert here.run("echo", "next") == Success("next")


def test_what_a_forked_child_says_is_not_heard(here: Place) -> None:
    beats: list[int] = []
    here.submit("talks_afterwards", beat=lambda: beats.append(1))
    assert here.results(1) == [(1, Success(None))]
    assert beats == []


def test_it_inherits_no_database_and_no_lock(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "sm.db"))
    with place("processes") as here:
        files = here.run("descriptors").result
    store.close()
    assert not [name for name in files if str(tmp_path) in name]
    assert len([name for name in files if name.startswith("socket:")]) == 1


def test_programs_that_it_starts_can_be_ended_by_a_signal(here: Place) -> None:
    ignored, ended = here.run("signals").result
    assert ended == -signal.SIGTERM
    assert not {signal.SIGINT, signal.SIGTERM} & {1 + bit for bit in range(31) if int(ignored, 16) >> bit & 1}


@pytest.mark.parametrize("tasks", [0, 1])
def test_a_process_that_is_dismissed_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tasks: int
) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["error"])  # which it takes over
    with Processes(SAMPLES) as processes:
        registry = processes.load()
        for number in range(tasks):
            assert call(processes, registry, "echo", number) == Success(number)
    assert capfd.readouterr().err == ""


def test_where_it_crashed_is_told_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with place("processes") as here:
        here.run("ends", "SIGSEGV")
    told = capfd.readouterr().err
    assert told.startswith("Fatal Python error: Segmentation fault")
    assert f'File "{SAMPLES / "harm.py"}", line ' in told
    assert " in ends\n" in told


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python tells who forks beside threads
def test_a_terminal_stops_nobody_who_reads_from_it_or_writes_to_it(tmp_path: Path) -> None:
    """A worker in a terminal whose `tostop` is set, with processes in the background."""
    code = (
        "import os, pathlib, sys, termios; from sm_cli.worker.processes.processes import Processes\n"
        "from tests.handlers.test_processes import call\n"
        "attributes = termios.tcgetattr(0); attributes[3] |= termios.TOSTOP\n"
        "termios.tcsetattr(0, termios.TCSANOW, attributes)\n"
        "with Processes(pathlib.Path(sys.argv[1])) as processes:\n"
        "    outcome = call(processes, processes.load(), 'terminal')\n"
        "pathlib.Path(sys.argv[2]).write_text(repr(outcome))\n"
    )
    child, terminal = pty.fork()
    if not child:
        os.chdir(CHECKOUT)
        os.execv(sys.executable, [sys.executable, "-c", code, str(SAMPLES), str(tmp_path / "outcome")])
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        shown = b""
        while True:
            try:
                shown += screen.read(1024)
            except OSError:
                break  # nobody has the terminal any more
    os.waitpid(child, 0)
    assert (tmp_path / "outcome").read_text() == "Success(result='OSError', final=False)", shown.decode()
    assert b"written to the terminal" in shown


def test_nothing_of_the_handlers_is_imported_by_the_worker_nor_of_the_worker_by_them() -> None:
    before = set(sys.modules)
    with place("processes") as here:
        assert here.run("modules", "tests.handlers.places") == Success(False)
        assert here.run("modules", "sqlite3") == Success(False)
    assert not [name for name in set(sys.modules) - before if name.startswith("_sm_handlers")]


def test_arguments_and_environment_are_the_workers(here: Place) -> None:
    assert here.run("main_module").result == [sys.argv[1:], True, "PYTEST_CURRENT_TEST" in os.environ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_leaves_the_decision_to_the_worker(
    here: Place, number: signal.Signals, tmp_path: Path
) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    os.mkfifo(gate)
    pid = pid_of(here)
    here.submit("gated", {"begun": str(begun), "gate": str(gate)})
    soon(begun.exists)
    os.kill(pid, number)
    assert os.getpgid(pid) == pid  # so that a terminal's Ctrl-C does not even reach it
    gate.write_text("open", encoding="utf-8")
    assert here.results(1) == [(1, Success("done"))]
    assert pid_of(here) == pid


# -- cancelling ------------------------------------------------------------------------------------


def test_who_does_not_heed_that_nobody_waits_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun = tmp_path / "begun"
    with place("processes", patience=0) as here:
        here.submit("hogs", {"begun": str(begun)})
        soon(lambda: begun.exists() and begun.read_text(encoding="utf-8"))
        here.pool.cancel(1, 1)
        soon(lambda: here.pool.free == 2)
        assert gone(int(begun.read_text(encoding="utf-8")))
        assert here.pool.drain() == []
        assert here.run("echo", "next") == Success("next")
    assert [record.getMessage() for record in caplog.records] == [
        "the handler 'hogs' went on although its task was cancelled 0 s ago; its process was ended"
    ]


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    with place("processes", patience=0) as here:
        here.submit("starts_others", {"begun": str(begun)})
        soon(begun.exists)
        here.pool.cancel(1, 1)
        soon(lambda: here.pool.free == 2)
        for pid in begun.read_text(encoding="utf-8").split():
            soon(lambda: gone(int(pid)))  # noqa: B023 - waited for here


def test_who_lets_go_of_all_jobs_ends_their_processes_at_once(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    with place("processes") as here:
        here.submit("hogs", {"begun": str(begun)})
        soon(lambda: begun.exists() and begun.read_text(encoding="utf-8"))
        here.pool.cancel_all()
        soon(lambda: here.pool.free == 2)
        assert gone(int(begun.read_text(encoding="utf-8")))


def test_a_task_over_its_time_is_killed_and_its_slot_is_free_for_the_next(tmp_path: Path) -> None:
    """The clock of the executions is the test's; what is killed is a real process."""
    begun = tmp_path / "begun"
    definition = {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task", "Resource": "hogs", "TimeoutSeconds": 10, "ResultPath": "$.by",
                "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "After"}], "End": True,
            },
            "After": {"Type": "Task", "Resource": "echo", "End": True},
        },
    }  # fmt: skip
    with Processes(SAMPLES, patience=0) as processes, yard() as ours:
        loop = ours.worker(processes.load(), concurrency=1)
        execution = ours.start(workflow(definition), {"begun": str(begun)})
        loop.tick()
        soon(lambda: begun.exists() and begun.read_text(encoding="utf-8"))
        ours.later(11)
        soon(lambda: (loop.tick() and False) or ours.now(execution).closed is not None)
        assert ours.now(execution).status is Status.SUCCEEDED
        assert gone(int(begun.read_text(encoding="utf-8")))


def test_retry_and_catch_see_that_a_process_ended(tmp_path: Path) -> None:
    definition = one_task(Resource="ends", Retry=[{"ErrorEquals": ["Runtime.ExitError"], "MaxAttempts": 2}])
    with Processes(SAMPLES) as processes, yard() as ours:
        loop = ours.worker(processes.load())
        execution = ours.start(definition, "SIGSEGV")
        for _ in range(3):
            soon(lambda: (loop.tick() and False) or not loop.jobs)
            ours.later(60)
        soon(lambda: (loop.tick() and False) or ours.now(execution).closed is not None)
        ended = ours.now(execution)
        assert (ended.status, ended.error) == (Status.FAILED, "Runtime.ExitError")
        assert ended.cause == "the handler's process ended with signal 11 (SIGSEGV)"
        assert ours.history(execution).count("LambdaFunctionFailed") + ours.history(execution).count("TaskFailed") == 3
        assert asked(ours.store).workers() != []


# -- processes come and go -------------------------------------------------------------------------


def context(resource: str) -> Context:
    return Context("ref", "name", "w", "S", 1, "key", resource=resource)


def call(processes: Processes, registry: Any, name: str, input: Any = None) -> Any:
    return run_handler(registry[name], input, context(name))


def test_a_process_is_used_again_until_it_has_done_its_number_of_tasks() -> None:
    with Processes(SAMPLES) as processes:
        registry = processes.load()
        assert len({call(processes, registry, "where").result[0] for _ in range(6)}) == 1
    with Processes(SAMPLES, recycle_after=2) as processes:
        registry = processes.load()
        pids = [call(processes, registry, "where").result[0] for _ in range(6)]
        assert [pids.index(pid) for pid in pids] == [0, 0, 2, 2, 4, 4]


def test_a_process_that_died_while_it_was_idle_costs_no_task_anything() -> None:
    with Processes(SAMPLES) as processes:
        registry = processes.load()
        first = call(processes, registry, "where").result[0]
        os.kill(first, signal.SIGSTOP)  # so that it dies after it was chosen, and before it takes the task

        def kill() -> None:
            soon(lambda: processes._busy)
            os.kill(first, signal.SIGKILL)

        killing = threading.Thread(target=kill)
        killing.start()
        second = call(processes, registry, "where").result[0]
        assert second != first
        os.kill(second, signal.SIGKILL)
        soon(lambda: gone(second))
        assert call(processes, registry, "where").result[0] not in (first, second)
        killing.join()


def test_processes_are_started_ahead_and_replaced() -> None:
    with Processes(SAMPLES, keep=3) as processes:
        registry = processes.load()
        assert len(processes._idle) == 3
        call(processes, registry, "ends", "9")
        assert len(processes._idle) == 3
        assert call(processes, registry, "echo", 1) == Success(1)
        pids = [process.pid for process in processes._idle]
    assert all(gone(pid) for pid in pids)


def test_retired_processes_end_what_they_have_begun_and_new_ones_have_the_new_files(tmp_path: Path) -> None:
    file, gate, begun = tmp_path / "h.py", tmp_path / "gate", tmp_path / "begun"
    os.mkfifo(gate)
    text = (
        "from pathlib import Path\nfrom sm_cli import handler\n@handler\ndef work(input):\n"
        "    if input:\n        Path(input[0]).touch()\n        Path(input[1]).read_text()\n    return 'old'\n"
    )
    file.write_text(text, encoding="utf-8")
    with Processes(tmp_path) as old, place("processes") as pools, Processes(tmp_path) as new:
        pools.handlers = old.load()
        pools.submit("work", [str(begun), str(gate)])
        soon(begun.exists)
        file.write_text(text.replace("'old'", "'the new one'"), encoding="utf-8")
        registry = new.load()
        old.retire()
        gate.write_text("open", encoding="utf-8")
        assert pools.results(1) == [(1, Success("old"))]
        assert old._idle == []
        assert call(new, registry, "work") == Success("the new one")


def test_a_process_that_finds_other_files_than_the_first_says_so(tmp_path: Path) -> None:
    file = tmp_path / "h.py"
    file.write_text("import os\nfrom sm_cli import handler\n@handler\ndef work(input): os._exit(1)\n", encoding="utf-8")
    with Processes(tmp_path) as processes:
        registry = processes.load()
        call(processes, registry, "work")
        file.write_text("from sm_cli import handler\n@handler\ndef other(input): return 1\n", encoding="utf-8")
        cause = "the files that were read again have no handler for 'work'"
        assert call(processes, registry, "work") == Failure("HandlerLoadError", cause, None)
        os.kill(processes._idle[0].pid, signal.SIGKILL)
        file.write_text("import nothing_of_this_name\n", encoding="utf-8")
        soon(lambda: not processes._idle[0].lives())
        ended = call(processes, registry, "work")
        assert ended.error == "HandlerLoadError"
        assert "h.py:1: cannot be imported: ModuleNotFoundError" in ended.cause


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nothing_of_this_name\n", "h.py:1: cannot be imported: ModuleNotFoundError: No module named"),
        ("def (\n", "h.py:1: cannot be imported: SyntaxError: "),
        ("raise SystemExit(2)\n", "h.py:1: cannot be imported: SystemExit: 2"),
        ("import os\nos._exit(2)\n", "the process that loads the handlers in . ended with exit code 2"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "ended with signal 9 (SIGKILL)"),
        ("from sm_cli import handler\n@handler('a')\ndef a(x): ...\n@handler('a')\ndef b(x): ...\n", "two handlers"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "h.py").write_text(text, encoding="utf-8")
    with Processes(tmp_path) as processes, pytest.raises(HandlerLoadError) as raised:
        processes.load()
    assert sentence.replace(" . ", f" {tmp_path.name} ") in raised.value.message


def test_logging_that_a_file_configures_is_obeyed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "h.py").write_text(
        "import logging, sys\nfrom sm_cli import handler\n"
        "logging.basicConfig(level=logging.INFO, format='mine: %(message)s', stream=sys.stderr)\n"
        "@handler\ndef work(input):\n    logging.getLogger('shop').info('sold %s', input)\n",
        encoding="utf-8",
    )
    with Processes(tmp_path) as processes:
        registry = processes.load()
        assert call(processes, registry, "work", "it") == Success(None)
    assert capfd.readouterr().err == "mine: sold it\n"


def test_logging_of_any_name_reaches_the_worker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "h.py").write_text(
        "import logging\nfrom sm_cli import handler\n"
        "@handler\ndef work(input):\n    logging.getLogger('shop').info('sold %s', input)\n",
        encoding="utf-8",
    )
    with caplog.at_level(logging.INFO), Processes(tmp_path) as processes:
        call(processes, processes.load(), "work", "it")
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("shop", "sold it")]


def test_names_of_files_and_arguments_need_not_be_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / os.fsdecode(b"h\xff")
    directory.mkdir()
    file = directory / "h.py"
    text = "import sys\nfrom sm_cli import handler\n@handler\ndef work(input): return [ascii(sys.argv[1]), input]\n"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["sm", os.fsdecode(b"\xfe")])
    with Processes(directory) as processes:
        registry = processes.load()
        assert call(processes, registry, "work", "é") == Success(["'\\udcfe'", "é"])
    file.write_text("1 / 0\n", encoding="utf-8")
    with Processes(directory) as processes, pytest.raises(HandlerLoadError) as raised:
        processes.load()
    assert os.fsdecode(b"h\xff/h.py:1: cannot be imported: ZeroDivisionError: ") in raised.value.message


def test_a_process_that_is_not_needed_ends_as_any_program_does(tmp_path: Path) -> None:
    """What it has registered for its end is done; a thread that does not end is not waited for long."""
    text = (
        "import atexit, pathlib, threading\nfrom sm_cli import handler\n"
        f"atexit.register(pathlib.Path({str(tmp_path / 'ended')!r}).touch)\n"
        "@handler\ndef work(input):\n    if input:\n        threading.Thread(target=threading.Event().wait).start()\n"
    )
    (tmp_path / "h.py").write_text(text, encoding="utf-8")
    for lingers in (False, True):
        with Processes(tmp_path) as processes:
            registry = processes.load()
            call(processes, registry, "work", lingers)
            pid = processes._idle[0].pid
        assert gone(pid)
        assert (tmp_path / "ended").exists() or lingers
        (tmp_path / "ended").unlink(missing_ok=True)


def test_a_worker_without_stderr_has_processes_all_the_same(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\nos.close(2)\nfrom sm_cli.worker.processes.processes import Processes\n"
        "from tests.handlers.test_processes import call\n"
        "with Processes(pathlib.Path(sys.argv[1])) as processes:\n"
        "    registry = processes.load()\n"
        "    outcome = [call(processes, registry, name, 1) for name in ('speaks', 'echo')]\n"
        "pathlib.Path(sys.argv[2]).write_text(repr(outcome))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(SAMPLES), str(tmp_path / "outcome")], cwd=CHECKOUT, check=True)
    assert "Success(result=1" in (tmp_path / "outcome").read_text()


def test_a_system_that_starts_no_process_fails_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    with Processes(SAMPLES) as processes:
        registry = processes.load()
        call(processes, registry, "ends", "0")
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        cause = "no process for the handler could be started: No such file or directory"
        assert call(processes, registry, "echo") == Failure("Runtime.ExitError", cause, [])
        with Processes(SAMPLES) as others, pytest.raises(HandlerLoadError, match="can be started: No such file"):
            others.load()


def test_where_the_kernel_tells_of_no_end_it_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on macOS."""

    def refused(pid: int, flags: int = 0) -> int:
        raise OSError

    monkeypatch.setattr(os, "pidfd_open", refused)
    with Processes(SAMPLES) as processes:
        registry = processes.load()
        child = tmp_path / "child"
        cause = "the handler's process ended with exit code 5"
        assert call(processes, registry, "leaves_a_child", str(child)).cause == cause
        soon(lambda: gone(int(child.read_text(encoding="utf-8"))))
        assert call(processes, registry, "echo", 1) == Success(1)


def test_a_worker_made_in_python_takes_them_as_any_others(tmp_path: Path) -> None:
    with closing(open_store(str(tmp_path / "sm.db"))) as store:
        with Processes(SAMPLES) as processes:
            loop = Worker(Engine(store), processes.load(), concurrency=2)
            execution, _ = loop.start(one_task(Resource="echo"), {"n": 1})
            loop.run(lambda: asked(store).execution(execution.id).closed is not None)  # type: ignore[union-attr]
            loop.let_go()
        found = asked(store).execution(execution.id)
        assert found is not None
        assert (found.status, found.output) == (Status.SUCCEEDED, {"n": 1})


def test_a_process_that_is_closed_can_be_neither_woken_nor_killed() -> None:
    process = Process(SAMPLES)
    process.kill()
    process.close()
    process.wake()
    process.kill()
    process.close()
    assert not process.lives()
