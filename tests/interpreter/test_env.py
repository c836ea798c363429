"""The facts of an execution, as ARNs of AWS's form."""

from __future__ import annotations

import pytest

from sm_cli.interpreter.env import Facts, Probe

FACTS = Facts("REF", "n-1", "order", "STANDARD", None, 1_767_225_600_000_000)


@pytest.mark.parametrize(
    ("type", "arn"),
    [
        ("STANDARD", "arn:aws:states:us-east-1:111111111111:execution:order:n-1"),
        ("EXPRESS", "arn:aws:states:us-east-1:111111111111:express:order:n-1:REF"),
    ],
)
def test_an_execution_s_arn_depends_on_its_type(type: str, arn: str) -> None:
    assert FACTS._replace(type=type).execution_arn == arn


def test_region_and_account_stand_in_every_arn() -> None:
    facts = FACTS._replace(region="eu-central-1", account="222222222222")
    assert facts.execution_arn == "arn:aws:states:eu-central-1:222222222222:execution:order:n-1"
    assert facts.machine_arn == "arn:aws:states:eu-central-1:222222222222:stateMachine:order"
    assert facts.map_run_arn("L", "REF-1-2") == "arn:aws:states:eu-central-1:222222222222:mapRun:order/L:REF-1-2"


def test_two_probes_share_no_stages() -> None:
    first, second = Probe(), Probe()
    first.stages["result"] = 1
    assert second.stages == {}
