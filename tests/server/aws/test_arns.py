"""ARNs: read from any region and account, made for those of the request."""

from __future__ import annotations

import pytest

from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.server.aws.arns import Arns, activity_name, execution_arn_parts, map_run_ref, parts_of, reference_of
from sm_cli.server.aws.refusals import CallRefused

HEAD = "arn:aws:states:eu-west-1:123456789012"


@pytest.mark.parametrize(
    "head", [HEAD, "arn:aws-cn:states:cn-north-1:1", "arn:aws-us-gov:states::", "arn:aws:states:x:"]
)
def test_region_account_and_partition_may_be_any(head: str) -> None:
    assert reference_of(f"{head}:stateMachine:order") == WorkflowReference("order")
    assert execution_arn_parts(f"{head}:execution:order:n") == ("execution", "order", "n")


def test_a_state_machines_arn_may_name_a_version_or_an_alias() -> None:
    assert reference_of(f"{HEAD}:stateMachine:order:3").version == 3
    assert reference_of(f"{HEAD}:stateMachine:order:prod") == WorkflowReference("order", "prod")


def test_other_arns_are_taken_apart() -> None:
    assert execution_arn_parts(f"{HEAD}:execution:order/Each:n") == ("execution", "order/Each", "n")
    assert execution_arn_parts(f"{HEAD}:express:order:n:REF") == ("express", "order", "REF")
    assert map_run_ref(f"{HEAD}:mapRun:order/Each:REF") == ("order/Each", "REF")
    assert activity_name(f"{HEAD}:activity:pack") == "pack"


@pytest.mark.parametrize(
    "arn",
    [
        "", "order", "arn", ":::::::", "arn:aws:s3:::bucket", "arn:aws:lambda:us-east-1:0:function:f", f"{HEAD}:",
        f"{HEAD}:stateMachine:", f"{HEAD}:stateMachine:order:", f"{HEAD}:stateMachine:order:1:2", f"{HEAD}:thing:order",
        "urn:aws:states:x:0:stateMachine:order", "arn:gcp:states:x:0:stateMachine:order", f" {HEAD}:stateMachine:order",
    ],
)  # fmt: skip
def test_what_is_no_arn_of_a_state_machine_is_refused(arn: str) -> None:
    with pytest.raises(CallRefused) as caught:
        reference_of(arn)
    assert caught.value.name == "InvalidArn"


@pytest.mark.parametrize(
    "rest", ["execution:order", "execution:order:", "execution::n", "execution:a:b:c", "express:a:b", "mapRun:a/b:c"]
)
def test_what_is_no_arn_of_an_execution_is_refused(rest: str) -> None:
    with pytest.raises(CallRefused) as caught:
        execution_arn_parts(f"{HEAD}:{rest}")
    assert caught.value.name == "InvalidArn"


@pytest.mark.parametrize("rest", ["mapRun:order:REF", "mapRun:order/Each", "mapRun:order/Each:", "mapRun:a/b:c:d"])
def test_what_is_no_arn_of_a_map_run_is_refused(rest: str) -> None:
    with pytest.raises(CallRefused):
        map_run_ref(f"{HEAD}:{rest}")


def test_an_arn_of_another_kind_is_told_by_its_kind() -> None:
    with pytest.raises(CallRefused, match="Resource type not valid in this context: activity"):
        parts_of(f"{HEAD}:activity:pack", "stateMachine", "execution")


def test_a_labelled_machine_will_do_where_it_is_asked_for() -> None:
    labelled = f"{HEAD}:stateMachine:order/Each"
    assert reference_of(labelled, labels=True).workflow == "order/Each"
    with pytest.raises(CallRefused) as caught:
        reference_of(labelled)
    assert (caught.value.name, caught.value.members["reason"]) == (
        "ValidationException", "API_DOES_NOT_SUPPORT_LABELED_ARNS",
    )  # fmt: skip


def test_arns_are_made_for_the_request() -> None:
    arns = Arns("eu-west-1", "123456789012")
    assert arns.machine("order", 3) == f"{HEAD}:stateMachine:order:3"
    assert arns.machine("order") == f"{HEAD}:stateMachine:order"
    assert arns.activity("pack") == f"{HEAD}:activity:pack"
    assert arns.role == "arn:aws:iam::123456789012:role/sm-local"
