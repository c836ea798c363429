"""The fields of one state as it was written, compiled the way its query language wants.

A field is read here and nowhere else in the compiler; the builders of `compile` only say which state has
which field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sm_cli.asl import model
from sm_cli.asl.model import Count, Evaluate, Jitter, Nothing, Predicate, Seconds
from sm_cli.asl.resources import parse_resource
from sm_cli.expr.choice import compile_rule
from sm_cli.expr.jsonpath.path import Path, compile_path, compile_reference
from sm_cli.expr.scope import Scope
from sm_cli.expr.template import compile_template, compile_value
from sm_cli.jsonvalue import Json
from sm_cli.timestamps import parse_timestamp

#: A state, a rule, a retrier or a machine as it was written.
Written: TypeAlias = Mapping[str, Any]


class Fields:
    """`jsonata` says which query language the state is written in."""

    def __init__(self, definition: Written, *, jsonata: bool) -> None:
        self.definition = definition
        self.jsonata = jsonata

    def get(self, field: str) -> Any:
        """What is written; None when it is not."""
        return self.definition.get(field)

    def common(self) -> dict[str, Any]:
        """What every state may have."""
        return {
            "next": self.get("Next"),
            "input_path": self.path("InputPath"),
            "output_path": self.path("OutputPath"),
            "assign": self.template("Assign"),
            "output": self.template("Output") if self.jsonata else None,
        }

    def resulting(self) -> dict[str, Any]:
        """What every state with a result of its own may have."""
        return {
            "parameters": self.template("Arguments" if self.jsonata else "Parameters"),
            "result_selector": self.template("ResultSelector"),
            "result_path": self.place("ResultPath"),
            "retry": tuple(retrier(entry) for entry in self.definition.get("Retry", ())),
            "catch": tuple(self.catcher(entry) for entry in self.definition.get("Catch", ())),
        }

    # -- templates and paths -----------------------------------------------------------------------

    def template(self, field: str, fields: Written | None = None) -> Evaluate | None:
        """A payload template, or a JSONata payload."""
        fields = self.definition if fields is None else fields
        if field not in fields:
            return None
        return self.compile(fields[field], field)

    def compile(self, template: Json, field: str) -> Evaluate:
        """A template in the state's query language."""
        if not self.jsonata:
            return compile_template(template)
        from sm_cli.expr.jsonata.expressions import compile_payload  # who writes JSONPath does not wait for its import

        return compile_payload(template, field)

    def path(self, field: str) -> Path | Nothing | None:
        """A path field: absent or `$` changes nothing (None), null is Nothing.NULL."""
        return self._path(self.definition, field, compile_path)

    def place(self, field: str, definition: Written | None = None) -> Path | Nothing | None:
        """ResultPath: like a path field, but a Reference Path; `$` means the same as its absence."""
        return self._path(self.definition if definition is None else definition, field, compile_reference)

    @staticmethod
    def _path(fields: Written, field: str, compile: Callable[[str], Path]) -> Path | Nothing | None:
        if field not in fields:
            return None
        text = fields[field]
        if text is None:
            return Nothing.NULL
        return None if text == "$" else compile(text)

    def twin(self, field: str) -> Path | None:
        """The path of `FieldPath`."""
        text = self.get(f"{field}Path")
        return None if text is None else compile_path(text)

    # -- numbers, texts and times ------------------------------------------------------------------

    def expression(self, field: str, json_type: str | None = None) -> Evaluate | None:
        """The field as a JSONata expression, when it is one; its result must be of the JSON type `json_type`."""
        if not self.jsonata:
            return None
        from sm_cli.expr.jsonata.expressions import compile_expression, expect, is_expression

        text = self.get(field)
        if not is_expression(text):
            return None
        evaluate = compile_expression(text, field)
        if json_type is None:
            return evaluate
        return lambda scope: expect(evaluate(scope), json_type, text, field)

    def seconds(self, field: str) -> Seconds:
        """A number of seconds: a constant, a path or an expression."""
        if expression := self.expression(field, "number"):
            return Seconds(expression=expression)
        return Seconds(self.get(field), self.twin(field))

    def count(self, field: str) -> Count:
        """A number: a constant, a path or an expression."""
        if expression := self.expression(field, "number"):
            return Count(field, expression=expression)
        return Count(field, self.get(field), self.twin(field))

    def text(self, field: str) -> str | Evaluate | None:
        """Error and Cause: a constant, an expression, or what ErrorPath and CausePath find."""
        path = self.get(f"{field}Path")
        if path is not None:
            return compile_value(path, f"{field}Path")
        if expression := self.expression(field, "string"):
            return expression
        constant: str | None = self.get(field)
        return constant

    def timestamp(self) -> int | None:
        """A constant Timestamp, microseconds since 1970 UTC."""
        timestamp = parse_timestamp(self.definition["Timestamp"]) if "Timestamp" in self.definition else None
        return None if timestamp is None else timestamp.microseconds

    def correlation_value(self) -> Evaluate:
        """What gives a Message's correlation value."""
        if "CorrelationValuePath" in self.definition:
            return compile_value(self.definition["CorrelationValuePath"], "CorrelationValuePath")
        return self.compile(self.definition["CorrelationValue"], "CorrelationValue")

    def items(self) -> Evaluate | None:
        """JSONata's Items: an array or an object, with expressions in it or not, or an expression that gives one."""
        evaluate = self.expression("Items")
        if evaluate is None:
            return self.template("Items")
        from sm_cli.expr.jsonata.expressions import expect

        text = self.definition["Items"]

        def items(scope: Scope) -> Json:
            value = evaluate(scope)
            return value if isinstance(value, dict) else expect(value, "array", text, "Items")

        return items

    # -- the parts of a distributed Map ------------------------------------------------------------

    def part(self, field: str) -> Fields | None:
        """A field that holds fields of its own, compiled as its state's are."""
        return Fields(self.definition[field], jsonata=self.jsonata) if field in self.definition else None

    def arguments(self) -> Evaluate | None:
        """Parameters or Arguments; None when they are not written."""
        return self.template("Arguments" if self.jsonata else "Parameters")

    def reader(self) -> model.ItemReader | None:
        """ItemReader; None when it is not written."""
        part = self.part("ItemReader")
        if part is None:
            return None
        config = part.part("ReaderConfig") or Fields({}, jsonata=self.jsonata)
        resource = parse_resource(part.definition["Resource"])
        return model.ItemReader(resource.handler, part.arguments(), config.definition, config.count("MaxItems"))

    def batcher(self) -> model.ItemBatcher | None:
        """ItemBatcher; None when it is not written."""
        part = self.part("ItemBatcher")
        if part is None:
            return None
        return model.ItemBatcher(
            part.count("MaxItemsPerBatch"), part.count("MaxInputBytesPerBatch"), part.template("BatchInput")
        )

    def writer(self) -> model.ResultWriter | None:
        """ResultWriter; None when it is not written."""
        part = self.part("ResultWriter")
        if part is None:
            return None
        resource = parse_resource(part.definition["Resource"]).handler if "Resource" in part.definition else None
        return model.ResultWriter(resource, part.arguments(), part.get("WriterConfig") or {})

    # -- rules and catchers ------------------------------------------------------------------------

    def rule(self, definition: Written) -> model.ChoiceRule:
        """One entry of Choices."""
        return model.ChoiceRule(
            self.condition(definition),
            definition["Next"],
            self.template("Assign", definition),
            self.template("Output", definition) if self.jsonata else None,
        )

    def condition(self, condition_definition: Written) -> Predicate:
        """What decides whether an entry of Choices applies."""
        if not self.jsonata:
            return compile_rule(dict(condition_definition))
        condition = condition_definition["Condition"]
        if isinstance(condition, bool):
            return lambda _scope: condition
        evaluate = Fields(condition_definition, jsonata=True).expression("Condition", "boolean")
        assert evaluate is not None, "validation lets only expressions and booleans through"

        def decide(scope: Scope) -> bool:
            return evaluate(scope) is True

        return decide

    def catcher(self, definition: Written) -> model.Catcher:
        """One entry of Catch."""
        return model.Catcher(
            tuple(definition["ErrorEquals"]),
            definition["Next"],
            self.place("ResultPath", definition),
            self.template("Assign", definition),
            self.template("Output", definition) if self.jsonata else None,
        )


def retrier(definition: Written) -> model.Retrier:
    """One entry of Retry, with the language's values for what is not written."""
    return model.Retrier(
        error_equals=tuple(definition["ErrorEquals"]),
        interval_seconds=definition.get("IntervalSeconds", 1),
        max_attempts=definition.get("MaxAttempts", 3),
        backoff_rate=definition.get("BackoffRate", 2.0),
        max_delay_seconds=definition.get("MaxDelaySeconds"),
        jitter=Jitter(definition.get("JitterStrategy", "NONE")),
    )
