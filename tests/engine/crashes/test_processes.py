"""Several processes on one file: nobody fails, nobody complains, and every one gets its turn."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sm_cli.engine.engine import Engine
from sm_cli.engine.settings import Settings
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store
from sm_cli.store.records import Execution, Status
from sm_cli.worker.worker import Worker
from tests.engine.workers import SECOND, caught
from tests.store.asking import asked

CHECKOUT = Path(__file__).resolve().parents[3]

#: Starts executions through the engine, and looks at them meanwhile, for as long as its stdin is open.
WRITER = """
import logging, sys, threading
from tests.store.asking import asked
from sm_cli.asl.text.source import from_value
from sm_cli.engine.engine import Engine, prepare
from sm_cli.handlers.handler import Handler
from sm_cli.worker.worker import Worker
from sm_cli.store.filters import ExecutionFilter, ExecutionPage
from sm_cli.store.open import open_store

logging.basicConfig(level=logging.INFO)
task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "echo", "End": True}}}
workflow = prepare(from_value(task).document, sys.argv[2])
store = open_store(sys.argv[1])
loop = Worker(Engine(store), {"echo": Handler("echo", lambda input: input)}, name=sys.argv[2])
closing = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), closing.set()), daemon=True).start()
print("open", flush=True)
count = 0
while not closing.is_set():
    execution, _ = loop.start(workflow, {"n": count})
    loop.run(lambda: asked(store).execution(execution.id).closed is not None)
    asked(store).list_executions(ExecutionFilter(), ExecutionPage(limit=5))
    count += 1
    if count == 100:
        print("enough", flush=True)
loop.let_go()
store.close()
print(count, flush=True)
"""


def test_four_processes_write_through_the_engine_and_neither_fail_nor_print(tmp_path: Path) -> None:
    path = tmp_path / "sm.db"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    names = ("a", "b", "c", "d")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name in names
    ]  # fmt: skip
    for wanted in ("open\n", "enough\n"):
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == wanted, writer.communicate(timeout=60)
    output = [writer.communicate(timeout=60) for writer in writers]
    assert [error for _, error in output] == [""] * 4
    assert [writer.returncode for writer in writers] == [0] * 4
    with closing(open_store(str(path))) as store:
        for name, (count, _) in zip(names, output, strict=True):
            found = asked(store).list_executions(ExecutionFilter(workflow=name), ExecutionPage(limit=10**6))
            assert len(found) == int(count)
            assert {execution.status for execution in found} == {Status.SUCCEEDED}
        assert asked(store).workers() == []


#: A worker whose one handler goes on until the process ends, and says that it goes on.
BEATING = """
import sys, time
from sm_cli.engine.engine import Engine
from sm_cli.handlers.handler import Handler
from sm_cli.store.open import open_store
from sm_cli.worker.worker import Worker

def work(input, context):
    print("at work", flush=True)
    while True:
        context.heartbeat()
        time.sleep(0.1)

Worker(Engine(open_store(sys.argv[1])), {"work": Handler("work", work, True)}).run(lambda: False)
"""


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this system has no locks of open files")
def test_a_task_of_a_stopped_worker_is_late_when_its_heartbeat_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "sm.db"
    store = open_store(str(path))
    engine = Engine(store, settings=Settings(lease=SECOND))
    execution, _, _ = engine.start(caught(HeartbeatSeconds=2), {})
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(
        [sys.executable, "-c", BEATING, str(path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGSTOP)
        loop = Worker(engine, {})

        def now(execution: Execution) -> Execution:
            found = asked(store).execution(execution.id)
            assert found is not None
            return found

        loop.run(lambda: now(execution).closed is not None)
        ended = now(execution)
        assert ended.status is Status.SUCCEEDED
        assert isinstance(ended.output, dict)
        assert ended.output["Error"] == "States.Timeout"
        assert ended.closed is not None
        assert ended.closed - ended.started < 60 * SECOND
        loop.let_go()
    finally:
        process.kill()
        process.communicate()
        store.close()
