"""`sm validate --fix`: what `asl.validation.fixes` fixes is shown as a diff and written to the file.

A file is replaced whole or not at all, by a rename; its mode, byte order mark and line ends stay. What could
not be read as UTF-8 is not touched. In a template only a definition that stands there as it is, is fixed.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.cli.escaping import escaped_lines
from sm_cli.cli.terminal.failures import say
from sm_cli.cli.terminal.output import is_coloured
from sm_cli.errors import UsageError
from sm_cli.project.reading import display_name

if TYPE_CHECKING:
    from typing import TextIO

    from sm_cli.asl.text.source import Document
    from sm_cli.cli.validate.checking import CheckOptions
    from sm_cli.cli.validate.reports import CheckedFile
    from sm_cli.project.reading import DefinitionReader

_BOM = b"\xef\xbb\xbf"
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_COLOURS = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}


@dataclass(slots=True)
class _FixedText:
    """The text of one file, and what is fixed in it."""

    #: As it was read.
    before: str
    #: As it is now.
    after: str
    #: How many changes were made.
    count: int = 0


def fix_files(
    files: Sequence[CheckedFile], options: CheckOptions, reader: DefinitionReader, *, to_stdout: bool, write: bool
) -> None:
    """Show what is fixed in each file as a diff, on stdout or stderr, and write it unless told otherwise. reader: what
    reads the templates among them again."""
    texts: dict[str, _FixedText] = {}
    for each in files:
        if each.is_whole and each.name in texts:
            continue  # two machines of a template may name one file
        text = texts.setdefault(each.name, _FixedText(each.text, each.text))
        if each.is_whole:
            from sm_cli.asl.validation.fixes import fix

            result = fix(text.after, file=each.file, ignore=options.codes_to_ignore)
            text.after, text.count = result.text, len(result.changes)
        else:
            _fix_machine(each, text, options, reader)
    _show_and_write(texts, sys.stdout if to_stdout else sys.stderr, write=write)


def _fix_machine(each: CheckedFile, text: _FixedText, options: CheckOptions, reader: DefinitionReader) -> None:
    from sm_cli.asl.templates.fixing import fix_machine

    def machines(template: str) -> dict[str, Document | None]:
        sources = reader.sources(each.name, template.encode("utf-8", "surrogateescape"))
        return {str(source.machine): source.result.document for source in sources if source.file == each.file}

    result = fix_machine(text.after, str(each.machine), machines, options.codes_to_ignore)
    text.after, text.count = result.text, text.count + len(result.changes)
    if result.left:
        number = len(result.left)
        say(
            f"{each.display_name}: {number} {'change is' if number == 1 else 'changes are'} not made, for what "
            "would be changed does not stand in the template as it is"
        )


def _show_and_write(texts: Mapping[str, _FixedText], stream: TextIO, *, write: bool) -> None:
    fixed_texts = {name: text for name, text in texts.items() if text.count}
    for name, text in fixed_texts.items():
        for line in _diff(display_name(name), text.before, text.after, stream):
            stream.write(line)
        if write:
            replace(Path(name), text.before, text.after)
    if not fixed_texts:
        say("nothing to fix")
        return
    stream.flush()
    count = sum(text.count for text in fixed_texts.values())
    verb = "made" if write else "would be made"
    changes, names = "change" if count == 1 else "changes", "file" if len(fixed_texts) == 1 else "files"
    say(f"{count} {changes} {verb} in {len(fixed_texts)} {names}")


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
