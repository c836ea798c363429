"""What the YAML parser means, in sentences for the person who wrote the text.

The parser's own words are kept only where nothing plainer is known.
"""

from __future__ import annotations

import yaml

#: (how the parser's problem begins, the sentence, the hint); the first that fits is used.
_SENTENCES: tuple[tuple[str, str, str | None], ...] = (
    ("found undefined alias", "this alias names no anchor", None),
    (
        "mapping values are not allowed",
        "a ':' cannot stand here",
        "put text that holds ': ' in quotes; check the indentation",
    ),
    ("block sequence entries are not allowed", "a '-' cannot stand here", "begin a list on its own line, indented"),
    ("block mapping entries are not allowed", "a '?' cannot stand here", None),
    ("did not find expected key", "a key was expected here", "check the indentation here and before"),
    ("expected <block end>", "this does not fit the indentation of the lines before it", "check the indentation"),
    ("did not find expected '-' indicator", "a '- ' was expected here", "the items of a list begin in one column"),
    ("did not find expected ',' or '}'", "a ',' or '}' was expected here", "close the '{', or put the text in quotes"),
    ("did not find expected ',' or ']'", "a ',' or ']' was expected here", "close the '[', or put the text in quotes"),
    ("expected ',' or '}'", "a ',' or '}' was expected here", "close the '{', or put the text in quotes"),
    ("expected ',' or ']'", "a ',' or ']' was expected here", "close the '[', or put the text in quotes"),
    ("could not find expected ':'", "a ':' is missing after the key before this", "check the indentation"),
    ("found unexpected end of stream", "the text in quotes is not closed", None),
    (
        "found unknown escape character",
        "YAML does not know this escape",
        "in double quotes a backslash is written \\\\",
    ),
    ("found a tab character", "a tab cannot indent YAML", "use spaces"),
    ("found unexpected document indicator", "'---' or '...' stands inside a text in quotes", None),
    ("did not find expected hexdecimal number", "hexadecimal digits are missing in this escape", None),
    ("expected escape sequence", "hexadecimal digits are missing in this escape", None),
    ("did not find expected node content", "a value was expected here", None),
    ("expected the node content", "a value was expected here", None),
    ("did not find expected <document start>", "nothing may follow the definition here", "check its indentation"),
    ("expected '<document start>'", "nothing may follow the definition here", "check its indentation"),
    ("found undefined tag handle", "this tag is not part of the States Language", None),
    ("control characters are not allowed", "this control character must not stand in YAML", None),
    ("special characters are not allowed", "this control character must not stand in YAML", None),
)


def sentence(error: yaml.YAMLError, text: str, offset: int) -> tuple[str, str | None]:
    """(the sentence, what to do) for an error of the parser at this offset of the text."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    if "cannot start any token" in problem:
        return _bad_start(text[offset : offset + 1], text[max(0, offset - 1) : offset])
    if text[max(0, offset - 1) : offset + 1] == "${":
        return "inside braces and brackets a substitution must stand in quotes in YAML", 'write "${…}"'
    for beginning, words, hint in _SENTENCES:
        if problem.startswith(beginning):
            return words, hint
    return f"this is not YAML: {' '.join(problem.split())}", None


def _bad_start(c: str, before: str) -> tuple[str, str | None]:
    if c == "\t":
        return "a tab cannot indent YAML", "use spaces"
    if c == "%" and before == "{":
        return "a JSONata expression must stand in quotes in YAML", 'write "{% … %}"'
    return f"a plain text cannot begin with '{c}'", "put the text in quotes"
