"""A directory becomes a registry of handlers; whatever is wrong with it is one sentence that names the file."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.asl.text.source import parse
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.handler import Context, Success, run_async
from sm_cli.handlers.handler import run_handler as run_sync
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.needs import calls_handlers, check_handlers, needed_handlers
from sm_cli.handlers.registry import Registry
from sm_cli.worker.processes.processes import Processes
from tests.handlers.places import PLACES

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> Path:
        file = tmp_path / "handlers" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("from sm_cli import handler\n" + dedent(text), encoding="utf-8")
        return file

    return write


Load = Callable[[Path], Registry]


@pytest.fixture(params=PLACES)
def load(request: pytest.FixtureRequest) -> Iterator[Load]:
    """Loads a directory here, or in a process of its own."""
    with ExitStack() as made:
        if request.param == "threads":
            yield load_handlers
        else:
            yield lambda directory: made.enter_context(Processes(directory)).load()


def called(handlers: Registry, name: str, input: Any) -> Any:
    """What a handler returns."""
    handler, context = handlers[name], Context("ref", "name", "w", "S", 1, "key", resource=name)
    sync = not handler.is_async
    ended = run_sync(handler, input, context) if sync else asyncio.run(run_async(handler, input, context))
    assert isinstance(ended, Success)
    return ended.result


def test_every_handler_of_every_file_is_found(load: Load, write: Write) -> None:
    write(
        "orders.py", "@handler('process:order')\ndef process(order): return 1\n@handler\ndef plain(order): return 2\n"
    )
    file = write("payments.py", "@handler('a')\n@handler('b')\nasync def both(order): return 3\n")
    found = load(file.parent)
    assert sorted(found) == ["a", "b", "plain", "process:order"]
    assert called(found, "process:order", {}) == 1
    assert called(found, "a", {}) == 3


def test_files_that_begin_with_an_underscore_are_only_helpers(load: Load, write: Write) -> None:
    write("_shared.py", "@handler('hidden')\ndef hidden(x): return 1\nVALUE = 7\n")
    file = write("orders.py", "from _shared import VALUE\n@handler('shown')\ndef shown(x): return VALUE\n")
    found = load(file.parent)
    assert list(found) == ["shown"]
    assert called(found, "shown", {}) == 7


@pytest.mark.parametrize(
    "statement", ["import payments_x", "from payments_x import charge", "from . import payments_x"]
)
def test_siblings_import_each_other_and_are_run_once(load: Load, write: Write, statement: str) -> None:
    write("orders_x.py", f"{statement}\n@handler('order')\ndef order(x): return 1\n")
    file = write(
        "payments_x.py",
        "import orders_x\nRUNS = []\nRUNS.append(1)\n@handler('pay')\ndef charge(x): return len(RUNS)\n",
    )
    found = load(file.parent)
    assert sorted(found) == ["order", "pay"]
    assert called(found, "pay", {}) == 1


def test_a_sibling_has_the_facts_of_its_private_package(write: Write) -> None:
    write("orders_z.py", "")
    load_handlers(write("payments_z.py", "import orders_z\n").parent)
    assert sys.modules["orders_z"].__name__.startswith("_sm_handlers_")
    assert sys.modules["orders_z"].__spec__ is sys.modules[sys.modules["orders_z"].__name__].__spec__


def test_a_file_named_like_a_module_of_python_hides_nothing(load: Load, write: Write) -> None:
    file = write("json.py", "import json\n@handler('dump')\ndef dump(x): return json.dumps(x)\n")
    assert called(load(file.parent), "dump", {"a": 1}) == '{"a": 1}'


def test_two_directories_with_the_same_file_names_do_not_meet(write: Write) -> None:
    first = write(
        "../one/jobs_y.py", "import tools_y\n@handler('job')\ndef job(x): return tools_y.WHO\n"
    ).parent.resolve()
    write("../one/tools_y.py", "WHO = 'one'\n")
    second = write(
        "../two/jobs_y.py", "import tools_y\n@handler('job')\ndef job(x): return tools_y.WHO\n"
    ).parent.resolve()
    write("../two/tools_y.py", "WHO = 'two'\n")
    before = load_handlers(first)["job"]
    after = load_handlers(second)["job"]
    assert (before.function({}), after.function({})) == ("one", "two")
    assert str(first) not in sys.path
    assert str(second) in sys.path


def test_two_handlers_of_one_name_are_refused_naming_both_files(load: Load, write: Write) -> None:
    write("a.py", "@handler('same')\ndef one(x): return 1\n")
    file = write("b.py", "@handler('same')\ndef two(x): return 2\n")
    with pytest.raises(HandlerLoadError, match=r"'same': one in handlers/a\.py, one in handlers/b\.py"):
        load(file.parent)


def test_two_handlers_of_one_name_in_one_file_are_refused(load: Load, write: Write) -> None:
    file = write("a.py", "@handler('same')\ndef one(x): return 1\n@handler('same')\ndef two(x): return 2\n")
    with pytest.raises(HandlerLoadError, match=r"handlers/a\.py registers two handlers as 'same'"):
        load(file.parent)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import gone_x\n", "handlers/bad.py:2: cannot be imported: ModuleNotFoundError: No module named 'gone_x'"),
        ("x = 1\ny = x / 0\n", "handlers/bad.py:3: cannot be imported: ZeroDivisionError: division by zero"),
        ("def f(:\n", "handlers/bad.py:2: cannot be imported: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)\n", "handlers/bad.py:3: cannot be imported: SystemExit: 3"),
        ("raise KeyError\n", "handlers/bad.py:2: cannot be imported: KeyError"),
        ("import _broken\n", "handlers/_broken.py:3: cannot be imported: NameError: name 'nothing' is not defined"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_import_is_named_with_line_and_exception(
    load: Load, write: Write, text: str, sentence: str
) -> None:
    write("_broken.py", "\nnothing\n")
    file = write("bad.py", text)
    with pytest.raises(HandlerLoadError) as caught:
        load(file.parent)
    assert caught.value.message == sentence
    assert caught.value.exit_code == 8


def test_a_directory_that_is_not_there_is_named(load: Load, tmp_path: Path) -> None:
    with pytest.raises(HandlerLoadError, match=r"no handlers directory at .*nowhere"):
        load(tmp_path / "nowhere")


WORKFLOW = """
StartAt: A
States:
  A: {Type: Task, Resource: 'arn:aws:lambda:eu-west-1:123456789012:function:charge:PROD', Next: B}
  B:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: 'arn:aws:lambda:us-east-1:123456789012:function:refund', Payload: {}}
    Next: C
  C:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName.$: $.name}
    Next: J
  J:
    Type: Task
    QueryLanguage: JSONata
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: '{% $states.input.name %}'}
    Next: K
  K:
    Type: Task
    QueryLanguage: JSONata
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: constant}
    Next: D
  D: {Type: Task, Resource: 'arn:aws:states:us-east-1:123456789012:activity:by-hand', Next: M}
  M:
    Type: Map
    ItemProcessor:
      StartAt: E/F
      States:
        E/F:
          Type: Task
          Resource: arn:aws:states:::lambda:invoke
          Parameters: {FunctionName: inner}
          Next: G
        G: {Type: Task, Resource: charge, End: true}
    End: true
"""


def test_what_a_workflow_needs_is_known_before_it_runs() -> None:
    document = parse(WORKFLOW).document
    assert document is not None
    needs = needed_handlers(compile_program(document.value), document.value)
    assert {name: sorted(states) for name, states in needs.items()} == {
        "charge": ["A", "G"],
        "refund": ["B"],
        "constant": ["K"],
        "inner": ["E/F"],
    }


def test_a_workflow_without_tasks_calls_no_handlers() -> None:
    assert not calls_handlers(compile_program({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}))
    document = parse(WORKFLOW).document
    assert document is not None
    assert calls_handlers(compile_program(document.value))


def test_a_missing_handler_is_refused_with_state_directory_and_the_nearest_name(load: Load, write: Write) -> None:
    file = write("orders.py", "@handler('process:orders')\ndef process(order): return 1\n")
    with pytest.raises(HandlerLoadError) as caught:
        check_handlers({"process:order": ["A", "B", "C", "D"]}, load(file.parent), Path("handlers"))
    message, hint = caught.value.message, caught.value.hint or ""
    assert message == (
        "no handler is registered as 'process:order' for the state 'A', 'B', 'C' and 1 more "
        "(looked in handlers/, which has 1 handler)"
    )
    assert "'process:orders'" in hint
    assert '@handler("process:order")' in hint


def test_a_wildcard_is_there_for_what_it_serves(load: Load, write: Write) -> None:
    file = write("orders.py", "@handler('dynamodb:*')\ndef items(order): return 1\n")
    registry = load(file.parent)
    check_handlers({"dynamodb:putItem": ["A"], "dynamodb:getItem": ["B"]}, registry, file.parent)
    with pytest.raises(HandlerLoadError, match="'aws-sdk:s3:getObject' for the state 'C'"):
        check_handlers({"dynamodb:putItem": ["A"], "aws-sdk:s3:getObject": ["C"]}, registry, file.parent)


@pytest.mark.parametrize("name", ["dynamodb*", "*:putItem", "a*:*", "**", "a:**"])
def test_a_star_that_can_stand_for_nothing_is_refused(load: Load, write: Write, name: str) -> None:
    file = write("orders.py", f"@handler({name!r})\ndef odd(order): return 1\n")
    with pytest.raises(HandlerLoadError) as caught:
        load(file.parent)
    assert caught.value.message == (
        f"handlers/orders.py registers a handler as {name!r}, but a * stands alone, or at the end after a colon"
    )
