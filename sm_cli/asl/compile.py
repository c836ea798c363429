"""A valid definition becomes a Program: every path, template and rule is compiled once, here.

`compile_program` is only given what `validate` found free of errors; it does not look for problems.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sm_cli.asl import model
from sm_cli.asl.compile_fields import Fields, Written
from sm_cli.asl.fields import Language, language_of
from sm_cli.asl.model import Machine, QueryLanguage, Role
from sm_cli.asl.resources import parse_resource
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json, digest, dumps


def compile_program(definition: Json) -> model.Program:
    """Compile a definition (the JSON value of it) that `validate` found no error in."""
    machine: Any = definition
    machines: dict[str, Machine] = {}
    _Compiler(machines, language_of(machine, "JSONPath")).machine(machine, "", Role.ROOT, "")
    return model.Program(
        digest=digest(definition),
        machines=machines,
        timeout_seconds=machine.get("TimeoutSeconds") or None,  # 0 sets no limit
        comment=machine.get("Comment"),
    )


class _Compiler:
    """`language` is the definition's own, which every state has that names none."""

    def __init__(self, machines: dict[str, Machine], language: Language) -> None:
        self.machines = machines
        self.language = language

    def machine(self, machine_definition: Written, pointer: str, role: Role, owner: str) -> str:
        """Compile one StartAt and States, and all machines inside it; returns its pointer."""
        states: dict[str, model.State] = {}
        for name, state in machine_definition["States"].items():
            at = child(child(pointer, "States"), name)
            states[name] = self.state(name, state, at)
        text = dumps(machine_definition["States"])
        self.machines[pointer] = Machine(
            pointer=pointer,
            start_at=machine_definition["StartAt"],
            states=states,
            role=role,
            owner=owner,
            reads_context="$$" in text or "$states" in text,
        )
        return pointer

    def state(self, name: str, definition: Written, pointer: str) -> model.State:
        language = QueryLanguage(language_of(definition, self.language))
        fields = Fields(definition, jsonata=language is QueryLanguage.JSONATA)
        build: Callable[..., model.State] = getattr(self, f"build_{definition['Type'].lower()}")
        return build({"name": name, "language": language, **fields.common()}, fields, pointer)

    # -- one builder for each state type -----------------------------------------------------------

    def build_pass(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Pass:
        shaping = ("InputPath", "OutputPath", "Parameters", "Result", "ResultPath", "Output", "Assign")
        return model.Pass(
            **common,
            **fields.resulting(),
            has_result="Result" in fields.definition,
            result=fields.get("Result"),
            is_identity=not any(field in fields.definition for field in shaping),
        )

    def build_task(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Task:
        return model.Task(
            **common,
            **fields.resulting(),
            resource=parse_resource(fields.definition["Resource"]),
            timeout=fields.seconds("TimeoutSeconds"),
            heartbeat=fields.seconds("HeartbeatSeconds"),
        )

    def build_choice(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Choice:
        rules = tuple(fields.rule(rule) for rule in fields.definition["Choices"])
        return model.Choice(**common, rules=rules, default=fields.get("Default"))

    def build_wait(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Wait:
        expression = fields.expression("Timestamp")
        return model.Wait(
            **common,
            seconds=fields.seconds("Seconds"),
            timestamp=fields.timestamp() if expression is None else None,
            timestamp_path=fields.twin("Timestamp"),
            timestamp_expression=expression,
        )

    def build_succeed(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Succeed:
        return model.Succeed(**common)

    def build_fail(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Fail:
        return model.Fail(**common, error=fields.text("Error"), cause=fields.text("Cause"))

    def build_parallel(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Parallel:
        branches = tuple(
            self.machine(branch, f"{pointer}/Branches/{i}", Role.BRANCH, common["name"])
            for i, branch in enumerate(fields.definition["Branches"])
        )
        return model.Parallel(**common, **fields.resulting(), branches=branches)

    def build_map(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Map:
        field = "ItemProcessor" if "ItemProcessor" in fields.definition else "Iterator"
        processor = fields.definition[field]
        config = processor.get("ProcessorConfig", {})
        is_distributed = config.get("Mode") == "DISTRIBUTED"
        role = Role.ROOT if is_distributed else Role.ITERATION
        arguments: dict[str, Any] = {
            **common,
            **fields.resulting(),
            "parameters": None,
            "processor": self.machine(processor, f"{pointer}/{field}", role, common["name"]),
            "items_path": fields.twin("Items"),
            "items": fields.items(),
            # Legacy: Parameters of a Map is what ItemSelector is today.
            "item_selector": fields.template("ItemSelector") or fields.template("Parameters"),
            "max_concurrency": fields.count("MaxConcurrency"),
            "tolerated_count": fields.count("ToleratedFailureCount"),
            "tolerated_percentage": fields.count("ToleratedFailurePercentage"),
        }
        if not is_distributed:
            return model.Map(**arguments)
        return model.DistributedMap(
            **arguments,
            child_type=config.get("ExecutionType", "STANDARD"),
            label=fields.get("Label") or common["name"],
            reader=fields.reader(),
            batcher=fields.batcher(),
            writer=fields.writer(),
        )

    def build_message(self, common: dict[str, Any], fields: Fields, pointer: str) -> model.Message:
        resulting = fields.resulting()
        if "MessagePath" in fields.definition:
            resulting["result_path"] = fields.place("MessagePath")
        return model.Message(
            **common,
            **resulting,
            correlation_key=fields.definition["CorrelationKey"],
            correlation_value=fields.correlation_value(),
            timeout=fields.seconds("TimeoutSeconds"),
            timeout_path=fields.get("TimeoutPath"),
        )
