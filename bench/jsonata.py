"""JSONata: the engine that sm uses and another one behind the same adapter: right answers, speed, limits.

The other is jlens (`pip install jlens`), which is no dependency of sm: JlensEngine below exists for this comparison.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from bench.report import Figure
from sm_cli.expr.jsonata import expressions as jsonata
from sm_cli.expr.jsonata.aws_functions import FUNCTIONS
from sm_cli.expr.jsonata.engine import (
    UNDEFINED,
    Compiled,
    EngineError,
    EngineSyntaxError,
    FunctionError,
    HostFunction,
    JsonataEngine,
    LimitExceededError,
    Undefined,
    UnsupportedResultError,
)
from sm_cli.expr.jsonata.expressions import default_engine
from sm_cli.expr.scope import JsonataScope, Scope
from sm_cli.jsonvalue import Json
from tests.conformance import cases

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "tests" / "expr" / "jsonata_reference.jsonl"
#: 2023-11-14T22:13:20Z, in microseconds.
NOW = 1_700_000_000_000_000
MAX_DEPTH = 2_000
TIMEOUT = 5.0

SMALL: dict[str, Any] = {"customer": {"name": "Ada"}, "items": [{"sku": "a", "price": 2.5, "quantity": 4}] * 3}
#: About 100 KB as JSON.
LARGE: dict[str, Any] = {
    "customer": {"name": "Ada"},
    "items": [{"sku": f"sku-{i:05}", "price": i % 97 / 4, "quantity": i % 7, "tags": ["a", "b"]} for i in range(1500)],
}
EXPRESSIONS = {
    "member": "$input.customer.name & '!'",
    "sum": "$sum($input.items.(price * quantity))",
    "filter": "$input.items[price > 12].sku",
    "map": "$map($input.items, function($item) { $item.sku & '-' & $item.quantity })",
    "group": "$input.items{$string(quantity): $count($)}",
    "sort": "$input.items^(>price, sku)[0].sku",
}
#: What JSONata has had since 2.1 only; Step Functions refuses it.
NEWER = ("$input ?? 1", "$input ?: 1", "null ?? 4", "($input.a ?: $input.b) & 'x'")
ENDLESS = {
    "a loop": "($f := function($n) { $f($n + 1) }; $f(0))",
    "a recursion": "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
    "a wide range": "$sum([1..1000000].([1..1000]))",
}


# -- the other engine --------------------------------------------------------------------------------------------------


class JlensEngine:
    """jlens as a JsonataEngine; syntax beyond 2.0.6 passes, and a function as the result counts as undefined."""

    def __init__(self) -> None:
        self.package = importlib.import_module("jlens")

    def compile(self, source: str) -> Compiled:
        try:
            return _Jlens(self.package, self.package.Expression(source))
        except self.package.JlensError as e:
            raise EngineSyntaxError(e.code, str(e), e.start or 0) from None


class _Jlens:
    """Serves one thread: AWS's functions are registered once, and take the scope of the running evaluation."""

    def __init__(self, package: Any, expression: Any) -> None:
        self.package = package
        self.expression = expression
        self.scope: Scope | None = None
        for name, function in FUNCTIONS.items():
            expression.register_function(name, partial(self.apply, function), function.signature)

    def apply(self, function: HostFunction, *arguments: Any) -> Json:
        assert self.scope is not None
        return function.apply(self.scope, *arguments)

    def evaluate(self, bindings: Mapping[str, Json], scope: Scope) -> Json | Undefined:
        self.scope = scope
        limits = {"timeout": TIMEOUT, "max_depth": MAX_DEPTH, "now": getattr(scope, "now", NOW) / 1000}
        try:
            # As text, since None would stand both for null and for undefined. AWS has no $eval.
            text = self.expression.evaluate_json(None, {"eval": None, **bindings}, **limits)
        except self.package.JlensError as e:
            if e.code.startswith("U"):
                raise LimitExceededError(str(e)) from None
            raise EngineError(e.code, str(e)) from None
        except FunctionError as e:
            raise EngineError("", str(e)) from None
        except (AttributeError, TypeError) as e:
            # A function of AWS's was called without an argument that it needs: jlens does not stop before.
            raise EngineError("", str(e)) from None
        return UNDEFINED if text is None else json.loads(text)


# -- right answers -----------------------------------------------------------------------------------------------------


def answer(engine: JsonataEngine, expression: str, bindings: Mapping[str, Json]) -> dict[str, Any]:
    """As a line of the reference: {"value": …}, or undefined, function or the code of the error."""
    scope = JsonataScope(None, dict, {}, lambda: Random(1), {}, NOW)
    try:
        value = engine.compile(expression).evaluate(bindings, scope)
    except (EngineError, EngineSyntaxError) as e:
        return {"error": e.code}
    except UnsupportedResultError:
        return {"function": True}
    except LimitExceededError:
        return {"error": "limit"}
    return {"undefined": True} if isinstance(value, Undefined) else {"value": value}


def wrong(engine: JsonataEngine) -> Iterator[str]:
    """The expressions of the reference that an engine answers otherwise than JSONata 2.0.6."""
    first, *lines = map(json.loads, REFERENCE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        expected = {key: value for key, value in line.items() if key != "expression"}
        if same(answer(engine, line["expression"], first["bindings"])) != same(expected):
            yield line["expression"]


def same(told: dict[str, Any]) -> str:
    """1 and 1.0 are one number, and integers are as exact as JavaScript's."""
    plain = json.loads(json.dumps(told), parse_int=float)
    return json.dumps(plain, sort_keys=True)


def used(engine: JsonataEngine) -> AbstractContextManager[object]:
    """Whatever is compiled meanwhile, is compiled by this engine."""
    return patch.object(jsonata, "default_engine", lambda: engine)


def accepted(engine: JsonataEngine) -> Iterator[str]:
    for source in NEWER:
        try:
            engine.compile(source)
        except EngineSyntaxError:
            continue
        yield source


def failed(engine: JsonataEngine) -> Iterator[str]:
    """The recorded executions with JSONata in them that do not end as on AWS, cause included."""
    verdict = cases.judge().judge
    with used(engine):
        for case in recorded():
            ok, _ = verdict(case, cases.run(case), cause=True)
            if not ok:
                yield case["id"]


def recorded() -> list[dict[str, Any]]:
    return [case for case in cases.load("execution") if "{%" in json.dumps(case["definition"])]


# -- speed and limits --------------------------------------------------------------------------------------------------


def microseconds(call: Callable[[], object], least: float = 0.2) -> float:
    """Of one call, the best of three rounds of at least so many seconds together."""
    call()
    begun = time.perf_counter()
    call()
    times = max(1, int(least / 3 / max(time.perf_counter() - begun, 1e-6)))
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        best = min(best, (time.perf_counter() - begun) / times)
    return best * 1e6


def speed(name: str, engine: JsonataEngine) -> Iterator[Figure]:
    scope = JsonataScope(None, dict, {}, lambda: Random(1), {}, NOW)
    compiling = sum(microseconds(partial(engine.compile, source)) for source in EXPRESSIONS.values())
    yield Figure(f"{name}: compile, on average", compiling / len(EXPRESSIONS), "microseconds")
    for size, value in (("small", SMALL), ("100 KB", LARGE)):
        for kind, source in EXPRESSIONS.items():
            run = partial(engine.compile(source).evaluate, {"input": value}, scope)
            yield Figure(f"{name}: evaluate, {size}, {kind}", microseconds(run), "microseconds")


def limits(name: str, engine: JsonataEngine) -> Iterator[Figure]:
    for kind, source in ENDLESS.items():
        begun = time.perf_counter()
        told = answer(engine, source, {})
        ended = "refused" if "error" in told else "answered"
        yield Figure(f"{name}: {kind}, {ended} after", time.perf_counter() - begun, "s")


def importing(module: str) -> float:
    """Milliseconds that an interpreter needs to import a module, less what it needs to start."""

    def seconds(statement: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)
        return time.perf_counter() - begun

    bare = min(seconds("pass") for _ in range(5))
    return (min(seconds(f"import {module}") for _ in range(5)) - bare) * 1000


def run(folder: Path) -> Iterator[Figure]:
    engines: dict[str, tuple[JsonataEngine, str]] = {
        "jsonata-python": (default_engine(), "sm_cli.expr.jsonata.python_engine")
    }
    try:
        engines["jlens"] = (JlensEngine(), "jlens")
    except ImportError:
        print("jlens is not installed here (pip install jlens): only the engine of sm is measured")
    expressions = len(REFERENCE.read_text(encoding="utf-8").splitlines()) - 1
    for name, (engine, module) in engines.items():
        own = name == "jsonata-python"
        differing = list(wrong(engine))
        told = f"{name}: other answers than JSONata 2.0.6's, of {expressions}"
        yield Figure(told, len(differing), "expressions", "<= 0" if own else None)
        newer = len(list(accepted(engine)))
        told = f"{name}: newer syntax let through, of {len(NEWER)}"
        yield Figure(told, newer, "expressions", "<= 0" if own else None)
        if cases.HERE:
            ids = list(failed(engine))
            told = f"{name}: other ends than AWS's, of {len(recorded())}"
            yield Figure(told, len(ids), "executions", "<= 0" if own else None)
        else:
            print(cases.WHY_NOT)
        yield Figure(f"{name}: import", importing(module), "ms")
        yield from speed(name, engine)
        yield from limits(name, engine)
