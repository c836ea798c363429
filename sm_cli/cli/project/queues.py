"""Which queues a worker serves, and in what ratio: `critical:6,default:3,low:1`, as an option or the setting says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.cli.terminal.options import count, queue_name
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from sm_cli.engine.stepping.queues import Rota


def rota_of(queues: str | None, source: str, *, strict: bool = False) -> Rota:
    """From such a text; a queue without a number weighs 1. None: every queue, by the usual weights. source: who says
    so, for a sentence. Raises UsageError."""
    from sm_cli.engine.stepping.queues import Rota

    if queues is None:
        return Rota(strict=strict)
    weights: dict[str, int] = {}
    for part in queues.split(","):
        name, colon, weight = part.strip().partition(":")
        if queue_name(name, source) in weights:
            raise UsageError(f"{source} names {name!r} twice")
        weights[name] = count(weight, source) if colon else 1
    return Rota(weights, strict=strict)
