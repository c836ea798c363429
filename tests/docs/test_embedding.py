"""What docs/embedding.md says: its code runs, in a new project, and the table of methods is the Client's."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sm_cli import Client
from sm_cli.engine.engine import Engine
from sm_cli.handlers.registry import Registry
from sm_cli.store.open import open_store
from sm_cli.testing import load_handlers
from sm_cli.worker.worker import Worker
from tests.client.working import working

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
BLOCKS = {
    name: f"# {name}\n{code}"
    for name, code in re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
#: How a test asks the code of a page that waits for requests.
_ASK_FASTAPI = """
from fastapi.testclient import TestClient
with TestClient(app) as web:
    placed = web.post("/orders/ORD-7", json={"amount": 3})
    assert placed.status_code == 202, placed.text
    assert web.post("/orders/ORD-7", json={"amount": 4}).status_code == 409
    assert web.get("/executions/ORD-7").json()["status"] in ("RUNNING", "SUCCEEDED")
    assert web.get("/executions/nobody").status_code == 404
    assert web.post("/payments/ORD-7", json={"id": "p1"}).json() == {"outcome": "buffered"}
"""
_ASK_DJANGO = """
import django
from django.test import RequestFactory
settings.configure(SM_PROJECT=".")
django.setup()
web = RequestFactory()
placed = place(web.post("/", {"amount": 3}, content_type="application/json"), "ORD-8")
assert placed.status_code == 202, placed.content
assert place(web.post("/", {"amount": 4}, content_type="application/json"), "ORD-8").status_code == 409
assert json.loads(show(web.get("/"), "ORD-8").content)["status"] in ("RUNNING", "SUCCEEDED")
assert show(web.get("/"), "nobody").status_code == 404
"""
_ASK_ASYNCHRONOUS = """
with Client(".") as sm:
    print(asyncio.run(place(sm, {"orderId": "ORD-9", "amount": 1}))["orderId"])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `sm init` makes."""
    sm(tmp_path, "init", ".")
    with Client(tmp_path, create=True):
        return tmp_path


def sm(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "sm_cli", *words]
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def run_code(folder: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", BLOCKS)
def test_every_example_compiles(name: str) -> None:
    assert compile(BLOCKS[name], name, "exec").co_consts


def test_every_python_block_is_an_example_with_a_name() -> None:
    assert len(BLOCKS) == PAGE.count("```python\n") == 5


def test_the_script_runs_beside_a_worker(project: Path) -> None:
    with working(project, Registry.of(load_handlers(project / "handlers"))):
        assert run_code(project, BLOCKS["script.py"]).startswith("SUCCEEDED {'orderId': 'ORD-1'")


def test_the_asynchronous_code_runs_beside_a_worker(project: Path) -> None:
    with working(project, Registry.of(load_handlers(project / "handlers"))):
        assert run_code(project, BLOCKS["asynchronous.py"] + _ASK_ASYNCHRONOUS) == "ORD-9\n"


def test_the_worker_in_the_same_process_does_the_work_and_ends(project: Path) -> None:
    assert run_code(project, BLOCKS["one_process.py"]) == "SUCCEEDED\n"


@pytest.mark.parametrize(("name", "asks"), [("fastapi_app.py", _ASK_FASTAPI), ("django_views.py", _ASK_DJANGO)])
def test_the_web_application_answers(project: Path, name: str, asks: str) -> None:
    run_code(project, BLOCKS[name] + asks)


def test_every_method_of_the_client_is_in_the_table_with_names_that_it_takes() -> None:
    table = PAGE.partition("| Method |")[2].partition("\n\n")[0]
    shown = {name: re.findall(r"\w+", rest) for name, rest in re.findall(r"`(\w+)\(([^)]*)\)`", table)}
    methods = {name: f for name, f in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert shown.keys() == methods.keys() - {"close"}
    for name, parameters in shown.items():
        assert set(parameters) <= set(inspect.signature(methods[name]).parameters), name
