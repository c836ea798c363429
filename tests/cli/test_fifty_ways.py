"""More than fifty ways in which a newcomer goes wrong: each gets a sentence and an exit code, none a traceback.

Stdout holds nothing but a document that was asked for, and what went wrong stands first on stderr.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Result, ended

CONFIGURATION = 'workflow = "workflows/order.yaml"\n'
ORDER = """\
StartAt: Charge
States:
  Charge: {Type: Task, Resource: charge, TimeoutSeconds: 60, Next: Done}
  Done: {Type: Succeed}
"""
CHARGE = "from sm_cli import handler\n\n@handler\ndef charge(order):\n    return {'charged': True}\n"
PASS = "StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n"
#: Longer than this no answer to a mistake is, hints included.
_LINES = 6


@dataclass(frozen=True)
class Way:
    """One mistake: what is typed, and what comes of it."""

    #: The command line behind `sm`.
    typed: list[str]
    #: Its exit code.
    code: int
    #: Words of the sentence that names the mistake.
    says: str
    #: Files that are otherwise than in the project; None: not there.
    files: dict[str, str | bytes | None] = field(default_factory=dict)
    #: Command lines that went before, all of them right.
    before: list[list[str]] = field(default_factory=list)
    #: Variables of the environment.
    variables: dict[str, str] = field(default_factory=dict)
    #: True: the command answers with a document on stdout all the same.
    answers: bool = False
    stdin: str = ""


def one(state: str, more: str = "") -> dict[str, str | bytes | None]:
    """A project whose workflow has this first state."""
    return {"workflows/order.yaml": f"StartAt: A\nStates:\n  A: {{{state}}}\n{more}"}


def code(handlers: str) -> dict[str, str | bytes | None]:
    """A project with other handlers."""
    return {"handlers/orders.py": f"from sm_cli import handler\n{handlers}\n"}


FIRST = ["run", "--name", "first"]
WAITS = one("Type: Message, CorrelationKey: orderId, CorrelationValuePath: $.id, TimeoutSeconds: 60, End: true")
NOWHERE: dict[str, str | bytes | None] = {"sm.toml": None, "workflows/order.yaml": None, "handlers/orders.py": None}

WAYS = {
    # The command line.
    "a command misspelt": Way(["hsitory"], 2, "Did you mean 'history'?"),
    "a command that there is not": Way(["frobnicate"], 2, "No such command 'frobnicate'"),
    "a command of another program": Way(["ps"], 2, "what is meant is `sm list --status RUNNING`"),
    "an option misspelt": Way(["run", "--inptu", "x"], 2, "No such option: --inptu (Possible options: --input"),
    "an option before its command": Way(["--db", "x.db", "list"], 2, "--db stands behind the command: sm list --db …"),
    "an argument too few": Way(["show"], 2, "Missing argument 'EXECUTION'"),
    "an argument too many": Way(["schema", "x"], 2, "Got unexpected extra argument"),
    "a span that is none": Way(["run", "--timeout", "soon"], 2, "--timeout takes seconds or a span like 30s"),
    "a status misspelt": Way(["list", "--status", "FAILD"], 2, "TIMED_OUT or ABORTED, not 'FAILD'"),
    "no workers at all": Way(["worker", "--concurrency", "0"], 2, "a whole number from 1 on, not '0'"),
    "two options that exclude each other": Way(["worker", "--once", "--drain"], 2, "--once and --drain exclude"),
    # Where one is.
    "the wrong directory, to look": Way(["list"], 7, "Neither ", NOWHERE),
    "the wrong directory, to run": Way(["run"], 2, "there is no workflow to take: workflows/ holds none", NOWHERE),
    "the wrong directory, to send": Way(["send-message", "orderId=1"], 7, "there is no database at", NOWHERE),
    "the wrong directory, to work": Way(["worker"], 7, "there is no database at .sm/sm.db", NOWHERE),
    "a project that is there already": Way(["init"], 4, "are there already"),
    # Which workflow.
    "a workflow misspelt": Way(["run", "oder"], 3, "did you mean 'order'?"),
    "a file that is not there": Way(["run", "oder.yaml"], 3, "there is no file oder.yaml"),
    "a folder for a workflow": Way(["run", "workflows"], 2, "Name a file in it: workflows/order.yaml."),
    "an input for a workflow": Way(
        ["run", "data.json"], 1, "an input is given with --input data.json", {"data.json": '{"orderId": "A"}'}
    ),
    "a program for a workflow": Way(["run", "handlers/orders.py"], 1, "handlers/orders.py:"),
    "two workflows and none named": Way(
        ["run"], 2, "holds several workflows: order, other", {"sm.toml": "", "workflows/other.yaml": PASS}
    ),
    "a state misspelt": Way(["test-state", "order", "Chrage", "-i", "{}"], 3, "did you mean 'Charge'?"),
    # The input.
    "an input that is no JSON": Way(["run", "-i", "{a: 1"], 2, "--input is not JSON: "),
    "an input file that is not there": Way(["run", "-i", "dta.json"], 3, "there is no file dta.json"),
    "an input file that is empty": Way(["run", "-i", "data.json"], 2, "data.json is empty", {"data.json": ""}),
    "nothing on stdin": Way(["run", "-i", "-"], 2, "stdin is empty"),
    "a pair without a value": Way(["run", "order", "id"], 2, "'id' is not key=value"),
    # The definition.
    "tabs": Way(["run"], 1, "A tab cannot indent YAML", {"workflows/order.yaml": "StartAt: A\nStates:\n\tA: {}\n"}),
    "JSON with a comma too many": Way(["run", "a.json"], 1, "a.json:1:1", {"a.json": '{"StartAt": "A",}'}),
    "an empty file": Way(["run"], 1, "The definition is empty", {"workflows/order.yaml": ""}),
    "an unknown field": Way(["run"], 1, "has no field Nxt (did you mean Next?)", one("Type: Pass, Nxt: B, End: true")),
    "an unknown type": Way(["run"], 1, "(did you mean Task?)", one("Type: Tsk, End: true")),
    "neither Next nor End": Way(["run"], 1, "The state 'A' has neither Next nor End", one("Type: Pass")),
    "a Next that leads nowhere": Way(
        ["run"], 1, "there is no such state (did you mean 'B'?)", one("Type: Pass, Next: b", "  B: {Type: Succeed}\n")
    ),
    "a state that nothing leads to": Way(
        ["validate", "--strict"], 1, "SM206", one("Type: Succeed", "  B: {Type: Succeed}\n"), answers=True
    ),
    "an expression cut short": Way(
        ["run"], 1, "This is not JSONata", one("Type: Pass, QueryLanguage: JSONata, Output: '{% 1 + %}', End: true")
    ),
    # Handlers.
    "a handler that is not there": Way(["run"], 8, "no handler is registered as 'charge'", code("")),
    "a handler misspelt": Way(["run"], 8, "Nearest: 'chrage'", code("@handler\ndef chrage(x): return 1")),
    "a function's ARN without a handler": Way(
        ["run"], 8, "no handler is registered as 'f'",
        one("Type: Task, Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f', End: true"),
    ),
    "no directory of handlers": Way(["run"], 8, "there is no handlers directory", {"handlers/orders.py": None}),
    "a handlers' file that is not Python": Way(["run"], 8, "handlers/orders.py:2: ", code("def charge(:")),
    "an import that is not installed": Way(["run"], 8, "No module named 'nowhere'", code("import nowhere")),
    "two handlers of one name": Way(["run"], 8, "two handlers are registered as 'charge'", {"handlers/b.py": CHARGE}),
    "a handler without a parameter": Way(["run"], 8, "is written as charge()", code("@handler\ndef charge(): ...")),
    "a handler that raises": Way(["run"], 1, "error: KeyError", code("@handler\ndef charge(x): return x['id']")),
    "a handler that returns a set": Way(["run"], 1, "$ is of type set", code("@handler\ndef charge(x): return {1}")),
    "a handler that ends the program": Way(["run"], 1, "error: SystemExit", code("@handler\ndef charge(x): exit(1)")),
    # What fails at run time.
    "a path that leads nowhere": Way(
        ["run"], 1, "The JSONPath '$.no' specified", one("Type: Pass, Parameters: {'a.$': $.no}, End: true")
    ),
    "a Choice without a Default": Way(
        ["run", "order", "n=2"], 1, "error: States.NoChoiceMatched",
        one("Type: Choice, Choices: [{Variable: $.n, NumericEquals: 1, Next: B}]", "  B: {Type: Succeed}\n"),
    ),
    "more places than values": Way(
        ["run"], 1, "the template has 2 {}, but 1 value follows it",
        one("""Type: Pass, Parameters: {"a.$": "States.Format('{} {}', 1)"}, End: true"""),
    ),
    "an operator for the wrong type": Way(
        ["run", "order", "n=many"], 1, "error: States.QueryEvaluationError",
        one("Type: Pass, QueryLanguage: JSONata, Output: '{% $states.input.n + 1 %}', End: true"),
    ),
    "an iteration that fails": Way(
        ["run", "order", "items=[1, 2]"], 1, "state: T in A[0]",
        one("Type: Map, ItemsPath: $.items, End: true, ItemProcessor: {StartAt: T, States: {T: {Type: Fail}}}"),
    ),
    "items that are no list": Way(
        ["run", "order", "items=5"], 1, "must point to array",
        one("Type: Map, ItemsPath: $.items, End: true, ItemProcessor: {StartAt: T, States: {T: {Type: Succeed}}}"),
    ),
    "longer than --timeout": Way(
        ["run", "--timeout", "1"], 1, "TIMED_OUT", one("Type: Wait, Seconds: 600, End: true")
    ),
    # Executions.
    "an execution that there is not": Way(["show", "nope"], 3, "no execution is named 'nope'"),
    "@last of none": Way(["history", "@last"], 3, "there is no execution yet"),
    "an id that is not set": Way(["stop", ""], 3, "no execution is named ''"),
    "a name that is taken": Way(FIRST, 4, "the name 'first' is taken", before=[FIRST]),
    "a name with a blank": Way(["run", "--name", "a b"], 2, "which a name may not"),
    "a stop of one that has ended": Way(["stop", "first"], 4, "is SUCCEEDED already", before=[FIRST]),
    "a redrive of one that succeeded": Way(["redrive", "first"], 4, "there is nothing to redrive", before=[FIRST]),
    "a redrive from nowhere": Way(["redrive", "first", "--from", "No"], 3, "has no state 'No'", before=[FIRST]),
    "a code that there is not": Way(["explain", "SM9999"], 3, "there is no diagnostic 'SM9999'"),
    # Messages and tokens.
    "a message without a value": Way(["send-message", "orderId"], 2, "'orderId' is not KEY=VALUE"),
    "a message that has to be received": Way(
        ["send-message", "orderId=1", "--require-match"], 5, "nobody waits for orderId=1", answers=True
    ),
    "a message's value mistyped": Way(
        ["send-message", "orderId=a"], 0, "waits for orderId=A, which differs in case", WAITS,
        before=[["run", "order", "id=A", "--detach"], ["worker", "--once", "-q"]], answers=True,
    ),
    "a message's key mistyped": Way(
        ["send-message", "order=A"], 0, "waits for orderId=A, under another key", WAITS,
        before=[["run", "order", "id=A", "--detach"], ["worker", "--once", "-q"]], answers=True,
    ),
    "data that is no JSON": Way(["send-message", "orderId=1", "--data", "{"], 2, "--data is not JSON"),
    "a token that is none": Way(["task", "success", "x"], 2, "this is not a task token"),
    # Configuration.
    "a setting misspelt": Way(["list"], 7, "did you mean 'concurrency'?", {"sm.toml": "conccurrency = 4\n"}),
    "a setting of another type": Way(
        ["list"], 7, "sm.toml:1: concurrency is a whole number, not 'four'", {"sm.toml": "concurrency = 'four'\n"}
    ),
    "a configuration that is not TOML": Way(["list"], 7, "sm.toml is not TOML", {"sm.toml": "workflow = [\n"}),
    "a configured workflow that is not there": Way(
        ["run"], 3, "sm.toml:1: workflow: there is no file", {"sm.toml": "workflow = 'workflows/no.yaml'\n"}
    ),
    "a variable that is no number": Way(
        ["run"], 2, "SM_CONCURRENCY takes a whole number from 1 on, not 'abc'", variables={"SM_CONCURRENCY": "abc"}
    ),
    "a variable that is neither yes nor no": Way(
        ["list"], 2, "SM_TRUST takes true or false, not 'maybe'", variables={"SM_TRUST": "maybe"}
    ),
    # Databases.
    "a database that is not there": Way(["list", "--db", "no.db"], 7, "there is no database at no.db"),
    "a database of another kind": Way(["list", "--db", "mysql://h/x"], 7, "is not a database that sm knows"),
    "a text for a database": Way(["list", "--db", "a.db"], 7, "a.db is not a database", {"a.db": "hello\n"}),
    "noise for a database": Way(["list", "--db", "a.db"], 7, "a.db is not a database", {"a.db": b"\x93" * 5000}),
    "a folder for a database": Way(["list", "--db", "."], 7, ". cannot be opened: it is a directory"),
}  # fmt: skip


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with a workflow, its handler, and a database."""
    project.write("sm.toml", CONFIGURATION)
    project.workflow(ORDER)
    project.write("handlers/orders.py", CHARGE)
    project.database()
    return project


def check(result: Result, code: int, says: str, *, answers: bool = False) -> None:
    """What holds for every mistake."""
    assert "Traceback" not in result.err + result.out
    assert "Errno" not in result.err
    assert says in result.err or (answers and says in result.out), result.err
    assert result.code == code, result.err
    assert answers or result.out == ""
    assert len(result.err.strip().splitlines()) <= _LINES


@pytest.mark.parametrize("name", WAYS)
def test_a_mistake_gets_a_sentence_and_its_exit_code(shop: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = WAYS[name]
    for file, content in way.files.items():
        if content is None:
            (shop.path / file).unlink()
            if not any((shop.path / file).parent.iterdir()):
                (shop.path / file).parent.rmdir()
        else:
            shop.write(file, content)
    if "sm.toml" in way.files and way.files["sm.toml"] is None:
        for left in (shop.path / ".sm").iterdir():
            left.unlink()
    for typed in way.before:
        assert shop.sm(*typed).code == 0
    for variable, value in way.variables.items():
        monkeypatch.setenv(variable, value)
    check(shop.sm(*way.typed, stdin=way.stdin), way.code, way.says, answers=way.answers)


def test_there_are_at_least_fifty_ways() -> None:
    assert len(WAYS) >= 50


def test_sm_alone_is_help_and_no_mistake(shop: Project) -> None:
    result = shop.sm()
    assert (result.code, result.err) == (0, "")
    assert "sm help COMMAND" in result.out


def test_what_a_handler_prints_is_no_output(shop: Project) -> None:
    shop.write("handlers/orders.py", CHARGE.replace("    return", "    print('hello')\n    return"))
    result = shop.process("run", "-o", "json")
    assert result.code == 0
    assert result.json["status"] == "SUCCEEDED"
    assert "hello" in result.err


def test_a_token_is_used_once(shop: Project) -> None:
    shop.workflow(ORDER.replace("Resource: charge", "Resource: charge.waitForTaskToken"))
    assert shop.sm("run", "--detach").code == 0
    assert shop.sm("worker", "--once", "-q").code == 0
    token = shop.sm("task", "list", "-o", "json").json[0]["token"]
    assert shop.sm("task", "success", token).code == 0
    check(shop.sm("task", "success", token), 4, "the task that it was made for has ended")
    check(shop.sm("task", "success", token[:-4]), 2, "this is not a whole task token")


# -- what the shell, the disk and others do ---------------------------------------------------------


def shell(shop: Project, line: str, **variables: str) -> Result:
    """A line of the shell, in which `sm` is this one."""
    return ended_shell(shop, f'sm() {{ "$PYTHON" -m sm_cli "$@"; }}\n{line}', variables)


def ended_shell(shop: Project, script: str, variables: dict[str, str]) -> Result:
    import sys

    process = subprocess.Popen(
        ["bash", "-c", script], cwd=shop.path, env={**shop.environment(), "PYTHON": sys.executable, **variables},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    shop.started.append(process)
    return ended(process)


def test_stdout_that_is_closed_loses_only_the_answer(shop: Project) -> None:
    result = shell(shop, "sm run >&-")
    assert (result.code, result.out) == (0, "")
    assert "SUCCEEDED" in result.err


def test_stdin_that_is_closed_has_nothing_to_read(shop: Project) -> None:
    check(shell(shop, "sm run -i - <&-"), 2, "stdin is closed, so nothing can be read from it")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_full_disk_is_told(shop: Project) -> None:
    check(shell(shop, "sm run > /dev/full"), 7, "the result could not be written: No space left on device")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_not_writable_is_told(shop: Project) -> None:
    (shop.path / "locked").mkdir(mode=0o500)
    check(shop.sm("run", "--db", "locked/x.db"), 7, "locked")


def test_a_reader_that_has_seen_enough_is_no_mistake(shop: Project) -> None:
    result = shell(shop, "sm schema | head -n 1 > /dev/null; exit ${PIPESTATUS[0]}")
    assert (result.code, result.err) == (0, "")


def test_names_beyond_ascii_on_an_ascii_terminal(shop: Project) -> None:
    result = shell(shop, "sm run größe.yaml", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    check(result, 3, "there is no file gr")


def test_ctrl_c_leaves_the_execution_to_others(shop: Project) -> None:
    shop.workflow("StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 600, End: true}\n")
    process = shop.start("run", "--name", "long")
    assert process.stderr is not None
    assert "600" in process.stderr.readline() or process.poll() is None
    process.send_signal(signal.SIGINT)
    result = ended(process)
    assert (result.code, result.out) == (130, "")
    assert "Traceback" not in result.err
    assert shop.sm("show", "long", "-o", "json").json["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("PRAGMA user_version = 999", "was written by a newer sm"),
        ("PRAGMA application_id = 77", "is a database of another program"),
    ],
)
def test_a_database_that_is_not_for_this_sm_is_left_alone(shop: Project, statement: str, says: str) -> None:
    file = shop.path / ".sm" / "sm.db"
    edit(file, lambda database: database.execute(statement))
    before = file.read_bytes()
    check(shop.sm("list"), 7, says)
    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_database(shop: Project) -> None:
    shop.write("empty.db", "")
    assert shop.sm("run", "--db", "empty.db").code == 0


def test_a_database_that_another_program_holds_is_told_of(shop: Project) -> None:
    held = sqlite3.connect(shop.path / ".sm" / "sm.db", isolation_level=None)
    try:
        held.execute("BEGIN EXCLUSIVE")
        check(shop.sm("run", "--lock-timeout", "1"), 7, "")
    finally:
        held.close()


def edit(file: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    database = sqlite3.connect(file)
    change(database)
    database.commit()
    database.close()
