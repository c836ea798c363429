"""How large an item may be.

A file is read in pieces, and nothing that it holds makes a piece larger than this.
"""

from __future__ import annotations

from sm_cli.buckets.failures import ItemReaderFailed

#: In characters. AWS reads items of up to 8 MB from CSV, JSON and JSON Lines.
LARGEST_ITEM = 8 << 20


def too_large(what: str) -> ItemReaderFailed:
    """An item, or what it is read from, is larger than one may be."""
    return ItemReaderFailed(f"{what} is larger than {LARGEST_ITEM >> 20} MiB, the limit for an item")
