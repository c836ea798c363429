"""JSON pointers, as RFC 6901 has them."""

from __future__ import annotations

import pytest

from sm_cli.jsonpointer import child, tokens


@pytest.mark.parametrize(
    ("pointer", "parts"),
    [
        # RFC 6901, section 5
        ("", []),
        ("/foo", ["foo"]),
        ("/foo/0", ["foo", "0"]),
        ("/", [""]),
        ("/a~1b", ["a/b"]),
        ("/c%d", ["c%d"]),
        ("/e^f", ["e^f"]),
        ("/i\\j", ["i\\j"]),
        ('/k"l', ['k"l']),
        ("/ ", [" "]),
        ("/m~0n", ["m~n"]),
        ("/~01", ["~1"]),
        ("//a/", ["", "a", ""]),
    ],
)
def test_a_pointer_is_its_tokens_and_is_made_of_them_again(pointer: str, parts: list[str]) -> None:
    assert tokens(pointer) == parts
    made = ""
    for part in parts:
        made = child(made, part)
    assert made == pointer


def test_an_index_is_written_as_it_is() -> None:
    assert child("/States/A/Catch", 0) == "/States/A/Catch/0"
