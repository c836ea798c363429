"""The pages under docs/ say what the code says, and their examples work."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli import errors
from sm_cli.asl.fields import ROWS
from tests.conformance import cases
from tests.docs import counting, generate

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = generate.DOCS / "asl-support.md"
COMMAND = "python -m tests.docs.generate"
PAGES = [*generate.pages(), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def names(pages: list[Path]) -> list[str]:
    return [page.name for page in pages]


@pytest.mark.parametrize("page", generate.pages(), ids=names(generate.pages()))
def test_the_generated_tables_of_a_page_are_those_of_the_code(page: Path) -> None:
    """But for the counts, which have a test of their own."""
    text = counting.without_counts(page.read_text(encoding="utf-8"))
    assert counting.without_counts(generate.generated(text)) == text, f"{page.name} is stale: {COMMAND}"


@pytest.mark.skipif(not cases.HERE, reason=f"nothing can be counted: {cases.WHY_NOT}")
def test_the_counts_of_the_support_page_are_those_of_the_recorded_cases() -> None:
    text = SUPPORT.read_text(encoding="utf-8")
    assert generate.generated(text) == text, f"{SUPPORT.name} is stale: {COMMAND}"


@pytest.mark.skipif(not cases.HERE, reason=f"nothing can be counted: {cases.WHY_NOT}")
def test_what_is_counted_is_what_the_recorded_cases_use() -> None:
    passing, every = counting.ended()
    assert every - 5 <= passing <= every
    used: set[counting.Use] = {("type", "Pass"), ("operator", "StringEquals"), ("intrinsic", "Format"), ("function", "sum")}
    used |= {("error", "States.ALL"), ("resource", "invoke", ""), ("field", "Output", "Pass", "JSONata")}
    assert [use for use in used if counting.times(use) == "0"] == []
    assert counting.times(("type", "Message")) == "0"


def test_the_uses_of_a_definition_are_found_at_any_depth() -> None:
    inner: Any = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Parameters": {"u.$": "States.UUID()"}, "End": True}}}
    retry = [{"ErrorEquals": ["States.Timeout", "Busy"], "BackoffRate": 2}]
    outer: Any = {"Type": "Map", "ItemProcessor": inner, "Retry": retry, "Next": "C"}
    last: Any = {"Type": "Task", "Resource": "do:it", "QueryLanguage": "JSONata", "Output": "{% $sum($f(1)) %}", "End": True}
    rule: Any = {"Not": {"Variable": "$.a", "IsPresent": True}, "Next": "D"}
    states: Any = {"A": outer, "C": {"Type": "Choice", "Choices": [rule]}, "D": last}
    found = set(counting.uses({"StartAt": "A", "States": states}))
    assert found >= {
        ("type", "Map"),
        ("type", "Pass"),
        ("intrinsic", "UUID"),
        ("error", "States.Timeout"),
        ("error", counting.OTHER),
        ("field", "BackoffRate", "Retrier", "JSONPath"),
        ("field", "IsPresent", "Test", "JSONPath"),
        ("operator", "IsPresent"),
        ("field", "Output", "Task", "JSONata"),
        ("function", "sum"),
        ("resource", "handler", ""),
    }
    assert ("function", "f") not in found
    assert ("field", "Parameters", "Map", "JSONPath") not in found


def test_counts_stay_where_nothing_can_be_counted() -> None:
    before = "| A | Cases |\n| --- | --- |\n| `x\\|y` | 3 |\n| z | 4 |\n\n| A | B |\n| --- | --- |\n| z | 1 |"
    after = "| A | Cases |\n| --- | --- |\n| z |  |\n| `x\\|y` |  |\n| new |  |\n\n| A | B |\n| --- | --- |\n| z | 2 |"
    kept = "| A | Cases |\n| --- | --- |\n| z | 4 |\n| `x\\|y` | 3 |\n| new | |\n\n| A | B |\n| --- | --- |\n| z | 2 |"
    assert counting.carried(before, after) == kept
    assert counting.without_counts(before).count("| |") == 2


def test_every_table_stands_on_one_page() -> None:
    together = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    for name in generate.TABLES:
        assert together.count(f"<!-- generated: {name} -->") == 1
        assert together.count(f"<!-- end: {name} -->") == 1


def test_a_page_that_is_stale_is_noticed() -> None:
    page = "<!-- generated: fields -->\n\n- JSONPath: never\n\n<!-- end: fields -->"
    assert "never" not in generate.generated(page)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def exit_codes(tree: type[errors.SmError]) -> Iterator[int]:
    yield tree.exit_code
    for subclass in tree.__subclasses__():
        yield from exit_codes(subclass)


def test_the_readme_lists_every_exit_code() -> None:
    listed = re.findall(r"^\| `(\d+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {0, *exit_codes(errors.SmError), 130, 143} == set(map(int, listed))


def test_the_readme_lists_every_command_every_setting_and_every_variable() -> None:
    from sm_cli.cli.commands import COMMANDS
    from sm_cli.project.settings import KEYS

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    options = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "sm_cli" / "cli").glob("*.py"))
    wanted = {f"`sm {name}" for name in COMMANDS} | {f"| `{key}` |" for key in KEYS}
    wanted |= {f"`{name}`" for name in re.findall(r'envvar="(SM_[A-Z_]+)"', options)}
    assert sorted(text for text in wanted if text not in page) == []


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", [b for b in python_blocks("docs/testing.md") if "def test_" in b])
def test_the_tests_in_the_page_about_testing_pass(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {}
    exec(compile(block, "docs/testing.md", "exec"), namespace)
    found: list[Callable[[], None]] = [value for name, value in namespace.items() if name.startswith("test_")]
    assert found
    for test in found:
        test()


def test_the_handlers_in_the_page_about_handlers_are_handlers() -> None:
    from sm_cli.handlers.handler import handlers_in

    namespace: dict[str, Any] = {}
    exec(compile(python_blocks("docs/handlers.md")[0], "docs/handlers.md", "exec"), namespace)
    assert [handler.name for handler in handlers_in(namespace)] == ["process:order", "find:customer"]


def test_the_signature_on_the_page_about_testing_is_that_of_simulate() -> None:
    from sm_cli.testing import simulate

    (shown,) = (block for block in python_blocks("docs/testing.md") if block.startswith("simulate("))
    call = ast.parse(shown.replace("*, ", "")).body[0]
    assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)
    parameters = inspect.signature(simulate).parameters
    keywords = {word.arg: ast.literal_eval(word.value) for word in call.value.keywords}
    assert keywords == {name: p.default for name, p in parameters.items() if p.default is not p.empty}
