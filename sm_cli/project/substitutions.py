"""Values for the `${Name}` of definitions, as people give them: `NAME=VALUE`, or a file of JSON, YAML or dotenv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sm_cli.errors import InvalidJson, UsageError
from sm_cli.jsonvalue import Json, loads_exact

_PAIR = re.compile(r"(?:export\s+)?([A-Za-z_][\w.:-]*)\s*=\s*(.*)", re.DOTALL)
_COMMENT = re.compile(r"\s+#.*")
_FILE_HINT = 'It holds an object such as {"Name": "value"}, or lines such as NAME=value.'


def read_substitutions(sources: Sequence[str]) -> dict[str, Json]:
    """The values of all sources, each `NAME=VALUE` or a file; the later one wins. A value is JSON when it reads as
    JSON, else text. Raises UsageError for what gives none, NotFound for a file that is not there."""
    values: dict[str, Json] = {}
    for source in sources:
        pair = None if Path(source).is_file() else _PAIR.fullmatch(source)
        if pair is not None:
            values[pair[1]] = _value(pair[2])
        else:
            values |= _file(source)
    return values


def _value(text: str) -> Json:
    try:
        return loads_exact(text, what="the value")
    except InvalidJson:
        return text


def _file(path: str) -> dict[str, Json]:
    from sm_cli.asl.text.source import parse
    from sm_cli.project.definitions import read_file

    content = read_file(path)
    from_lines = _dotenv(content)
    if from_lines is not None:
        return from_lines
    parse_result = parse(content, file=path)
    if parse_result.document is None or not isinstance(parse_result.document.value, dict):
        first = f": {parse_result.diagnostics[0].message}" if parse_result.diagnostics else ""
        raise UsageError(f"{path} gives no substitutions{first}", hint=_FILE_HINT)
    return parse_result.document.value


def _dotenv(content: bytes) -> dict[str, Json] | None:
    """What the lines of a dotenv file say; None for a text of another kind."""
    values: dict[str, Json] = {}
    for line in content.decode("utf-8-sig", "replace").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        pair = _PAIR.fullmatch(text)
        if pair is None:
            return None
        value = pair[2]
        if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
            values[pair[1]] = value[1:end]
        else:
            values[pair[1]] = _value(_COMMENT.sub("", value))
    return values or None
