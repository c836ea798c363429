"""`sm validate` and `sm why` read the names of handlers; only --import executes their files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.reading import read_handler_names
from tests.cli.conftest import Project

_FLOW = """
    StartAt: Pay
    States:
      Pay: {Type: Task, Resource: "pay", End: true}
"""
_OK = "workflows/order.yaml: OK\n"

#: What reading shows whole: the same as executing.
_SHOWN = {
    "with a name": 'from sm_cli import handler\n@handler("pay")\ndef f(x): return x\n',
    "without one": "from sm_cli import handler\n@handler\ndef pay(x): return x\n",
    "called without one": "from sm_cli import handler\n@handler()\ndef pay(x): return x\n",
    "with a keyword": 'from sm_cli import handler\n@handler(name="pay", repeatable=False)\ndef f(x): return x\n',
    "with None": "from sm_cli import handler\n@handler(None, repeatable=False)\nasync def pay(x): return x\n",
    "under an alias": 'from sm_cli import handler as h\n@h("pay")\ndef f(x): return x\n',
    "by the package": 'import sm_cli\n@sm_cli.handler("pay")\ndef f(x): return x\n',
    "by the package's alias": 'import sm_cli as s\n@s.handler("pay")\ndef f(x): return x\n',
    "from its own module": 'from sm_cli.handlers.handler import handler\n@handler("pay")\ndef f(x): return x\n',
    "by its own module": 'import sm_cli.handlers.handler\n@sm_cli.handlers.handler.handler("pay")\ndef f(x): 0\n',
    "two on one function": 'from sm_cli import handler\n@handler("pay")\n@handler("refund")\ndef f(x): return x\n',
    "a name bound twice": 'from sm_cli import handler\n@handler("a")\ndef f(x): 0\n@handler("b")\ndef f(x): 0\n',
    "above another decorator": (
        'import functools\nfrom sm_cli import handler\n@handler("pay")\n@functools.cache\ndef f(x): return x\n'
    ),
    "a class": 'from sm_cli import handler\n@handler("pay")\nclass Pay:\n    def __init__(self, x): pass\n',
    "a handler of another's name": "def handler(f): return f\n@handler\ndef pay(x): return x\n",
    "wildcards": 'from sm_cli import handler\n@handler("*")\ndef f(x): 0\n@handler("s3:*")\ndef g(x): 0\n',
    "in a try": (
        "try:\n    from sm_cli import handler\nexcept ImportError:\n    raise\n@handler\ndef pay(x): return x\n"
    ),
    "from a helper": "from _shared import pay, other\n",
    "from a helper beside it": "from ._shared import pay as mine\n",
    "from a package": "from deep.er import pay\n",
    "globals that are no handlers": "n = 0\ndef count():\n    global n\n    n += 1\n",
}  # fmt: skip
_HELPER = "from sm_cli import handler\n@handler\ndef pay(x): return x\ndef other(): pass\n@handler\ndef unseen(x): 0\n"

#: What only running shows.
_HIDDEN = {
    "a computed name": 'from sm_cli import handler\nN = "pay"\n@handler(N)\ndef f(x): return x\n',
    "a formatted name": 'from sm_cli import handler\n@handler(f"{1}")\ndef f(x): return x\n',
    "a name in a dict": 'from sm_cli import handler\n@handler(**{"name": "pay"})\ndef f(x): return x\n',
    "a loop": 'from sm_cli import handler\nfor n in "ab":\n    globals()[n] = handler(n)(lambda x: x)\n',
    "a decorator in a loop": 'from sm_cli import handler\nfor n in "ab":\n    @handler("a")\n    def f(x): 0\n',
    "a call": 'from sm_cli import handler\npay = handler("pay")(lambda x: x)\n',
    "another name for it": 'from sm_cli import handler\nh = handler\n@h("pay")\ndef f(x): return x\n',
    "another name for the package": 'import sm_cli\ns = sm_cli\n@s.handler("pay")\ndef f(x): return x\n',
    "a star import": "from _shared import *\n",
    "a star import of the package": 'from sm_cli import *\n@handler("pay")\ndef f(x): return x\n',
    "a factory": 'def make():\n    from sm_cli import handler\n    return handler("pay")(lambda x: x)\npay = make()\n',
    "a factory with the package": (
        'def make():\n    import sm_cli\n    return sm_cli.handler("pay")(lambda x: x)\npay = make()\n'
    ),
    "a helper's factory": "from _factory import task\n@task\ndef pay(x): return x\n",
    "a helper's factory by module": "import _factory\n@_factory.task\ndef pay(x): return x\n",
    "a decorator above": 'from sm_cli import handler\n@print\n@handler("pay")\ndef f(x): return x\n',
    "a renaming decorator below": "from sm_cli import handler\nimport t\n@handler\n@t.renamed\ndef f(x): return x\n",
    "a deleted one": 'from sm_cli import handler\n@handler("pay")\ndef f(x): return x\ndel f\n',
    "one that is bound again": 'from sm_cli import handler\n@handler("pay")\ndef f(x): return x\nf = 0\n',
    "one under a condition": 'from sm_cli import handler\nif 1:\n    @handler("pay")\n    def f(x): return x\n',
    "one imported under a condition": "if 1:\n    from _shared import pay\n",
    "text that is executed": 'exec("from sm_cli import handler")\n',
    "an import by name": 'import importlib\nm = importlib.import_module("_shared")\npay = m.pay\n',
    "a getattr": 'import sm_cli\nh = getattr(sm_cli, "handler")\n',
}  # fmt: skip
_FACTORY = "from sm_cli import handler\ndef task(f): return handler(f.__name__)(f)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "_shared.py").write_text(_HELPER)
    (tmp_path / "_factory.py").write_text(_FACTORY)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "er.py").write_text(_HELPER)
    yield tmp_path
    for name in ("_shared", "_factory", "deep", "deep.er"):
        sys.modules.pop(name, None)  # helpers are imported under their bare names


@pytest.mark.parametrize("text", _SHOWN.values(), ids=_SHOWN)
def test_reading_shows_the_names_that_executing_shows(folder: Path, text: str) -> None:
    (folder / "handlers_here.py").write_text(text)
    found = read_handler_names(folder)
    assert (found.why_incomplete, found.problems) == (None, [])
    assert found.names == set(load_handlers(folder))


@pytest.mark.parametrize("text", _HIDDEN.values(), ids=_HIDDEN)
def test_what_only_running_shows_is_not_guessed(folder: Path, text: str) -> None:
    (folder / "handlers_here.py").write_text(text)
    found = read_handler_names(folder)
    assert not found.is_complete
    assert found.why_incomplete is not None
    assert found.why_incomplete.partition(":")[0].endswith(".py")


def test_a_package_beside_python_may_bring_handlers(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("packages")
    (elsewhere / "shop_handlers.py").write_text(_HELPER)
    (elsewhere / "plain_package.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(str(elsewhere))
    (folder / "a.py").write_text("from shop_handlers import pay\nfrom plain_package import thing\n")
    found = read_handler_names(folder)
    assert (found.names, found.is_complete) == ({"pay"}, True)


@pytest.mark.parametrize("command", [["validate"], ["why", "@last"]])
def test_a_file_with_side_effects_is_not_executed(project: Project, command: list[str]) -> None:
    _waiting(project)
    project.handlers('from pathlib import Path\nPath("executed").touch()\n@handler("other")\ndef f(x): return x\n')
    result = project.sm(*command)
    assert result.code == 0
    assert not (project.path / "executed").exists()
    assert "'pay'" in result.out, "the missing one is told"
    project.sm(*command, "--import")
    assert (project.path / "executed").exists()


@pytest.mark.parametrize("command", [["validate"], ["why", "@last"]])
def test_names_that_only_running_shows_make_no_warning_but_a_note(project: Project, command: list[str]) -> None:
    _waiting(project)
    project.handlers('for name in ["other"]:\n    @handler(name)\n    def f(x): return x\n')
    result = project.sm(*command)
    assert result.code == 0
    assert "'pay' is there" not in result.out
    assert "no handler of that name" not in result.out
    assert "SM606" not in result.out
    assert result.err.startswith("sm: note: handlers/orders.py:3: ")
    assert "--import" in result.err
    with_import = project.sm(*command, "--import")
    assert "SM606" in with_import.out or "no handler of that name" in with_import.out
    assert "note" not in with_import.err


@pytest.mark.parametrize("options", [[], ["--handlers", "handlers"]])
@pytest.mark.parametrize("command", [["validate"], ["why", "@last"]])
@pytest.mark.parametrize(
    ("text", "place"),
    [("x = 1\ndef f(:\n", "2: cannot be read: SyntaxError: "),
     ("if 1:\npass\n", "2: cannot be read: IndentationError: "),
     ("x = '\x00'\n", "1: cannot be read: SyntaxError: "), ("(" * 5000, "1: cannot be read: ")],
)  # fmt: skip
def test_a_syntax_error_is_a_warning_with_its_line(
    project: Project, command: list[str], options: list[str], text: str, place: str
) -> None:
    _waiting(project)
    project.write("handlers/orders.py", text)
    result = project.sm(*command, *options)
    assert result.code == 0
    assert result.err.startswith(f"sm: warning: handlers/orders.py:{place}")
    assert "SM606" not in result.out
    assert len(result.err.splitlines()) == 1


def test_a_directory_that_is_named_has_to_be_there(project: Project) -> None:
    project.workflow(_FLOW)
    assert project.sm("validate", "--handlers", "nowhere").code == 8


def test_what_reading_shows_is_enough_for_the_warning(project: Project) -> None:
    project.workflow(_FLOW)
    project.handlers(dedent('@handler("pay")\ndef f(x): raise SystemExit\nraise SystemExit(9)\n'))
    result = project.sm("validate")
    assert (result.code, result.out, result.err) == (0, _OK, "")


def _waiting(project: Project) -> None:
    """An execution whose task waits for a worker."""
    project.workflow(_FLOW)
    project.write("handlers/orders.py", 'from sm_cli import handler\n@handler("pay")\ndef pay(x): return x\n')
    assert project.sm("run", "--detach").code == 0
