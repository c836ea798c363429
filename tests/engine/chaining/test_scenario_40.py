"""Scenario 40: chaining. A(P1 `{p1:1}` -> P2 `{p2:2}`), and B started from what A was left with."""

from __future__ import annotations

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.chaining.transform import jsonata_transform, named_transform
from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict, NotFound
from sm_cli.handlers.transformer import Transformer
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from tests.engine.chaining.chains import A, B, count, links, now, run


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(store)


@pytest.fixture
def a(engine: Engine) -> Execution:
    return run(engine, A)


def test_b_from_a_s_final_output(engine: Engine, a: Execution) -> None:
    b = run(engine, B, source=Source(a))
    assert (b.input, b.output, now(engine, b).status) == ({"p2": 2}, {"p2": 2}, "SUCCEEDED")
    (link,) = links(engine)
    assert (link.source_ref, link.source_workflow, link.state) == (a.ref, "A", None)
    assert (link.target_ref, link.target_workflow, link.transform) == (b.ref, "B", None)


def test_b_from_state_p1(engine: Engine, a: Execution) -> None:
    b = run(engine, B, source=Source(a, "P1"))
    assert b.output == {"p1": 1}
    assert [(link.source, link.target, link.state) for link in links(engine)] == [(a.id, b.id, "P1")]


def test_b_with_a_transformer(engine: Engine, a: Execution) -> None:
    by_jsonata = run(engine, B, source=Source(a, transform=jsonata_transform('{"twice": $states.input.p2 * 2}')))
    twice = Transformer("twice", lambda output: {"twice": output["p1"] * 2})
    by_python = run(engine, B, source=Source(a, "P1", named_transform("twice", {"twice": twice})))
    assert (by_jsonata.output, by_python.output) == ({"twice": 4}, {"twice": 2})
    assert [(link.target, link.transform) for link in links(engine)] == [
        (by_python.id, "name:twice"), (by_jsonata.id, '{"twice": $states.input.p2 * 2}'),
    ]  # fmt: skip


def test_a_missing_source_is_an_error_and_no_row_is_created(engine: Engine, a: Execution) -> None:
    with pytest.raises(NotFound, match="no execution is named 'A-999'"):
        engine.find("A-999")
    a.id += 1  # deleted since it was found
    before = engine.store.commits
    with pytest.raises(NotFound, match=f"execution {a.ref} is not there any more"):
        engine.start(B, source=Source(a))
    assert (count(engine), links(engine), engine.store.commits) == (1, [], before)


def test_a_missing_state_is_an_error(engine: Engine, a: Execution) -> None:
    before = engine.store.commits
    with pytest.raises(NotFound, match=r"workflow A has no state 'P3'") as refusal:
        engine.start(B, source=Source(a, "P3"))
    assert refusal.value.hint == "It has P1, P2."
    assert (count(engine), links(engine), engine.store.commits) == (1, [], before)


def test_a_duplicate_name_already_exists(engine: Engine, a: Execution) -> None:
    first = run(engine, B, source=Source(a), name="b-1")
    for state in (None, "P1"):
        with pytest.raises(Conflict, match="an execution 'b-1' of workflow B already exists"):
            engine.start(B, source=Source(a, state), name="b-1")
    assert (count(engine), [link.target for link in links(engine)]) == (2, [first.id])
