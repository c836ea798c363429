"""Files into a folder, without replacing what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sm_cli.errors import Conflict, UsageError


def write_files(folder: Path, files: Mapping[str, str | bytes], *, force: bool) -> None:
    """Write all of them, by their paths in the folder, or none. A file that has the same content already is no
    obstacle. Raises Conflict for one that has another, unless `force`, and UsageError for what cannot be written."""
    contents = {
        folder / path: text.encode("utf-8", "replace") if isinstance(text, str) else text
        for path, text in files.items()
    }
    try:
        others = [path for path, content in contents.items() if _differs(path, content)]
        if others and not force:
            more = f", and so are {len(others) - 1} more" if len(others) > 1 else ""
            raise Conflict(f"{others[0]} is there already{more}", hint="--force replaces it.")
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as e:
        raise UsageError(f"{e.filename or folder} cannot be written: {e.strerror}") from e


def _differs(path: Path, content: bytes) -> bool:
    """Whether something else stands there."""
    return (path.exists() or path.is_symlink()) and (not path.is_file() or path.read_bytes() != content)
