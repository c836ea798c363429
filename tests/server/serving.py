"""A real server for tests: uvicorn in a thread of this process, on a free port, over a database of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sm_cli.engine.engine import Engine, Workflow
from sm_cli.handlers.handler import Handler
from sm_cli.handlers.registry import Registry
from sm_cli.project.library import Library
from sm_cli.project.project import ProjectSettings, engine_settings
from sm_cli.server.app import create_app
from sm_cli.server.backend import Backend
from sm_cli.server.feed import Feed
from sm_cli.server.running import Server, addresses_of, bind
from sm_cli.server.settings import ServerSettings
from sm_cli.store.open import open_store
from sm_cli.store.protocol import Store
from sm_cli.store.records import Execution
from sm_cli.worker.worker import Worker
from tests.engine.workers import soon, workflow
from tests.server import conforming
from tests.store.asking import asked

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "work", "End": True}}}
MESSAGE = {
    "StartAt": "M",
    "States": {"M": {"Type": "Message", "CorrelationKey": "order", "CorrelationValuePath": "$.id", "End": True}},
}


@dataclass
class Served:
    """A server that runs, and what a test does beside it."""

    #: `http://127.0.0.1:PORT`.
    address: str
    #: The URL of its database.
    url: str
    #: The project's folder, with `workflows/`.
    folder: Path
    #: An engine of the test's own over the same database, as another process has one.
    engine: Engine
    #: Asks the server as a program does that is no browser.
    http: httpx.Client
    backend: Backend
    settings: ServerSettings
    workers: list[Worker] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.engine.store

    def write(self, name: str, text: str) -> None:
        """A workflow into the project's folder."""
        file = self.folder / "workflows" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def start(self, definition: dict[str, Any], input: Any = None, called: str = "w", **more: Any) -> Execution:
        """Start an execution as another process would."""
        found: Workflow = workflow(definition, called)
        execution = self.engine.start(found, {} if input is None else input, **more)[0]
        while asked(self.store).has_ready():  # a slow machine leaves states for the next tick
            self.engine.transact(lambda tick: tick.ready(100, None))
        return asked(self.store).execution(execution.id) or execution

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """The document that GET answers with, whose status has to be this one."""
        return self.ask("GET", path, status, **more).json()

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """As `get`, with POST and a JSON body."""
        return self.ask("POST", path, status, json={} if body is None else body, **more).json()

    def ask(self, method: str, path: str, status: int, **more: Any) -> httpx.Response:
        """Any request, whose answer has to have this status."""
        response = self.http.request(method, path, **more)
        assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
        return response

    @contextmanager
    def worker(self, handlers: Mapping[str, Handler] | None = None) -> Iterator[Worker]:
        """Inside the block a worker works, with a connection of its own, as in another process."""
        store = open_store(self.url, create=False)
        loop = Worker(
            Engine(store, clock=self.engine.clock, settings=engine_settings(self.backend.project, store)),
            Registry(handlers or {}),
        )
        thread = threading.Thread(target=loop.run, args=(lambda: False,))
        thread.start()
        try:
            yield loop
        finally:
            loop.stop()
            thread.join()
            loop.let_go()
            loop.pool.close()
            store.close()


@contextmanager
def served(url: str, folder: Path, settings: ServerSettings | None = None) -> Iterator[Served]:
    """A server over the database of this URL, which is made; it has ended when the block has."""
    settings = settings or ServerSettings(port=0)
    stores = [open_store(url) for _ in range(3)]
    project = ProjectSettings(folder, settings={"account": settings.account})
    library = Library(folder / "workflows")
    engine = Engine(
        stores[0], settings=engine_settings(project, stores[0]), library=library, buckets=folder / "buckets"
    )
    backend = Backend(engine, project, library, Feed(stores[1]))
    app = create_app(backend, settings)
    listener = bind("127.0.0.1", settings.port)
    stop = threading.Event()
    server = Server(app, stop.is_set, grace=5)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        soon(lambda: server.started or not thread.is_alive())
        assert server.started, "the server did not start"
        (address,) = addresses_of(listener)
        hooks = {"response": [conforming.check]}
        with httpx.Client(
            base_url=address, timeout=60, trust_env=False, verify=False, event_hooks=hooks
        ) as http:  # fmt: skip
            yield Served(address, url, folder, Engine(stores[2]), http, backend, settings)
    finally:
        stop.set()
        thread.join()
        listener.close()
        for store in stores:
            store.close()
