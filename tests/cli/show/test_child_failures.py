"""A distributed Map whose children fail says which failed first and where; nobody is sent to a command that refuses."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Project, Result

HANDLERS = """
import pathlib, time
@handler
def item(x, context):
    if x < 0:
        raise ValueError(f"{x} is below zero")
    while x == 99 and not pathlib.Path("go").exists() and not context.cancelled.is_set():
        time.sleep(0.01)
    return x
"""
PLACE = "at handlers/orders.py:7 in item"


@pytest.fixture(params=["STANDARD", "EXPRESS"])
def shop(request: pytest.FixtureRequest, project: Project) -> Project:
    project.handlers(HANDLERS)
    project.workflow(f"""
    StartAt: Each
    States:
      Each:
        Type: Map
        ToleratedFailureCount: 1
        MaxConcurrency: 1
        Label: E
        ItemProcessor:
          ProcessorConfig: {{Mode: DISTRIBUTED, ExecutionType: {request.param}}}
          StartAt: Inner
          States: {{Inner: {{Type: Task, Resource: item, End: true}}}}
        End: true
    """)
    return project


def run(shop: Project, *items: int) -> Result:
    return shop.process("run", "--input", str([*items]))


def failed_child(shop: Project) -> str:
    [run, *_] = shop.sm("map-runs", "--json").json
    children = shop.sm("list", "--map-run", run["id"], "--json").json
    return str(next(child["id"] for child in children if child["status"] == "FAILED"))


def test_what_is_tolerated_is_told_after_succeeded(shop: Project) -> None:
    result = run(shop, 1, -2, 3)
    assert result.code == 0
    child = failed_child(shop)
    counted = r"Each: 1 of 3 items failed, which it tolerates \(map run [0-9A-Z]{26}-\d+-\d+\)"
    first = f"child 1 ({child}) failed first, in Inner: ValueError: -2 is below zero"
    _, *lines = result.err[result.err.index("execution ") :].splitlines()
    assert re.fullmatch(counted, lines[0].strip())
    assert [line.strip() for line in lines[1:]] == [first, PLACE]
    for command in ("show", "why"):
        said = shop.sm(command, "@last").out
        assert re.search(counted, said)
        assert first in said
        assert PLACE in said
    assert "tolerates" not in shop.sm("show", "@last", "--json").out


def test_a_failed_one_names_its_first_child_and_what_is_advised_is_not_refused(shop: Project) -> None:
    assert run(shop, -1, 2, -3).code == 1
    child = failed_child(shop)
    why = shop.sm("why", child).out
    assert "only the execution that the Map is in can be redriven." in why
    [advised] = [line.split() for line in why.splitlines() if line.startswith("  sm ")]
    assert advised[:2] == ["sm", "redrive"]
    assert shop.sm("redrive", child).code != 0
    assert shop.sm(*advised[1:], "--dry-run").code == 0


def test_a_child_of_a_map_that_went_on_is_not_advised_to_be_redriven(shop: Project) -> None:
    assert run(shop, 1, -2).code == 0
    why = shop.sm("why", failed_child(shop)).out
    assert "can be redriven, once that has failed." in why
    [advised] = [line.split() for line in why.splitlines() if line.startswith("  sm ")]
    assert advised[1] == "map-runs"
    assert shop.sm(*advised[1:]).code == 0


def test_the_first_failure_is_told_while_the_map_goes_on(shop: Project) -> None:
    process = shop.start("run", "--input", "[-1, 99]")
    assert process.stderr is not None
    line = process.stderr.readline()
    assert re.fullmatch(r"  ✗ Each: 1 of 2 items failed so far \(map run [\w-]+\)\n", line)
    assert "failed first, in Inner: ValueError: -1 is below zero" in process.stderr.readline()
    assert process.stderr.readline().strip() == PLACE
    assert "1 of 2 items failed so far" in shop.sm("why", "@last").out
    shop.write("go", "")
    assert process.wait(60) == 0


def test_an_empty_history_says_why(shop: Project) -> None:
    run(shop, 1, -2)
    child = failed_child(shop)
    for arguments in ((), ("--events",)):
        result = shop.sm("history", child, *arguments)
        if "EXPRESS" in (shop.path / "workflows" / "order.yaml").read_text():
            assert result.err == f"execution {child} has no history: EXPRESS children of a map run record none\n"
        else:
            assert result.err == ""
            assert "Inner" in result.out
