"""A program starts executions with the data of others, and asks which."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sm_cli import Client, errors

A: dict[str, Any] = {
    "StartAt": "P1",
    "States": {
        "P1": {"Type": "Pass", "Result": {"p1": 1}, "Next": "P2"},
        "P2": {"Type": "Pass", "Result": {"p2": 2}, "End": True},
    },
}
B: dict[str, Any] = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path / "sm.db", create=True) as made:
        made.start(A, name="a", workflow_name="A")
        yield made


def double(output: Any) -> Any:
    return [output, output]


def test_a_source_gives_the_input_and_a_link_tells_so(client: Client, tmp_path: Path) -> None:
    (tmp_path / "x.jsonata").write_text("$states.input.p1 + 1")
    started = [
        client.start(B, source="a", workflow_name="B"),
        client.start(B, source="a:P1", workflow_name="B"),
        client.start(B, source="a:P1", transform="$states.input.p1 * 5", workflow_name="B"),
        client.start(B, source="a:P1", transform=tmp_path / "x.jsonata", workflow_name="B"),
        client.start(B, source="a", transform=double, workflow_name="C"),
    ]
    assert [each.input for each in started] == [{"p2": 2}, {"p1": 1}, 5, 2, [{"p2": 2}, {"p2": 2}]]
    links = client.links("a")
    assert [link.target for link in links] == [each.id for each in reversed(started)]
    assert [link.transform for link in links] == [
        "name:double", "$states.input.p1 + 1", "$states.input.p1 * 5", None, None,
    ]  # fmt: skip
    assert (links[0].source, links[0].source_workflow, links[0].target_workflow) == (client.get("a").id, "A", "C")
    assert abs(links[0].at - datetime.now(UTC)) < timedelta(minutes=5)
    assert len(client.links(source_workflow="A", target_workflow="B", state="P1", limit=2)) == 2
    assert client.links(since=datetime.now(UTC) + timedelta(hours=1)) == []


def raises(output: Any) -> Any:
    raise LookupError("no such order")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"source": "nobody"}, errors.NotFound),
        ({"source": "a:P9"}, errors.NotFound),
        ({"source": "a:"}, errors.UsageError),
        ({"source": "a", "input": 1}, errors.UsageError),
        ({"source": "a", "transform": "$states.input.("}, errors.UsageError),
        ({"source": "a", "transform": "$states.input.x"}, errors.TransformError),
        ({"source": "a", "transform": raises}, errors.TransformError),
        ({"source": "a", "transform": Path("nowhere.jsonata")}, errors.NotFound),
        ({"source": "a", "name": "b"}, errors.Conflict),
        ({"source": "a", "unique": True}, errors.Conflict),
        ({"unique": True}, errors.UsageError),
        ({"transform": "1"}, errors.UsageError),
        ({"allow_failed": True}, errors.UsageError),
    ],
)
def test_what_cannot_be_is_an_error_and_starts_nothing(
    client: Client, options: dict[str, Any], error: type[errors.SmError]
) -> None:
    client.start(B, source="a", name="b", workflow_name="B")
    with pytest.raises(error):
        client.start(B, workflow_name="B", **options)
    assert (len(client.list()), len(client.links())) == (2, 1)


def test_links_take_a_limit_from_1_on_and_an_execution_that_is_there(client: Client) -> None:
    with pytest.raises(errors.UsageError, match="limit is a number from 1 on"):
        client.links(limit=0)
    with pytest.raises(errors.NotFound):
        client.links("nobody")
