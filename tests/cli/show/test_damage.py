"""What is said of an execution whose stored definition is damaged, and that running its file again repairs it."""

from __future__ import annotations

import sqlite3

from tests.cli.conftest import Project

ORDER = """
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: 3600, End: true}
"""


def test_show_and_why_name_the_damage_and_run_repairs_it(project: Project) -> None:
    project.workflow(ORDER)
    assert project.sm("run", "order", "--detach", "--name", "o").code == 0
    whole = [project.sm(command, "o").out for command in ("show", "why")]
    with sqlite3.connect(project.path / ".sm" / "sm.db") as connection:
        connection.execute("UPDATE definitions SET text = '{'")
    for command in ("show", "why"):
        found = project.sm(command, "o")
        assert (found.code, found.err) == (0, "")
        assert "othing goes on with it: the stored definition of order is damaged" in found.out
    reasons = project.sm("why", "o", "--json").json["reasons"]
    assert [(reason["kind"], reason["command"]) for reason in reasons] == [("damaged", None)]
    assert project.sm("run", "order", "--detach").code == 0
    assert [project.sm(command, "o").out.count("damaged") for command in ("show", "why")] == [0, 0]
    assert project.sm("show", "o").out == whole[0]
