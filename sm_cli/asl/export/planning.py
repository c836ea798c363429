"""From a definition and the handlers that there are to the plan of an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sm_cli.asl.export.definition import draft_definition
from sm_cli.asl.export.names import capitals, machine_name
from sm_cli.asl.export.permissions import permissions
from sm_cli.asl.export.plan import ExportPlan, LogLevel, MachineType
from sm_cli.jsonvalue import Json


def plan_export(
    name: str,
    definition: dict[str, Json],
    handlers: Mapping[str, str],
    *,
    type: MachineType = "STANDARD",
    log_level: LogLevel | None = None,
    messages: bool = False,
) -> ExportPlan:
    """What is deployed of a workflow. handlers: the names that handlers are registered under, wildcards among them, and
    the name of the file of each, without its ending. messages: whether a Message becomes a task that waits for a token.
    Raises nothing."""
    draft = draft_definition(definition, handlers, messages=messages)
    comment = draft.definition.get("Comment")
    id = capitals(name, "Workflow")
    plan = ExportPlan(
        name, id, machine_name(name), type, log_level, " ".join(comment.split()) if isinstance(comment, str) else "",
        draft.definition, tuple(draft.functions), tuple(draft.parameters), draft.facts, (), tuple(draft.notes),
    )  # fmt: skip
    needs = permissions(plan.definition, plan.substitutions, plan.log_level)
    return replace(plan, statements=needs.statements, notes=(*plan.notes, *needs.notes))
