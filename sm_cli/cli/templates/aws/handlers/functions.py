"""The code of the three Lambda functions: it knows nothing of sm, so that it can be deployed as it is.

The name of an exception's class is the name of the error, on Lambda as here.
"""

from __future__ import annotations

from typing import Any


class InvalidOrder(ValueError):
    """An order that has no id."""


class InvalidAmount(ValueError):
    """An order that cannot be paid."""


def process_order(order: dict[str, Any], _context: object) -> dict[str, Any]:
    """Accept the order."""
    if not order.get("orderId"):
        raise InvalidOrder("an order has an orderId")
    return {"processed": True, "orderId": order["orderId"], "status": "ACCEPTED"}


def validate_payment(order: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check the amount."""
    amount = order.get("amount", 0)
    if amount <= 0:
        raise InvalidAmount(f"an order over {amount} cannot be paid")
    return {"valid": True, "amount": amount, "currency": order.get("currency", "EUR")}


def send_notification(order: dict[str, Any], _context: object) -> dict[str, Any]:
    """Tell the customer; by now the input holds the results of both states before."""
    payment = order["paymentResult"]
    text = f"Order {order['orderId']} is accepted: {payment['amount']} {payment['currency']}"
    return {"sent": True, "channel": "email", "text": text}
