"""The hook that others take into their pre-commit configuration: it is handed what may hold a workflow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

HOOKS = Path(__file__).resolve().parents[3] / ".pre-commit-hooks.yaml"


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        ("workflows/order.yaml", True),
        ("shop/workflows/inner/order.yml", True),
        ("workflows/order.json", True),
        ("src/statemachine.asl.json", True),
        ("order.asl.yaml", True),
        ("workflows/order.input.json", False),
        (".github/workflows/ci.yml", False),
        ("shop/.github/workflows/ci.yaml", False),
        (".gitea/workflows/ci.yaml", False),
        ("workflows/notes.md", False),
        ("template.yaml", True),
        ("cdk.out/Shop.template.json", True),
        ("infra/main.tf", True),
        ("infra/flow.asl.json.tpl", True),
        ("package.json", True),
    ],
)
def test_the_hook_is_for_workflows(name: str, is_meant: bool) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert bool(re.search(hook["files"], name) and not re.search(hook["exclude"], name)) == is_meant
    assert (hook["id"], hook["entry"]) == ("sm-validate", "sm validate --by-content")
