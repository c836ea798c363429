"""Lines at the bottom of a terminal that are drawn anew in their place; all else that is written stands above them.

No line is wider than the terminal and there are never more than it has rows, so that what was drawn can be
found again and erased, also after the terminal was made narrower.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from sm_cli.cli.escaping import escape, escape_painted
from sm_cli.cli.terminal.output import is_coloured, terminal_size
from sm_cli.cli.terminal.tables import cut_to_width, width

if TYPE_CHECKING:
    from types import TracebackType

#: Seconds between two pictures.
PAUSE = 1 / 12
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_ERASE_BELOW, _ERASE_RIGHT = "\x1b[J", "\x1b[K"


class Painted(NamedTuple):
    """Text of a line, and how it is painted."""

    #: One line; what is data in it is escaped when it is drawn.
    text: str
    #: The numbers of a colour's escape sequence, such as "31"; "" for none.
    colour: str = ""


#: A line of the picture.
Line = Sequence[Painted]


def _breaks_lines_anew() -> bool:
    """Whether a terminal that is made narrower breaks the lines that do not fit any more; those that do not tell by
    a variable of theirs do."""
    return not (os.environ.get("XTERM_VERSION") or os.environ.get("STY"))


class Region:
    """While it is entered, `picture` is asked for its lines (for a size, which leaves a row) again and again."""

    def __init__(self, stream: TextIO, picture: Callable[[os.terminal_size], list[Line]]) -> None:
        self.stream = stream
        self.picture = picture
        #: Held while the picture is drawn, and by whoever changes what it shows.
        self.lock = threading.RLock()
        self._has_colour = is_coloured(stream)
        self._anew = _breaks_lines_anew()
        self._above: list[str] = []
        self._widths: list[int] = []  # the widths of its lines
        self._size = os.terminal_size((0, 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="sm-picture", daemon=True)
        self._streams = sys.stdout, sys.stderr

    def __enter__(self) -> Region:
        self._write(_HIDE)
        sys.stdout, sys.stderr = (  # what handlers print comes above the picture
            _Above(self, each) if each is self.stream else each for each in self._streams
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for each in (sys.stdout, sys.stderr):
            each.flush()
        sys.stdout, sys.stderr = self._streams
        with self.lock:
            self._write(f"{self._erase()}{''.join(self._above)}{_SHOW}")
            self._above.clear()

    def above(self, line: Line) -> None:
        """Write a line above the picture, whole: the terminal breaks one that is wider."""
        with self.lock:
            self._above.append(f"{self._paint(line)}\r\n")

    def above_painted(self, text: str) -> None:
        """Write a line that others have painted above the picture."""
        with self.lock:
            self._above.append(f"{escape_painted(text)}\r\n")

    def draw(self) -> None:
        """The picture as it is now, and above it what came since."""
        with self.lock:
            size = terminal_size(self.stream)
            start = self._erase()
            self._size = size
            lines = self.picture(size)[: max(1, size.lines - 1)]
            rows = [self._fit(line, size.columns - 1) for line in lines]
            self._widths = [sum(width(part.text) for part in line) for line in rows]
            body = f"{_ERASE_RIGHT}\r\n".join(map(self._paint, rows))
            # The cursor waits at the begin of the last line: there it stays when the terminal breaks it anew.
            end = f"{_ERASE_RIGHT}\r" if rows else ""
            above = "".join(self._above)
            self._above.clear()
            self._write(f"{start}{above}{body}{end}")

    def _go_on(self) -> None:
        while not self._over.wait(PAUSE):
            self.draw()

    def _erase(self) -> str:
        """What goes to the begin of the picture and erases it, in a terminal that may have another width by now."""
        if not self._widths:
            return ""
        columns = max(1, terminal_size(self.stream).columns)
        rows = [max(1, -(-cells // columns)) if self._anew else 1 for cells in self._widths[:-1]]
        self._widths = []
        up = f"\x1b[{sum(rows)}A" if rows else ""
        return f"\r{up}{_ERASE_BELOW}"

    def _fit(self, line: Line, cells: int) -> list[Painted]:
        """As much of a line as fits, escaped, in characters that the stream has."""
        fitting: list[Painted] = []
        for part in line:
            text = self._encodable(escape(part.text))
            if (cells_needed := width(text)) > cells:
                fitting.append(part._replace(text=cut_to_width(text, cells)))
                break
            fitting.append(part._replace(text=text))
            cells -= cells_needed
        return fitting

    def _encodable(self, text: str) -> str:
        encoding = self.stream.encoding or "utf-8"
        return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)

    def _paint(self, line: Line) -> str:
        if not self._has_colour:
            return "".join(escape(part.text) for part in line)
        return "".join(f"\x1b[{p.colour}m{escape(p.text)}\x1b[0m" if p.colour else escape(p.text) for p in line)

    def _write(self, text: str) -> None:
        """A terminal that is gone is nobody's failure."""
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self._over.set()


class _Above(io.TextIOBase):
    """A stream whose lines come above the picture."""

    def __init__(self, region: Region, stream: TextIO) -> None:
        self._region = region
        self._stream = stream
        self._rest = ""

    def write(self, text: str) -> int:
        with self._region.lock:
            *whole, self._rest = (self._rest + text).split("\n")
            for line in whole:
                self._region.above_painted(line.removesuffix("\r"))
        return len(text)

    def flush(self) -> None:
        """A line that is not ended yet stays until the picture ends."""
        if self._region._over.is_set() and self._rest:
            self._region.above_painted(self._rest)
            self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base's may be written
        return self._stream.encoding

    def isatty(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
