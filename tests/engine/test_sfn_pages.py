"""Pages of Step Functions' own lists: where they begin, how long they are, and tokens that are none."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.engine.stepping.sfn.parameters import answer_page, page_bounds
from sm_cli.jsonvalue import Json
from sm_cli.testing import simulate


@pytest.mark.parametrize(
    ("given", "first", "most"),
    [
        ({}, 0, 100),
        ({"MaxResults": 7}, 0, 7),
        ({"MaxResults": 1000}, 0, 1000),
        ({"MaxResults": 1001}, 0, 1000),
        ({"MaxResults": 1e308}, 0, 1000),
        ({"MaxResults": 0}, 0, 100),
        ({"MaxResults": -5}, 0, 100),
        ({"MaxResults": True}, 0, 100),
        ({"NextToken": "40"}, 40, 100),
        ({"NextToken": "040", "MaxResults": 2}, 40, 2),
        ({"NextToken": "9" * 18}, 10**18 - 1, 100),
    ],
)
def test_a_page_begins_at_its_token_and_has_a_thousand_results_at_most(
    given: dict[str, Json], first: int, most: int
) -> None:
    assert page_bounds(given) == (first, most)


@pytest.mark.parametrize("token", ["", "x", "-1", "1.5", " 1", "٣", "9" * 19, "9" * 30, "9" * 5000, 7, True, None, [1]])
@pytest.mark.parametrize("action", ["listExecutions", "getExecutionHistory", "listMapRuns", "listStateMachines"])
def test_a_token_that_is_none_fails_the_state_in_aws_s_words(action: str, token: Json) -> None:
    parameters: dict[str, Json] = {"NextToken.$": "$.token"}
    if action == "listExecutions":
        parameters["StateMachineArn"] = "child"
    elif action != "listStateMachines":
        parameters["ExecutionArn.$"] = "$$.Execution.Id"
    state: Any = {
        "Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:sfn:{action}", "Parameters": parameters, "End": True,
    }  # fmt: skip
    child: Any = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    outcome = simulate({"StartAt": "S", "States": {"S": state}}, {"token": token}, workflows={"child": child})
    assert outcome.status == "FAILED"
    if isinstance(token, str):
        assert outcome.error == "Sfn.InvalidTokenException"


@pytest.mark.parametrize(
    ("given", "found", "answer"),
    [
        ({}, [1, 2], {"Rows": [1, 2]}),
        ({"MaxResults": 2}, [1, 2], {"Rows": [1, 2]}),
        ({"MaxResults": 2}, [1, 2, 3], {"Rows": [1, 2], "NextToken": "2"}),
        ({"MaxResults": 2, "NextToken": "2"}, [1, 2, 3], {"Rows": [3]}),
        ({"MaxResults": 2, "NextToken": "9"}, [1, 2, 3], {"Rows": []}),
        ({}, [], {"Rows": []}),
    ],
)
def test_a_page_names_where_the_next_one_begins(given: dict[str, Json], found: list[Json], answer: Json) -> None:
    assert answer_page(given, "Rows", found) == answer
