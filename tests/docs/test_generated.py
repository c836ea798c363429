"""The pages under docs/ say what the code says, and their examples work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli import errors
from sm_cli.asl.fields import ROWS
from tests.docs import generate

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*generate.pages(), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def names(pages: list[Path]) -> list[str]:
    return [page.name for page in pages]


@pytest.mark.parametrize("page", generate.pages(), ids=names(generate.pages()))
def test_the_generated_tables_of_a_page_are_those_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.generated(text) == text, f"{page.name} is stale: python -m tests.docs.generate"


def test_every_table_stands_on_one_page() -> None:
    together = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    for name in generate.TABLES:
        assert together.count(f"<!-- generated: {name} -->") == 1
        assert together.count(f"<!-- end: {name} -->") == 1


def test_a_page_that_is_stale_is_noticed() -> None:
    page = "<!-- generated: parts -->\n\n- JSONPath: never\n\n<!-- end: parts -->"
    assert "never" not in generate.generated(page)


def test_what_the_support_table_calls_not_yet_is_what_the_validator_refuses() -> None:
    cells = [generate.runs(row, "JSONPath", frozenset({"ItemReader"})) for row in ROWS]
    refused = {row.field for row, cell in zip(ROWS, cells, strict=True) if cell == "not yet"}
    assert {"ItemReader", "ReaderConfig", "CSVHeaders"} <= refused
    assert not {"ItemProcessor", "StartAt"} & refused


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
    from sm_cli.cli.config import _KEYS

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    options = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "sm_cli" / "cli").glob("*.py"))
    wanted = {f"`sm {name}" for name in COMMANDS} | {f"| `{key}` |" for key in _KEYS}
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
    from sm_cli.engine.handlers import handlers_in

    namespace: dict[str, Any] = {}
    exec(compile(python_blocks("docs/handlers.md")[0], "docs/handlers.md", "exec"), namespace)
    assert [handler.name for handler in handlers_in(namespace)] == ["process:order", "find:customer"]
