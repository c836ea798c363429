"""What a person writes to have an input made of an output: an expression, a file that holds one, or `name:NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.errors import NotFound, UsageError

if TYPE_CHECKING:
    from sm_cli.engine.chaining.transform import Transform
    from sm_cli.handlers.transformer import Transformer

#: Before the name of a transformer.
NAMED = "name:"
#: What a file of an expression ends in, so that one that is not there is not taken for an expression.
_SUFFIX = ".jsonata"
#: Bytes of such a file.
_LARGEST = 1 << 20


def read_transform(text: str, transformers: Callable[[], Mapping[str, Transformer]]) -> Transform:
    """What `text` means. transformers: those that there are, asked for only when it names one. Raises UsageError for a
    text that is no JSONata or a file that cannot be read, NotFound for a file, HandlerLoadError for a transformer that
    is not there."""
    from sm_cli.engine.chaining.transform import jsonata_transform, named_transform

    if text.startswith(NAMED):
        return named_transform(text.removeprefix(NAMED), transformers())
    return jsonata_transform(_expression(text))


def _expression(text: str) -> str:
    """The text itself, or that of the file which it names."""
    try:
        file = Path(text)
        if not file.is_file():
            if text.endswith(_SUFFIX) and "\n" not in text:
                raise NotFound(f"there is no file {text}")
            return text
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as e:  # too long, or with a NUL: no name of a file
        if isinstance(e, PermissionError):
            raise UsageError(f"{text} cannot be read: {e.strerror}") from None
        return text
    if len(content) > _LARGEST:
        raise UsageError(f"{text} is larger than {_LARGEST:,} bytes, so it is no expression")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{text} is not UTF-8, so it is no expression") from None
