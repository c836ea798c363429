"""What a request with a key does is done once: its answer is kept by the transaction that has done it.

So there is no moment in which it has happened and is not known, and who asks again, after a crash too, is answered as
the first time. What was refused has changed nothing and is not kept: the key is free for another attempt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import orjson

from sm_cli.engine.transactions import Transactions
from sm_cli.errors import KeyReused, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.changes import Changes
from sm_cli.store.locks import NOTHING, key_lock
from sm_cli.store.messages import KeyedAnswer
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction

#: Characters that a key may have.
LONGEST_KEY = 255


class KeyedRequest(NamedTuple):
    """A request that is done once."""

    #: The key that its sender has made: to be had from `check_idempotency_key`.
    key: str
    #: What it asks for, as a person reads it: `POST /messages`.
    route: str
    #: Of all that it says: to be had from `digest_of`.
    digest: str


class KeptAnswer(NamedTuple):
    """What a request is answered with."""

    #: The HTTP status, or what stands for one.
    status: int
    #: Headers that belong to this answer: where the thing is, its ETag.
    headers: Mapping[str, str]
    #: The text of the body.
    body: str


def check_idempotency_key(key: str) -> str:
    """The key, when it can be one. Raises UsageError."""
    if not key:
        raise UsageError("the idempotency key is empty")
    if len(key) > LONGEST_KEY:
        raise UsageError(f"the idempotency key has {len(key)} characters; {LONGEST_KEY} are the most")
    if not key.isascii() or not key.isprintable():
        raise UsageError("the idempotency key has characters that are not printable ASCII")
    return key


def digest_of(*parts: bytes) -> str:
    """A digest of what a request says, part by part."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def do_once(
    engine: Transactions, key: str, method: str, request_data: Json, act: Callable[[], Json]
) -> Json:  # fmt: skip
    """What `act` returns for a call that a program repeats with the same key. method, request_data: what is called, and
    all that it is told. Raises as `perform_once`."""
    try:
        digest = digest_of(method.encode(), orjson.dumps(request_data, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError as e:
        raise UsageError(f"what is asked for with an idempotency key is not JSON: {e}") from None
    request = KeyedRequest(check_idempotency_key(key), method, digest)
    answer, _ = perform_once(engine, request, lambda: KeptAnswer(0, {}, orjson.dumps(act()).decode()))
    document: Json = orjson.loads(answer.body)
    return document


def find_answer(engine: Transactions, request: KeyedRequest) -> KeptAnswer | None:
    """What the request was answered with before; None when it was not. Raises KeyReused when its key came with another
    one."""
    with engine.store.read() as questions:
        return _find_kept(questions, request, engine.clock.now())


def perform_once(engine: Transactions, request: KeyedRequest, act: Callable[[], KeptAnswer]) -> tuple[KeptAnswer, bool]:
    """Do what a request asks for, unless it was done: (the answer, whether it is the one that was given before).

    act: does it, with all that it writes in this one transaction; it may be done several times until that can be
    committed. What it raises is raised, and nothing is kept then. Raises KeyReused."""

    def work(tx: Transaction) -> tuple[KeptAnswer, bool]:
        now = engine.clock.now()
        before = _find_kept(tx, request, now)
        if before is not None:
            return before, True
        answer = act()
        with engine.store.write(NOTHING) as step:
            step.apply(Changes(answers=[KeyedAnswer(*request, *answer, now)]))
        return answer, False

    return engine.together(work, frozenset([key_lock(request.key)]))


def _find_kept(questions: Questions, request: KeyedRequest, now: int) -> KeptAnswer | None:
    answer = questions.keyed_answer(request.key, now)
    if answer is None:
        return None
    if answer.digest != request.digest:
        other = "with another body" if answer.route == request.route else f"for {answer.route}"
        raise KeyReused(
            f"the idempotency key {request.key!r} was used {other} before",
            hint="A key belongs to one request: another request needs a key of its own.",
        )
    return KeptAnswer(answer.status, answer.headers, answer.body)
