"""Test cases in files: `order.test.yaml` beside a workflow, or in a folder of tests.

A file is an object of what its tests share and of `tests`, a list of cases. Each case names a workflow, what stands in
for its tasks, what comes from outside, and what is expected. YAML is read as definitions are, so that `no` and `1.0`
stay what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sm_cli.asl.text.source import Document, parse
from sm_cli.errors import TaskError, UsageError
from sm_cli.jsonpointer import child
from sm_cli.jsonvalue import Json
from sm_cli.project.definitions import read_file
from sm_cli.testing.answers import Callback

#: How the names of such files end.
SUFFIXES = (".test.yaml", ".test.yml", ".test.json")
_SHARED = ("workflow", "handlers", "stub", "substitutions", "type", "now")
_OF_FILE = (*_SHARED, "tests")
_OF_CASE = (*_SHARED, "name", "input", "messages", "callbacks", "expect")
#: What may be expected of an outcome.
EXPECTATIONS = ("status", "output", "output_contains", "error", "cause", "cause_contains", "states")
_STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING")


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test of a workflow."""

    #: Pytest looks for tests in classes of such a name, unless it is told.
    __test__ = False

    #: The file that it stands in.
    file: str
    #: The line of its beginning, from 1 on.
    line: int
    #: What it is called in its file.
    name: str
    #: The definition, as a file or `FILE#NAME`; None: the one that the file of tests is named for.
    workflow: str | None
    #: Any JSON value.
    input: Json
    #: Whether the handlers of the project do what no stub does.
    has_handlers: bool
    #: True: {} for all tasks without a handler; else answers by resource, each a value or a list of one for each call.
    stub: bool | Mapping[str, Any]
    #: The names of those answers that are this case's own; the others are those of its file, for all of its cases.
    own_stubs: tuple[str, ...]
    #: Values for `${Name}`.
    substitutions: Mapping[str, Json]
    #: STANDARD or EXPRESS.
    type: str
    #: When the execution starts; None: at the beginning of 2026.
    now: datetime | None
    #: (seconds after the start, key, value, data).
    messages: tuple[tuple[float, str, Json, Json], ...]
    #: (seconds after the start, state, output or error).
    callbacks: tuple[Callback, ...]
    #: What is expected, by EXPECTATIONS.
    expect: Mapping[str, Json]


def stem_of_tests(path: Path) -> str:
    """What the file is named for: `order` of `order.test.yaml`."""
    return path.name.rpartition(".test.")[0]


def read_cases(path: Path) -> list[TestCase]:
    """The test cases of a file. Raises NotFound, and UsageError, with file and line, for one that is not as it must
    be."""
    result = parse(read_file(str(path)), file=str(path))
    if result.document is None:
        problem = result.diagnostics[0]
        place = "" if problem.position is None else f":{problem.position.line}:{problem.position.column}"
        is_other = problem.code == "SM005"  # whose sentence is about definitions
        sentence = "a file of tests is an object with tests, a list of cases" if is_other else problem.message
        raise UsageError(f"{path}{place}: {sentence}", hint=problem.hint)
    return list(_FileReader(path, result.document).cases())


@dataclass(slots=True)
class _FileReader:
    """Reads one file; what is wrong in it is said with its place."""

    path: Path
    document: Document
    names: set[str] = field(default_factory=set)

    def cases(self) -> Iterator[TestCase]:
        common = self.object(self.document.value, "", "a file of tests", _OF_FILE)
        tests = common.pop("tests", None)
        if not isinstance(tests, list) or not tests:
            raise self.wrong("/tests" if tests is not None else "", "tests is a list of test cases, at least one")
        for i, test in enumerate(tests):
            at = f"/tests/{i}"
            yield self.case(self.object(test, at, "a test", _OF_CASE), common, at)

    def case(self, own: dict[str, Json], common: Mapping[str, Json], at: str) -> TestCase:
        test = {**common, **own}
        name = self.text(test, "name", at)
        if name is None or not name.strip() or name in self.names:
            raise self.wrong(at, f"a test needs a name of its own{'' if name is None else f', not {name!r} again'}")
        self.names.add(name)
        kind = self.text(test, "type", at) or "STANDARD"
        if kind not in ("STANDARD", "EXPRESS"):
            raise self.wrong(f"{at}/type", f"type is STANDARD or EXPRESS, not {kind!r}")
        position = self.document.position(at)
        has_handlers = test.get("handlers", True)
        if not isinstance(has_handlers, bool):
            raise self.wrong(f"{at}/handlers", "handlers is true or false: whether those of the project are called")
        return TestCase(
            str(self.path), position.line if position is not None else 1, name, self.text(test, "workflow", at),
            test.get("input", {}), has_handlers, self.stub(common.get("stub"), test.get("stub"), at),
            tuple(own_stubs) if isinstance(own_stubs := own.get("stub"), dict) else (),
            {**self.mapping(common, "substitutions", at), **self.mapping(test, "substitutions", at)}, kind,
            self.moment(test, at), tuple(self.each(test, "messages", at, self.message)),
            tuple(self.each(test, "callbacks", at, self.callback)), self.expectations(test, at),
        )  # fmt: skip

    # What a field holds

    def stub(self, common: Json, own: Json, at: str) -> bool | dict[str, Any]:
        for value in (common, own):
            if value is not None and not isinstance(value, (bool, dict)):
                raise self.wrong(f"{at}/stub", "stub is true, or an object of answers by resource")
        answers = {**(common if isinstance(common, dict) else {}), **(own if isinstance(own, dict) else {})}
        if not answers:
            return own if isinstance(own, bool) else common is True
        if True in (common, own):
            answers.setdefault("*", {})
        return {
            name: [self.answer(item, at) for item in answer] if isinstance(answer, list) else self.answer(answer, at)
            for name, answer in answers.items()
        }

    def answer(self, value: Json, at: str) -> Any:
        """`{return: VALUE}`, `{throw: {error, cause}}`, or the value itself."""
        if isinstance(value, dict) and len(value) == 1:
            if "return" in value:
                return value["return"]
            if "throw" in value:
                return self.error(value["throw"], f"{at}/stub")
        return value

    def error(self, value: Json, at: str) -> TaskError:
        if isinstance(value, str):
            return TaskError(value, "")
        value = self.object(value, at, "an error", ("error", "cause"))
        error, cause = value.get("error"), value.get("cause", "")
        if not isinstance(error, str) or not isinstance(cause, str):
            raise self.wrong(at, "an error has its name as error, and may have a cause, both texts")
        return TaskError(error, cause)

    def message(self, value: Json, at: str) -> tuple[float, str, Json, Json]:
        value = self.object(value, at, "a message", ("after", "key", "value", "data"))
        key = value.get("key")
        if not isinstance(key, str) or "value" not in value:
            raise self.wrong(at, "a message has a key and a value, and may have data, and after, in seconds")
        return self.seconds(value, at), key, value["value"], value.get("data", {})

    def callback(self, value: Json, at: str) -> Callback:
        value = self.object(value, at, "a callback", ("after", "state", "output", "error", "cause"))
        state = value.get("state")
        if not isinstance(state, str) or ("error" in value) == ("output" in value):
            raise self.wrong(at, "a callback has a state, an output or an error, and may have after, in seconds")
        failure: Json = {key: value[key] for key in ("error", "cause") if key in value}
        return self.seconds(value, at), state, self.error(failure, at) if "error" in value else value["output"]

    def expectations(self, test: Mapping[str, Json], at: str) -> dict[str, Json]:
        at = f"{at}/expect"
        expect = self.object(test.get("expect", {}), at, "what is expected", EXPECTATIONS)
        status = expect.get("status")
        if "status" in expect and status not in _STATUSES:
            raise self.wrong(f"{at}/status", f"status is one of {', '.join(_STATUSES)}, not {status!r}")
        states = expect.get("states")
        if "states" in expect and not (isinstance(states, list) and all(isinstance(name, str) for name in states)):
            raise self.wrong(f"{at}/states", "states is a list of names, in the order in which they are entered")
        for key in ("error", "cause", "cause_contains"):
            if key in expect and not isinstance(expect[key], str):
                raise self.wrong(f"{at}/{key}", f"{key} is a text")
        return expect

    def moment(self, test: Mapping[str, Json], at: str) -> datetime | None:
        text = self.text(test, "now", at)
        try:
            return None if text is None else datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(f"{at}/now", f"now is a time such as 2026-12-24T18:00:00Z, not {text!r}") from None

    def seconds(self, value: Mapping[str, Json], at: str) -> float:
        after = value.get("after", 0)
        if isinstance(after, bool) or not isinstance(after, (int, float)) or not 0 <= after < 10**10:
            raise self.wrong(f"{at}/after", "after is a number of seconds from the start")
        return float(after)

    def text(self, test: Mapping[str, Json], key: str, at: str) -> str | None:
        value = test.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(f"{at}/{key}", f"{key} is a text")
        return value

    def mapping(self, test: Mapping[str, Json], key: str, at: str) -> dict[str, Json]:
        value = test.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(f"{at}/{key}", f"{key} is an object")
        return value

    def each(self, test: Mapping[str, Json], key: str, at: str, read: Callable[[Json, str], Any]) -> Iterator[Any]:
        values = test.get(key, [])
        if not isinstance(values, list):
            raise self.wrong(f"{at}/{key}", f"{key} is a list")
        for i, value in enumerate(values):
            yield read(value, f"{at}/{key}/{i}")

    def object(self, value: Json, at: str, what: str, keys: tuple[str, ...]) -> dict[str, Json]:
        """A copy of an object that has these keys only."""
        if not isinstance(value, dict):
            raise self.wrong(at, f"{what} is an object with {', '.join(keys)}")
        for key in value:
            if key not in keys:
                close = get_close_matches(key, keys, 1)
                more = f"did you mean {close[0]!r}?" if close else f"It has {', '.join(keys)}."
                raise self.wrong(child(at, key), f"{key!r} is nothing that {what} has", more)
        return dict(value)

    def wrong(self, pointer: str, sentence: str, hint: str | None = None) -> UsageError:
        while pointer and self.document.position(pointer) is None:
            pointer = pointer.rpartition("/")[0]
        position = self.document.position(pointer, key=True)
        place = "" if position is None else f":{position.line}:{position.column}"
        return UsageError(f"{self.path}{place}: {sentence}", hint=hint)
