"""Percentiles by the nearest rank, exact, without putting a million numbers in order."""

from __future__ import annotations

from collections.abc import Sequence

#: Numbers that are simply sorted; and how many of more are looked at to know where a percentile lies.
_FEW, _SAMPLE = 20_000, 2_000
#: The percentile lies within so many places of the sample around its own, but for a strange order of the numbers.
_AROUND = 100


def percentiles(numbers: Sequence[int], parts: Sequence[int]) -> list[int]:
    """Of each part, in hundredths, the smallest number that at least so many of a hundred do not exceed. numbers: at
    least one, in any order."""
    if len(numbers) <= _FEW:
        in_order = sorted(numbers)
        return [in_order[_rank(len(numbers), part) - 1] for part in parts]
    sample = sorted(numbers[:: max(1, len(numbers) // _SAMPLE)])
    return [_percentile(numbers, sample, part) for part in parts]


def _percentile(numbers: Sequence[int], sample: list[int], part: int) -> int:
    rank = _rank(len(numbers), part)
    place = rank * len(sample) // len(numbers)
    low = sample[max(0, place - _AROUND)]
    at_least_low = [number for number in numbers if number >= low]
    rank -= len(numbers) - len(at_least_low)
    high = sample[min(len(sample) - 1, place + _AROUND)]
    near = [number for number in at_least_low if number <= high]
    if not 1 <= rank <= len(near):
        return sorted(numbers)[_rank(len(numbers), part) - 1]
    near.sort()
    return near[rank - 1]


def _rank(count: int, part: int) -> int:
    """The place, from 1 on."""
    return max(1, -(-count * part // 100))
