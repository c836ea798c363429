"""The database that a URL names: front ends open it here and need not know the store."""

from __future__ import annotations

from sm_cli.store.open import open_store

__all__ = ["open_store"]
