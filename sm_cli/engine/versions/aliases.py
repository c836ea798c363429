"""Aliases: their names, the shares of their versions, and which version one start gets.

As on AWS an alias has one version or two, and the shares are whole percents that add up to 100.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TypeAlias

from sm_cli.errors import UsageError
from sm_cli.store.versions import Alias

#: (number of a version, its share of the starts in percent).
Targets: TypeAlias = tuple[tuple[int, int], ...]

_ALL = 100
#: As AWS's names of aliases, which are not numbers.
_NAME = re.compile(r"(?![0-9]+$)[0-9A-Za-z_.-]{1,80}")
_TARGET = re.compile(r"(?P<version>[0-9]{1,18})(?::(?P<weight>[0-9]{1,3}))?")


def check_alias(name: str) -> str:
    """The name of an alias. Raises UsageError for one that AWS would refuse."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of an alias: 1 to 80 letters, digits, points, hyphens and underscores, and no number"
        )
    return name


def parse_targets(text: str) -> Targets:
    """`5`, or `5:90,4:10`: versions with their shares. Raises UsageError for shares that do not add up to 100."""
    parts: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _TARGET.fullmatch(part.strip())
        if match is None:
            raise UsageError(f"{part.strip()!r} is no version with its share of the starts, such as 5 or 5:90")
        parts.append((int(match["version"]), None if match["weight"] is None else int(match["weight"])))
    if len(parts) > 2:
        raise UsageError(f"an alias has one version or two, as on AWS, not {len(parts)}")
    if len(parts) == 1 and parts[0][1] is None:
        return ((parts[0][0], _ALL),)
    targets = tuple((version, weight) for version, weight in parts if weight is not None)
    if len(targets) < len(parts):
        raise UsageError(f"each of two versions needs its share of the starts: {text!r} says it of {len(targets)}")
    return check_targets(targets)


def check_targets(targets: Targets) -> Targets:
    """The same. Raises UsageError for other than one or two versions, for one twice, and for shares that do not add up
    to 100."""
    if len(targets) not in (1, 2):
        raise UsageError(f"an alias has one version or two, as on AWS, not {len(targets)}")
    if len({version for version, _ in targets}) < len(targets):
        raise UsageError(f"version {targets[0][0]} stands there twice")
    total = sum(weight for _, weight in targets)
    if total != _ALL or any(weight < 0 for _, weight in targets):
        shares = " and ".join(f"{weight}" for _, weight in targets)
        sum_text = f"; {shares} make {total}" if len(targets) > 1 else f", not to {total}"
        raise UsageError(f"the shares of an alias are percents that add up to {_ALL}{sum_text}")
    return targets


def draw(alias: Alias, lot: str) -> int:
    """The number of the version that a start by this alias gets: a function of the arguments. lot: another text for
    each start."""
    hash = sha256(f"{alias.workflow}:{alias.name}/{lot}".encode()).digest()
    place = int.from_bytes(hash[:8]) * _ALL >> 64  # 0 to 99
    for version, weight in alias.targets:
        place -= weight
        if place < 0:
            return version
    return alias.targets[-1][0]
