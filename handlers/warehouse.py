"""The tasks of workflows/retry_and_parallel.yaml."""

from __future__ import annotations

from typing import Any

from sm_cli import TaskError, handler
from sm_cli.handlers.handler import Context


@handler("check:stock")
def check_stock(order: dict[str, Any], context: Context) -> dict[str, Any]:
    """Fails as often as the order's `busy` says, so that the retries can be watched."""
    if context.attempt <= order.get("busy", 1):
        raise TaskError("WarehouseBusy", f"attempt {context.attempt} came too early")
    return {"inStock": len(order["items"])}


@handler("find:customer")
async def find_customer(order: dict[str, Any]) -> dict[str, Any]:
    return {"name": order.get("customer", "a guest")}


@handler("pack:item")
def pack_item(parcel: dict[str, Any]) -> str:
    return f"parcel {parcel['number'] + 1}: {parcel['item']}"
