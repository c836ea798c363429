"""A program starts a version or an alias by what a person calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sm_cli.client import Client
from sm_cli.engine.versions.aliases import parse_targets
from sm_cli.errors import NotFound

TEXT = "StartAt: P\nStates:\n  P: {{Type: Pass, Result: {n}, End: true}}\n"


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "workflows").mkdir()
    client = Client(tmp_path, create=True)
    for n in (1, 2):
        (tmp_path / "workflows" / "order.yaml").write_text(TEXT.format(n=n))
        client.start("order")
    return client


def test_a_program_starts_a_version_and_an_alias(client: Client, tmp_path: Path) -> None:
    client.engine.workflows.set_alias("order", "prod", parse_targets("1"))
    outputs = [client.start(name).output for name in ("order", "order:1", "order:prod")]
    (tmp_path / "workflows" / "order.yaml").unlink()
    outputs.append(client.start("order").output)
    client.close()
    assert outputs == [2, 1, 1, 2]


@pytest.mark.parametrize(
    ("name", "says"), [("order:9", "has no version 9"), ("order:blue", "no alias 'blue'"), ("ordre", "ordre")]
)
def test_what_is_not_there_is_told(client: Client, name: str, says: str) -> None:
    with pytest.raises(NotFound, match=says):
        client.start(name)
    client.close()


def test_a_program_goes_on_with_another_version(tmp_path: Path) -> None:
    text = "StartAt: A\nStates:\n  A: {{Type: Pass, Parameters: {{'n.$': {path}}}, End: true}}\n"
    (tmp_path / "workflows").mkdir()
    with Client(tmp_path, create=True) as client:
        (tmp_path / "workflows" / "order.yaml").write_text(text.format(path="$.none"))
        failure = client.start("order", {"some": 1})
        (tmp_path / "workflows" / "order.yaml").write_text(text.format(path="$.some"))
        client.start("order", {"some": 2})
        assert failure.status == "FAILED"
        assert client.redrive(failure.id, version=2).output == {"n": 1}
        with pytest.raises(NotFound, match="has no version 3"):
            client.redrive(client.start("order", {}).id, version=3)
