"""Rules about Choice states. States Language, "Choice State".

A rule is a boolean expression (And, Or, Not) or one comparison of a Variable; nothing else, and never two.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_cli.asl.fields import OPERATORS
from sm_cli.asl.outline import StateAt, objects_in
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, state_rule
from sm_cli.asl.validation.rules.expressions import values
from sm_cli.asl.validation.rules.flow import is_misspelled
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.expr.choice import MAX_DEPTH, compile_pattern
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import why_not_a_timestamp

BOOLEAN = ("And", "Or", "Not")
_ALLOWED = {"Variable", "Next", "Comment", "Assign", *BOOLEAN}


def rules(state: StateAt) -> Iterator[tuple[str, dict[str, Json]]]:
    """(pointer, rule) of all rules of a JSONPath Choice, those inside And, Or and Not included."""
    waiting = list(state.items("Choices"))[::-1]
    while waiting:
        pointer, rule = waiting.pop()
        yield pointer, rule
        inner = [*objects_in(rule, pointer, "And"), *objects_in(rule, pointer, "Or")]
        operand = rule.get("Not")
        if isinstance(operand, dict):
            inner.append((f"{pointer}/Not", operand))
        waiting.extend(inner[::-1])


@state_rule("SM401", "error", "A Choice rule makes one test", "Choice", aws=SCHEMA)
def one_test(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, rule in rules(state):
        tests = [name for name in rule if name in OPERATORS or name in BOOLEAN]
        if len(tests) > 1:
            message = f"A rule makes one test; {tests[1]} cannot stand beside {tests[0]}"
            about = "" if any(name in BOOLEAN for name in tests) else "comparisons"
            yield Finding(f"{pointer}/{tests[1]}", message, "join two tests by And or Or", key=True, about=about)
        elif not tests and all(name in _ALLOWED for name in rule):
            what = "compares its Variable with nothing" if "Variable" in rule else "tests nothing"
            hint, about = "add a comparison such as StringEquals, or And, Or, Not", "no comparison"
            yield Finding(pointer, f"This rule {what}", hint, about=about if "Variable" in rule else "nothing")


@state_rule("SM402", "error", "A comparison has a Variable", "Choice", aws=SCHEMA)
def comparisons_have_a_variable(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, rule in rules(state):
        compares = [name for name in rule if name in OPERATORS]
        joins = [name for name in rule if name in BOOLEAN]
        if compares and not joins and "Variable" not in rule:
            message = f"{compares[0]} compares nothing: the rule has no Variable"
            yield Finding(pointer, message, about="nothing")
        elif joins and not compares and "Variable" in rule:
            message = f"Variable belongs to a comparison; it cannot stand beside {joins[0]}"
            yield Finding(f"{pointer}/Variable", message, key=True)


@state_rule("SM403", "error", "A timestamp is RFC3339 with a T and a zone", "Choice", "Wait", aws=SCHEMA)
def timestamps_parse(state: StateAt) -> Iterator[Finding]:
    for pointer, field, value in values(state, "timestamp"):
        if not isinstance(value, str) or is_unknown(value):
            continue
        if state.language == "JSONata" and value.startswith("{%"):
            continue
        if problem := why_not_a_timestamp(value):
            hint = "an expression {% … %} needs QueryLanguage: JSONata" if value.startswith("{%") else None
            if state.language == "JSONPath" and value.startswith(("$.", "$$.", "$[")):
                hint = f"use {field}Path"
            yield Finding(pointer, f"{field} is not a timestamp: {problem}", hint)


@state_rule("SM405", "error", "A pattern escapes only * and \\", "Choice")
def patterns_compile(state: StateAt) -> Iterator[Finding]:
    if state.language == "JSONata":
        return
    for pointer, rule in rules(state):
        pattern = rule.get("StringMatches")
        if not isinstance(pattern, str) or is_unknown(pattern):
            continue
        try:
            compile_pattern(pattern)
        except ValueError as e:
            hint = "write two backslashes for one, each doubled again in JSON"
            yield Finding(f"{pointer}/StringMatches", f"StringMatches is not a pattern: {e}", hint)


@state_rule("SM406", "error", "Choice rules are nested at most 100 levels deep", "Choice")
def rules_are_not_too_deep(state: StateAt) -> Iterator[Finding]:
    for pointer, _ in rules(state) if state.language == "JSONPath" else ():
        steps = pointer[len(state.pointer) + 1 :].split("/")
        if (
            sum(step in BOOLEAN for step in steps) == MAX_DEPTH + 1
            and steps[-2 if steps[-1].isdigit() else -1] in BOOLEAN
        ):
            yield Finding(pointer, f"Choice rules are nested deeper than {MAX_DEPTH} levels")


@state_rule("SM404", "warning", "A Choice has a Default", "Choice")
def has_a_default(state: StateAt) -> Iterator[Finding]:
    choices = state.value.get("Choices")
    if "Default" in state.value or not isinstance(choices, list) or not choices or is_misspelled("Default", state):
        return
    if not _covers_everything(state):
        message = f"The state '{state.name}' has no Default: what no rule takes fails with States.NoChoiceMatched"
        yield Finding(state.pointer, message, key=True)


def _covers_everything(state: StateAt) -> bool:
    """Whether two rules ask one Variable for true and for false, or a rule is always true."""
    comparisons: set[tuple[str, str, bool]] = set()
    for _, rule in state.items("Choices"):
        if rule.get("Condition") is True:
            return True
        for name, value in rule.items():
            variable = rule.get("Variable")
            if name in OPERATORS and isinstance(value, bool) and isinstance(variable, str):
                if (variable, name, not value) in comparisons:
                    return True
                comparisons.add((variable, name, value))
    return False
