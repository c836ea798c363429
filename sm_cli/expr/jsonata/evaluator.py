"""One evaluation of a syntax tree that jsonata-python has parsed.

An evaluator serves one evaluation, so that nothing is shared between threads. It counts its steps, so that no
expression runs for ever: long values count more. It changes none of the values bound to names. What the package
evaluates otherwise than JSONata 2.0.6 is put right here, in `operators` and in `builtins`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jsonata.jexception import JException  # type: ignore[import-untyped]  # the package ships no types
from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.parser import Parser  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from sm_cli.expr.jsonata.convert import NULL
from sm_cli.expr.jsonata.engine import LimitExceededError
from sm_cli.expr.jsonata.higher_order import match_at, merge_sort
from sm_cli.expr.jsonata.operators import OPERATORS, differ, flat, lookup, position, together, truth
from sm_cli.expr.jsonata.regex import Regex
from sm_cli.expr.jsonata.signature import copy_signature
from sm_cli.expr.jsonata.syntax import parse_expression
from sm_cli.expr.jsonata.text import code_units
from sm_cli.expr.jsonata.transform import TransformOperator
from sm_cli.expr.jsonata.tuples import rows_of
from sm_cli.expr.scope import Scope
from sm_cli.jsonvalue import is_number

JList = Utils.JList
_BETWEEN_LOOKS = 10_000
#: What the package calls a function that has no name.
_UNNAMED = ("lambda", "transform")
#: The errors that name a function or an operator, and where the package has that.
_NAMED = {
    "T0410": "expected",
    "T0411": "current",
    "T0412": "expected",
    "T2001": "current",
    "T2002": "current",
    "T2009": "extra",
    "T2010": "current",
}


class Bindings:
    """Names and their values; the package's own class looks them up by recursion."""

    __slots__ = ("bindings", "is_parallel_call", "parent")

    def __init__(self, parent: Bindings | None, bindings: dict[str, Any]) -> None:
        self.parent = parent
        self.bindings = bindings
        self.is_parallel_call = False

    def bind(self, name: str, value: Any) -> None:
        """Give the name this value, in this frame."""
        self.bindings[name] = value

    def lookup(self, name: str) -> Any:
        """The value of the name in this frame or the nearest one around it; None (undefined) where none has it."""
        frame: Bindings | None = self
        while frame is not None:
            if name in frame.bindings:
                return frame.bindings[name]
            frame = frame.parent
        return None


class Evaluator(Jsonata):  # type: ignore[misc]  # the package ships no types
    """One evaluation. max_steps: how many nodes may be visited; long values count more. max_depth: how deep they nest.

    `eval` raises LimitExceededError beyond them. Jsonata.__init__ is not called: it parses.
    """

    #: Methods of the package read its debug flag; it never parses.
    parser = Parser()

    def __init__(self, root: Bindings, scope: Scope, max_steps: int, max_depth: int) -> None:
        self.scope = scope
        self.environment = root
        self.input = None
        self.max_steps = self.steps = max_steps
        self.elements = scope.limits.elements
        #: The clock is read when the steps that are left fall below this.
        self.look_at = max_steps - _BETWEEN_LOOKS
        self.clock = scope.clock
        self.ends = 0.0 if self.clock is None else self.clock() + scope.limits.seconds
        self.max_depth = self.depth = max_depth

    def get_per_thread_instance(self) -> Evaluator:
        """This evaluator: it serves one evaluation, in one thread."""
        return self

    def create_frame(self, enclosing: Bindings | None = None) -> Bindings:
        """A frame without names, inside `enclosing`."""
        return Bindings(enclosing, {})

    def spend(self, steps: int) -> None:
        """Charge the evaluation for so many steps. Raises LimitExceededError when these, or its time, are used up."""
        self.steps -= steps
        if self.steps < self.look_at or self.steps < 0:
            self.look()

    def look(self) -> None:
        """See whether steps and time are left. Raises LimitExceededError."""
        if self.steps < 0:
            raise LimitExceededError(f"takes more than {self.max_steps:,} steps; look for a loop that does not end")
        if self.clock is not None and self.clock() > self.ends:
            raise LimitExceededError(f"takes more than {self.scope.limits.seconds:g} seconds")
        self.look_at = self.steps - _BETWEEN_LOOKS

    def build(self, elements: int) -> None:
        """Charge the evaluation for values that it is about to make. Raises LimitExceededError."""
        self.spend(elements >> 5)
        self.elements -= elements
        if self.elements < 0:
            raise LimitExceededError(f"makes more than {self.scope.limits.elements:,} values on the way to its result")

    def evaluate_tuple_step(self, step: Any, input: Any, rows: Any, environment: Bindings) -> Any:
        """The rows that a step makes of rows, in a path with `@`, `#` or `%`."""
        if step.type == "sort":
            return super().evaluate_tuple_step(step, input, rows, environment)
        rows_of_step = rows_of(self, step, input, rows, environment)
        return rows_of_step if step.stages is None else self.evaluate_stages(step.stages, rows_of_step, environment)

    def eval(self, node: Any, input: Any, environment: Bindings) -> Any:
        """The value of one node of the syntax tree for one context item; None is undefined. Raises JException."""
        self.spend(1)
        if self.depth == 0:
            raise LimitExceededError(
                f"nests deeper than {self.max_depth:,} steps; look for a recursion that does not end"
            )
        self.depth -= 1
        visit = _VISITS.get(node.type)
        result = visit(self, node, input, environment) if visit is not None else None
        if node.predicate is not None:
            for predicate in node.predicate:
                result = self.evaluate_filter(predicate.expr, result, environment)
        if node.group is not None and node.type != "path":
            result = self.evaluate_group_expression(node.group, result, environment)
        self.depth += 1
        if isinstance(result, list):
            self.spend(len(result) >> 5)
            if isinstance(result, JList) and result.sequence and not result.tuple_stream:
                if node.keep_array:
                    result.keep_singleton = True
                if not result:
                    return None
                if len(result) == 1 and not result.keep_singleton:
                    return result[0]
        return result

    def evaluate_binary(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`left operator right`; `and` and `or` evaluate the right side only where it decides."""
        sign = node.value
        left = self.eval(node.lhs, input, environment)
        if sign in ("and", "or"):
            if truth(left) is (sign == "or"):
                return sign == "or"
            try:
                return truth(self.eval(node.rhs, input, environment))
            except JException as e:
                # Whatever failed there, JSONata names the operator.
                if e.error in _NAMED:
                    setattr(e, _NAMED[e.error], sign)
                raise
        result = OPERATORS[sign](left, self.eval(node.rhs, input, environment))
        if type(result) is str:
            self.spend(len(result) >> 8)
        return result

    def evaluate_condition(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`condition ? then : else`; undefined where there is no else."""
        if truth(self.eval(node.condition, input, environment)):
            return self.eval(node.then, input, environment)
        return None if node._else is None else self.eval(node._else, input, environment)

    def evaluate_variable(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`$name`; `$` alone is the context item."""
        return environment.lookup(node.value) if node.value else input

    def evaluate_function(self, node: Any, input: Any, environment: Bindings, argument: Any = Utils.NONE) -> Any:
        """`function(…)`; argument: what stands before `~>`, the first argument."""
        try:
            return super().evaluate_function(node, input, environment, argument)
        except JException as e:
            # A function of the user's is called in messages what it is called by.
            if e.error == "T0410" and e.expected in _UNNAMED and node.procedure.type == "variable":
                e.expected = node.procedure.value
            raise

    def evaluate_apply_expression(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`left ~> function`; the context of the call is null. `left ~> function(…)` is a call like any other.
        Raises JException (T2006) for what is no function."""
        if node.rhs.type == "function":
            return super().evaluate_apply_expression(node, input, environment)
        left = self.eval(node.lhs, input, environment)
        function = self.eval(node.rhs, input, environment)
        if not self.is_function_like(function):
            raise JException("T2006", node.position, function)
        try:
            if self.is_function_like(left):
                chain = self.eval(Jsonata.chain_ast(), None, environment)
                return self.apply(chain, [left, function], NULL, environment)
            return self.apply(function, [left], NULL, environment)
        except JException as e:
            if e.error == "T0410" and e.expected in _UNNAMED:
                e.expected = None
            raise

    def evaluate_lambda(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`function($a){…}`: a closure over its environment, whose signature is checked."""
        closure = super().evaluate_lambda(node, input, environment)
        if closure.signature is not None:
            closure.signature = copy_signature(closure.signature)
        return closure

    def evaluate_wildcard(self, _node: Any, input: Any) -> Any:
        """`*`: the values of an object or the items of an array, arrays among them spread."""
        values = Utils.create_sequence()
        for value in input.values() if isinstance(input, dict) else input if isinstance(input, list) else ():
            if isinstance(value, list):
                flat(value, values)
                values.sequence = False  # an array, even of one item, as JSONata's own joining makes it
            else:
                values.append(value)
        return values

    def evaluate_descendants(self, _node: Any, input: Any) -> Any:
        """`**`: the item and all that is below it, arrays spread, in the order in which it is written."""
        values = Utils.create_sequence()
        waiting = [] if input is None else [input]
        while waiting:
            value = waiting.pop()
            self.spend(1)
            if not isinstance(value, list):
                values.append(value)
            if isinstance(value, (dict, list)):
                below = list(value.values()) if isinstance(value, dict) else value
                waiting.extend(reversed(below))
        return values

    def evaluate_filter(self, predicate: Any, input: Any, environment: Bindings) -> Any:
        """`[…]`: the items at an index, or those for which the predicate is true."""
        tuples = isinstance(input, JList) and input.tuple_stream
        items = input if isinstance(input, list) else [input]
        matches = Utils.create_sequence()
        matches.tuple_stream = tuples
        if predicate.type == "number":
            at = position(predicate.value, len(items))
            item = items[at] if 0 <= at < len(items) else None
            if isinstance(item, list):
                return item
            if item is not None:
                matches.append(item)
            return matches
        for index, item in enumerate(items):
            frame = self.create_frame_from_tuple(environment, item) if tuples else environment
            selector = self.eval(predicate, item["@"] if tuples else item, frame)
            numbers = selector if isinstance(selector, list) else [selector]
            if all(is_number(number) for number in numbers):
                matches.extend(item for number in numbers if position(number, len(items)) == index)
            elif truth(selector):
                matches.append(item)
        return matches

    def evaluate_group_expression(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`{key: value, …}`: what the items with one key give together. An empty array is one undefined item. Raises
        JException (T1003, D1009)."""
        tuples = isinstance(input, JList) and input.tuple_stream
        groups: dict[str, tuple[int, list[Any]]] = {}
        for item in (input or [None]) if isinstance(input, list) else [input]:
            frame = self.create_frame_from_tuple(environment, item) if tuples else environment
            for number, (key_node, _) in enumerate(node.lhs_object):
                key = self.eval(key_node, item["@"] if tuples else item, frame)
                if key is None:
                    continue
                if not isinstance(key, str):
                    raise JException("T1003", node.position, key)
                of, items = groups.setdefault(key, (number, []))
                if of != number:
                    raise JException("D1009", node.position, key)
                items.append(item)
        result = {}
        for key, (number, items) in groups.items():
            context, frame = self.merge(items, environment) if tuples else (together(items), environment)
            value = self.eval(node.lhs_object[number][1], context, frame)
            if value is not None:
                result[key] = value
        return result

    def merge(self, tuples: list[dict[str, Any]], environment: Bindings) -> tuple[Any, Bindings]:
        """The context and the frame of a group of tuples: each name stands for all its values."""
        values = {name: together([each[name] for each in tuples if name in each]) for name in tuples[0]}
        context = values.pop("@")
        return context, self.create_frame_from_tuple(environment, values)

    def evaluate_sort_expression(self, node: Any, input: Any, environment: Bindings) -> Any:
        """`^(…)`: each term is evaluated at most once for an item. What has no value comes last, whatever the order."""
        if not isinstance(input, list) or len(input) <= 1:
            return input
        tuples = isinstance(input, JList) and input.tuple_stream
        sort_keys: dict[tuple[int, int], Any] = {}

        def value(at: int, number: int) -> Any:
            if (at, number) not in sort_keys:
                item = input[at]
                frame = self.create_frame_from_tuple(environment, item) if tuples else environment
                sort_keys[at, number] = self.eval(node.terms[number].expression, item["@"] if tuples else item, frame)
            return sort_keys[at, number]

        def swap(left: int, right: int) -> bool:
            for number, term in enumerate(node.terms):
                one, other = value(left, number), value(right, number)
                if one is None or other is None:
                    if one is not other:
                        return one is None
                elif differ(one, other, node):
                    if isinstance(one, str):
                        one, other = code_units(one), code_units(other)
                    return bool(one < other) is bool(term.descending)
            return False

        return [input[at] for at in merge_sort(list(range(len(input))), swap)]

    def evaluate_step(self, node: Any, input: Any, environment: Bindings, last: bool) -> Any:
        """A step of a path, for each item that the steps before it gave."""
        # Where sorting has left no array, JSONata finds nothing to step into.
        if node.type != "sort" and not isinstance(input, list):
            return None
        return super().evaluate_step(node, input, environment, last)

    def evaluate_transform_expression(self, node: Any, _input: Any, environment: Bindings) -> Any:
        """`|pattern|update, delete|`: a function that changes a copy of its argument."""
        function = Jsonata.JFunction(TransformOperator(self, node, environment), "<(oa):o>")
        function.signature = copy_signature(function.signature)
        function.signature.set_function_name("transform")
        return function

    def apply_inner(self, function: Any, arguments: Any, input: Any, environment: Bindings) -> Any:
        """What a function gives for these arguments. Raises JException (T1006) for what cannot be called."""
        if function is None or not self.is_function_like(function):
            raise JException("T1006", -1)  # the package prints a line to stdout first
        for argument in arguments:
            if isinstance(argument, (list, str)):
                self.spend(len(argument) >> 2 if isinstance(argument, list) else len(argument) >> 6)
        if isinstance(function, Regex):
            return match_at(function, arguments)
        return super().apply_inner(function, arguments, input, environment)

    def partial_apply_native_function(self, function: Any, arguments: list[Any]) -> Any:
        """`function(?, …)` where the function is not written in JSONata."""
        names = ", ".join(f"$a{i}" for i in range(len(arguments)))
        # The package would parse this with the parser that this evaluator shares with all others.
        closure = self.partial_apply_procedure(parse_expression(f"function({names}){{$native({names})}}"), arguments)
        closure.environment.bind("native", function)
        return closure


def _literal(_evaluator: Evaluator, node: Any, _input: Any, _environment: Bindings) -> Any:
    return NULL if node.value is None else node.value


#: What to do with a node, by its type.
_VISITS: Mapping[str, Callable[[Evaluator, Any, Any, Bindings], Any]] = {
    "apply": Evaluator.evaluate_apply_expression,
    "binary": Evaluator.evaluate_binary,
    "bind": Evaluator.evaluate_bind_expression,
    "block": Evaluator.evaluate_block,
    "condition": Evaluator.evaluate_condition,
    "descendant": lambda evaluator, node, input, _environment: evaluator.evaluate_descendants(node, input),
    "function": lambda evaluator, node, input, environment: evaluator.evaluate_function(
        node, input, environment, Utils.NONE
    ),
    "lambda": Evaluator.evaluate_lambda,
    "name": lambda _evaluator, node, input, _environment: lookup(input, node.value),
    "number": _literal,
    "parent": lambda _evaluator, node, _input, environment: environment.lookup(node.slot.label),
    "partial": Evaluator.evaluate_partial_application,
    "path": Evaluator.evaluate_path,
    "regex": _literal,
    "string": _literal,
    "transform": Evaluator.evaluate_transform_expression,
    "unary": Evaluator.evaluate_unary,
    "value": _literal,
    "variable": Evaluator.evaluate_variable,
    "wildcard": lambda evaluator, node, input, _environment: evaluator.evaluate_wildcard(node, input),
}
