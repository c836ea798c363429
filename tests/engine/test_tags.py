"""Tags that an execution is started with: AWS's limits, and that they stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.tags import check_tags
from sm_cli.errors import UsageError
from sm_cli.store.filters import ExecutionFilter
from sm_cli.store.records import Execution
from sm_cli.store.sqlite.memory import MemoryStore
from tests.engine.workers import workflow
from tests.store.asking import asked

FAIL = workflow({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}})
WAIT = workflow({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}})


@pytest.mark.parametrize(
    "tags",
    [
        {}, {"a": ""}, {"Customer": "Acme + Söhne"}, {"k" * 128: "v" * 256},
        {"a.b:c/d=e+f-g@h_i": "x y"}, {"客戶": "前"}, {f"n{n}": "v" for n in range(50)},
    ],
)  # fmt: skip
def test_what_aws_takes_is_taken(tags: dict[str, str]) -> None:
    assert check_tags(tags) == tags


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"": "v"}, "the name of a tag has 1 to 128 characters, not 0"),
        ({"k" * 129: "v"}, "the name of a tag has 1 to 128 characters, not 129"),
        ({"k": "v" * 257}, "the value of a tag has at most 256 characters; that of 'k' 257"),
        ({"aws:x": "v"}, "the tag 'aws:x' begins with aws:, as only AWS's own tags may"),
        ({"AWS:x": "v"}, "begins with aws:"),
        ({"a*b": "v"}, "the name of the tag 'a*b' holds '*', which it may not"),
        ({"a": "x\ny"}, r"the value of the tag 'a' holds '\n', which it may not"),
        ({"a": "\x1b[31m"}, r"holds '\x1b', '[', which"),
        ({f"n{n}": "v" for n in range(51)}, "there may be at most 50 tags, not 51"),
        ({"a": 1}, "name and value of a tag are text, not 'a': 1"),
        ({1: "a"}, "name and value of a tag are text, not 1: 'a'"),
    ],
)
def test_what_aws_refuses_is_refused_before_anything_is_written(tags: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        check_tags(tags)
    engine = Engine(MemoryStore())
    with pytest.raises(UsageError, match=re.escape(sentence)):
        engine.start(FAIL, {}, tags=tags)
    assert asked(engine.store).count_matching(ExecutionFilter()) == 0


def tags_now(engine: Engine, execution: Execution) -> dict[str, str]:
    stored = asked(engine.store).execution(execution.id)
    assert stored is not None
    return stored.tags


def test_tags_stay_through_the_end_and_a_redrive() -> None:
    engine = Engine(MemoryStore())
    execution, _, _ = engine.start(FAIL, {}, tags={"b": "2", "a": "1"})
    assert tags_now(engine, execution) == {"a": "1", "b": "2"}
    engine.redrive(execution)
    assert tags_now(engine, execution) == {"a": "1", "b": "2"}
    found = ExecutionFilter(tags=(("a", "1"), ("b", "2")))
    assert asked(engine.store).matching_executions(found) == [execution.id]


def test_who_runs_already_under_the_name_keeps_its_tags() -> None:
    engine = Engine(MemoryStore())
    first, is_new, _ = engine.start(WAIT, {}, name="one", tags={"a": "1"})
    again, is_new_too, _ = engine.start(WAIT, {}, name="one", tags={"a": "2"})
    assert (is_new, is_new_too, again.id) == (True, False, first.id)
    assert tags_now(engine, first) == {"a": "1"}
    assert asked(engine.store).matching_executions(ExecutionFilter(tags=(("a", "2"),))) == []
