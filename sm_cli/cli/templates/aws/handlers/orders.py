"""Which function of workflows/order.yaml runs which code here. Only sm reads this file; it is not deployed."""

from __future__ import annotations

from typing import Any

import functions

from sm_cli import handler


@handler("process-order")
def process_order(order: dict[str, Any], context: object) -> object:
    """Run the code of arn:aws:lambda:…:function:process-order."""
    return functions.process_order(order, context)


@handler("validate-payment")
def validate_payment(order: dict[str, Any], context: object) -> object:
    """Run the code of arn:aws:lambda:…:function:validate-payment."""
    return functions.validate_payment(order, context)


@handler("send-notification")
def send_notification(order: dict[str, Any], context: object) -> object:
    """Run the code of arn:aws:lambda:…:function:send-notification."""
    return functions.send_notification(order, context)
