"""How a page is made: templates, what they can ask, and what every page has."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse

from sm_cli._version import __version__
from sm_cli.errors import SmError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.pages.moments import clock_text, span_words
from sm_cli.server.pages.statics import FILES
from sm_cli.server.problems import Refusal, problem_headers, problem_of, status_of, validation_refusal
from sm_cli.timestamps import rfc3339

log = logging.getLogger("sm.server")

#: Fields of a form that is read.
_MOST_FIELDS = 1000
#: Characters of a JSON text that a page shows; all of it can be copied from its own address.
MOST_JSON = 200_000
#: Scripts and styles are files of ours, and nothing else: whatever stands in a page as text, none of it runs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: What the menu has: address, text, name of the icon.
SECTIONS = (
    ("/", "Executions", "list"),
    ("/workflows", "Workflows", "flow"),
    ("/waiting", "Waiting", "wait"),
    ("/batches", "Batches", "batch"),
    ("/schedules", "Schedules", "clock"),
    ("/queues", "Queues and workers", "queue"),
    ("/statistics", "Statistics", "chart"),
)


#: What stands above an error for people.
_HEADINGS = {
    404: "There is nothing here",
    405: "This is no page",
    409: "That cannot be done now",
    500: "This is a bug in sm",
    503: "The database does not answer",
}
#: The sections that addresses belong to which are no sections themselves.
_SECTION_OF = {
    "/executions": "/", "/map-runs": "/batches", "/messages": "/waiting", "/tasks": "/waiting",
    "/new-workflow": "/workflows", "/save-workflow": "/workflows", "/check-definition": "/workflows",
    "/new-schedule": "/schedules",
}  # fmt: skip


def show_page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page, or a part of one."""
    return HTMLResponse(render_template(request, template, **context), status, {"Content-Security-Policy": _POLICY})


def render_template(request: Request, template: str, **context: Any) -> str:
    """A template as text."""
    return _environment().get_template(template).render(
        request=request, section=section_of(request.url.path)[0], sections=SECTIONS, version=__version__, **context
    )  # fmt: skip


def notice(
    request: Request, text: str, *, kind: str = "good", details: tuple[str, ...] = (), link: str = ""
) -> Response:
    """What became of an action, and (with a link) where to go on: a part for a page that is open, else a page."""
    is_part = request.headers.get("hx-request") == "true"
    template = "parts/notice.html" if is_part else "notice.html"
    response = show_page(request, template, kind=kind, text=text, details=details, link=link)
    if is_part and kind == "good":
        response.headers["HX-Trigger"] = "commit"
    return response


def go_to(request: Request, address: str) -> Response:
    """Lead the browser there after an action."""
    if request.headers.get("hx-request") == "true":
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent, each once. Raises UsageError for what is no form."""
    body = await request.body() if await _is_form(request) else b""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:  # of its text, or of their number
        raise UsageError(f"this takes a form in UTF-8, with {_MOST_FIELDS:,} fields at most") from None
    return {name: values[-1] for name, values in fields.items()}


async def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" and await request.body():
        raise UsageError("this takes a form, as a browser sends it")
    return True


class PageRoute(APIRoute):
    """A route for people: what goes wrong is a page, or a notice in the page that is open."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors caught."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                return error_page(request, validation_refusal(error))
            except (SmError, Refusal) as error:
                return error_page(request, error)
            except Exception as bug:
                log.error("a page ended in a bug", exc_info=bug)
                return error_page(request, bug)

        return answer


def error_page(request: Request, error: Exception) -> Response:
    """An error for people, with a way on; where a part of a page was asked for, it stands in its place. What is our own
    bug is named by its type, and nothing of its data is shown."""
    problem = problem_of(error)
    status, text, hint = status_of(error), str(problem["detail"]), problem.get("hint")
    details = (str(hint),) if hint else ()
    if request.headers.get("hx-request") == "true":
        # htmx puts nothing of an error's answer into the page; this one is meant to be seen.
        return show_page(request, "parts/notice.html", kind="bad", text=text, details=details, link="")
    again = with_query(request.url.path, read_query(request)) if status == 503 and request.method == "GET" else ""
    response = show_page(
        request, "error.html", status, heading=_HEADINGS.get(status, "That did not work"), text=text, details=details,
        back=section_of(request.url.path), again=again,
    )  # fmt: skip
    response.headers.update(problem_headers(error))
    return response


def section_of(path: str) -> tuple[str, str]:
    """(the address, the name) of the section that an address belongs to: where the way back leads."""
    first = f"/{path.split('/')[1]}"
    address = _SECTION_OF.get(first, first)
    return next(((at, name) for at, name, _ in SECTIONS if at == address), SECTIONS[0][:2])


def read_query(request: Request) -> dict[str, list[str]]:
    """All parameters of the address."""
    return {name: request.query_params.getlist(name) for name in request.query_params}


# -- what templates ask ----------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sm_cli.server"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {"static": static, "with_query": with_query, "most_json": MOST_JSON}
    filters: dict[str, Callable[..., Any]] = {
        "moment": moment_markup, "span": span_words, "number": lambda count: "?" if count is None else f"{count:,}",
        "pretty": pretty, "segment": segment, "data": data,
    }  # fmt: skip
    environment.filters |= filters
    return environment


def static(name: str) -> str:
    """The address of a file of ours, which changes with what is in it."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(FILES.joinpath(*name.split("/")).read_bytes()).hexdigest()[:12]


def moment_markup(microseconds: int | None) -> Markup:
    """A point in time; the page's script writes it in the time zone of who reads it."""
    if microseconds is None:
        return Markup("")
    text = rfc3339(microseconds)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, text, clock_text(microseconds))


def pretty(value: Json) -> str:
    """JSON over several lines, cut after MOST_JSON characters."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= MOST_JSON else f"{text[:MOST_JSON]}\n…"


def data(value: Json) -> Markup:
    """JSON for a script element that no browser runs: nothing in it can end the element."""
    text = orjson.dumps(value).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def segment(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="")


def with_query(address: str, query: Mapping[str, Any], **changes: str | None) -> str:
    """The address with these parameters, some of them changed; None takes one away."""
    pairs: list[tuple[str, str]] = []
    for name, value in {**query, **changes}.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, str(each)) for each in values if each not in (None, "")]
    return f"{address}?{urlencode(pairs)}" if pairs else address
