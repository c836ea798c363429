"""Reads the recorded cases where they lie, beside the checkout; nothing of them is copied."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sm_cli import testing
from sm_cli.errors import TaskError

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "conformance"
HERE = (FOLDER / "cases.jsonl").is_file()
WHY_NOT = "the recorded cases are not beside this checkout (../shared/conformance)"


def load(kind: str) -> list[dict[str, Any]]:
    if not HERE:
        return []
    with (FOLDER / "cases.jsonl").open(encoding="utf-8") as lines:
        return [case for case in map(json.loads, lines) if case["kind"] == kind]


@cache
def executions() -> tuple[dict[str, Any], ...]:
    return tuple(load("execution"))


@cache
def judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_judge", FOLDER / "judge.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def handler(spec: dict[str, Any]) -> Callable[..., Any]:
    """A callable that behaves as the recorded function did."""

    def call(event: Any, context: Any) -> Any:
        match spec["behaviour"]:
            case "echo":
                return event
            case "return":
                return spec["value"]
            case "return_text":
                return "a" * spec["bytes"]
            case "return_formatted":
                return spec["template"].format(event)
            case "sleep_then_echo":
                testing.sleep(spec["seconds"])
                return event
            case "raise":
                raise type(spec["error"], (Exception,), {})(spec["cause"])
            case "raise_service_error":
                raise TaskError(spec["error"], spec["cause"])
        raise AssertionError(f"unknown behaviour {spec['behaviour']}")

    return call


def run(case: dict[str, Any]) -> dict[str, Any]:
    handlers = {name: handler(spec) for name, spec in (case["handlers"] or {}).items()}
    outcome = testing.simulate(case["definition"], case["input"], handlers=handlers, type=case["type"], aws_limits=True)
    return {
        "status": outcome.status,
        "output": outcome.output,
        "error": outcome.error,
        "cause": outcome.cause,
        "history": outcome.history,
    }


@cache
def _ended() -> dict[str, dict[str, Any]]:
    return {}


def ended(case: dict[str, Any]) -> dict[str, Any]:
    """What `run` gives. A case runs once in a session, whoever asks; what it gave is not to be changed."""
    known = _ended()
    if case["id"] not in known:
        known[case["id"]] = run(case)
    return known[case["id"]]


def same(case: dict[str, Any]) -> bool:
    """Whether an execution ends as on AWS, cause included."""
    try:
        ok, _ = judge().judge(case, ended(case), cause=True)
    except Exception:  # whatever a case meets that we cannot do yet, it has not passed
        return False
    return bool(ok)
