"""Data written as YAML: what JSON can hold, read by the rules of definitions.

`true false null` and JSON's numbers are what they are in JSON, every other plain scalar is text (`NO`, `12:30`, a
date); anchors, tags and merge keys are refused, so nothing is larger than it looks.
"""

from __future__ import annotations

from sm_cli.asl.text.spans import Lines
from sm_cli.asl.text.yaml_source import read_yaml_text
from sm_cli.errors import InvalidJson
from sm_cli.jsonvalue import Json

#: What the reader says of definitions, and what is meant of data.
_WORDS = (
    ("part of the States Language", "part of JSON"),
    ("a definition is one document", "data is one document"),
    ("the definition", "the data"),
    (", or a substitution such as ${Name}", ""),
    ("a JSONata expression must stand", "this must stand"),
    ("a substitution must stand", "this must stand"),
    ('write "{% … %}"', "put it in quotes"),
    ('write "${…}"', "put it in quotes"),
)


def read_data(text: str | bytes, what: str) -> Json:
    """The value of a YAML text. what: its name in a sentence.

    Raises InvalidJson, with line and column, for what is no YAML and for YAML that JSON cannot hold exactly.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as e:
            raise InvalidJson(f"{what} is not UTF-8: byte {e.start} is 0x{e.object[e.start]:02x}") from None
    value, root, problems = read_yaml_text(text)
    if problems:
        first = min(problems, key=lambda problem: problem.start)
        lines = Lines(text)
        line, column = lines.line(first.start), lines.column(first.start)
        message = f"{what} cannot be read: {_of_data(first.message)}, at line {line}, column {column}"
        error = InvalidJson(message, line=line, column=column)
        error.hint = None if first.hint is None else _of_data(first.hint)
        raise error
    if root is None:
        raise InvalidJson(f"{what} is empty")
    return value


def _of_data(sentence: str) -> str:
    for of_definitions, of_data in _WORDS:
        sentence = sentence.replace(of_definitions, of_data)
    return sentence
