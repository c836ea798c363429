"""Task tokens: what was made is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.interpreter.tokens import ForgedToken, make_token, read_token

KEY = b"k" * 32
WORDS = st.integers(0, 2**63 - 1)


@given(WORDS, WORDS)
def test_a_token_is_read_as_it_was_made(frame: int, seq: int) -> None:
    token = make_token(KEY, frame, seq)
    assert read_token(KEY, token) == (frame, seq)
    assert len(token) == 43 and not set(token) & set("+/=")


def test_a_token_of_another_database_is_refused() -> None:
    with pytest.raises(ForgedToken, match="was not made for this database"):
        read_token(b"other", make_token(KEY, 1, 2))


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "A" * 44, "A" * 5_000])
def test_what_is_no_token_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ForgedToken, match="this is not a"):
        read_token(KEY, text)


def test_a_token_with_one_letter_changed_is_refused() -> None:
    token = make_token(KEY, 7, 8)
    for at in range(len(token) - 1):  # the last letter has bits that carry nothing
        other = "B" if token[at] == "A" else "A"
        with pytest.raises(ForgedToken):
            read_token(KEY, token[:at] + other + token[at + 1 :])
