"""The facade: what a command, the API or a program may ask of the engine.

Rule: each call is one transaction, or a read. Stepping happens in `transact`; whoever calls it owns the thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sm_cli.asl.compile import compile_program
from sm_cli.asl.model import Program
from sm_cli.asl.source import Document
from sm_cli.asl.source import parse as parse_source
from sm_cli.asl.validate import unsupported, validate
from sm_cli.engine.clock import Clock, SystemClock
from sm_cli.engine.tick import Settings, Taker, Tick
from sm_cli.errors import Conflict, InvalidDefinition, NotFound, UsageError
from sm_cli.jsonvalue import Json, canonical, digest, dumps
from sm_cli.store.base import Definition, Execution, Job, Status, Store

T = TypeVar("T")

_NAME_LIMIT = 80
_FORBIDDEN = frozenset('<>{}[]?*"#%\\^|~`$&,;:/ \t\r\n')


@dataclass(frozen=True, slots=True)
class Workflow:
    """A definition ready to run: validated, compiled, under its name."""

    name: str
    document: Document
    program: Program


def prepare(document: Document, name: str, *, handlers: frozenset[str] | None = None) -> Workflow:
    """Validate and compile. Raises InvalidDefinition with every problem."""
    problems = [d for d in validate(document, handlers=handlers) if d.severity == "error"]
    problems = problems or unsupported(document)
    if problems:
        raise InvalidDefinition(problems)
    return Workflow(name, document, compile_program(document.value))


class Engine:
    """`open_engine` in `sm_cli.engine` makes one for a database; tests make one over any store."""

    def __init__(self, store: Store, *, clock: Clock | None = None, settings: Settings | None = None) -> None:
        self.store = store
        self.clock = clock or SystemClock()
        self.settings = settings or Settings()
        self.programs: dict[str, Program] = {}

    # -- transactions ----------------------------------------------------------------------------

    def transact(self, work: Callable[[Tick], T], taker: Taker | None = None) -> tuple[T, Tick]:
        """Do `work` on a fresh tick, step everything it caused, commit. `taker` takes jobs in the same stroke."""
        with self.store.write() as tx:
            tick = Tick(tx, lambda digest: self.program(digest, tick), self.clock.now(), self.settings, taker)
            result = work(tick)
            tick.run()
            tick.flush()
        return result, tick

    def program(self, digest: str, tick: Tick | None = None) -> Program:
        """The compiled program of a stored definition."""
        program = self.programs.get(digest)
        if program is None:
            stored = tick.tx.definition(digest) if tick is not None else self.store.definition(digest)
            if stored is None:
                raise NotFound(f"the definition {digest[:12]} is not in the database")
            document = parse_source(stored.text, file=stored.name).document
            assert document is not None, "a stored definition was valid when it was stored"
            program = self.programs[digest] = compile_program(document.value)
        return program

    # -- executions ------------------------------------------------------------------------------

    def start(
        self,
        workflow: Workflow,
        input: Json,
        *,
        name: str | None = None,
        type: str = "STANDARD",
        timeout: float | None = None,
        queue: str = "default",
        taker: Taker | None = None,
    ) -> tuple[Execution, bool, list[Job]]:
        """Start an execution: (it, whether it is new, jobs that `taker` took).

        The same name with the same input, while it runs, is the same execution. Raises Conflict when the name
        is taken with another input or by a closed execution, UsageError for a name that AWS would refuse.
        `timeout` in seconds overrides a longer TimeoutSeconds.
        """
        ref = self.clock.new_ref()
        name = ref if name is None else check_name(name)
        self.programs.setdefault(workflow.program.digest, workflow.program)

        def begin(tick: Tick) -> tuple[Execution, bool]:
            known = tick.tx.execution_named(workflow.name, name)
            if known is not None:
                return same_execution(known, input), False
            self.define(tick, workflow)
            execution = Execution(
                id=tick.tx.reserve("executions", 1),
                ref=ref,
                name=name,
                workflow=workflow.name,
                digest=workflow.program.digest,
                type=type,
                status=Status.RUNNING,
                started=tick.now,
                input=input,
                queue=queue,
            )
            tick.start(execution, workflow.program)
            if timeout is not None:
                limit = tick.now + round(timeout * 1_000_000)
                execution.deadline = min(limit, execution.deadline or limit)
            return execution, True

        (execution, new), tick = self.transact(begin, taker)
        return execution, new, tick.taken()

    def define(self, tick: Tick, workflow: Workflow) -> None:
        """Store the definition, unless it is stored already."""
        if tick.tx.definition(workflow.program.digest) is None:
            document = workflow.document
            text = document.text if document.text is not None else dumps(document.value)
            format = "yaml" if document.format == "yaml" else "json"
            tick.changes.new_definitions.append(
                Definition(workflow.program.digest, workflow.name, text, format, tick.now)
            )

    def stop(self, execution: Execution, *, error: str | None = None, cause: str | None = None) -> Execution:
        """Close a running execution as ABORTED, with everything below it. Raises Conflict when it is closed."""

        def work(tick: Tick) -> Execution:
            current = tick.execution(execution.id)
            if current.status is not Status.RUNNING:
                raise Conflict(f"execution {current.name} is {current.status} already")
            tick.end(current, Status.ABORTED, error, cause)
            return current

        return self.transact(work)[0]

    def find(self, text: str) -> Execution:
        """The execution that a person means: id, unique prefix, name or @last. Raises NotFound, Conflict."""
        if text == "@last":
            latest = self.store.latest()
            if latest is None:
                raise NotFound("there is no execution yet")
            return latest
        found = self.store.find(text)
        if not found:
            raise NotFound(f"no execution is named {text!r}", hint="`sm list` shows what there is")
        first = found[0]
        if len(found) > 1 and first.ref != text:
            shown = ", ".join(f"{e.ref} ({e.workflow})" for e in found[:5])
            raise Conflict(f"{text!r} may be any of {shown}; name one by its id")
        return first


def same_execution(known: Execution, input: Json) -> Execution:
    """AWS's StartExecution is idempotent for the same name and input while the execution runs."""
    if known.status is not Status.RUNNING:
        raise Conflict(f"the name {known.name!r} is taken by an execution that is {known.status}; use another name")
    if canonical(known.input) != canonical(input):
        raise Conflict(f"the name {known.name!r} is taken by a running execution with another input")
    return known


def check_name(name: str) -> str:
    """AWS's rule for names of executions."""
    bad = sorted({c for c in name if c in _FORBIDDEN or not c.isprintable()})
    if bad:
        raise UsageError(f"the name {name!r} holds {', '.join(map(repr, bad))}, which a name may not")
    if not 1 <= len(name) <= _NAME_LIMIT:
        raise UsageError(f"a name has 1 to {_NAME_LIMIT} characters; this one has {len(name)}")
    return name


def definition_digest(document: Document) -> str:
    return digest(document.value)
