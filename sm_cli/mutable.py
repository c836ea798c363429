"""What records that change in place have in common: how they compare, and how they are shown.

Every command waits for its records to be made. A dataclass compiles `__init__`, `__eq__` and `__repr__` out of text at
each start, 0.2 ms each for a class of 20 fields; so the last two stand here, once. A record is written

    @dataclass(slots=True, eq=False, repr=False)
    class Job(Mutable):

and one that is never changed in place is a NamedTuple, a fifth of that, in a module without annotations from
__future__: those are text, which a NamedTuple compiles.
"""

from __future__ import annotations


class Mutable:
    """A record that changes in place: equal to another of its class whose fields all are; not hashable."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"
