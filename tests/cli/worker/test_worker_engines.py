"""`sm worker --engine`: what is refused, and in which words."""

from __future__ import annotations

import sys

import pytest

from tests.cli.conftest import Project
from tests.postgres.server import schema

ECHO = "from sm_cli import handler\n@handler('echo')\ndef echo(input): return input\n"
SHARED = "needs a database on a Postgres server: workers on other machines cannot see a file of this one"


@pytest.mark.parametrize(
    ("options", "settings", "code", "sentence"),
    [
        (("--engine", "cellery"), "", 2, "no engine is called 'cellery'; there are "),
        (("--engine", "celery", "--broker", "redis://h"), "", 7, f"celery {SHARED}"),
        (("--engine", "celery", "--db", "sqlite:sm.db"), "", 7, f"celery {SHARED}"),
        ((), '[engine]\nname = "celery"\n', 7, f"sm.toml:1: engine: celery {SHARED}"),
        (("--db", "postgresql://h/d"), '[engine]\nname = "celery"\n', 7, "sm.toml:1: engine: celery needs the URL of"),
        (("--broker", "redis://h"), "", 2, "--broker says where an --engine has its broker, and none is named"),
        ((), 'engine = "celery"\n', 7, "sm.toml:1: engine is a table of name, broker and prefix"),
        ((), '[engine]\nkind = "celery"\n', 7, "sm.toml:1: engine has name, broker, prefix, and no 'kind'"),
        ((), "[engine]\nname = 3\n", 7, "sm.toml:1: engine: name is text"),
        (
            ("--db", "postgresql://h/d", "--engine", "celery", "--broker", "nonsense://me:secret@h"),
            "", 7, "the broker nonsense://h is none that Celery can use",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_sentence(
    project: Project, options: tuple[str, ...], settings: str, code: int, sentence: str
) -> None:
    project.handlers(ECHO)
    project.write("sm.toml", settings)
    result = project.sm("worker", *options)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith(f"sm: error: {sentence}"), result.err
    assert "secret" not in result.err
    assert "Traceback" not in result.err


def test_it_goes_with_neither_once_nor_drain(project: Project) -> None:
    project.handlers(ECHO)
    with schema() as url:
        options = ("--db", url, "--engine", "celery", "--broker", "redis://127.0.0.1:1/0")
        result = project.sm("worker", "--once", *options)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--once and --drain" in result.err


def test_an_extra_that_is_missing_is_one_sentence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.handlers(ECHO)
    monkeypatch.delitem(sys.modules, "sm_cli.carriers.celery", raising=False)
    monkeypatch.setitem(sys.modules, "celery", None)
    result = project.sm("worker", "--db", "postgresql://h/d", "--engine", "celery", "--broker", "redis://h")
    assert result.code == 7
    assert result.err == "sm: error: Celery is not installed\n  hint: Install the extra `celery`.\n"
