"""Which handler serves what: the own name, the longest prefix, everything; and what a worker takes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sm_cli.asl.resources import is_wildcard, serving
from sm_cli.handlers.handler import Context, Handler
from sm_cli.handlers.registry import Registry
from sm_cli.jsonvalue import Json
from sm_cli.store.open import open_store
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sqlite.database import SqliteStore
from sm_cli.testing import simulate
from sm_cli.worker import passes
from tests.engine.workers import Yard, caught, died, soon, workflow, yard

NAMES = ("work", "dynamodb:*", "dynamodb:getItem", "aws-sdk:*", "aws-sdk:s3:*")


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True, **more}}}


def service(action: str) -> str:
    return f"arn:aws:states:::{action}"


def telling(*names: str) -> dict[str, Handler]:
    """Handlers that return the name that they are registered under and the one that they are called by."""

    def made(name: str) -> Handler:
        def handle(input: Json, context: Context) -> Json:
            return [name, context.resource]

        return Handler(name, handle)

    return {name: made(name) for name in names}


# Names


@pytest.mark.parametrize(
    ("resource", "rest", "expected"),
    [
        ("work", (), "work"),
        ("dynamodb:getItem", (), "dynamodb:getItem"),
        ("dynamodb:putItem", (), "dynamodb:*"),
        ("dynamodb", (), None),
        ("dynamodbx:putItem", (), None),
        ("aws-sdk:s3:getObject", (), "aws-sdk:s3:*"),
        ("aws-sdk:s3", (), "aws-sdk:*"),
        ("aws-sdk:sns:publish", (), "aws-sdk:*"),
        ("sqs:sendMessage", (), None),
        ("sqs:sendMessage", ("*",), "*"),
        ("other", ("*",), "*"),
        ("dynamodb:putItem", ("*",), "dynamodb:*"),
        ("sm:own", ("*", "sm:*"), None),
        ("sm:own", ("*", "sm:own"), "sm:own"),
        (":odd", ("*",), "*"),
    ],
)
def test_the_own_name_comes_first_then_the_longest_prefix_then_everything(
    resource: str, rest: tuple[str, ...], expected: str | None
) -> None:
    names = (*NAMES, *rest)
    assert serving(resource, names) == expected
    found = Registry(telling(*names)).find(resource)
    assert (None if found is None else found.name) == expected


@pytest.mark.parametrize(
    ("name", "wild"), [("*", True), ("a:*", True), ("a:b:*", True), ("a", False), ("a*", False), ("*:a", False)]
)
def test_a_wildcard_is_a_star_alone_or_after_a_colon(name: str, wild: bool) -> None:
    assert is_wildcard(name) is wild


def test_a_registry_asks_what_waits_only_for_its_wildcards() -> None:
    def never() -> list[str]:
        raise AssertionError("nobody has to know")

    assert Registry(telling("a", "b")).resources(never) == {"a", "b"}
    assert Registry().resources(never) == frozenset()
    wild = Registry(telling("a", "s3:*"))
    assert wild.resources(lambda: ["s3:get", "s4:get", "sm:own", "b"]) == {"a", "s3:get"}
    assert Registry(telling("*")).resources(lambda: ["s3:get", "sm:own"]) == {"s3:get"}


def test_a_registry_is_a_mapping_of_the_names_and_keeps_its_own() -> None:
    given = telling("b", "a:*")
    registry = Registry(given)
    given.clear()
    assert list(registry) == ["b", "a:*"]
    assert len(registry) == 2
    assert registry["a:*"].name == "a:*"
    assert "a:x" not in registry
    assert Registry.of({"f": lambda input: input, "h": registry["b"]})["h"] is registry["b"]


# Workers


@pytest.mark.parametrize(
    ("names", "resource", "called"),
    [
        (("dynamodb:*",), service("dynamodb:putItem"), ["dynamodb:*", "dynamodb:putItem"]),
        (("batch:*", "*"), service("batch:submitJob.sync"), ["batch:*", "batch:submitJob"]),
        (("dynamodb:*", "dynamodb:putItem"), service("dynamodb:putItem"), ["dynamodb:putItem", "dynamodb:putItem"]),
        (("aws-sdk:*",), service("aws-sdk:s3:getObject"), ["aws-sdk:*", "aws-sdk:s3:getObject"]),
        (("aws-sdk:*", "aws-sdk:s3:*"), service("aws-sdk:s3:getObject"), ["aws-sdk:s3:*", "aws-sdk:s3:getObject"]),
        (("*",), "process:order", ["*", "process:order"]),
        (("*",), "arn:aws:lambda:eu-west-1:123456789012:function:charge:PROD", ["*", "charge"]),
        (("*", "charge"), "arn:aws:lambda:eu-west-1:123456789012:function:charge", ["charge", "charge"]),
    ],
)
def test_a_task_is_taken_by_the_handler_that_serves_it(
    here: Yard, names: tuple[str, ...], resource: str, called: list[str]
) -> None:
    """Both the task that waits already, and the one that is taken in the step that makes it."""
    waiting = here.start(workflow(task(resource)))
    loop = here.worker(telling(*names))
    fresh, _ = loop.start(workflow(task(resource)), {})
    passes.drain(loop, lambda: False)
    assert [here.now(each).output for each in (waiting, fresh)] == [called, called]
    assert simulate(task(resource), handlers={n: h.function for n, h in telling(*names).items()}).output == called


def test_what_nobody_serves_waits_beside_what_a_wildcard_takes(here: Yard) -> None:
    left, done = here.start(workflow(task(service("sqs:sendMessage")))), here.start(workflow(task(service("s3:get"))))
    loop = here.worker(telling("s3:*"))
    passes.drain(loop, lambda: False)
    assert here.now(done).output == ["s3:*", "s3:get"]
    assert here.now(left).closed is None
    assert here.job(left).leased_until is None
    passes.once(here.worker(telling("*"), name="other"), lambda: False)
    assert here.now(left).output == ["*", "sqs:sendMessage"]


def test_what_the_engine_names_for_itself_is_not_taken_by_everything(here: Yard) -> None:
    own = here.start(workflow(task("sm:own")))
    passes.drain(here.worker(telling("*")), lambda: False)
    assert here.job(own).leased_until is None
    passes.drain(here.worker(telling("sm:own"), name="other"), lambda: False)
    assert here.now(own).output == ["sm:own", "sm:own"]


def test_a_worker_learns_of_a_new_resource_that_its_wildcard_serves(tmp_path: Path) -> None:
    path = tmp_path / "sm.db"
    with yard(open_store(str(path))) as here:
        loop = here.worker(telling("s3:*"))
        passes.drain(loop, lambda: False)
        assert not loop.tick()
        other = SqliteStore(path)
        with yard(other) as there:
            execution = there.start(workflow(task(service("s3:new"))))
        soon(lambda: loop.tick() or here.now(execution).closed is not None)
        passes.drain(loop, lambda: False)
        assert here.now(execution).output == ["s3:*", "s3:new"]


def test_a_worker_without_wildcards_does_not_ask_what_waits(here: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_: object) -> list[str]:
        asked.append("asked")
        return []

    monkeypatch.setattr(Questions, "waiting_resources", ask)
    loop = here.worker(telling("work"))
    here.start(workflow(task("work")))
    passes.drain(loop, lambda: False)
    assert not loop.tick()
    assert asked == []
    loop.reload(telling("work", "s3:*"))
    loop.tick()
    assert asked


def test_handlers_that_are_loaded_again_may_bring_a_wildcard(here: Yard) -> None:
    execution = here.start(workflow(task(service("s3:get"))))
    loop = here.worker(telling("work"))
    passes.drain(loop, lambda: False)
    assert here.now(execution).closed is None
    loop.reload(telling("*"))
    passes.drain(loop, lambda: False)
    assert here.now(execution).output == ["*", "s3:get"]


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("name", ["wo:*", "*"])
def test_a_wildcard_that_is_not_repeatable_is_not_run_again_after_its_worker_is_lost(
    here: Yard, name: str, waits: bool
) -> None:
    gate = here.gate(repeatable=False)
    handlers = {name: gate.handlers["work"]}
    definition = caught(Resource="wo:rk")
    if waits:
        execution = here.start(definition)
        loop = here.worker(handlers)
        loop.tick()
    else:
        loop = here.worker(handlers)
        execution, _ = loop.start(definition, {})
    soon(lambda: len(gate.calls) == 1)
    died(loop)
    other = here.worker(handlers, name="other")
    other.run(lambda: here.now(execution).closed is not None)
    output: Any = here.now(execution).output
    assert output["Error"] == "States.TaskFailed"
    assert "not repeatable" in output["Cause"]
    assert len(gate.calls) == 1
