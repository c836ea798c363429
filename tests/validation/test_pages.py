"""The pages of the catalogue: every code is explained, and its examples show it and nothing else."""

from __future__ import annotations

import pytest

from sm_cli.asl.validation.validate import CATALOGUE, check, find_unsupported

#: What no text can show: an encoding, a size, a depth, a value that a program gives.
WITHOUT_EXAMPLES = {"SM001", "SM008", "SM009", "SM015", "SM016", "SM017", "SM406"}


def codes(text: str, code: str) -> set[str]:
    """What is found in an example when it is asked for what the code is about."""
    handlers = {"process:order"} if code == "SM606" else None
    document, found = check(text, handlers=handlers, express=code == "SM607")
    said = {d.code for d in found}
    if code == "SM901" and document is not None:
        return said | {d.code for d in find_unsupported(document)}
    return said


def test_every_code_is_explained() -> None:
    for code, rule in CATALOGUE.items():
        assert rule.explanation.endswith((".", ":")), code
        assert bool(rule.bad) == bool(rule.good) == (code not in WITHOUT_EXAMPLES), code


@pytest.mark.parametrize("code", sorted(set(CATALOGUE) - WITHOUT_EXAMPLES))
def test_the_bad_example_of_a_code_shows_it_alone_and_the_good_one_shows_nothing(code: str) -> None:
    assert codes(CATALOGUE[code].bad, code) == {code}
    assert codes(CATALOGUE[code].good, code) == set()


def test_a_code_of_aws_stands_only_where_aws_says_something() -> None:
    assert CATALOGUE["SM203"].aws_code == "MISSING_TRANSITION_TARGET"
    assert CATALOGUE["SM810"].aws_code == "INVALID_JSONATA_EXPRESSION"
    assert CATALOGUE["SM308"].aws_code == "NO_DOLLAR"
    assert CATALOGUE["SM606"].aws_code is None
