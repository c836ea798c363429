"""What a message just missed, in sentences.

A few rows by index, whatever the number of waits and messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json, folded_text, loads_exact, scalar_kind, scalar_text
from sm_cli.store.messages import (
    Late,
    MessageStatus,
    PastWait,
    StoredMessage,
    Subscription,
    WaitEnding,
    WaitFilter,
)
from sm_cli.store.sql.transaction import Transaction
from sm_cli.timestamps import MICROSECONDS

#: So many of each kind are looked at, and shown.
_FEW = 3
#: So many keys that others wait under are compared with the one that was sent.
_KEYS = 50
_KINDS = {"s": "text", "n": "a number", "b": "a boolean"}
_ENDED = {"message": "it received a message", "timeout": "its time was up", "aborted": "it was closed"}


def near_misses(
    tx: Transaction, key: str, value: Json, now: int, just_ended: list[PastWait],
    is_open: Callable[[Subscription], bool],
) -> tuple[tuple[str, ...], tuple[Late, ...]]:  # fmt: skip
    """(sentences, waits that were over when the message came) for a message that nobody received.

    `just_ended` are waits for the key and value that the transaction itself ended, and `is_open` says whether it has
    left a wait of the store open.
    """
    text, kind = scalar_text(value), scalar_kind(value)
    spellings = {folded_text(text): None, folded_text(_as_number(text)): None}
    near = [s for each in spellings for s in tx.near_subscriptions(key, each, _FEW) if is_open(s)]
    overdue = {s: _if_overdue(tx, s, now) for s in near}
    waiting = [s for s, over in overdue.items() if over is None]
    past_waits = just_ended + [over for over in overdue.values() if over is not None]
    past_waits += [w for each in spellings for w in tx.past_waits(key, each, _FEW)]
    earlier = tx.near_messages(key, folded_text(text), _FEW)
    refs = tx.refs({s.execution for s in waiting} | {w.execution for w in past_waits})
    sentences = [
        *(_waits(s, text, kind, refs.get(s.execution, "?")) for s in waiting),
        *_other_keys(tx, key, text, now, is_open),
        *_expired_messages(earlier, text, now),
        *(_waiting_time(w, refs.get(w.execution, "?"), now) for w in past_waits[:_FEW]),
    ]
    late = tuple(Late(w.execution, w.ended, w.how) for w in past_waits if w.value == text and w.how != "message")
    return tuple(sentences), late


def _if_overdue(tx: Transaction, s: Subscription, now: int) -> PastWait | None:
    """The wait as the ended one that it is, when its time (or its execution's) was up before now and only nobody has
    looked since; None while it is open. What comes at the very moment of a deadline is in time."""
    execution = tx.short_execution(s.execution)
    ends: list[tuple[int, WaitEnding]] = []
    if s.deadline is not None:
        ends.append((s.deadline, "timeout"))
    if execution is not None and execution.deadline is not None:
        ends.append((execution.deadline, "aborted"))
    at, how = min(ends, default=(now, "timeout"))
    return PastWait(s.execution, s.frame, s.seq, s.key, s.value, at, how) if at < now else None


def _other_keys(
    tx: Transaction, key: str, text: str, now: int, is_open: Callable[[Subscription], bool]
) -> Iterator[str]:
    """Waits for this value under another key; when there are none, the key that was probably meant."""
    keys = [other for other in tx.awaited_keys(_KEYS) if other != key]
    count = 0
    for other in keys:
        for s in tx.near_subscriptions(other, folded_text(text), 1):
            if count < _FEW and is_open(s):
                count += 1
                ref = tx.refs({s.execution}).get(s.execution, "?")
                over = _if_overdue(tx, s, now)
                aside = f", under another key than {key}"
                if over is None:
                    yield f"execution {ref} waits for {other}={s.value}{aside}"
                else:
                    yield _waiting_time(over, ref, now, f"{aside},")
    if not count and (near := _similar(key, keys)) is not None:
        yield f"nobody waits under the key {key!r}; executions {_verb(tx, near, now, is_open)} under {near!r}"


def _verb(tx: Transaction, key: str, now: int, is_open: Callable[[Subscription], bool]) -> str:
    """Whether executions wait under the key, or waited: the time of the first few is up."""
    few = [wait.subscription for wait in tx.open_waits(WaitFilter(key, limit=_KEYS))]
    return "wait" if any(is_open(s) and _if_overdue(tx, s, now) is None for s in few) else "waited"


def _similar(key: str, keys: list[str]) -> str | None:
    """The key that differs in case or in a letter or two; None when none does."""
    keys_by_folded_text = {folded_text(other): other for other in keys}
    if folded_text(key) in keys_by_folded_text:
        return keys_by_folded_text[folded_text(key)]
    from difflib import get_close_matches  # only now: a message that is received never gets here

    close = get_close_matches(folded_text(key), keys_by_folded_text, 1, 0.75)
    return keys_by_folded_text[close[0]] if close else None


def _as_number(text: str) -> str:
    """`1.50` is how a person writes the number whose text is `1.5`."""
    try:
        number = loads_exact(text)
    except InvalidJson:
        return text
    return scalar_text(number) if isinstance(number, (int, float)) else text


def _waits(s: Subscription, text: str, kind: str, ref: str) -> str:
    waits = f"execution {ref} waits for {s.key}={s.value}"
    if s.value != text:
        return f"{waits}, which differs in {difference(s.value, text)}"
    if s.kind != kind:
        return f"{waits} as {_KINDS[s.kind]}; this was sent as {_KINDS[kind]}, to be matched strictly"
    return f"{waits}, but the message was for another execution only"


def difference(one: str, other: str) -> str:
    """In what two texts differ that are the same when folded."""
    if one.casefold() == other.casefold():
        return "case"
    if "".join(one.split()) == "".join(other.split()):
        return "blanks"
    return "case and blanks" if folded_text(one) == folded_text(other) else "how the number is written"


def _expired_messages(earlier: Iterable[StoredMessage], text: str, now: int) -> Iterator[str]:
    for m in earlier:
        if m.value == text and m.status_at(now) is MessageStatus.EXPIRED:
            yield f"message {m.id} with this key and value expired {ago(now - m.expires)}; nobody had waited for it"
            return


def _waiting_time(w: PastWait, ref: str, now: int, aside: str = "") -> str:
    return f"execution {ref} waited for {w.key}={w.value}{aside} until {ago(now - w.ended)}: {_ENDED[w.how]}"


def ago(microseconds: int) -> str:
    """`a moment ago`, `12 seconds ago`, `a minute ago`, `3 hours ago`, `2 days ago`."""
    seconds = microseconds // MICROSECONDS
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = seconds // size
        if count >= 2:
            return f"{count} {unit}s ago"
        if count == 1:
            return "a moment ago" if size == 1 else f"a{'n' if unit == 'hour' else ''} {unit} ago"
    return "a moment ago"
