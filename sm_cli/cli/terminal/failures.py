"""Exceptions become sentences on stderr and exit codes.

A traceback is shown only to who asks for it (`-v`, SM_DEBUG); whatever is not an SmError is our bug and
says so.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable

from sm_cli.cli.escaping import escape, mark_lines
from sm_cli.errors import InvalidDefinition, SmError

#: What a person can do, by an error's topic.
_HINTS = {
    "execution": "`sm list` shows what there is",
    "batch": "`sm batch list` shows what there is",
    "map run": "`sm map-runs` shows what there is",
    "schedule": "`sm schedule list` shows what there is",
    "schedule exists": "Give this one another --name, or remove the other: sm schedule remove.",
    "schedule over": "sm schedule run-now starts it all the same; sm schedule remove forgets it.",
    "message": "`sm messages list` shows what there is",
    "version": "`sm workflow versions NAME` shows what there is",
    "alias": "`sm workflow alias NAME` shows what there is",
    "express": "Run it without --express.",
    "handlers directory": "--handlers DIR names another one.",
    "failed source": "--allow-failed takes it all the same.",
    "input": "Give its input with --input.",
    "missing handler": "--handlers DIR names another directory; with --stub such a task is answered with {}.",
    "backup": "--force replaces it.",
    "other path": "Give another path with --db.",
    "copy source": "Stop its workers first; with --snapshot one moment of it is copied, and what comes later is not.",
    "copy": "Stop who writes to the source, delete the copy and begin again; with --snapshot one moment is copied.",
    "unfinished copy": "sm db copy, with the same two databases, finishes it.",
    "delete": "sm stop ends it first.",
    "server backup": "pg_dump --schema=NAME copies it while workers run; sm db copy copies it into a file.",
    "migrate": "sm db migrate does it for a role that may make tables.",
    "no engine tables": "sm db migrate --engine procrastinate makes its tables, by a role that may.",
    "no database": "`sm run` and `sm init` make one; --db names another.",
}
#: No more of a path is shown.
_LONGEST_PATH = 200


def advice_for(error: SmError) -> list[str]:
    """What to do about it, in sentences; none when there is none."""
    return [text for text in (error.hint, _HINTS.get(error.topic or "")) if text]


def report(error: BaseException) -> int:
    """Say what went wrong; returns the exit code."""
    if isinstance(error, InvalidDefinition):
        for diagnostic in error.diagnostics:
            say(str(diagnostic))
        if error.hint:
            say(f"  hint: {error.hint}")
        return error.exit_code
    if isinstance(error, SmError):
        say(f"sm: error: {error.message}")
        advice = advice_for(error)
        if advice:
            say(f"  hint: {' '.join(advice)}")
        _trace(error)
        return error.exit_code
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):
        _show(show)  # typer's own: a wrong option, a missing argument
        return code
    outside = _outside(error)
    if outside is not None:
        sentence, exit_code = outside
        say(f"sm: error: {sentence}")
        _trace(error)
        return exit_code
    say(f"sm: error: this is a bug in sm: {type(error).__name__}: {error}; run again with SM_DEBUG=1 for the details")
    _trace(error)
    return 70


def _outside(error: BaseException) -> tuple[str, int] | None:
    """(sentence, exit code) for what the system refuses and no room has put in its own words: a path or a lock."""
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return f"the result could not be written: {error.strerror}", 7
        place = "" if error.filename is None else f"{shorten_path(os.fsdecode(error.filename))}: "
        return f"{place}{error.strerror}", 7
    if isinstance(error, ValueError) and str(error).startswith("embedded null"):
        return "a path holds a NUL character, and no file has such a name", 2
    return None


def shorten_path(path: str) -> str:
    """As much of a path as a sentence shows."""
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"


def _show(show: Callable[..., object]) -> None:
    buffer = io.StringIO()
    show(file=buffer)
    for line in buffer.getvalue().splitlines():
        say(line)


def say(line: str) -> None:
    """One line on stderr; a stderr that is gone is nobody's failure."""
    try:
        sys.stderr.write(f"{escape(line)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def warn(sentence: str) -> None:
    """One sentence on stderr, as a warning."""
    say(f"sm: warning: {sentence}")


def _trace(error: BaseException) -> None:
    logs = sys.modules.get("sm_cli.cli.terminal.logs")
    if os.environ.get("SM_DEBUG") or (logs is not None and logs.is_verbose()):
        import traceback

        for line in mark_lines("".join(traceback.format_exception(error))).split("\n"):
            say(line)
