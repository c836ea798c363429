"""Compiled programs by digest, and workflows by name: what a tick runs.

A definition never changes under its digest, so a program is compiled once. A name means the newest definition:
that of the library, where there is one and it has the name (the project's own files), else that of the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sm_cli.asl.compile import compile_program
from sm_cli.asl.model import Program
from sm_cli.asl.text.source import Document
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.errors import DatabaseError, InvalidDefinition, NotFound, SmError
from sm_cli.jsonvalue import digest, dumps
from sm_cli.store.changes import Changes
from sm_cli.store.records import Definition
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction

log = logging.getLogger("sm.engine")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A definition ready to run: validated, compiled, under its name."""

    #: Under which executions find it.
    name: str
    #: The definition with the place of each value.
    document: Document
    #: The same, compiled.
    program: Program


def prepare(document: Document, name: str, *, handlers: frozenset[str] | None = None) -> Workflow:
    """Validate and compile. Raises InvalidDefinition with every problem."""
    from sm_cli.asl.validation.validate import (
        find_unsupported,
        validate,
    )  # only who starts a workflow waits for the rules' import

    problems = [d for d in validate(document, handlers=handlers) if d.severity == "error"]
    problems = problems or find_unsupported(document)
    if problems:
        raise InvalidDefinition(problems)
    return Workflow(name, document, compile_program(document.value))


class DamagedDefinition(DatabaseError):
    """What is stored under a digest is not what has it: the database is damaged, and no execution is to blame."""

    def __init__(self, definition: Definition) -> None:
        name, digest = definition.name, definition.digest
        super().__init__(
            f"the stored definition of {name} is damaged: it is not the one of digest {digest[:12]}",
            hint="Start an execution of the same definition: that stores it again. Or restore a backup of the "
            "database. Executions of it are left as they are until then.",
        )
        self.digest = digest


def document_of(definition: Definition) -> Document:
    """The stored definition, read. Raises DamagedDefinition when it is not the one that was stored."""
    document = parse_source(definition.text, file=definition.name).document
    if document is None or digest(document.value) != definition.digest:
        raise DamagedDefinition(definition)
    return document


def find_damage(digest: str, source: Questions) -> DamagedDefinition | None:
    """What is wrong with the definition that is stored under this digest; None when nothing is, or none is stored."""
    definition = source.definition(digest)
    try:
        if definition is not None:
            document_of(definition)
    except DamagedDefinition as damage:
        return damage
    return None


def compile_stored(definition: Definition) -> Program:
    """The program of a definition that was valid when it was stored. Raises SmError when it no longer is: whether an
    older sm was too lenient or this one is too strict, the user's file is not to blame."""
    try:
        return compile_program(document_of(definition).value)
    except DamagedDefinition:
        raise
    except Exception as e:
        what = f"{type(e).__name__}: {e}"
        raise SmError(f"the stored definition of {definition.name} does not compile any more: {what}") from e


class Programs:
    """Compiled definitions, each compiled once.

    library: the workflow of a name, or None; it may raise InvalidDefinition.
    """

    def __init__(self, library: Callable[[str], Workflow | None] | None = None) -> None:
        self.library = library
        self._programs: dict[str, Program] = {}
        self._damaged_digests: set[str] = set()
        self._whole: set[str] = set()

    def add(self, workflow: Workflow) -> None:
        """Keep a compiled definition under its digest."""
        self._programs.setdefault(workflow.program.digest, workflow.program)

    def of(self, digest: str, source: Questions) -> Program:
        """The compiled program of a stored definition. Raises NotFound."""
        program = self._programs.get(digest)
        if program is None:
            definition = source.definition(digest)
            if definition is None:
                raise NotFound(f"the definition {digest[:12]} is not in the database")
            program = self._programs[digest] = compile_stored(definition)
        return program

    def tell_damaged(self, damage: DamagedDefinition) -> None:
        """Log a damaged definition once: its executions do not go on."""
        if damage.digest not in self._damaged_digests:
            self._damaged_digests.add(damage.digest)
            log.error("%s; its executions are left as they are", damage)

    def find_workflow(self, name: str, tx: Transaction, changes: Changes, now: int) -> Program | None:
        """The newest program of a workflow of this name; one from the library is stored with `changes`."""
        workflow = None if self.library is None else self.library(name)
        if workflow is None:
            definition = tx.newest(name)
            return None if definition is None else self.of(definition.digest, tx)
        self.define(workflow, tx, changes, now)
        return workflow.program

    def define(self, workflow: Workflow, tx: Transaction, changes: Changes, now: int) -> None:
        """Store the definition as the newest of its name, unless it is that already and whole."""
        self.add(workflow)
        definition, newest = _definition(workflow, now), tx.newest(workflow.name)
        if newest is None or newest.digest != definition.digest or not self._is_whole(newest, definition):
            changes.new_definitions.append(definition)

    def repair(self, workflow: Workflow, tx: Transaction, changes: Changes, now: int) -> None:
        """Store the definition again when the stored one of its digest is damaged: this workflow has its text."""
        self.add(workflow)
        definition, row = _definition(workflow, now), tx.definition(workflow.program.digest)
        if row is not None and not self._is_whole(row, definition):
            changes.new_definitions.append(definition)

    def _is_whole(self, row: Definition, definition: Definition) -> bool:
        """Whether what is stored has the digest that both have. It is read only when it is written otherwise."""
        if row.text != definition.text and row.digest not in self._whole:
            try:
                document_of(row)
            except DamagedDefinition:
                return False
            self._whole.add(row.digest)
        return True


def _definition(workflow: Workflow, now: int) -> Definition:
    document = workflow.document
    text = document.text if document.text is not None else dumps(document.value)
    format = "yaml" if document.format == "yaml" else "json"
    return Definition(workflow.program.digest, workflow.name, text, format, now)
