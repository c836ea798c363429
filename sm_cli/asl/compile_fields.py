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

    def __init__(self, written: Written, *, jsonata: bool) -> None:
        self.written = written
        self.jsonata = jsonata

    def get(self, field: str) -> Any:
        """What is written; None when it is not."""
        return self.written.get(field)

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
            "retry": tuple(retrier(written) for written in self.written.get("Retry", ())),
            "catch": tuple(self.catcher(written) for written in self.written.get("Catch", ())),
        }

    # -- templates and paths -----------------------------------------------------------------------

    def template(self, field: str, written: Written | None = None) -> Evaluate | None:
        """A payload template, or a JSONata payload."""
        written = self.written if written is None else written
        if field not in written:
            return None
        return self.compiled(written[field], field)

    def compiled(self, template: Json, field: str) -> Evaluate:
        """A template in the state's query language."""
        if not self.jsonata:
            return compile_template(template)
        from sm_cli.expr.jsonata.expressions import compile_payload  # who writes JSONPath does not wait for its import

        return compile_payload(template, field)

    def path(self, field: str) -> Path | Nothing | None:
        """A path field: absent or `$` changes nothing (None), null is Nothing.NULL."""
        return self._path(self.written, field, compile_path)

    def place(self, field: str, written: Written | None = None) -> Path | Nothing | None:
        """ResultPath: like a path field, but a Reference Path; `$` means the same as its absence."""
        return self._path(self.written if written is None else written, field, compile_reference)

    @staticmethod
    def _path(written: Written, field: str, compile: Callable[[str], Path]) -> Path | Nothing | None:
        if field not in written:
            return None
        text = written[field]
        if text is None:
            return Nothing.NULL
        return None if text == "$" else compile(text)

    def twin(self, field: str) -> Path | None:
        """The path of `FieldPath`."""
        text = self.get(f"{field}Path")
        return None if text is None else compile_path(text)

    # -- numbers, texts and times ------------------------------------------------------------------

    def expression(self, field: str, wanted: str | None = None) -> Evaluate | None:
        """The field as a JSONata expression, when it is one; its result must be of the JSON type `wanted`."""
        if not self.jsonata:
            return None
        from sm_cli.expr.jsonata.expressions import compile_expression, expect, is_expression

        text = self.get(field)
        if not is_expression(text):
            return None
        evaluate = compile_expression(text, field)
        if wanted is None:
            return evaluate
        return lambda scope: expect(evaluate(scope), wanted, text, field)

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
        timestamp = parse_timestamp(self.written["Timestamp"]) if "Timestamp" in self.written else None
        return None if timestamp is None else timestamp.microseconds

    def correlation_value(self) -> Evaluate:
        """What gives a Message's correlation value."""
        if "CorrelationValuePath" in self.written:
            return compile_value(self.written["CorrelationValuePath"], "CorrelationValuePath")
        return self.compiled(self.written["CorrelationValue"], "CorrelationValue")

    def items(self) -> Evaluate | None:
        """JSONata's Items: an array or an object, with expressions in it or not, or an expression that gives one."""
        evaluate = self.expression("Items")
        if evaluate is None:
            return self.template("Items")
        from sm_cli.expr.jsonata.expressions import expect

        text = self.written["Items"]

        def items(scope: Scope) -> Json:
            found = evaluate(scope)
            return found if isinstance(found, dict) else expect(found, "array", text, "Items")

        return items

    # -- the parts of a distributed Map ------------------------------------------------------------

    def part(self, field: str) -> Fields | None:
        """A field that holds fields of its own, compiled as its state's are."""
        return Fields(self.written[field], jsonata=self.jsonata) if field in self.written else None

    def arguments(self) -> Evaluate | None:
        """Parameters or Arguments; None when they are not written."""
        return self.template("Arguments" if self.jsonata else "Parameters")

    def reader(self) -> model.ItemReader | None:
        """ItemReader; None when it is not written."""
        part = self.part("ItemReader")
        if part is None:
            return None
        config = part.part("ReaderConfig") or Fields({}, jsonata=self.jsonata)
        resource = parse_resource(part.written["Resource"])
        return model.ItemReader(resource.handler, part.arguments(), config.written, config.count("MaxItems"))

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
        resource = parse_resource(part.written["Resource"]).handler if "Resource" in part.written else None
        return model.ResultWriter(resource, part.arguments(), part.get("WriterConfig") or {})

    # -- rules and catchers ------------------------------------------------------------------------

    def rule(self, written: Written) -> model.ChoiceRule:
        """One entry of Choices."""
        return model.ChoiceRule(
            self.condition(written),
            written["Next"],
            self.template("Assign", written),
            self.template("Output", written) if self.jsonata else None,
        )

    def condition(self, written: Written) -> Predicate:
        """What decides whether an entry of Choices applies."""
        if not self.jsonata:
            return compile_rule(dict(written))
        condition = written["Condition"]
        if isinstance(condition, bool):
            return lambda _scope: condition
        evaluate = Fields(written, jsonata=True).expression("Condition", "boolean")
        assert evaluate is not None, "validation lets only expressions and booleans through"

        def decide(scope: Scope) -> bool:
            return evaluate(scope) is True

        return decide

    def catcher(self, written: Written) -> model.Catcher:
        """One entry of Catch."""
        return model.Catcher(
            tuple(written["ErrorEquals"]),
            written["Next"],
            self.place("ResultPath", written),
            self.template("Assign", written),
            self.template("Output", written) if self.jsonata else None,
        )


def retrier(written: Written) -> model.Retrier:
    """One entry of Retry, with the language's values for what is not written."""
    return model.Retrier(
        error_equals=tuple(written["ErrorEquals"]),
        interval_seconds=written.get("IntervalSeconds", 1),
        max_attempts=written.get("MaxAttempts", 3),
        backoff_rate=written.get("BackoffRate", 2.0),
        max_delay_seconds=written.get("MaxDelaySeconds"),
        jitter=Jitter(written.get("JitterStrategy", "NONE")),
    )
