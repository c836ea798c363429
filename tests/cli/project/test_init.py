"""`sm init`: the project runs at once, and nothing of the user's is overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

import sm_cli
from sm_cli.__main__ import main
from sm_cli.asl.text.source import parse
from sm_cli.cli.project.init import FILES, SCHEMA, choose_templates
from sm_cli.jsonvalue import Json
from sm_cli.project.definitions import files_in
from sm_cli.testing import load_handlers, simulate

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATES = REPOSITORY / "sm_cli" / "cli" / "templates"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SM_DATABASE_URL", "SM_HANDLERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_is_made_and_the_next_steps_go_to_stderr(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "my shop"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "  cd 'my shop'\n  sm run --input data.json" in said.err
    made = {str(f.relative_to(here / "my shop")) for f in (here / "my shop").rglob("*") if f.is_file()}
    assert made == {*FILES, SCHEMA, ".gitignore", ".sm/sm.db", ".sm/sm.db.lock"}
    assert "  my shop/.sm/sm.db\n" in said.err
    assert ".sm/" in (here / "my shop" / ".gitignore").read_text().splitlines()


def test_the_new_project_runs_and_validates_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert "cd " not in capfd.readouterr().err
    assert main(["validate"]) == 0
    assert "OK" in capfd.readouterr().out
    assert main(["run", "--input", "data.json"]) == 0
    output = json.loads(capfd.readouterr().out)
    assert output.items() >= {"orderId": "ORD-12345", "amount": 150}.items()
    assert output["orderResult"]["processed"] is True
    assert output["paymentResult"]["valid"] is True
    assert output["notificationResult"]["sent"] is True


@pytest.mark.parametrize("options", [[], ["--aws"]])
def test_the_new_project_s_own_tests_pass(here: Path, options: list[str]) -> None:
    assert main(["init", "shop", *options]) == 0
    home = str(Path(sm_cli.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=here / "shop",
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_a_project_for_aws_is_one_that_aws_takes_and_that_runs_here(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--aws", "shop"]) == 0
    assert "sm validate --aws" in capfd.readouterr().err
    shop = here / "shop"
    made = {str(f.relative_to(shop)) for f in shop.rglob("*") if f.is_file()}
    assert made == {*choose_templates(True), SCHEMA, ".gitignore", ".sm/sm.db", ".sm/sm.db.lock"}
    monkeypatch.chdir(shop)
    assert main(["validate", "--strict"]) == 0
    assert main(["validate", "--aws"]) == 0
    capfd.readouterr()
    assert main(["run", "--input", "data.json"]) == 0
    assert json.loads(capfd.readouterr().out)["notificationResult"]["sent"] is True


def test_a_project_for_aws_says_and_does_what_the_other_one_does() -> None:
    """Only the names of the resources differ, and the errors are classes, as on Lambda."""
    orders: list[Json] = [{"orderId": "A", "amount": 1}, {"orderId": "A"}, {}]
    outcomes = []
    for folder in (TEMPLATES, TEMPLATES / "aws"):
        workflow = (folder / "workflows" / "order.yaml").read_text(encoding="utf-8")
        handlers = load_handlers(folder / "handlers")
        runs = [simulate(workflow, order, handlers=handlers) for order in orders]
        outcomes.append([(run.status, run.output, run.error) for run in runs])
    assert outcomes[0] == outcomes[1]
    assert [error for _, _, error in outcomes[0]] == [None, "InvalidAmount", "InvalidOrder"]


def test_the_code_that_is_deployed_for_aws_needs_nothing_of_sm() -> None:
    code = (TEMPLATES / "aws" / "handlers" / "functions.py").read_text(encoding="utf-8")
    assert "sm_cli" not in code


def test_the_workflow_leads_editors_to_the_schema(here: Path) -> None:
    assert main(["init", "shop"]) == 0
    workflow = here / "shop" / "workflows" / "order.yaml"
    first, rest = workflow.read_text(encoding="utf-8").split("\n", 1)
    key, _, path = first.partition("$schema=")
    assert key == "# yaml-language-server: "
    schema = json.loads((workflow.parent / path).read_text(encoding="utf-8"))
    document = parse(rest).document
    assert document is not None
    assert list(Draft7Validator(schema).iter_errors(document.value)) == []


def test_existing_files_are_named_and_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sm.toml").write_text("# mine\n")
    (here / "data.json").symlink_to("nowhere")
    assert main(["init"]) == 4
    assert "sm.toml and data.json are there already" in capsys.readouterr().err
    assert (here / "sm.toml").read_text() == "# mine\n"
    assert not (here / "workflows").exists()


def test_force_overwrites(here: Path) -> None:
    (here / "sm.toml").write_text("# mine\n")
    assert main(["init", "--force"]) == 0
    assert 'workflow = "workflows/order.yaml"' in (here / "sm.toml").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [("*.log", "*.log\n.sm/\n"), ("*.log\n", "*.log\n.sm/\n"), (".sm/\n*.log\n", ".sm/\n*.log\n"), ("", ".sm/\n")],
)
def test_an_existing_gitignore_only_gets_the_line_it_lacks(here: Path, before: str, after: str) -> None:
    (here / ".gitignore").write_text(before)
    assert main(["init"]) == 0
    assert (here / ".gitignore").read_text() == after


def test_a_folder_that_is_a_file_is_refused_with_a_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "taken").write_text("")
    assert main(["init", "taken"]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shipped", "template"),
    [
        ("workflows/order.yaml", "workflows/order.yaml"),
        ("handlers/orders.py", "handlers/orders.py"),
        ("workflows/order.input.json", "data.json"),
    ],
)
def test_the_shipped_order_workflow_is_the_template_s(shipped: str, template: str) -> None:
    assert (REPOSITORY / shipped).read_bytes() == (TEMPLATES / template).read_bytes()


def definition(name: str) -> str:
    return (REPOSITORY / "workflows" / f"{name}.yaml").read_text(encoding="utf-8")


HANDLERS = load_handlers(REPOSITORY / "handlers")


def test_every_shipped_workflow_is_valid_and_has_its_handlers() -> None:
    for file in (each for each in files_in(REPOSITORY / "workflows") if each.suffix == ".yaml"):
        assert sm_cli.validate(file.read_bytes(), handlers=HANDLERS.keys()) == []


@pytest.mark.parametrize(
    ("messages", "status", "error"),
    [
        ([(60, "orderId", "ORD-1", {"payment": {"approved": True}})], "SUCCEEDED", None),
        ([(60, "orderId", "ORD-1", {"payment": {"approved": False}})], "FAILED", "NotPaid"),
        ([(60, "orderId", "ORD-2", {"payment": {"approved": True}})], "FAILED", "NotPaid"),
    ],
)
def test_the_shipped_payment_workflow_takes_each_of_its_ways(
    messages: list[tuple[float, str, str, dict[str, object]]], status: str, error: str | None
) -> None:
    outcome = simulate(
        definition("payment_wait"), {"orderId": "ORD-1"}, handlers=HANDLERS,
        messages=[(at, key, value, dict(data)) for at, key, value, data in messages],  # type: ignore[arg-type] # JSON
    )  # fmt: skip
    assert (outcome.status, outcome.error) == (status, error)


@pytest.mark.parametrize(
    ("change", "status", "result"),
    [
        ({}, "SUCCEEDED", {"orderId": "ORD-7", "customer": "Ada", "parcels": 3}),
        ({"total": 10}, "SUCCEEDED", {"orderId": "ORD-7", "customer": "Ada", "parcels": 3}),
        ({"busy": 9}, "FAILED", None),
    ],
)
def test_the_shipped_workflow_with_every_kind_of_state_runs(
    change: dict[str, int], status: str, result: dict[str, object] | None
) -> None:
    data = json.loads((REPOSITORY / "workflows" / "retry_and_parallel.input.json").read_text())
    outcome = simulate(definition("retry_and_parallel"), {**data, **change}, handlers=HANDLERS)
    assert (outcome.status, outcome.output) == (status, result)
    if result is None:
        assert outcome.error == "WarehouseBusy"
