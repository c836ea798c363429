"""Where a handler failed: the same from a thread and from a process of its own, whatever it raises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_cli.errors import TaskError
from sm_cli.handlers.handler import Failure, Handler, run_handler
from sm_cli.handlers.tracebacks import ENTRY, MOST, PLACES, home_of, traceback_of
from sm_cli.interpreter.traceback import Traceback
from tests.handlers.places import PLACES as WHERE
from tests.handlers.places import SAMPLES, Place, place

FILE = str(SAMPLES / "endings.py")


@pytest.fixture(params=WHERE, scope="module")
def here(request: pytest.FixtureRequest) -> Iterator[Place]:
    with place(request.param) as made:
        yield made


def functions(found: Traceback) -> list[str]:
    """Those of the places, which all are in the file."""
    assert all(each.startswith(f"{FILE}:") for each in found.places)
    return [each.rpartition(" in ")[2] for each in found.places]


@pytest.mark.parametrize("name", ["fails", "fails_async"])
@pytest.mark.parametrize(
    ("fault", "innermost", "last"),
    [
        ("chained", ["_chained"], "LookupError: no price"),
        ("during", ["_during"], "LookupError: no price"),
        ("named", ["_named"], "sm_cli.errors.TaskError: Declined: no money"),
        ("from_the_library", ["_from_the_library"], "json.decoder.JSONDecodeError: Expecting property name"),
        ("recursive", ["_recursive"], "RecursionError: maximum recursion depth exceeded"),
        ("mutual", ["_mutual", "_mutual_too"], "RecursionError: maximum recursion depth exceeded"),
        ("unreadable", ["_unreadable"], "_sm_handlers_"),
        ("no_file", ["_no_file"], "SyntaxError: invalid syntax"),
        ("circular", ["_circular"], "ValueError: first"),
        ("many_lines", ["_many_lines"], "lin…"),
        ("long_line", ["_long_line"], "LookupError: xxx"),
    ],
)
def test_a_failure_has_the_places_in_the_handlers_file_and_a_bounded_traceback(
    here: Place, name: str, fault: str, innermost: list[str], last: str
) -> None:
    found = here.run(name, fault).traceback
    told = functions(found)
    assert set(told[: len(innermost)]) == set(innermost)
    assert len(told) <= PLACES
    assert (told[-1] == name) or fault in ("recursive", "mutual")
    assert found.text.splitlines()[-1].startswith(last)
    assert len(found.text.encode()) <= MOST + 8
    assert "sm_cli/" not in found.text.replace(str(SAMPLES), ""), "sm's own frames say nothing to the author"


def test_a_cause_that_is_chained_is_in_the_traceback(here: Place) -> None:
    text = here.run("fails", "chained").traceback.text
    assert text.index("KeyError: 'not there'") < text.index("direct cause") < text.index("LookupError: no price")
    text = here.run("fails", "during").traceback.text
    assert text.index("KeyError: 'not there'") < text.index("During handling") < text.index("LookupError: no price")


def test_code_that_cannot_be_compiled_is_the_innermost_place(here: Place) -> None:
    found = here.run("fails", "broken_code").traceback
    assert found.places[0] == f"{FILE}:1"
    assert [each.rpartition(" in ")[2] for each in found.places[1:]] == ["_broken_code", "fails"]


def test_of_a_group_the_first_of_its_exceptions_is_the_innermost_place(here: Place) -> None:
    found = here.run("fails", "grouped").traceback
    assert functions(found) == ["_inner", "_grouped", "_grouped", "fails"]
    assert "KeyError: 'not there'" in found.text


def test_a_function_of_the_library_as_a_handler_has_its_own_places() -> None:
    ended = run_handler(Handler("library", json.loads), "{", None)
    assert isinstance(ended, Failure)
    assert ended.traceback is not None
    assert [each.rpartition(" in ")[2] for each in ended.traceback.places] == ["raw_decode", "decode", "loads"]


def test_frames_between_ours_and_the_library_are_left_out() -> None:
    def back(input: object) -> object:
        return sorted([1, 2], key=lambda n: input[n])  # type: ignore[index]

    ended = run_handler(Handler("back", back), {}, None)
    assert isinstance(ended, Failure)
    assert ended.traceback is not None
    assert [each.rpartition(" in ")[2] for each in ended.traceback.places] == ["<lambda>", "back"]


def test_what_raises_without_a_frame_of_a_person_has_no_traceback() -> None:
    ended = run_handler(Handler("len", len), None, None)
    assert isinstance(ended, Failure)
    assert (ended.error, ended.traceback) == ("TypeError", None)


def test_an_exception_that_cannot_be_looked_at_has_no_traceback_and_hurts_nobody() -> None:
    class Hostile(ValueError):
        @property
        def __notes__(self) -> list[str]:  # type: ignore[override]
            raise SystemExit

        def __str__(self) -> str:
            raise SystemExit

    def raises(input: object) -> object:
        raise Hostile

    ended = run_handler(Handler("raises", raises), None, None)
    assert isinstance(ended, Failure)
    assert (ended.error, ended.cause) == ("Hostile", "(its text cannot be read: SystemExit)")


def test_frames_of_installed_packages_are_not_a_persons_unless_the_handler_lies_there() -> None:
    code = compile("def f(x):\n    raise ValueError\n", "/venv/lib/site-packages/theirs/a.py", "exec")
    names: dict[str, object] = {}
    exec(code, names)
    try:
        names["f"](1)  # type: ignore[operator]
    except ValueError as e:
        there, elsewhere = traceback_of(e, home_of("/venv/lib/site-packages/theirs/b.py")), traceback_of(e)
    assert there is not None
    assert elsewhere is not None
    assert there.places[0] == "/venv/lib/site-packages/theirs/a.py:2 in f"
    assert [Path(each).name.partition(":")[0] for each in elsewhere.places] == ["test_tracebacks.py"]


def test_a_text_is_cut_before_its_frames_are() -> None:
    def raises(input: object) -> object:
        raise TaskError("E", "x" * 100_000)

    ended = run_handler(Handler("raises", raises), None, None)
    assert isinstance(ended, Failure)
    assert ended.traceback is not None
    first, *_, last = ended.traceback.text.splitlines()
    assert (first, len(last)) == ("Traceback (most recent call last):", ENTRY + 1)
