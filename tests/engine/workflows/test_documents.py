"""Stored definitions are read once, however often somebody looks at their executions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sm_cli.asl.text.source import parse
from sm_cli.engine import programs
from sm_cli.engine.programs import DamagedDefinition, DocumentCache, document_of
from sm_cli.jsonvalue import digest
from sm_cli.store.versions import Definition
from sm_cli.timestamps import rfc3339
from sm_cli.views.executions import execution_document
from sm_cli.views.why import why
from tests.engine.workers import Yard, workflow


def definition(comment: str, name: str = "order") -> Definition:
    text = f"Comment: {comment}\nStartAt: A\nStates: {{A: {{Type: Pass, End: true}}}}\n"
    document = parse(text).document
    assert document is not None
    return Definition(digest(document.value), name, text, "yaml", 0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read, in order; nothing is kept of what other tests have read."""
    texts: list[str] = []

    def read(text: str, **more: Any) -> Any:
        texts.append(text)
        return parse(text, **more)

    monkeypatch.setattr(programs, "parse_source", read)
    monkeypatch.setattr(programs, "_read_last", DocumentCache(most=300))
    return texts


def test_a_definition_is_read_once(reads: list[str]) -> None:
    one = definition("one")
    assert document_of(one) is document_of(one._replace(text="".join(one.text)))
    assert reads == [one.text]


def test_who_shows_an_execution_again_and_again_reads_its_definition_once(here: Yard, reads: list[str]) -> None:
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    execution = here.start(workflow(waits, "waits"))
    for _ in range(5):
        why(here.engine, execution, time_text=rfc3339)
        execution_document(here.engine, execution)
    assert len(reads) == 1


def test_another_text_under_the_same_digest_is_read_and_is_damage(reads: list[str]) -> None:
    one = definition("one")
    document_of(one)
    with pytest.raises(DamagedDefinition):
        document_of(one._replace(text=one.text.replace("one", "two")))
    assert document_of(one).value == parse(one.text).document.value  # type: ignore[union-attr]
    assert len(reads) == 2, "what is whole is still known"
    with pytest.raises(DamagedDefinition):
        document_of(one._replace(text="no: [definition"))


def test_the_same_text_of_another_name_has_that_name(reads: list[str]) -> None:
    assert [document_of(definition("one", name)).file for name in ("a", "b", "a")] == ["a", "b", "a"]
    assert len(reads) == 2


def test_those_that_were_asked_for_longest_ago_make_room(reads: list[str]) -> None:
    names = ["one", "two", "three", "four", "five"]
    for name in names:
        document_of(definition(name))
        document_of(definition("one"))
    assert len(reads) == len(names)
    document_of(definition("two"))
    assert len(reads) == len(names) + 1
    long = definition("x" * 300)
    for _ in range(2):
        document_of(long)
    document_of(definition("one"))
    assert reads[len(names) + 1 :] == [long.text] * 2, "one that is longer than all that is kept is not kept"


def test_threads_share_what_was_read() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda n: document_of(definition(f"of {n % 5}")).value, range(400))]
    assert [each["Comment"] for each in found if isinstance(each, dict)] == [f"of {n % 5}" for n in range(400)]
