"""Numbers, times, tables and key=value: what a person writes and reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal import tables
from sm_cli.cli.terminal.inputs import json_or_text, read_pairs
from sm_cli.cli.terminal.moments import microseconds_of
from sm_cli.cli.terminal.options import seconds
from sm_cli.errors import UsageError
from sm_cli.jsonvalue import dumps


@pytest.mark.parametrize(
    ("microseconds", "shown"),
    [
        (-5, "0 ms"),
        (0, "0 ms"),
        (999, "0 ms"),
        (12_345, "12 ms"),
        (999_999, "999 ms"),
        (1_000_000, "1.0 s"),
        (59_940_000, "59.9 s"),
        (59_960_000, "1 m 0 s"),
        (125_000_000, "2 m 5 s"),
        (3_599_600_000, "1 h 0 m"),
        (11_100_000_000, "3 h 5 m"),
        (183_600_000_000, "2 d 3 h"),
    ],
)
def test_durations_are_short(microseconds: int, shown: str) -> None:
    assert tables.duration(microseconds) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("0.5", 0.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("1.5h", 5400)],
)
def test_spans_are_read(text: str, value: float) -> None:
    assert seconds(text, "--timeout") == value


def test_a_table_leaves_out_what_is_empty_everywhere_and_aligns_wide_characters() -> None:
    lines = tables.table(("NAME", "EMPTY", "N"), [("日本", "", "1"), ("a", "", "22")])
    assert lines == ["NAME  N", "日本  1", "a     22"]


def test_a_table_never_hands_control_characters_to_a_terminal() -> None:
    assert tables.table(("A",), [("x\x1b[2Jy\n",)])[1] == r"x\u001b[2Jy\n"


def test_a_moment_is_a_span_ago_or_a_date() -> None:
    assert microseconds_of("1970-01-01T00:00:01+00:00", "--since") == 1_000_000
    assert microseconds_of("1h", "--since") > microseconds_of("2h", "--since") > 0
    with pytest.raises(UsageError, match="--since takes"):
        microseconds_of("soon", "--since")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(_JSON)
def test_a_value_that_is_json_is_taken_as_it_is(value: object) -> None:
    text = dumps(value)  # type: ignore[arg-type]  # the strategy makes JSON
    assert read_pairs([f"key={text}"]) == {"key": json.loads(text)}


@given(_TEXT)
def test_a_value_that_is_not_json_is_text(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        assert json_or_text(text, "key") == text


def test_the_nearest_configuration_above_is_found(tmp_path: Path) -> None:
    tmp_path.joinpath("pyproject.toml").write_text("[tool.sm]\nworkflow = 'outer'\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    tmp_path.joinpath("a", "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert find_project(inner).root == tmp_path
    tmp_path.joinpath("a", "sm.toml").write_text("")
    assert find_project(inner).root == tmp_path / "a"


def test_a_broken_pyproject_of_somebody_else_is_none_of_our_business(tmp_path: Path) -> None:
    tmp_path.joinpath("pyproject.toml").write_text("[tool.other\n")
    assert find_project(tmp_path).file is None
