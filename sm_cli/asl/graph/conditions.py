"""A Choice rule as a person would say it: `$.total > 1000 and $.tier = "PREMIUM"`.

Any rule has a text, also a wrong one; what cannot be read is `?`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from sm_cli.jsonvalue import Json

_SIGNS: Mapping[str, str] = {
    "Equals": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "<=",
    "GreaterThanEquals": ">=",
}
_COMPARISON = re.compile(
    r"(?:String|Numeric|Timestamp|Boolean)(?P<sign>Equals|(?:Less|Greater)Than(?:Equals)?)(?P<path>Path)?"
)
_KINDS: Mapping[str, str] = {
    "IsNull": "null",
    "IsPresent": "present",
    "IsNumeric": "a number",
    "IsString": "text",
    "IsBoolean": "true or false",
    "IsTimestamp": "a timestamp",
}
_EXPRESSION = re.compile(r"\s*\{%(?P<inside>.*)%\}\s*", re.DOTALL)


def condition_text(rule: dict[str, Json]) -> str:
    """The condition of one rule of a Choice state (States Language, "Choice State"), on one line."""
    return _text(rule, in_brackets=False)


def label_text(value: Json) -> str:
    """A field's value as a label shows it: text as it is, an expression without its brackets, else JSON."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    match = _EXPRESSION.fullmatch(value)
    return match["inside"].strip() if match else value


def _text(rule: Json, *, in_brackets: bool) -> str:
    if not isinstance(rule, dict):
        return "?"
    if "Condition" in rule:
        return label_text(rule["Condition"])
    for word in ("And", "Or"):
        if word in rule:
            return _join(rule[word], word.lower(), in_brackets)
    if "Not" in rule:
        inner = _text(rule["Not"], in_brackets=True)
        return f"not {inner}" if inner.startswith("(") else f"not ({inner})"
    variable = rule.get("Variable")
    subject = variable if isinstance(variable, str) else "?"
    for operator, operand in rule.items():
        test = _test(operator, operand)
        if test:
            return f"{subject} {test}"
    return f"{subject} ?"


def _join(rules: Json, word: str, in_brackets: bool) -> str:
    parts = [_text(rule, in_brackets=True) for rule in rules] if isinstance(rules, list) else ["?"]
    text = f" {word} ".join(parts) or "?"
    return f"({text})" if in_brackets and len(parts) > 1 else text


def _test(operator: str, operand: Json) -> str:
    """What one operator asks: `> 1000`, `is present`; "" for a field that is no operator."""
    if operator in _KINDS:
        return f"is {'not ' if operand is False else ''}{_KINDS[operator]}"
    if operator == "StringMatches":
        return f"matches {json.dumps(operand, ensure_ascii=False)}"
    match = _COMPARISON.fullmatch(operator)
    if match is None:
        return ""
    # A path and a timestamp say by themselves what they are; other text is told from them by its quotes.
    bare = isinstance(operand, str) and (match["path"] or operator.startswith("Timestamp"))
    return f"{_SIGNS[match['sign']]} {operand if bare else json.dumps(operand, ensure_ascii=False)}"
