"""How REST reads requests: queries and JSON exactly, and of the kind that was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from inspect import iscoroutinefunction
from typing import Any, get_args, get_origin

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sm_cli.asl.validation.nearest import did_you_mean
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import loads_exact
from sm_cli.server.api.links import API
from sm_cli.server.backend import backend_of
from sm_cli.server.problems import SEE_DOCS, Refusal

_JSON = "application/json"


class UnreadableBody(HTTPException):
    """FastAPI lets errors of this kind through while it reads a body; `error` is what went wrong."""

    def __init__(self, error: InvalidJson) -> None:
        super().__init__(400, error.message)
        self.error = error


class ExactRequest(Request):
    """A request whose JSON is read as all JSON of people and programs is: nothing is rounded, no key is lost."""

    async def json(self) -> Any:
        """The body. Raises UnreadableBody."""
        try:
            return loads_exact(await self.body(), what="the body")
        except InvalidJson as e:
            raise UnreadableBody(e) from None


class BodilessRequest(ExactRequest):
    """A request that came without a body, read as one with `{}`: `curl -X POST` will do where no member has to be
    given."""

    def __init__(self, request: Request) -> None:
        others = [pair for pair in request.scope["headers"] if pair[0] != b"content-type"]
        headers = [*others, (b"content-type", _JSON.encode())]
        super().__init__({**request.scope, "headers": headers}, request.receive)

    async def body(self) -> bytes:
        """An object without members."""
        return b"{}"


class RestRoute(APIRoute):
    """A route that takes JSON and nothing else, and no parameter that it does not know."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The route's function behind the reading of its query and its body; at once, where a request can hold nothing
        else to be checked: FastAPI looks for what a function needs at each request, which takes longer than to read an
        execution."""
        backend_name = backend_alone(self)
        if backend_name is not None:
            function, name = self.endpoint, backend_name

            async def answer_at_once(request: Request) -> Response:
                _check_parameters(request, {})
                response: Response = await function(**request.path_params, **{name: request.app.state.backend})
                return response

            return answer_at_once
        answer = super().get_route_handler()
        parameters = dict(_parameters_of(self.dependant))

        async def read_and_answer(request: Request) -> Response:
            _check_parameters(request, parameters)
            exact = ExactRequest(request.scope, request.receive)  # which keeps the body that it has read
            if self.body_field is not None:
                if not await exact.body():
                    return await answer(BodilessRequest(request))
                _check_media_type(request.headers.get("content-type", ""))
            return await answer(exact)

        return read_and_answer


def backend_alone(route: APIRoute) -> str | None:
    """The name under which the function of a route takes the backend, when it takes nothing beside it but parts of the
    path as they are; None for any other."""
    dependant = route.dependant
    others = (
        dependant.query_params, dependant.header_params, dependant.cookie_params, dependant.body_params,
        dependant.request_param_name, dependant.response_param_name, dependant.http_connection_param_name,
        dependant.background_tasks_param_name, dependant.security_scopes_param_name,
    )  # fmt: skip
    is_plain = all(each.field_info.annotation is str and not each.field_info.metadata for each in dependant.path_params)
    if any(others) or not is_plain or not iscoroutinefunction(route.endpoint):
        return None
    names = [each.name for each in dependant.dependencies if each.call is backend_of]
    return names[0] if len(names) == len(dependant.dependencies) == 1 else None


def _parameters_of(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """(name, whether it may be given several times) of each parameter of the query."""
    yield from ((each.alias, _is_list(each.field_info.annotation)) for each in dependant.query_params)
    for each in dependant.dependencies:
        yield from _parameters_of(each)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


def _check_parameters(request: Request, known: Mapping[str, bool]) -> None:
    """A filter that is misspelt, or that is given twice, would choose other things than what is meant."""
    if not request.scope["query_string"]:
        return
    for name in request.query_params:
        if len(values := request.query_params.getlist(name)) > 1 and not known.get(name, True):
            sentence = f"query {name}: it takes one value, and {len(values)} are given"
            raise Refusal(400, "UsageError", sentence, hint=SEE_DOCS)
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            hint = did_you_mean(name, known) or f"{SEE_DOCS[:-1]}: {takes}."
            raise Refusal(400, "UsageError", f"query {name[:80]}: there is no such parameter", hint=hint)


def _check_media_type(header: str) -> None:
    media_type = header.partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        what = f"not {media_type}" if media_type else "and the request does not say what it has"
        raise Refusal(415, "UnsupportedMediaType", f"the body has to be {_JSON}, {what}")


def operation_id(route: APIRoute) -> str:
    """What the OpenAPI document calls a request: as its function is called."""
    return route.name


def rest_router(tag: str) -> APIRouter:
    """A router of such routes. tag: what the docs call its kind of resource."""
    return APIRouter(prefix=API, tags=[tag], route_class=RestRoute, generate_unique_id_function=operation_id)
