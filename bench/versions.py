"""What a version costs a start: by the text of a file, by a number, by an alias that draws; also a thousand at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.engines import prepared
from bench.links import medians
from bench.report import Figure
from sm_cli.engine.engine import Engine
from sm_cli.engine.stepping.starting import begin, find_version
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.store.open import open_store

#: Of each kind in turn, so that what else the machine does falls on all of them.
ROUNDS, PORTION, PORTIONS = 800, 1000, 15
#: Versions that the workflow has.
VERSIONS = 20


def text(n: int) -> dict[str, object]:
    work = {"Type": "Task", "Resource": "work", "End": True}
    return {"Comment": f"the text {n}", "StartAt": "Work", "States": {"Work": work}}


def portion(engine: Engine, reference: WorkflowReference) -> None:
    """A thousand starts in one transaction, each of which looks the reference up."""

    def work(tick: Tick) -> None:
        for _ in range(PORTION):
            ref = tick.new_ref()
            begin(tick, find_version(tick, reference, ref), {"n": 1}, ref=ref, name=ref)

    engine.transact(work)


def run(folder: Path) -> Iterator[Figure]:
    # Without waiting for the disk, of which the time says nothing about versions.
    engine = Engine(open_store(f"sqlite:{folder}/sm.db?sync=normal", create=True))
    workflows = [prepared(text(n)) for n in range(VERSIONS)]
    for workflow in workflows:
        engine.workflows.register(workflow)
    name, current = workflows[-1].name, workflows[-1]
    engine.workflows.set_alias(name, "prod", ((VERSIONS, 90), (VERSIONS - 1, 10)))
    fixed = engine.find_workflow(f"{name}:{VERSIONS}")
    one = medians({
        "text": lambda: engine.start(current, {"n": 1}),
        "version": lambda: engine.start(fixed, {"n": 1}),
        "number": lambda: engine.start(engine.find_workflow(f"{name}:{VERSIONS - 1}"), {"n": 1}),
        "alias": lambda: engine.start(engine.find_workflow(f"{name}:prod"), {"n": 1}),
    }, ROUNDS, time.perf_counter)  # fmt: skip
    yield Figure("a start by the text of a file", one["text"] * 1e6, "µs")
    yield Figure("a start of a version, to one by the text", one["version"] / one["text"], "x", "<= 1.05")
    yield Figure("a start that looks a number up, with a read of its own", one["number"] / one["text"], "x")
    yield Figure("a start that draws by an alias, with a read of its own", one["alias"] / one["text"], "x")
    many = medians({
        "text": partial(portion, engine, WorkflowReference(name)),
        "number": partial(portion, engine, WorkflowReference(name, str(VERSIONS))),
        "alias": partial(portion, engine, WorkflowReference(name, "prod")),
    }, PORTIONS, time.process_time)  # fmt: skip
    yield Figure("a start among a thousand, processor time", many["text"] / PORTION * 1e6, "µs")
    for kind in ("number", "alias"):
        cost = (many[kind] - many["text"]) / PORTION
        yield Figure(f"what looking up by {kind} costs more there", cost * 1e6, "µs")
        yield Figure("that, to a start by itself", cost / one["text"], "x", "<= 0.05")
