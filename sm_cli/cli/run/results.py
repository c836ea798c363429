"""What `sm run`, `sm wait` and `sm attach` print of an execution: its id, its output, or a document for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.terminal import output
from sm_cli.cli.terminal.failures import warn
from sm_cli.errors import NotFound

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.views.records import Execution


def print_left(execution: Execution, result: TextIO, format: str, code: int = 0) -> int:
    """Print an execution that is left running: its id, or the document. Returns the exit code, as `print_end`."""
    if format == "table":
        output.text(execution.ref, result)
        return code
    return _print_facts(execution, result, format, code)


def print_end(execution: Execution, result: TextIO, format: str, code: int) -> int:
    """Print what became of an execution: its output if it succeeded, or the document.

    Returns the exit code: `code`; where that is 0 and a JSONPath finds nothing, NotFound is raised."""
    if format != "table":
        return _print_facts(execution, result, format, code)
    if execution.status == "SUCCEEDED":
        output.value(execution.output, result)
    return code


def _print_facts(execution: Execution, result: TextIO, format: str, code: int) -> int:
    from sm_cli.views.executions import result_document  # not for an id alone: `--detach` is to answer at once

    try:
        output.one(result_document(execution), format, result)
    except NotFound as e:
        if code == 0:
            raise
        warn(e.message)
    return code
