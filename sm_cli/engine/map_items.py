"""The jobs of distributed Maps: reading items, writing results. Handlers that `sm` itself brings.

They run as all handlers do, outside of any transaction; nothing here changes an execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sm_cli.engine.stepping.batch.origins import is_of_executions, unpack
from sm_cli.engine.stepping.batch.plan import READER
from sm_cli.handlers.handler import Handler
from sm_cli.interpreter.states.distributed_map import READ, WRITE
from sm_cli.jsonvalue import Json
from sm_cli.store.protocol import Store
from sm_cli.store.records import (
    Execution,
    MapRun,
    Status,
)

if TYPE_CHECKING:
    from sm_cli.engine.batches.reading import SourceItems

#: Children are looked at so many at a time: each may be as long as a batch of items, and all of a page are in memory.
_PAGE = 32


def bucket_jobs(store: Store, root: Path, results: Path | None = None) -> dict[str, Handler]:
    """The handlers of READ and WRITE, over the directory that stands for S3. results: where results are written, as
    if they were in that directory; None: in it."""
    jobs = MapItemJobs(store, root, results)
    return {READ: Handler(READ, jobs.read), WRITE: Handler(WRITE, jobs.write)}


class MapItemJobs:
    """The built-in handlers that read a distributed Map's items and write its results."""

    def __init__(self, store: Store, root: Path, results: Path | None = None) -> None:
        self.store = store
        self.root = root
        self.results_root = results
        self._buckets: Any = None
        self._batch_items: SourceItems | None = None

    @property
    def buckets(self) -> Any:
        """The directory of buckets, opened when it is needed first."""
        if self._buckets is None:
            from sm_cli.buckets import Buckets  # only who reads or writes waits for the formats' import

            self._buckets = Buckets(self.root, self.results_root)
        return self._buckets

    @property
    def batch_items(self) -> SourceItems:
        """What reads the items of batches, made when it is needed first."""
        if self._batch_items is None:
            from sm_cli.engine.batches.reading import SourceItems

            self._batch_items = SourceItems(self.store, self.root)
        return self._batch_items

    def read(self, request: dict[str, Json]) -> Json:
        """The items of a portion, and whether they are members of an object; with the first portion the number of all,
        and a mark of the data set."""
        if request["resource"] == READER:
            return self.read_batch(request)
        from sm_cli.buckets import Member

        what = {name: request[name] for name in ("resource", "arguments", "config")}
        answer: dict[str, Json] = {}
        mark = request["mark"]
        if mark is None:
            survey = self.buckets.survey(what)
            answer = {"total": survey.total, "mark": survey.mark}
            mark = survey.mark
        items: list[Json] = self.buckets.read(what, mark, request["start"], request["limit"])
        if items and all(isinstance(item, Member) for item in items):
            answer["keyed"] = True
        return {**answer, "items": items}

    def read_batch(self, request: dict[str, Any]) -> Json:
        """The same of a batch: how many there are is told with the last portion, and which cannot be read."""
        from sm_cli.buckets import Unreadable
        from sm_cli.engine.batches.kept import forget_read_items, is_kept

        arguments, start, limit = request["arguments"], request["start"], request["limit"]
        portion = self.batch_items.read(arguments["Source"], arguments["Mark"], start, limit)
        if is_kept(arguments["Source"]):
            forget_read_items(self.store, arguments["Source"], start)
        answer: dict[str, Json] = {"mark": arguments["Mark"]}
        if is_of_executions(arguments["Source"]):
            answer["items"], refusals, answer["origins"] = unpack(portion)
        else:
            refusals = {str(i): str(item) for i, item in enumerate(portion) if isinstance(item, Unreadable)}
            answer["items"] = (
                [None if isinstance(item, Unreadable) else item for item in portion] if refusals else portion
            )
        answer["refused"] = cast("Json", refusals)
        return {**answer, "total": start + len(portion)} if len(portion) < limit else answer

    def write(self, request: dict[str, Json]) -> Json:
        """Write what became of a run's children, or (without a Resource) only shape it; returns the state's result."""
        from sm_cli.buckets import RunFacts, transform

        with self.store.read() as questions:
            (run,) = questions.find_map_run(str(request["run"]))
        arn = str(request["arn"])
        results = self.results(run, arn)
        if request["resource"] is None:
            config: Any = request["config"]
            return {"written": transform(results, config)}
        what = {name: request[name] for name in ("arguments", "config")}
        return {"written": self.buckets.write_results(what, results, RunFacts(arn, run.ref))}

    def page(self, run: MapRun, after: int) -> list[Execution]:
        """The next children of a map run, in the order of their numbers. after: the last number that was read."""
        with self.store.read() as questions:  # one a page: results are written for as long as it takes
            return questions.run_results(run.id, after, _PAGE)

    def results(self, run: MapRun, arn: str) -> Iterator[Any]:
        """The end of each child of a map run, in the order of their numbers. arn: the map run's."""
        from sm_cli.buckets import ChildResult

        account = arn.partition(":mapRun:")[0]
        machine = f"{account}:stateMachine:{run.workflow}"
        after = -1
        while children := self.page(run, after):
            for child in children:
                assert child.parent is not None
                after = child.parent.number
                kind = "express" if child.type == "EXPRESS" else "execution"
                yield ChildResult(
                    f"{account}:{kind}:{child.workflow}:{child.name}", child.name, machine, _status(child), child.input,
                    child.output, child.error, child.cause, child.started if child.events else None, child.closed,
                    child.redrives,
                )  # fmt: skip


def _status(child: Execution) -> Any:
    """A child that never began is PENDING there, as on AWS."""
    return child.status.value if child.events else Status.PENDING.value
