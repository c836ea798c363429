"""What AWS's TestState answered for a single state, `test_state` answers: status, output, error, stages and cause.

Known failures are listed with their reason, and the list fails when one of them passes.
"""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.jsonvalue import Json, dumps
from sm_cli.test_state import run as single
from tests.conformance import cases

pytestmark = pytest.mark.skipif(not cases.HERE, reason=cases.WHY_NOT)

CASES = cases.load("test_state")

#: id -> why it fails
KNOWN: dict[str, str] = {}

#: Arguments of the request, as ours are called.
_ARGUMENTS = {
    "inspectionLevel": "inspection_level",
    "mock": "mock",
    "context": "context",
    "variables": "variables",
    "stateConfiguration": "state_configuration",
    "revealSecrets": "reveal_secrets",
    "stateName": "state_name",
    "roleArn": "role_arn",
}
#: Members of InspectionData that are no JSON text.
_NOT_TEXT = ("errorDetails", "maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """As it was recorded: what is JSON text on AWS is text, but for the objects, which the recorder parsed."""
    given = {_ARGUMENTS[name]: value for name, value in case["request"].items()}
    handlers = {name: cases.handler(spec) for name, spec in (case["handlers"] or {}).items()}
    try:
        told: dict[str, Any] = single.test_state(case["definition"], case["input"], handlers=handlers, **given)
    except single.StateTestRefused as e:
        return {"status": "API_ERROR", "error": e.error, "cause": e.message}
    if "inspectionData" in told:
        told["inspectionData"] = {name: as_text(name, value) for name, value in told["inspectionData"].items()}
    return told


def as_text(name: str, value: Json) -> Json:
    return value if name in _NOT_TEXT or isinstance(value, dict) else dumps(value)


def test_no_case_that_is_known_to_fail_has_left_the_recordings() -> None:
    assert KNOWN.keys() <= {case["id"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_state_answers_as_it_did_on_aws(case: dict[str, Any]) -> None:
    verdict = cases.judge().judge
    known = KNOWN.get(case["id"])
    ok, why = verdict(case, actual := answer(case), cause=True)
    if known is not None:
        assert not ok, f"it passes now: take it off the list ({known})"
        return
    assert ok, why
    # The judge overlooks what is told beyond what was asked for.
    assert actual.keys() == case["expect"].keys()
