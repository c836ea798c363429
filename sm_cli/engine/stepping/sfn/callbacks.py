"""Tasks that end by their token: SendTaskSuccess and its kin, and GetActivityTask, which hands one out."""

from __future__ import annotations

from collections.abc import Callable

from sm_cli.asl.resources import parse_resource
from sm_cli.engine.settings import JobTaker
from sm_cli.engine.stepping.nested_executions import StartRefused
from sm_cli.engine.stepping.sfn.parameters import Parameters, json_of, text_of
from sm_cli.engine.stepping.tasks import lease_jobs
from sm_cli.engine.stepping.tokens import frame_of_token, task_of_token
from sm_cli.engine.stepping.unit_of_work import UnitOfWork
from sm_cli.errors import NotFound, TaskTimedOut, UsageError
from sm_cli.interpreter.events import Event, TaskFailed, TaskSucceeded
from sm_cli.interpreter.frame import Frame
from sm_cli.interpreter.timers import TimerKind
from sm_cli.interpreter.tokens import make_token
from sm_cli.jsonvalue import Json, dumps
from sm_cli.store.records import HANDED_OVER, Job, Timer
from sm_cli.timestamps import MICROSECONDS

#: So many tasks of an activity are looked at: those before the first that still waits are over.
MOST_TASKS = 50


def send_success(unit: UnitOfWork, parameters: Parameters) -> Json:
    """SendTaskSuccess. Raises Refused with AWS's error name, as all of these do."""
    output = json_of(parameters["Output"], "InvalidOutput", "Invalid Output")
    return answer_token(unit, parameters, lambda seq: TaskSucceeded(seq, output))


def send_failure(unit: UnitOfWork, parameters: Parameters) -> Json:
    """SendTaskFailure; the error is States.TaskFailed unless given."""
    error, cause = text_of(parameters.get("Error")), text_of(parameters.get("Cause"))
    return answer_token(unit, parameters, lambda seq: TaskFailed(seq, error or "States.TaskFailed", cause))


def send_heartbeat(unit: UnitOfWork, parameters: Parameters) -> Json:
    """SendTaskHeartbeat: HeartbeatSeconds start again."""
    frame, job = waiting(unit, str(parameters["TaskToken"]))
    if job.heartbeat is not None:
        due = unit.now + round(job.heartbeat * MICROSECONDS)
        unit.rearm(Timer(job.execution, frame.id, frame.seq, TimerKind.HEARTBEAT, due))
    return {}


def answer_token(unit: UnitOfWork, parameters: Parameters, event: Callable[[int], Event]) -> Json:
    """Hand the frame of the token an event, made for its seq."""
    frame, _ = waiting(unit, str(parameters["TaskToken"]))
    unit.deliver(frame.id, event(frame.seq))
    return {}


def waiting(unit: UnitOfWork, token: str) -> tuple[Frame, Job]:
    """The frame and job that a token is for. Raises Refused, also when something else has come for them already."""
    try:
        frame, job = task_of_token(unit, token)
    except TaskTimedOut:
        raise too_late() from None
    except (NotFound, UsageError) as e:
        raise unknown(e) from None
    if unit.agenda.has(frame.id, frame.seq):
        raise too_late()
    return frame, job


def find_frame(unit: UnitOfWork, parameters: Parameters) -> Frame:
    """The frame of a token, whatever it does now. Raises Refused."""
    try:
        return frame_of_token(unit, str(parameters["TaskToken"]))
    except (NotFound, UsageError) as e:
        raise unknown(e) from None


def unknown(error: NotFound | UsageError) -> StartRefused:
    """A token that leads nowhere."""
    if isinstance(error, NotFound):
        return StartRefused("TaskDoesNotExist", "Task does not exist")
    return StartRefused("InvalidToken", "Invalid Token: 'Invalid token'")


def too_late() -> StartRefused:
    """The task of a token has ended."""
    return StartRefused("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


# -- activities ----------------------------------------------------------------------------------------


def activity_of(parameters: Parameters) -> str:
    """The name of the activity of an ARN. Raises Refused."""
    arn = str(parameters["ActivityArn"])
    resource = parse_resource(arn)
    if resource.kind != "activity":
        raise StartRefused("InvalidArn", f"Invalid Arn: '{arn}'")
    return resource.handler


def free_tasks(unit: UnitOfWork, activity: str, most: int = MOST_TASKS) -> list[Job]:
    """The oldest tasks of an activity that nobody has, as the store has them."""
    return unit.tx.claimable(unit.now, most, resources=frozenset({activity}))


def still_waits(unit: UnitOfWork, job: Job) -> bool:
    """Whether the task is not over, and nobody in this transaction has taken it."""
    unit.load([job.frame])
    frame = unit.frames[job.frame]
    has_lease = any(lease.id == job.id for lease in unit.changes.leased_jobs)
    return frame.seq == job.seq and not frame.status.closed and not has_lease


def hand_out(unit: UnitOfWork, activity: str, job: Job) -> str:
    """Give a task of an activity away: its timeouts count from now. Returns its token."""
    taker, unit.taker = unit.taker, JobTaker(f"activity:{activity}", 1, at_once=False)
    try:
        lease_jobs(unit, [job])
    finally:
        unit.taker = taker
    job.worker, job.leased_until = None, HANDED_OVER
    return make_token(unit.settings.token_key, job.frame, job.seq)


def get_activity_task(unit: UnitOfWork, parameters: Parameters) -> Json:
    """GetActivityTask. It answers at once; without a task, as AWS does after a minute."""
    activity = activity_of(parameters)
    for job in free_tasks(unit, activity):
        if still_waits(unit, job):
            return {"Input": dumps(job.input), "TaskToken": hand_out(unit, activity, job)}
    return {}
