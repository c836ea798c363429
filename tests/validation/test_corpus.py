"""The definitions of others, where they lie beside the checkout: no false alarm, and what is caught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.validate import check, find_unsupported
from sm_cli.diagnostics import Diagnostic
from sm_cli.jsonvalue import Json

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
needs_definitions = pytest.mark.skipif(
    not (SHARED / "validation" / "valid.jsonl").is_file(), reason="the definitions are not beside this checkout"
)
needs_cases = pytest.mark.skipif(
    not (SHARED / "conformance" / "cases.jsonl").is_file(), reason="the recorded cases are not beside this checkout"
)
#: Published examples and real workflows; the other valid ones break rules that their own tool does not check.
GATE = ("swc", "localstack", "devguide", "agent-toolkit")
#: Every invalid one but an expression without blanks inside {% %}: the language has it, so it is only a warning.
INVALID_FLOOR = 96
#: All but "Resource not an ARN": here a Resource may be the name of a handler.
PROBES_FLOOR = 101
#: Three are warnings, because AWS takes them: TimeoutSeconds 0 at the top, MaxItemsPerBatch 0, and a
#: MaxInputBytesPerBatch of more than an input can have.
PROBE_ERRORS_FLOOR = 87


def rows(name: str) -> list[dict[str, Any]]:
    with (SHARED / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [d for d in found if d.severity == "error"]


def is_noticed(found: list[Diagnostic]) -> bool:
    """Whether anything is said of it but that this version cannot run it."""
    return bool(found)


@needs_definitions
def test_no_valid_definition_of_the_gate_has_an_error() -> None:
    gate = [row for row in rows("validation/valid.jsonl") if row["id"].startswith(GATE)]
    alarms = {row["id"]: [str(e) for e in found] for row in gate if (found := errors(check(row["text"])[1]))}
    print(f"valid: {len(alarms)} false alarms in {len(gate)}")  # noqa: T201 - the numbers, for -rP
    assert len(gate) > 300
    assert alarms == {}


@needs_definitions
def test_invalid_definitions_have_an_error() -> None:
    solid = [row for row in rows("validation/invalid.jsonl") if not row.get("weak")]
    caught = [row["id"] for row in solid if errors(check(row["text"], express=row.get("machine_type") == "EXPRESS")[1])]
    print(f"invalid: {len(caught)} caught of {len(solid)}; not: {sorted({r['id'] for r in solid} - set(caught))}")  # noqa: T201 - the numbers, for -rP
    assert len(caught) >= INVALID_FLOOR


@needs_definitions
def test_invalid_definitions_are_noticed() -> None:
    solid = [row for row in rows("validation/invalid.jsonl") if not row.get("weak")]
    found = {row["id"]: check(row["text"], express=row.get("machine_type") == "EXPRESS")[1] for row in solid}
    assert [id for id in found if not is_noticed(found[id])] == []


@needs_definitions
def test_probes_are_noticed() -> None:
    probes = rows("validation/probes.jsonl")
    found = {row["id"]: check(row["text"])[1] for row in probes}
    noticed = [row for row in probes if is_noticed(found[row["id"]])]
    wrong = [row for row in probes if errors(found[row["id"]])]
    missed = [row["rule"] for row in probes if row not in noticed]
    print(f"probes: {len(noticed)} noticed of {len(probes)}, {len(wrong)} as errors; not: {missed}")  # noqa: T201 - the numbers, for -rP
    assert len(noticed) >= PROBES_FLOOR
    assert len(wrong) >= PROBE_ERRORS_FLOOR


@needs_definitions
def test_every_problem_of_a_text_has_a_line_and_a_column() -> None:
    for name in ("valid", "invalid", "probes"):
        for row in rows(f"validation/{name}.jsonl"):
            assert [d.message for d in check(row["text"])[1] if d.position is None] == [], row["id"]


@needs_definitions
def test_positions_are_those_that_an_editor_expects() -> None:
    """Of the places that the language service of AWS's editor marks, nearly all are marked here too, at the same
    place or at a word inside it; the rest only follow from another problem, or are the first of two keys where the
    second is marked."""
    expected = found = 0
    for row in rows("validation/invalid.jsonl"):
        ours = [(d.position.line - 1, d.position.column - 1) for d in check(row["text"])[1] if d.position]
        for diagnostic in row.get("expected", {}).get("diagnostics", []):
            expected += 1
            start, end = tuple(diagnostic["start"]), tuple(diagnostic["end"])
            found += any(start <= place <= end for place in ours)
    print(f"places: {found} of {expected}")  # noqa: T201 - the numbers, for -rP
    assert found >= 94


@needs_cases
def test_no_recorded_execution_has_a_definition_with_an_error() -> None:
    alarms: dict[str, list[str]] = {}
    for case in rows("conformance/cases.jsonl"):
        if case["kind"] == "execution" and (found := errors(check(case["definition"])[1])):
            alarms[case["id"]] = [str(e) for e in found]
    assert alarms == {}


@needs_cases
def test_what_aws_answered_about_definitions_is_answered_here() -> None:
    for case in rows("conformance/cases.jsonl"):
        if case["kind"] == "validation" and case["expect"]["status"] in ("VALID", "INVALID"):
            source: Json = case["definition"] if case["definition"] is not None else case["definition_text"]
            refused = bool(errors(check(source, express=case["type"] == "EXPRESS")[1]))
            assert refused == (case["expect"]["status"] == "INVALID"), case["id"]


@needs_definitions
def test_substitutions_are_found_where_their_values_are_needed() -> None:
    for row in rows("validation/valid.jsonl"):
        document = parse(row["text"]).document
        if document is not None and not row.get("substitutions") and not row.get("placeholders"):
            assert [d.pointer for d in find_unsupported(document) if d.code == "SM901"] == [], row["id"]
