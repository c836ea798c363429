"""The whole engine in one table: what each state does with each event that can reach it.

A pair that is not here cannot happen; meeting one is IllegalTransition, a bug of ours. A transition
returns Entered when the frame stands before its next state, and None when it waits or is closed; it raises
StateFailure when the state failed, and `recovery` decides what becomes of that.

| event            | who is it for                                                            |
|------------------|--------------------------------------------------------------------------|
| Entered          | every state: the frame stands before it                                  |
| TaskSucceeded    | a Task whose handler returned; a distributed Map whose items were read or results written |
| TaskFailed       | a Task whose handler raised; a distributed Map that cannot be read or written |
| DelayElapsed     | a Wait whose time has come                                               |
| BackoffElapsed   | a state with Retry, when the pause before its next attempt is over       |
| DeadlinePassed   | a Task or Message whose TimeoutSeconds have passed                       |
| HeartbeatMissed  | a Task whose handler fell silent for HeartbeatSeconds                    |
| MessageReceived  | a Message whose message came                                             |
| ItemsWanted      | a distributed Map that has items left and hardly a child that waits for its turn |
| Joined           | a Parallel or Map whose children are all closed, few enough of them failed |
| JoinFailed       | a Parallel or Map that lost more children than it tolerates              |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sm_cli.asl.model import Choice, DistributedMap, Fail, Map, Message, Parallel, Pass, State, Succeed, Task, Wait
from sm_cli.interpreter import events as e
from sm_cli.interpreter.states import choice, distributed_map, fail, map, message, parallel, pass_, succeed, task, wait
from sm_cli.interpreter.step import StepBuilder

#: Called with the turn, the state and the event; the key guarantees that the two are of its types.
Transition: TypeAlias = Callable[[StepBuilder, Any, Any], e.Entered | None]

TRANSITIONS: Mapping[tuple[type[State], type[e.Event]], Transition] = {
    (Pass, e.Entered): pass_.entered,
    (Choice, e.Entered): choice.entered,
    (Succeed, e.Entered): succeed.entered,
    (Fail, e.Entered): fail.entered,
    (Wait, e.Entered): wait.entered,
    (Wait, e.DelayElapsed): wait.elapsed,
    (Task, e.Entered): task.start,
    (Task, e.BackoffElapsed): task.start,
    (Task, e.TaskSucceeded): task.succeeded,
    (Task, e.TaskFailed): task.failed,
    (Task, e.DeadlinePassed): task.timed_out,
    (Task, e.HeartbeatMissed): task.timed_out,
    (Parallel, e.Entered): parallel.start,
    (Parallel, e.BackoffElapsed): parallel.start,
    (Parallel, e.Joined): parallel.joined,
    (Parallel, e.JoinFailed): parallel.join_failed,
    (Map, e.Entered): map.start,
    (Map, e.BackoffElapsed): map.start,
    (Map, e.Joined): map.joined,
    (Map, e.JoinFailed): map.join_failed,
    (DistributedMap, e.Entered): distributed_map.start,
    (DistributedMap, e.BackoffElapsed): distributed_map.start,
    (DistributedMap, e.TaskSucceeded): distributed_map.served,
    (DistributedMap, e.TaskFailed): distributed_map.not_served,
    (DistributedMap, e.ItemsWanted): distributed_map.items_wanted,
    (DistributedMap, e.Joined): distributed_map.joined,
    (DistributedMap, e.JoinFailed): distributed_map.join_failed,
    (Message, e.Entered): message.start,
    (Message, e.BackoffElapsed): message.start,
    (Message, e.MessageReceived): message.received,
    (Message, e.DeadlinePassed): message.timed_out,
}
