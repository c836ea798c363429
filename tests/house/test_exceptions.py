"""A list of exceptions is exact: it may shrink and never grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import source


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(source, "__file__", str(tmp_path / "source.py"))
    monkeypatch.setattr(source, "RECORD", False)
    file = tmp_path / "exceptions" / "names.txt"
    file.parent.mkdir()
    file.write_text("a\na\nb\n")
    return file


def test_what_is_listed_passes(listed: Path) -> None:
    source.check_exceptions("names", ["b", "a", "a"])


@pytest.mark.parametrize("found", [["a", "a", "b", "c"], ["a", "a", "a", "b"], ["a", "b"], []])
def test_one_more_fails_and_one_less_too(listed: Path, found: list[str]) -> None:
    with pytest.raises(AssertionError):
        source.check_exceptions("names", found)


def test_recording_takes_out_and_never_adds(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "RECORD", True)
    source.check_exceptions("names", ["a"])
    assert listed.read_text() == "a\n"
    with pytest.raises(AssertionError):
        source.check_exceptions("names", ["a", "c"])
    assert listed.read_text() == "a\n"
