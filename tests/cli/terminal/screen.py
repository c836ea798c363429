"""A terminal's screen, as far as `sm` writes to one, and a command that runs on it."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sm_cli.cli.terminal.tables import width
from tests.cli.conftest import Project

_SEQUENCE = re.compile(r"\x1b\[(\?)?([\d;]*)([A-Za-z])")


@dataclass
class Row:
    cells: list[str] = field(default_factory=list)
    #: Whether the row below goes on with the same line.
    goes_on: bool = False

    @property
    def text(self) -> str:
        return "".join(self.cells).rstrip()


class Screen:
    """Rows of cells and a cursor; a sequence that it does not know is an error. Made narrower or wider it breaks its
    lines anew, as tmux and most terminals of today do. rows: those that scrolled out of sight too."""

    def __init__(self, columns: int, height: int) -> None:
        self.columns, self.height = columns, height
        self.rows = [Row()]
        self.row = self.column = 0
        self.cursor_shown = True
        self._rest = ""

    def feed(self, text: str) -> None:
        text, i = self._rest + text, 0
        self._rest = ""
        while i < len(text):
            if text[i] == "\x1b":
                found = _SEQUENCE.match(text, i)
                if found is None:
                    self._rest = text[i:]
                    assert len(self._rest) < 20, f"an unknown sequence: {self._rest[:20]!r}"
                    return
                self._obey(*found.groups())
                i = found.end()
                continue
            self._put(text[i])
            i += 1

    def _obey(self, private: str | None, numbers: str, what: str) -> None:
        match what:
            case "m":
                return
            case "h" | "l" if private and numbers == "25":
                self.cursor_shown = what == "h"
            case "A":
                top = max(0, len(self.rows) - self.height)
                self.row = max(top, self.row - int(numbers or 1))
            case "J" if numbers == "":
                del self.rows[self.row + 1 :]
                self._erase_right()
            case "K" if numbers == "":
                self._erase_right()
            case _:
                raise AssertionError(f"an unknown sequence: {private or ''}{numbers}{what}")

    def _erase_right(self) -> None:
        row = self.rows[self.row]
        del row.cells[self.column :]
        row.goes_on = False

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
            return
        if character == "\n":
            self._down()
            return
        cells = width(character)
        if self.column + cells > self.columns:
            self.rows[self.row].goes_on = True
            self._down()
            self.column = 0
        row = self.rows[self.row]
        row.cells += [" "] * (self.column - len(row.cells))
        row.cells[self.column : self.column + cells] = [character, *[""] * (cells - 1)]
        self.column += cells

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append(Row())

    def resize(self, columns: int, height: int) -> None:
        rows: list[Row] = []
        line: list[str] = []
        cursor = (0, 0)
        for i, row in enumerate(self.rows):
            at = None if i != self.row else len(line) + self.column
            line += row.cells
            if at is not None:
                cursor = (len(rows) + at // columns, at % columns)
            if not row.goes_on:
                parts = [line[k : k + columns] for k in range(0, len(line), columns)] or [[]]
                rows += [Row(part, goes_on=k < len(parts) - 1) for k, part in enumerate(parts)]
                line = []
        self.columns, self.height, self.rows = columns, height, rows
        self.row, self.column = cursor

    @property
    def lines(self) -> list[str]:
        """What was written, line by line, however wide the terminal is."""
        lines, begun = [], ""
        for row in self.rows:
            begun += "".join(row.cells) if row.goes_on else row.text
            if not row.goes_on:
                lines.append(begun)
                begun = ""
        return lines

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Terminal:
    """A command on a terminal of this size."""

    def __init__(self, project: Project, *arguments: str, columns: int, height: int = 24, **environment: str) -> None:
        self.screen = Screen(columns, height)
        self._ours, theirs = pty.openpty()
        self._tell_size(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sm_cli", *arguments], cwd=project.path, stdin=theirs, stdout=theirs, stderr=theirs,
            env={**project.environment(), "TERM": "xterm-256color", "XTERM_VERSION": "", "STY": "", **environment},
        )  # fmt: skip
        os.close(theirs)
        self._open = True
        #: All that came, with its sequences.
        self.written = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *details: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def _tell_size(self, to: int) -> None:
        size = struct.pack("HHHH", self.screen.height, self.screen.columns, 0, 0)
        fcntl.ioctl(to, termios.TIOCSWINSZ, size)

    def _read(self, seconds: float) -> bool:
        """What comes within this time; False when nothing did."""
        if not self._open or not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self._ours, 65536)
        except OSError:  # Linux: the last one has closed the terminal
            part = b""
        self._open = bool(part)
        text = self._decode(part)
        self.written += text
        self.screen.feed(text)
        return self._open

    def until(self, condition: Callable[[Screen], object], what: str) -> None:
        """Look on until the screen is so."""
        end = time.monotonic() + 60
        while True:
            while self._read(0.02):  # a picture may come in parts
                assert time.monotonic() < end, f"{what} never came:\n{self.screen.text}"
            if condition(self.screen):
                return
            assert time.monotonic() < end and self._open, f"{what} never came:\n{self.screen.text}"
            self._read(0.2)

    def shows(self, pattern: str) -> None:
        """Look on until something like this is on the screen."""
        self.until(lambda screen: re.search(pattern, screen.text), pattern)

    def draws_again(self) -> None:
        """Look on until two more pictures have been drawn."""
        for _ in range(2):
            seen = self.screen.text
            self.until(lambda screen, seen=seen: screen.text != seen, "another picture")  # type: ignore[misc]

    def resize(self, columns: int, height: int = 24) -> None:
        """Make the terminal another size, while nothing is on its way to it."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        while self._read(0.05):
            pass
        self.screen.resize(columns, height)
        self._tell_size(self._ours)
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Look on to the end; the exit code."""
        end = time.monotonic() + 60
        while self._open:
            assert time.monotonic() < end, f"it never ended:\n{self.screen.text}"
            self._read(0.2)
        return self.process.wait()
