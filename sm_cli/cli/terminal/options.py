"""The options that several commands share, and what their texts mean.

Every option is text until a function here reads it, so that the sentence about a bad one is ours.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from sm_cli.errors import UsageError


def _log_more(value: bool) -> bool:
    if value:
        from sm_cli.cli.terminal.logs import more

        more()
    return value


def _log_as(value: str | None) -> str | None:
    if value is not None:
        from sm_cli.cli.terminal.logs import use_format

        use_format(value, source("--log-format"))
    return value


_lock_timeouts: list[float] = []


def lock_timeout() -> float | None:
    """Seconds that this command was told to wait for who writes; None when it was told nothing."""
    return _lock_timeouts[0] if _lock_timeouts else None


def use_lock_timeout(seconds: float | None) -> None:
    """What this command was told; None when it was told nothing."""
    _lock_timeouts[:] = [] if seconds is None else [seconds]


def _wait_for_lock(value: str | None) -> str | None:
    use_lock_timeout(None if value is None else seconds(value, source("--lock-timeout")))
    return value


#: Options whose value came from a variable of the environment, and its name.
_variables: dict[str, str] = {}


def note_source(option: str, variable: str | None) -> None:
    """Remember that an option's value came from this variable; None: from the command line."""
    if variable is None:
        _variables.pop(option, None)
    else:
        _variables[option] = variable


def source(option: str) -> str:
    """What gave an option its value, for a sentence about it: the option itself, or `SM_CONCURRENCY`."""
    return _variables.get(option, option)


_trusts: list[bool] = []
#: What a variable of the environment may say instead of a switch.
_YES, _NO = ("1", "true", "t", "yes", "y", "on"), ("0", "false", "f", "no", "n", "off")


def is_trusted() -> bool:
    """Whether this command was told to obey the files of other users."""
    return bool(_trusts)


def trust_by_variable() -> None:
    """Obey SM_TRUST where no option reads it. Raises UsageError for what is neither yes nor no."""
    import os

    text = os.environ.get("SM_TRUST", "").strip().lower()
    if text not in (*_YES, *_NO, ""):
        raise UsageError(f"SM_TRUST is yes or no, as 1 and 0, not {text!r}")
    _trust_others(text in _YES)


def _trust_others(value: bool) -> bool:
    _trusts[:] = [True] if value else []
    return value


Database = Annotated[
    str | None,
    typer.Option("--db", metavar="URL", envvar="SM_DATABASE_URL", help="The database; .sm/sm.db unless given."),
]
LockTimeout = Annotated[
    str | None,
    typer.Option(
        "--lock-timeout", metavar="SPAN", envvar="SM_LOCK_TIMEOUT", is_eager=True, callback=_wait_for_lock,
        help="How long to wait for another program that writes to the database; 30s unless given.",
    ),
]  # fmt: skip
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", envvar="SM_TRUST", is_eager=True, callback=_trust_others,
        help="Obey configuration, database and handlers of another user too.",
    ),
]  # fmt: skip
Handlers = Annotated[
    str | None,
    typer.Option(
        "--handlers", metavar="DIR", envvar="SM_HANDLERS", help="Where the handlers are; handlers/ unless given."
    ),
]
Import = Annotated[
    bool, typer.Option("--import", help="Execute the handlers' files to know their names, instead of reading them.")
]
Stubbed = Annotated[bool, typer.Option("--stub", help="Answer {} for every task without a handler.")]
Substitutions = Annotated[
    list[str] | None,
    typer.Option(
        "--substitutions", metavar="FILE|K=V", show_default=False,
        help="Values of ${Name}: JSON, YAML or dotenv, or one value; may be given again.",
    ),
]  # fmt: skip
Buckets = Annotated[
    str | None,
    typer.Option(
        "--buckets", metavar="DIR", envvar="SM_BUCKETS",
        help="The directory that stands for S3, DIR/BUCKET/KEY; buckets/ unless given.",
    ),
]  # fmt: skip
Concurrency = Annotated[
    str | None,
    typer.Option("--concurrency", metavar="N", envvar="SM_CONCURRENCY", help="Handlers at once; 8 unless given."),
]
Processes = Annotated[
    str | None,
    typer.Option(
        "--processes", metavar="N", envvar="SM_PROCESSES",
        help="Run handlers in N processes of their own; 0 for threads, which is the default.",
    ),
]  # fmt: skip
Full = Annotated[bool, typer.Option("--full", help="Print data whole, however long; --json and -o json always do.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FORMAT", help="table, json, jsonl, yaml or jsonpath=EXPR.")
]
Limit = Annotated[str, typer.Option("--limit", metavar="N", help="At most so many.")]
OfWorkflow = Annotated[str | None, typer.Option("--workflow", metavar="NAME", help="Only those of one workflow.")]
OfValue = Annotated[str | None, typer.Option("--value", metavar="VALUE", help="With --key: and this value.")]
TableOutput = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT",
        help="table, wide (cut nowhere), json, jsonl, yaml or jsonpath=EXPR.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v",
        "--verbose",
        is_eager=True,
        callback=_log_more,
        help="Tell on stderr what the engine does; show whole tracebacks.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing but warnings, and what failed at the end.")]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", metavar="FORMAT", envvar="SM_LOG_FORMAT", is_eager=True, callback=_log_as,
                 help="text or json."),
]  # fmt: skip
Reference = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION", show_default=False, help="An id or its beginning, a name, an ARN, @last, @failed, …"
    ),
]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
#: As long as a message is kept at most: three centuries, which also every time in the database can hold.
_LONGEST = 10**10
_SPAN = r"(?:\d+(?:\.\d+)?[smhd])+|\d+(?:\.\d+)?"


def seconds(text: str, option: str) -> float:
    """`90`, `30s`, `5m`, `1h30m`, `2d` in seconds. Raises UsageError."""
    if not re.fullmatch(_SPAN, text):
        raise UsageError(f"{option} takes seconds or a span like 30s, 5m, 1h or 1h30m, not {text!r}")
    span = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text))
    if span > _LONGEST:
        raise UsageError(f"{option} takes at most {_LONGEST} seconds, not {text!r}")
    return span


def count(text: str, option: str) -> int:
    """A whole number from 1 on. Raises UsageError for anything else."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:8]) <= 1_000_000:
        raise UsageError(f"{option} takes a whole number from 1 on, not {text!r}")
    return int(text)


def queue_name(text: str, option: str) -> str:
    """A queue's name: up to 40 letters, digits, `-`, `_` and `.`. Raises UsageError for another one."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", text):
        raise UsageError(f"{option} takes a queue's name, of letters, digits, '-', '_' and '.', not {text!r}")
    return text


def choice(text: str, option: str, choices: tuple[str, ...]) -> str:
    """The text when it is one of those allowed. Raises UsageError."""
    if text not in choices:
        raise UsageError(f"{option} takes {', '.join(choices[:-1])} or {choices[-1]}, not {text!r}")
    return text


def table_format(output: str | None, as_json: bool = False) -> tuple[str, bool]:
    """(the format, whether a table is wanted with all that it has, however wide the terminal is). Raises UsageError."""
    return ("table", True) if output == "wide" else (output_format(output, as_json), False)


def output_format(output: str | None, as_json: bool = False, *, csv: bool = False) -> str:
    """One of table, json, jsonl, yaml, or `jsonpath=` and an expression that can be read. `--json` is `-o json`. csv:
    whether that is one, too. Raises UsageError."""
    if output is None:
        return "json" if as_json else "table"
    if output.startswith("jsonpath="):
        from sm_cli.cli.terminal.selecting import PREFIX, compile_selection

        compile_selection(output.removeprefix(PREFIX))
        return output
    if output not in ("table", "json", "jsonl", "yaml") and not (csv and output == "csv"):
        also = " csv," if csv else ""
        raise UsageError(f"-o takes table,{also} json, jsonl, yaml or jsonpath=EXPR, not {output!r}")
    return output
