"""A failed execution goes on with another text, if that has what was passed and what is to be gone on from."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sm_cli.engine.engine import Workflow
from sm_cli.errors import Conflict, NotFound
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution
from sm_cli.testing import crash_points
from tests.engine.stepping.test_redrive import Broken, failed, go_on
from tests.engine.workers import workflow
from tests.store.asking import asked

TASK = {"Type": "Task", "Resource": "work", "End": True}
WRONG = {**TASK, "Parameters": {"n": "wrong"}}
RIGHT = {**TASK, "Parameters": {"n": "right"}}
BAD: Json = {"n": "wrong"}


def line(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def text(definition: dict[str, Any]) -> Workflow:
    return workflow(definition, "redriven")


def stored(execution: Execution, store: Any) -> Execution:
    now = asked(store).execution(execution.id)
    assert now is not None
    return now


ONE = line(A={"Type": "Pass", "Next": "B"}, B=WRONG)
OTHER = line(A={"Type": "Pass", "Next": "B"}, B={**RIGHT, "End": False, "Next": "C"}, C={"Type": "Pass", "End": True})
del OTHER["States"]["B"]["End"]


def test_an_execution_goes_on_with_the_text_of_another_version() -> None:
    simulation, execution, outcome = failed(ONE, {}, Broken(BAD))
    assert outcome.status == "FAILED"
    outcome, again = go_on(simulation, execution, definition=text(OTHER))
    assert (outcome.status, outcome.output, again) == ("SUCCEEDED", {"did": {"n": "right"}}, [("B", ())])
    now = stored(execution, simulation.store)
    assert (now.version, now.digest, now.qualifier) == (2, text(OTHER).program.digest, None)
    redriven = next(event for event in outcome.history if event["type"] == "ExecutionRedriven")
    assert redriven["executionRedrivenEventDetails"] == {
        "redriveCount": 1,
        "stateMachineVersionArn": "arn:aws:states:us-east-1:111111111111:stateMachine:redriven:2",
    }


def test_an_execution_goes_on_with_a_version_by_its_number() -> None:
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    assert simulation.engine.workflows.register(text(OTHER)).number == 2
    outcome, _ = go_on(simulation, execution, version=2)
    assert (outcome.status, stored(execution, simulation.store).version) == ("SUCCEEDED", 2)


def test_the_version_that_it_has_is_no_other_one() -> None:
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    outcome, _ = go_on(simulation, execution, version=1)
    assert outcome.status == "FAILED"
    redriven = next(event for event in outcome.history if event["type"] == "ExecutionRedriven")
    assert redriven["executionRedrivenEventDetails"] == {"redriveCount": 1}


def test_a_dry_run_registers_and_changes_nothing() -> None:
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    before = stored(execution, simulation.store)
    again = simulation.engine.redrive(execution, definition=text(OTHER), dry_run=True)
    assert [each.state for each in again] == ["B"]
    assert stored(execution, simulation.store) == before
    assert len(asked(simulation.store).versions("redriven")) == 1


def test_an_unknown_version_is_told() -> None:
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    with pytest.raises(NotFound, match="the workflow redriven has no version 7; it has 1"):
        simulation.engine.redrive(execution, version=7)


INNER = line(Before={"Type": "Pass", "Next": "T"}, T=WRONG)
PARALLEL = line(P={"Type": "Parallel", "End": True, "Branches": [line(One={"Type": "Pass", "End": True}), INNER]})
MAP = line(M={"Type": "Map", "End": True, "ItemProcessor": INNER})
RUN = line(
    M={
        "Type": "Map", "End": True,
        "ItemProcessor": {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
    }
)  # fmt: skip


def edited(definition: dict[str, Any], *path: Any, value: Any = None) -> dict[str, Any]:
    """A copy with another value at this path; None takes it away."""
    copy: Any = deepcopy(definition)
    at = copy
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return copy  # type: ignore[no-any-return]


def renamed(machine: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """A copy of a machine with a state of another name."""
    copy = deepcopy(machine)
    copy["States"] = {new if name == old else name: state for name, state in copy["States"].items()}
    copy["StartAt"] = new if copy["StartAt"] == old else copy["StartAt"]
    for state in copy["States"].values():
        if state.get("Next") == old:
            state["Next"] = new
    return copy


BRANCH = ("States", "P", "Branches")
ITEMS = ("States", "M", "ItemProcessor")
BRANCHES = PARALLEL["States"]["P"]["Branches"]


@pytest.mark.parametrize(
    ("before", "after", "problems"),
    [
        (ONE, renamed(ONE, "A", "X"), ["'A', which was passed, is not at the top level"]),
        (
            ONE, renamed(ONE, "B", "X"),
            ["'B', which was passed, is not at the top level", "'B', which is to be gone on from, is not"],
        ),
        (
            PARALLEL, edited(PARALLEL, *BRANCH, 1, value=renamed(INNER, "Before", "X")),
            ["'Before', which was passed, is not in branch 2 of 'P'"],
        ),
        (
            PARALLEL, edited(PARALLEL, *BRANCH, 1, value=renamed(INNER, "T", "X")),
            ["'T', which was passed, is not in branch 2 of 'P'", "'T', which is to be gone on from, is not"],
        ),
        (
            PARALLEL, edited(PARALLEL, *BRANCH, value=[INNER, line(One={"Type": "Pass", "End": True})]),
            ["'One', which was passed, is not in branch 1 of 'P'", "'T', which was passed, is not in branch 2 of 'P'"],
        ),
        (
            PARALLEL, edited(PARALLEL, *BRANCH, value=[*BRANCHES, line(Z={"Type": "Succeed"})]),
            ["'P' is under way with 2 branches, and has 3 there"],
        ),
        (
            PARALLEL, line(P={"Type": "Pass", "End": True}),
            ["there is nothing in branch 1 of 'P', where 'One' was passed",
             "'P' is under way as a Parallel, and is a Pass there"],
        ),
        (
            MAP, edited(MAP, *ITEMS, value=renamed(INNER, "T", "X")),
            ["'T', which was passed, is not in the processor of 'M'"],
        ),
        (MAP, RUN, ["'M' is under way as a Map, and is none of its kind there"]),
        (RUN, MAP, ["'M' is under way as a distributed Map, and is none there"]),
        (
            RUN, edited(RUN, *ITEMS, "States", value=renamed(INNER, "T", "X")["States"]),
            ["'T', which was passed, is not in the processor of 'M'", "'T', which is to be gone on from"],
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_is_changed(
    before: dict[str, Any], after: dict[str, Any], problems: list[str]
) -> None:
    simulation, execution, outcome = failed(before, [1, 2], Broken(BAD))
    assert outcome.status == "FAILED"
    row = stored(execution, simulation.store)
    with pytest.raises(Conflict, match="cannot go on with the other text: ") as refused:
        simulation.engine.redrive(execution, definition=text(after))
    for problem in problems:
        assert problem in refused.value.message
    assert stored(execution, simulation.store) == row
    assert len(asked(simulation.store).versions("redriven")) == 1


def fixed(definition: dict[str, Any], *path: Any) -> dict[str, Any]:
    return edited(definition, *path, "States", "T", value=RIGHT)


@pytest.mark.parametrize(
    ("before", "after", "output"),
    [
        (PARALLEL, fixed(PARALLEL, *BRANCH, 1), [[1, 2], {"did": {"n": "right"}}]),
        (MAP, fixed(MAP, *ITEMS), [{"did": {"n": "right"}}] * 2),
        (RUN, fixed(RUN, *ITEMS), [{"did": {"n": "right"}}] * 2),
    ],
    ids=["parallel", "map", "distributed"],
)
def test_branches_iterations_and_children_go_on_with_the_other_text(
    before: dict[str, Any], after: dict[str, Any], output: Json
) -> None:
    simulation, execution, _ = failed(before, [1, 2], Broken(BAD))
    outcome, again = go_on(simulation, execution, definition=text(after))
    assert (outcome.status, outcome.output) == ("SUCCEEDED", output)
    assert {state for state, _ in again} == {"T"}
    assert outcome.history[-1]["type"] == "ExecutionSucceeded"


def test_children_of_a_map_run_say_which_version_they_run() -> None:
    simulation, execution, _ = failed(RUN, [1, 2], Broken(BAD))
    go_on(simulation, execution, definition=text(fixed(RUN, *ITEMS)))
    children = [found for id in range(2, 4) if (found := asked(simulation.store).execution(id)) is not None]
    assert [(child.workflow, child.version) for child in children] == [("redriven/M", 2)] * 2


def test_what_never_began_begins_where_the_other_text_says() -> None:
    inner = line(T=WRONG)
    before = edited(edited(MAP, *ITEMS, value=inner), "States", "M", "MaxConcurrency", value=1)
    first = {"Type": "Pass", "Next": "T"}
    after = edited(before, *ITEMS, value=line(First=first, T=RIGHT))
    simulation, execution, _ = failed(before, [1, 2, 3], Broken(BAD))
    outcome, _ = go_on(simulation, execution, definition=text(after))
    assert outcome.status == "SUCCEEDED"
    entered = [e["stateEnteredEventDetails"]["name"] for e in outcome.history if e["type"].endswith("StateEntered")]
    # The first iteration had begun and goes on in T; the two others begin with First.
    assert entered == ["M", "T", "T", "First", "T", "First", "T"]


def test_who_goes_on_from_a_state_of_the_other_text_gives_up_where_it_failed() -> None:
    after = line(A={"Type": "Pass", "Next": "Instead"}, Instead=RIGHT)
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    outcome, again = go_on(simulation, execution, definition=text(after), state="Instead", input={"given": 1})
    assert (outcome.status, again) == ("SUCCEEDED", [("Instead", ())])
    with pytest.raises(Conflict, match="nothing to redrive"):
        simulation.engine.redrive(execution, version=1)


def test_a_state_that_the_other_text_lacks_is_no_origin() -> None:
    simulation, execution, _ = failed(ONE, {}, Broken(BAD))
    with pytest.raises(NotFound, match="no state 'Nowhere'"):
        simulation.engine.redrive(execution, definition=text(OTHER), state="Nowhere", input=1)


@pytest.mark.parametrize(("old", "new", "span"), [(60, 90, 90), (60, None, None), (None, 90, 90), (None, None, None)])
def test_the_deadline_is_the_other_text_s(old: int | None, new: int | None, span: int | None) -> None:
    def timed(definition: dict[str, Any], seconds: int | None) -> dict[str, Any]:
        return definition if seconds is None else {"TimeoutSeconds": seconds, **definition}

    simulation, execution, _ = failed(timed(ONE, old), {}, Broken(BAD))
    simulation.engine.redrive(execution, definition=text(timed(OTHER, new)))
    now = stored(execution, simulation.store)
    assert now.deadline == (None if span is None else (now.redriven or 0) + span * 1_000_000)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("before", [ONE, RUN], ids=["line", "distributed"])
def test_a_redrive_that_dies_at_its_commit_has_done_all_or_nothing(before: dict[str, Any], after: bool) -> None:
    other = OTHER if before is ONE else fixed(RUN, *ITEMS)
    simulation, execution, _ = failed(before, [1, 2], Broken(BAD))
    engine, store = simulation.engine, simulation.engine.store
    with crash_points(store) as crash:
        engine.store = crash.at(1, after=after)
        engine.redrive(execution, definition=text(other))
        raise AssertionError("it did not die")
    engine.store = store
    now = stored(execution, store)
    assert (now.version, now.redrives, len(asked(store).versions("redriven"))) == ((2, 1, 2) if after else (1, 0, 1))
    if not after:
        engine.redrive(execution, definition=text(other))
    assert simulation.resume(execution).status == "SUCCEEDED"
