"""How a file is named in a sentence. By itself, so that who loads handlers need not load the language."""

from __future__ import annotations

import os
from pathlib import Path


def display_path(path: Path) -> str:
    """Relative to the current directory when it lies below it: what a person would write."""
    here = os.getcwd()  # noqa: PTH109 - Path.cwd() is the same, slower
    return str(path).removeprefix(f"{here}{os.sep}")
