"""`sm batch run --dry-run`: what would start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.engine.stepping.batch.origins import input_of
from sm_cli.jsonvalue import dumps

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.engine.engine import Engine
    from sm_cli.engine.stepping.batch.plan import Plan
    from sm_cli.jsonvalue import Json

#: So many items are first_names.
_SHOWN = 3
#: Characters of an item.
_LONGEST = 300


def print_plan(engine: Engine, plan: Plan, first: list[Json], stream: TextIO, format: str) -> int:
    """How many executions a batch would start, and the first of them. first: its first items. Returns the exit code."""
    with engine.store.read() as questions:
        there = questions.executions_named(plan.workflow, [plan.name(n) for n in range(len(first))])
    first_names = [(plan.name(n), input_of(plan.source, item)) for n, item in enumerate(first[:_SHOWN])]
    if format != "table":
        document: dict[str, Json] = {
            "dry_run": True,
            "workflow": plan.workflow,
            "item_count": plan.total,
            "existing": len(there),
            "first_items": [{"name": name, "input": item, "existing": name in there} for name, item in first_names],
        }
        out.one(document, format, stream)
        return 0
    total = f"{plan.total:,}" if plan.total is not None else f"more than {len(first):,}"
    existing = f"; of the first {len(first):,}, {len(there):,} are there already" if there else ""
    out.text(f"would start {total} executions of {plan.workflow}{existing}", stream)
    for name, item in first_names:
        mark = " (is there already)" if name in there else ""
        out.text(f"  {name}{mark}  {tables.cut(dumps(item), _LONGEST)}", stream)
    return 0
