"""Which states read which variables: what AWS's API tells of a state machine as `variableReferences`."""

from __future__ import annotations

from sm_cli.asl.outline import outline
from sm_cli.asl.text.source import Document
from sm_cli.asl.validation.rules.variable_flow import reads
from sm_cli.expr.jsonata.reading import FUNCTIONS


def variable_references(document: Document) -> dict[str, list[str]]:
    """The names of the variables, without `$`, that each state reads, in the order in which they are written; a state
    that reads none is not there. What an inner state of a Map or Parallel reads is its own."""
    definition = document.value if isinstance(document.value, dict) else {}
    machines = outline(definition)
    references: dict[str, list[str]] = {}
    for machine in machines:
        for state in machine.states.values():
            names = [use.name for use in reads(state) if use.name not in FUNCTIONS]
            if names:
                references[state.name] = [*dict.fromkeys([*references.get(state.name, []), *names])]
    return references
