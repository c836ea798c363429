"""How a file is named in a sentence. By itself, so that who loads handlers need not load the language."""

from __future__ import annotations

from pathlib import Path


def display_path(path: Path) -> str:
    """Relative to the current directory when it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)
