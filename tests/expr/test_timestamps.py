"""RFC3339 as the States Language wants it: strict to read, exact to order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.timestamps import Timestamp, parse_timestamp, why_not_a_timestamp

NOON = 1_704_110_400  # 2024-01-01T12:00:00Z in seconds


def parsed(text: str) -> Timestamp:
    moment = parse_timestamp(text)
    assert moment is not None, text
    return moment


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2024-01-01T12:00:00Z", NOON * 10**9),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -(10**9)),
        ("2024-01-01T14:00:00+02:00", NOON * 10**9),
        ("2024-01-01T06:30:00-05:30", NOON * 10**9),
        ("2024-01-01T12:00:00-00:00", NOON * 10**9),
        ("2024-01-01T12:00:00.5Z", NOON * 10**9 + 500_000_000),
        ("2024-01-01T12:00:00.000000001Z", NOON * 10**9 + 1),
        ("2024-01-01T12:00:00.123456789+00:00", NOON * 10**9 + 123_456_789),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * 10**9),
    ],
)
def test_a_timestamp_is_read_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    assert parsed(text) == Timestamp(nanoseconds // 1_000, nanoseconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2016-12-05 21:29:29Z", "uppercase T"),
        ("2016-12-05t21:29:29Z", "uppercase T"),
        ("2016-12-05T21:29:29", "zone is missing"),
        ("2016-12-05T21:29:29.5", "zone is missing"),
        ("2016-12-05T21:29:29z", "Z must be uppercase"),
        ("2016-12-05T21:29Z", "seconds are missing"),
        ("2016-12-05T21:29:29.1234567890Z", "at most nine digits"),
        ("2016-13-05T21:29:29Z", "no such date"),
        ("2016-12-05T25:29:29Z", "no such date"),
        ("2016-12-05T24:00:00Z", "no such date"),
        ("2016-12-05T21:60:29Z", "no such date"),
        ("2016-12-05T21:29:60Z", "no such date"),
        ("2023-02-29T21:29:29Z", "no such date"),
        ("0000-01-01T00:00:00Z", "no such date"),
        ("2016-12-05T21:29:29+24:00", "no such date"),
        ("2016-12-05T21:29:29+02:60", "no such date"),
        ("2023-02-24", "time of day is missing"),
        ("05-12-2016T21:29:29Z", "is written like"),
        ("2016-12-05T21:29:29+0200", "is written like"),
        ("2016-12-05T21:29:29.Z", "is written like"),
        (" 2016-12-05T21:29:29Z", "is written like"),
        ("2016-12-05T21:29:29Z\n", "is written like"),
        ("٢٠١٦-١٢-٠٥T٢١:٢٩:٢٩Z", "is written like"),
        ("", "is written like"),
    ],
)
def test_anything_else_is_no_timestamp_and_the_reason_says_why(text: str, why: str) -> None:
    assert parse_timestamp(text) is None
    assert why in (why_not_a_timestamp(text) or "")


def test_nothing_is_wrong_with_a_timestamp() -> None:
    assert why_not_a_timestamp("2024-01-01T12:00:00Z") is None


def test_moments_within_one_microsecond_are_still_ordered() -> None:
    earlier, later = parsed("2024-01-01T12:00:00.000000001Z"), parsed("2024-01-01T12:00:00.000000002Z")
    assert earlier.microseconds == later.microseconds
    assert earlier < later


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),
    st.integers(min_value=-1439, max_value=1439),
)
def test_every_moment_in_every_zone_is_read_back_as_itself(moment: datetime, offset: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    since = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    assert parsed(zoned.isoformat()).microseconds == since // timedelta(microseconds=1)
