"""A valid definition becomes a Program: every path, template and rule is compiled once, here.

Rule: `compile_program` is only given what `validate` found free of errors; it does not look for problems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sm_cli.asl import model
from sm_cli.asl.diagnostics import Diagnostic
from sm_cli.asl.model import Count, Evaluate, Jitter, Machine, Nothing, QueryLanguage, Role, Seconds
from sm_cli.asl.resources import parse_resource
from sm_cli.errors import InvalidDefinition
from sm_cli.expr.choice import compile_rule
from sm_cli.expr.jsonpath import Path, compile_path, compile_reference
from sm_cli.expr.template import compile_template, compile_value
from sm_cli.expr.timestamps import parse_timestamp
from sm_cli.jsonvalue import Json, digest, dumps

#: A state or a machine as it was written.
Written: TypeAlias = Mapping[str, Any]


def compile_program(definition: Json) -> model.Program:
    """Compile a definition (the JSON value of it) that `validate` found no error in.

    Raises InvalidDefinition for what this version cannot run yet (JSONata states).
    """
    written: Any = definition
    language = QueryLanguage(written.get("QueryLanguage", "JSONPath"))
    machines: dict[str, Machine] = {}
    _Compiler(machines, language).machine(written, "", Role.ROOT, "", recorded=True)
    return model.Program(
        digest=digest(definition),
        machines=machines,
        timeout_seconds=written.get("TimeoutSeconds"),
        comment=written.get("Comment"),
    )


class _Compiler:
    def __init__(self, machines: dict[str, Machine], language: QueryLanguage) -> None:
        self.machines = machines
        self.language = language

    def machine(self, written: Written, pointer: str, role: Role, owner: str, *, recorded: bool) -> str:
        """Compile one StartAt and States, and all machines inside it; returns its pointer."""
        states: dict[str, model.State] = {}
        for name, state in written["States"].items():
            at = f"{pointer}/States/{name.replace('~', '~0').replace('/', '~1')}"
            states[name] = self.state(name, state, at, recorded=recorded)
        text = dumps(written["States"])
        self.machines[pointer] = Machine(
            pointer=pointer,
            start_at=written["StartAt"],
            states=states,
            role=role,
            owner=owner,
            reads_context="$$" in text or "$states" in text,
            recorded=recorded,
        )
        return pointer

    def state(self, name: str, written: Written, pointer: str, *, recorded: bool) -> model.State:
        language = QueryLanguage(written["QueryLanguage"]) if "QueryLanguage" in written else self.language
        if language is QueryLanguage.JSONATA:
            raise _unsupported(f"state {name!r} is written in JSONata, which this version cannot run yet", pointer)
        if "Assign" in written:
            raise _unsupported(f"state {name!r} assigns variables, which this version cannot run yet", pointer)
        common = {
            "name": name,
            "next": written.get("Next"),
            "language": language,
            "input_path": _path(written, "InputPath"),
            "output_path": _path(written, "OutputPath"),
            "assign": None,
            "output": None,
        }
        build: Callable[..., model.State] = getattr(self, f"build_{written['Type'].lower()}")
        return build(common, written, pointer, recorded)

    # -- one builder for each state type -----------------------------------------------------------

    def build_pass(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Pass:
        shaping = ("InputPath", "OutputPath", "Parameters", "Result", "ResultPath")
        return model.Pass(
            **common,
            **_resulting(written),
            has_result="Result" in written,
            result=written.get("Result"),
            is_identity=not any(field in written for field in shaping),
        )

    def build_task(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Task:
        return model.Task(
            **common,
            **_resulting(written),
            resource=parse_resource(written["Resource"]),
            timeout=_seconds(written, "TimeoutSeconds"),
            heartbeat=_seconds(written, "HeartbeatSeconds"),
        )

    def build_choice(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Choice:
        rules = tuple(model.Rule(compile_rule(dict(rule)), rule["Next"]) for rule in written["Choices"])
        return model.Choice(**common, rules=rules, default=written.get("Default"))

    def build_wait(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Wait:
        timestamp_path = written.get("TimestampPath")
        return model.Wait(
            **common,
            seconds=_seconds(written, "Seconds"),
            timestamp=_timestamp(written),
            timestamp_path=None if timestamp_path is None else compile_path(timestamp_path),
            timestamp_expression=None,
        )

    def build_succeed(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Succeed:
        return model.Succeed(**common)

    def build_fail(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Fail:
        return model.Fail(**common, error=_text(written, "Error"), cause=_text(written, "Cause"))

    def build_parallel(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Parallel:
        branches = tuple(
            self.machine(branch, f"{pointer}/Branches/{i}", Role.BRANCH, common["name"], recorded=recorded)
            for i, branch in enumerate(written["Branches"])
        )
        return model.Parallel(**common, **_resulting(written), branches=branches)

    def build_map(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Map:
        field = "ItemProcessor" if "ItemProcessor" in written else "Iterator"
        processor = written[field]
        distributed = processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
        for unsupported in ("ItemReader", "ItemBatcher", "ResultWriter"):
            if unsupported in written:
                raise _unsupported(
                    f"{unsupported} of a Map cannot be run by this version yet", f"{pointer}/{unsupported}"
                )
        at = self.machine(
            processor, f"{pointer}/{field}", Role.ITERATION, common["name"], recorded=recorded and not distributed
        )
        # Legacy: Parameters of a Map is what ItemSelector is today.
        selector = written.get("ItemSelector", written.get("Parameters"))
        return model.Map(
            **common,
            **{**_resulting(written), "parameters": None},
            processor=at,
            distributed=distributed,
            items_path=compile_path(written["ItemsPath"]) if "ItemsPath" in written else None,
            items=None,
            item_selector=None if selector is None else compile_template(selector),
            max_concurrency=_count(written, "MaxConcurrency"),
            tolerated_count=_count(written, "ToleratedFailureCount"),
            tolerated_percentage=_count(written, "ToleratedFailurePercentage"),
            label=written.get("Label"),
        )

    def build_message(self, common: dict[str, Any], written: Written, pointer: str, recorded: bool) -> model.Message:
        resulting = _resulting(written)
        if "MessagePath" in written:
            resulting["result_path"] = _place(written, "MessagePath")
        return model.Message(
            **common,
            **resulting,
            correlation_key=written["CorrelationKey"],
            correlation_value=_correlation_value(written),
            timeout=_seconds(written, "TimeoutSeconds"),
            timeout_path=written.get("TimeoutPath"),
        )


# -- fields that several state types have ----------------------------------------------------------


def _resulting(written: Written) -> dict[str, Any]:
    return {
        "parameters": compile_template(written["Parameters"]) if "Parameters" in written else None,
        "result_selector": compile_template(written["ResultSelector"]) if "ResultSelector" in written else None,
        "result_path": _place(written, "ResultPath"),
        "retry": tuple(_retrier(retrier) for retrier in written.get("Retry", ())),
        "catch": tuple(_catcher(catcher) for catcher in written.get("Catch", ())),
    }


def _path(written: Written, field: str) -> Path | Nothing | None:
    """A path field: absent or `$` changes nothing (None), null is Nothing.NULL."""
    if field not in written:
        return None
    text = written[field]
    if text is None:
        return Nothing.NULL
    return None if text == "$" else compile_path(text)


def _place(written: Written, field: str) -> Path | Nothing | None:
    """ResultPath: like a path field, but a Reference Path; `$` means the same as its absence."""
    if field not in written:
        return None
    text = written[field]
    if text is None:
        return Nothing.NULL
    return None if text == "$" else compile_reference(text)


def _seconds(written: Written, field: str) -> Seconds:
    path = written.get(f"{field}Path")
    return Seconds(written.get(field), None if path is None else compile_path(path))


def _timestamp(written: Written) -> int | None:
    timestamp = parse_timestamp(written["Timestamp"]) if "Timestamp" in written else None
    return None if timestamp is None else timestamp.microseconds


def _count(written: Written, field: str) -> Count:
    path = written.get(f"{field}Path")
    return Count(field, written.get(field), None if path is None else compile_path(path))


def _text(written: Written, field: str) -> str | Evaluate | None:
    path = written.get(f"{field}Path")
    if path is not None:
        return compile_value(path, f"{field}Path")
    text: str | None = written.get(field)
    return text


def _correlation_value(written: Written) -> Evaluate:
    if "CorrelationValuePath" in written:
        return compile_value(written["CorrelationValuePath"], "CorrelationValuePath")
    constant: Json = written["CorrelationValue"]
    return lambda scope: constant


def _retrier(written: Written) -> model.Retrier:
    return model.Retrier(
        error_equals=tuple(written["ErrorEquals"]),
        interval_seconds=written.get("IntervalSeconds", 1),
        max_attempts=written.get("MaxAttempts", 3),
        backoff_rate=written.get("BackoffRate", 2.0),
        max_delay_seconds=written.get("MaxDelaySeconds"),
        jitter=Jitter(written.get("JitterStrategy", "NONE")),
    )


def _catcher(written: Written) -> model.Catcher:
    return model.Catcher(tuple(written["ErrorEquals"]), written["Next"], _place(written, "ResultPath"))


def _unsupported(message: str, pointer: str) -> InvalidDefinition:
    return InvalidDefinition([Diagnostic("SM900", "error", message, pointer)])
