"""Names of what is deployed."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.asl.export.names import capitals, function_id, machine_name, snake, unique


@pytest.mark.parametrize(
    ("name", "id", "entry"),
    [
        ("process:order", "ProcessOrder", "process_order"),
        ("chargeCard", "ChargeCard", "charge_card"),
        ("charge-card_now", "ChargeCardNow", "charge_card_now"),
        ("GreetFunctionArn", "Greet", "greet"),
        ("GreetArn", "Greet", "greet"),
        ("GreetLambdaFunction", "Greet", "greet"),
        ("Arn", "Arn", "arn"),
        ("7up", "Handler7up", "handler7up"),
        ("größe", "GrE", "gr_e"),
        ("日本", "Handler", "handler"),
        ("import", "Import", "handler_import"),
        ("HTTPServer", "HTTPServer", "http_server"),
    ],
)
def test_a_handlers_name_becomes_an_id_and_the_name_of_an_entry(name: str, id: str, entry: str) -> None:
    assert (function_id(name), snake(function_id(name))) == (id, entry)


def test_the_name_of_a_machine_has_what_aws_takes() -> None:
    assert machine_name("my order: größe") == "my-order-gr-e"
    assert machine_name("日本") == "workflow"
    assert len(machine_name("x" * 200)) == 50


def test_who_comes_second_gets_a_number_also_when_only_capitals_differ() -> None:
    others: set[str] = set()
    assert [unique(name, others) for name in ("Greet", "Greet", "GREET", "Greet2")] == [
        "Greet", "Greet2", "GREET3", "Greet22",
    ]  # fmt: skip


@given(st.text(max_size=30))
def test_whatever_a_handler_is_called_every_tool_takes_the_names_that_are_made_of_it(name: str) -> None:
    id = function_id(name)
    assert id.isascii()
    assert id.isalnum()
    assert id[0].isalpha()
    assert capitals(id, "X") == id
    assert snake(id).isidentifier()
    assert not keyword.iskeyword(snake(id))
