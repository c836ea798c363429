"""Questions about many executions, put together from the parts that a filter and an order need.

Every part is a named block of `listing.sql`. Which index leads is decided here and not by the database, which knows
neither how many executions there are of a kind nor that somebody wants fifty of a million: a state or tags, when few
had them; else an error name, a status, a workflow, or the order itself.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from typing import TYPE_CHECKING, NamedTuple

import orjson

from sm_cli.store.filters import BEYOND, NEWEST_FIRST, ExecutionFilter, ExecutionPage, Order, SortKey
from sm_cli.store.records import Status
from sm_cli.store.sql.parameters import containing, id_list, name_list, without_nul
from sm_cli.store.sql.session import Session
from sm_cli.store.sql.upkeep.state_log import logged_executions

if TYPE_CHECKING:
    from sm_cli.store.statistics import By

#: Executions that are few: reading them all costs less than to look through an index for the first of them.
_FEW = 5_000


class Question(NamedTuple):
    """A question in parts."""

    #: Names of blocks, in their order.
    parts: tuple[str, ...]
    #: By name; those of parts that were left out do no harm.
    parameters: dict[str, object]

    def page(self, page: ExecutionPage, *, of_run: bool) -> "Question":
        """The part of its answer that is asked for. of_run: whether these are children of one map run; those of a batch
        are sorted as all others are."""
        is_numbered = of_run and "from_batch" not in self.parts
        key = "number" if is_numbered and page.order.key is SortKey.STARTED else page.order.key.value
        order = f"{key}_{'down' if page.order.descending else 'up'}"
        parts, parameters = self.parts, {**self.parameters, "limit": page.limit}
        if page.after is not None:
            # Two bounds at one end of an index: SQLite might choose the farther one.
            nearer = "only_until" if page.order.descending else "only_since"
            if key == "started":
                parts = tuple(part for part in parts if part != nearer)
            parts += (f"after_{order}",)
            parameters["value"], parameters["tie"] = page.after
        return Question((*parts, f"by_{order}"), parameters)


def question(session: Session, head: str, filter: ExecutionFilter, order: Order = NEWEST_FIRST) -> Question:
    """What this filter means, with the beginning `head`: a question that has neither order nor limit yet."""
    few = _few_ids(session, filter)
    source = "from_ids" if few is not None else source_of(filter, order)
    if source == "from_run" and session.one("has_batch_children", (filter.run,)) is not None:
        source = "from_batch"
    return Question((head, source, *conditions(filter, source)), _parameters(session, filter, few))


def statistics_question(session: Session, filter: ExecutionFilter, by: "By") -> Question:
    """The statistics of what this filter means, in groups."""
    few = _few_ids(session, filter)
    source = "from_ids" if few is not None else source_of(filter, NEWEST_FIRST)
    if by == "error" and source in ("from_all", "from_status", "from_workflow"):
        source = "from_errors"
    elif source == "from_all":
        source = "from_workflows"
    left = conditions(filter, source) + (("only_with_error",) if by == "error" and source != "from_errors" else ())
    end = "in_groups_of_two" if by == "version" else "in_groups"
    return Question((f"measured_by_{by.value}", source, *left, end), _parameters(session, filter, few))


def _parameters(session: Session, filter: ExecutionFilter, few: list[int] | None) -> dict[str, object]:
    return {
        "ids": None if few is None else id_list(few),
        "run": filter.run,
        "since": filter.since,
        "until": filter.until,
        "status": filter.statuses[0].value if filter.statuses else None,
        "statuses": name_list(status.value for status in filter.statuses),
        "workflow": filter.workflow,
        "name": None if filter.name_contains is None else containing(filter.name_contains),
        "error": filter.error,
        "tags": orjson.dumps([[*map(without_nul, tag)] for tag in filter.tags]).decode(),
        "state": filter.state,
        "logged": None if filter.state is None else id_list(logged_executions(session, filter.state)),
    }


def is_of_time_and_workflow(filter: ExecutionFilter) -> bool:
    """Whether it asks for nothing else."""
    return filter == ExecutionFilter(workflow=filter.workflow, since=filter.since, until=filter.until)


def state_question(session: Session, filter: ExecutionFilter) -> Question:
    """The statistics of states of what this filter means: children of map runs are meant too, unless it asks for more
    than a time and a workflow."""
    parameters = {"since": 0, "until": BEYOND} | {
        name: value for name, value in (("since", filter.since), ("until", filter.until)) if value is not None
    }
    if is_of_time_and_workflow(filter):
        return Question(("measured_by_state", "from_states", "in_states"), {**parameters, "workflow": filter.workflow})
    executions = question(session, "listed_ids", filter)
    return Question(
        ("measured_by_state", "from_states", "only_of", *executions.parts, "end_of", "in_states"),
        executions.parameters | parameters,
    )


def _few_in_state(session: Session, state: str, workflow: str | None) -> list[int] | None:
    ((first,),) = session.all("first_with_state_times")
    if first > 1:  # what was started before that is known by its history alone
        return None
    through = session.all("executions_through_state", {"state": state, "workflow": workflow, "limit": _FEW + 1})
    inside = session.all("executions_in_state", (state, _FEW + 1)) if len(through) <= _FEW else []
    ids = {id for (id,) in (*through, *inside)} | set(logged_executions(session, state))
    return None if len(through) > _FEW or len(inside) > _FEW else sorted(ids)


def source_of(filter: ExecutionFilter, order: Order) -> str:
    """Where executions are looked for, when there may be many of them."""
    if filter.run is not None:
        return "from_run"
    if filter.error is not None:
        return "from_error"
    if len(filter.statuses) == 1 and (filter.workflow is None or filter.statuses[0] is not Status.SUCCEEDED):
        return "from_status"
    if filter.workflow is not None:
        return "from_workflow"
    return "from_names" if order.key is SortKey.NAME else "from_all"


def conditions(filter: ExecutionFilter, source: str) -> tuple[str, ...]:
    """What is left to be looked at in each execution that comes from there."""
    left = {
        "only_since": filter.since is not None,
        "only_until": filter.until is not None,
        "only_statuses": bool(filter.statuses) and source != "from_status",
        "only_workflow": filter.workflow is not None and source != "from_workflow",
        "only_error": filter.error is not None and source != "from_error",
        "only_name": filter.name_contains is not None,
        "only_tags": bool(filter.tags),
        "only_state": filter.state is not None,
    }
    return tuple(name for name, is_left in left.items() if is_left)


def _few_ids(session: Session, filter: ExecutionFilter) -> list[int] | None:
    """The ids of all that were in the state, or have one of the tags, when they are few; None when they are many."""
    if filter.run is not None:
        return None
    if filter.state is not None and (few := _few_in_state(session, filter.state, filter.workflow)) is not None:
        return few
    for name, value in filter.tags:
        rows = session.all("executions_tagged", (name, value, _FEW + 1))
        if len(rows) <= _FEW:
            return [id for (id,) in rows]
    return None
