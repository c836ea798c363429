"""`sm validate --watch`: each change is answered until Ctrl-C."""

from __future__ import annotations

import builtins
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Project

GOOD = "StartAt: A\nStates:\n  A: {Type: Succeed}\n"
BAD = "StartAt: B\nStates:\n  A: {Type: Succeed}\n"


def test_a_change_is_answered_and_ctrl_c_ends_it(project: Project) -> None:
    project.write("w/a.yaml", GOOD)
    process = project.start("validate", "--watch", "w", PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    assert process.stderr is not None
    assert "watching w; Ctrl-C ends" in process.stderr.readline()
    assert process.stdout.readline() == "w/a.yaml: OK\n"
    project.write("w/notes.txt", "nothing that matters")
    project.write("w/a.yaml", BAD)
    assert process.stdout.readline().startswith("w/a.yaml:1:10: error SM")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_without_watchfiles_it_says_what_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "watchfiles":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    project.write("a.yaml", GOOD)
    result = project.sm("validate", "--watch", "a.yaml")
    assert (result.code, result.out) == (7, "")
    assert "watchfiles, which is not installed" in result.err
    assert "pip install watchfiles" in result.err


def test_what_goes_wrong_in_between_does_not_end_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import watchfiles

    file = project.write("w/a.yaml", GOOD)
    other = project.write("handlers/h.py", "")
    watched: list[Path] = []

    def changes(*places: Path, **_: Any) -> Any:
        watched.extend(places)
        yield set()
        yield set()
        file.unlink()
        yield {(3, str(file))}
        file.write_text(BAD)
        yield {(1, str(file))}
        raise KeyboardInterrupt

    monkeypatch.setattr(watchfiles, "watch", changes)
    result = project.sm("validate", "--watch", "w/a.yaml")
    assert result.code == 130
    assert result.out.startswith("w/a.yaml: OK\nw/a.yaml:1:10: error SM")
    assert "there is no file w/a.yaml" in result.err
    assert watched == [Path("w"), Path(other.parent.name)]
