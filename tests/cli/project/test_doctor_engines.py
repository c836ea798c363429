"""`sm doctor` and engines: which are installed, and whether the chosen one answers."""

from __future__ import annotations

from typing import Any

from tests.carriers.valkey import broker
from tests.cli.conftest import Project
from tests.postgres.server import schema


def finding(project: Project, *options: str) -> Any:
    documents = project.sm("doctor", "--json", *options).json["findings"]
    (found,) = [each for each in documents if each["check"] == "engines"]
    return found["severity"], found["text"]


def test_without_an_engine_it_says_which_are_installed(project: Project) -> None:
    severity, text = finding(project)
    assert severity == "fine"
    assert text.startswith("none is chosen; installed: ")
    assert "celery" in text


def test_a_broker_that_answers_is_fine_and_one_that_does_not_is_broken(project: Project) -> None:
    with schema() as url, broker("secret") as own:
        settings = f'database = "{url}"\n[engine]\nname = "celery"\nbroker = "{own.url}"\n'
        project.write("sm.toml", settings)
        place = f"the broker redis://127.0.0.1:{own.port}/0"
        assert finding(project) == ("fine", f"celery: {place} answers")
        project.write("sm.toml", settings.replace("secret", "other"))
        assert finding(project) == ("broken", f"{place} refuses the user or the password")
        own.stop()
        severity, text = finding(project)
        own.start()
    assert (severity, text.startswith(f"{place} cannot be reached: ")) == ("broken", True)


def test_an_engine_for_a_file_is_broken(project: Project) -> None:
    project.write("sm.toml", '[engine]\nname = "celery"\nbroker = "redis://h"\n')
    severity, text = finding(project)
    assert severity == "broken"
    assert text.startswith("celery needs a database on a Postgres server")
