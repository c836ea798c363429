"""`sm messages`: what was sent and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.fitting import TimeCell, print_table
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    Limit,
    LockTimeout,
    OfValue,
    Output,
    TableOutput,
    Trust,
    choice,
    count,
    output_format,
    table_format,
)
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.jsonvalue import Json
    from sm_cli.views.records import StoredMessage

_LATE = {"timeout": "its time was up", "aborted": "it was closed"}

Named = Annotated[
    str, typer.Argument(metavar="ID", show_default=False, help="The message's number, or its sender's --message-id.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command("list")(list_messages)
    group.command("show")(show_message)
    group.command("delete")(delete)
    app.add_typer(group, name="messages", help="See what was sent and what became of it.")


def list_messages(
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only those sent under this key.")] = None,
    value: OfValue = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="Only these: buffered, consumed, expired.")
    ] = None,
    limit: Limit = "50",
    output: TableOutput = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """List messages, newest first; those of the last seven days are there."""
    from sm_cli.views.messages import list_messages as query_messages
    from sm_cli.views.messages import message_document
    from sm_cli.views.records import MessageFilter, MessageStatus

    format, wide = table_format(output, json)
    if value is not None and key is None:
        raise UsageError("--value belongs to --key")
    all = tuple(each.value for each in MessageStatus)
    wanted_status = None if status is None else MessageStatus(choice(status.lower(), "--status", all))
    with opened_engine(db) as engine:
        now = engine.clock.now()
        messages = query_messages(engine, MessageFilter(now, key, value, wanted_status, limit=count(limit, "--limit")))
        if format != "table":
            rows: list[Json] = []
            for m in messages:
                row = message_document(engine, m)
                del row["data"]  # a list comes without what may be large
                rows.append(row)
            out.rows(rows, format)
            return
    if not messages:
        say("there is no such message" if key or status else "there is no message")
        return
    lines = [
        (str(m.id), m.key, m.value, m.status_at(now).value, TimeCell(m.received),
         TimeCell(m.expires) if m.consumed is None else "", str(m.count or ""), m.message_id or "")
        for m in messages
    ]  # fmt: skip
    heads = ("ID", "KEY", "VALUE", "STATUS", "SENT", "EXPIRES", "RECEIVED BY", "MESSAGE ID")
    print_table(heads, lines, wide=wide, now=now)


def show_message(
    message: Named,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
) -> None:
    """Show a message: its data, who received it, and what it came too late for."""
    from sm_cli.views.messages import message_document

    format = output_format(output, json)
    with opened_engine(db) as engine:
        record = _find(engine, message)
        if format != "table":
            out.one(message_document(engine, record), format)
            return
        for line in _lines(engine, record):
            out.text(line)


def delete(message: Named, db: Database = None, _lock_timeout: LockTimeout = None, _trust: Trust = False) -> None:
    """Delete a message that nobody has received."""
    with opened_engine(db) as engine:
        record = _find(engine, message)
        engine.delete_message(record)
    say(f"message {record.id} {record.key}={record.value} is deleted")


def _find(engine: Engine, text: str) -> StoredMessage:
    from sm_cli.views.messages import find_message

    return find_message(engine, text)


def became(engine: Engine, m: StoredMessage) -> str:
    """`was received by …`, `is kept until …`, `expired …`."""
    from sm_cli.views.messages import message_refs

    status = m.status_at(engine.clock.now()).value
    if status == "buffered":
        return f"is kept until {tables.local_time(m.expires)}"
    if status == "expired":
        return f"expired at {tables.local_time(m.expires)} and was received by nobody"
    refs = message_refs(engine, m)
    more = m.count - len(m.receivers)
    receivers = ", ".join(refs.get(id, "?") for id in m.receivers[:5]) + (f" and {more} more" if more > 0 else "")
    when = "" if m.consumed is None else f" at {tables.local_time(m.consumed)}"
    return f"was received by {receivers}{when}"


def _lines(engine: Engine, m: StoredMessage) -> Iterator[str]:
    from sm_cli.jsonvalue import dumps
    from sm_cli.views.messages import KINDS, message_refs

    facts = [("id", str(m.id)), ("key", m.key), ("value", m.value), ("message id", m.message_id)]
    facts += [("sent", tables.local_time(m.received)), ("status", m.status_at(engine.clock.now()).value)]
    for name, value in facts:
        if value is not None:
            yield f"{name:<11} {tables.clean(value)}"
    yield f"{'':<11} {became(engine, m)}"
    refs = message_refs(engine, m)
    if m.execution is not None:
        yield f"{'only for':<11} execution {refs.get(m.execution, '?')}"
    if m.strict:
        yield f"{'strict':<11} only for a wait whose value is a {KINDS[m.kind]}"
    for late in m.late:
        ref, when = refs.get(late.execution, "?"), tables.local_time(late.ended)
        yield f"{'too late':<11} it came too late for execution {ref}, whose wait ended at {when}: {_LATE[late.how]}"
    yield f"{'data':<11} {dumps(m.body)}"
