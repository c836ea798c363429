"""Values that nobody changes and that every step makes: dataclasses that are frozen for the type checker alone.

A frozen dataclass gets around its own ban whenever one is made, with a call for each field: with five fields that is
four times the work. So the ban is held by who reads the program, and not by the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def immutable(cls: type[T]) -> type[T]:
    """A dataclass with slots whose fields are set once. Equal to another of its class whose fields all are; not
    hashable."""
    return dataclass(slots=True)(cls)
