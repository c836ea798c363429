"""Every expression of the recorded executions whose answer its record tells, and every expression of real workflows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from sm_cli.expr.jsonata.expressions import (
    EvaluationFailure,
    JsonataError,
    compile_expression,
    compile_payload,
    expect,
    expressions,
)
from sm_cli.expr.scope import JsonataScope
from sm_cli.jsonvalue import Json

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
CASES, VALID = SHARED / "conformance" / "cases.jsonl", SHARED / "validation" / "valid.jsonl"
pytestmark = pytest.mark.skipif(
    not (CASES.exists() and VALID.exists()), reason="the recorded answers are not beside this checkout"
)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)


def scope(input: Json, variables: dict[str, Json] | None = None) -> JsonataScope:
    return JsonataScope(input, dict, variables or {}, lambda: Random(1))


def test_single_states_give_the_recorded_output() -> None:
    seen = 0
    for case in lines(CASES):
        if case["kind"] != "execution" or case["group"] not in ("jsonata", "intrinsics_jsonata"):
            continue
        definition = case["definition"]
        state = definition["States"][definition["StartAt"]]
        if state["Type"] != "Pass" or case["expect"]["status"] != "SUCCEEDED":
            continue
        seen += 1
        assert compile_payload(state["Output"], "Output")(scope(case["input"])) == case["expect"]["output"], case["id"]
    assert seen


def test_failures_have_the_recorded_cause_and_location() -> None:
    seen = 0
    for case in lines(CASES):
        for event in case.get("history") or []:
            details = event.get("evaluationFailedEventDetails", {"cause": ""})
            told = re.search(
                r"The JSONata expression '(.*)' specified for the field '([^']*)' .*", details["cause"], re.S
            )
            if told is None:
                continue
            seen += 1
            wanted = re.search(r"Expected '(\w+)', .* for value: (.*)", told[0])
            # A variable that an earlier state assigned has the value that the record quotes.
            variables = {told[1][1:]: json.loads(wanted[2])} if wanted and told[1].startswith("$") else {}
            text = "{% " + told[1] + " %}"
            with pytest.raises(EvaluationFailure) as raised:
                value = compile_expression(text, told[2])(scope(case["input"], variables))
                expect(value, wanted[1] if wanted else "never", text, told[2])
            assert (raised.value.cause, raised.value.location) == (told[0], details["location"])
    assert seen


def test_every_expression_of_real_workflows_is_jsonata() -> None:
    seen = 0
    for document in lines(VALID):
        if "{%" not in document["text"]:
            continue
        load = json.loads if document["format"] == "json" else yaml.safe_load
        for pointer, text in expressions(load(document["text"])):
            seen += 1
            try:
                compile_expression(text, pointer)
            except JsonataError as e:
                pytest.fail(f"{document['id']} {pointer}: {e.message}")
    assert seen
