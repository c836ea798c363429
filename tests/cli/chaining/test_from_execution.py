"""`sm run --from-execution`: what it starts, what it refuses, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Project

A = """
    StartAt: P1
    States:
      P1: {Type: Pass, Result: {p1: 1}, Next: P2}
      P2: {Type: Pass, Result: {p2: 2}, End: true}
"""
SAME = """
    StartAt: Same
    States:
      Same: {Type: Pass, End: true}
"""
FAILS = """
    StartAt: P1
    States:
      P1: {Type: Pass, Result: {p1: 1}, Next: No}
      No: {Type: Fail, Error: Bad, Cause: it is}
"""
WAITS = """
    StartAt: W
    States:
      W: {Type: Message, CorrelationKey: k, CorrelationValue: 1, End: true}
"""
TRANSFORMERS = """
    from sm_cli import transformer

    print("executed")

    @transformer("twice")
    def twice(output):
        return {"twice": output["p1"] * 2}

    @transformer("missing-key")
    def missing_key(output):
        return output["nothing"]

    @transformer("set")
    def a_set(output):
        return {1, 2}
"""


@pytest.fixture
def chain(project: Project) -> Project:
    for name, text in (("A", A), ("B", SAME), ("fails", FAILS), ("waits", WAITS)):
        project.workflow(text, f"{name}.yaml")
    assert project.sm("run", "A", "--name", "a-1").code == 0
    return project


def counted(project: Project) -> int:
    return len(project.sm("list", "--json").json) + len(project.sm("links", "--json").json)


def test_scenario_40(chain: Project) -> None:
    chain.handlers(TRANSFORMERS)
    assert chain.sm("run", "B", "--from-execution", "a-1").json == {"p2": 2}
    assert chain.sm("run", "B", "--from-execution", "a-1:P1").json == {"p1": 1}
    named = chain.sm("run", "B", "--from-execution", "a-1:P1", "--transform", "name:twice", "--name", "b-1")
    assert (named.json, named.err.count("executed")) == ({"twice": 2}, 1)
    before = counted(chain)
    for words, code, sentence in (
        (("--from-execution", "a-9"), 3, "no execution is named 'a-9'"),
        (("--from-execution", "a-1:P9"), 3, "workflow A has no state 'P9'"),
        (("--from-execution", "a-1", "--name", "b-1"), 4, "an execution 'b-1' of workflow B already exists"),
    ):
        result = chain.sm("run", "B", *words)
        assert (result.code, result.out) == (code, "")
        assert sentence in result.err
    assert counted(chain) == before
    links = chain.sm("links", "--json").json
    assert [(link["source"]["name"], link["state"], link["transform"]) for link in links] == [
        ("a-1", "P1", "name:twice"), ("a-1", "P1", None), ("a-1", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("a-1:",), 2, "'a-1:' names no state behind its colon"),
        ((":P1",), 2, "names no execution"),
        (("a-1", "n=1"), 2, "--from-execution gives the input: it excludes --input and key=value"),
        (("a-1", "--input", "{}"), 2, "--from-execution gives the input"),
        (("a-1", "--express"), 2, "it excludes --from-execution"),
        (("a-1", "--transform", " "), 2, "--transform is empty"),
        (("a-1", "--transform", "$states.input.("), 2, "the transform is no JSONata"),
        (("a-1", "--transform", "$states.input.x"), 2, "returned nothing (undefined)"),
        (("a-1", "--transform", "lost.jsonata"), 3, "there is no file lost.jsonata"),
        (("a-1", "--transform", "name:twce"), 8, "no transformer is named 'twce'"),
        (("a-1", "--transform", "name:missing-key"), 2, "the transformer 'missing-key' raised KeyError: 'nothing'"),
        (("a-1", "--transform", "name:set"), 2, "returned what is not JSON: $ is of type set"),
        (("a-1:p1",), 3, "workflow A has no state 'p1'"),
        (("waits-1",), 4, "is RUNNING: only one that has ended can be a source"),
        (("fails-1",), 4, "is FAILED, so it is no source"),
        (("fails-1:No", "--allow-failed"), 3, "state 'No' never ended in execution fails-1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    chain: Project, words: tuple[str, ...], code: int, sentence: str
) -> None:
    chain.handlers(TRANSFORMERS)
    assert chain.sm("run", "waits", "--name", "waits-1", "--detach-on-wait").code == 6
    assert chain.sm("run", "fails", "--name", "fails-1").code == 1
    before = counted(chain)
    first, *others = words
    result = chain.sm("run", "B", *[word for word in others if "=" in word], "--from-execution", first,
                      *[word for word in others if "=" not in word])  # fmt: skip
    assert (result.code, result.out) == (code, ""), result.err
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert counted(chain) == before


@pytest.mark.parametrize("option", [("--transform", "1"), ("--allow-failed",), ("--unique",)])
def test_what_belongs_to_a_source_is_refused_without_one(chain: Project, option: tuple[str, ...]) -> None:
    result = chain.sm("run", "B", *option)
    assert (result.code, counted(chain)) == (2, 1)
    assert f"{option[0]} belongs to --from-execution" in result.err


def test_a_hint_says_where_a_transformer_raised_and_how_a_failed_source_is_taken(chain: Project) -> None:
    chain.handlers(TRANSFORMERS)
    raised = chain.sm("run", "B", "--from-execution", "a-1", "--transform", "name:missing-key")
    assert "hint: It was raised at handlers/orders.py:13 in missing_key." in raised.err
    assert chain.sm("run", "fails", "--name", "f").code == 1
    assert "--allow-failed takes it all the same." in chain.sm("run", "B", "--from-execution", "f").err
    allowed = chain.sm("run", "B", "--from-execution", "f", "--allow-failed")
    assert (allowed.code, allowed.json) == (0, {"Error": "Bad", "Cause": "it is"})


def test_where_there_is_no_database_none_is_made(project: Project) -> None:
    project.workflow(SAME, "B.yaml")
    assert project.sm("run", "B", "--from-execution", "a-1").code == 7
    assert not (project.path / ".sm").exists()


def test_a_transform_may_stand_in_a_file_and_between_delimiters(chain: Project) -> None:
    for name, text in (("x.jsonata", "{% $states.input.p1 + 1 %}\n"), ("plain", "[$states.input.p1, 2]")):
        file = chain.write(name, text)
        for given in (name, str(Path(file).absolute())):
            assert chain.sm("run", "B", "--from-execution", "a-1:P1", "--transform", given).code == 0
    outputs = [each["transform"] for each in chain.sm("links", "--json").json]
    assert outputs == ["[$states.input.p1, 2]"] * 2 + ["$states.input.p1 + 1"] * 2


def test_a_file_that_is_no_expression_is_refused(chain: Project) -> None:
    chain.write("large.jsonata", b" " * (1 << 20) + b"1")
    chain.write("bytes.jsonata", b"\xff\xfe")
    for name, sentence in (("large.jsonata", "is larger than 1,048,576 bytes"), ("bytes.jsonata", "is not UTF-8")):
        result = chain.sm("run", "B", "--from-execution", "a-1", "--transform", name)
        assert (result.code, sentence in result.err) == (2, True)


def test_the_source_may_be_named_in_every_way(chain: Project) -> None:
    ref = chain.sm("list", "--json").json[0]["id"]
    arn = "arn:aws:states:us-east-1:111111111111:execution:A:a-1"
    for named in ("@last", ref, ref[:14].lower(), arn):  # it is the last one before it leads to others
        assert chain.sm("run", "B", "--from-execution", f"{named}:P1", "--detach").code == 0
        newest = chain.sm("links", "--json", "--limit", "1").json[0]
        assert (newest["source"]["id"], newest["state"]) == (ref, "P1")
    assert chain.sm("run", "B", "--from-execution", arn).json == {"p2": 2}


def test_unique_is_exit_4_and_names_the_execution_that_there_is(chain: Project) -> None:
    first = chain.sm("run", "B", "--from-execution", "a-1", "--unique", "--detach")
    again = chain.sm("run", "B", "--from-execution", "a-1:P1", "--unique")
    assert (first.code, again.code, again.out) == (0, 4, "")
    assert f"execution a-1 has led to an execution of workflow B already: {first.out.strip()}" in again.err
    assert chain.sm("run", "B", "--from-execution", "a-1").code == 0


def test_transformers_run_here_also_when_handlers_have_processes(chain: Project) -> None:
    chain.handlers(TRANSFORMERS)
    result = chain.process("run", "B", "--from-execution", "a-1:P1", "--transform", "name:twice", "--processes", "1")
    assert (result.code, result.json) == (0, {"twice": 2})
