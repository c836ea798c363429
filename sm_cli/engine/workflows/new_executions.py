"""Executions that are to be started: what is checked before a transaction, and what is done in one, for one or many.

Many that wait for the same commit share it: a commit costs what it costs, however much is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sm_cli.asl.fields import MOST_SECONDS
from sm_cli.engine.chaining.source import Source, check_unchanged, check_unique
from sm_cli.engine.execution_names import name_taken, same_execution
from sm_cli.engine.programs import Programs, Workflow
from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.starting import begin
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import DatabaseError, SmError, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Execution


@dataclass(frozen=True, slots=True)
class NewExecution:
    """One that is to be started; what a caller may get wrong is checked already."""

    #: Of which it is an execution.
    workflow: Workflow
    #: Its input, no larger than is kept.
    input: Json
    #: Its public id.
    ref: str
    #: Unique within the workflow.
    name: str
    #: STANDARD or EXPRESS.
    type: str = "STANDARD"
    #: Seconds until it ends as TIMED_OUT; None: what the definition says.
    timeout: float | None = None
    #: The queue of its tasks.
    queue: str = "default"
    #: Whether AWS's limits hold for it.
    limits: bool = False
    #: To find it by them.
    tags: Mapping[str, str] | None = None
    #: Workflows that it starts, whose definitions are stored with it.
    targets: Sequence[Workflow] = ()
    #: Whose output the input is made of; None: nobody's.
    source: Source | None = None
    #: The source's execution as it was when that was read.
    read_source: Execution | None = None
    #: What AWS's API keeps of it.
    facts: Mapping[str, Json] | None = None

    def start_in(self, tick: Tick, programs: Programs) -> tuple[Execution, bool]:
        """Start it in this transaction: (it, or the running one of the same name and input, whether it is new).
        Raises as `Engine.start`."""
        workflow, source = self.workflow, self.source
        namesake = tick.tx.find_execution(workflow.name, self.name)
        if namesake is not None:
            if namesake.digest == workflow.program.digest:
                programs.repair(workflow, tick.tx, tick.changes, tick.now)
            judge(tick, [namesake.id])
            namesake = tick.execution_if_there(namesake.id)
        else:
            new = (each for each in tick.changes.new_executions if each.name == self.name)
            namesake = next((each for each in new if each.workflow == workflow.name), None)
        if namesake is not None:
            if source is not None:
                raise name_taken(namesake)
            return same_execution(namesake, self.input), False
        if source is not None and self.read_source is not None:
            check_unchanged(tick.tx, source, self.read_source)
            check_unique(tick.tx, source, workflow.name)
        find = partial(programs.version_to_start, tx=tick.tx, changes=tick.changes, now=tick.now)
        version, *_ = [find(each) for each in (workflow, *self.targets)]
        execution = begin(
            tick, version, self.input, ref=self.ref, name=self.name, type=self.type, timeout=self.timeout,
            queue=self.queue, limits=self.limits, tags={**(self.tags or {})}, source=source, facts=self.facts,
        )  # fmt: skip
        return execution, True


#: What became of one of several: (the execution, whether it is new), or why it was not started.
Started = tuple[Execution, bool] | SmError


def check_timeout(seconds: float | None) -> None:
    """Raises UsageError for a timeout that no definition could have; None is none."""
    if seconds is not None and not seconds <= MOST_SECONDS:  # which is true of no number that is none
        raise UsageError(f"an execution takes at most {MOST_SECONDS:,} seconds, not {seconds:g}")


def check_queue(name: str) -> None:
    """Raises UsageError for a queue that no worker could be told to serve."""
    if "\0" in name:
        raise UsageError(f"the queue {name!r} holds the character U+0000, which no name may")


def start_each(tick: Tick, programs: Programs, several: Sequence[NewExecution]) -> list[Started]:
    """Start all of them in this transaction, in their order; one that is refused is no matter for the others. Raises
    DatabaseError, which concerns the transaction."""
    outcomes: list[Started] = []
    for new in several:
        try:
            outcomes.append(new.start_in(tick, programs))
        except DatabaseError:
            raise
        except SmError as refusal:
            outcomes.append(refusal)
    return outcomes
