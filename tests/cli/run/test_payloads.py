"""Large data at the command line: a screen of it for people, all of it for scripts, and a sentence for too much."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

ECHO = "StartAt: A\nStates: {A: {Type: Pass, End: true}}\n"
LARGE = {"text": "x" * 20_000 + "the-end"}


@pytest.fixture
def large(project: Project) -> Project:
    project.workflow(ECHO)
    project.write("data.json", json.dumps(LARGE))
    assert project.sm("run", "--input", "data.json").json == LARGE
    return project


@pytest.mark.parametrize(
    "command",
    [("show",), ("history", "--payloads"), ("history", "--payloads", "--events"), ("history", "-f", "--payloads")],
)
def test_people_see_a_screen_of_it_and_how_long_it_is(large: Project, command: tuple[str, ...]) -> None:
    shown = large.sm(*command, "@last").out
    assert "the-end" not in shown
    assert "… (20," in shown
    assert " characters; --full shows them)" in shown
    assert max(map(len, shown.splitlines())) < 1700
    whole = large.sm(*command, "@last", "--full").out
    assert "the-end" in whole
    assert "--full" not in whole


FAILS = """
StartAt: F
States: {F: {Type: Fail, ErrorPath: $.text, CausePath: $.text}}
"""


def test_people_see_a_screen_of_a_long_error(project: Project) -> None:
    project.workflow(FAILS)
    project.write("data.json", json.dumps(LARGE))
    told = [project.sm("run", "--input", "data.json").err]
    for command in ("list", "show", "output", "why", "history", "history --events", "history --payloads", "history -f"):
        answer = project.sm(*command.split(), *([] if command == "list" else ["@last"]))
        told.append(answer.out + answer.err)
    told.append(project.sm("run", "--express", "--input", "data.json").err)
    told.append(project.sm("test-state", "order", "F", "--input", "data.json").err)
    for text in told:
        assert "xxx" in text
        assert "the-end" not in text
        assert len(text) < 8000
    for whole in ("show", "history --events", "history"):
        assert "the-end" in project.sm(*whole.split(), "--full", "@last").out


def test_people_see_a_screen_of_a_long_value_that_is_waited_for(project: Project) -> None:
    project.workflow(
        "StartAt: M\nStates: {M: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.text, End: true}}\n"
    )
    project.write("data.json", json.dumps(LARGE))
    project.sm("run", "--input", "data.json", "--detach")
    project.sm("worker", "--drain")
    for command in ("show @last", "why @last", "waits"):
        told = project.sm(*command.split()).out
        assert "xxx" in told
        assert "the-end" not in told


@pytest.mark.parametrize(
    "command", [("show", "--json"), ("show", "-o", "yaml"), ("history", "--json"), ("history", "-o", "jsonl")]
)
def test_scripts_get_all_of_it(large: Project, command: tuple[str, ...]) -> None:
    shown = large.sm(*command, "@last").out
    assert shown.count("x" * 20_000) >= 2
    assert "*id" not in shown


def test_an_output_of_megabytes_is_printed_as_it_is(project: Project) -> None:
    project.workflow(ECHO)
    data = {"text": "é€😀" * 500_000}
    project.write("data.json", json.dumps(data))
    assert project.sm("run", "--input", "data.json").json == data
    assert project.sm("output", "@last").json == data


@pytest.mark.parametrize("way", ["file", "environment", "express"])
def test_a_larger_input_than_max_payload_is_a_usage_error(large: Project, way: str) -> None:
    if way == "environment":
        large._patch.setenv("SM_MAX_PAYLOAD", "10000")
    else:
        large.write("sm.toml", "max_payload = 10_000\n")
    result = large.sm("run", "--input", "data.json", *(["--express"] if way == "express" else []))
    assert result.code == 2
    assert "the input is larger than 10,000 bytes of JSON" in result.err
    assert large.sm("run", "a=1").json == {"a": 1}


@pytest.mark.parametrize("given", ["0", "-5", "many", "1.5", "", "9" * 5000])
def test_a_max_payload_that_is_none_is_refused(large: Project, given: str) -> None:
    large._patch.setenv("SM_MAX_PAYLOAD", given)
    result = large.sm("run", "a=1")
    assert result.code != 0
    assert "SM_MAX_PAYLOAD is a number of bytes from 1 to 1,073,741,823" in result.err
