"""Whatever happens in whatever order: no message lies beside a wait that it fits, and none is received twice."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sm_cli.engine.engine import Engine
from sm_cli.engine.send_message import SendOutcome, Sent
from sm_cli.engine.settings import Settings
from sm_cli.engine.stepping.tick import Tick
from sm_cli.errors import Conflict
from sm_cli.jsonvalue import scalar_text
from sm_cli.store.messages import (
    MessageFilter,
    MessageStatus,
    StoredMessage,
    WaitFilter,
)
from sm_cli.store.records import Execution, Status
from sm_cli.store.sqlite.memory import MemoryStore
from sm_cli.testing import FakeClock
from tests.engine.waiting import WAIT, machine, now, start
from tests.store.asking import asked

SECOND = 1_000_000
VALUES: st.SearchStrategy[Any] = st.sampled_from(["a", "A", 7, "7", True])
SPANS = st.sampled_from([0, 1, 5, 30])
#: Waits twice, five seconds at most each time; what it received stands in its output.
TWICE = machine(
    "One",
    One={**WAIT, "TimeoutSeconds": 5, "TimeoutPath": "Two", "ResultPath": "$.one", "Next": "Two"},
    Two={**WAIT, "TimeoutSeconds": 5, "TimeoutPath": "Done", "ResultPath": "$.two", "Next": "Done"},
    Done={"Type": "Succeed"},
)


class Mail(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.engine = Engine(self.store, clock=self.clock, settings=Settings(fanout=1))
        self.begun: list[Execution] = []
        self.sent = 0
        self.counted: dict[int, int] = {}

    @rule(value=VALUES)
    def begin(self, value: Any) -> None:
        self.begun.append(start(self.engine, TWICE, {"orderId": value}))

    @rule(
        value=VALUES, to=st.sampled_from(["all", "one"]), strict=st.booleans(), ttl=SPANS, require=st.booleans(),
        id=st.none() | st.sampled_from("xy"), only=st.none() | st.integers(0, 9),
    )  # fmt: skip
    def send(
        self, value: Any, to: Any, strict: bool, ttl: int, require: bool, id: str | None, only: int | None
    ) -> None:  # fmt: skip
        running = [e for e in self.begun if now(self.store, e).status is Status.RUNNING]
        target = running[only % len(running)] if running and only is not None else None
        known = id is not None and any(
            (m.key, m.value, m.message_id) == ("orderId", scalar_text(value), id) for m in self.messages()
        )
        self.sent += 1
        try:
            answer = self.engine.publish(
                "orderId", value, self.sent, message_id=id, to=to, strict_type=strict, ttl=ttl, require_match=require,
                execution=target,
            )  # fmt: skip
        except Conflict as conflict:
            if conflict.topic == "message":
                assert known  # under that id with other data: each sends its own number
            else:
                self.was_over_already(target)
            return
        self.check(answer, to, target, must=require or ttl == 0)

    def check(self, answer: Sent, to: str, target: Execution | None, *, must: bool) -> None:
        match answer.outcome:
            case SendOutcome.DELIVERED:
                assert answer.executions
                assert to == "all" or len(answer.executions) == 1
                assert target is None or answer.executions == (target.ref,)
            case SendOutcome.BUFFERED:
                assert not must
                assert answer.until is not None
            case SendOutcome.DUPLICATE:
                raise AssertionError("no two of them have the same data")
            case SendOutcome.NOT_DELIVERED:
                assert must

    @rule(seconds=SPANS)
    def wait(self, seconds: int) -> None:
        self.clock.advance_to(self.clock.now() + seconds * SECOND)

    @rule()
    def tick(self) -> None:
        self.engine.transact(Tick.due)

    @precondition(lambda self: self.begun)
    @rule(pick=st.integers(0, 99))
    def stop(self, pick: int) -> None:
        e = self.begun[pick % len(self.begun)]
        if now(self.store, e).status is Status.RUNNING:
            try:
                self.engine.stop(e)
            except Conflict:
                self.was_over_already(e)

    def was_over_already(self, execution: Execution | None) -> None:
        """What was due is judged before what arrives: an execution whose time was up has ended by it."""
        assert execution is not None
        ended = now(self.store, execution)
        assert ended.status is not Status.RUNNING
        assert ended.closed == self.clock.now()

    def messages(self) -> list[StoredMessage]:
        listed = asked(self.store).list_messages(MessageFilter(self.clock.now(), limit=10_000))
        return [m for each in listed if (m := asked(self.store).message(each.id)) is not None]

    @invariant()
    def no_message_lies_beside_a_wait_that_it_fits(self) -> None:
        waits = [w.subscription for w in asked(self.store).open_waits(WaitFilter(limit=10_000))]
        for m in self.messages():
            if m.status_at(self.clock.now()) is MessageStatus.BUFFERED:
                assert not any(
                    (s.key, s.value) == (m.key, m.value)
                    and (not m.strict or s.kind == m.kind)
                    and m.execution in (None, s.execution)
                    for s in waits
                )

    @invariant()
    def every_receipt_is_a_message_and_every_consumed_message_was_received(self) -> None:
        if asked(self.store).has_ready():
            return  # somebody has a message that a later tick steps
        received: dict[Any, int] = {}
        for e in self.begun:
            for event in asked(self.store).history(e.id):
                if event.type == "MessageReceived":
                    number = event.detail["output"]
                    received[number] = received.get(number, 0) + 1
        stored = {m.body: m for m in self.messages()}
        aborted = any(now(self.store, e).status is Status.ABORTED for e in self.begun)
        for number, times in received.items():
            assert stored[number].status is MessageStatus.CONSUMED
            assert times == stored[number].count or (aborted and times < stored[number].count)
        for m in stored.values():
            assert (m.status is MessageStatus.CONSUMED) == (m.count > 0)
            assert m.status is not MessageStatus.CONSUMED or m.body in received or aborted

    @invariant()
    def whoever_waits_has_a_timer_and_a_frame(self) -> None:
        for e in self.begun:
            waits = asked(self.store).subscriptions_of(e.id)
            assert [t.frame for t in asked(self.store).timers_of(e.id)] == [s.frame for s in waits]
            frames = {frame.id: frame.seq for frame in asked(self.store).open_frames(e.id)}
            assert all(frames[s.frame] == s.seq for s in waits)
            assert now(self.store, e).status is Status.RUNNING or not frames


TestMail = Mail.TestCase
TestMail.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
