"""A server at work: from the lines that say where it is to its end."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sm_cli.cli.run.service import Service
from sm_cli.cli.terminal.logs import tell_state
from sm_cli.server.app import create_app
from sm_cli.server.running import Server, addresses_of, bind
from sm_cli.views.database import url_for_people

if TYPE_CHECKING:
    from sm_cli.server.backend import Backend
    from sm_cli.server.settings import ServerSettings


class Serving:
    """Between begin and end of the block the port is ours. grace: seconds that requests have to end."""

    def __init__(self, backend: Backend, settings: ServerSettings, url: str, grace: float) -> None:
        self._backend, self._settings, self._url, self._grace = backend, settings, url, grace
        self._service = Service()
        self._socket: socket.socket | None = None
        self._ends = False

    def __enter__(self) -> Serving:
        self._socket = bind(self._settings.host, self._settings.port)
        return self

    def __exit__(self, *details: object) -> None:
        assert self._socket is not None
        self._socket.close()

    def end(self) -> None:
        """Stop soon; from any thread."""
        self._ends = True

    def run(self, told_to_stop: Callable[[], bool], *, workers: int) -> None:
        """Answer requests until `told_to_stop`, then let those that are under way end."""
        assert self._socket is not None

        def ends() -> bool:
            self._service.alive()
            return self._ends or told_to_stop()

        app = create_app(self._backend, self._settings)
        server = Server(app, ends, grace=max(1, round(self._grace)))
        self._announce(addresses_of(self._socket), workers)
        self._service.ready()
        # What is loaded stays to the end: the collector need not walk through it while answers are made.
        gc.freeze()
        server.run([self._socket])
        self._service.stopping()
        tell_state("server.stopped", "server stopped", {})

    def _announce(self, addresses: list[str], workers: int) -> None:
        address, *others = addresses
        place, settings = url_for_people(self._url), self._settings
        rule = "nobody needs a token" if settings.token is None else "every request needs the token"
        who = "no worker" if workers == 0 else f"{workers} worker{'s' if workers > 1 else ''}"
        facts = {
            "address": address,
            "database": place,
            "workers": workers,
            "token": settings.token is not None,
            "aws": settings.has_aws,
            "ui": settings.has_ui,
        }
        tell_state("server.started", f"serving {place} at {address}, with {who} in this process; {rule}", facts)
        for what, url in _doors_of(settings, address, others):
            tell_state("server.address", f"{what}: {url}", {"what": what, "url": url})


def _doors_of(settings: ServerSettings, address: str, others: list[str]) -> Iterator[tuple[str, str]]:
    """What a server has for whom, and where."""
    yield "REST", f"{address}/api/v1"
    if settings.has_ui:
        yield "dashboard", f"{address}/"
    if settings.has_aws:
        yield "AWS's clients", f"AWS_ENDPOINT_URL_SFN={address}"
    yield from (("from other machines", other) for other in others)
