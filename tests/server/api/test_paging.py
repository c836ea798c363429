"""Every list has pages: each item once, in the order of the whole; and a cursor is a place, not a number of rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from sm_cli.handlers.handler import Handler
from tests.engine.workers import soon
from tests.server.api.test_messages import ASK
from tests.server.serving import MESSAGE, PASS, Served, served
from tests.stores import database

API = "/api/v1"
EACH = {
    "StartAt": "E",
    "States": {
        "E": {
            "Type": "Map", "End": True,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS},
        }
    },
}  # fmt: skip
NAMES = ("a", "b", "c", "d", "e")
#: Each list with five items in `full`, but for the parameters that name one of them.
LISTS = (
    "workflows", "workflows/a/versions", "workflows/a/aliases", "messages", "waits", "waits?key=order",
    "waits?workflow=waits", "tasks", "links", "batches",
    "batches/@last/results", "map-runs", "schedules", "executions?workflow=waits",
    "executions?workflow=waits&sort=name",
)  # fmt: skip


def definition(text: str) -> Any:
    return {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": text, "End": True}}}


@pytest.fixture
def full(here: Served) -> Served:
    """A server whose lists have five items each, one of them for each of NAMES."""
    for name in NAMES:
        here.post(f"{API}/workflows", {"name": name, "definition": PASS}, 201)
    for text in NAMES[1:]:
        here.post(f"{API}/workflows", {"name": "a", "definition": definition(text)}, 201)
    source = here.start(PASS, {}, "source")
    for n, name in enumerate(NAMES):
        here.ask("PUT", f"{API}/workflows/a/aliases/{name}", 200, json={"versions": {"1": 100}})
        here.post(f"{API}/messages", {"key": "k", "value": n})
        here.start(MESSAGE, {"id": len(NAMES) - n}, "waits", name=name)  # values in another order than frames
        here.post(f"{API}/executions", {"definition": PASS, "source": source.ref}, 201)
        here.post(f"{API}/schedules", {"name": name, "workflow": "a", "cron": "0 2 * * *"}, 201)
        here.start(ASK, {}, "asks")
        assert here.engine.poll_activity("ask") is not None
        here.start(EACH, [n], "maps")
    for _ in NAMES:
        here.post(f"{API}/batches", {"workflow": "a", "items": [*NAMES]}, 201)
    with here.worker({"other": Handler("other", str)}):
        soon(lambda: all(each["ended"] for each in here.get(f"{API}/batches")["items"]))
        soon(lambda: all(each["ended"] for each in here.get(f"{API}/executions?workflow=maps")["items"]))
    return here


def test_pages_have_every_item_once_and_say_where_the_next_one_is(full: Served) -> None:
    for path in LISTS:
        url = f"{API}/{path}"
        whole = full.get(url)["items"]
        pages, address = [], f"{url}{'&' if '?' in path else '?'}limit=2"
        while address:
            response = full.ask("GET", address, 200)
            page = response.json()
            pages.append(page["items"])
            link = response.links.get("next", {}).get("url", "")
            assert bool(link) == (page["next"] is not None), path
            address = link
            assert len(pages) < 20, path
        assert [each for page in pages for each in page] == whole, path
        assert len(whole) >= 5, path
        assert all(len(page) == 2 for page in pages[:-1]), path


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_has_given_is_one_sentence(empty: Served, path: str) -> None:
    def cursor(*parts: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    name = path.partition("?")[0].rpartition("/")[2].replace("-", " ")
    wrong = (
        "", "x", "é", "%00", "[]", "!" * 2000, cursor(), cursor("other", 1), cursor(name, None), cursor(name, 2**63),
        cursor(name, -(2**64)), cursor(name, 1.5), cursor(name, "x", "y", "z"), cursor(name, [[[]]]), cursor([], 1),
    )  # fmt: skip
    for each in wrong:
        address = f"{API}/{path}{'&' if '?' in path else '?'}cursor={quote(each, safe='')}"
        problem = empty.get(address, 400)
        assert (problem["code"], "cursor" in problem["detail"]) == ("UsageError", True), each


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with one workflow and one batch, for requests that change nothing."""
    folder = tmp_path_factory.mktemp("empty")
    with database("sqlite", folder) as url, served(url, folder) as made:
        made.post(f"{API}/workflows", {"name": "a", "definition": PASS}, 201)
        made.post(f"{API}/batches", {"workflow": "a", "items": [1]}, 201)
        yield made


def test_results_of_a_batch_go_on_after_items_that_were_not_started(on_file: Served) -> None:
    on_file.post(f"{API}/workflows", {"name": "a", "definition": PASS}, 201)
    ref = on_file.post(f"{API}/batches", {"workflow": "a", "items": [*range(7)], "name_prefix": "p"}, 201)["id"]
    url = f"{API}/batches/{ref}/results"
    on_file.post(f"{API}/batches/{ref}/cancel")
    numbers: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = on_file.get(url, params={"limit": 3, "status": "SKIPPED", **({"cursor": cursor} if cursor else {})})
        numbers += [each["index"] for each in page["items"]]
        assert {each["status"] for each in page["items"]} <= {"SKIPPED"}
        cursor = page["next"]
    assert numbers == [*range(7)]
