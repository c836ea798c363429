"""Random expressions, for a comparison with JSONata's own implementation: one generator for each kind of answer.

An expression is a function of the lot that is handed over, so that a seed gives the same corpus everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from random import Random

from bench.jsonata_pieces import (
    CALLS,
    DATA,
    DATE_PICTURES,
    FAR,
    FUNCTIONS,
    INTEGER_PICTURES,
    LAMBDAS,
    LISTS,
    MOMENTS,
    NUMBER_OPTIONS,
    NUMBER_PICTURES,
    NUMBERS,
    OBJECTS,
    OPERATORS,
    PATTERNS,
    STAMPS,
    STEPS,
    SUBJECTS,
    TAILS,
    TEXTS,
    VALUES,
    WHOLE,
    WIDE,
    ZONES,
)

Generator = Callable[[Random], str]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)


def _number(lot: Random) -> str:
    kind = lot.randrange(4)
    if kind < 2:
        return lot.choice(NUMBERS + (FAR if kind else ()))
    if kind == 2:
        return repr(lot.uniform(-1, 1) * 10 ** lot.randint(-8, 22)).replace("e+", "e")
    return f"{lot.randint(-9999, 9999)}{lot.choice(('.5', '.25', '.125', '.005', ''))}"


def _drawn(lot: Random, pieces: str, longest: int) -> str:
    return "".join(lot.choice(pieces) for _ in range(lot.randint(1, longest)))


def format_number(lot: Random) -> str:
    picture = lot.choice(NUMBER_PICTURES) if lot.random() < 0.5 else _drawn(lot, "000###,,..;%‰e a-", 8)
    options = f", {lot.choice(NUMBER_OPTIONS)}" if lot.random() < 0.3 else ""
    # Of a number that is not positive JSONata 2.0.6 seeks the exponent for ever.
    value = str(lot.randint(1, 99999) / 100) if "e" in picture.lower() or options else _number(lot)
    return f"$formatNumber({value}, {_quoted(picture)}{options})"


def integers(lot: Random) -> str:
    picture = lot.choice(INTEGER_PICTURES) if lot.random() < 0.7 else _drawn(lot, "0011##,.;o", 6)
    value = lot.choice(WHOLE + WIDE) if lot.random() < 0.6 else str(lot.randint(-(10**6), 10 ** lot.randint(2, 15)))
    kind = lot.randrange(3)
    if kind == 0:
        return f"$formatInteger({value}, {_quoted(picture)})"
    if kind == 1:
        return f"$parseInteger($formatInteger({value}, {_quoted(picture)}), {_quoted(picture)})"
    odd = lot.choice(
        ("12", "1,234", "twelve", "one hundred and one", "XIV", "xiv", "b", "AB", "1st", "", "x", "twenty-first")
    )
    return f"$parseInteger({_quoted(odd)}, {_quoted(picture)})"


def moments(lot: Random) -> str:
    picture = lot.choice(("", " ", "-", "/", "T", ":")).join(lot.choices(DATE_PICTURES, k=lot.randint(1, 4)))
    moment = lot.choice(MOMENTS) if lot.random() < 0.5 else str(lot.randint(-(10**13), 10**13))
    zone = f", {_quoted(lot.choice(ZONES))}" if lot.random() < 0.4 else ""
    kind = lot.randrange(6)
    if kind < 3:
        return f"$fromMillis({moment}, {_quoted(picture)}{zone})"
    if kind == 3:
        return f"$toMillis({_quoted(lot.choice(STAMPS))})"
    # A whole date is always among it: what is missing would be that of the day on which this runs.
    whole = (
        f"[Y0001]{lot.choice('-/ ')}[M01]{lot.choice('-/ ')}[D01]" if kind == 4 else f"[Y0001]-[M01]-[D01] {picture}"
    )
    return f"$toMillis($fromMillis({moment}, {_quoted(whole)}), {_quoted(whole)})"


def numbers(lot: Random) -> str:
    shape = (
        "$string({})",
        "{} & ''",
        "$string([{}])",
        "$string({{'a':{}}})",
        "$number($string({}))",
        "$round({}, 2)",
        "{}",
    )
    return lot.choice(
        (*shape, "$round({})", "$floor({})", "$formatBase({}, 16)", "$power({}, 2)", "$sqrt({})", "$abs({})")
    ).format(_number(lot))


def patterns(lot: Random) -> str:
    pattern = "".join(lot.choices(PATTERNS, k=lot.choice((1, 1, 2))))
    regex = f"/{pattern}/{lot.choice(('', '', 'i', 'm', 'im'))}"
    subject = _quoted("".join(lot.choices(SUBJECTS, k=lot.randint(1, 3))))
    replacement = _quoted(lot.choice(("x", "<$0>", "$1-$2", "$$", "$", "$11", "$9", "")))
    kind = lot.randrange(5)
    return (
        f"$match({subject}, {regex})",
        f"$contains({subject}, {regex})",
        f"$replace({subject}, {regex}, {replacement})",
        f"$split({subject}, {regex})",
        f"({regex})({subject}).[match, start, end, groups]",
    )[kind]


def functions(lot: Random) -> str:
    count = lot.choice((0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4))
    arguments = ["?" if lot.random() < 0.01 else lot.choice(VALUES) for _ in range(count)]
    call = f"${lot.choice(FUNCTIONS)}({', '.join(arguments)})"
    return f"{lot.choice(VALUES)}.{call}" if lot.random() < 0.1 else call


def paths(lot: Random) -> str:
    steps = [lot.choice(STEPS) for _ in range(lot.randint(1, 3))]
    path = "(" + lot.choice(DATA) + ")"
    for step in steps:
        path += step if step[0] in "[^{@#" else f".{step}"
    return path + lot.choice(TAILS)


def calls(lot: Random) -> str:
    kinds = {"t": lambda: _quoted(lot.choice(TEXTS)), "i": lambda: str(lot.randint(-4, 6))}
    kinds |= {"l": lambda: lot.choice(LISTS), "o": lambda: lot.choice(OBJECTS), "f": lambda: lot.choice(LAMBDAS)}
    shape = re.sub(r"(?<!\{)\{([tilof])\}", lambda found: kinds[found[1]](), lot.choice(CALLS))
    return shape.replace("{{", "{").replace("}}", "}") if "function($x,$y)" in shape else shape


def operators(lot: Random) -> str:
    left, right = lot.choice(VALUES), lot.choice(VALUES)
    return f"{left} {lot.choice(OPERATORS)} {right}"


#: name of a kind: its generator and how many of its expressions a full comparison draws.
KINDS: Mapping[str, tuple[Generator, int]] = {
    "formatNumber": (format_number, 100_000),
    "formatInteger, parseInteger": (integers, 20_000),
    "fromMillis, toMillis": (moments, 20_000),
    "numbers": (numbers, 20_000),
    "regular expressions": (patterns, 20_000),
    "functions with odd arguments": (functions, 20_000),
    "paths": (paths, 20_000),
    "calls": (calls, 20_000),
    "operators": (operators, 10_000),
}


def corpus(kind: str, seed: int, part: int = 1) -> list[str]:
    """The different expressions of a kind, of `1/part` as many draws as a full comparison has."""
    generator, count = KINDS[kind]
    lot = Random(f"{kind} {seed}")
    return list(dict.fromkeys(generator(lot) for _ in range(count // part)))
