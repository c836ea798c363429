"""How many rows a second `sm db copy` carries: from a file to a server, back, and from file to file.

python -m bench.copy [EXECUTIONS]     SM_TEST_POSTGRES names the server
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sm_cli.store.open import open_store
from sm_cli.views.operating.copying import copy_database
from tests.postgres.server import schema
from tests.store.samples import apply, definition, events, execution, frame, reserve

#: Executions that one transaction makes.
_PORTION = 2000


def fill(url: str, executions: int) -> None:
    """Executions with a frame, their data and twenty events in ten rows each."""
    store = open_store(url)
    apply(store, new_definitions=[definition()])
    for first in range(1, executions + 1, _PORTION):
        ids = range(first, min(first + _PORTION, executions + 1))
        for table in ("executions", "frames"):
            reserve(store, table, len(ids))
        new = [execution(id, events=20, output={"orderId": id, "receipt": "paid"}) for id in ids]
        apply(store, new_executions=new, new_frames=[frame(id, execution=id, input={"n": id}) for id in ids])
        for number in range(1, 21, 2):
            apply(store, history=[event for id in ids for event in events(id, [number, number + 1])])
    store.close()


@contextmanager
def _places(folder: Path) -> Iterator[dict[str, str]]:
    with schema() as one:
        yield {"file": f"sqlite:{folder}/a.db", "server": one, "file again": f"sqlite:{folder}/b.db"}


def main() -> None:
    """Prints rows and seconds of each way."""
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder, _places(Path(folder)) as places:
        fill(places["file"], executions)
        for source, target in (("file", "server"), ("server", "file again")):
            begin = time.perf_counter()
            totals = copy_database(places[source], places[target], now=0, snapshot=False)
            seconds = time.perf_counter() - begin
            count = sum(totals.rows.values())
            print(f"{source} to {target}: {count:,} rows in {seconds:.1f} s, {count / seconds:,.0f}/s, checked")


if __name__ == "__main__":
    main()
