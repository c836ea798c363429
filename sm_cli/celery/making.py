"""Making the application: the project's settings, the one task, and what is done when a worker begins and ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from celery import Celery, signals
from kombu.entity import Queue

from sm_cli.carriers.celery import TASK, CeleryCarrier, make_app, queue_of
from sm_cli.carriers.open import CarrierSettings, check_shared
from sm_cli.celery.crew import Crew, Steward
from sm_cli.celery.monitor import Monitor
from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.project.engines import carrier_settings
from sm_cli.cli.project.handlers import load_trusted
from sm_cli.cli.project.queues import rota_of
from sm_cli.cli.terminal.failures import report
from sm_cli.cli.terminal.options import trust_by_variable
from sm_cli.engine.stepping.queues import WEIGHTS, Rota
from sm_cli.errors import ConfigurationError, SmError
from sm_cli.handlers.builtin import builtins
from sm_cli.views.database import url_for_people

if TYPE_CHECKING:
    from sm_cli.handlers.handler import Handler


def make_project_app() -> Celery:
    """The application of the project here. A configuration that is wrong is one sentence and the end of the process."""
    try:
        trust_by_variable()
        project = find_project()
        url = project.database(os.environ.get("SM_DATABASE_URL"))[0]
        check_shared("celery", url)
        url_for_people(url)  # which refuses one that cannot be read
        rota = rota_of(project.setting("queues"), project.origin("queues", None))
        settings = carrier_settings(project, os.environ.get("SM_CELERY_BROKER_URL") or None, url, rota)
        broker, prefix, queues = _broker(settings), settings.prefix, settings.queues
        app = make_app(broker)
        app.conf.task_queues = [Queue(queue_of(prefix, queue), routing_key=queue_of(prefix, queue)) for queue in queues]
        app.conf.task_default_queue = queue_of(prefix, "default")
        crew = Crew(
            project, url, lambda: _load(project), lambda: CeleryCarrier(broker, prefix, ()), prefix,
            rota, os.environ.get("SM_BUCKETS"),
        )  # fmt: skip
    except SmError as e:
        sys.exit(report(e))

    app.task(crew.work, name=TASK, send_events=False)
    _Life(app, crew).connect()
    return app


def _broker(settings: CarrierSettings) -> str:
    if settings.broker is None:
        raise ConfigurationError(
            "celery needs the URL of a broker, and none is named",
            hint='Set SM_CELERY_BROKER_URL, or write broker = "URL" under [engine] in sm.toml.',
        )
    return settings.broker


def _load(project: Project) -> Mapping[str, Handler]:
    directory, is_named = project.handlers(os.environ.get("SM_HANDLERS"))
    handlers: Mapping[str, Handler] = load_trusted(directory) if is_named or directory.is_dir() else {}
    return {**builtins(project.http()), **handlers}


class _Life:
    """What Celery tells of a worker's life, and what is done then."""

    def __init__(self, app: Celery, crew: Crew) -> None:
        self.app = app
        self.crew = crew
        self.default_queues = set(app.amqp.queues)
        self.steward: Steward | None = None

    def connect(self) -> None:
        """From now on."""
        signals.worker_init.connect(self.before_pool, weak=False)
        signals.celeryd_after_setup.connect(self.set_up, weak=False)
        signals.worker_ready.connect(self.ready, weak=False)
        signals.worker_shutting_down.connect(self.ends, weak=False)
        signals.worker_process_shutdown.connect(self.process_ends, weak=False)
        signals.worker_shutdown.connect(self.over, weak=False)

    def before_pool(self, **_: Any) -> None:
        """Load the handlers before anything is forked."""
        try:
            self.crew.load()
        except SmError as e:
            sys.exit(report(e))

    def set_up(self, sender: str, **_: Any) -> None:
        """Serve the queues that the worker of Celery reads: all, unless its options name some."""
        self.crew.hostname = sender
        self.crew.monitor = Monitor(self.app, sender)
        names = set(self.app.amqp.queues.consume_from)
        if names != self.default_queues:
            queues = sorted(name.removeprefix(f"{self.crew.prefix}.") for name in names)
            weights = self.crew.rota.weights
            self.crew.rota = Rota({queue: weights.get(queue, WEIGHTS["default"]) for queue in queues})

    def ready(self, sender: Any, **_: Any) -> None:
        """Its pool is there."""
        self.steward = Steward(self.crew, sender, serves_all=self.crew.rota.queue_names is None)
        self.steward.start()

    def ends(self, **_: Any) -> None:
        """It takes nothing more; tasks that are running end first."""
        if self.steward is not None:
            self.steward.tell_to_stop()

    def process_ends(self, **_: Any) -> None:
        """A process of its pool ends."""
        self.crew.let_go()

    def over(self, **_: Any) -> None:
        """Its pool is gone."""
        if self.steward is not None:
            self.steward.stop()
        self.crew.let_go()
