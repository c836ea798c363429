"""Every valid definition, spoilt: the validator answers, with a place for each problem.

A sample by default; `SM_MUTATIONS=20` spoils each of them so many times.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from sm_cli.asl.compile import compile_program
from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.aws import validate_as_aws
from sm_cli.asl.validation.validate import CATALOGUE, check, find_unsupported
from tests.validation.mutations import mutated

CHECKOUT = Path(__file__).resolve().parents[2]
#: SM_CORPUS names another folder of definitions to spoil.
VALID = Path(os.environ.get("SM_CORPUS", CHECKOUT / ".." / "shared" / "validation")) / "valid.jsonl"
#: How often each definition is spoilt; 0 takes a sample of them.
TIMES = int(os.environ.get("SM_MUTATIONS", "0"))
SAMPLE = 600


def definitions() -> list[Any]:
    """The valid definitions beside the checkout, the workflows in it, and the good examples of the catalogue."""
    files = [file for file in (CHECKOUT / "workflows").rglob("*.yaml") if not file.stem.endswith(".test")]
    texts = [file.read_text(encoding="utf-8") for file in sorted(files)]
    texts += [rule.good for rule in CATALOGUE.values() if rule.good]
    if VALID.is_file():
        with VALID.open(encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
    return [document.value for text in texts if (document := parse(text).document) is not None]


def spoilt() -> list[Any]:
    random = Random(5)
    found = definitions()
    chosen = found * TIMES if TIMES else random.sample(found, min(SAMPLE, len(found)))
    return [mutated(value, random, random.randint(1, 4)) for value in chosen]


def answer(text: str) -> None:
    document, found = check(text)
    assert all(problem.position is not None for problem in found)
    validate_as_aws(text)
    if document is not None and not any(d.severity == "error" for d in found) and not find_unsupported(document):
        compile_program(document.value)


@pytest.mark.parametrize("style", ["json", "yaml"])
def test_a_spoilt_definition_gets_its_answer(style: str) -> None:
    for value in spoilt() if style == "json" else spoilt()[:: 1 if TIMES else 3]:
        answer(json.dumps(value, indent=1) if style == "json" else yaml.safe_dump(value, allow_unicode=True, width=60))
