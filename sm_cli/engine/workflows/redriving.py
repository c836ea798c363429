"""Redriving by AWS's API: a call that is made again with the same token is answered as before, and does nothing."""

from __future__ import annotations

from sm_cli.engine.stepping.arrivals import judge
from sm_cli.engine.stepping.redrive import redrive
from sm_cli.engine.stepping.tick import Tick
from sm_cli.engine.transactions import Transactions
from sm_cli.jsonvalue import Json
from sm_cli.store.particulars import Particulars, ResourceKind
from sm_cli.store.records import Execution
from sm_cli.timestamps import MICROSECONDS

#: As on AWS: so many tokens of an execution are remembered, each for so many microseconds.
_MOST, _KEPT = 10, 15 * 60 * MICROSECONDS
_TOKENS = "redriveTokens"


def redrive_once(engine: Transactions, execution: Execution, token: str | None) -> int:
    """Go on with a failed execution, unless that was done with this token in the last fifteen minutes: when it was
    redriven, in microseconds since 1970 UTC. None: no token. Raises Conflict for one that is not to be redriven."""

    def work(tick: Tick) -> int:
        own = tick.tx.particulars(ResourceKind.EXECUTION, execution.ref)
        facts = {} if own is None else own.facts
        tokens = {name: at for name, at in _tokens_in(facts).items() if tick.now - at < _KEPT}
        if token is not None and token in tokens:
            return tokens[token]
        judge(tick, [execution.id])
        redrive(tick, execution)
        if token is not None:
            newest = dict([*tokens.items(), (token, tick.now)][-_MOST:])
            new_facts: dict[str, Json] = {**facts, _TOKENS: {**newest}}
            created = tick.now if own is None else own.created
            tick.changes.particulars.append(
                Particulars(ResourceKind.EXECUTION, execution.ref, created, tick.now, new_facts)
            )
        return tick.now

    return engine.answer(work)[0]


def _tokens_in(facts: dict[str, Json]) -> dict[str, int]:
    """Token to when it was used first, oldest first, microseconds since 1970 UTC."""
    tokens = facts.get(_TOKENS)
    items = tokens.items() if isinstance(tokens, dict) else ()
    return dict(sorted(((name, at) for name, at in items if isinstance(at, int)), key=lambda item: item[1]))
