"""Requests that change something: what they do, and how it is answered.

One with an `Idempotency-Key` is done once: its answer is kept by the transaction that has done it, and whoever sends it
again gets that answer, from any server of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

import orjson
from fastapi import Request
from starlette.responses import Response

from sm_cli.engine.idempotency.answers import (
    KeptAnswer,
    KeyedRequest,
    check_idempotency_key,
    digest_of,
    find_answer,
    perform_once,
)
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import Json
from sm_cli.server.answers import answer_json
from sm_cli.server.backend import Backend

KEY_HEADER = "Idempotency-Key"
#: Says `true` in an answer that was given before.
REPLAYED_HEADER = "Idempotency-Replayed"
#: Parameters that say how long an answer is waited for, and nothing of what is asked for.
_PATIENCE = frozenset(["wait"])


class Reply(NamedTuple):
    """What a request is answered with."""

    #: The body.
    document: Json
    #: The HTTP status.
    status: int = 200
    #: Beside the usual ones.
    headers: Mapping[str, str] = {}

    def response(self) -> Response:
        """As it goes over the line."""
        return answer_json(self.document, self.status, self.headers)


async def perform(
    request: Request, backend: Backend, act: Callable[[], Reply], *, is_whole: bool = False
) -> Response:  # fmt: skip
    """Do what a request asks for, in its turn, once when it has a key. is_whole: what the act reads has to be true
    still when it writes, so that all of it is one transaction. Raises what the act raises; UsageError for a key that
    is none, KeyReused for another request's."""
    keyed_request = await _keyed_request(request)
    if keyed_request is None:
        engine = backend.engine
        work = (lambda: engine.together(lambda _: act())) if is_whole else act
        return (await backend.change(work)).response()

    def act_and_tell() -> KeptAnswer:
        reply = act()
        return KeptAnswer(reply.status, reply.headers, orjson.dumps(reply.document).decode())

    before = await backend.read(lambda: find_answer(backend.engine, keyed_request))
    if before is not None:
        return _response_of(before, is_repeat=True)
    answer, is_repeat = await backend.change(lambda: perform_once(backend.engine, keyed_request, act_and_tell))
    return _response_of(answer, is_repeat)


def _response_of(answer: KeptAnswer, is_repeat: bool) -> Response:
    headers = {**answer.headers, REPLAYED_HEADER: "true"} if is_repeat else answer.headers
    return Response(answer.body, answer.status, headers, "application/json")


async def _keyed_request(request: Request) -> KeyedRequest | None:
    """What a request says, under its key; None without one. Raises UsageError."""
    headers = request.headers.getlist(KEY_HEADER)
    if not headers:
        return None
    if len(headers) > 1:
        raise UsageError(f"the request has {len(headers)} headers {KEY_HEADER}; one is the most")
    path = request.url.path
    query = sorted(each for each in parse_qsl(request.url.query, keep_blank_values=True) if each[0] not in _PATIENCE)
    digest = digest_of(request.method.encode(), path.encode(), orjson.dumps(query), _plain(await request.body()))
    return KeyedRequest(_read_key(headers[0]), f"{request.method} {path}", digest)


def _read_key(header: str) -> str:
    """The key: as it stands, or between quotes as the draft of the header has it. Raises UsageError."""
    text = header.strip(" \t")
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return check_idempotency_key(text[1:-1] if is_quoted else text)


def _plain(body: bytes) -> bytes:
    """A body in which the order of members and blanks make no difference."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        return body  # of a request that takes none
