"""Where a handler failed: the traceback of what it raised, bounded, and the lines of a person's own code in it.

Of what a person's exception says of itself nothing can hurt, and of data only the exceptions' own texts are in
it: a traceback has the lines of the source, not the values.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from sm_cli.interpreter.traceback import Traceback

log = logging.getLogger("sm.engine")

#: So many places are kept, the innermost.
PLACES = 5
#: So many frames of each exception are kept, the innermost.
FRAMES = 40
#: Characters of one frame's lines, or of an exception's text.
ENTRY = 2_000
#: Bytes of the whole.
MOST = 16_384

_OURS = f"{Path(__file__).resolve().parents[1]}{os.sep}"
_LIBRARY = f"{Path(os.__file__).resolve().parent}{os.sep}"
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def traceback_of(error: BaseException, home: str | None = None) -> Traceback | None:
    """What a handler raised, from its first frame on. home: the directory of the handler's file; whatever lies below it
    is a person's own code, and elsewhere all but the standard library, installed packages and `sm`.

    None when no frame is left: a function that is not written in Python raised it, or a handler of `sm`.
    """
    began = error.__traceback__
    while began is not None and began.tb_frame.f_code.co_filename.startswith(_OURS):
        began = began.tb_next
    if began is None:
        return None
    try:
        return Traceback(_places(error, began, home), _text(error, began))
    except BaseException as e:  # an exception is a person's class, and can do anything when it is looked at
        log.debug("the traceback of %s cannot be read: %s", type(error).__name__, type(e).__name__)
        return None


def home_of(file: str | None) -> str | None:
    """The directory of a handler's file, with a separator at its end; None when there is no such file."""
    return None if file is None or file.startswith("<") else f"{os.path.dirname(os.path.abspath(file))}{os.sep}"  # noqa: PTH100, PTH120 - as text: it is compared with many


def _text(error: BaseException, began: TracebackType) -> str:
    whole = traceback.TracebackException(type(error), error, began, limit=-FRAMES, compact=True)
    entries: list[str] = []
    size = 0
    for entry in reversed([_cut(entry) for entry in whole.format()]):
        size += len(entry.encode())
        if size > MOST:
            entries.append("…\n")
            break
        entries.append(entry)
    return "".join(reversed(entries))


def _cut(entry: str) -> str:
    entry = _encodable(entry)
    return entry if len(entry) <= ENTRY else f"{entry[:ENTRY]}…\n"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


# -- places ----------------------------------------------------------------------------------------


def _places(error: BaseException, began: TracebackType | None, home: str | None) -> tuple[str, ...]:
    """`/…/handlers/x.py:12 in charge`, innermost first: of the exception, else of the one that it comes from."""
    ids: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in ids:
        ids.add(id(current))
        places = tuple(dict.fromkeys(_own_places(current, began, home)))[:PLACES]
        if places:
            return places
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        began = None if current is None else current.__traceback__
    return ()


def _own_places(error: BaseException, began: TracebackType | None, home: str | None) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            inner = _places(each, each.__traceback__, home)
            if inner:
                yield from inner
                break
    if isinstance(error, SyntaxError) and isinstance(error.filename, str) and _is_own(error.filename, home):
        yield _encodable(f"{error.filename}:{error.lineno or 1}")
    frames: list[tuple[str, int, str]] = []
    while began is not None:
        code = began.tb_frame.f_code
        if _is_own(code.co_filename, home):
            frames.append((code.co_filename, began.tb_lineno or code.co_firstlineno, code.co_name))
        began = began.tb_next
    for file, line, function in reversed(frames):
        yield _encodable(f"{os.path.abspath(file)}:{line} in {function}")  # noqa: PTH100 - Path would resolve nothing more


@lru_cache(1024)
def _is_own(file: str, home: str | None) -> bool:
    """Whether a frame of this file is of a person's own code."""
    if file.startswith("<"):
        return False  # <string>, <frozen importlib._bootstrap>: no file
    path = os.path.abspath(file)  # noqa: PTH100 - as above
    if path.startswith(_OURS):
        return False
    if home is not None and path.startswith(home):
        return True
    return not path.startswith(_LIBRARY) and not any(part in path for part in _INSTALLED)
