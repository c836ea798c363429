"""`@transformer`: what it takes, what a directory of files registers, and what one of them may do."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from sm_cli import transformer
from sm_cli.errors import HandlerLoadError, TransformError
from sm_cli.handlers.loading import load_handlers
from sm_cli.handlers.reading import read_handler_names
from sm_cli.handlers.transformer import Transformer


def directory(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text("from sm_cli import handler, transformer\n" + dedent(text))
    return folder


def test_transformers_stand_beside_handlers_and_neither_is_the_other(tmp_path: Path) -> None:
    registry = load_handlers(directory(tmp_path, a="""
        @handler
        @transformer("twice")
        def both(x):
            return [x, x]

        @transformer("once")
        def once(x):
            return x
    """, b="from a import once\n"))  # fmt: skip
    assert (list(registry), sorted(registry.transformers)) == (["both"], ["once", "twice"])
    assert registry.transformers["twice"].apply({"n": 1}) == [{"n": 1}, {"n": 1}]
    assert registry.find("once") is None


def test_a_name_is_registered_once(tmp_path: Path) -> None:
    text = '@transformer("x")\ndef f(x): return x\n'
    with pytest.raises(HandlerLoadError, match=r"two transformers are registered as 'x': one in .*a\.py, one"):
        load_handlers(directory(tmp_path, a=text, b=text))
    (tmp_path / "b.py").unlink()
    with pytest.raises(HandlerLoadError, match=r"a\.py registers two transformers as 'x'"):
        load_handlers(directory(tmp_path, a=text + text.replace("def f", "def g")))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("@transformer\ndef f(x): return x", "@transformer takes a name as text"),
        ('@transformer(" ")\ndef f(x): return x', "an empty text is none"),
        ('@transformer("x")\nasync def f(x): return x', "it is no async function"),
        ('@transformer("x")\ndef f(x): yield x', "does not yield"),
        ('@transformer("x")\ndef f(x, y): return x', "takes one argument, and f is written as f(x, y)"),
        ('@transformer("x")\ndef f(): return 1', "takes one argument, and f is written as f()"),
        ('f = transformer("x")(3)', "stands above a function, not above 3"),
    ],
)
def test_what_cannot_be_a_transformer_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HandlerLoadError, match=r"a\.py:2: cannot be imported: ") as refusal:
        load_handlers(directory(tmp_path, a=text))
    assert sentence in refusal.value.message


def test_reading_without_running_knows_that_a_transformer_is_no_handler(tmp_path: Path) -> None:
    names = read_handler_names(
        directory(tmp_path, a='@transformer("x")\ndef f(x): return x\n@handler\ndef g(x): ...\n')
    )
    assert (names.names, names.is_complete) == ({"g"}, True)


class Unreadable(Exception):
    def __str__(self) -> str:
        raise ValueError


def test_an_exception_that_cannot_tell_its_text_is_told_all_the_same() -> None:
    @transformer("x")
    def odd(x: object) -> object:
        raise Unreadable

    with pytest.raises(TransformError, match="the transformer 'x' raised Unreadable: ") as refusal:
        Transformer("x", odd).apply(1)
    assert refusal.value.hint is not None
    assert "test_transformers.py" in refusal.value.hint
