"""Regular expressions mean what they mean in JavaScript."""

from __future__ import annotations

import re

import pytest

from sm_cli.expr.jsonata.regex import translate


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^\d+$", "12", "12"),
        (r"\d", "٣", None),
        (r"\w+", "é", None),
        (r"[\w-]+", "a-b c", "a-b"),
        (r"\D", "1a", "a"),
        (r"\W", "a!", "!"),
        (r"a$", "a\n", None),
        (r"[$]", "$", "$"),
        (r"\$", "a$", "$"),
        (r"a\/b", "a/b", "a/b"),
        (r"(?<year>\d{4})-\k<year>", "2024-2024", "2024-2024"),
        (r"(?<=a)b", "ab", "b"),
        (r"(?<!a)b", "ab", None),
        (r"[^]", "\n", "\n"),
        (r"[]", "a", None),
        (r"[[]", "[", "["),
        (r"[]", "]", None),
        (r"[\]]", "]", "]"),
        (r"[a&&b]+", "a&b", "a&b"),
        (r"[^a]", "ab", "b"),
        (r"\A", "A", "A"),
        (r"\-", "-", "-"),
        (r"é", "é", "é"),
    ],
)
def test_a_pattern_finds_what_it_finds_in_javascript(pattern: str, text: str, found: str | None) -> None:
    match = re.search(translate(pattern), text)
    assert (match[0] if match else None) == found


def test_with_the_flag_m_a_line_has_an_end() -> None:
    assert re.search(translate("a$", multiline=True), "a\nb", re.MULTILINE)
    assert not re.search(translate("a$"), "a\nb")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"(?<$>a)b", "ab", "ab"),
        (r"(?<\u006e>a)\k<n>", "aa", "aa"),
        (r"\k<n>", "k<n>", "k<n>"),
        (r"\(?<n>a(?<n>b)", "(<n>ab", "(<n>ab"),
        (r"[(?<n>]+(?<n>b)", "n>b", "n>b"),
    ],
)
def test_names_of_groups_are_those_of_javascript(pattern: str, text: str, found: str) -> None:
    match = re.search(translate(pattern), text)
    assert match is not None
    assert match[0] == found


@pytest.mark.parametrize(
    "pattern",
    ["(?<n>a)(?<n>b)", "(?<n>a)|(?<n>b)", "(?<n>(?<n>a))", r"(?<n>a)(?<\u006e>b)", "(?<1>a)", r"(?<n>a)\k<m>"],
)
def test_a_name_that_is_given_twice_or_is_none_is_refused_as_in_javascript(pattern: str) -> None:
    with pytest.raises(re.error):
        translate(pattern)
