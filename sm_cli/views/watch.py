"""What happens to an execution, as it happens, whoever does it: what every live picture and every follower uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from sm_cli.errors import SmError
from sm_cli.interpreter.frame import Frame
from sm_cli.store.records import HANDED_OVER, Execution, HistoryEvent, Timer
from sm_cli.views.attempts import most_attempts

if TYPE_CHECKING:
    from sm_cli.asl.model import State
    from sm_cli.engine.engine import Engine
    from sm_cli.store.sql.questions import Questions

#: So many frames under way are looked at where nobody names those that matter.
_FRAMES = 50


class Progress(NamedTuple):
    """How far a frame under way is."""

    #: As it is now; not to be changed.
    frame: Frame
    #: The state that it is in.
    state: State
    #: What time will bring it, of its timers the one that is due first; None when it has none.
    timer: Timer | None

    def attempts(self, error: str | None) -> tuple[int, int | None]:
        """(the number of the next attempt after this error, how many there may be; None when no retrier takes it)."""
        retries = self.frame.retries
        return 1 + sum(retries), most_attempts(self.state, retries, error)


class Look(NamedTuple):
    """What one snapshot showed."""

    #: As it is now, without its data; None when it is gone.
    execution: Execution | None
    #: New since the look before, in order.
    events: list[HistoryEvent]
    #: By their ids, those of the frames asked for that there are.
    progress: dict[int, Progress]


class Watch:
    """Looks at one execution, each time at what is new."""

    def __init__(self, engine: Engine, execution: Execution) -> None:
        self.engine = engine
        self.id = execution.id
        self.digest = execution.digest
        self.last_event = 0

    def look(self, *, events: bool = True, frames: Collection[int] = ()) -> Look:
        """One snapshot. Without `events` only the execution is read; frames: the ids of those whose progress is."""
        with self.engine.store.read() as questions:
            execution = questions.short_execution(self.id)
            new = questions.history(self.id, after=self.last_event) if events else []
            progress = self._progress(questions, questions.frames([*frames]).values()) if frames else {}
        if new:
            self.last_event = new[-1].number
        return Look(execution, new, progress)

    def under_way(self) -> list[Progress]:
        """The frames under way, parents before their children; the first of many."""
        with self.engine.store.read() as questions:
            return [*self._progress(questions, questions.open_frames(self.id, _FRAMES)).values()]

    def _progress(self, questions: Questions, frames: Iterable[Frame]) -> dict[int, Progress]:
        frames_by_id = {frame.id: frame for frame in frames if frame.execution == self.id}
        timers: dict[int, Timer] = {}
        for timer in sorted(questions.due_timers_of(frames_by_id, HANDED_OVER), key=lambda timer: timer.due):
            timers.setdefault(timer.frame, timer)
        try:
            machines = self.engine.programs.of(self.digest, questions).machines
        except SmError:  # a damaged definition; who works on the execution says so
            return {}
        return {
            id: Progress(frame, machines[frame.machine].states[frame.state], timers.get(id))
            for id, frame in frames_by_id.items()
        }
