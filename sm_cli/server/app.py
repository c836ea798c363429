"""The app: routes behind a guard, every error a document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from sm_cli._version import __version__
from sm_cli.errors import NotFound, SmError
from sm_cli.project.reading import display_name
from sm_cli.server import probes
from sm_cli.server.api import docs_page
from sm_cli.server.api.routes import api_routes
from sm_cli.server.api.routing import UnreadableBody
from sm_cli.server.backend import Backend
from sm_cli.server.problems import SEE_DOCS, Refusal, problem_response, validation_refusal
from sm_cli.server.security.guard import Guard
from sm_cli.server.settings import ServerSettings

_TITLE = "sm"
#: What a status that a router answers with by itself is called.
_CODES = {404: "NotFound", 405: "MethodNotAllowed"}
#: What is the matter, for programs.
_DETAILS = {404: "nothing has this address", 405: "this address does not take this method"}
#: The same for people.
_SENTENCES = {
    404: "No page has this address.",
    405: "This address takes what a form of another page sends; it has nothing to show.",
}
#: Addresses whose answers are read by programs, whatever they say that they take.
_FOR_PROGRAMS = ("/api/", "/static/", "/metrics", "/healthz", "/readyz")


def create_app(backend: Backend, settings: ServerSettings) -> FastAPI:
    """The app of a server: REST, AWS's protocol and the dashboard, as the settings say. It starts and ends the feed;
    the backend is closed with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        backend.feed.start()
        yield
        backend.feed.close()
        backend.close()

    app = FastAPI(
        title=_TITLE, version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )  # fmt: skip
    app.state.backend, app.state.settings = backend, settings
    backend.places.most = settings.most_followers
    app.router.routes.extend(_routes(settings))
    app.openapi = lambda: _openapi_of(app)  # type: ignore[method-assign]
    _answer_errors(app, has_pages=settings.has_ui)
    # The last one added is asked first: what the guard refuses, a named origin may read.
    app.add_middleware(Guard, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
            expose_headers=["ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After"],
        )  # fmt: skip
    return app


def _routes(settings: ServerSettings) -> Iterator[BaseRoute]:
    """As they were made with their modules: `include_router` would make each of them again, twice, which takes longer
    than all else that a server does to start."""
    if settings.has_aws:
        from sm_cli.server.aws.routes import aws_route

        yield aws_route()  # one path for all that AWS's clients ask: tried first
    yield from api_routes()
    yield from probes.router.routes
    yield from docs_page.router.routes
    if settings.has_ui:
        from sm_cli.server.pages.routes import pages_routes

        yield from pages_routes()


def _openapi_of(app: FastAPI) -> dict[str, Any]:
    from sm_cli.server.api.openapi.document import openapi_document  # whoever never asks for it does not wait for it

    return openapi_document(app)


def _answer_errors(app: FastAPI, *, has_pages: bool) -> None:
    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return problem_response(validation_refusal(error))
        if isinstance(error, UnreadableBody):
            return problem_response(error.error)
        if isinstance(error, HTTPException):
            code = _CODES.get(error.status_code, "BadRequest")
            detail = _DETAILS.get(error.status_code, str(error.detail))
            headers = dict(error.headers or {})
            if error.status_code == 405:
                headers["Allow"] = ", ".join(_methods(request))
                if request.method == "OPTIONS":
                    return Response(status_code=204, headers=headers)
            refusal = Refusal(error.status_code, code, detail, headers, hint=SEE_DOCS)
            shows_page = has_pages and _is_for_people(request)
            return _refused_page(request, refusal) if shows_page else problem_response(refusal)
        return problem_response(_of_unregistered(request, error) or error)

    for kind in (SmError, Refusal, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _of_unregistered(request: Request, error: Exception) -> NotFound | None:
    """What is not there of a workflow that lists have and that can be started: a file of the project, which has no
    version before that. None for everything else."""
    name = request.path_params.get("workflow")
    if name is None or not isinstance(error, NotFound) or error.topic != "workflow":
        return None
    backend: Backend = request.app.state.backend
    file = backend.library.file_of(name)
    if file is None:
        return None
    path = display_name(str(file))
    text = f"the workflow {name!r} has no version yet: {path} is registered when it is started first"
    return NotFound(text, topic=error.topic)


def _methods(request: Request) -> list[str]:
    """What an address takes. The router names those of one route, and an address has one for each method."""
    routes = (route for route in request.app.router.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in routes for method in getattr(route, "methods", None) or ()}
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def _is_for_people(request: Request) -> bool:
    """Whether a person asks for what no route answers: a program takes no HTML, and knows its addresses."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(_FOR_PROGRAMS)


def _refused_page(request: Request, refusal: Refusal) -> Response:
    from sm_cli.server.pages.rendering import error_page  # here: a server without pages needs no templates

    text = _SENTENCES.get(refusal.status, refusal.detail)
    return error_page(request, Refusal(refusal.status, refusal.code, text, refusal.headers))
