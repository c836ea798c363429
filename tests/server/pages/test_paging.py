"""Lists page by page: the ways on and back, and every list that is longer than a page, each row once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from sm_cli.engine.chaining.source import Source
from sm_cli.errors import UsageError
from sm_cli.server.pages.paging import number_place, page_of_rows
from sm_cli.views.executions import above_of, nested_counts
from sm_cli.views.listing import ExecutionFilter, Status, count_executions
from sm_cli.views.messages import list_waits
from sm_cli.views.records import WaitFilter
from sm_cli.views.tasks import handed_over_tasks
from tests.engine.workers import soon, workflow
from tests.server.pages.flows import ASK, MANY, STARTS, Hands
from tests.server.serving import MESSAGE, PASS, TASK, Served

CHILD = {
    "StartAt": "C",
    "States": {
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.fails", "BooleanEquals": True, "Next": "No"}],
            "Default": "Yes",
        },
        "Yes": {"Type": "Succeed"},
        "No": {"Type": "Fail", "Error": "ChildBroken"},
    },
}


def pages(world: Served, address: str, pattern: str, what: str) -> Iterator[list[str]]:
    """What the pattern finds on each page of the list of this name, until there is no older one."""
    while True:
        text = world.ask("GET", address, 200).text
        yield re.findall(pattern, text)
        _, _, nav = text.partition(f'aria-label="Pages of {what}"')
        older = re.search(r'href="([^"]+)" rel="next"', nav.partition("</nav>")[0])
        if older is None:
            return
        address = unescape(older[1])


def rows(world: Served, address: str, pattern: str, what: str) -> tuple[int, list[str]]:
    """(how many pages there are, all that the pattern finds on them, each once)."""
    found = list(pages(world, address, pattern, what))
    all_of_them = [each for page in found for each in page]
    assert len(all_of_them) == len(set(all_of_them)), "a row stands on two pages"
    return len(found), all_of_them


def test_a_page_knows_the_ways_on_and_back() -> None:
    query: dict[str, Any] = {"status": ["FAILED"], "other": ["7"]}
    first = page_of_rows([1, 2, 3], 2, lambda row: row, "/x", query)
    assert (first.rows, first.newer, first.first) == ([1, 2], None, None)
    assert first.older == "/x?status=FAILED&other=7&after=2"
    third = page_of_rows([5], 2, lambda row: row, "/x", query | {"after": ["2", "4"]}, ("2", "4"))
    assert (third.rows, third.older) == ([5], None)
    assert third.newer == "/x?status=FAILED&other=7&after=2"
    assert third.first == "/x?status=FAILED&other=7"


def test_an_address_does_not_grow_for_ever() -> None:
    trail = tuple(str(place) for place in range(200))
    page = page_of_rows([1, 2], 1, lambda row: row, "/x", {}, trail)
    assert page.older is not None
    assert page.older.count("after=") == 40
    assert page.older.endswith("&after=1")


@pytest.mark.parametrize("place", ["x", "-1", "9" * 30, "²"])
def test_a_place_that_is_no_number_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="a page begins after a number"):
        number_place((place,))


def test_executions_are_paged_in_every_order(world: Served) -> None:
    refs = {world.start(PASS, called="paged").ref for _ in range(7)}
    for order in ("-started", "started", "name", "-duration"):
        count, found = rows(world, f"/?workflow=paged&limit=3&sort={order}", r'<tr id="x-(\w+)"', "executions")
        assert (count, set(found)) == (3, refs)


def test_waits_messages_and_tasks_are_paged_each_for_itself(world: Served) -> None:
    for number in range(55):
        world.start(MESSAGE, {"id": f"W-{number}"}, called="waits")
        world.start(ASK, {}, called="asks")
        world.engine.publish("kept", str(number), {})
    with world.worker():
        soon(lambda: len(list_waits(world.store, WaitFilter(limit=100))) == 55)
        while world.engine.poll_activity("boss"):
            pass
        soon(lambda: world.engine.poll_activity("boss") is None and len(handed_over_tasks(world.engine, 100)) == 55)
    assert rows(world, "/waiting?messages=30", r'<tr id="w-(\d+)"', "open waits")[0] == 2
    assert len(rows(world, "/waiting", r'<tr id="w-(\d+)"', "open waits")[1]) == 55
    assert len(rows(world, "/waiting", r'<tr id="k-([^"]+)"', "tasks")[1]) == 55
    assert len(rows(world, "/waiting?key=kept", r'<tr id="m-(\d+)"', "messages")[1]) == 55
    for filter in ("key=order", "workflow=waits"):
        assert len(rows(world, f"/waiting?{filter}", r'<tr id="w-(\d+)"', "open waits")[1]) == 55
    assert "no wait stands at" in world.ask("GET", "/waiting?waits=x", 400).text
    assert "a page begins after a number" in world.ask("GET", "/waiting?tasks=x", 400).text


def test_workflows_and_versions_are_paged(world: Served) -> None:
    for number in range(53):
        world.engine.workflows.register(workflow(PASS, f"named-{number:02}"))
        world.engine.workflows.register(workflow(PASS | {"Comment": str(number)}, "often"))
    count, names = rows(world, "/workflows", r'class="strong" href="/workflows/([^"]+)"', "workflows")
    assert count == 2
    assert names == sorted(names)
    assert {f"named-{number:02}" for number in range(53)} < set(names)
    numbers = rows(world, "/workflows/often/versions", r"/workflows/often\?version=(\d+)", "versions")[1]
    assert numbers == [str(number) for number in range(53, 0, -1)]
    text = world.ask("GET", "/workflows/often/versions?after=4", 200).text
    assert "<option selected>53</option>" in text, "what is compared does not depend on the page"


def test_batches_map_runs_and_failures_are_paged(world: Served) -> None:
    for number in range(52):
        world.engine.batch(workflow(TASK, "item"), [{"fails": False}], name_prefix=f"b{number}")
    many = world.start(MANY | {"Comment": "all fail"}, {"items": [{"fails": n < 9} for n in range(9)]}, called="many")
    failing = world.engine.batch(workflow(TASK, "item"), [{"fails": True}] * 43, name_prefix="failing")
    with world.worker(Hands().handlers):
        soon(lambda: all(world.engine.find(ref).closed for ref in (many.ref, failing.ref)), 60)
    count, found = rows(world, "/batches", r'<tr id="b-(\w+)"', "batches")
    assert (count, len(found)) == (2, 53)
    assert len(rows(world, "/batches", r'<tr id="u-([\w-]+)"', "map runs")[1]) == 1, "a batch is no row of both lists"
    count, found = rows(world, f"/batches/{failing.ref}", r'href="/executions/(\w+)">failing-', "failures")
    assert (count, len(found)) == (3, 43)
    text = world.ask("GET", f"/map-runs/{many.ref}", 200).text
    assert text.count("this item is broken") == 9
    state = world.ask("GET", f"/executions/{many.ref}/state?pointer=/States/Each", 200).text
    assert "9 of 9 items, 9 failed" in state
    assert world.ask("GET", f"/map-runs/{many.ref}?after=nobody", 404)


def test_executions_that_states_started_are_told_also_when_they_are_closed(world: Served) -> None:
    world.engine.workflows.register(workflow(CHILD, "child"))
    parent = world.start(STARTS, {"items": [{"fails": n % 5 == 0} for n in range(23)]}, called="parent")
    with world.worker():
        soon(lambda: world.engine.find(parent.ref).closed, 60)
    found = world.engine.find(parent.ref)
    assert {status.value: count for status, count in nested_counts(world.engine, found).items()} == {
        "SUCCEEDED": 18, "FAILED": 5,
    }  # fmt: skip
    address = f"/executions/{parent.ref}?view=related"
    text = world.ask("GET", address, 200).text
    assert "18 SUCCEEDED" in text
    assert "5 FAILED" in text
    pattern = r'class="strong" href="/executions/(\w+)"'
    count, refs = rows(world, address, pattern, "executions that its states started")
    assert (count, len(refs)) == (2, 23)
    states = world.ask("GET", f"/executions/{parent.ref}/state?pointer=/States/Each/ItemProcessor/States/Run", 200).text
    assert len(re.findall(r'<a href="/executions/(\w+)">', states)) == 1, "a visit leads to the one that it started"
    child = world.engine.find(refs[0])
    above = above_of(world.engine, child)
    assert above.parent is not None
    assert (above.parent.ref, above.run, above.top) == (parent.ref, None, None)
    assert f'href="/executions/{parent.ref}"' in world.ask("GET", f"/executions/{child.ref}?view=related", 200).text


def test_executions_that_nobody_waits_for_are_told_beside_those_that_are_waited_for(world: Served) -> None:
    def starts(name: str, pattern: str = "") -> dict[str, Any]:
        parameters = {"StateMachineArn": name, "Input": {}}
        resource = f"arn:aws:states:::states:startExecution{pattern}"
        task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "ResultPath": None}
        return {"StartAt": "S", "States": {"S": {**task, "Next": "T"}, "T": {**task, "End": True}}}

    world.engine.workflows.register(workflow(PASS, "kid"))
    world.engine.workflows.register(workflow(starts("kid"), "parent"))
    top = world.start(starts("parent", ".sync:2"), {}, called="top")
    with world.worker():
        soon(lambda: world.engine.find(top.ref).closed, 60)
        soon(lambda: count_executions(world.store, ExecutionFilter((Status.SUCCEEDED,), "kid")) == 4)
    pattern, table = r'class="strong" href="/executions/(\w+)"', "executions that its states started"
    parents = rows(world, f"/executions/{top.ref}?view=related", pattern, table)[1]
    assert [world.engine.find(ref).workflow for ref in parents] == ["parent", "parent"], "the kids are not its own"
    for ref in parents:
        address = f"/executions/{ref}?view=related"
        kids = [world.engine.find(each) for each in rows(world, address, pattern, table)[1]]
        assert [kid.workflow for kid in kids] == ["kid", "kid"]
        assert "2 SUCCEEDED" in world.ask("GET", address, 200).text
        above = above_of(world.engine, kids[0])
        assert above.parent is None and above.starter is not None and above.top is not None
        assert (above.starter.ref, above.top.ref) == (ref, top.ref)
        text = world.ask("GET", f"/executions/{kids[0].ref}?view=related", 200).text
        assert "which did not wait for it" in text and f'href="/executions/{ref}"' in text
        assert "At the top stands" in text and f'href="/executions/{top.ref}"' in text


def test_executions_that_were_started_with_an_output_are_paged(world: Served) -> None:
    source = world.start(PASS, {"a": 1}, called="source")
    with world.worker():
        soon(lambda: world.engine.find(source.ref).closed)
        began = Source(world.engine.find(source.ref))
        targets = {world.engine.start(workflow(PASS, "target"), source=began)[0].ref for _ in range(22)}
    count, refs = rows(
        world, f"/executions/{source.ref}?view=related", r'class="strong" href="/executions/(\w+)"',
        "executions that were started with its output",
    )  # fmt: skip
    assert (count, set(refs)) == (2, targets)
    target = world.ask("GET", f"/executions/{refs[0]}?view=related", 200).text
    assert "It was started with the output of" in target
