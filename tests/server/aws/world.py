"""One thing of each kind that AWS's API has, and a request for each operation that has to be answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.engine.workers import soon
from tests.server.aws.calling import FAIL, PASS, ROLE, WAIT, ended, machine, start

ACTIVITY_TASK = {
    "StartAt": "A",
    "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:pack", "End": True}},
}
MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map", "End": True, "MaxConcurrency": 1, "Label": "Each",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **WAIT},
        }
    },
}  # fmt: skip


@dataclass
class World:
    """Names of things that are there."""

    client: Any
    names: dict[str, str] = field(default_factory=dict)

    def request(self, operation: str) -> dict[str, Any]:
        """The members that an operation must have, with values that it takes; and none more, but where the model says
        less than AWS does."""
        names = self.names
        by_operation: dict[str, dict[str, Any]] = {
            "CreateActivity": {"name": "new"},
            "CreateStateMachine": {"name": "new", "definition": json.dumps(PASS), "roleArn": ROLE},
            "CreateStateMachineAlias": {
                "name": "new", "routingConfiguration": [{"stateMachineVersionArn": names["version"], "weight": 100}],
            },
            "DeleteActivity": {"activityArn": names["other activity"]},
            "DeleteStateMachine": {"stateMachineArn": names["other machine"]},
            "DeleteStateMachineAlias": {"stateMachineAliasArn": names["other alias"]},
            "DeleteStateMachineVersion": {"stateMachineVersionArn": names["other version"]},
            "ListExecutions": {"stateMachineArn": names["machine"]},
            "RedriveExecution": {"executionArn": names["failed"]},
            "SendTaskFailure": {"taskToken": names["token 1"]},
            "SendTaskHeartbeat": {"taskToken": names["token 2"]},
            "SendTaskSuccess": {"taskToken": names["token 3"], "output": "{}"},
            "StartSyncExecution": {"stateMachineArn": names["express"]},
            "StopExecution": {"executionArn": names["other running"]},
            "TagResource": {"resourceArn": names["machine"], "tags": [{"key": "a", "value": "b"}]},
            "TestState": {"definition": '{"Type": "Pass", "End": true}'},
            "UntagResource": {"resourceArn": names["machine"], "tagKeys": ["z"]},
            "UpdateStateMachine": {"stateMachineArn": names["machine"], "roleArn": ROLE},
            "UpdateStateMachineAlias": {"stateMachineAliasArn": names["alias"], "description": "d"},
            "ValidateStateMachineDefinition": {"definition": json.dumps(PASS)},
        }  # fmt: skip
        return by_operation.get(operation) or self._by_name(operation)

    def _by_name(self, operation: str) -> dict[str, Any]:
        names = self.names
        by_member = {
            "stateMachineArn": names["machine"], "stateMachineAliasArn": names["alias"],
            "stateMachineVersionArn": names["version"], "executionArn": names["running"],
            "mapRunArn": names["map run"], "activityArn": names["activity"], "resourceArn": names["machine"],
        }  # fmt: skip
        shape = self.client.meta.service_model.operation_model(operation).input_shape
        return {member: by_member[member] for member in shape.required_members}


def make_world(client: Any) -> World:
    """Make one thing of each kind. A worker works on what is started."""
    names: dict[str, str] = {}
    names["machine"] = machine(client, "order", WAIT, publish=True)
    names["version"] = f"{names['machine']}:1"
    client.update_state_machine(stateMachineArn=names["machine"], definition=json.dumps(FAIL), publish=True)
    client.update_state_machine(stateMachineArn=names["machine"], definition=json.dumps(WAIT))
    names["other version"] = f"{names['machine']}:2"
    for alias, key in (("prod", "alias"), ("other", "other alias")):
        routing = [{"stateMachineVersionArn": names["version"], "weight": 100}]
        names[key] = client.create_state_machine_alias(name=alias, routingConfiguration=routing)["stateMachineAliasArn"]
    names["other machine"] = machine(client, "other")
    names["express"] = machine(client, "quick", type="EXPRESS")
    names["running"] = start(client, names["machine"])
    names["other running"] = start(client, names["machine"])
    names["failed"] = start(client, machine(client, "failing", FAIL))
    assert ended(client, names["failed"])["status"] == "FAILED"
    for activity, key in (("pack", "activity"), ("other", "other activity")):
        names[key] = client.create_activity(name=activity)["activityArn"]
    packing = machine(client, "packing", ACTIVITY_TASK)
    for i in range(4):
        start(client, packing, {"n": i})
    for i in range(1, 4):
        names[f"token {i}"] = client.get_activity_task(activityArn=names["activity"])["taskToken"]
    mapping = start(client, machine(client, "mapping", MAP), [1, 2, 3])
    soon(lambda: client.list_map_runs(executionArn=mapping)["mapRuns"])
    names["map run"] = client.list_map_runs(executionArn=mapping)["mapRuns"][0]["mapRunArn"]
    names["mapping"] = mapping
    return World(client, names)
