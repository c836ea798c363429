"""Whether every row has what it refers to, and everything is counted as often as it is there; and what puts it right.

The same questions for every database. What is put right loses nothing: rows that nobody waits for go, counters are
counted anew. What would need a guess (a task whose job is gone, a frame without its execution) is only told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from sm_cli.store.sql.large_values import blob_id
from sm_cli.store.upkeep.answers import DatabaseProblem

if TYPE_CHECKING:
    from sm_cli.store.sql.session import Session

#: Statements that put right what `problem_counts` names them for.
_REPAIRS = (
    "delete_stray_jobs", "delete_stray_timers", "delete_stray_subscriptions", "delete_stray_ended_children",
    "delete_stray_items", "delete_stray_state_times", "delete_stray_links", "raise_ids",
)  # fmt: skip
#: Large values that are named; others are counted.
MOST = 20
#: Rows of the history that are read at once.
_PAGE = 1000


def find_problems(session: Session) -> list[DatabaseProblem]:
    """What is wrong; empty when everything is sound. Raises DatabaseError, orjson.JSONDecodeError for a history that is
    damaged."""
    problems = [
        DatabaseProblem(f"{count:,} {sentence}", repair is not None)
        for sentence, repair, count in session.all("problem_counts")
        if count
    ]
    problems += _explain_miscounts(session)
    ((count,),) = session.all("wrong_event_counts")
    if count:
        problems.append(DatabaseProblem(f"{count:,} executions with more or fewer events than they count"))
    return problems


def repair_rows(session: Session) -> None:
    """Put right what `find_problems` calls repairable, while nobody else writes. Raises DatabaseError."""
    repairs = {repair for _, repair, count in session.all("problem_counts") if count}
    for repair in _REPAIRS:
        if repair in repairs:
            session.all(repair)
    uses = _count_uses(session)
    bodies = {id for id, _, is_there in session.all("counted_blobs") if is_there}
    for id, use_count, _ in session.all("counted_blobs"):
        if id not in uses:
            session.many("delete_blob_uses", [(id,)])
            session.many("delete_blob", [(id,)])
        elif id in bodies and uses[id] != use_count:
            session.many("set_blob_uses", [(uses[id], id)])
    for (id,) in session.all("uncounted_blobs"):
        _count_blob(session, id, uses.get(id, 0))


def _count_blob(session: Session, id: int, uses: int) -> None:
    """A large value that is there without being counted; of one whose text is there under another number too, only
    that other one can be counted."""
    import hashlib

    body = session.blob(id, lambda: None) if uses else None
    if body is None:
        session.many("delete_blob", [(id,)])
        return
    digest = hashlib.sha256(body).digest()
    if session.one("blob_of_digest", (digest,)) is None:
        session.many("insert_blob_uses", [(id, digest, uses)])


def _explain_miscounts(session: Session) -> Iterator[DatabaseProblem]:
    uses = _count_uses(session)
    wrong = 0
    for id, use_count, is_there in session.all("counted_blobs"):
        count = uses.pop(id, 0)
        if count == use_count and is_there:
            continue
        wrong += 1
        if wrong <= MOST:
            text = f"large value {id} is used {count} times and counted {use_count} times"
            yield DatabaseProblem(text + ("" if is_there else ", and is gone"), bool(is_there or not count))
    bodies = {id for (id,) in session.all("uncounted_blobs")}
    if stray := bodies - uses.keys():
        yield DatabaseProblem(f"{len(stray):,} large values that nothing counts", is_repairable=True)
    for id in list(uses)[:MOST]:
        where = "counted nowhere" if id in bodies else "is not there"
        yield DatabaseProblem(f"large value {id} is used {uses[id]} times and {where}", id in bodies)
    if (more := max(0, wrong - MOST) + max(0, len(uses) - MOST)) > 0:
        yield DatabaseProblem(f"{more:,} more large values are wrong")


def _count_uses(session: Session) -> dict[int, int]:
    """How often each large value is referred to, by its id."""
    uses: dict[int, int] = {}
    for (text,) in session.all("references_of_columns"):
        _count(uses, text)
    last = 0
    while rows := session.all("history_with_references", (last, _PAGE)):
        for _, events in rows:
            for event in orjson.loads(events):
                for reference in event[5].values() if len(event) > 5 else ():
                    _count(uses, reference)
        last = rows[-1][0]
    return uses


def _count(uses: dict[int, int], text: str) -> None:
    id = blob_id(text)
    assert id is not None, "the query answers with references only"
    uses[id] = uses.get(id, 0) + 1
