"""No path is a bug: one that is too long or holds NUL gets a sentence, whichever option it came by."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

LONG, NUL = "x" * 5000, "a\0b"


@pytest.mark.parametrize("path", [LONG, NUL, f"{LONG}/y"], ids=["long", "nul", "long folder"])
@pytest.mark.parametrize("command", [
    ("run",), ("validate",), ("graph",), ("init",), ("run", "order", "--handlers"), ("run", "order", "--input"),
    ("run", "order", "--db"), ("list", "--db"), ("show", "@last", "--db"), ("worker", "--once", "--db"),
    ("worker", "--once", "--handlers"), ("validate", "--substitutions"), ("validate", "--handlers"),
    ("graph", "order", "-o"), ("why", "@last", "--db"), ("messages", "--db"), ("waits", "--db"),
])  # fmt: skip
def test_a_path_that_no_file_can_have_is_no_bug(project: Project, command: tuple[str, ...], path: str) -> None:
    project.workflow("{StartAt: A, States: {A: {Type: Task, Resource: work, End: true}}}")
    told = project.sm(*command, path)
    assert told.code in (1, 2, 3, 7, 8), told.err
    assert "bug" not in told.err
