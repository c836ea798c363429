"""What a shell completes: workflows, executions, statuses and states, by the word that stands for them in the help.

Only when a shell asks; it reads what there is, makes nothing, and says nothing when it cannot.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Executions that are looked through, newest first.
_LOOKED_AT = 200
#: Versions of one workflow that are offered.
_NEWEST = 10
_SHORTCUTS = ("@last", "@failed", "@running")
_STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_FORMATS = ("json", "jsonl", "yaml", "table", "jsonpath=")


@dataclass(slots=True)
class Offer:
    """One word that a shell is offered, as the library of the command line asks for it."""

    #: What is put in.
    value: str
    #: The library's word for text that is no path.
    type: str = "plain"
    #: A shell that can shows it beside the value.
    help: str | None = None


def offer_words(command: Any) -> None:
    """Let the parameters of a command, and of those below it, offer what there is."""
    for parameter in command.params:
        words = _BY_NAME.get(parameter.name, _WORDS.get(str(parameter.metavar).strip("[].").partition("|")[0]))
        if words is not None:
            parameter.shell_complete = _completer(words)
    for below in getattr(command, "commands", {}).values():
        offer_words(below)


def _completer(words: Callable[[dict[str, Any]], list[Offer]]) -> Callable[[Any, str], list[Offer]]:
    def complete(context: Any, incomplete: str) -> list[Offer]:
        try:
            offers = words(_typed_so_far(context))
        except Exception:  # a shell that asks in the middle of a line is told nothing of what is wrong
            return []
        begin = incomplete.casefold()
        return [offer for offer in offers if offer.value.casefold().startswith(begin)]

    return complete


def _typed_so_far(context: Any) -> dict[str, Any]:
    """What stands in the line so far. An option without its value hides the arguments from the library."""
    values = dict(context.params)
    first = next((each.name for each in context.command.params if each.param_type_name == "argument"), None)
    if first is not None and not values.get(first):
        line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
        word = next(iter(line.split()[2:]), "-")
        values[first] = None if word.startswith("-") else word
    return values


def _executions(values: dict[str, Any]) -> list[Offer]:
    from sm_cli.cli.project.opening import opened_store
    from sm_cli.views.listing import ExecutionFilter, ExecutionPage, list_executions

    with opened_store(values.get("db")) as store:
        executions = list_executions(store, ExecutionFilter(), ExecutionPage(_LOOKED_AT))
    offers = [Offer(word) for word in _SHORTCUTS]
    for execution in executions:
        text = f"{execution.workflow} {execution.status}"
        offers += [Offer(name, help=text) for name in dict.fromkeys((execution.name, execution.ref))]
    return offers


def _workflows(values: dict[str, Any]) -> list[Offer]:  # noqa: ARG001 - as all of them
    from sm_cli.cli.project.config import find_project
    from sm_cli.cli.project.workflows import files_in, name_of_file

    folder = find_project().workflows
    return [Offer(name_of_file(str(file))) for file in files_in(folder)] if folder.is_dir() else []


def _references(values: dict[str, Any]) -> list[Offer]:
    """Workflows of the database, with their newest versions and their aliases."""
    from sm_cli.cli.project.opening import opened_store
    from sm_cli.views.workflows.versions import list_workflows, versions_of

    offers: list[Offer] = []
    with opened_store(values.get("db")) as store:
        for row in list_workflows(store):
            offers += [Offer(row.name), *(Offer(f"{row.name}:{alias.name}", help="an alias") for alias in row.aliases)]
            for each in versions_of(store, row.name)[:_NEWEST]:
                offers.append(Offer(f"{row.name}:{each.version.number}"))
    return offers


def _schedules(values: dict[str, Any]) -> list[Offer]:
    from sm_cli.cli.project.opening import opened_engine

    with opened_engine(values.get("db")) as engine:
        return [Offer(each.name, help=each.workflow) for each in engine.schedules.list()]


def _states(values: dict[str, Any]) -> list[Offer]:
    """Those of the workflow, or of what the execution runs, that the line names."""
    from sm_cli.asl.outline import outline

    definition: Any
    if values.get("execution"):
        from sm_cli.cli.project.opening import opened_engine
        from sm_cli.views.executions import definition_of

        with opened_engine(values.get("db")) as engine:
            definition = definition_of(engine, engine.find(values["execution"]))
    else:
        from sm_cli.cli.project.config import find_project
        from sm_cli.cli.project.workflows import choose, document

        project = find_project()
        definition = document(project, choose(project, values.get("workflow"))).value
    return [Offer(name, help=state.type) for machine in outline(definition) for name, state in machine.states.items()]


#: What stands for it in the help, and what there is of it.
_WORDS: dict[str, Callable[[dict[str, Any]], list[Offer]]] = {
    "EXECUTION": _executions,
    "SCHEDULE": _schedules,
    "WORKFLOW": _workflows,
    "STATUS": lambda _: [Offer(word) for word in _STATUSES],
}
#: The same by the name of the parameter, which goes before.
_BY_NAME: dict[str, Callable[[dict[str, Any]], list[Offer]]] = {
    "state": _states,
    "workflow": _workflows,
    "reference": _references,
    "before": _references,
    "after": _references,
    "source_workflow": _workflows,
    "target_workflow": _workflows,
    "from_execution": _executions,
    "output": lambda _: [Offer(word) for word in _FORMATS],
}
