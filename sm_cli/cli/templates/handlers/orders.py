"""The three tasks of workflows/order.yaml. A handler takes the state's input and returns its result."""

from __future__ import annotations

from typing import Any

from sm_cli import TaskError, handler


@handler("process:order")
def process_order(order: dict[str, Any]) -> dict[str, Any]:
    """Accept the order. An order without an id fails the task with an error that a Catch can name."""
    if not order.get("orderId"):
        raise TaskError("InvalidOrder", "an order has an orderId")
    return {"processed": True, "orderId": order["orderId"], "status": "ACCEPTED"}


@handler("validate:payment")
def validate_payment(order: dict[str, Any]) -> dict[str, Any]:
    """Check the amount."""
    amount = order.get("amount", 0)
    if amount <= 0:
        raise TaskError("InvalidAmount", f"an order over {amount} cannot be paid")
    return {"valid": True, "amount": amount, "currency": order.get("currency", "EUR")}


@handler("send:notification")
def send_notification(order: dict[str, Any]) -> dict[str, Any]:
    """Tell the customer; by now the input holds the results of both states before."""
    payment = order["paymentResult"]
    text = f"Order {order['orderId']} is accepted: {payment['amount']} {payment['currency']}"
    return {"sent": True, "channel": "email", "text": text}
