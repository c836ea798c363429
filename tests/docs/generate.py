"""The tables of the docs that are made from the code: `python -m tests.docs.generate` writes them.

Between `<!-- generated: NAME -->` and `<!-- end: NAME -->` of a page stands what TABLES[NAME] returns, and a
test fails when it does not. Nothing there is edited by hand. Columns of cases are counted by `counting`, where the
recorded cases are beside the checkout; elsewhere their cells stay as they are.
"""

from __future__ import annotations

import inspect
import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from sm_cli.asl.fields import OPERATORS, ROWS, STATE_TYPES, Language, Row
from sm_cli.asl.resources import SFN_ACTIONS, SFN_REFUSED, parse_resource
from sm_cli.asl.validation.rules.failures import ERROR_NAMES
from sm_cli.asl.text.source import from_value
from sm_cli.asl.validation.validate import CATALOGUE, find_unsupported
from sm_cli.expr.intrinsics.functions import FUNCTIONS, Function
from sm_cli.expr.jsonata.reading import FUNCTIONS as JSONATA_FUNCTIONS
from sm_cli.interpreter import transitions
from sm_cli.interpreter.events import Event
from tests.conformance import cases
from tests.docs import counting
from tests.docs.counting import HEAD

DOCS = Path(__file__).resolve().parents[2] / "docs"

#: Fields that are read and checked but change nothing when a workflow runs here, each with the reason.
NO_EFFECT = {
    "Comment": "for readers",
    "Version": "there is one version",
    "Credentials": "a handler uses the credentials of its own process",
    "RoleArn": "a handler uses the credentials of its own process",
}
#: The shapes of `asl.fields` that are not state types, in words.
SHAPES = {
    "Machine": "top level",
    "Branch": "a branch of Parallel",
    "Processor": "ItemProcessor, Iterator",
    "Rule": "a Choice rule",
    "Test": "a rule inside And, Or, Not",
    "Expression": "a Choice rule",
    "Retrier": "a retrier",
    "Catcher": "a catcher",
}
#: What `asl.resources` calls a kind, in words.
RESOURCE_KINDS = {
    "handler": "a handler's name",
    "lambda": "a function's ARN",
    "invoke": "lambda:invoke",
    "service": "an action of a service",
    "activity": "an activity",
}
#: An example of each kind and pattern of Resource.
RESOURCES = {
    "process:order": ("handler", ""),
    "approve.waitForTaskToken": ("handler", "waitForTaskToken"),
    "arn:aws:lambda:REGION:ACCOUNT:function:NAME": ("lambda", ""),
    "arn:aws:states:::lambda:invoke": ("invoke", ""),
    "arn:aws:states:::lambda:invoke.waitForTaskToken": ("invoke", "waitForTaskToken"),
    "arn:aws:states:::sqs:sendMessage": ("service", ""),
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken": ("service", "waitForTaskToken"),
    "arn:aws:states:::states:startExecution.sync": ("service", "sync"),
    "arn:aws:states:::states:startExecution.sync:2": ("service", "sync:2"),
    "arn:aws:states:REGION:ACCOUNT:activity:NAME": ("activity", ""),
}


# -- what runs ---------------------------------------------------------------------------------------------------------


def runs(row: Row, language: Language) -> str:
    """A cell of the table: what becomes of the field in a state of this query language."""
    if row.language not in ("both", language):
        return "–"
    return "no effect" if row.field in NO_EFFECT else "runs"


# -- the tables --------------------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(row)} |"


def fields() -> Iterator[str]:
    rows = [
        (
            f"`{row.field}`",
            where(row.shapes),
            holds(row),
            runs(row, "JSONPath"),
            counting.field(row, "JSONPath"),
            runs(row, "JSONata"),
            counting.field(row, "JSONata"),
        )
        for row in ROWS
        if row.field not in OPERATORS
    ]
    yield from table(("Field", "Where", "Holds", "JSONPath", HEAD, "JSONata", HEAD), rows)


def operators() -> Iterator[str]:
    yield from counted("Operator", "operator", sorted(OPERATORS), "`{}`")


def state_types() -> Iterator[str]:
    yield from counted("State type", "type", STATE_TYPES, "`{}`")


def functions() -> Iterator[str]:
    yield from counted("Function", "function", sorted(JSONATA_FUNCTIONS), "`${}`")


def error_names() -> Iterator[str]:
    rows = [(f"`{name}`", counting.times(("error", name))) for name in ERROR_NAMES]
    yield from table(("Error", HEAD), [*rows, (counting.OTHER, counting.times(("error", counting.OTHER)))])


def resources() -> Iterator[str]:
    rows = []
    for name, (kind, pattern) in RESOURCES.items():
        assert (parse_resource(name).kind, parse_resource(name).pattern) == (kind, pattern)
        rows.append((f"`{name}`", RESOURCE_KINDS[kind], counting.times(("resource", kind, pattern))))
    yield from table(("Resource, for example", "What it is", HEAD), rows)


def sfn_actions() -> Iterator[str]:
    rows = []
    for action, (required, optional) in SFN_ACTIONS.items():
        given = ", ".join([*(f"`{name}`" for name in required), *(f"[`{name}`]" for name in optional)])
        rows.append((f"`{action}`", f"runs; {given}"))
    rows += [(f"`{action}`", f"needs a handler: {why}") for action, why in SFN_REFUSED.items()]
    yield from table(("Action", "Here; its parameters, those in brackets may be left out"), rows)


def counted(head: str, kind: str, names: Iterable[str], shown: str) -> Iterator[str]:
    yield from table((head, HEAD), [(shown.format(name), counting.times((kind, name))) for name in names])


def where(shapes: tuple[str, ...]) -> str:
    """The places in words, state types first: all of them are "every state"."""
    states = [shape for shape in shapes if shape in STATE_TYPES]
    others = list(dict.fromkeys(SHAPES.get(shape, shape) for shape in shapes if shape not in STATE_TYPES))
    absent = [name for name in STATE_TYPES if name not in states]
    if not absent:
        states = ["every state"]
    elif len(absent) == 1 and len(states) > 1:
        states = [f"every state but {absent[0]}"]
    return ", ".join([*states, *others])


def holds(row: Row) -> str:
    wanted = row.kind.wants.replace("|", "\\|")
    return f"{wanted}, or `{{% … %}}` in JSONata" if row.kind.expression and "{%" not in wanted else wanted


def intrinsics() -> Iterator[str]:
    rows = [
        (f"`States.{name}`", arity(function), counting.times(("intrinsic", name)))
        for name, function in FUNCTIONS.items()
    ]
    yield from table(("Function", "Arguments", HEAD), rows)


def arity(function: Function) -> str:
    most = len(function.checks)
    if function.more is not None:
        return f"{most} or more"
    return str(most) if not function.optional else f"{most - function.optional} to {most}"


def transition_table() -> Iterator[str]:
    """The matrix of TRANSITIONS: a row for each event, a column for each state type, in a cell the function."""
    events = [event.__name__ for event in get_args(Event)]
    cells = {
        (event.__name__, state.__name__): f"`{step.__name__}`"
        for (state, event), step in transitions.TRANSITIONS.items()
    }
    columns = list(dict.fromkeys(state for _, state in cells))
    yield from table(
        ("", *columns), [(f"**{event}**", *(cells.get((event, state), "") for state in columns)) for event in events]
    )


def event_table() -> Iterator[str]:
    """The table of events in the docstring of `interpreter.transitions`."""
    lines = [line for line in inspect.getdoc(transitions).splitlines() if line.startswith("|")]  # type: ignore[union-attr]  # the test of the docs reads it
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    yield from table(("Event", "Who is it for"), rows[2:])


def diagnostics() -> Iterator[str]:
    rows = [
        (f"[`{code}`](#{code.lower()})", rule.severity, _cell(rule.title), _code(rule.aws_code))
        for code, rule in sorted(CATALOGUE.items())
    ]
    yield from table(("Code", "Severity", "What holds where nothing is wrong", "AWS calls it"), rows)


def _code(word: str | None) -> str:
    return f"`{word}`" if word else "–"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def explanations() -> Iterator[str]:
    """A section for each code, as `sm explain` prints it."""
    for number, (code, rule) in enumerate(sorted(CATALOGUE.items())):
        if number:
            yield ""
        yield f"### {code}"
        yield ""
        yield f"{rule.title}."
        if rule.explanation:
            yield ""
            yield rule.explanation
        for head, example in (("Wrong:", rule.bad), ("Right:", rule.good)):
            if example:
                yield from (
                    "",
                    head,
                    "",
                    f"```{'json' if example.startswith('{') else 'yaml'}",
                    *example.splitlines(),
                    "```",
                )


def rooms() -> Iterator[str]:
    """Every folder, and every module that stands alone at the top, with the first sentence of its own docstring."""
    root = DOCS.parent / "sm_cli"
    yield "| Room | What is there |"
    yield "| --- | --- |"
    alone = [file for file in root.glob("*.py") if not file.name.startswith("_")]
    folders = [file for file in root.rglob("__init__.py") if file.parent != root]
    named = {file: file.relative_to(root).with_suffix("") for file in alone}
    named |= {file: file.parent.relative_to(root) for file in folders}
    for file, name in sorted(named.items(), key=lambda each: (each[0] in folders, str(each[1]))):
        told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        first = " ".join(told.split("\n\n")[0].split())
        if told:
            yield f"| `{name}{'/' if file in folders else ''}` | {first} |"


#: Name to the function that yields its lines.
TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "rooms": rooms,
    "transitions": transition_table,
    "events": event_table,
    "fields": fields,
    "types": state_types,
    "operators": operators,
    "resources": resources,
    "sfn_actions": sfn_actions,
    "intrinsics": intrinsics,
    "functions": functions,
    "errors": error_names,
    "diagnostics": diagnostics,
    "explanations": explanations,
}

# -- writing -----------------------------------------------------------------------------------------------------------

_SECTION = re.compile(r"<!-- generated: (?P<name>\w+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)


def generated(page: str) -> str:
    """The text of a page with its generated sections as they have to be."""

    def section(found: re.Match[str]) -> str:
        name = found["name"]
        lines = "\n".join(line.rstrip() for line in TABLES[name]())
        return f"<!-- generated: {name} -->\n\n{lines}\n\n<!-- end: {name} -->"

    return _SECTION.sub(section, page)


def pages() -> list[Path]:
    return sorted(DOCS.glob("*.md"))


def main() -> int:
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = generated(before)
        if not cases.HERE:
            after = counting.carried(before, after)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{page.name} is new\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
