"""The lines of a batch over executions: whose data each item is, and the link that tells of it."""

from __future__ import annotations

from typing import Any, cast

from sm_cli.jsonvalue import Json
from sm_cli.store.links import Link
from sm_cli.store.records import Execution

#: What the source of such a batch has beside its file.
KIND = "executions"


def is_of_executions(source: dict[str, Json]) -> bool:
    """Whether a batch with this source goes through executions."""
    return source.get("of") == KIND


def input_of(source: dict[str, Json], item: Json) -> Json:
    """The input that an item of this source gives."""
    return cast("dict[str, Any]", item).get("input") if is_of_executions(source) else item


def unpack(items: list[Json]) -> tuple[list[Json], dict[str, str], list[Json]]:
    """Lines as (inputs, by place why one cannot be worked on, origins)."""
    lines = cast("list[dict[str, Any]]", items)
    refusals = {str(i): str(line["refusal"]) for i, line in enumerate(lines) if "refusal" in line}
    return [line.get("input") for line in lines], refusals, [line["origin"] for line in lines]


def origin_id(origin: Json) -> int:
    """The id of the execution."""
    return int(cast("list[Any]", origin)[0])


def link_to_origin(source: dict[str, Json], origin: Json, target: Execution, now: int) -> Link:
    """That this execution was started with the data of its origin. now: microseconds since 1970 UTC."""
    id, ref, workflow = cast("list[Any]", origin)
    facts = cast("dict[str, Any]", source)
    return Link(
        target.id, target.ref, target.workflow, id, ref, workflow, now, facts["state"], facts["transform"],
        facts["unique"],
    )  # fmt: skip
