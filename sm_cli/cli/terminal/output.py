"""Writing the result: JSON, YAML and text on stdout, and keeping handlers away from it.

Nothing but a command's result is written to stdout, and nothing else writes it.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import typer

from sm_cli.cli import escaping
from sm_cli.errors import NotFound

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json

_WORD = r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)'
_KEY, _TEXT, _OTHER, _OFF = "\x1b[34m", "\x1b[32m", "\x1b[33m", "\x1b[0m"


def ensure_streams() -> None:
    """A stdin, stdout or stderr that is closed becomes /dev/null: otherwise the database would get its number, and
    what is printed would be written into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        if sys.stdout is None and descriptor == 1:
            sys.stdout = os.fdopen(1, "w", closefd=False)
        if sys.stderr is None and descriptor == 2:
            sys.stderr = os.fdopen(2, "w", closefd=False)
    os.close(descriptor)
    if codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name != "utf-8":
        codecs.register_error("sm-escape", _escape)
        sys.stdout.reconfigure(errors="sm-escape")  # type: ignore[union-attr]  # only Python's own have an encoding


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What a stdout of few characters lacks, as JSON writes it: documents stay what they are, and names can be told
    from one another."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units = (lacking[i : i + 2].hex() for i in range(0, len(lacking), 2))
    return "".join(f"\\u{unit}" for unit in units), error.end


@contextmanager
def guard_stdout() -> Iterator[TextIO]:
    """What handlers print goes to stderr while this is open; the result goes to the stream it gives.

    File descriptor 1 itself points to stderr, so that a handler's child processes are kept away too.
    """
    before = sys.stdout
    before.flush()
    copy = os.dup(1)
    stream = os.fdopen(os.dup(copy), "w", encoding="utf-8")
    try:
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        try:
            yield stream
        except typer.Exit:
            stream.flush()  # an exit code of the command's own is no reason to lose that its result was not written
            raise
        stream.flush()
    finally:
        sys.stdout = before
        os.dup2(copy, 1)
        os.close(copy)
        with suppress(OSError):  # the flush above has said it already
            stream.close()


def is_coloured(stream: TextIO) -> bool:
    """Whether a stream is a terminal that wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_size(stream: TextIO) -> os.terminal_size:
    """Columns and lines of a stream's terminal; where it does not tell, what COLUMNS and LINES say."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        size = os.terminal_size((0, 0))
    other = shutil.get_terminal_size()
    return os.terminal_size((size.columns or other.columns, size.lines or other.lines))


#: Characters that are handed to a stream at once: it encodes a copy of them.
_PORTION = 1 << 20


def text(line: str, stream: TextIO | None = None) -> None:
    """One line, with nothing in it that a terminal would obey."""
    _in_pieces(escaping.escape(line), stream or sys.stdout)


def lines(painted_text: str, stream: TextIO | None = None) -> None:
    """Lines that this program has broken and, perhaps, painted itself; what is data in them is one line."""
    _in_pieces(escaping.escape_painted(painted_text), stream or sys.stdout)


def _in_pieces(text: str, stream: TextIO) -> None:
    """A line of text, without a copy of all of it."""
    if len(text) > _PORTION:
        for begin in range(0, len(text), _PORTION):
            stream.write(text[begin : begin + _PORTION])
        text = ""
    stream.write(f"{text}\n")


def exact_text(document: str, stream: TextIO | None = None) -> None:
    """A text of several lines, to the letter unless it goes to a terminal."""
    stream = stream or sys.stdout
    if stream.isatty():
        lines("\n".join(map(escaping.escape, document.splitlines())), stream)
    else:
        stream.write(document if document.endswith("\n") else f"{document}\n")


def value(result: Json, stream: TextIO | None = None) -> None:
    """JSON: on a terminal indented and coloured, else compact on one line."""
    import orjson

    stream = stream or sys.stdout
    if not stream.isatty():
        body = orjson.dumps(result)
        if len(body) <= _PORTION:
            text(body.decode(), stream)
        else:
            _in_portions(body, stream)
        return
    document = escaping.escaped_lines(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    lines(_colour(document) if is_coloured(stream) else document, stream)


def _in_portions(body: bytes, stream: TextIO) -> None:
    """A long line, without a copy of all of it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for begin in range(0, len(body), _PORTION):
        stream.write(decoder.decode(body[begin : begin + _PORTION]))
    stream.write("\n")


def _colour(document: str) -> str:
    def paint(match: re.Match[str]) -> str:
        string, colon, other = match.groups()
        if other is not None:
            return f"{_OTHER}{other}{_OFF}"
        return f"{_KEY}{string}{_OFF}{colon}" if colon else f"{_TEXT}{string}{_OFF}"

    return re.sub(_WORD, paint, document)


def rows(values: Sequence[Json], format: str, stream: TextIO | None = None) -> None:
    """Several values as `json` (one array), `jsonl` (one a line), `yaml`, or what `jsonpath=EXPR` finds in the
    array."""
    if format == "jsonl":
        from sm_cli.jsonvalue import dumps

        for each in values:
            text(dumps(each), stream)
    else:
        print_document(list(values), format, stream)


def one(result: Json, format: str, stream: TextIO | None = None) -> None:
    """One value as `json`, `jsonl`, `yaml`, or what `jsonpath=EXPR` finds in it. Raises NotFound when that is
    nothing."""
    if format == "jsonl":
        rows([result], format, stream)
    elif not print_document(result, format, stream):
        raise NotFound(f"{format} finds nothing")


def print_document(result: Json, format: str, stream: TextIO | None = None) -> bool:
    """One value as `json`, `yaml`, or what `jsonpath=EXPR` finds in it; returns whether there was anything."""
    if format == "yaml":
        _yaml(result, stream)
    elif format == "json":
        value(result, stream)
    else:
        from sm_cli.cli.terminal.selecting import PREFIX, find_matches, text_of_match

        matches = find_matches(result, format.removeprefix(PREFIX))
        for each in matches:
            text(text_of_match(each), stream)
        return bool(matches)
    return True


def _yaml(result: Json, stream: TextIO | None) -> None:
    import yaml

    class Whole(yaml.SafeDumper):
        """Values that are one object in memory are written each time, and not as an anchor and its aliases."""

        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base's
            return True

    document = yaml.dump(result, Dumper=Whole, sort_keys=False, allow_unicode=True).rstrip()
    if escaping.escaped_lines(document) != document or re.search(r"(?m)^\s*::", document):
        # YAML has its own escapes for what is not shown, and breaks no line of text then.
        document = yaml.dump(result, Dumper=Whole, sort_keys=False, default_style='"', width=2**31).rstrip()
    lines(document, stream)


def flush() -> None:
    """Write out what stdout holds back."""
    sys.stdout.flush()


def end_silently() -> int:
    """Whoever read our stdout is gone: end in silence, also when Python flushes at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return 141
