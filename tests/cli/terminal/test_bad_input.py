"""Everything that a person can get wrong has its sentence and its exit code; nothing shows a traceback."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sm_cli.store import waiting
from sm_cli.store.sqlite import database as sqlite
from tests.cli.conftest import Project, ended

ECHO = "{StartAt: A, States: {A: {Type: Pass, End: true}}}"
TASK = "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, End: true}\n"


def _sentence(result_err: str) -> str:
    assert "Traceback" not in result_err
    return result_err


# -- definitions -----------------------------------------------------------------------------------

DEFINITIONS = {
    "not YAML": (b"StartAt: [A\nStates: {}\n", "error SM0"),
    "not JSON": (b'{"StartAt": "A",\n "States": }', "error SM0"),
    "a list": (b"- StartAt: A\n", "A definition is an object with StartAt and States; this is an array"),
    "text": (b"hello\n", "this is text"),
    "empty": (b"", "The definition is empty"),
    "too large": (b"{}" + b" " * (10 * 1_048_576), "at most 10,485,760 are read"),
    "not UTF-8": (b"StartAt: A\nStates: {A: {Type: Pass, Comment: \xff}}\n", "line 2 holds the byte 0xff"),
    "UTF-16": ("StartAt: A".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "a key twice": (b"StartAt: A\nStates: {A: {Type: Succeed}}\nStartAt: B\n", ":3:1: error SM"),
    "an anchor": (b"StartAt: A\nStates: {A: &x {Type: Succeed}, B: *x}\n", ":2:"),
    "a merge key": (b"StartAt: A\nStates: {A: {Type: Succeed, <<: {Comment: x}}}\n", ":2:"),
    "an unknown type": (b"StartAt: A\nStates:\n  A: {Type: Tusk, End: true}\n", ":3:"),
    "NaN": (b'{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": NaN, "End": true}}}', "NaN"),
    "a dangling target": (b"StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n", ":3:"),
}


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_bad_definition_is_exit_1_with_its_place(project: Project, kind: str, command: str) -> None:
    content, sentence = DEFINITIONS[kind]
    file = "bad.json" if kind in ("not JSON", "NaN") else "bad.yaml"
    project.write(file, content)
    result = project.sm(command, file)
    assert result.code == 1
    said = _sentence(result.out if command == "validate" else result.err)
    assert said.startswith(f"{file}:")
    assert sentence in said
    assert not (project.path / ".sm").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["run", "nowhere.yaml"], 3, "there is no file nowhere.yaml"),
        (["validate", "nowhere.yaml"], 3, "there is no file nowhere.yaml"),
        (["run", "folder"], 2, "folder is a folder, not a workflow"),
        (["validate", "folder"], 2, "folder holds no workflow"),
        (["run", "w.yaml", "--input", "nowhere.json"], 3, "there is no file nowhere.json"),
        (["run", "w.yaml", "--input", "folder"], 2, "folder cannot be read: Is a directory"),
        (["run", "w.yaml", "--input", "[1"], 2, "--input is not JSON: "),
        (["run", "w.yaml", "--input", "{'a': 1}"], 2, "--input is not JSON: "),
        (["run", "w.yaml", "--input", '{"a": NaN}'], 2, "--input holds NaN, which is not JSON"),
        (["run", "w.yaml", "--input", "NaN"], 2, "--input holds NaN, which is not JSON"),
        (["run", "w.yaml", "--input", '{"a": -Infinity}'], 2, "--input holds -Infinity, which is not JSON"),
        (["run", "w.yaml", "--input", '{"a": 18446744073709551616}'], 2, "does not fit in 64 bits"),
        (["run", "w.yaml", "--input", '{"a": 0.1234567890123456789}'], 2, "which a double cannot keep exactly"),
        (["run", "w.yaml", "--input", '{"a": 1, "a": 2}'], 2, "names the key 'a' twice"),
        (["run", "w.yaml", "--input", "1" * 5000], 2, "(5000 digits), which does not fit in 64 bits"),
        (["run", "w.yaml", "--input", '"\\ud800"'], 2, "half of a surrogate pair"),
        (["run", "w.yaml", "--input", "[" * 100_000], 2, "nested more than 200 levels deep"),
        (["run", "w.yaml", "a=18446744073709551616"], 2, "a holds the integer 18446744073709551616"),
        (["run", "w.yaml", "a=1", "a=2"], 2, "a is given twice"),
        (["run", "w.yaml", "a"], 2, "'a' is not key=value"),
        (["run", "w.yaml", "=1"], 2, "'=1' is not key=value"),
        (["run", "w.yaml", "--input", "[]", "a=1"], 2, "key=value needs an object"),
        (["run", "w.yaml", "--input", ""], 2, "--input is empty"),
        (["run", "w.yaml", "a=\udcff"], 2, "is not UTF-8"),
        (["run", "w.yaml", "--concurrency", "0"], 2, "--concurrency takes a whole number from 1 on, not '0'"),
        (["list", "--limit", "many"], 2, "--limit takes a whole number"),
        (["list", "--status", "DONE"], 2, "FAILED, TIMED_OUT or ABORTED, not 'DONE'"),
        (["list", "--since", "yesterday"], 2, "--since takes a span like 2h or a date"),
        (["list", "--since", "99999999999d"], 2, "--since takes at most 10000000000 seconds, not '99999999999d'"),
        (["list", "--since", "0001-01-01"], 2, "--since takes a date from the year 2 on, not '0001-01-01'"),
        (["run", "w.yaml", "--timeout", "9999999d"], 2, "--timeout takes at most 10000000000 seconds, not '9999999d'"),
        (["list", "-o", "xml"], 2, "-o takes table, json, jsonl, yaml or jsonpath=EXPR, not 'xml'"),
        (["list", "--db", "nowhere.db"], 7, "there is no database at nowhere.db"),
        (["history", "@last"], 7, "there is no database at .sm/sm.db"),
        (["run", "w.yaml", "--db", "mysql://host/x"], 7, "'mysql://host/x' is not a database that sm knows"),
        (["run", "w.yaml", "--log-format", "xml"], 2, "--log-format takes text or json, not 'xml'"),
        (["worker", "--handlers", "nowhere"], 8, "there is no handlers directory at nowhere"),
        (["run", "--inptu", "x"], 2, "No such option"),
        (["rnu"], 2, "No such command 'rnu'"),
        (["show"], 2, "Missing argument"),
    ],
)  # fmt: skip
def test_a_bad_command_line_has_its_sentence_and_code(
    project: Project, arguments: list[str], code: int, sentence: str
) -> None:
    project.write("w.yaml", ECHO)
    project.path.joinpath("folder").mkdir()
    result = project.sm(*arguments)
    assert sentence in _sentence(result.err)
    assert result.code == code
    assert result.out == ""


def test_stdin_that_is_not_utf_8_is_refused(project: Project) -> None:
    project.write("w.yaml", ECHO)
    result = project.sm("run", "w.yaml", "--input", "-", stdin=b'{"a": "\xff"}')
    assert result.code == 2
    assert "stdin is not UTF-8: byte 7 is 0xff" in result.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("workflow = [", "sm.toml is not TOML"),
        ("worklow = 'x'", "sets 'worklow', which sm does not know"),
        ("concurrency = 'four'", "concurrency is a whole number, not 'four'"),
        ("workflow = 3", "workflow is text, not 3"),
        (b"workflow = '\xff'", "sm.toml is not TOML"),
    ],
)
def test_a_bad_configuration_is_exit_7(project: Project, content: str | bytes, sentence: str) -> None:
    project.write("sm.toml", content)
    result = project.sm("list")
    assert result.code == 7
    assert sentence in result.err


# -- handlers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error", "cause"),
    [
        ("raise ValueError('no such order')", "ValueError", "no such order"),
        ("return {1, 2}", "States.TaskFailed", "The handler 'work' returned what is not JSON: $ is of type set."),
        ("return {'a': [float('nan')]}", "States.TaskFailed", "$.a[0] is nan, which JSON does not have"),
        ("import sys; sys.exit(3)", "SystemExit", "3"),
        ("return '\\ud800'", "States.TaskFailed", "not JSON"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", None),
    ],
)
def test_what_a_handler_does_wrong_fails_its_task_alone(
    project: Project, body: str, error: str, cause: str | None
) -> None:
    project.write("w.yaml", TASK)
    project.handlers(f"@handler\ndef work(x):\n    {body}\n")
    result = project.sm("run", "w.yaml")
    assert result.code == 1
    assert f"  error: {error}\n" in _sentence(result.err)
    if cause is not None:
        assert cause in result.err


def test_a_handler_that_hangs_past_its_timeout_holds_nobody_up(project: Project) -> None:
    project.write("w.yaml", TASK.replace("End: true", "TimeoutSeconds: 1, End: true"))
    project.handlers("import threading\n@handler\ndef work(x):\n    threading.Event().wait()\n")
    result = project.process("run", "w.yaml")
    assert result.code == 1
    assert "  error: States.Timeout\n" in result.err


def test_what_handlers_print_never_reaches_stdout(project: Project) -> None:
    project.write("w.yaml", TASK)
    project.handlers("""
        import os, subprocess, sys
        print("at import")
        @handler
        def work(x):
            print("printed")
            sys.__stdout__.write("dunder\\n"); sys.__stdout__.flush()
            os.write(1, b"raw\\n")
            subprocess.run(["echo", "child"], check=True)
            return 1
    """)
    result = project.process("run", "w.yaml")
    assert (result.code, result.out) == (0, "1\n")
    for word in ("at import", "printed", "dunder", "raw", "child"):
        assert f"{word}\n" in result.err


def test_a_handler_that_ends_the_process_is_run_again_by_the_next_worker(project: Project) -> None:
    project.write("w.yaml", TASK)
    project.handlers("""
        import os, pathlib
        @handler
        def work(x):
            mark = pathlib.Path("tried")
            if not mark.exists():
                mark.touch()
                os._exit(9)
            return "done"
    """)
    started = project.sm("run", "w.yaml", "--detach", "--name", "n1")
    assert started.code == 0
    assert project.process("worker", "--name", "w1", "--drain").code == 9
    assert project.process("worker", "--name", "w1", "--drain").code == 0
    assert project.sm("output", "n1").json == "done"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_execution_and_says_how_to_go_on(
    project: Project, number: signal.Signals, code: int
) -> None:
    project.write("w.yaml", TASK)
    project.handlers("""
        import os, pathlib
        @handler
        def work(x):
            if os.environ.get("HANG"):
                os.write(2, b"hanging\\n")
                pathlib.Path("pipe").read_text()
            return "done"
    """)
    os.mkfifo(project.path / "pipe")
    process = project.start("run", "w.yaml", "--name", "n1", HANG="1")
    assert process.stderr is not None
    assert process.stderr.readline() == "hanging\n"
    process.send_signal(number)
    result = ended(process)
    assert result.code == code
    assert "stopped; execution n1 stays and goes on with: sm worker" in _sentence(result.err)
    assert project.sm("list", "--json").json[0]["status"] == "RUNNING"
    assert project.process("worker", "--drain").code == 0
    assert project.sm("output", "n1").json == "done"


def test_a_second_signal_ends_at_once(project: Project) -> None:
    project.write("w.yaml", "StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n")
    holder = sqlite3.connect(_new_database(project), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    # It waits for the database, so that the first signal alone would end it only after half a minute.
    process = project.start("worker", "--drain")
    assert process.stderr is not None
    while " at once, on " not in process.stderr.readline():  # not the warning before it: now it minds signals
        assert process.poll() is None
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    holder.close()
    assert process.returncode == 130


NOT_UTF_8 = "a\udcff"


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", NOT_UTF_8],
        ["show", NOT_UTF_8],
        ["why", NOT_UTF_8],
        ["list", "--workflow", NOT_UTF_8],
        ["waits", "--key", NOT_UTF_8],
        ["messages", "list", "--key", NOT_UTF_8],
        ["messages", "show", NOT_UTF_8],
        ["send-message", f"k={NOT_UTF_8}"],
        ["worker", "--once", "--name", NOT_UTF_8],
        ["stop", "waiting", "--cause", NOT_UTF_8],
    ],
)
def test_what_is_not_utf_8_is_no_bug_of_ours(project: Project, arguments: list[str]) -> None:
    project.write("w.yaml", "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 99, End: true}\n")
    assert project.sm("run", "w.yaml", "--name", "waiting", "--detach").code == 0
    result = project.sm(*arguments)
    assert result.code == 2
    assert "is not text that UTF-8 can hold" in _sentence(result.err)


# -- the database ----------------------------------------------------------------------------------


def _new_database(project: Project) -> Path:
    project.write("w.yaml", ECHO)
    assert project.sm("run", "w.yaml").code == 0
    return project.path / ".sm" / "sm.db"


def test_a_newer_database_is_refused(project: Project) -> None:
    connection = sqlite3.connect(_new_database(project))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    result = project.sm("run", "w.yaml")
    assert result.code == 7
    assert "was written by a newer sm" in _sentence(result.err)


def test_a_file_that_is_no_database_is_refused(project: Project) -> None:
    project.write("w.yaml", ECHO)
    project.write("notes.txt", "this is not a database at all, it only looks like a file\n" * 40)
    result = project.sm("run", "w.yaml", "--db", "notes.txt")
    assert result.code == 7
    assert "notes.txt is not a database" in _sentence(result.err)


def test_a_database_of_another_program_is_refused(project: Project) -> None:
    project.write("w.yaml", ECHO)
    connection = sqlite3.connect(project.path / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    result = project.sm("run", "w.yaml", "--db", "other.db")
    assert result.code == 7
    assert "other.db is a database of another program" in _sentence(result.err)


def test_a_database_that_is_held_for_long_is_named(project: Project) -> None:
    holder = sqlite3.connect(_new_database(project), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    result = project.sm("run", "w.yaml", "--lock-timeout", "0.05")
    holder.close()
    assert result.code == 7
    assert ".sm/sm.db is held by another process for more than 0.05 s, so nothing was written" in _sentence(result.err)
    assert len(project.sm("list", "--json").json) == 1


def test_a_full_disk_is_said_and_nothing_is_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _new_database(project)
    monkeypatch.setattr(sqlite, "_WRITER_PRAGMAS", ("max_page_count = 1",))
    project.write("large.json", '{"text": "%s"}' % ("x" * 2_000_000))
    result = project.sm("run", "w.yaml", "--input", "large.json")
    assert result.code == 7
    assert "there is no room left on the disk for .sm/sm.db, so nothing was written" in _sentence(result.err)
    monkeypatch.undo()
    monkeypatch.chdir(project.path)
    assert len(project.sm("list", "--json").json) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("more", [(), ("--express",), ("--detach",), ("-o", "json")])
def test_a_result_that_cannot_be_written_is_reported(project: Project, more: tuple[str, ...]) -> None:
    project.write("w.yaml", ECHO)
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        process = subprocess.run(
            [sys.executable, "-m", "sm_cli", "run", "w.yaml", *more], cwd=project.path, env=project.environment(),
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert process.returncode == 7
    assert "the result could not be written: No space left on device" in _sentence(process.stderr)


#: Everything is imported before the process becomes somebody for whom read-only is read-only.
_AS_NOBODY = """
import os, sys
from sm_cli.__main__ import main
assert main(["run", "w.yaml"]) == 0
if os.geteuid() == 0:
    os.seteuid(65534)
os.chdir(sys.argv[1])
sys.exit(main(["run", "w.yaml"]))
"""


def test_a_read_only_directory_is_named(project: Project) -> None:
    project.write("w.yaml", ECHO)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "w.yaml").write_text(ECHO)
        Path(folder).chmod(0o555)
        process = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, folder], cwd=project.path, env=project.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        Path(folder).chmod(0o755)
    assert process.returncode == 7, process.stderr
    assert "sm.db cannot be opened: Permission denied" in _sentence(process.stderr)


def test_two_runs_at_once_on_one_file_both_end(project: Project) -> None:
    project.write("w.yaml", "StartAt: A\nStates:\n  A: {Type: Task, Resource: work, Next: B}\n"
                            "  B: {Type: Task, Resource: work, End: true}\n")  # fmt: skip
    project.handlers("@handler\ndef work(x): return {**x, 'n': x.get('n', 0) + 1}\n")
    both = [project.start("run", "w.yaml", f"who={who}") for who in ("a", "b")]
    results = [ended(process) for process in both]
    assert [result.code for result in results] == [0, 0], results
    assert [result.out for result in results] == ['{"who":"a","n":2}\n', '{"who":"b","n":2}\n']
    assert len(project.sm("list", "--json").json) == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_harm_nothing(project: Project, closed: str) -> None:
    project.write("w.yaml", TASK)
    project.handlers("@handler\ndef work(x):\n    print('noise' * 1000)\n    return x\n")
    command = f'"{sys.executable}" -m sm_cli run w.yaml --name n1 {closed}'
    process = subprocess.run(
        command, shell=True, cwd=project.path, env=project.environment(), capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert project.sm("output", "n1").json == {}


# -- our own bugs ----------------------------------------------------------------------------------


def test_a_bug_of_ours_is_exit_70_without_a_traceback(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("unexpected")

    project.write("w.yaml", ECHO)
    monkeypatch.setattr("sm_cli.cli.project.workflows.choose", broken)
    result = project.sm("run", "w.yaml")
    assert result.code == 70
    assert result.err == (
        "sm: error: this is a bug in sm: TypeError: unexpected; run again with SM_DEBUG=1 for the details\n"
    )
    monkeypatch.setenv("SM_DEBUG", "1")
    assert "Traceback" in project.sm("run", "w.yaml").err
    monkeypatch.delenv("SM_DEBUG")
    assert "Traceback" in project.sm("run", "-v", "w.yaml").err


@pytest.mark.parametrize("how", ["option", "variable", "sm.toml"])
def test_a_command_that_waits_says_for_whom_and_ends_when_it_was_told_to(
    project: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    holder = sqlite3.connect(_new_database(project), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(waiting, "TELL_AFTER", 0.0)
    if how == "variable":
        monkeypatch.setenv("SM_LOCK_TIMEOUT", "0.05s")
    if how == "sm.toml":
        project.write("sm.toml", 'lock_timeout = "0.05s"\n')
    result = project.sm("run", "w.yaml", *(["--lock-timeout", "0.05s"] if how == "option" else []))
    holder.close()
    assert result.code == 7
    told = [line for line in result.err.splitlines() if line.startswith("sm: waiting for")]
    assert len(told) == 1
    assert told[0].startswith("sm: waiting for .sm/sm.db: another program has held it since ")
    assert "is held by another process for more than 0.05 s, so nothing was written" in result.err


@pytest.mark.parametrize(
    "command", ["list", "show @last", "history @last", "why @last", "waits", "send-message k=v", "worker", "run w.yaml"]
)
def test_whatever_a_command_wants_it_says_that_a_program_has_the_whole_file_to_itself(
    project: Project, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    holder = sqlite3.connect(_new_database(project), isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("CREATE TABLE t (x)")  # now nobody reads it either
    monkeypatch.setattr(waiting, "TELL_AFTER", 0.0)
    result = project.sm(*command.split(), "--lock-timeout", "0.05")
    holder.close()
    assert (result.code, result.out) == (7, "")
    told = [line for line in result.err.splitlines() if line.startswith("sm: waiting for")]
    assert len(told) == 1
    assert told[0].startswith("sm: waiting for .sm/sm.db: another program has held it since ")


def test_a_lock_timeout_that_is_no_span_is_one_sentence(project: Project) -> None:
    _new_database(project)
    assert project.sm("list", "--lock-timeout", "soon").code == 2
    project.write("sm.toml", 'lock_timeout = "soon"\n')
    result = project.sm("list")
    assert result.code == 2
    assert "sm.toml:1: lock_timeout takes seconds" in _sentence(result.err)
