"""Why a batch, or an execution of one, does not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.views.actions import Action, Do

if TYPE_CHECKING:
    from sm_cli.interpreter.frame import Join
    from sm_cli.store.records import Parent
    from sm_cli.store.sql.questions import Questions


def pause_text(join: Join) -> str | None:
    """Who paused a batch with these counts, and how far it is; None when nobody did, and for other forks."""
    if join.brake is None or not join.brake.paused_since:
        return None
    who = "too many failures in a round" if join.brake.by_failures else "a person"
    return f"The batch was paused by {who}: {join.settled_items} ended, {join.running} under way."


def turn_in_batch(questions: Questions, parent: Parent, batch: str) -> tuple[str, Action]:
    """(a sentence, what can be done) about an execution of a batch that has not begun. batch: the batch's public id."""
    run = questions.map_run(parent.frame, parent.activation)
    pause = None if run is None else pause_text(run.join)
    if pause is not None:
        return f"It waits for its turn. {pause}", Action(Do.RESUME_BATCH, (batch,))
    text = "It waits for its turn: as many executions of its batch are under way as may be at once."
    return text, Action(Do.SHOW_BATCH, (batch,))


def end_in_batch(questions: Questions, frame: int) -> tuple[str, Action | None]:
    """(a sentence, what can be done) about an execution of a batch that did not succeed: the batch tries it again when
    it is over itself. frame: the id of that which has the batch's counts."""
    frames = questions.frames([frame])
    batch = questions.short_execution(frames[frame].execution) if frames else None
    if batch is None:
        return "The batch that it belonged to is gone.", None
    text = f"It belongs to the batch {batch.ref}"
    if batch.closed is None:
        return f"{text}, which runs; what failed is tried again after its end.", Action(Do.SHOW_BATCH, (batch.ref,))
    return f"{text}, which tries again all that did not succeed.", Action(Do.RETRY_BATCH, (batch.ref,))
