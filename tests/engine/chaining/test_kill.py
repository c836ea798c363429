"""A process that starts executions from others is killed in the middle, again and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.views.upkeep import database_problems
from tests.engine.chaining.chains import A, B, links, run
from tests.engine.crashes.test_processes import CHECKOUT
from tests.store.asking import asked

SOURCES = 300
#: Starts B from each of the sources that has not led to one, and tells of each.
STARTER = """
import sys
from sm_cli.engine.chaining.source import Source
from sm_cli.engine.engine import Engine
from sm_cli.errors import Conflict
from sm_cli.store.open import open_store
from tests.engine.chaining.chains import B

engine = Engine(open_store(sys.argv[1]))
for n in range(int(sys.argv[2])):
    try:
        engine.start(B, source=Source(engine.find(f"a-{n}"), "P1", unique=True))
        print("started", flush=True)
    except Conflict:
        pass
"""


def test_after_kill_9_each_source_has_led_to_one_execution_and_each_of_these_has_its_link(tmp_path: Path) -> None:
    path = tmp_path / "sm.db"
    engine = Engine(open_store(f"sqlite:{path}?sync=normal", create=True))
    for n in range(SOURCES):
        run(engine, A, name=f"a-{n}")
    for lines in (1, 3, 7, 12):
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(path), str(SOURCES)], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline() == "started\n"
        process.kill()
        process.communicate(timeout=60)
    before = len(links(engine, limit=1000))
    assert before >= 23
    for n in range(SOURCES):
        try:
            engine.start(B, source=Source(engine.find(f"a-{n}"), "P1", unique=True))
        except Conflict as conflict:
            assert "has led to an execution of workflow B already" in conflict.message
    made = asked(engine.store).list_executions(ExecutionFilter(workflow="B"), ExecutionPage(limit=1000))
    rows = links(engine, limit=1000)
    assert sorted(link.target for link in rows) == sorted(execution.id for execution in made)
    assert len({link.source for link in rows}) == len(rows) == SOURCES
    assert database_problems(engine.store) == []
    engine.store.close()
