"""Spoilt definitions: whatever the validator calls valid compiles, over 50,000 mutations.

SM_MUTATION_SEED and SM_MUTATIONS choose others, and how many.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.report import Figure
from sm_cli.asl.compile import compile_program
from sm_cli.asl.text.source import from_value
from sm_cli.asl.validation.validate import find_unsupported, validate
from tests.validation.mutations import mutated
from tests.validation.test_mutations import definitions

_COUNT = 50_000


def run(folder: Path) -> Iterator[Figure]:
    count, seed = int(os.environ.get("SM_MUTATIONS", _COUNT)), int(os.environ.get("SM_MUTATION_SEED", "1"))
    found, random = definitions(), Random(seed)
    valid, crashes, begun = 0, 0, time.perf_counter()
    for _ in range(count):
        value = mutated(random.choice(found), random, random.randint(1, 3))
        try:
            document = from_value(value).document
            if document is None or any(d.severity == "error" for d in validate(document)) or find_unsupported(document):
                continue
            valid += 1
            compile_program(document.value)
        except Exception as e:
            crashes += 1
            kept = folder / f"{crashes}.json"
            kept.write_text(json.dumps(value))
            print(f"  {type(e).__name__}: {e}: {json.dumps(value)[:2000]}", flush=True)
    took = time.perf_counter() - begun
    yield Figure(f"valid of {count:,} mutations", valid, "")
    yield Figure("mutations a second", count / took, "/s")
    yield Figure("that the validator or the compiler crashed on", crashes, "", "<= 0")
