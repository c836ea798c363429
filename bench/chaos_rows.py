"""What chaos does to distributed Maps and nested executions: the workflows, and what has to be true of their runs.

Of each map run, every row of the data set is in exactly one child, and the files of its results hold every child
exactly once. Both workflows are begun by another one, with `.sync`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution, MapRun
from tests.store.asking import asked

#: Rows of the data set of each workflow. The second is read in three portions.
ROWS = {"rows": 12, "batches": 2500}

#: Each row is a child; one of them fails for good, some once.
EACH_ROW = """
StartAt: Each
States:
  Each:
    Type: Map
    MaxConcurrency: 4
    ToleratedFailureCount: 1
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      Parameters: {Bucket: data, Key: rows.csv}
      ReaderConfig: {InputType: CSV, CSVHeaderLocation: FIRST_ROW}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Row
      States:
        Row:
          Type: Task
          Resource: row
          Retry: [{ErrorEquals: [Flaky], IntervalSeconds: 1, MaxAttempts: 2}]
          End: true
    ResultWriter:
      Resource: arn:aws:states:::s3:putObject
      Parameters: {Bucket: results, Prefix.$: $.id}
    ResultSelector: {bucket.$: $.ResultWriterDetails.Bucket}
    End: true
"""

#: 120 rows are a child: no portion of 1,000 is a whole number of them.
IN_BATCHES = """
StartAt: Each
States:
  Each:
    Type: Map
    MaxConcurrency: 6
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      Parameters: {Bucket: data, Key: batches.csv}
      ReaderConfig: {InputType: CSV, CSVHeaderLocation: FIRST_ROW}
    ItemBatcher: {MaxItemsPerBatch: 120}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Batch
      States:
        Batch:
          Type: Task
          Resource: batch
          Retry: [{ErrorEquals: [Flaky], IntervalSeconds: 1, MaxAttempts: 2}]
          End: true
    ResultWriter:
      Resource: arn:aws:states:::s3:putObject
      Parameters: {Bucket: results, Prefix.$: $.id}
    ResultSelector: {bucket.$: $.ResultWriterDetails.Bucket}
    End: true
"""

HANDLERS = """
class Bad(Exception):
    pass

@handler
def row(item, context):
    note(context)
    n = int(item["n"])
    if n == 5:
        raise Bad("for good")
    if n % 4 == 1 and context.attempt == 1:
        raise Flaky("not yet")
    return n

@handler
def batch(input, context):
    note(context)
    if input["Items"][0]["n"] == "0" and context.attempt == 1:
        raise Flaky("not yet")
    return sum(int(item["n"]) for item in input["Items"])
"""


def prepare(folder: Path) -> None:
    """The workflows, and their data sets in the directory that stands for S3."""
    data = folder / "buckets" / "data"
    (folder / "workflows").mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True)
    (folder / "buckets" / "results").mkdir()
    for name, text in (("rows", EACH_ROW), ("batches", IN_BATCHES)):
        (folder / "workflows" / f"{name}.yaml").write_text(text)
        (data / f"{name}.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(ROWS[name])))


def children(store: Store, run: MapRun) -> list[Execution]:
    return asked(store).run_results(run.id, -1, 1_000_000)


def rows_amiss(store: Store, run: MapRun) -> int:
    """Rows that are in no child of the run, or in several; and children beyond those that its counters know."""
    found: Counter[int] = Counter()
    of_run = children(store, run)
    for child in of_run:
        given: Any = child.input
        found.update(int(item["n"]) for item in given.get("Items", [given]))
    wanted = range(ROWS[run.workflow.partition("/")[0]])
    join = run.join
    uncounted = abs(len(of_run) - join.succeeded - join.failed) + abs(len(wanted) - join.settled_items)
    return sum(found[n] != 1 for n in wanted) + len(found.keys() - set(wanted)) + uncounted


def files_amiss(folder: Path, store: Store, run: MapRun) -> int:
    """Children of which the files of the run's results do not tell exactly once and rightly, and files that are none
    of its. Of a run that failed before it wrote any they tell of no child, and the manifest is missing, too."""
    manifests = list((folder / "buckets" / "results").glob(f"*/{run.ref}/manifest.json"))
    if len(manifests) != 1:
        return len(children(store, run)) + abs(len(manifests) - 1)
    directory, manifest = manifests[0].parent, json.loads(manifests[0].read_text())
    listed = [Path(file["Key"]).name for files in manifest["ResultFiles"].values() for file in files]
    entries = [entry for name in listed for entry in json.loads((directory / name).read_text())]
    told = Counter((entry["Name"], entry["Status"], entry.get("Output")) for entry in entries)
    wanted = Counter(map(_told, children(store, run)))
    strangers = {path.name for path in directory.iterdir()} ^ {*listed, "manifest.json"}
    return sum(((told - wanted) + (wanted - told)).values()) + len(strangers)


def _told(child: Execution) -> tuple[str, str, str | None]:
    succeeded = child.status.value == "SUCCEEDED"
    return child.name, child.status.value, json.dumps(child.output) if succeeded else None
