"""The tasks of workflows/payment_wait.yaml."""

from __future__ import annotations

from typing import Any

from sm_cli import handler


@handler("reserve:goods")
def reserve_goods(order: dict[str, Any]) -> dict[str, Any]:
    return {"reserved": True, "shelf": f"shelf-{len(str(order['orderId']))}"}


@handler("ship:order")
def ship_order(order: dict[str, Any]) -> dict[str, Any]:
    return {"shipped": True, "from": order["reservation"]["shelf"]}


@handler("release:goods")
def release_goods(order: dict[str, Any]) -> dict[str, Any]:
    return {"released": True, "shelf": order["reservation"]["shelf"]}
