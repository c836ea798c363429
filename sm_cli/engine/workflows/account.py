"""The account that ARNs name: what a server was told once holds for all who work on its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.store.particulars import Particulars, ResourceKind

if TYPE_CHECKING:
    from sm_cli.engine.stepping.tick import Tick
    from sm_cli.engine.transactions import Transactions
    from sm_cli.jsonvalue import Json
    from sm_cli.store.protocol import Store

#: Of a database that nobody gave one, and of all that work on it.
DATABASE_ACCOUNT = "000000000000"
_NAME = "account"


def find_account(store: Store) -> str:
    """The account of the database, twelve digits."""
    with store.read() as questions:
        own = questions.particulars(ResourceKind.DATABASE, _NAME)
    return DATABASE_ACCOUNT if own is None else str(own.facts[_NAME])


def keep_account(engine: Transactions, account: str) -> None:
    """Let the database have this account from now on: whoever opens it afterwards sees it. account: twelve digits."""

    def keep(tick: Tick) -> None:
        before = tick.tx.particulars(ResourceKind.DATABASE, _NAME)
        created = tick.now if before is None else before.created
        facts: dict[str, Json] = {_NAME: account}
        tick.changes.particulars.append(Particulars(ResourceKind.DATABASE, _NAME, created, tick.now, facts))

    engine.answer(keep)
