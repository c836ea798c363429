"""`sm delete`: closed executions, by name."""

from __future__ import annotations

from contextlib import closing

from sm_cli.engine.engine import Engine
from sm_cli.engine.retention import delete_execution
from sm_cli.store.open import open_store
from sm_cli.testing import crash_points
from tests.cli.conftest import Project
from tests.store.asking import asked

EACH = """
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: P
      States: {P: {Type: Pass, End: true}}
    End: true
"""


def test_all_are_looked_up_before_the_first_one_goes(project: Project) -> None:
    project.write("each.yaml", EACH)
    assert project.sm("run", "each.yaml", "--name", "one", "--input", "[1, 2]").code == 0
    result = project.sm("delete", "one", "two")
    assert (result.code, result.out) == (3, "")
    assert "two" in result.err
    result = project.sm("delete", "one", "--json")
    assert (result.code, result.json["map_run_children"]) == (0, 2)
    assert project.sm("delete", "one").code == 3


def test_who_repeats_a_deletion_that_was_killed_ends_it(project: Project) -> None:
    project.write("each.yaml", EACH)
    project.sm("run", "each.yaml", "--name", "one", "--input", "[1, 2]")
    with closing(open_store(".sm/sm.db")) as store:
        with crash_points(store) as crashes:
            delete_execution(crashes.at(1, after=True), Engine(store).find("one"))
        assert len(asked(store).orphan_runs(0, 10)) == 1
        assert project.sm("delete", "one").code == 3
        assert asked(store).orphan_runs(0, 10) == []
        assert asked(store).count_executions()[1] == 0
    assert project.sm("db", "check").code == 0
