"""Every command: its help, what it prints for people and for programs, compared with what it printed before.

The stored transcripts are our own output. A change that is meant is recorded with

    SM_RECORD=1 python -m pytest tests/cli/test_snapshots.py

and reviewed as a part of the commit. Time stands still within a command and ids are counted, so that a transcript
is the same on every machine and in every run; what is left of chance (tokens, process ids, directories, the version)
is replaced by a name.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sm_cli._version import __version__
from sm_cli.cli.app import build
from sm_cli.cli.commands import COMMANDS
from sm_cli.engine.clock import SystemClock, make_ref
from tests.cli.conftest import Project, Result

SNAPSHOTS = Path(__file__).parent / "snapshots"
RECORD = bool(os.environ.get("SM_RECORD"))
#: 2026-01-31T12:00:00Z in microseconds.
START = 1_769_860_800_000_000

ORDER = """
    Comment: An order is charged, then it waits until it is shipped.
    StartAt: Charge
    States:
      Charge:
        Type: Task
        Resource: charge:order
        ResultPath: $.receipt
        Next: Large
      Large:
        Type: Choice
        Choices:
          - {Variable: $.amount, NumericGreaterThan: 100, Next: Shipped}
        Default: Done
      Shipped:
        Type: Message
        CorrelationKey: orderId
        CorrelationValuePath: $.orderId
        ResultPath: $.shipped
        Next: Done
      Done: {Type: Succeed}
"""
APPROVAL = """
    StartAt: Approve
    States:
      Approve:
        Type: Task
        Resource: ask:approval.waitForTaskToken
        Parameters: {"token.$": $$.Task.Token}
        HeartbeatSeconds: 3600
        End: true
"""
BATCH = """
    StartAt: Each
    States:
      Each:
        Type: Map
        MaxConcurrency: 1
        ToleratedFailurePercentage: 50
        ItemProcessor:
          ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
          StartAt: Charge
          States:
            Charge: {Type: Task, Resource: charge:order, End: true}
        End: true
"""
BROKEN = """
    StartAt: A
    States:
      A: {Type: Pass, Next: Z}
      B: {Type: Wait, Seconds: -1, End: true}
"""
QUICK = """
    StartAt: A
    States:
      A: {Type: Pass, Result: {answer: 42}, End: true}
"""
TESTS = """
    tests:
      - {name: it answers, expect: {output: {answer: 42}}}
      - {name: it asks, expect: {output: {answer: 41}, states: [A, B]}}
"""
HANDLERS = """
    @handler("charge:order")
    def charge(order):
        if order["amount"] <= 0:
            raise TaskError("InvalidAmount", "there is nothing to pay")
        return {"charged": order["amount"]}

    @handler("ask:approval")
    def ask(question):
        return None
"""


class Transcript:
    """Command lines and what they print, in the order in which they were run."""

    def __init__(self, project: Project, tick: Callable[[], None]) -> None:
        self._project = project
        self._tick = tick
        self.lines: list[str] = []

    def quiet(self, *arguments: str) -> Result:
        """One command line that is not a part of the transcript, a second later than the one before."""
        self._tick()
        return self._project.sm(*arguments)

    def add(self, line: str) -> None:
        """One command line. Its words are separated by blanks: none of them may have one of its own but in single
        quotes. `{token}`
        stands for the token of the task that waits for a callback."""
        token = self.quiet("task", "list", "--json").json[0]["token"] if "{token}" in line else ""
        self._tick()
        result = self._project.sm(*words(line.replace("{token}", token)))
        self.lines += [f"$ sm {line}", *self._printed(result.out), *self._printed(result.err, "! ")]
        self.lines += [f"# exit code {result.code}", ""]

    def _printed(self, text: str, before: str = "") -> Iterator[str]:
        shown = normalised(text, self._project.path)
        for line in shown.splitlines():
            yield f"{before}{line}"
        if shown and not shown.endswith("\n"):
            yield f"{before}# no line end"

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def normalised(text: str, directory: Path) -> str:
    """Printed text, with names for what differs between machines and runs."""
    for part, name in ((str(directory.resolve()), "DIR"), (str(directory), "DIR"), (__version__, "VERSION")):
        text = text.replace(part, name)
    text = text.replace(f"{os.uname().nodename}:{os.getpid()}", "HOST:PID")
    # Deadlines of tasks are put off by what their commit took, a millisecond perhaps.
    text = re.sub(r"(T\d\d:\d\d:\d\d)\.00\dZ", r"\1.000Z", text)
    text = re.sub(r"Python \d[\w.+]* on \w+, SQLite \d[\d.]*", "Python N, SQLite N", text)
    text = re.sub(r"cronsim \d.*? watchfiles [\d.]+", "LIBRARIES", text)
    text = re.sub(r"extras that are there: [^\n\"]*", "EXTRAS", text)
    text = re.sub(r"on [\w. ]+, journal mode wal, \d+\.\d GB free", "PLACE", text)
    text = re.sub(r"sm: note: only here can be installed .*\n", "", text)  # where sm came from
    # SQLite's versions lay files out in different ways.
    text = re.sub(r"\b(\d+\.\d [KM]B|\d+ bytes(?= are free|$))", "SIZE", text, flags=re.MULTILINE)
    text = re.sub(r'"(\w*[bB]ytes|bytes_per_execution|pages|free_pages)":\d+', r'"\1":N', text)
    return re.sub(r"\bAAAA[\w-]{39}(?![\w-])", "TOKEN", text)  # an address, which begins with zeros, and its signature


def words(line: str) -> list[str]:
    """The words of a command line; single quotes hold one together that has blanks."""
    return [quoted or bare for quoted, bare in re.findall(r"'([^']*)'|(\S+)", line)]


@pytest.fixture
def transcript(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transcript]:
    """A project with three workflows and five executions: one of each kind of end, and of each kind of wait."""
    now, refs = [START], count(1)

    def tick() -> None:
        now[0] += 1_000_000

    monkeypatch.setattr(SystemClock, "now", lambda _clock: now[0])
    monkeypatch.setattr(SystemClock, "monotonic", lambda _clock: now[0])
    monkeypatch.setattr(SystemClock, "new_ref", lambda _clock: make_ref(now[0] // 1000, next(refs)))
    for name, value in (("COLUMNS", "80"), ("NO_COLOR", "1"), ("TZ", "UTC"), ("LC_ALL", "C.UTF-8")):
        monkeypatch.setenv(name, value)
    for name in ("FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
    for name, text in (("order", ORDER), ("approval", APPROVAL), ("batch", BATCH)):
        project.workflow(text, f"{name}.yaml")
    project.write("broken.yaml", BROKEN)
    project.write("quick.yaml", QUICK)
    project.write("quick.test.yaml", TESTS)
    project.write("batch.json", '[{"amount": 1}, {"amount": 0}, {"amount": 3}]')
    project.write("items.jsonl", '{"amount": 1}\n{"amount": 0}\n{"amount": 3}\n')
    project.handlers(HANDLERS)
    made = Transcript(project, tick)
    one = ("--concurrency", "1")
    assert made.quiet("run", "order", "orderId=A", "amount=10", "--name", "small", "--tag", "team=blue", *one).code == 0
    assert made.quiet("run", "order", "orderId=B", "amount=0", "--name", "free", *one).code == 1
    assert made.quiet("run", "order", "orderId=C", "amount=500", "--name", "large", "--detach-on-wait", *one).code == 6
    assert made.quiet("run", "batch", "-i", "batch.json", "--name", "three", "--detach").code == 0
    assert made.quiet("run", "approval", "--name", "asked", "--detach").code == 0
    assert made.quiet("worker", "--drain", "--name", "w", *one).code == 0
    assert made.quiet("send-message", "orderId=Z", "--message-id", "m1", "--data", '{"by":"post"}').code == 0
    yield made
    monkeypatch.undo()
    time.tzset()


NIGHTLY = "schedule add order --name nightly --cron '0 2 * * 1-5' --tz Europe/Berlin orderId=S amount=1"

#: Command, or `command subcommand`, to the lines of its transcript; `{f}` stands for each way to print.
FORMATS = ("--json", "-o json", "-o jsonl", "-o yaml")
STARTED = "batch run order --inputs items.jsonl --name-prefix p --concurrency 1"
DETACHED = f"{STARTED} --detach"
TRANSCRIPTS: dict[str, tuple[str, ...]] = {
    "init": ("init made", "init made", "init made --force"),
    "validate": (
        "validate",
        "validate broken.yaml",
        "validate broken.yaml --json",
        "validate workflows/order.yaml --json",
        *(f"validate broken.yaml --format {name}" for name in ("sarif", "github", "junit")),
        "validate broken.yaml --aws",
        "validate broken.yaml --fix --dry-run",
        "validate nowhere.yaml",
    ),
    "explain": ("explain", "explain SM203", "explain SM203 --json", "explain SM999"),
    "schema": ("schema",),
    "graph": (
        *(f"graph order --format {name}" for name in ("text", "mermaid", "dot")),
        "graph batch",
        "graph order --execution small",
    ),
    "export": (
        *(f"export batch --format {name}" for name in ("sam", "cloudformation", "terraform", "cdk", "serverless")),
        "export order",
        "export order --aws",
        "export order --replace-messages --output made",
        "export order --replace-messages --output made --log-level ALL",
        "export batch --aws",
    ),
    "run": (
        "run order orderId=D amount=1 --concurrency 1",
        "run order orderId=E amount=0 --concurrency 1",
        "run order orderId=F amount=101 --concurrency 1 --detach-on-wait",
        "run order orderId=G amount=1 --detach",
        "run order orderId=H amount=1 --express",
        "run quick.yaml --express",
        "run order orderId=I amount=1 --concurrency 1 {f}",
        "run order orderId=J amount=0 --concurrency 1 -o json",
        "run order orderId=K amount=101 --concurrency 1 --detach-on-wait -o json",
        "run order orderId=L amount=1 --detach -o json",
        "run quick.yaml --express -o jsonpath=$.output.answer",
        "run quick.yaml -o jsonpath=$.nothing",
        "run nowhere",
        "run order --name small",
        "run quick.yaml --from-execution free --detach",
        "run quick.yaml --from-execution large --detach",
        "run quick.yaml --from-execution small:Nothing --detach",
        "run quick.yaml --from-execution small --transform $states.input.nothing --detach",
        "run quick.yaml --from-execution small --transform name:nothing --detach",
    ),
    "attach": ("attach small", "attach free", "attach free {f}", "attach nobody"),
    "wait": (
        "wait small",
        "wait small free",
        "wait small free {f}",
        "wait large small --timeout 0",
        "wait large small --any -o jsonpath=$[*].status",
        "wait small nobody",
    ),
    "stats": (
        *(f"stats {{f}}{more}" for more in ("", " --by workflow")),
        *(f"stats --by {by}" for by in ("version", "state", "error", "hour")),
        "stats order -o csv",
        "stats -o jsonpath=$.total.count",
        "stats ordr",
        "stats --by size",
    ),
    "list": (
        "list",
        *(f"list {{f}}{more}" for more in ("", " --status FAILED")),
        "list --workflow order --limit 2",
        "list --tag team=blue --sort name",
        "list --state Charge --error Declined --count",
        "list --tag team=red --until 1h",
        "list -o jsonpath=$[?(@.status=='FAILED')].name",
        "list --status NONE",
    ),
    "show": (
        *(f"show {name}" for name in ("small", "free", "large", "three", "asked")),
        "show large {f}",
        "show nobody",
    ),
    "output": (
        *(f"output {name}" for name in ("small", "free", "large")),
        "output small -o yaml",
        "output small -o jsonpath={.receipt.charged}",
    ),
    "history": (
        *(f"history {name}" for name in ("small", "free", "large", "three", "asked")),
        "history small --events",
        "history small --payloads",
        "history small {f}",
        "history free {f} --events",
        "history large {f} --payloads",
    ),
    "stop": (
        "stop large --error Late --cause closed",
        "show large",
        "stop large",
        "stop nobody",
        "stop --workflow approval",
        "stop --workflow approval --dry-run",
        "stop --workflow approval --yes --json",
        "stop --workflow approval --yes",
    ),
    "redrive": (
        "redrive free --dry-run",
        "redrive free --dry-run --json",
        "redrive free --json",
        "redrive free --version 1 --dry-run",
        "redrive free --version 2",
        "redrive free --version x",
        "redrive free --version 1 --definition quick.yaml",
        "redrive free --definition quick.yaml",
        "redrive free --definition nowhere.yaml",
        "redrive --error Declined --dry-run",
        "redrive --workflow order --yes",
        "redrive small",
    ),
    "test": (
        "test quick.test.yaml",
        "test quick.test.yaml -k answers",
        "test quick.test.yaml -k answers --json",
        "test quick.test.yaml {f}",
        "test",
    ),
    "test-state": (
        'test-state order Charge --input {"amount":5}',
        'test-state order Charge --input {"amount":0}',
        'test-state order Charge --input {"amount":5} --json',
        'test-state order Charge --input {"amount":5} --trace',
        'test-state order Large --input {"amount":500} --json --level TRACE',
        "test-state order Nothing",
    ),
    "task success": (
        "task success wrong --output {}",
        "task success {token} --output {}",
        "worker --drain --name w",
        "show asked",
    ),
    "task failure": ("task failure wrong --error Refused", "task failure {token} --error Refused", "show asked"),
    "task heartbeat": ("task heartbeat wrong", "task heartbeat {token}", "show asked"),
    "task list": ("task list", "task list {f}"),
    "why": (
        *(f"why {name}" for name in ("small", "free", "large", "three", "asked")),
        "why large {f}",
        "why asked --json",
    ),
    "links": (
        "run quick.yaml --from-execution small --name one --detach",
        "run quick.yaml --from-execution small:Charge --transform $states.input.receipt --name two --detach",
        "links",
        "links {f}",
        "links one",
        "links --state Charge --json",
        "links --target-workflow order",
        "links nobody",
        "show small",
        "show two",
        "graph --execution one --links",
        *(f"graph --execution small --links --format {name}" for name in ("text", "mermaid", "dot")),
    ),
    "map-runs": ("map-runs", "map-runs {f}", "map-runs three", "map-runs small"),
    "workflow list": ("workflow list", "workflow list {f}"),
    "workflow register": (
        "workflow register quick.yaml",
        "workflow register quick.yaml --alias prod",
        "workflow register broken.yaml",
        "workflow register quick.yaml --name a:b",
        "workflow register order --name approval {f}",
    ),
    "workflow versions": (
        "workflow versions order",
        "workflow register quick.yaml --name order --alias prod",
        "workflow versions order",
        "workflow versions order {f}",
        "run order:prod",
        "run order:1 orderId=X amount=1 --concurrency 1",
        "list --workflow order",
        "run order:3",
        "run order:blue",
        "run nobody:1",
        "workflow versions ordre",
    ),
    "workflow show": ("workflow show order", "workflow show order:1 {f}", "workflow show order:2"),
    "workflow diff": (
        "workflow register quick.yaml --name approval",
        "workflow diff approval:1 approval:2",
        "workflow diff approval:1 approval:2 {f}",
        "workflow diff approval:2 approval:2",
        "workflow diff approval:2",
        "workflow diff approval:1 approval:3",
    ),
    "workflow alias": (
        "workflow alias order",
        "workflow alias order prod=1",
        "workflow alias order prod=1:90,2:10",
        "workflow register quick.yaml --name order",
        "workflow alias order prod=2:90,1:10",
        "workflow alias order prod=2:90,1:20",
        "workflow alias order prod",
        "workflow alias order 7=1",
        "workflow alias order",
        "workflow alias order {f}",
        "workflow alias order --delete prod",
        "workflow alias order --delete prod",
    ),
    "workflow rollback": (
        "workflow rollback order",
        "workflow register quick.yaml --name order --alias prod",
        "workflow rollback order",
        "workflow rollback order:prod {f}",
        "workflow rollback order --to 2",
        "workflow rollback order --to 9",
        "workflow rollback order --to x",
        "workflow rollback order:2",
    ),
    "workflow delete": (
        "workflow delete order:1",
        "workflow delete batch:1",
        "workflow delete batch:1",
        "workflow delete order",
        "workflow delete approval --yes",
        "workflow delete approval:prod",
        "list",
    ),
    "workflow export": (
        "workflow export approval",
        "workflow export approval --aws",
        "workflow export order --aws",
        "workflow export order:9",
    ),
    "batch run": (
        "batch run order --inputs items.jsonl --name-prefix p --dry-run",
        "batch run order --inputs items.jsonl --name-prefix p --dry-run --json",
        "batch run order --inputs items.jsonl --name-prefix p --concurrency 1",
        "batch run order --inputs items.jsonl --name-prefix p --concurrency 1 {f}",
        "batch run order --inputs items.jsonl --name-prefix q --concurrency 1 --stop-on-error -o jsonl",
        "batch run order --inputs items.jsonl --name-prefix r --concurrency 1 --micro-batch 2 --pause-at 10%",
        "batch run order --inputs items.jsonl --name-prefix s --detach",
        "batch run order --inputs nowhere.jsonl",
        "list --workflow order --limit 3",
    ),
    "batch list": ("batch list", STARTED, "batch list", "batch list {f}"),
    "batch show": (STARTED, "batch show p", "batch show p {f}", "batch show p --follow", "batch show small"),
    "batch pause": (DETACHED, "batch pause p", "batch pause p", "batch show p", "list --limit 1", "why @last"),
    "batch resume": (DETACHED, "batch pause p", "batch resume p", "batch resume p"),
    "batch update": (DETACHED, "batch update p --concurrency 2 --tolerate 1", "batch show p", "batch update p"),
    "batch cancel": (DETACHED, "batch cancel p", "batch cancel p", "batch show p"),
    "batch retry-failed": (STARTED, "batch retry-failed p", "batch show p", "batch retry-failed nothing"),
    "batch results": (STARTED, "batch results p", "batch results p --status FAILED", "batch results nothing"),
    "waits": ("waits", "waits {f}", "waits --key orderId --value C", "waits --key nothing"),
    "send-message": (
        'send-message orderId=C --data {"by":"ship"} --message-id m2',
        'send-message orderId=C --data {"by":"ship"} --message-id m2 {f}',
        "send-message orderId=Y {f}",
        "send-message orderId=Q --require-match",
        "worker --once --name w --concurrency 1",
        "list",
    ),
    "messages list": ("messages list", "messages list {f}"),
    "messages show": ("messages show m1", "messages show m1 {f}", "messages show nothing"),
    "messages delete": ("messages delete m1", "messages delete m1", "messages list"),
    "db backup": ("db backup copy.db", "db backup copy.db", "db backup copy.db --force", "list --db copy.db"),
    "db info": ("db info", "db info --json", "db info --db memory:"),
    "db check": ("db check", "db check --json", "db check --fix"),
    "db compact": ("db compact",),
    "db vacuum": ("db vacuum",),
    "db migrate": ("db migrate", "db migrate --db new.db"),
    "db prune": (
        "db prune",
        "db prune --older-than 0s --dry-run",
        "db prune --older-than 0s --dry-run --keep-failed --workflow order",
        "db prune --older-than 0s --keep-failed --status failed",
        "db prune --older-than 0s --status failed --json",
        "db prune --older-than 0s",
        "list",
        "db prune --older-than 30d",
        "db prune --older-than 1d --status running",
    ),
    "db query": (
        "db query 'SELECT name, status, error FROM executions ORDER BY id'",
        "db query 'SELECT name, value FROM secrets UNION SELECT 1, 2' {f}",
        "db query 'SELECT 1 WHERE 0'",
        "db query 'DELETE FROM executions'",
        "db query 'SELECT nope'",
    ),
    "worker": ("worker --once --name w --concurrency 1", "worker --drain --name w --concurrency 1"),
    "env": ("env", "env --json", "env --port 9000 --host ::1", "env --unset", "env --port x"),
    "serve": ("serve --host 0.0.0.0", "serve --port x", "serve --account 12", "serve --token-file nowhere"),
    "delete": ("delete", "delete small free", "list", "delete large", "delete small", "delete three --json"),
    "db export": (
        "db export out",
        "db export out --format csv --json",
        "db export out",
        "db export out --format xml",
    ),
    "workers": ("workers", "workers {f}"),
    "queues": ("queues", "queues {f}"),
    "db copy": (
        "db copy .sm/sm.db copy.db --json",
        "list --db copy.db",
        "db copy .sm/sm.db copy.db",
        "db copy a.db b.db",
    ),
    "schedule add": (
        NIGHTLY,
        NIGHTLY,
        "schedule add order --name often --every 15m --jitter 5m --overlap queue --catch-up all",
        "schedule add order --name once --at 2026-02-14T08:00 --tz America/New_York {f}",
        "schedule add order",
        "schedule add ordr --every 1m",
        "schedule add order --name nightly --every 1m",
        "schedule add order --name never --cron '0 0 30 2 *'",
        "schedule add order --name nowhere --cron '0 2 * * *' --tz Europe/Berln",
        "schedule add order --name past --at 2026-01-31T11:00Z",
    ),
    "schedule list": (
        "schedule list",
        NIGHTLY,
        "schedule add order --name often --every 1s orderId=S amount=500",
        "schedule list",
        "worker --once --name w --concurrency 1",
        "schedule list",
        "schedule list {f}",
    ),
    "schedule show": (
        "schedule add order --name often --every 1s orderId=S amount=500",
        "schedule show often",
        "worker --once --name w --concurrency 1",
        "worker --once --name w --concurrency 1",
        "schedule show often",
        "schedule show often {f}",
        "schedule show nothing",
        "why often",
        "why often --json",
    ),
    "schedule pause": (NIGHTLY, "schedule pause nightly", "schedule pause nightly", "schedule list", "why nightly"),
    "schedule resume": (NIGHTLY, "schedule pause nightly", "schedule resume nightly", "schedule resume nightly"),
    "schedule run-now": (
        "schedule add order --name often --every 1d orderId=S amount=500",
        "schedule run-now often",
        "schedule run-now often",
        "schedule add order --name line --every 1d --overlap queue orderId=S amount=500",
        "schedule run-now line {f}",
        "schedule run-now line",
    ),
    "schedule remove": (NIGHTLY, "schedule remove nightly", "schedule remove nightly", "schedule list"),
    "doctor": ("doctor", "doctor --json", "schedule add order --name often --every 1s", "doctor", "doctor --db no.db"),
}


def in_every_format(lines: tuple[str, ...]) -> Iterator[str]:
    for line in lines:
        yield from (line.replace("{f}", each) for each in FORMATS) if "{f}" in line else (line,)


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_command_prints_what_it_printed(transcript: Transcript, name: str) -> None:
    for line in in_every_format(TRANSCRIPTS[name]):
        transcript.add(line)
    compare(f"{name.replace(' ', '-')}.txt", transcript.text)


def compare(file: str, text: str) -> None:
    """A transcript with the stored one, byte for byte; or store it."""
    stored = SNAPSHOTS / file
    if RECORD:
        stored.write_bytes(text.encode())
    assert text == stored.read_bytes().decode(), f"{file} differs; SM_RECORD=1 records it anew"


# -- help --------------------------------------------------------------------------------------------------------------


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(words, command) for a command and all below it."""
    if words:
        yield " ".join(words), command
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*words, name))


def every_command() -> dict[str, Any]:
    return dict(leaves(get_command(build([*dict.fromkeys(COMMANDS.values())]))))


def help_words(text: str) -> str:
    """Help without the types and the line breaks that a version of typer puts in and another does not."""
    return " ".join(re.sub(r" <[\w\[\]]+>", "", text).split())


@pytest.mark.parametrize("name", ["", *every_command()])
def test_the_help_of_a_command_says_what_it_said(project: Project, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = project.sm(*name.split(), "--help")
    assert (result.code, result.err) == (0, "")
    stored = SNAPSHOTS / "help" / f"{name.replace(' ', '-') or 'sm'}.txt"
    if RECORD:
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(result.out.encode())
    assert help_words(result.out) == help_words(stored.read_bytes().decode())


def test_every_command_has_a_transcript_in_every_way_it_prints() -> None:
    commands = {name: each for name, each in every_command().items() if not hasattr(each, "commands")}
    assert sorted(TRANSCRIPTS) == sorted(commands)
    for name, command in commands.items():
        flags = {flag for parameter in command.params for flag in parameter.opts}
        lines = [line for line in in_every_format(TRANSCRIPTS[name]) if line.startswith(name)]
        if "--json" in flags:
            assert any("--json" in line for line in lines), name
        if {"--json", "-o"} <= flags:
            assert all(any(each in line for line in lines) for each in FORMATS), name


def test_no_stored_transcript_is_left_over() -> None:
    helps = {f"help/{name.replace(' ', '-') or 'sm'}.txt" for name in ["", *every_command()]}
    wanted = helps | {f"{name.replace(' ', '-')}.txt" for name in TRANSCRIPTS}
    assert {file.relative_to(SNAPSHOTS).as_posix() for file in SNAPSHOTS.rglob("*") if file.is_file()} == wanted


def test_what_differs_between_machines_has_a_name(tmp_path: Path) -> None:
    token = "AAAAAAAAAAgAAAAAAAAAAQvUZrCrgQjw-PeuS6_3xzo"
    text = f"{tmp_path}/a.yaml by {os.uname().nodename}:{os.getpid()} '{token}' {token}- AAAA"
    assert normalised(text, tmp_path) == f"DIR/a.yaml by HOST:PID 'TOKEN' {token}- AAAA"
