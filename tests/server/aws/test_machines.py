"""State machines by boto3: made, described, changed, deleted, listed, with versions and aliases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.store.open import open_store
from tests.server.aws.calling import FAIL, PASS, ROLE, WAIT, client, ended, machine, refused, start
from tests.server.serving import Served, served
from tests.stores import database

KEPT = {
    "loggingConfiguration": {
        "level": "ERROR", "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:0:log-group:g:*"}}],
    },
    "tracingConfiguration": {"enabled": True},
    "encryptionConfiguration": {
        "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k", "kmsDataKeyReusePeriodSeconds": 90,
    },
}  # fmt: skip


def members(answer: Any) -> dict[str, Any]:
    """An answer without what belongs to HTTP."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_what_means_nothing_here_is_given_back(aws_here: Any) -> None:
    arn = machine(aws_here, "order", type="EXPRESS", **KEPT)
    described = members(aws_here.describe_state_machine(stateMachineArn=arn))
    created = described.pop("creationDate")
    assert created.tzinfo is not None
    assert described == {
        "stateMachineArn": arn, "name": "order", "status": "ACTIVE", "definition": json.dumps(PASS), "roleArn": ROLE,
        "type": "EXPRESS", **KEPT,
    }  # fmt: skip


def test_it_is_given_back_by_the_next_server_too(tmp_path: Path) -> None:
    with database("sqlite", tmp_path) as url:
        with served(url, tmp_path) as first:
            arn = machine(client(first.address), "order", tags=[{"key": "a", "value": "b"}], **KEPT)
        with served(url, tmp_path) as second:
            aws = client(second.address)
            described = aws.describe_state_machine(stateMachineArn=arn)
            tags = aws.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {name: described[name] for name in KEPT} == KEPT
    assert tags == [{"key": "a", "value": "b"}]


def test_states_tell_the_variables_that_they_read(on_file: Served, aws: Any) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Parameters": {"v.$": "$outer.a[0]"}, "End": True}}}
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"outer": {"a": [1]}, "limit": 3}, "Next": "B"},
            "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $limit > 2 ? $outer : $sum([1]) %}",
                  "Next": "C"},
            "C": {"Type": "Choice", "Default": "D", "Choices": [
                {"Variable": "$limit", "NumericGreaterThanPath": "$$.State.Name", "Next": "D"},
            ]},
            "D": {"Type": "Map", "ItemsPath": "$outer.a", "ItemProcessor": inner, "Next": "E"},
            "E": {"Type": "Pass", "Parameters": {"t.$": "States.Format('{} {}', $limit, $outer)"}, "End": True},
        },
    }  # fmt: skip
    arn = machine(aws, "order", definition)
    expected = {
        "B": ["limit", "outer"], "C": ["limit"], "D": ["outer"], "I": ["outer"], "E": ["limit", "outer"],
    }  # fmt: skip
    assert aws.describe_state_machine(stateMachineArn=arn)["variableReferences"] == expected
    execution = start(aws, arn)
    aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(PASS))
    of_execution = aws.describe_state_machine_for_execution(executionArn=execution)
    assert of_execution["variableReferences"] == expected
    assert "variableReferences" not in aws.describe_state_machine(stateMachineArn=arn)
    bare = aws.describe_state_machine_for_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert "variableReferences" not in bare


def test_only_metadata_comes_without_the_definition(aws: Any) -> None:
    arn = machine(aws, "order")
    described = aws.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert described["definition"] == ""


def test_the_region_is_that_of_the_request_and_the_account_that_of_the_server(serve: Any) -> None:
    here = serve(account="123456789012")
    aws = client(here.address, "ap-southeast-2")
    arn = machine(aws, "order")
    assert arn == "arn:aws:states:ap-southeast-2:123456789012:stateMachine:order"
    elsewhere = client(here.address, "eu-west-1")  # one database, whatever the region says
    assert elsewhere.describe_state_machine(stateMachineArn=arn)["stateMachineArn"].split(":")[3] == "eu-west-1"


def test_the_same_machine_is_made_once_and_another_is_refused(aws: Any) -> None:
    first = aws.create_state_machine(name="order", definition=json.dumps(PASS), roleArn=ROLE)
    again = aws.create_state_machine(name="order", definition=json.dumps(PASS), roleArn=f"{ROLE}2")
    assert members(again) == members(first)
    name, message = refused(aws.create_state_machine, name="order", definition=json.dumps(FAIL), roleArn=ROLE)
    assert (name, message) == (
        "StateMachineAlreadyExists", f"State Machine Already Exists: '{first['stateMachineArn']}'",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "a*", 'a"', "a\u0007", "ab\u0085", "{a}"])
def test_a_name_with_signs_that_aws_refuses_is_refused(aws: Any, name: str) -> None:
    code, message = refused(aws.create_state_machine, name=name, definition=json.dumps(PASS), roleArn=ROLE)
    assert code == "InvalidName" and message.startswith("Invalid Name: '")


def test_an_invalid_definition_is_told_in_the_words_of_aws(aws: Any) -> None:
    lost = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "Lost"}, "Q": {"Type": "Succeed"}}}
    code, message = refused(aws.create_state_machine, name="order", definition=json.dumps(lost), roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert message == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: Lost at /States/P/Next, "
        'MISSING_TRANSITION_TARGET: State "Q" is not reachable. at /States/Q\''
    )


@pytest.mark.parametrize("text", ["{", "nonsense", "[]", "StartAt: P\nStates:\n  P:\n    Type: Succeed\n", "42"])
def test_a_definition_that_is_no_json_object_is_invalid(aws: Any, text: str) -> None:
    code, _ = refused(aws.create_state_machine, name="order", definition=text, roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert aws.list_state_machines()["stateMachines"] == []


def test_what_no_express_machine_may_have_is_invalid_for_one(aws: Any) -> None:
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    waits = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}
    assert machine(aws, "standard", waits)
    code, message = refused(
        aws.create_state_machine, name="quick", definition=json.dumps(waits), roleArn=ROLE, type="EXPRESS"
    )
    assert code == "InvalidDefinition" and "waitForTaskToken" in message


def test_what_only_sm_has_is_taken(aws: Any) -> None:
    waits = {
        "StartAt": "M",
        "States": {"M": {"Type": "Message", "CorrelationKey": "k", "CorrelationValuePath": "$.v", "End": True}},
    }
    assert machine(aws, "with-message", waits)
    assert machine(
        aws, "with-handler", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "w", "End": True}}}
    )


def test_an_update_changes_what_it_names(aws: Any) -> None:
    arn = machine(aws, "order")
    updated = aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL))
    aws.update_state_machine(stateMachineArn=arn, **KEPT)
    described = aws.describe_state_machine(stateMachineArn=arn)
    assert json.loads(described["definition"]) == FAIL
    assert described["roleArn"] == ROLE
    assert {name: described[name] for name in KEPT} == KEPT
    assert updated["revisionId"] != described["revisionId"]


def test_an_update_of_nothing_is_refused(aws: Any) -> None:
    arn = machine(aws, "order")
    assert refused(aws.update_state_machine, stateMachineArn=arn)[0] == "MissingRequiredParameter"
    code, _ = refused(aws.update_state_machine, stateMachineArn=arn, roleArn=ROLE, versionDescription="x")
    assert code == "ValidationException"


def test_a_deleted_machine_ends_what_runs(aws: Any) -> None:
    arn = machine(aws, "order", WAIT)
    running = start(aws, arn)
    aws.delete_state_machine(stateMachineArn=arn)
    assert aws.describe_execution(executionArn=running)["status"] == "ABORTED"
    assert refused(aws.describe_state_machine, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    assert refused(aws.start_execution, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"
    aws.delete_state_machine(stateMachineArn=arn)  # once more is nothing, as on AWS


def test_machines_are_listed_in_pages(aws: Any) -> None:
    for name in ("c", "a", "e", "b", "d"):
        machine(aws, name)
    pages = [*aws.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})]
    assert [[each["name"] for each in page["stateMachines"]] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


def test_workflows_that_are_files_are_machines(on_file: Served, aws: Any) -> None:
    on_file.write("filed.yaml", "StartAt: P\nStates:\n  P:\n    Type: Pass\n    End: true\n")
    on_file.write("filed.input.json", '{"a": 1}')
    (row,) = aws.list_state_machines()["stateMachines"]
    assert row["name"] == "filed"
    definition = aws.describe_state_machine(stateMachineArn=row["stateMachineArn"])["definition"]
    assert json.loads(definition) == {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    with on_file.worker():
        assert ended(aws, start(aws, row["stateMachineArn"], {"a": 1}))["output"] == '{"a":1}'
    code, message = refused(
        aws.update_state_machine, stateMachineArn=row["stateMachineArn"], definition=json.dumps(FAIL)
    )
    assert code == "ConflictException" and "file" in message
    assert refused(aws.delete_state_machine, stateMachineArn=row["stateMachineArn"])[0] == "ValidationException"


def test_a_machine_is_a_workflow_for_every_other_front_end(on_file: Served, aws: Any) -> None:
    start(aws, machine(aws, "order", WAIT), {"a": 1}, name="first")
    store = open_store(on_file.url, create=False)
    try:
        found = Engine(store).find("first")
        assert (found.workflow, found.input) == ("order", {"a": 1})
    finally:
        store.close()


# -- versions and aliases --------------------------------------------------------------------------------


def test_a_version_is_published_when_it_is_asked_for(aws: Any) -> None:
    made = aws.create_state_machine(name="order", definition=json.dumps(PASS), roleArn=ROLE)
    arn = made["stateMachineArn"]
    assert "stateMachineVersionArn" not in made
    assert aws.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []
    first = aws.publish_state_machine_version(stateMachineArn=arn, description="one")
    updated = aws.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(FAIL), publish=True, versionDescription="two"
    )
    versions = aws.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in versions] == [
        updated["stateMachineVersionArn"], first["stateMachineVersionArn"],
    ]  # fmt: skip
    described = aws.describe_state_machine(stateMachineArn=first["stateMachineVersionArn"])
    assert (json.loads(described["definition"]), described["description"]) == (PASS, "one")


def test_a_version_of_another_revision_is_a_conflict(aws: Any) -> None:
    arn = machine(aws, "order")
    assert aws.publish_state_machine_version(stateMachineArn=arn, revisionId="INITIAL")
    revision = aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL))["revisionId"]
    code, message = refused(aws.publish_state_machine_version, stateMachineArn=arn, revisionId="INITIAL")
    assert code == "ConflictException" and revision in message
    assert aws.publish_state_machine_version(stateMachineArn=arn, revisionId=revision)


def test_an_execution_by_a_version_runs_that_version(on_file: Served, aws: Any) -> None:
    arn = machine(aws, "order", PASS, publish=True)
    aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL), publish=True)
    with on_file.worker():
        by_version = ended(aws, start(aws, f"{arn}:1"))
        by_name = ended(aws, start(aws, arn))
    assert (by_version["status"], by_name["status"]) == ("SUCCEEDED", "FAILED")
    assert by_version["stateMachineVersionArn"] == f"{arn}:1"
    assert "stateMachineVersionArn" not in by_name


def with_alias(aws: Any) -> tuple[str, str]:
    """(the ARN of a machine with two versions, that of an alias which routes to both)."""
    arn = machine(aws, "order", PASS, publish=True)
    aws.update_state_machine(stateMachineArn=arn, definition=json.dumps(FAIL), publish=True)
    routing = [{"stateMachineVersionArn": f"{arn}:{number}", "weight": 50} for number in (1, 2)]
    alias = aws.create_state_machine_alias(name="prod", description="both", routingConfiguration=routing)
    return arn, alias["stateMachineAliasArn"]


def test_an_alias_routes_starts_by_weight(on_file: Served, aws: Any) -> None:
    _, alias = with_alias(aws)
    described = aws.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert (described["name"], described["description"]) == ("prod", "both")
    assert [each["weight"] for each in described["routingConfiguration"]] == [50, 50]
    with on_file.worker():
        ends = [ended(aws, start(aws, alias)) for _ in range(24)]
    assert {end["status"] for end in ends} == {"SUCCEEDED", "FAILED"}
    assert {end["stateMachineAliasArn"] for end in ends} == {alias}


def test_an_alias_is_changed_listed_and_deleted(aws: Any) -> None:
    arn, alias = with_alias(aws)
    aws.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}]
    )
    rows = aws.list_state_machine_aliases(stateMachineArn=f"{arn}:2")["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in rows] == [alias]
    assert aws.list_state_machine_aliases(stateMachineArn=f"{arn}:1")["stateMachineAliases"] == []
    code, message = refused(aws.delete_state_machine_version, stateMachineVersionArn=f"{arn}:2")
    assert code == "ConflictException" and "[prod]" in message
    aws.delete_state_machine_alias(stateMachineAliasArn=alias)
    aws.delete_state_machine_version(stateMachineVersionArn=f"{arn}:2")
    assert refused(aws.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"
    versions = aws.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in versions] == [f"{arn}:1"]


@pytest.mark.parametrize(
    ("weights", "code"), [((60, 60), "ValidationException"), ((99,), "ValidationException"), ((100, 0), None)]
)
def test_the_weights_of_an_alias_are_percents_of_all(aws: Any, weights: tuple[int, ...], code: str | None) -> None:
    arn, _ = with_alias(aws)
    routing = [{"stateMachineVersionArn": f"{arn}:{i}", "weight": weight} for i, weight in enumerate(weights, 1)]
    request = {"name": "more", "routingConfiguration": routing}
    if code is None:
        assert aws.create_state_machine_alias(**request)["stateMachineAliasArn"] == f"{arn}:more"
    else:
        assert refused(aws.create_state_machine_alias, **request)[0] == code


def test_an_alias_of_versions_that_are_not_there_is_refused(aws: Any) -> None:
    arn, _ = with_alias(aws)
    for version, code in ((f"{arn}:9", "ResourceNotFound"), (arn, "ValidationException")):
        routing = [{"stateMachineVersionArn": version, "weight": 100}]
        assert refused(aws.create_state_machine_alias, name="more", routingConfiguration=routing)[0] == code


def test_a_versions_arn_is_not_updated_nor_published(aws: Any) -> None:
    arn, alias = with_alias(aws)
    for qualified in (alias, f"{arn}:1"):
        assert refused(aws.update_state_machine, stateMachineArn=qualified, roleArn=ROLE)[0] == "ValidationException"
        assert refused(aws.publish_state_machine_version, stateMachineArn=qualified)[0] == "ValidationException"
        assert refused(aws.delete_state_machine, stateMachineArn=qualified)[0] == "ValidationException"


# -- tags ------------------------------------------------------------------------------------------------


def test_tags_of_machines_and_activities_are_kept(aws: Any) -> None:
    tags = [{"key": "team", "value": "billing"}, {"key": "empty", "value": ""}]
    arn = machine(aws, "order", tags=tags)
    activity = aws.create_activity(name="pack", tags=tags)["activityArn"]
    for resource in (arn, activity):
        aws.tag_resource(resourceArn=resource, tags=[{"key": "team", "value": "sales"}, {"key": "new", "value": "1"}])
        aws.untag_resource(resourceArn=resource, tagKeys=["empty", "never"])
        there = aws.list_tags_for_resource(resourceArn=resource)["tags"]
        assert {tag["key"]: tag["value"] for tag in there} == {"team": "sales", "new": "1"}


def test_more_tags_than_aws_takes_are_refused(aws: Any) -> None:
    arn = machine(aws, "order")
    tags = [{"key": f"k{i}", "value": "v"} for i in range(51)]
    assert refused(aws.tag_resource, resourceArn=arn, tags=tags)[0] == "TooManyTags"
    assert aws.list_tags_for_resource(resourceArn=arn)["tags"] == []


@pytest.mark.parametrize("tag", [
    {"key": "aws:x", "value": "v"}, {"value": "v"}, {"key": "k", "value": "v" * 257},
    {"key": "a*b", "value": "v"},
])  # fmt: skip
def test_a_tag_that_aws_does_not_take_is_not_called_too_many(aws: Any, tag: dict[str, str]) -> None:
    arn = machine(aws, "order")
    assert refused(aws.tag_resource, resourceArn=arn, tags=[tag])[0] == "ValidationException"
    new = {"definition": json.dumps(PASS), "roleArn": ROLE, "tags": [tag]}
    assert refused(aws.create_state_machine, name="other", **new)[0] == "ValidationException"
    assert refused(aws.create_activity, name="other", tags=[tag])[0] == "ValidationException"
    assert aws.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_a_name_that_speaks_of_tags_is_an_invalid_name_all_the_same(aws: Any) -> None:
    new = {"definition": json.dumps(PASS), "roleArn": ROLE}
    assert refused(aws.create_state_machine, name="stage<tag>", **new)[0] == "InvalidName"
