"""Values for `${Name}`: one option, one table of the configuration, and every command reads definitions with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sm_cli.client import Client
from sm_cli.errors import InvalidDefinition
from sm_cli.testing import simulate
from tests.cli.conftest import Project

GREETING = """
StartAt: Greet
States:
  Greet: {Type: Task, Resource: "${GreetArn}", Next: Pause}
  Pause: {Type: Wait, Seconds: "${Pause}", Next: Say}
  Say: {Type: Pass, Result: "${Word}, ${Name}!", End: true}
"""
HANDLERS = "@handler('GreetArn')\ndef greet(x): return 'by its placeholder'\n"
SETTINGS = '[substitutions]\nPause = 0\nWord = "Hi"\n'


def greeting(project: Project) -> None:
    project.workflow(GREETING, "greet.yaml")
    project.handlers(HANDLERS)


@pytest.mark.parametrize(
    "values",
    [
        ["--substitutions", "Pause=0", "--substitutions", "Word=Hi", "--substitutions", "Name=Ann"],
        ["--substitutions", "values.json"],
        ["--substitutions", "values.yaml"],
        ["--substitutions", "stage.env"],
        ["--substitutions", "values.json", "--substitutions", "Word=Hi"],
    ],
)
def test_the_option_takes_values_json_yaml_and_dotenv(project: Project, values: list[str]) -> None:
    greeting(project)
    project.write("values.json", json.dumps({"Pause": 0, "Word": "Hi", "Name": "Ann"}))
    project.write("values.yaml", "Pause: 0\nWord: Hi\nName: Ann\n")
    project.write("stage.env", "# of the stage\nexport Pause=0 # seconds\nWord='Hi'\n\nName=Ann\n")
    result = project.sm("run", "greet", *values)
    assert (result.code, result.out) == (0, '"Hi, Ann!"\n')


def test_the_table_of_the_configuration_holds_for_all_and_the_option_wins(project: Project) -> None:
    greeting(project)
    project.write("sm.toml", SETTINGS)
    assert project.sm("run", "greet", "--substitutions", "Name=Ann").out == '"Hi, Ann!"\n'
    assert project.sm("run", "greet", "--substitutions", "Word=Bye").out == '"Bye, ${Name}!"\n'
    assert project.sm("test-state", "greet", "Say").out == '"Hi, ${Name}!"\n'
    assert "0 s" in project.sm("graph", "greet").out


def test_simulate_and_the_client_read_with_them_too(project: Project) -> None:
    greeting(project)
    project.write("sm.toml", SETTINGS)
    path = Path("workflows/greet.yaml")
    handlers = {"GreetArn": lambda _: 1}
    assert simulate(path, handlers=handlers, substitutions={"Name": "Bo"}).output == "Hi, Bo!"
    assert simulate(GREETING, handlers=handlers, substitutions={"Pause": 1, "Word": "O"}).output == "O, ${Name}!"
    with pytest.raises(InvalidDefinition, match="SM901"):
        simulate(GREETING, handlers=handlers)
    with Client(".", create=True) as client:
        execution = client.start("greet")
        project.sm("worker", "--drain")
        assert client.get(execution.id).output == "Hi, ${Name}!"


def test_what_runs_is_stored_with_its_values(project: Project) -> None:
    greeting(project)
    values = ["--substitutions", "Pause=0", "--substitutions", "Word=Hi"]
    detached = project.sm("run", "greet", "--detach", *values)
    assert detached.code == 0
    project.sm("worker", "--drain")
    assert project.sm("output", "@last").out == '"Hi, ${Name}!"\n'
    assert project.sm("db", "check").code == 0


def test_a_resource_runs_by_the_name_of_its_placeholder_or_by_a_stub(project: Project) -> None:
    project.workflow('{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Send.Arn}", "End": true}}}')
    stubbed = project.sm("run", "--stub")
    assert (stubbed.code, stubbed.out) == (0, "{}\n")
    project.handlers("@handler('Send')\ndef send(x): return 'sent'\n")
    assert project.sm("run").out == '"sent"\n'
    project.handlers("@handler('Sent')\ndef send(x): return 'sent'\n")
    missing = project.sm("run")
    assert missing.code == 8
    assert "no handler is registered as 'Send' for the state 'A'" in missing.err


def test_elsewhere_the_error_names_placeholder_and_line_and_how_to_give_it(project: Project) -> None:
    greeting(project)
    result = project.sm("run", "greet")
    assert result.code == 1
    assert "workflows/greet.yaml:5:32: error SM901: Seconds holds ${Pause}" in result.err
    assert "--substitutions NAME=VALUE" in result.err


def test_without_values_it_is_valid_and_drawn(project: Project) -> None:
    greeting(project)
    assert project.sm("validate", "greet").code == 0
    assert "${Pause}" in project.sm("graph", "greet").out


@pytest.mark.parametrize(
    ("source", "code", "sentence"),
    [
        ("list.json", 2, "list.json gives no substitutions"),
        ("words.env", 2, "words.env gives no substitutions"),
        ("nothing.json", 3, "there is no file nothing.json"),
    ],
)
def test_what_gives_no_values_is_refused(project: Project, source: str, code: int, sentence: str) -> None:
    greeting(project)
    project.write("list.json", "[1]")
    project.write("words.env", "just words\n")
    result = project.sm("run", "greet", "--substitutions", source)
    assert (result.code, sentence in result.err) == (code, True)


def test_a_table_of_dates_is_refused_with_its_line(project: Project) -> None:
    greeting(project)
    project.write("sm.toml", "[substitutions]\nDay = 2026-01-01\n")
    result = project.sm("run", "greet")
    assert result.code == 7
    assert "sm.toml:1: substitutions: a value is not JSON" in result.err


VALUES = ["--substitutions", "Pause=0", "--substitutions", "Word=Hi", "--substitutions", "Name=Ann"]


def test_a_batch_runs_with_the_values(project: Project) -> None:
    greeting(project)
    project.write("items.json", "[{}, {}]")
    result = project.sm("batch", "run", "greet", "--inputs", "items.json", "--results", "results.jsonl", *VALUES)
    assert result.code == 0, result.err
    lines = (project.path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["output"] for line in lines] == ["Hi, Ann!", "Hi, Ann!"]


def test_a_version_is_registered_with_the_values(project: Project) -> None:
    greeting(project)
    assert project.sm("workflow", "register", "greet").code == 1  # Seconds is no number
    assert project.sm("workflow", "register", "greet", *VALUES).code == 0
    assert project.sm("run", "greet:1").out == '"Hi, Ann!"\n'
    assert "are the same definition" in project.sm("workflow", "diff", "greet:1", "workflows/greet.yaml", *VALUES).err
    assert project.sm("workflow", "diff", "greet:1", "workflows/greet.yaml").out != ""


def test_a_schedule_starts_the_version_with_the_values(project: Project) -> None:
    greeting(project)
    added = project.sm("schedule", "add", "greet", "--every", "1h", *VALUES)
    assert added.code == 0, added.err
    assert "greet:1, which has these values" in added.err
    assert project.sm("schedule", "run-now", "greet").code == 0
    assert project.sm("worker", "--drain").code == 0
    assert project.sm("output", "@last").out == '"Hi, Ann!"\n'


def test_values_for_a_version_that_is_stored_are_refused(project: Project) -> None:
    greeting(project)
    assert project.sm("workflow", "register", "greet", *VALUES).code == 0
    result = project.sm("schedule", "add", "greet:1", "--every", "1h", *VALUES)
    assert result.code == 2
    assert "greet:1 is a stored one" in result.err


def test_a_redrive_goes_on_with_the_text_and_its_values(project: Project) -> None:
    greeting(project)
    broken = GREETING.replace('Seconds: "${Pause}"', "SecondsPath: $.nothing").replace("${Word}", "-")
    project.workflow(broken, "other.yaml")
    assert project.sm("run", "other", "--name", "one").code == 1
    text = project.write("fixed.yaml", GREETING)
    assert project.sm("redrive", "one", "--definition", str(text), *VALUES).code == 0
    assert project.sm("worker", "--drain").code == 0
    assert project.sm("output", "one").out == '"Hi, Ann!"\n'
