"""What a JSONata expression reads, found in its text without evaluating it: variables, `$states`, functions, context.

Every place is an offset in the text as it is written, delimiters included. `$name` and `$name.a.b`, which most
expressions are, are read without the engine, whose import takes longer than reading a hundred definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sm_cli.expr.jsonata.expressions import JsonataError

#: A name, with members of it: what can be read without a parser.
_PLAIN = re.compile(r"\{%\s*\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\s*%\}", re.ASCII)
_KEYWORDS = frozenset(("and", "or", "in", "true", "false", "null", "function"))
#: JSONata 2.0.6's own functions that Step Functions has, and those that it adds.
_NAMES = """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl decodeUrlComponent
    distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger formatNumber
    fromMillis join keys length lookup lowercase map match max merge millis min not now number pad parseInteger power
    random reduce replace reverse round shuffle sift single sort split spread sqrt string substring substringAfter
    substringBefore sum toMillis trim type uppercase zip
    hash parse partition range uuid
"""
FUNCTIONS = frozenset(_NAMES.split())


@dataclass(frozen=True, slots=True)
class Read:
    """One name in an expression: `name` without its `$` ("" and "$" for the context), at [start, end).

    `members` are the names that follow it, as far as they are plain; `is_call` says that it is called or handed to
    `~>`; `is_guarded` that it stands inside `$exists(...)` or in a condition, where having no value is an answer, or
    where such a test has been made; `bare` that it has no `$`.
    """

    name: str
    #: Where it begins in the text, from 0.
    start: int
    #: The place behind its last character.
    end: int
    members: tuple[str, ...] = ()
    is_call: bool = False
    is_guarded: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """`variables` are free names, functions among them; `context` are `$`, `$$` and bare names that would need a
    context item where there is none."""

    variables: tuple[Read, ...] = ()
    context: tuple[Read, ...] = ()


def read_expression(text: str) -> Reading:
    """What an expression, with its delimiters, reads. Raises JsonataError."""
    result = _read(text)
    if isinstance(result, JsonataError):
        raise JsonataError(result.message, result.code, result.position)
    return result


@lru_cache(maxsize=32768)
def _read(text: str) -> Reading | JsonataError:
    if match := _PLAIN.fullmatch(text):
        members = tuple(match[2].split(".")[1:])
        if _KEYWORDS.isdisjoint(members):
            return Reading((Read(match[1], match.start(1) - 1, match.end(1), members),))
    from sm_cli.expr.jsonata.engine import EngineSyntaxError
    from sm_cli.expr.jsonata.syntax import parse_expression

    source = text[2:-2]
    try:
        tree = parse_expression(source)
    except EngineSyntaxError as e:
        return JsonataError(e.message, e.code, e.position + 2)
    walk = _Walk(text)
    try:
        walk.visit(tree, _Scope())
    except RecursionError:
        return JsonataError("the expression nests too deeply", "S0201", 2)
    return Reading(_firsts(walk.variables), _firsts(walk.context))


def _firsts(reads: list[Read]) -> tuple[Read, ...]:
    """In the order of the text, and of those that ask the same the first: it stands for all."""
    firsts: dict[tuple[object, ...], Read] = {}
    for each in sorted(reads, key=_start):
        firsts.setdefault((each.name, each.members, each.is_call, each.is_guarded, each.bare), each)
    return tuple(firsts.values())


def _start(name: Read) -> int:
    return name.start


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a node stands: `bound_names`, `item` whether there is a context item, `tested_names`, those that exist, and
    `answers`: by the name of a variable that holds the answer to a test, the names that were tested."""

    bound_names: frozenset[str] = frozenset()
    item: bool = False
    tested_names: frozenset[str] = frozenset()
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def having(self, *names: str) -> _Scope:
        answers = {name: about for name, about in self.answers.items() if name not in names}
        return replace(self, bound_names=self.bound_names | set(names), answers=answers)

    def within(self) -> _Scope:
        return replace(self, item=True)

    def testing(self, names: frozenset[str]) -> _Scope:
        return replace(self, tested_names=self.tested_names | names)

    def answering(self, name: str, tested_names: frozenset[str]) -> _Scope:
        return replace(self, answers={**self.answers, name: tested_names})


@dataclass(slots=True)
class _Walk:
    """Goes through a syntax tree; each method knows one kind of node."""

    text: str
    variables: list[Read] = field(default_factory=list)
    context: list[Read] = field(default_factory=list)

    def visit(self, node: Any, scope: _Scope) -> _Scope:
        """Read a node; gives the scope of what follows it in its block."""
        method = getattr(self, f"_{node.type}", None) if node is not None and node.type else None
        if method is not None:
            inner_scope = method(node, scope)
            return inner_scope if isinstance(inner_scope, _Scope) else scope
        if node is not None:
            self._parts(node, scope)
        return scope

    def _parts(self, node: Any, scope: _Scope) -> None:
        for part in _children(node):
            self.visit(part, scope)

    def _variable(self, node: Any, scope: _Scope, members: tuple[str, ...] = (), is_call: bool = False) -> None:
        name = str(node.value)
        end = node.position + 2
        start = end - len(name) - 1
        if name in ("", "$"):
            if not scope.item:
                self.context.append(Read(name, start, end, members))
        elif name not in scope.bound_names:
            self.variables.append(Read(name, start, end, members, is_call, name in scope.tested_names))
        self._after(node, scope)

    def _after(self, node: Any, scope: _Scope) -> None:
        """Filters, groups and sort terms that hang on a node: they see each item."""
        inner = scope.within()
        for stage in (*(getattr(node, "predicate", None) or ()), *(getattr(node, "stages", None) or ())):
            self.visit(getattr(stage, "expr", None), inner)
        group = getattr(node, "group", None)
        for pair in getattr(group, "lhs_object", None) or ():
            for part in pair:
                self.visit(part, inner)

    def _name(self, node: Any, scope: _Scope) -> None:
        if not scope.item:
            name = str(node.value)
            end = node.position + 2
            start = max(2, end - len(name))
            if self.text[end - 1] == "`":
                start = self.text.rfind("`", 2, end - 1)
            self.context.append(Read(name, start, end, bare=True))
        self._after(node, scope)

    def _wildcard(self, node: Any, scope: _Scope) -> None:
        if not scope.item:
            end = (node.position or 0) + 2
            self.context.append(Read("*", max(2, end - 1), end, bare=True))
        self._after(node, scope)

    _descendant = _wildcard

    def _path(self, node: Any, scope: _Scope) -> None:
        first, *rest = node.steps
        members = tuple(_plain_names(rest)) if not getattr(first, "stages", None) else ()
        scope = _bind_step(first, scope)
        if first.type == "variable":
            self._variable(first, scope, members)
        else:
            self.visit(first, scope)
        inner = scope.within()
        for step in rest:
            inner = _bind_step(step, inner)
            if step.type == "sort":
                for term in step.terms:
                    self.visit(term.expression, inner)
            elif step.type in ("name", "string", "wildcard", "descendant", "parent"):
                self._after(step, inner)
            else:
                self.visit(step, inner)
        self._after(node, inner)

    def _block(self, node: Any, scope: _Scope) -> None:
        inner = scope
        for expression in node.expressions:
            inner = self.visit(expression, inner)
        self._after(node, scope)

    def _bind(self, node: Any, scope: _Scope) -> _Scope:
        name = str(node.lhs.value)
        # A function may call itself by the name that it is bound to.
        inside = scope.having(name) if node.rhs is not None and node.rhs.type == "lambda" else scope
        self.visit(node.rhs, inside)
        tested_names = frozenset(_names_tested(node.rhs))
        return scope.having(name).answering(name, tested_names) if tested_names else scope.having(name)

    def _lambda(self, node: Any, scope: _Scope) -> None:
        self.visit(node.body, scope.having(*(str(each.value) for each in node.arguments)))

    def _function(self, node: Any, scope: _Scope) -> None:
        procedure = node.procedure
        inside = scope
        if procedure is not None and procedure.type == "variable":
            self._variable(procedure, scope, is_call=True)
            if procedure.value == "exists":
                inside = scope.testing(frozenset(_names_in(node.arguments)))
        else:
            self.visit(procedure, scope)
        for argument in node.arguments or ():
            self.visit(argument, inside)
        self._after(node, scope)

    _partial = _function

    def _apply(self, node: Any, scope: _Scope) -> None:
        self.visit(node.lhs, scope)
        if node.rhs is not None and node.rhs.type == "variable":
            self._variable(node.rhs, scope, is_call=True)
        else:
            self.visit(node.rhs, scope)

    def _condition(self, node: Any, scope: _Scope) -> None:
        inner = scope.testing(_names_asked(node.condition, scope))
        for part in (node.condition, node.then, getattr(node, "_else", None)):
            self.visit(part, inner)

    def _binary(self, node: Any, scope: _Scope) -> None:
        is_condition = node.value in ("and", "or")
        inner = scope.testing(_names_asked(node.lhs, scope)) if is_condition else scope
        self.visit(node.lhs, inner)
        self.visit(node.rhs, inner.testing(_names_asked(node.rhs, scope)) if is_condition else scope)
        self._after(node, scope)

    def _transform(self, node: Any, scope: _Scope) -> None:
        for part in (node.pattern, node.update, node.delete):
            self.visit(part, scope.within())

    def _operator(self, _node: Any, _scope: _Scope) -> None:
        """The `?` of a partial application."""

    _string = _number = _value = _regex = _parent = _operator


def _bind_step(step: Any, scope: _Scope) -> _Scope:
    """The scope after a step that `@$name` or `#$name` binds."""
    names = [name for name in (getattr(step, "focus", None), getattr(step, "index", None)) if isinstance(name, str)]
    names += [stage.value for stage in getattr(step, "stages", None) or () if getattr(stage, "type", "") == "index"]
    return scope.having(*(str(name) for name in names)) if names else scope


def _plain_names(steps: list[Any]) -> Iterator[str]:
    for step in steps:
        if step.type not in ("name", "string"):
            return
        yield str(step.value)
        if getattr(step, "stages", None) or getattr(step, "predicate", None):
            return


def _names_tested(node: Any) -> Iterator[str]:
    """The variables that an expression asks `$exists` of."""
    for part in _all(node):
        if part.type == "function" and part.procedure is not None and part.procedure.value == "exists":
            yield from _names_in(part.arguments)


def _names_asked(condition: Any, scope: _Scope) -> frozenset[str]:
    """The variables whose values a condition depends on, also by way of a variable that holds an answer. One that has
    no value makes no condition fail: it is compared with nothing, and the condition is not true."""
    names = frozenset(_names_in([condition]))
    return names.union(*(scope.answers.get(name, frozenset()) for name in names))


def _names_in(nodes: Any) -> Iterator[str]:
    for node in nodes or ():
        for part in _all(node):
            if part.type == "variable":
                yield str(part.value)


def _all(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part is not None:
            yield part
            waiting.extend(_children(part))


_WORDS = "lhs rhs condition then _else procedure body expression pattern update delete group expr"
_PARTS = tuple(_WORDS.split())
_LISTS = ("steps", "expressions", "arguments", "stages", "predicate", "terms")


def _children(node: Any) -> Iterator[Any]:
    for name in _PARTS:
        part = getattr(node, name, None)
        if hasattr(part, "type"):
            yield part
    for name in _LISTS:
        parts = getattr(node, name, None)
        if isinstance(parts, list):
            yield from (part for part in parts if hasattr(part, "type"))
    for pair in getattr(node, "lhs_object", None) or ():
        yield from pair
