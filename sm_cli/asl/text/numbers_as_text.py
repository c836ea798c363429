"""Numbers of a YAML text that stand where the language wants text: there they are what was written.

`Version: 1.0`, `Error: 404` and a state called 1 mean the characters, because nothing else can be
meant; where a number is possible, as in Parameters, it stays a number. JSON has quotes for this.
"""

from __future__ import annotations

from sm_cli.asl.outline import MachineAt, StateAt, members, outline
from sm_cli.asl.text.spans import Span, find
from sm_cli.jsonvalue import Json, is_number


def keep_source_text(definition: dict[str, Json], text: str, spans: Span) -> None:
    """Turn such numbers into text, in the freshly parsed value itself."""
    for machine in outline(definition):
        _keep(machine, machine.shape, text, spans)
        for state in machine.states.values():
            _keep(state, state.type, text, spans)


def _keep(owner: MachineAt | StateAt, shape: str, text: str, spans: Span) -> None:
    for pointer, holder, field in members(owner.value, owner.pointer, shape, owner.language, ("text", "state")):
        value = holder[field]
        if isinstance(value, list):
            for i, item in enumerate(value):
                if is_number(item):
                    value[i] = _source_text(f"{pointer}/{i}", text, spans)
        elif is_number(value):
            holder[field] = _source_text(pointer, text, spans)


def _source_text(pointer: str, text: str, spans: Span) -> str:
    span = find(spans, pointer)
    if span is None:
        raise AssertionError(f"{pointer} stands in the text that it was read from")
    return text[span.start : span.end]
