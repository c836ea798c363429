"""`sm explain`: what a code of `sm validate` means, with a definition that is wrong and the same put right."""

from __future__ import annotations

import textwrap
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sm_cli.asl.validation.rules.catalogue import Rule
    from sm_cli.jsonvalue import Json

_WIDTH = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    code: Annotated[
        str | None,
        typer.Argument(metavar="[CODE]", show_default=False, help="Such as SM203, or AWS's name; all unless given."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell what a code of validate means, with examples."""
    from sm_cli.asl.validation.validate import CATALOGUE

    rules = [rule for _, rule in sorted(CATALOGUE.items())]
    if code is not None:
        rules = _find_rules(rules, code)
    is_one = code is not None and len(rules) == 1
    if json:
        out.value(_as_json(rules[0]) if is_one else [_as_json(rule) for rule in rules])
    elif is_one:
        for line in _page(rules[0]):
            out.text(line)
    else:
        from sm_cli.cli.terminal.tables import table

        for line in table(("CODE", "SEVERITY", "TITLE"), [(r.code, r.severity, r.title) for r in rules]):
            out.text(line)


def _find_rules(rules: list[Rule], code: str) -> list[Rule]:
    """The rule with this code, or those that AWS calls so. Raises NotFound when there is none."""
    from sm_cli.errors import NotFound

    name = code.strip().upper()
    matches = [rule for rule in rules if name in (rule.code, rule.aws_code)]
    if not matches:
        names = [rule.code for rule in rules] + sorted({rule.aws_code for rule in rules if rule.aws_code})
        close = get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]}?" if close else "sm explain lists them all."
        raise NotFound(f"there is no diagnostic {code[:80]!r}", hint=hint)
    return matches


def _page(rule: Rule) -> Iterator[str]:
    yield f"{rule.code} ({rule.severity}): {rule.title}."
    if rule.explanation:
        yield ""
        yield from textwrap.wrap(rule.explanation, _WIDTH)
    for head, example in (("Wrong:", rule.bad), ("Right:", rule.good)):
        if example:
            yield ""
            yield head
            yield ""
            yield from (f"    {line}".rstrip() for line in example.splitlines())
    if rule.aws_code:
        yield ""
        yield f"AWS calls it {rule.aws_code}."


def _as_json(rule: Rule) -> Json:
    return {
        "code": rule.code,
        "severity": rule.severity,
        "title": rule.title,
        "aws_code": rule.aws_code,
        "explanation": rule.explanation,
        "bad": rule.bad,
        "good": rule.good,
    }
