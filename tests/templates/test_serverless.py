"""The Serverless Framework: `stepFunctions.stateMachines` and what it names."""

from __future__ import annotations

import pytest

from tests.templates.test_cloudformation import ARN, ONE_STATE, definition, machines, resource

HEAD = "service: shop\nprovider: {name: aws}\nfunctions:\n  greet: {handler: a.b}\n  say-it: {handler: a.c}\n"
FLOW = """stepFunctions:
  stateMachines:
    flow:
      name: ${self:service}-flow
      definition:
        StartAt: A
        States:
          A: {Type: Task, Resource: %s, End: true}
"""


@pytest.mark.parametrize(
    ("written", "handler"),
    [
        ("!GetAtt GreetLambdaFunction.Arn", f"{ARN}greet"),
        ("{Fn::GetAtt: [greet, Arn]}", f"{ARN}greet"),
        ("!GetAtt SayDashitLambdaFunction.Arn", f"{ARN}say-it"),
        ("'${self:custom.arn}'", "${self:custom.arn}"),
        ("'arn:aws:lambda:${aws:region}:${aws:accountId}:function:greet'", None),
    ],
)
def test_functions_are_named_by_their_keys(written: str, handler: str | None) -> None:
    found = machines(HEAD + FLOW % written)["flow"]
    assert resource(found) == (handler or written.strip("'"))


def test_definitions_and_machines_of_other_files() -> None:
    text = HEAD + (
        "stepFunctions:\n  stateMachines:\n    one:\n      definition: ${file(one.json)}\n"
        "    two: ${file(two.yml):machine}\n    three:\n      definition: ${file(all.yml):three}\n"
        "    gone: ${file(gone.yml)}\n"
    )
    found = machines(
        text,
        one_json=ONE_STATE % "one",
        two_yml="machine:\n  definition: {StartAt: A, States: {A: {Type: Task, Resource: two, End: true}}}\n",
        all_yml="three: {StartAt: A, States: {A: {Type: Task, Resource: three, End: true}}}\n",
    )
    assert [resource(found[name]) for name in ("one", "two", "three")] == ["one", "two", "three"]
    assert [d.code for d in found["gone"].result.diagnostics] == ["SM017"]


def test_all_machines_in_a_file_and_resources_beside_them() -> None:
    text = HEAD + (
        "stepFunctions:\n  stateMachines: ${file(all.yml)}\nresources:\n  Resources:\n    More:\n"
        "      Type: AWS::StepFunctions::StateMachine\n      Properties:\n"
        "        DefinitionString: '" + ONE_STATE % "more" + "'\n"
    )
    all_yml = "flow:\n  definition:\n    StartAt: A\n    States:\n      A: {Type: Succeed}\n"
    found = machines(text, all_yml=all_yml)
    assert definition(found["flow"])["StartAt"] == "A"
    assert resource(found["More"]) == "more"


def test_the_plugins_part_in_a_file_of_its_own_and_resources_in_a_list() -> None:
    text = HEAD + (
        "stepFunctions: ${file(sf.yml):stepFunctions}\nresources:\n  - Resources:\n      More:\n"
        "        Type: AWS::StepFunctions::StateMachine\n        Properties:\n"
        "          DefinitionString: '" + ONE_STATE % "more" + "'\n  - ${file(other.yml)}\n"
    )
    sf_yml = (
        "stepFunctions:\n  stateMachines:\n    flow:\n      definition: {StartAt: A, States: {A: {Type: Succeed}}}\n"
    )
    found = machines(text, sf_yml=sf_yml)
    assert definition(found["flow"])["StartAt"] == "A"
    assert resource(found["More"]) == "more"
