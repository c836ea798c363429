"""`sm send-message`: give a message to whoever waits for it, and say what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sm_cli.cli.project.opening import opened_engine
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.options import (
    AsJson,
    Database,
    LockTimeout,
    LogFormat,
    Output,
    Trust,
    Verbose,
    choice,
    count,
    output_format,
    seconds,
)
from sm_cli.errors import NotDelivered, UsageError

if TYPE_CHECKING:
    from sm_cli.engine.engine import Engine
    from sm_cli.engine.send_message import Sent, To
    from sm_cli.jsonvalue import Json

#: So many receivers are named to a person; `--json` names all.
_NAMED = 5


_Correlation: TypeAlias = Annotated[
    str, typer.Argument(metavar="KEY=VALUE", show_default=False, help="What it is sent under: orderId=ORD-1.")
]
_Data: TypeAlias = Annotated[
    str | None, typer.Option("--data", metavar="FILE|-|JSON", help="The message, JSON or YAML; {} unless given.")
]
_MessageId: TypeAlias = Annotated[
    str | None, typer.Option("--message-id", metavar="ID", help="Sent once, however often it is repeated.")
]
_Ttl: TypeAlias = Annotated[
    str, typer.Option("--ttl", metavar="SPAN", help="Kept so long when nobody waits; 0: not at all.")
]
_To: TypeAlias = Annotated[
    str, typer.Option("--to", metavar="all|one", help="All who wait, or who has waited longest.")
]
_RequireMatch: TypeAlias = Annotated[
    bool, typer.Option("--require-match", help="Keep nothing and exit with 5 when nobody waits.")
]
_StrictType: TypeAlias = Annotated[
    bool, typer.Option("--strict-type", help='Tell 42 from "42": VALUE has the type that it has as JSON.')
]
_Expect: TypeAlias = Annotated[
    str | None, typer.Option("--expect", metavar="N", help="Exit with 5 when fewer executions received it.")
]
_Execution: TypeAlias = Annotated[
    str | None, typer.Option("--execution", metavar="ID", help="Only this execution may receive it.")
]
_Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Until who received it is closed or waits for another message.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send-message")(send_message)


def send_message(
    correlation: _Correlation,
    data: _Data = None,
    message_id: _MessageId = None,
    ttl: _Ttl = "1h",
    to: _To = "all",
    require_match: _RequireMatch = False,
    strict_type: _StrictType = False,
    expect: _Expect = None,
    execution: _Execution = None,
    wait: _Wait = False,
    output: Output = None,
    json: AsJson = False,
    db: Database = None,
    _lock_timeout: LockTimeout = None,
    _trust: Trust = False,
    _verbose: Verbose = False,
    _log_format: LogFormat = None,
) -> None:
    """Send a message to who waits for it."""
    from sm_cli.cli.terminal.inputs import read_json, warn_if_large

    format = output_format(output, json)
    key, value = parse_correlation(correlation)
    span = seconds(ttl, "--ttl")
    whom: To = "one" if choice(to, "--to", ("all", "one")) == "one" else "all"
    least = 0 if expect is None else count(expect, "--expect")
    body = {} if data is None else read_json(data, "--data")
    warn_if_large(body, "the message")
    with opened_engine(db) as engine:
        target = None if execution is None else engine.find(execution)
        result = engine.publish(
            key, value, body, message_id=message_id, ttl=span, to=whom, strict_type=strict_type,
            require_match=require_match, execution=target,
        )  # fmt: skip
        ends: list[dict[str, Json]] | None = None
        if wait and result.executions:
            from sm_cli.cli.messages.awaiting import ends_of

            ends = ends_of(engine, result.executions)
        if format != "table":
            from sm_cli.views.messages import sent_document

            facts = sent_document(engine, key, value, result)
            out.one(facts if ends is None else {**facts, "ends": [*ends]}, format)
        else:
            _tell(engine, correlation, result, ends)
    _check(correlation, result, must_arrive=require_match or span == 0, least=least)
    if ends and any(end["status"] not in ("RUNNING", "SUCCEEDED") for end in ends):
        raise typer.Exit(1)


def parse_correlation(text: str) -> tuple[str, Json]:
    """`KEY=VALUE`: VALUE is text, unless it is exactly how JSON writes a number, true or false, or a JSON string.
    Raises UsageError for anything else."""
    from sm_cli.errors import InvalidJson
    from sm_cli.jsonvalue import loads_exact, scalar_text

    key, equals, value_text = text.partition("=")
    if not key or not equals:
        raise UsageError(f"{text!r} is not KEY=VALUE")
    try:
        value = loads_exact(value_text)
    except InvalidJson:
        return key, value_text
    if isinstance(value, str) or (isinstance(value, (bool, int, float)) and scalar_text(value) == value_text):
        return key, value
    return key, value_text


def _tell(engine: Engine, correlation: str, result: Sent, ends: list[dict[str, Json]] | None) -> None:
    from sm_cli.cli.messages.awaiting import ends_table
    from sm_cli.cli.terminal.tables import clean

    line = _line(engine, correlation, result)
    if line is not None:
        out.text(clean(line))
    if ends is not None:
        for row in ends_table(ends):
            out.text(row)
    if line is not None:
        for sentence in result.near:
            say(f"  {clean(sentence)}")


def _line(engine: Engine, correlation: str, result: Sent) -> str | None:
    """What became of it; None when that is an error."""
    from sm_cli.cli.messages.list import became
    from sm_cli.cli.terminal.tables import local_time

    if result.outcome == "delivered":
        count = len(result.executions)
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        receivers = ", ".join(result.executions[:_NAMED])
        return f"{correlation} was delivered to {count} execution{'s' if count > 1 else ''}: {receivers}{more}"
    if result.outcome == "buffered" and result.until is not None:
        return f"nobody waits for {correlation} now; it is kept until {local_time(result.until)}"
    if result.first is not None:
        when = local_time(result.first.received)
        return (
            f"{correlation} repeats message {result.first.id}, which was sent {when} and {became(engine, result.first)}"
        )
    return None


def _check(correlation: str, result: Sent, *, must_arrive: bool, least: int) -> None:
    """Raise NotDelivered when fewer received it than had to; a repeat counts with those who received the first."""
    receivers = result.first.count if result.first is not None else len(result.executions)
    if must_arrive and receivers == 0:
        if result.first is not None:
            raise NotDelivered(f"nobody has received message {result.first.id}, which {correlation} repeats")
        raise NotDelivered(f"nobody waits for {correlation}, so nothing was sent", hint="; ".join(result.near) or None)
    if receivers < least:
        raise NotDelivered(f"{receivers} of the {least} executions that were expected received {correlation}")
