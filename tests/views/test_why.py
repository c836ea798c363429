"""Why an execution does not go on: the sentence, the action and the time of each reason."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from sm_cli.interpreter.frame import Frame, FrameStatus, Join, Opens
from sm_cli.interpreter.states.distributed_map import READ, WRITE
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.tokens import make_token
from sm_cli.store.messages import MessageStatus
from sm_cli.store.records import HANDED_OVER, Execution, HistoryEvent, Parent, Status, WorkerRecord
from sm_cli.views.actions import Action, Do
from sm_cli.views.tasks import doing, need_of
from sm_cli.views.why import MOST, Reason, only_messages_move, why, working
from sm_cli.worker.membership import make_worker_record
from tests.store.samples import SECOND, T0, definition, frame, job, message, subscription, timer
from tests.views.rows import Rows, forked

WORKER = Action(Do.START_WORKER)
BLOCKED = FrameStatus.BLOCKED


def seconds(time: int) -> str:
    """A time as seconds since the start."""
    return f"+{(time - T0) / SECOND:g}"


@pytest.fixture
def rows() -> Rows:
    return Rows()


def ask(rows: Rows, execution: Execution, handlers: Collection[str] | None = None) -> list[Reason]:
    return why(rows.engine, execution, handlers=handlers, time_text=seconds)


def waiting(rows: Rows, *frames: Frame, **changes: object) -> Execution:
    """Execution 1 with these open frames and whatever else is given."""
    made = rows.execution(1)
    rows.put(new_frames=list(frames), **changes)
    return made


def blocked(id: int = 11, state: str = "S", **more: Any) -> Frame:
    return frame(id, state=state, status=BLOCKED, **more)


def here(rows: Rows, name: str = "w1", seen: int = T0) -> WorkerRecord:
    """This process as a worker."""
    return replace(make_worker_record(name, "X", rows.clock.now()), seen=seen)


def elsewhere(name: str, seen: int = T0) -> WorkerRecord:
    """A worker on another machine, of whose process nothing is known here."""
    return WorkerRecord(f"{name}/X", name, "elsewhere", 1, "//", T0, seen)


# -- what has ended, or has not begun --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "cause", "ending"),
    [
        (Status.FAILED, None, None, "FAILED at +2."),
        (Status.FAILED, "E", None, "FAILED at +2 with E."),
        (Status.FAILED, None, "c", "FAILED at +2 with c."),
        (Status.FAILED, "E", "c", "FAILED at +2 with E: c."),
        (Status.ABORTED, "", "", "ABORTED at +2."),
        (Status.TIMED_OUT, "States.Timeout", None, "TIMED_OUT at +2 with States.Timeout."),
    ],
)
def test_an_execution_that_did_not_succeed_may_be_redriven(
    rows: Rows, status: Status, error: str | None, cause: str | None, ending: str
) -> None:
    found = rows.execution(1, status=status, closed=T0 + 2 * SECOND, error=error, cause=cause)
    (reason,) = ask(rows, found)
    assert reason == Reason("ended", f"Nothing is left to do: it ended {ending}", Action(Do.REDRIVE, (found.ref,)))


def test_one_that_succeeded_has_an_output_to_look_at(rows: Rows) -> None:
    found = rows.closed(1)
    assert ask(rows, found)[0].action == Action(Do.SHOW_OUTPUT, (found.ref,))


def test_an_express_execution_is_not_redriven(rows: Rows) -> None:
    assert ask(rows, rows.closed(1, Status.FAILED, type="EXPRESS"))[0].action is None


def test_a_child_that_has_not_begun_points_to_the_execution_at_the_top(rows: Rows) -> None:
    rows.execution(1)
    child = rows.execution(2, status=Status.PENDING, tree=1, parent=Parent(11, 1, run=7))
    (reason,) = ask(rows, child)
    assert (reason.kind, reason.action) == ("children", Action(Do.SHOW_REASONS, ("ref-000001",)))
    assert reason.text.startswith("It waits for its turn")


def test_an_execution_of_which_nothing_is_open_is_being_worked_on(rows: Rows) -> None:
    assert ask(rows, rows.execution(1)) == [Reason("ready", "It is being worked on in this very moment.")]


def test_the_deadline_of_the_whole_comes_last(rows: Rows) -> None:
    found = rows.execution(1, deadline=T0 + 99 * SECOND)
    assert ask(rows, found)[1] == Reason(
        "deadline", "Whatever comes, it ends as TIMED_OUT at +99.", until=T0 + 99 * SECOND
    )


# -- messages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline", "text"),
    [
        (None, "Pay has waited since +0 for the message orderId=A."),
        (T0 + 60 * SECOND, "Pay has waited since +0 for the message orderId=A, until +60."),
    ],
)
def test_a_wait_names_its_message_and_how_long(rows: Rows, deadline: int | None, text: str) -> None:
    wait = subscription(11, value="A")._replace(deadline=deadline)
    (reason,) = ask(rows, waiting(rows, blocked(state="Pay"), new_subscriptions=[wait]))
    assert reason == Reason("message", text, Action(Do.SEND_MESSAGE, ("orderId", "A")), "Pay", deadline)


@pytest.mark.parametrize(
    ("kept", "note"),
    [
        ({"value": "a-1"}, "; message 5 is kept for orderId=a-1, which differs in case"),
        ({"value": "A- 1"}, "; message 5 is kept for orderId=A- 1, which differs in blanks"),
        ({"value": "a - 1"}, "; message 5 is kept for orderId=a - 1, which differs in case and blanks"),
        ({"value": "A-1", "execution": 2}, "; message 5 of that value is kept for another execution"),
        (
            {"value": "A-1", "strict": True, "kind": "n"},
            "; message 5 of that value is kept for a wait of another type",
        ),
        ({"value": "A-1", "execution": 1, "strict": True}, ""),
        ({"value": "a-1", "expires": T0}, ""),
        ({"value": "a-1", "status": MessageStatus.CONSUMED}, ""),
        ({"value": "A-2"}, ""),
        ({"value": "a-1", "key": "other"}, ""),
    ],
)
def test_a_message_that_nearly_fits_is_told_with_its_difference(rows: Rows, kept: dict[str, object], note: str) -> None:
    found = waiting(rows, blocked(), new_subscriptions=[subscription(11, value="A-1")])
    rows.put(new_messages=[message(5, **kept)])
    (reason,) = ask(rows, found)
    assert reason.text == f"S has waited since +0 for the message orderId=A-1{note}."


def test_at_most_three_messages_are_told_of(rows: Rows) -> None:
    found = waiting(rows, blocked(), new_subscriptions=[subscription(11, value="ABC")])
    rows.put(new_messages=[message(n, value=value) for n, value in enumerate(("abc", "Abc", "aBc", "abC"), 1)])
    assert ask(rows, found)[0].text.count("is kept for") == 3


def test_a_wait_of_a_frame_that_is_not_open_is_of_a_state(rows: Rows) -> None:
    found = waiting(rows, frame(11, status=FrameStatus.SUCCEEDED), new_subscriptions=[subscription(11, value="A")])
    assert ask(rows, found)[0].text.startswith("a state has waited since +0")


# -- jobs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "has", "does"),
    [
        (READ, "to read its items", "reads its items"),
        (WRITE, "to write its results", "writes its results"),
        ("charge", "with the handler 'charge'", "runs the handler 'charge'"),
        ("it's", 'with the handler "it\'s"', 'runs the handler "it\'s"'),
    ],
)
def test_what_a_worker_has_to_have_and_does(resource: str, has: str, does: str) -> None:
    assert (need_of(resource), doing(resource)) == (has, does)


@pytest.mark.parametrize(
    ("resource", "handlers", "missing"),
    [
        ("charge", None, False),
        ("charge", ["charge"], False),
        ("charge", [], True),
        ("charge", ["charg", "Charge"], True),
        ("charge", ["*"], False),
        ("dynamodb:putItem", ["dynamodb:*"], False),
        ("dynamodb:putItem", ["sqs:*"], True),
        (READ, [], False),
        (WRITE, ["charge"], False),
    ],
)
def test_a_job_whose_handler_nobody_has_says_so(
    rows: Rows, resource: str, handlers: list[str] | None, missing: bool
) -> None:
    found = waiting(rows, blocked(), new_jobs=[job(1, 11, resource=resource, state="Charge")])
    (reason,) = ask(rows, found, handlers)
    assert ("no handler of that name is there" in reason.text) is missing
    assert (reason.kind, reason.action, reason.state) == ("job", WORKER, "Charge")


@pytest.mark.parametrize(("attempt", "tried"), [(1, ""), (2, " (attempt 2)")])
def test_a_free_job_without_a_worker_asks_for_one(rows: Rows, attempt: int, tried: str) -> None:
    found = waiting(rows, blocked(), new_jobs=[job(1, 11, attempt=attempt)])
    (reason,) = ask(rows, found)
    assert reason.text == f"A waits{tried} for a worker with the handler 'echo', and no worker is running."


@pytest.mark.parametrize(
    ("count", "names"),
    [(1, "w0"), (3, "w0, w1, w2"), (4, "w0, w1, w2 and 1 more"), (9, "w0, w1, w2 and 6 more")],
)
def test_a_free_job_with_workers_names_a_few_of_them(rows: Rows, count: int, names: str) -> None:
    rows.put(workers=[elsewhere(f"w{n}") for n in range(count)])
    (reason,) = ask(rows, waiting(rows, blocked(), new_jobs=[job(1, 11)]))
    assert reason.text == (
        f"A waits for a worker with the handler 'echo'; as soon as it has a free slot, one takes it (running: {names})."
    )
    assert reason.action is None


def test_a_job_that_is_handed_over_has_a_token_and_times_out_with_its_first_timer(rows: Rows) -> None:
    found = waiting(
        rows, blocked(), new_jobs=[job(1, 11, seq=4, leased_until=HANDED_OVER, attempt=3)],
        timers=[timer(11, T0 + 50 * SECOND, TimerKind.DEADLINE), timer(11, T0 + 20 * SECOND, TimerKind.HEARTBEAT)],
    )  # fmt: skip
    (reason,) = ask(rows, found)
    token = make_token(rows.store.token_key(), 11, 4)
    text = "A has handed its work over (attempt 3) and waits for the callback with its task token."
    assert reason == Reason("callback", text, Action(Do.COMPLETE_TASK, (token,)), "A", T0 + 20 * SECOND)


@pytest.mark.parametrize(("timers", "until"), [([], None), ([timer(12, T0 + 5)], None), ([timer(11, T0 + 9)], T0 + 9)])
def test_a_job_at_work_says_who_does_what_until_when(rows: Rows, timers: list[object], until: int | None) -> None:
    rows.put(workers=[elsewhere("w1")])
    taken = job(1, 11, worker="w1/X", leased_until=T0 + 30 * SECOND, attempt=2)
    found = waiting(rows, blocked(), blocked(12), new_jobs=[taken], timers=timers)
    text = (
        "A is at work (attempt 2): w1 runs the handler 'echo', its lease lasts until +30 and is renewed while it works."
    )
    assert ask(rows, found)[0] == Reason("job", text, None, "A", until)


def test_a_job_of_a_worker_that_nobody_knows_is_at_work_as_long_as_its_lease(rows: Rows) -> None:
    found = waiting(rows, blocked(), new_jobs=[job(1, 11, worker="w/1/X", leased_until=T0 + 30 * SECOND)])
    assert ask(rows, found)[0].text.startswith("A is at work: w/1 runs")
    rows.clock.advance_to(T0 + 30 * SECOND)
    (reason,) = ask(rows, found)
    assert (
        reason.text == "A was at work, and its worker w/1 is gone; another one takes it over, as soon as there is one."
    )
    assert reason.action == WORKER


def test_a_worker_that_lives_and_is_silent_is_told_of_with_its_process(rows: Rows) -> None:
    worker = here(rows)
    rows.put(workers=[worker])
    rows.clock.advance_to(T0 + 91 * SECOND)
    taken = job(1, 11, worker=worker.id, leased_until=T0 + 99 * SECOND)
    text = ask(rows, waiting(rows, blocked(), new_jobs=[taken]))[0].text
    assert text.endswith(f" Its process lives (pid {os.getpid()}) and has been silent since +0.")


def test_a_worker_of_an_earlier_start_of_this_machine_is_gone(rows: Rows) -> None:
    worker = here(rows)
    boot, _, rest = worker.process.partition("/")
    if not boot:
        pytest.skip("this system does not tell one start from another")
    rows.put(workers=[replace(worker, process=f"{boot[::-1]}/{rest}"), elsewhere("w2")])
    taken = job(1, 11, worker=worker.id, leased_until=T0 + 99 * SECOND)
    (reason,) = ask(rows, waiting(rows, blocked(), new_jobs=[taken]))
    assert reason.text == "A was at work, and its worker w1 is gone; another one takes it over (running: w2)."
    assert reason.action is None


# -- time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "when"),
    [(-5, "in 0 s"), (0, "in 0 s"), (0.4, "in 0 s"), (119, "in 119 s"), (120, "at +120"), (86_400, "at +86400")],
)
def test_a_wait_s_time_is_near_in_seconds_and_far_as_a_date(rows: Rows, left: float, when: str) -> None:
    due = T0 + round(left * SECOND)
    rows.put(workers=[elsewhere("w")])
    (reason,) = ask(rows, waiting(rows, blocked(state="Pause"), timers=[timer(11, due)]))
    assert reason == Reason("timer", f"Pause waits for its time and goes on {when}.", None, "Pause", due)


def test_a_timer_that_no_worker_would_notice_asks_for_one(rows: Rows) -> None:
    (reason,) = ask(rows, waiting(rows, blocked(), timers=[timer(11, T0 + 5 * SECOND)]))
    assert reason.text == "S waits for its time and goes on in 5 s; a worker has to be running then, and none is."
    assert reason.action == WORKER


def failed(number: int, at_frame: int, **detail: object) -> HistoryEvent:
    return HistoryEvent(1, number, number - 1, at_frame, T0, "TaskFailed", detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ([], ""),
        ([failed(1, 11, error="Busy")], " with Busy"),
        ([failed(1, 11, error="Old"), failed(2, 11, error="New")], " with New"),
        ([failed(1, 11, error="Mine"), failed(2, 12, error="Another's")], " with Mine"),
        ([failed(1, 11), failed(2, 11, error=7)], ""),
    ],
)
def test_a_retry_says_which_error_was_the_last(rows: Rows, history: list[HistoryEvent], said: str) -> None:
    made = rows.execution(1, events=len(history))
    rows.put(
        new_frames=[blocked(retries=(1, 2))], timers=[timer(11, T0 + 8 * SECOND, TimerKind.BACKOFF)], history=history,
        workers=[elsewhere("w")],
    )  # fmt: skip
    (reason,) = ask(rows, made)
    assert reason == Reason(
        "retry", f"S failed{said} and is tried again in 8 s (attempt 4).", None, "S", T0 + 8 * SECOND
    )


def test_an_error_that_is_far_back_in_a_long_history_is_not_looked_for(rows: Rows) -> None:
    later = [HistoryEvent(1, n, n - 1, 99, T0, "PassStateEntered", {}) for n in range(2, 302)]
    made = rows.execution(1, events=301)
    rows.put(
        new_frames=[blocked()], timers=[timer(11, T0 + SECOND, TimerKind.BACKOFF)],
        history=[failed(1, 11, error="Old"), *later],
    )  # fmt: skip
    assert ask(rows, made)[0].text.startswith("S failed and is tried again")


def test_a_timer_of_a_job_or_of_a_wait_is_no_reason_of_its_own(rows: Rows) -> None:
    found = waiting(
        rows, blocked(), blocked(12, state="T"), new_subscriptions=[subscription(11, value="A")],
        new_jobs=[job(1, 12)], timers=[timer(11, T0 + SECOND, TimerKind.DEADLINE), timer(12, T0 + SECOND)],
    )  # fmt: skip
    assert [reason.kind for reason in ask(rows, found)] == ["message", "job"]


# -- children --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("join", "text"),
    [
        (Join(0), "Each waits for its items to be read."),
        (Join(1, started=1), "Each waits for its 1 item: 0 ended, 1 under way."),
        (Join(9, started=4, succeeded=2, settled_items=2), "Each waits for its 9 items: 2 ended, 2 under way."),
        (Join(9, settled_items=9, succeeded=9), "Each waits for its results to be written."),
        (Join(9, settled_items=5, failed=5, failed_items=5, tolerated=4), "Each waits for its results to be written."),
        (Join(9, settled_items=4, failed=4, failed_items=4, tolerated=4, started=4),
         "Each waits for its 9 items: 4 ended, 0 under way."),
    ],
)  # fmt: skip
def test_a_map_run_says_how_far_it_is(rows: Rows, join: Join, text: str) -> None:
    found = waiting(rows, forked(11, join._replace(activation=3)))
    assert ask(rows, found) == [Reason("children", text, Action(Do.SHOW_MAP_RUNS, ("ref-000001-11-3",)), "Each")]


@pytest.mark.parametrize(
    ("join", "text"),
    [
        (Join(1, started=1), "its 1 child: 0 ended, 1 to go."),
        (Join(4, started=4, succeeded=1, failed=1), "its 4 children: 2 ended, 2 to go."),
        (Join(4, 2, started=3, succeeded=1),
         "its 4 children: 1 ended, 2 under way, 1 not begun (its MaxConcurrency is reached)."),
    ],
)  # fmt: skip
def test_a_parent_counts_its_children(rows: Rows, join: Join, text: str) -> None:
    found = waiting(rows, forked(11, join, Opens.CHILDREN))
    assert ask(rows, found) == [Reason("children", f"Each waits for {text}", None, "Each")]


def test_a_nested_execution_is_named(rows: Rows) -> None:
    found = waiting(rows, forked(11, None, state="Call"))
    assert ask(rows, found) == [Reason("children", "Call waits for an execution that it started.", None, "Call")]
    rows.execution(2, name="n-2", workflow="child", tree=1, parent=Parent(11, 1))
    text = "Call waits for the execution n-2 of child."
    assert ask(rows, found) == [Reason("children", text, Action(Do.SHOW_REASONS, ("ref-000002",)), "Call")]


@pytest.mark.parametrize(("workers", "who", "action"), [([], ", as soon as there is one", WORKER),
                                                        ([elsewhere("w")], " (running: w)", None)])  # fmt: skip
def test_of_frames_that_can_go_on_the_first_is_named(
    rows: Rows, workers: list[WorkerRecord], who: str, action: Action | None
) -> None:
    rows.put(workers=workers)
    found = waiting(rows, frame(11, state="One"), frame(12, state="Two"), blocked(13, state="Three"))
    assert ask(rows, found) == [Reason("ready", f"One can go on: a worker does the next step{who}.", action, "One")]


def test_only_so_many_reasons_are_given(rows: Rows) -> None:
    frames = [blocked(100 + n) for n in range(2 * MOST)]
    found = waiting(rows, *frames, new_subscriptions=[subscription(f.id, value="A") for f in frames])
    assert len(ask(rows, found)) == MOST


# -- workers, and executions that only messages move -----------------------------------------------------


@pytest.mark.parametrize(("silent", "counts"), [(0, True), (89, True), (90, False), (1000, False)])
def test_a_worker_that_was_silent_for_too_long_is_not_counted_on(rows: Rows, silent: int, counts: bool) -> None:
    rows.put(workers=[elsewhere("w")])
    rows.clock.advance_to(T0 + silent * SECOND)
    assert [worker.name for worker in working(rows.engine)] == (["w"] if counts else [])


def test_only_a_message_moves_what_waits_for_nothing_else(rows: Rows) -> None:
    found = waiting(rows, blocked(), blocked(12), new_subscriptions=[subscription(11), subscription(12, T0 + 1)])
    assert [wait.frame for wait in only_messages_move(rows.engine, found.id)] == [11, 12]


@pytest.mark.parametrize(
    ("frames", "changes", "alone"),
    [
        ([], {}, True),
        ([], {"timers": [timer(11, T0 + 9, TimerKind.DEADLINE)]}, True),
        ([blocked(12)], {"timers": [timer(12, T0 + 9)]}, False),
        ([blocked(12)], {"new_jobs": [job(1, 12)]}, False),
        ([frame(12)], {}, False),
        ([forked(12, Join(2))], {}, False),
        ([forked(12, Join(2), Opens.CHILDREN)], {}, True),
    ],
)
def test_jobs_timers_steps_and_executions_move_it_too(
    rows: Rows, frames: list[Frame], changes: dict[str, object], alone: bool
) -> None:
    found = waiting(rows, blocked(), *frames, new_subscriptions=[subscription(11)], **changes)
    assert bool(only_messages_move(rows.engine, found.id)) is alone


def test_what_waits_for_no_message_is_not_moved_by_one(rows: Rows) -> None:
    assert only_messages_move(rows.engine, waiting(rows, blocked()).id) == []


def test_while_its_definition_is_damaged_nothing_else_is_a_reason(rows: Rows) -> None:
    rows.put(new_definitions=[definition()])
    rows.put(new_frames=[frame(11)], new_jobs=[job(1, 11)])
    (reason,) = ask(rows, rows.execution(1, digest="d1", deadline=T0 + SECOND))
    assert (reason.kind, reason.action) == ("damaged", None)
    assert reason.text == (
        "Nothing goes on with it: the stored definition of order is damaged: it is not the one of digest d1. Start an "
        "execution of the same definition: that stores it again. Or restore a backup of the database. Executions of it "
        "are left as they are until then."
    )
    assert ask(rows, rows.closed(2, digest="d1"))[0].kind == "ended"
