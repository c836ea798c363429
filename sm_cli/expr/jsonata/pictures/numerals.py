"""Whole numbers as words, Roman numerals and letters, and back.

XPath and XQuery Functions 3.1, section 4.6.1, with the words of JSONata 2.0.6. A number may be NaN, as in JavaScript.
"""

from __future__ import annotations

import math
import re

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types

_SMALL = (
    *("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
    *("Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen"),
)
_SMALL_ORDINALS = (
    *("Zeroth", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"),
    *("Eleventh", "Twelfth", "Thirteenth", "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth"),
    "Nineteenth",
)
_TENS = ("Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
_POWERS = ((10**12, "Trillion"), (10**9, "Billion"), (10**6, "Million"), (1000, "Thousand"))
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_ROMAN_LETTERS = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
#: Of more letters than these no double can hold the number.
_MOST_LETTERS = 217
#: The largest number that is written in Roman numerals; JSONata 2.0.6 ends at about this one too.
_MOST_ROMAN = 9_999_999

WORD_VALUES = {
    **{word.lower(): value for value, word in enumerate(_SMALL)},
    **{word.lower(): value for value, word in enumerate(_SMALL_ORDINALS)},
    **{word.lower(): 10 * value for value, word in enumerate(_TENS, 2)},
    **{f"{word.lower()[:-1]}ieth": 10 * value for value, word in enumerate(_TENS, 2)},
    "hundred": 100,
    "hundredth": 100,
    "hundreieth": 100,  # made as "twentieth" is: JSONata 2.0.6 reads it too
    **{word.lower(): value for value, word in reversed(_POWERS)},
    **{f"{word.lower()}th": value for value, word in reversed(_POWERS)},
}


def words(value: float, ordinal: bool) -> str:
    """`value`, not negative, in words: "One Hundred and One", as an ordinal "One Hundred and First". Raises
    JException for what is not finite."""
    if not math.isfinite(value):
        raise JException(f"{value} cannot be written in words", -1)
    return _words(int(value), ordinal)


def _words(value: int, ordinal: bool) -> str:
    if value < 20:
        return (_SMALL_ORDINALS if ordinal else _SMALL)[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        word = _TENS[tens - 2]
        if rest:
            return f"{word}-{_words(rest, ordinal)}"
        return f"{word[:-1]}ieth" if ordinal else word
    unit, name = next(((unit, name) for unit, name in _POWERS if value >= unit), (100, "Hundred"))
    count, rest = divmod(value, unit)
    text = f"{_words(count, False)} {name}"
    if rest:
        return f"{text}{' and ' if rest < 100 else ', '}{_words(rest, ordinal)}"
    return f"{text}th" if ordinal else text


def from_words(text: str) -> float:
    """The number that `text` says; NaN where a word is no number."""
    total = [0.0]
    for word in re.split(r",\s|\sand\s|[\s\\-]", text.lower()):
        value = WORD_VALUES.get(word)
        if value is None:
            return math.nan
        if value >= 100:
            total[-1] *= value
        elif total[-1] >= 1000:
            total.append(value)
        else:
            total[-1] += value
    return sum(total)


def roman(value: float) -> str:
    """`value` in lower-case Roman numerals; nothing for zero and NaN. Raises JException for what is too large."""
    if value > _MOST_ROMAN:
        raise JException(f"a number greater than {_MOST_ROMAN} cannot be written in Roman numerals", -1)
    pieces = []
    rest = 0 if math.isnan(value) else int(value)
    for worth, letters in _ROMAN:
        count, rest = divmod(rest, worth)
        pieces.append(letters * count)
    return "".join(pieces)


def from_roman(text: str) -> float:
    """The number of upper-case Roman numerals; NaN where a letter is none of them."""
    number, greatest = 0, 1
    for letter in reversed(text):
        value = _ROMAN_LETTERS.get(letter)
        if value is None:
            return math.nan
        number += -value if value < greatest else value
        greatest = max(greatest, value)
    return number


def letters(value: float, first: str) -> str:
    """1 is the letter `first`, 26 the last one, 27 two of the first; nothing for zero and NaN."""
    text = ""
    rest = float(value)
    while rest > 0:
        text = chr(int((rest - 1) % 26) + ord(first)) + text
        rest = float(math.floor((rest - 1) / 26))
    return text


def from_letters(text: str, first: str) -> float:
    """The number that letters show, each one a digit from 1 to 26 on; Infinity beyond the greatest double."""
    number = 0.0
    for place, letter in enumerate(reversed(text)):
        number += (ord(letter) - ord(first) + 1) * (26.0**place if place < _MOST_LETTERS else math.inf)
    return number
