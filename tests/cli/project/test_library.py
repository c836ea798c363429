"""The workflows of a folder by name, asked for again and again: what changes there is seen at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sm_cli.project import definitions
from sm_cli.project import library as library_module
from sm_cli.project.library import Library

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}


def write(folder: Path, name: str, definition: object = PASS) -> None:
    (folder / name).write_text(json.dumps(definition), encoding="utf-8")


def settle(folder: Path, seconds: int = 60) -> None:
    """As if nothing had changed in the folder for so long."""
    at = folder.stat().st_mtime - seconds
    os.utime(folder, (at, at))


def test_a_folder_that_stays_as_it_is_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listings: list[Path] = []
    files_by_name = definitions.files_by_name

    def count(folder: Path) -> dict[str, Path]:
        listings.append(folder)
        return files_by_name(folder)

    monkeypatch.setattr(library_module, "files_by_name", count)
    write(tmp_path, "order.json")
    settle(tmp_path)
    library = Library(tmp_path)
    assert [library("order") is not None for _ in range(5)] == [True] * 5
    assert library("other") is None
    assert listings == [tmp_path]


def test_what_comes_and_goes_is_seen_at_once(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert library("order") is None
    for _ in range(20):  # also within one step of the file system's clock
        write(tmp_path, "order.json")
        assert library("order") is not None
        (tmp_path / "order.json").unlink()
        assert library("order") is None
    write(tmp_path, "order.json")
    settle(tmp_path)
    assert library("order") is not None
    write(tmp_path, "other.json")
    assert library("other") is not None
    (tmp_path / "order.json").rename(tmp_path / "third.json")
    assert (library("order"), library("third") is not None) == (None, True)


def test_another_text_is_read_although_the_folder_is_the_same(tmp_path: Path) -> None:
    write(tmp_path, "order.json")
    settle(tmp_path)
    library = Library(tmp_path)
    before = library("order")
    write(tmp_path, "order.json", FAIL)
    after = library("order")
    assert before is not None and after is not None
    assert (before.program.root.start_at, after.program.root.start_at) == ("P", "F")


def test_a_folder_that_is_not_there_has_none_until_it_is(tmp_path: Path) -> None:
    library = Library(tmp_path / "workflows")
    assert library("order") is None
    (tmp_path / "workflows").mkdir()
    write(tmp_path / "workflows", "order.json")
    assert library("order") is not None
