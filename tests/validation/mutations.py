"""Ways to spoil a definition: nodes deleted, doubled and swapped, texts cut and mixed. No tests here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

#: (holder, key) of every node but the root.
Place = tuple[Any, Any]


def places(value: Any) -> Iterator[Place]:
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])


def delete(found: list[Place], random: Random) -> None:
    holder, key = random.choice(found)
    del holder[key]


def double(found: list[Place], random: Random) -> None:
    """A list gets an item twice; an object a second member of the same value."""
    holder, key = random.choice(found)
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[f"{key}{random.choice(['2', '.$', '', ' '])}"] = copy.deepcopy(holder[key])


def swap(found: list[Place], random: Random) -> None:
    """Two nodes change places, as copies: one of them may be inside the other."""
    (a, i), (b, j) = random.choice(found), random.choice(found)
    a[i], b[j] = copy.deepcopy(b[j]), copy.deepcopy(a[i])


#: Values and keys that a reader of definitions may not have thought of.
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 1e300, 10**30, "", " ", "$", "$.", "$$.", "$..a", "$[", "a\\", "\\", "*\\x", "${a}"),
    *(
        "{% %}",
        "{% ( %}",
        "{%",
        "States.Format('{}",
        "States.Format()",
        "2020-13-41T00:00:00Z",
        [],
        {},
        [None],
        {"a": 1},
    ),
)
KEYS = ("${a}", "x${a}Equals", "StringMatches", "NumericEquals", "TimestampEqualsPath", "IsNull", "And", "Not",
        "Variable", "Condition", "a.$", ".$", "Comment", "Assign", "Next", "\u202e")  # fmt: skip


def odd(found: list[Place], random: Random) -> None:
    """A node becomes something else."""
    holder, key = random.choice(found)
    holder[key] = copy.deepcopy(random.choice(ODD))


def rename(found: list[Place], random: Random) -> None:
    """A member gets another name, in its place."""
    objects = [holder for holder, _ in found if isinstance(holder, dict) and holder]
    if objects:
        holder = random.choice(objects)
        old, new = random.choice(list(holder)), random.choice(KEYS)
        members = [(new if key == old else key, value) for key, value in holder.items()]
        holder.clear()
        holder.update(members)


_PIECES = ("$", "'", '"', "(", ")", "[", "{%", "%}", "\\", "\u00e9", "\n", "?", "$$")


def cut(found: list[Place], random: Random) -> None:
    """A text loses a piece, or gets one of another text."""
    texts = [(holder, key) for holder, key in found if isinstance(holder[key], str) and holder[key]]
    if texts:
        holder, key = random.choice(texts)
        text = holder[key]
        at = random.randrange(len(text))
        from_holder, from_key = random.choice(texts)
        other = str(from_holder[from_key])
        piece = random.choice(
            ["", "", other, "$", "'", '"', "(", ")", "[", "{%", "%}", "\\", "\u00e9", "\n", "?", "$$"]
        )
        holder[key] = text[:at] + piece + text[at + random.randrange(3) :]


WAYS: tuple[Callable[[list[Place], Random], None], ...] = (delete, double, swap, cut, odd, rename)


def mutated(value: Any, random: Random, times: int) -> Any:
    """A copy of a JSON value that has been spoilt so many times."""
    spoilt = copy.deepcopy(value)
    for _ in range(times):
        found = list(places(spoilt))
        if not found:
            break
        random.choice(WAYS)(found, random)
    return spoilt
