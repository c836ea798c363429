"""The files that a template names: found by somebody else, for nothing here reads any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias


class NeighbourFile(NamedTuple):
    """A file that a template names."""

    #: As sentences name it.
    file: str
    #: All of it.
    content: bytes


#: From a path as a template writes it to the file; None where it is not in the project.
ReadFile: TypeAlias = Callable[[str], NeighbourFile | None]
#: The other files of its tool in the folder of a template.
FilesBeside: TypeAlias = Callable[[], Sequence[NeighbourFile]]
