"""Every path that real workflows and the recorded ones use is read, from the shared data where it is there."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sm_cli.expr.jsonpath.path import PathError, PathNotFound, compile_path, compile_reference

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
PLAIN_PATH_FIELDS = ("InputPath", "OutputPath", "Variable")


def lines(name: str) -> list[str]:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"the shared data {name} is not beside this checkout")
    return file.read_text(encoding="utf-8").splitlines()


def path_fields(value: Any) -> Iterator[tuple[str, str]]:
    """(field, text) of every field of a definition that holds a path."""
    if isinstance(value, dict):
        for key, member in value.items():
            is_path_field = str(key).endswith((".$", "Path")) or key == "Variable"
            if is_path_field and isinstance(member, str) and member.startswith("$") and not member.startswith("${"):
                yield key, member
            yield from path_fields(member)
    elif isinstance(value, list):
        for item in value:
            yield from path_fields(item)


def refused(definition: Any) -> list[str]:
    problems = []
    for field, text in path_fields(definition):
        plain = field in PLAIN_PATH_FIELDS or field.endswith(".$")
        try:
            (compile_path if plain else compile_reference)(text)
        except PathError as e:
            problems.append(f"{field}: {e.message}")
    return problems


def test_the_hard_paths_of_real_workflows_are_read() -> None:
    rows = list(csv.DictReader(lines("validation/jsonpath-in-the-wild.tsv"), delimiter="\t", quoting=csv.QUOTE_NONE))
    # A text that ends with "[?" was cut at the parenthesis by whoever counted; "${x}" is a substitution, not a path.
    whole = [row["path"] for row in rows if row["path"].startswith("$") and not row["path"].startswith("${")]
    texts = [text for text in whole if not text.endswith("[?")]
    assert len(texts) >= 25
    for text in texts:
        compile_path(text)


def test_every_path_of_a_valid_definition_is_read() -> None:
    seen = 0
    for line in lines("validation/valid.jsonl"):
        case = json.loads(line)
        definition = json.loads(case["text"]) if case["format"] == "json" else yaml.safe_load(case["text"])
        seen += len(list(path_fields(definition)))
        assert not refused(definition), case["id"]
    assert seen > 500


def test_every_path_of_a_recorded_definition_is_read() -> None:
    seen = 0
    for line in lines("conformance/cases.jsonl"):
        definition = json.loads(line).get("definition")
        seen += len(list(path_fields(definition)))
        assert not refused(definition)
    assert seen > 500


def test_recorded_pass_states_give_what_was_recorded_for_a_lone_path() -> None:
    checked = 0
    for line in lines("conformance/cases.jsonl"):
        case = json.loads(line)
        states = (case.get("definition") or {}).get("States", {})
        if case["kind"] != "execution" or len(states) != 1 or case["expect"].get("status") != "SUCCEEDED":
            continue
        (state,) = states.values()
        template = state.get("Parameters")
        if state.keys() - {"Comment", "Type", "End", "Parameters"} or state["Type"] != "Pass" or not template:
            continue
        if not all(key.endswith(".$") and str(value).startswith("$") for key, value in template.items()):
            continue
        if any(compile_path(value).root != "$" for value in template.values()):
            continue
        output = {key[:-2]: compile_path(value).find(case["input"]) for key, value in template.items()}
        assert output == case["expect"]["output"], case["id"]
        checked += 1
    assert checked >= 5


def test_the_recorded_reasons_are_ours() -> None:
    checked = 0
    for line in lines("validation/runtime-errors.tsv"):
        if "Invalid path '" not in line:
            continue
        text, reason = line.partition("Invalid path '")[2].split("' : ", 1)
        with pytest.raises(PathNotFound) as caught:
            compile_path(text).find({})
        assert caught.value.reason == reason.strip()
        checked += 1
    assert checked >= 3
