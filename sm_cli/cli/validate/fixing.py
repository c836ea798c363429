"""`sm validate --fix`: what `asl.validation.fixes` fixes is shown as a diff and written to the file.

A file is replaced whole or not at all, by a rename; its mode, byte order mark and line ends stay. What could
not be read as UTF-8 is not touched.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.escaping import escaped_lines
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.output import is_coloured
from sm_cli.errors import UsageError

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.cli.validate.checking import CheckOptions
    from sm_cli.cli.validate.reports import CheckedFile

_BOM = b"\xef\xbb\xbf"
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_COLOURS = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}


def fix_files(files: Sequence[CheckedFile], options: CheckOptions, *, to_stdout: bool, write: bool) -> None:
    """Show what is fixed in each file as a diff, on stdout or stderr, and write it unless told otherwise."""
    from sm_cli.asl.validation.fixes import fix

    stream = sys.stdout if to_stdout else sys.stderr
    count = fixed_files = 0
    for each in files:
        if not each.is_whole:
            continue
        result = fix(each.text, file=each.file, ignore=options.codes_to_ignore)
        if not result.changes:
            continue
        for line in _diff(each.display_name, each.text, result.text, stream):
            stream.write(line)
        if write:
            replace(Path(each.name), each.text, result.text)
        count += len(result.changes)
        fixed_files += 1
    if count:
        stream.flush()
        verb = "made" if write else "would be made"
        changes, names = "change" if count == 1 else "changes", "file" if fixed_files == 1 else "files"
        say(f"{count} {changes} {verb} in {fixed_files} {names}")
    else:
        say("nothing to fix")


def _diff(name: str, before: str, after: str, stream: TextIO) -> Iterator[str]:
    """A unified diff that `patch -p1` takes."""
    from difflib import unified_diff

    path = name.lstrip("/")
    has_colour = is_coloured(stream)
    for line in unified_diff(_LINES.findall(before), _LINES.findall(after), f"a/{path}", f"b/{path}"):
        text = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        colour = _COLOURS.get(text[0], "") if has_colour else ""
        if stream.isatty():  # into a file or a pipe it goes as it is: a patch has to be exact
            text = f"{escaped_lines(text[:-1])}\n"
        yield f"{colour}{text[:-1]}\x1b[0m\n" if colour else text


def replace(file: Path, before: str, after: str) -> None:
    """Put the new text in the place of the old one. Raises UsageError when the file is another one meanwhile."""
    target = file.resolve()
    try:
        content = target.read_bytes()
        bom = _BOM if content.startswith(_BOM) else b""
        if content != bom + before.encode():
            raise UsageError(f"{file} changed while it was being fixed; it is left as it is")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as draft:
                draft.write(bom + after.encode())
                draft.flush()
                os.fsync(draft.fileno())
            Path(name).chmod(target.stat().st_mode & 0o7777)
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as e:
        raise UsageError(f"{file} cannot be written: {e.strerror}") from e
