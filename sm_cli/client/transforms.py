"""What a program gives to have an input made of an output: an expression, the file of one, or a function of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sm_cli.errors import NotFound
from sm_cli.jsonvalue import Json
from sm_cli.project.transforms import read_transform

if TYPE_CHECKING:
    from sm_cli.engine.chaining.transform import Transform

#: A JSONata expression over `$states.input`, the Path of a file that holds one, or a function from output to input.
Transformation: TypeAlias = str | os.PathLike[str] | Callable[[Any], Json]


def transform_from(transformation: Transformation | None) -> Transform | None:
    """What it means; None for None. Raises UsageError for a text that is no JSONata, NotFound for a file."""
    from sm_cli.engine.chaining.transform import jsonata_transform, named_transform
    from sm_cli.handlers.transformer import Transformer

    if transformation is None:
        return None
    if isinstance(transformation, str):
        return jsonata_transform(transformation)
    if isinstance(transformation, os.PathLike):
        if not Path(transformation).is_file():
            raise NotFound(f"there is no file {os.fspath(transformation)}")
        return read_transform(os.fspath(transformation), dict)
    name = getattr(transformation, "__name__", type(transformation).__name__)
    return named_transform(name, {name: Transformer(name, transformation)})
