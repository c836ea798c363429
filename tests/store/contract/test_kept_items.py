"""The contract of `sm_cli.store.protocol`: items of batches that are kept until they have been read."""

from __future__ import annotations

from sm_cli.store.protocol import Store
from sm_cli.store.records import KeptItems
from tests.store.asking import asked
from tests.store.samples import T0, apply


def keep(store: Store, *counts: int, batch: str = "B", at: int = T0) -> None:
    """Rows of so many items each, one behind the other."""
    first, rows = 0, []
    for count in counts:
        lines = b"\n".join(b"%d" % number for number in range(first, first + count))
        rows.append(KeptItems(batch, first, count, at, lines))
        first += count
    apply(store, kept_items=rows)


def firsts(store: Store, start: int, end: int, batch: str = "B") -> list[int]:
    return [first for first, _, _ in asked(store).kept_items(batch, start, end)]


def test_lines_come_back_as_they_are(store: Store) -> None:
    lines = '"ä\u2028"\n"\\u0000"\n!"no"'.encode()
    apply(store, kept_items=[KeptItems("B", 0, 3, T0, lines)])
    ((first, count, kept),) = asked(store).kept_items("B", 0, 3)
    assert (first, count, bytes(kept)) == (0, 3, lines)


def test_rows_are_found_by_the_numbers_of_their_items(store: Store) -> None:
    keep(store, 2, 3, 1)
    keep(store, 9, batch="A")
    assert firsts(store, 0, 6) == [0, 2, 5]
    assert firsts(store, 1, 2) == [0]
    assert firsts(store, 4, 5) == [2]
    assert firsts(store, 4, 6) == [2, 5]
    assert firsts(store, 0, 6, "C") == []


def test_what_has_been_read_goes_by_whole_rows(store: Store) -> None:
    keep(store, 2, 3, 1)
    keep(store, 2, batch="C")
    apply(store, kept_items_gone=[("B", 4)])
    assert asked(store).first_kept("B") == 2
    assert firsts(store, 0, 6) == [2, 5]
    apply(store, kept_items_gone=[("B", 6)])
    assert asked(store).first_kept("B") is None
    assert firsts(store, 0, 2, "C") == [0]


def test_batches_of_which_something_is_kept_are_listed_once(store: Store) -> None:
    keep(store, 1, 1, batch="b", at=T0 + 5)
    keep(store, 1, batch="B", at=T0)
    assert asked(store).kept_batches() == [("B", T0), ("b", T0 + 5)]
