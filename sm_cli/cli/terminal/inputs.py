"""What a person gives an execution: `--input FILE|-|JSON`, where files and stdin may be YAML, and `key=value`.

Data is kept exactly or refused with a sentence; it is never changed in silence.
"""

from __future__ import annotations

import codecs
import errno
import sys
from pathlib import Path

from sm_cli.cli.terminal.failures import warn
from sm_cli.errors import InvalidJson, NotFound, UsageError
from sm_cli.jsonvalue import Json, dumps, loads_exact, size_of

#: AWS refuses larger inputs (Step Functions quotas: 256 KiB); here they only get a warning.
AWS_MAX_BYTES = 262_144
#: So many bytes tell of most contents that they are not blank.
_LOOK = 100
_NOT_JSON = ("NaN", "Infinity", "-Infinity")


def read_input(source: str | None, pairs: list[str]) -> Json:
    """The input: `{}` when nothing is given, the pairs put into what `--input` gave. Raises UsageError."""
    value = {} if source is None else read_json(source, "--input")
    if pairs:
        if not isinstance(value, dict):
            raise UsageError(f"key=value needs an object to go into, and --input is {dumps(value)[:40]}")
        value = {**value, **read_pairs(pairs)}
    warn_if_large(value, "the input")
    return value


def warn_if_large(value: Json, what: str) -> None:
    """Warn of a value that AWS would not take. what: its name in the sentence."""
    size = size_of(value)
    if size > AWS_MAX_BYTES:
        warn(f"{what} has {size:,} bytes; AWS takes at most {AWS_MAX_BYTES:,}")


def read_stdin(most: int = -1) -> bytes:
    """What stands on stdin, at most so many bytes unless `most` is negative. Raises UsageError when it is closed."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("stdin is closed, so nothing can be read from it")
    return sys.stdin.buffer.read(most)


def read_json(source: str, option: str) -> Json:
    """`-` is stdin, JSON or YAML; text that begins like JSON is JSON; else a file, JSON or YAML, else a JSON scalar.
    Raises UsageError for what cannot be read."""
    _refuse_bytes(source)
    if not source:
        raise UsageError(f"{option} is empty")
    if source == "-":
        return _read([_refuse_nothing(read_stdin(), "stdin")], "stdin", is_yaml=False)
    if source.lstrip()[:1] in ("{", "[", '"'):
        return loads_exact(source, what=option)
    try:
        content = Path(source).read_bytes() if "\0" not in source else None
    except FileNotFoundError:
        content = None
    except OSError as e:
        if e.errno != errno.ENAMETOOLONG:
            raise UsageError(f"{source} cannot be read: {e.strerror}") from e
        content = None
    if content is None:
        return _scalar(source, option)
    handed_over = [_refuse_nothing(content, source)]
    del content  # so that the bytes are gone when they are text
    return _read(handed_over, source, is_yaml=Path(source).suffix in (".yaml", ".yml"))


def _read(handed_over: list[bytes], what: str, *, is_yaml: bool) -> Json:
    """JSON, or YAML: a file that is called so, or a text that begins like no JSON and is an object or an array."""
    begin = handed_over[0][:64].removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if not is_yaml and begin in (b"{", b"[", b'"', b""):
        return loads_exact(handed_over.pop(), what=what)
    try:
        return loads_exact(handed_over[0], what=what)
    except InvalidJson as e:
        if e.line is None:
            raise  # JSON, but not to be kept exactly
        from sm_cli.asl.text.yaml_data import read_data

        value = read_data(handed_over.pop(), what)
        if not is_yaml and not isinstance(value, dict | list):
            raise
        return value


def _refuse_nothing(content: bytes, what: str) -> bytes:
    if not content[:_LOOK].strip() and not content.strip():
        raise UsageError(f"{what} is empty")
    return content


def _scalar(source: str, option: str) -> Json:
    try:
        return loads_exact(source, what=option)
    except InvalidJson as e:
        if e.line is None:
            raise  # JSON, but not to be kept exactly
        hint = 'JSON text begins with { or [ or "; a word of its own is written \'"word"\'.'
        raise NotFound(f"there is no file {source}", hint=hint) from None


def read_pairs(pairs: list[str]) -> dict[str, Json]:
    """`key=value`: the value is JSON when it reads as JSON, else text. Raises UsageError for what is no pair, or
    given twice."""
    values: dict[str, Json] = {}
    for pair in pairs:
        _refuse_bytes(pair)
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"{pair!r} is not key=value")
        if key in values:
            raise UsageError(f"{key} is given twice")
        values[key] = json_or_text(value, key)
    return values


def json_or_text(value: str, what: str) -> Json:
    """Raises InvalidJson for JSON that cannot be kept exactly, such as an integer beyond 64 bits."""
    try:
        return loads_exact(value, what=what)
    except InvalidJson as e:
        if e.line is not None or value in _NOT_JSON:
            return value
        raise


def _refuse_bytes(argument: str) -> None:
    """Arguments that are not UTF-8 reach Python as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{argument!r} is not UTF-8") from None
