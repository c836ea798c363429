"""A valid definition becomes a Program: every path, template and rule is compiled once, here.

Rule: `compile_program` is only given what `validate` found free of errors; it does not look for problems.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm_cli.asl import model
from sm_cli.asl.compile_fields import Fields, Written
from sm_cli.asl.diagnostics import Diagnostic
from sm_cli.asl.model import Machine, QueryLanguage, Role
from sm_cli.asl.resources import parse_resource
from sm_cli.asl.spans import child
from sm_cli.errors import InvalidDefinition
from sm_cli.jsonvalue import Json, digest, dumps

_READERS = ("ItemReader", "ItemBatcher", "ResultWriter")


def compile_program(definition: Json) -> model.Program:
    """Compile a definition (the JSON value of it) that `validate` found no error in.

    Raises InvalidDefinition for what this version cannot run yet (ItemReader, ItemBatcher, ResultWriter).
    """
    written: Any = definition
    machines: dict[str, Machine] = {}
    language = QueryLanguage(written.get("QueryLanguage", "JSONPath"))
    _Compiler(machines, language).machine(written, "", Role.ROOT, "", recorded=True)
    return model.Program(
        digest=digest(definition),
        machines=machines,
        timeout_seconds=written.get("TimeoutSeconds"),
        comment=written.get("Comment"),
    )


class _Compiler:
    """`language` is the definition's own: a state's QueryLanguage does not flow into the machines inside it."""

    def __init__(self, machines: dict[str, Machine], language: QueryLanguage) -> None:
        self.machines = machines
        self.language = language

    def machine(self, written: Written, pointer: str, role: Role, owner: str, *, recorded: bool) -> str:
        """Compile one StartAt and States, and all machines inside it; returns its pointer."""
        states: dict[str, model.State] = {}
        for name, state in written["States"].items():
            at = child(child(pointer, "States"), name)
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
        fields = Fields(written, jsonata=language is QueryLanguage.JSONATA)
        build: Callable[..., model.State] = getattr(self, f"build_{written['Type'].lower()}")
        return build({"name": name, "language": language, **fields.common()}, fields, pointer, recorded)

    # -- one builder for each state type -----------------------------------------------------------

    def build_pass(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Pass:
        shaping = ("InputPath", "OutputPath", "Parameters", "Result", "ResultPath", "Output", "Assign")
        return model.Pass(
            **common,
            **fields.resulting(),
            has_result="Result" in fields.written,
            result=fields.get("Result"),
            is_identity=not any(field in fields.written for field in shaping),
        )

    def build_task(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Task:
        return model.Task(
            **common,
            **fields.resulting(),
            resource=parse_resource(fields.written["Resource"]),
            timeout=fields.seconds("TimeoutSeconds"),
            heartbeat=fields.seconds("HeartbeatSeconds"),
        )

    def build_choice(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Choice:
        rules = tuple(fields.rule(rule) for rule in fields.written["Choices"])
        return model.Choice(**common, rules=rules, default=fields.get("Default"))

    def build_wait(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Wait:
        expression = fields.expression("Timestamp")
        return model.Wait(
            **common,
            seconds=fields.seconds("Seconds"),
            timestamp=fields.timestamp() if expression is None else None,
            timestamp_path=fields.twin("Timestamp"),
            timestamp_expression=expression,
        )

    def build_succeed(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Succeed:
        return model.Succeed(**common)

    def build_fail(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Fail:
        return model.Fail(**common, error=fields.text("Error"), cause=fields.text("Cause"))

    def build_parallel(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Parallel:
        branches = tuple(
            self.machine(branch, f"{pointer}/Branches/{i}", Role.BRANCH, common["name"], recorded=recorded)
            for i, branch in enumerate(fields.written["Branches"])
        )
        return model.Parallel(**common, **fields.resulting(), branches=branches)

    def build_map(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Map:
        field = "ItemProcessor" if "ItemProcessor" in fields.written else "Iterator"
        processor = fields.written[field]
        distributed = processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
        for reader in _READERS:
            if reader in fields.written:
                message = f"{reader} of a Map cannot be run by this version yet"
                raise InvalidDefinition([Diagnostic("SM900", "error", message, f"{pointer}/{reader}")])
        at = f"{pointer}/{field}"
        return model.Map(
            **common,
            **{**fields.resulting(), "parameters": None},
            processor=self.machine(
                processor, at, Role.ITERATION, common["name"], recorded=recorded and not distributed
            ),
            distributed=distributed,
            items_path=fields.twin("Items"),
            items=fields.items(),
            # Legacy: Parameters of a Map is what ItemSelector is today.
            item_selector=fields.template("ItemSelector") or fields.template("Parameters"),
            max_concurrency=fields.count("MaxConcurrency"),
            tolerated_count=fields.count("ToleratedFailureCount"),
            tolerated_percentage=fields.count("ToleratedFailurePercentage"),
            label=fields.get("Label"),
        )

    def build_message(self, common: dict[str, Any], fields: Fields, pointer: str, recorded: bool) -> model.Message:
        resulting = fields.resulting()
        if "MessagePath" in fields.written:
            resulting["result_path"] = fields.place("MessagePath")
        return model.Message(
            **common,
            **resulting,
            correlation_key=fields.written["CorrelationKey"],
            correlation_value=fields.correlation_value(),
            timeout=fields.seconds("TimeoutSeconds"),
            timeout_path=fields.get("TimeoutPath"),
        )
