"""What names an execution: ids, beginnings of them, names, ARNs, and the newest ones."""

from __future__ import annotations

import pytest

from sm_cli.engine.execution_names import check_chosen_name
from sm_cli.errors import Conflict, NotFound, UsageError
from sm_cli.interpreter.env import Facts
from sm_cli.store.records import Status
from tests.views.rows import Rows

FIRST, SECOND = "01KG9Z1Y00000000000000000A", "01KG9Z1Y00000000000000000B"


@pytest.fixture
def rows() -> Rows:
    made = Rows()
    made.closed(1, ref=FIRST, name="small", workflow="order")
    made.closed(2, Status.FAILED, ref=SECOND, name="01kg9z1y", workflow="order")
    made.closed(3, Status.TIMED_OUT, name="late", workflow="a:b")
    made.closed(4, Status.ABORTED, name="stopped")
    made.execution(5, name="runs", workflow="order")
    made.execution(6, name="below", tree=5)
    made.closed(7, Status.FAILED, name="below it", tree=5)
    return made


@pytest.mark.parametrize(
    ("text", "id"),
    [
        (FIRST, 1), (FIRST.lower(), 1), (SECOND.lower(), 2), ("small", 1),
        ("01kg9z1y", 2),  # a name goes before the beginning of an id
        ("@last", 5), ("@running", 5), ("@failed", 3),
        ("arn:aws:states:us-east-1:111111111111:execution:order:small", 1),
        ("arn:aws-cn:states:cn-north-1:2:execution:order:small", 1),
        ("arn:aws:states:us-east-1:111111111111:execution:a:b:late", 3),
        (f"arn:aws:states:us-east-1:111111111111:express:order:small:{FIRST}", 1),
    ],
)  # fmt: skip
def test_an_execution_is_found(rows: Rows, text: str, id: int) -> None:
    assert rows.engine.find(text).id == id


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_the_arn_of_the_context_object_names_it(rows: Rows, type: str) -> None:
    one = rows.engine.find(FIRST)
    facts = Facts(one.ref, one.name, one.workflow, type, None, 0)
    assert rows.engine.find(facts.execution_arn).id == one.id


@pytest.mark.parametrize("text", ["01KG9Z1Y0", "01kg9z1y0"])
def test_a_beginning_of_two_is_asked_back(rows: Rows, text: str) -> None:
    with pytest.raises(Conflict, match=f"may be any of {SECOND} .order., {FIRST} .order."):
        rows.engine.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "nobody", "@lst", "@", "arn:", "arn:aws:states:r:1:execution:order:nobody",
        "arn:aws:states:r:1:execution:x",
        "arn:aws:states:us-east-1:111111111111:stateMachine:order", "arn:aws:states:r:1:express:order:small:01",
        "arn:aws:states:r:1:express:order:small:", f"arn:aws:s3:r:1:express:order:small:{FIRST}",
    ],
)  # fmt: skip
def test_what_names_none_is_not_found(rows: Rows, text: str) -> None:
    with pytest.raises(NotFound) as missing:
        rows.engine.find(text)
    assert (missing.value.hint is not None) == text.startswith("@")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@last", "there is no execution yet"),
        ("@failed", "no execution is FAILED or TIMED_OUT, so @failed names none"),
        ("@running", "no execution is RUNNING, so @running names none"),
    ],
)
def test_where_there_is_none_a_sentence_says_so(text: str, says: str) -> None:
    with pytest.raises(NotFound) as missing:
        Rows().engine.find(text)
    assert missing.value.message == says


@pytest.mark.parametrize("name", ["@last", "@", "@mine"])
def test_a_name_that_could_be_taken_for_one_of_these_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="begins with @"):
        check_chosen_name(name)
    assert check_chosen_name(f"a{name}") == f"a{name}"
