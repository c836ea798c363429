"""What an expression may see while it is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from sm_cli.expr.limits import DEFAULT, Limits
from sm_cli.jsonvalue import Json


class Scope:
    """`$` is `input`, `$$` is `context()`, `$name` is `variables[name]`; `random` is seeded.

    The context object is built only when an expression asks for it: most never do.
    """

    __slots__ = ("_context", "input", "make_context", "random", "variables")

    #: For JSONata, which sees it through a JsonataScope: see there.
    members: Mapping[str, Json] = MappingProxyType({})
    now: int = 0
    limits: Limits = DEFAULT
    clock: Callable[[], float] | None = None

    def __init__(
        self,
        input: Json,
        make_context: Callable[[], Json],
        variables: Mapping[str, Json],
        random: Callable[[], Random],
    ) -> None:
        self.input = input
        self.make_context = make_context
        self.variables = variables
        self.random = random
        self._context: Json = None

    @property
    def context(self) -> Json:
        """The context object, made when it is read first."""
        if self._context is None:
            self._context = self.make_context()
        return self._context


class JsonataScope(Scope):
    """`$states` is `{input, context}` and the `members` of the place; `$name` is `variables[name]`.

    members: `result` or `errorOutput` where the place has them. now: microseconds since 1970 UTC, what `$now()` and
    `$millis()` tell. There is no context item: `$`, `$$` and bare names are undefined outside of a path.
    limits: how much one evaluation may take. clock: seconds of processor time; None where nobody measures them.
    """

    __slots__ = ("clock", "limits", "members", "memo", "now")

    def __init__(
        self,
        input: Json,
        make_context: Callable[[], Json],
        variables: Mapping[str, Json],
        random: Callable[[], Random],
        members: Mapping[str, Json] = MappingProxyType({}),
        now: int = 0,
        limits: Limits = DEFAULT,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(input, make_context, variables, random)
        self.members = members
        self.now = now
        self.limits = limits
        self.clock = clock
        #: An engine's own form of the values above, by their id(); they live as long as the scope does.
        self.memo: dict[int, object] = {}
