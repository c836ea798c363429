"""What a message just missed: the sentences about waits and messages that nearly fit."""

from __future__ import annotations

import pytest

from sm_cli.engine.near_misses import ago, difference, near_misses
from sm_cli.jsonvalue import Json
from sm_cli.store.messages import Late, PastWait, Subscription, WaitEnding
from tests.store.samples import SECOND, T0, frame, message, subscription
from tests.views.rows import Rows


def missed(
    rows: Rows, value: Json, now: int = T0, just_ended: list[PastWait] | None = None
) -> tuple[tuple[str, ...], tuple[Late, ...]]:
    with rows.store.write() as tx:
        over = {(w.frame, w.seq) for w in just_ended or ()}
        return near_misses(tx, "orderId", value, now, just_ended or [], lambda s: (s.frame, s.seq) not in over)


def waits(*waiting: Subscription) -> Rows:
    rows = Rows()
    rows.execution(1)
    rows.put(new_frames=[frame(s.frame) for s in waiting], new_subscriptions=list(waiting))
    return rows


def test_where_nobody_waits_nothing_is_said() -> None:
    assert missed(Rows(), "A") == ((), ())


@pytest.mark.parametrize(
    ("waiting", "kind", "sent", "sentence"),
    [
        ("ord-1", "s", "ORD-1", "execution ref-000001 waits for orderId=ord-1, which differs in case"),
        ("ORD 1", "s", "ORD1", "execution ref-000001 waits for orderId=ORD 1, which differs in blanks"),
        ("ord 1", "s", "ORD1", "execution ref-000001 waits for orderId=ord 1, which differs in case and blanks"),
        ("1.5", "n", "1.50", "execution ref-000001 waits for orderId=1.5, which differs in how the number is written"),
        ("7", "s", 7, "execution ref-000001 waits for orderId=7 as text; this was sent as a number, to be matched "
                      "strictly"),
        ("true", "s", True, "execution ref-000001 waits for orderId=true as text; this was sent as a boolean, to be "
                            "matched strictly"),
        ("7", "n", "7", "execution ref-000001 waits for orderId=7 as a number; this was sent as text, to be matched "
                        "strictly"),
        ("A", "s", "A", "execution ref-000001 waits for orderId=A, but the message was for another execution only"),
    ],
)  # fmt: skip
def test_a_wait_that_nearly_fits_is_told_with_what_differs(waiting: str, kind: str, sent: Json, sentence: str) -> None:
    assert missed(waits(subscription(11, value=waiting, kind=kind)), sent) == ((sentence,), ())


@pytest.mark.parametrize("sent", ["ORD-2", "", 7, "ORD-"])
def test_a_wait_for_something_else_is_not_told_of(sent: Json) -> None:
    assert missed(waits(subscription(11, value="ORD-1")), sent) == ((), ())


@pytest.mark.parametrize("value", ["ORD-1", "ord-1", "ord - 1"])
def test_a_wait_for_the_value_under_another_key_is_told(value: str) -> None:
    rows = waits(subscription(11, key="other", value="ORD-1"), subscription(12, key="third", value="ORD-2"))
    assert missed(rows, value) == (
        ("execution ref-000001 waits for other=ORD-1, under another key than orderId",), ()
    )  # fmt: skip


@pytest.mark.parametrize("key", ["OrderID", "order_id", "orderid", "orderIds", "ordrId"])
def test_a_key_that_is_nearly_one_that_others_wait_under_is_told(key: str) -> None:
    rows = waits(subscription(11, key=key, value="ORD-2"), subscription(12, key="customer", value="ORD-3"))
    sentence = f"nobody waits under the key 'orderId'; executions wait under '{key}'"
    assert missed(rows, "ORD-1") == ((sentence,), ())


def test_a_key_that_has_nothing_in_common_is_not_told() -> None:
    assert missed(waits(subscription(11, key="customer", value="ORD-2")), "ORD-1") == ((), ())


def test_at_most_three_waits_under_other_keys_are_told() -> None:
    rows = waits(*(subscription(11 + n, key=f"other{n:03}", value="ORD-1") for n in range(200)))
    sentences, _ = missed(rows, "ORD-1")
    assert [sentence.split(" waits for ")[1] for sentence in sentences] == [
        f"other{n:03}=ORD-1, under another key than orderId" for n in range(3)
    ]


def test_a_wait_that_this_transaction_closed_is_not_told_under_its_key() -> None:
    one = subscription(11, key="other", value="ORD-1")
    ended = PastWait(1, one.frame, one.seq, "other", "ORD-1", T0, "aborted")
    assert missed(waits(one), "ORD-1", just_ended=[ended])[0][0].startswith("execution ref-000001 waited for other=")


def test_of_many_waits_a_few_are_told_of() -> None:
    rows = waits(*(subscription(11 + n, value=value) for n, value in enumerate(("abc", "aBc", "abC", "Abc", "ABc"))))
    assert len(missed(rows, "ABC")[0]) == 3


@pytest.mark.parametrize(("after", "says"), [(0, "a moment ago"), (59, "59 seconds ago"), (3600, "an hour ago")])
def test_an_earlier_message_that_expired_is_told_of_once(after: int, says: str) -> None:
    rows = Rows()
    rows.put(new_messages=[message(n, value="A", expires=T0) for n in (1, 2)])
    sentences, late = missed(rows, "A", T0 + after * SECOND)
    assert len(sentences) == 1 and late == ()
    assert sentences[0].endswith(f"with this key and value expired {says}; nobody had waited for it")


@pytest.mark.parametrize(
    ("how", "is_late", "says"),
    [
        ("timeout", True, "its time was up"),
        ("aborted", True, "it was closed"),
        ("message", False, "it received a message"),
    ],
)
def test_a_wait_that_has_just_ended_is_told_of_and_the_message_was_late_for_it(
    how: WaitEnding, is_late: bool, says: str
) -> None:
    rows = waits(subscription(11, value="A"))
    ended = PastWait(1, 11, 1, "orderId", "A", T0 - 2 * SECOND, how)
    sentences, late = missed(rows, "A", T0, [ended])
    assert sentences == (f"execution ref-000001 waited for orderId=A until 2 seconds ago: {says}",)
    assert late == ((Late(1, T0 - 2 * SECOND, how),) if is_late else ())


def test_a_message_with_another_spelling_is_not_late() -> None:
    ended = PastWait(1, 11, 1, "orderId", "a", T0, "timeout")
    sentences, late = missed(Rows(), "A", T0, [ended])
    assert sentences == ("execution ? waited for orderId=a until a moment ago: its time was up",)
    assert late == ()


OVER = T0 - 2 * SECOND


@pytest.mark.parametrize(
    ("sent", "is_late"), [("a", False), ("A", True)], ids=["another spelling", "for another execution only"]
)
def test_a_wait_whose_time_is_up_has_ended_although_nobody_has_looked_since(sent: str, is_late: bool) -> None:
    rows = waits(subscription(11, value="A")._replace(deadline=OVER), subscription(12, value="A")._replace(deadline=T0))
    sentences, late = missed(rows, sent)
    assert len(sentences) == 2 and sentences[0].startswith("execution ref-000001 waits for orderId=A, ")
    assert sentences[1] == "execution ref-000001 waited for orderId=A until 2 seconds ago: its time was up"
    assert late == ((Late(1, OVER, "timeout"),) if is_late else ())


@pytest.mark.parametrize(("deadline", "says"), [(None, "it was closed"), (OVER - 1, "its time was up")])
def test_a_wait_whose_executions_time_is_up_has_ended_too(deadline: int | None, says: str) -> None:
    rows = Rows()
    rows.execution(1, deadline=OVER)
    one = subscription(11, value="A")._replace(deadline=deadline)
    rows.put(new_frames=[frame(11)], new_subscriptions=[one])
    assert missed(rows, "a") == ((f"execution ref-000001 waited for orderId=A until 2 seconds ago: {says}",), ())


def test_a_wait_under_another_key_whose_time_is_up_is_told_as_ended() -> None:
    rows = waits(subscription(11, key="other", value="A")._replace(deadline=OVER))
    waited = "execution ref-000001 waited for other=A, under another key than orderId, until 2 seconds ago"
    assert missed(rows, "A") == ((f"{waited}: its time was up",), ())


@pytest.mark.parametrize(("deadline", "verb"), [(OVER, "waited"), (T0, "wait"), (None, "wait")])
def test_a_key_that_is_nearly_right_is_told_with_whether_anybody_still_waits(deadline: int | None, verb: str) -> None:
    rows = waits(
        subscription(11, key="OrderID", value="B")._replace(deadline=OVER),
        subscription(12, key="OrderID", value="C")._replace(deadline=deadline),
    )
    sentence = f"nobody waits under the key 'orderId'; executions {verb} under 'OrderID'"
    assert missed(rows, "A") == ((sentence,), ())


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("a", "A", "case"),
        ("straße", "STRASSE", "case"),
        ("a b", "ab", "blanks"),
        ("a\tb", "a b", "blanks"),
        ("a B", "Ab", "case and blanks"),
        ("1.5", "1.50", "how the number is written"),
    ],
)
def test_two_texts_differ_in_something(one: str, other: str, says: str) -> None:
    assert difference(one, other) == difference(other, one) == says


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "a moment ago"),
        (0, "a moment ago"),
        (1, "a moment ago"),
        (2, "2 seconds ago"),
        (59, "59 seconds ago"),
        (60, "a minute ago"),
        (119, "a minute ago"),
        (120, "2 minutes ago"),
        (3599, "59 minutes ago"),
        (3600, "an hour ago"),
        (7200, "2 hours ago"),
        (86_399, "23 hours ago"),
        (86_400, "a day ago"),
        (172_800, "2 days ago"),
    ],
)
def test_how_long_ago_is_said_in_the_largest_unit(seconds: int, text: str) -> None:
    assert ago(seconds * SECOND) == text
    assert ago(seconds * SECOND + SECOND - 1) == text
