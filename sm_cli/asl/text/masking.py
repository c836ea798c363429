"""Texts of template engines, with what is theirs replaced by as many characters, so that every place stays.

Terraform's `templatefile` has `${…}` with expressions inside and directives `%{ … }`; Jinja has `{{ … }}`, `{% … %}`
and `{# … #}`. Expressions become placeholders `${…}`, directives and comments become blanks.
"""

from __future__ import annotations

import re

_JINJA = re.compile(r"\{\{-?(?P<value>.*?)-?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_DIRECTIVE = re.compile(r"%\{[^}\n]*\}")
#: What cannot stand inside the braces of a placeholder, and what stands in its place.
_INSIDE = str.maketrans({"{": "(", "}": ")", '"': "'", "\\": "/", "\n": " ", "\r": " ", "\t": " "})


def mask(content: bytes, file: str) -> bytes | str:
    """A text as a definition can be read from it; by the name of its file. Raises nothing."""
    name = file.lower()
    if not name.endswith((".j2", ".tftpl", ".tpl")):
        return content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content
    if name.endswith(".j2"):
        return _JINJA.sub(_jinja, text)
    return mask_interpolations(_DIRECTIVE.sub(_blanks, text))


def mask_interpolations(text: str) -> str:
    """Each `${…}`, whose expression may hold braces, quotes and line ends, as a placeholder of the same length."""
    parts: list[str] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start and text[start - 1] == "$":  # $${ is a literal ${
            parts.append(text[at : start + 2])
            at = start + 2
            continue
        end = end_of_interpolation(text, start)
        parts.append(text[at : start + 2])
        parts.append(text[start + 2 : end - 1].translate(_INSIDE))
        at = end - 1
    return "".join([*parts, text[at:]])


def end_of_interpolation(text: str, start: int) -> int:
    """The offset after the brace that closes the `${` at `start`; the text's end when none does."""
    depth, i = 0, start + 1
    is_quoted = False
    while i < len(text):
        c = text[i]
        if is_quoted:
            if c == "\\":
                i += 1
            elif c == '"':
                is_quoted = False
        elif c == '"' and depth:
            is_quoted = True
        elif c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return len(text)


def _jinja(match: re.Match[str]) -> str:
    value = match["value"]
    if value is None or not value.strip():
        return _blanks(match)
    inside = match[0][2:-2].strip("-").translate(_INSIDE)
    return "${" + inside.ljust(len(match[0]) - 3) + "}"


def _blanks(match: re.Match[str]) -> str:
    return "".join(c if c in "\r\n" else " " for c in match[0])
