"""Compiled programs by digest, and workflows by name: what a tick runs.

A definition never changes under its digest, so a program is compiled once. A bare name means the text that the library
has, where there is one and it has the name (the project's own files), registered if it is new; else the current version
of the database. A version or an alias means what the database has.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sm_cli.asl.compile import compile_program
from sm_cli.asl.model import Program
from sm_cli.asl.text.source import Document
from sm_cli.asl.text.source import parse as parse_source
from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.engine.versions.resolving import find_stored_version, version_numbered
from sm_cli.errors import DatabaseError, InvalidDefinition, NotFound, SmError
from sm_cli.jsonvalue import digest
from sm_cli.store.changes import Changes
from sm_cli.store.sql.questions import Questions
from sm_cli.store.sql.transaction import Transaction
from sm_cli.store.versions import Definition, Version

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
    #: Which version of the database it is; None: its text is registered when it is started, if it is new.
    version: int | None = None
    #: What stood behind the name that it was found by: an alias, or a number; None: nothing.
    qualifier: str | None = None


class WorkflowVersion(NamedTuple):
    """One version of a workflow, as an execution of it begins."""

    #: The workflow's name.
    name: str
    #: Its text, compiled.
    program: Program
    #: The version's number.
    number: int
    #: What stood behind the name that it was found by: an alias, or a number; None: nothing.
    qualifier: str | None = None


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


class DocumentCache:
    """Stored definitions that were read last, by digest and name: whoever looks at an execution needs the one that it
    runs, again and again, and to read YAML takes a thousand times as long as to compare its text. One whose text was
    changed in the database is another one. Threads share it."""

    def __init__(self, most: int) -> None:
        """most: characters of text that it keeps."""
        self._most, self._size = most, 0
        self._lock = threading.Lock()
        self._documents: OrderedDict[tuple[str, str], tuple[str, Document]] = OrderedDict()

    def find(self, definition: Definition) -> Document | None:
        """What was made of this very text; None when it is not here."""
        with self._lock:
            key = definition.digest, definition.name
            text, document = self._documents.get(key, ("", None))
            if document is None or text != definition.text:
                return None
            self._documents.move_to_end(key)
            return document

    def put(self, definition: Definition, document: Document) -> None:
        """Keep what was made of its text, unless it is longer than all that is kept."""
        size = len(definition.text)
        if size > self._most:
            return
        with self._lock:
            key = definition.digest, definition.name
            before = self._documents.pop(key, None)
            self._size += size - (0 if before is None else len(before[0]))
            self._documents[key] = definition.text, document
            while self._size > self._most:
                self._size -= len(self._documents.popitem(last=False)[1][0])


#: Of this process. A document has some twenty times the size of its text.
_read_last = DocumentCache(most=4_000_000)


def document_of(definition: Definition) -> Document:
    """The stored definition, read; nobody may change what is in it. Raises DamagedDefinition when it is not the one
    that was stored."""
    document = _read_last.find(definition)
    if document is None:
        document = parse_source(definition.text, file=definition.name).document
        if document is None or digest(document.value) != definition.digest:
            raise DamagedDefinition(definition)
        _read_last.put(definition, document)
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
        self._documents: dict[str, Document] = {}
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

    def find_version(
        self, reference: WorkflowReference, tx: Transaction, changes: Changes, now: int, lot: str
    ) -> WorkflowVersion:
        """What the reference means now; a text from the library is registered with `changes` if it is new. lot: what a
        weighted alias draws by, another text for each start.

        Raises NotFound when there is no such workflow, version or alias, InvalidDefinition for a text of the library
        that cannot run."""
        name, qualifier = reference
        workflow = None if self.library is None or qualifier is not None else self.library(name)
        if workflow is not None:
            return WorkflowVersion(name, workflow.program, self.define(workflow, tx, changes, now))
        version = find_stored_version(tx, reference, lot, changes)
        return WorkflowVersion(name, self.of(version.digest, tx), version.number, qualifier)

    def load(self, version: Version, source: Questions, qualifier: str | None = None) -> Workflow:
        """A stored version with its text. Raises DamagedDefinition, NotFound; SmError when it no longer compiles."""
        document = self._documents.get(version.digest)
        if document is None:
            definition = source.definition(version.digest)
            if definition is None:
                raise NotFound(f"the definition {version.digest[:12]} is not in the database")
            document = self._documents[version.digest] = document_of(definition)
        program = self.of(version.digest, source)
        return Workflow(version.name, document, program, version.number, qualifier)

    def version_to_start(self, workflow: Workflow, tx: Transaction, changes: Changes, now: int) -> WorkflowVersion:
        """The version that a workflow is: the one that it was found as, or that of its text, registered if it is new.
        Raises NotFound when the one that it was found as was deleted meanwhile."""
        if workflow.version is None:
            return WorkflowVersion(workflow.name, workflow.program, self.define(workflow, tx, changes, now))
        self.add(workflow)
        version = version_numbered(tx, workflow.name, workflow.version, changes)
        return WorkflowVersion(workflow.name, workflow.program, version.number, workflow.qualifier)

    def define(self, workflow: Workflow, tx: Transaction, changes: Changes, now: int) -> int:
        """Make the definition the current version of its name, and return its number: that of the same text, where the
        name had it before, else the next one."""
        self.add(workflow)
        definition = _definition(workflow, now)
        for new in reversed(changes.new_versions):
            if new.name == definition.name:
                return new.number if new.digest == definition.digest else self._register(definition, tx, changes)
        current = tx.current_definition(definition.name)
        if current is None or current[0].digest != definition.digest:
            return self._register(definition, tx, changes)
        if not self._is_whole(current[0], definition):
            changes.new_definitions.append(definition)
        return current[1]

    def _register(self, definition: Definition, tx: Transaction, changes: Changes) -> int:
        name, digest = definition.name, definition.digest
        row = tx.definition(digest)
        if row is None or not self._is_whole(row, definition):
            changes.new_definitions.append(definition)
        before = tx.version_of_text(name, digest)
        new = [each for each in changes.new_versions if each.name == name]
        numbers = [each.number for each in (*new, *([] if before is None else [before])) if each.digest == digest]
        number = numbers[0] if numbers else 1 + max([tx.newest_number(name), *(each.number for each in new)])
        changes.new_versions.append(Version(name, number, digest, definition.created))
        return number

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
    format = "yaml" if document.format == "yaml" and document.is_whole else "json"
    return Definition(workflow.program.digest, workflow.name, document.own_text, format, now)
