"""The numbers of one process as Prometheus reads them, in a server's app or at a port of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest, start_http_server

from sm_cli.errors import ConfigurationError
from sm_cli.server.metrics.counters import Counters
from sm_cli.server.metrics.gauges import Gauges, StreamNumbers

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.server.event_streams import Places

#: Prometheus's text format.
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """All numbers of a process. engine: whose database is asked; other engines are counted once watched."""

    def __init__(self, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self._counters = Counters(self.registry)
        self.registry.register(Gauges(engine))
        self.watch(engine)

    def watch(self, engine: Engine) -> None:
        """Count what this engine commits, too."""
        self._counters.watch(engine)

    def watch_streams(self, places: Places) -> None:
        """Count the streams that are followed."""
        self.registry.register(StreamNumbers(places))

    def text(self) -> bytes:
        """The numbers now."""
        return generate_latest(self.registry)


@contextmanager
def exported(engine: Engine, port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """Inside the block the numbers of a process that has this engine are at a port; nobody is asked for a token there,
    so unless `host` says otherwise only this machine reaches it. Raises ConfigurationError when it cannot be had."""
    metrics = Metrics(engine)
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as e:
        raise ConfigurationError(f"port {port} of {host} cannot be listened at for metrics: {e.strerror}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
