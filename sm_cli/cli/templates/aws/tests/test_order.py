"""The order workflow, run in memory and in virtual time: no database, no waiting."""

from __future__ import annotations

from pathlib import Path

from sm_cli.testing import load_handlers, simulate

PROJECT = Path(__file__).resolve().parents[1]
ORDER = (PROJECT / "workflows" / "order.yaml").read_text(encoding="utf-8")
HANDLERS = load_handlers(PROJECT / "handlers")


def test_an_order_gets_the_result_of_every_step() -> None:
    outcome = simulate(ORDER, {"orderId": "ORD-1", "amount": 150}, handlers=HANDLERS)

    assert outcome.status == "SUCCEEDED"
    assert isinstance(outcome.output, dict)
    assert outcome.output["orderId"] == "ORD-1"
    assert {"orderResult", "paymentResult", "notificationResult"} <= outcome.output.keys()


def test_an_order_over_nothing_is_refused() -> None:
    outcome = simulate(ORDER, {"orderId": "ORD-1", "amount": 0}, handlers=HANDLERS)

    assert (outcome.status, outcome.error) == ("FAILED", "InvalidAmount")


def test_a_handler_can_be_replaced_by_one_that_fails() -> None:
    def out_of_service(_order: object) -> None:
        raise ConnectionError("the mail server does not answer")

    outcome = simulate(
        ORDER, {"orderId": "ORD-1", "amount": 150}, handlers={**HANDLERS, "send-notification": out_of_service}
    )

    assert (outcome.status, outcome.error) == ("FAILED", "ConnectionError")
