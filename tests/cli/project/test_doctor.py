"""`sm doctor` where nothing is broken, and where the surroundings are."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sm_cli.store.open import open_store, open_tables
from sm_cli.store.scripts import UNFINISHED, newest_schema
from sm_cli.views.doctor import surroundings
from sm_cli.views.doctor.findings import Severity, Surroundings
from tests.cli.conftest import Project
from tests.postgres.server import schema, server

BROKEN = 7


def findings(result: Any, check: str) -> list[tuple[str, str]]:
    found = json.loads(result.out)["findings"]
    return [(each["severity"], each["text"]) for each in found if each["check"] == check]


def test_a_project_that_is_well_has_nothing_broken_and_a_line_for_each_check(project: Project) -> None:
    project.write("sm.toml", 'handlers = "steps"\n')
    project.write("steps/a.py", "from sm_cli import handler\n@handler('one')\ndef one(x): return x\n")
    project.workflow("StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n")
    project.sm("run", "order")
    result = project.sm("doctor", "--json")
    assert result.code == 0
    checks = list(dict.fromkeys(each["check"] for each in result.json["findings"]))
    assert checks == [
        "program", "libraries", "config", "handlers", "database", "place", "writing", "clock", "workers", "silent",
        "tasks", "queues", "resources", "schedules", "engines",
    ]  # fmt: skip
    assert {each["severity"] for each in result.json["findings"]} == {"fine"}
    ((_, text),) = findings(result, "config")
    assert text.endswith("sm.toml, which sets handlers")
    assert findings(result, "handlers")[0][1].endswith("steps was read, not executed, 1 handler: one")
    imported = project.sm("doctor", "--json", "--import")
    assert findings(imported, "handlers")[0][1].endswith("steps was imported, 1 handler: one")


def test_each_file_that_does_not_import_is_named_with_the_reason(project: Project) -> None:
    project.write("handlers/a.py", "import nowhere_at_all\n")
    project.write("handlers/b.py", "from sm_cli import handler\n@handler('fine')\ndef fine(x): return x\n")
    project.write("handlers/c.py", "1 / 0\n")
    result = project.sm("doctor", "--json", "--import")
    assert result.code == BROKEN
    first, second = findings(result, "handlers")
    assert first[0] == second[0] == "broken"
    assert "a.py:1: cannot be imported: ModuleNotFoundError: No module named 'nowhere_at_all'" in first[1]
    assert "c.py:1: cannot be imported: ZeroDivisionError" in second[1]
    assert "Traceback" not in result.err


def test_a_file_that_cannot_be_read_is_broken_without_running_it(project: Project) -> None:
    project.write("handlers/a.py", "def broken(:\n")
    result = project.sm("doctor", "--json")
    assert result.code == BROKEN
    ((severity, text),) = findings(result, "handlers")
    assert (severity, "a.py" in text) == ("broken", True)


def test_handlers_that_only_running_shows_are_not_called_missing(project: Project) -> None:
    project.write("handlers/a.py", "from sm_cli import handler\nname = 'x' + 'y'\n@handler(name)\ndef f(x): return x\n")
    ((severity, text),) = findings(project.sm("doctor", "--json"), "handlers")
    assert severity == "fine"
    assert "the name is computed" in text
    assert "--import executes the files" in text


@pytest.mark.parametrize("text", ["not toml", 'retention = "never"\n[[', "concurrency = 1\nconcurrency = 2\n"])
def test_a_configuration_that_cannot_be_read_is_a_line_not_the_end(project: Project, text: str) -> None:
    project.write("sm.toml", text)
    result = project.sm("doctor", "--json")
    assert result.code == BROKEN
    assert [severity for severity, _ in findings(result, "program")] == ["fine"]
    ((severity, sentence),) = findings(result, "config")
    assert severity == "broken"
    assert "sm.toml" in sentence


def test_a_server_that_is_away_is_one_broken_line_without_the_password(project: Project) -> None:
    result = project.sm("doctor", "--json", "--db", "postgresql://me:geheim@127.0.0.1:1/x")
    assert result.code == BROKEN
    ((severity, text),) = findings(result, "database")
    assert (severity, text.startswith("postgresql://127.0.0.1:1/x cannot be reached")) == ("broken", True)
    assert "geheim" not in result.out + result.err


def test_a_server_that_lets_nobody_in_is_broken_and_says_what_to_do(project: Project) -> None:
    project.write("sm.toml", "")
    parts = urlsplit(server())
    result = project.sm("doctor", "--json", "--db", parts._replace(path="/no_such_db").geturl())
    ((severity, text),) = findings(result, "database")
    assert (result.code, severity) == (BROKEN, "broken")
    assert 'database "no_such_db" does not exist. The server\'s `createdb` makes one' in text


def test_a_copy_that_is_unfinished_is_broken_and_says_how_it_is_finished(project: Project) -> None:
    project.write("sm.toml", "")
    open_store(".sm/sm.db").close()
    with open_tables(".sm/sm.db") as tables:
        tables.begin_copy(newest_schema() + UNFINISHED)
    result = project.sm("doctor", "--json")
    ((severity, text),) = findings(result, "database")
    assert (result.code, severity) == (BROKEN, "broken")
    assert text.endswith(
        "is an unfinished copy of another database. sm db copy, with the same two databases, finishes it"
    )


def test_a_server_s_line_say_what_it_promises(project: Project) -> None:
    with schema() as url:
        project.workflow("StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n")
        project.sm("run", "order", "--db", url)
        result = project.sm("doctor", "--json", "--db", url)
        assert result.code == 0
        assert findings(result, "writing") == [("fine", "it can be written")]
        assert findings(result, "place")[0][1].startswith("Postgres ")
        assert findings(result, "clock")[0][0] == "fine"


# Libraries


def lines(
    monkeypatch: pytest.MonkeyPatch, requires: list[str] | None, versions: dict[str, str]
) -> list[tuple[Severity, str]]:
    def requirements(name: str) -> list[str] | None:
        return requires

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "requires", requirements)
    monkeypatch.setattr(metadata, "version", version)
    return [(severity, text) for severity, text, _ in surroundings.check_libraries(Surroundings())]


def test_libraries_and_extras_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    requires = [
        "orjson>=3.10", "typer", "psycopg[binary]>=3.2 ; extra == 'postgres'", 'pyarrow>=17; extra == "parquet"',
        "pytest; extra == 'dev'",
    ]  # fmt: skip
    assert lines(monkeypatch, requires, {"orjson": "3.11", "typer": "0.15", "psycopg": "3.3"}) == [
        (Severity.FINE, "orjson 3.11, typer 0.15"),
        (Severity.FINE, "extras that are there: postgres (psycopg 3.3); not there: parquet"),
    ]


def test_a_library_that_is_missing_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(monkeypatch, ["orjson", "regex"], {"orjson": "3.11"})
    assert found == [
        (Severity.FINE, "orjson 3.11"),
        (Severity.BROKEN, "regex: not installed; install sm-cli again"),
    ]


def test_a_program_that_runs_from_its_folder_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", nothing)
    ((severity, text, _),) = surroundings.check_libraries(Surroundings())
    assert severity is Severity.FINE
    assert "not installed as a package" in text


def test_a_folder_is_shown_as_a_person_wrote_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    result = project.sm("doctor", "--json", "--handlers", str(tmp_path / "other"))
    assert findings(result, "handlers")[0][1].startswith(f"{tmp_path / 'other'} was read")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('retention = "x"', "retention takes seconds or a span"),
        ('lock_timeout = "x"', "lock_timeout takes seconds or a span"),
        ('queues = "a:x"', "queues takes a whole number from 1 on, not 'x'"),
        ("concurrency = 0", "concurrency takes a whole number from 1 on, not '0'"),
        ("processes = -1", "processes takes a whole number from 0"),
        ("recycle_after = 0", "recycle_after takes a whole number from 1 on, not '0'"),
        ('account = "12"', "account is an account: twelve digits"),
        ("most_lost = 0", "most_lost is a number of workers from 1 to 1,000"),
        ("engine = {name = 3}", "engine: name is text"),
        ("http_allow = [3]", "an entry of http_allow is the name of a host"),
    ],
)
def test_a_setting_that_no_worker_would_start_with_is_broken(project: Project, line: str, says: str) -> None:
    project.write("sm.toml", f"{line}\n")
    project.database()
    result = project.sm("doctor", "--json")
    assert result.code == 7
    (found,) = [each for each in result.json["findings"] if each["severity"] == "broken"]
    assert found["check"] == "config"
    assert found["text"].startswith("sm.toml:1")
    assert says in found["text"]
    assert project.sm("worker", "--once").code != 0
