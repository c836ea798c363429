"""The database that a URL names, and how long one waits for who writes: front ends need not know the store."""

from __future__ import annotations

from sm_cli.store.open import file_of, open_store, url_for_people
from sm_cli.store.waiting import Holder, Patience

__all__ = ["Holder", "Patience", "file_of", "open_store", "url_for_people"]
