"""What is refused before anything is written, what --unique holds, and what becomes of links when executions go."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.chaining.transform import Transform, jsonata_transform, named_transform
from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import prune
from sm_cli.engine.settings import Settings
from sm_cli.errors import Conflict, HandlerLoadError, NotFound, TransformError, UsageError
from sm_cli.handlers.transformer import Transformer
from sm_cli.jsonvalue import Json
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.links import LinkFilter
from sm_cli.store.open import open_store
from sm_cli.store.sql.transaction import AlreadyLinked
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from sm_cli.views.upkeep import database_problems
from tests.engine.chaining.chains import FAILS, WAITS, A, B, count, links, now, run
from tests.engine.crashes.test_processes import CHECKOUT
from tests.store.asking import asked


@pytest.fixture
def engine() -> Engine:
    return Engine(MemoryStore(), clock=FakeClock())


def refused(engine: Engine, error: type[Exception], match: str, source: Source, **options: Any) -> None:
    """It is, and nothing was written by it."""
    before = count(engine), links(engine)
    with pytest.raises(error, match=match):
        engine.start(B, source=source, **options)
    assert (count(engine), links(engine)) == before


def test_a_source_that_runs_or_failed_is_refused(engine: Engine) -> None:
    open_one, failed = run(engine, WAITS), run(engine, FAILS)
    refused(engine, Conflict, "is RUNNING: only one that has ended can be a source", Source(open_one))
    refused(engine, Conflict, "is RUNNING", Source(open_one, allow_failed=True))
    refused(engine, Conflict, "is FAILED, so it is no source", Source(failed))
    refused(engine, Conflict, "is FAILED, so it is no source", Source(failed, "P1"))


def test_of_one_that_failed_error_and_cause_are_the_output(engine: Engine) -> None:
    failed, stopped = run(engine, FAILS), run(engine, WAITS)
    engine.stop(stopped)
    late = run(engine, WAITS, timeout=1)
    engine.clock.advance_to(engine.clock.now() + 5_000_000)  # type: ignore[attr-defined]
    engine.transact(lambda tick: tick.due())
    sources = [Source(each, allow_failed=True) for each in (failed, stopped, late)]
    assert [now(engine, source.execution).status for source in sources] == ["FAILED", "ABORTED", "TIMED_OUT"]
    assert [run(engine, B, source=source).input for source in sources] == [
        {"Error": "Bad", "Cause": "it is bad"}, {"Error": "States.TaskFailed", "Cause": ""},
        {"Error": "States.Timeout", "Cause": ""},
    ]  # fmt: skip
    assert run(engine, B, source=Source(failed, "P1", allow_failed=True)).input == {"p1": 1}


def test_a_source_and_an_input_are_one_too_many(engine: Engine) -> None:
    a = run(engine, A)
    with pytest.raises(UsageError, match="one of them is too many"):
        engine.start(B, {"n": 1}, source=Source(a))
    assert count(engine) == 1


def by(function: Callable[[Any], Any]) -> Transform:
    return named_transform("f", {"f": Transformer("f", function)})


def raising(output: Any) -> Json:
    raise KeyError("sku")


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (raising, "the transformer 'f' raised KeyError: 'sku'"),
        (lambda output: {1, 2}, r"the transformer 'f' returned what is not JSON: \$ is of type set"),
        (lambda output: float("nan"), "the transformer 'f' returned what is not JSON"),
        (lambda output: sys.exit(3), "the transformer 'f' raised SystemExit: 3"),
    ],
)
def test_a_transformer_that_raises_or_returns_no_json_is_refused(engine: Engine, function: Any, match: str) -> None:
    refused(
        engine,
        TransformError,
        match,
        Source(run(engine, A), None, named_transform("f", {"f": Transformer("f", function)})),
    )


def test_a_transformer_cannot_change_what_it_was_given(engine: Engine) -> None:
    a = run(engine, A)

    def spoil(output: Any) -> Json:
        output["p2"] = "spoilt"
        return {}

    run(engine, B, source=Source(a, None, by(spoil)))
    assert now(engine, a).output == {"p2": 2}


@pytest.mark.parametrize(
    ("expression", "match"),
    [
        ("$states.input.p9", r"'\$states.input.p9' specified for the field 'transform' returned nothing"),
        ("$error('no stock')", "no stock"),
        ("function($x) { $x }", "returned an unsupported result type"),
    ],
)
def test_an_expression_that_finds_nothing_is_refused(engine: Engine, expression: str, match: str) -> None:
    refused(engine, TransformError, match, Source(run(engine, A), transform=jsonata_transform(expression)))


def test_who_forgets_where_the_output_is_gets_a_hint_and_a_long_expression_is_cut(engine: Engine) -> None:
    a = run(engine, A)
    for expression, hint in (("$.p2", "The output is `$states.input` in an expression."), ("$states.input.x", None)):
        with pytest.raises(TransformError) as refusal:
            engine.start(B, source=Source(a, transform=jsonata_transform(expression)))
        assert refusal.value.hint == hint
    with pytest.raises(TransformError) as refusal:
        engine.start(B, source=Source(a, transform=jsonata_transform(f"$error({'1+' * 5000}1)")))
    assert len(refusal.value.message) < 500


@pytest.mark.parametrize(
    ("expression", "match"),
    [("$states.input.(", r"at character 16\)"), ("{% 1 + %}", r"at character 7\)"), ("{%  %}", "empty"), ("", "empty")],
)
def test_a_text_that_is_no_jsonata_is_refused(expression: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        jsonata_transform(expression)


def test_a_link_keeps_the_beginning_of_a_long_expression(engine: Engine) -> None:
    run(engine, B, source=Source(run(engine, A), transform=jsonata_transform(f"{{% [{', '.join(['1'] * 500)}] %}}")))
    (link,) = links(engine)
    assert link.transform is not None
    assert (len(link.transform), link.transform[:4], link.transform[-1]) == (200, "[1, ", "…")


def test_a_transformer_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(HandlerLoadError, match="no transformer is named 'x'") as refusal:
        named_transform("x", {"b": Transformer("b", str), "a": Transformer("a", str)})
    assert refusal.value.hint == "There is a, b."


def test_an_input_that_becomes_too_large_is_refused() -> None:
    engine = Engine(MemoryStore(), settings=Settings(max_payload=1000))
    grown = jsonata_transform("[1..500]")
    refused(engine, UsageError, "the input is larger than 1,000 bytes", Source(run(engine, A), transform=grown))
    limited = Engine(MemoryStore())
    text = Source(run(limited, A), transform=jsonata_transform('{"text": $pad("", 300000, "x")}'))
    refused(limited, UsageError, "AWS takes at most 262,144", text, limits=True)


def test_a_source_that_changes_between_reading_and_writing_is_refused(engine: Engine) -> None:
    failed = run(engine, FAILS)

    def redrive(output: Json) -> Json:
        engine.redrive(failed)
        return output

    meanwhile = named_transform("f", {"f": Transformer("f", redrive)})
    refused(
        engine, Conflict, "was redriven meanwhile: it is FAILED", Source(failed, None, meanwhile, allow_failed=True)
    )

    def delete(output: Json) -> Json:
        prune(engine.store, engine.clock.now() + 1)
        return output

    with pytest.raises(NotFound, match="is not there any more"):
        engine.start(B, source=Source(failed, None, by(delete), allow_failed=True))
    assert count(engine) == 0


# -- once only -------------------------------------------------------------------------------------


def test_unique_is_refused_when_the_source_led_to_that_workflow_by_whatever_state(engine: Engine) -> None:
    a = run(engine, A)
    first = run(engine, B, source=Source(a, "P1"))
    refused(engine, Conflict, f"has led to an execution of workflow B already: {first.ref}", Source(a, unique=True))
    other = run(engine, WAITS, source=Source(a, unique=True))
    again = run(engine, B, source=Source(a))
    assert [link.target for link in links(engine, execution=a.id)] == [again.id, other.id, first.id]


def test_unique_holds_after_the_target_was_deleted(engine: Engine) -> None:
    a = run(engine, A)
    b = run(engine, B, source=Source(a, unique=True))
    engine.transact(lambda tick: tick.changes.executions_gone.append(b.id))
    refused(engine, Conflict, "has led to an execution of workflow B already", Source(a, unique=True))


def test_the_row_itself_is_refused_where_nobody_looked_before(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    a = run(engine, A)
    run(engine, B, source=Source(a))
    monkeypatch.setattr("sm_cli.engine.workflows.new_executions.check_unique", lambda *_: None)
    refused(engine, AlreadyLinked, "has led to an execution of workflow B already", Source(a, unique=True))
    run(engine, B)  # the engine goes on


RACER = """
import sys
from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict
from sm_cli.store.links import LinkFilter
from sm_cli.store.open import open_store
from tests.engine.chaining.chains import B

engine = Engine(open_store(sys.argv[1]))
sources = [Source(engine.find(f"a-{n}"), unique=True) for n in range(int(sys.argv[2]))]
print("ready", flush=True)
sys.stdin.readline()
won = 0
for source in sources:
    try:
        engine.start(B, source=source)
        won += 1
    except Conflict as conflict:
        assert "has led to an execution of workflow B already" in conflict.message
print(won, flush=True)
"""


def test_two_processes_that_race_start_one_execution_for_each_source(tmp_path: Path) -> None:
    path, sources = tmp_path / "sm.db", 100
    engine = Engine(open_store(f"sqlite:{path}?sync=normal", create=True))
    for n in range(sources):
        run(engine, A, name=f"a-{n}")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path), str(sources)], cwd=CHECKOUT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=120) for racer in racers]
    assert [error for _, error in answers] == ["", ""]
    assert sum(int(won) for won, _ in answers) == sources
    assert len(asked(engine.store).list_executions(ExecutionFilter(workflow="B"), ExecutionPage(limit=1000))) == sources
    assert {link.unique for link in links(engine, limit=1000)} == {True}
    engine.store.close()


# -- deletion --------------------------------------------------------------------------------------


def test_a_link_stays_until_both_of_its_executions_are_deleted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "sm.db", sync="normal")
    clock = FakeClock()
    engine = Engine(store, clock=clock)
    a, lonely = run(engine, A), run(engine, A)
    clock.advance_to(clock.now() + 10_000_000)
    b, c = run(engine, B, source=Source(a)), run(engine, B, source=Source(a, "P1"))
    assert prune(store, clock.now() - 5_000_000).executions == 2
    assert asked(store).execution(lonely.id) is None
    ends = asked(store).links
    (newest, oldest) = ends(LinkFilter())
    assert (oldest.link.target, oldest.source_name, oldest.target_name) == (b.id, None, b.name)
    assert (newest.link.target, newest.link.source_ref, newest.link.state) == (c.id, a.ref, "P1")
    assert database_problems(store) == []
    engine.transact(lambda tick: tick.changes.executions_gone.append(b.id))
    assert [each.link.target for each in ends(LinkFilter())] == [c.id]
    clock.advance_to(clock.now() + 1)
    prune(store, clock.now())
    assert ends(LinkFilter()) == []
    assert database_problems(store) == []
    store.close()
