"""What a file of handlers needs to run somewhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sm_cli.handlers.imports import imports_of


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        file = directory / f"{name.replace('__in__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def needs(directory: Path, file: str = "orders.py") -> tuple[list[str], list[str]]:
    imports = imports_of(directory / file, directory)
    return sorted(each.relative_to(directory).as_posix() for each in imports.files), imports.packages


def test_a_file_alone_needs_itself(tmp_path: Path) -> None:
    write(tmp_path, orders="import json, os.path\nfrom datetime import date\n", other="x = 1\n")
    assert needs(tmp_path) == (["orders.py"], [])


@pytest.mark.parametrize(
    "line",
    ["import shared", "from shared import x", "from . import shared", "from .shared import x", "import shared as s",
     "def f():\n    import shared", "try:\n    from shared import x\nexcept ImportError:\n    x = 1"],
)  # fmt: skip
def test_what_stands_beside_is_needed_however_it_is_imported(line: str, tmp_path: Path) -> None:
    write(tmp_path, orders=line + "\n", shared="import _deeper\n", _deeper="import shared\n", other="")
    assert needs(tmp_path) == (["_deeper.py", "orders.py", "shared.py"], [])


def test_a_package_beside_is_needed_with_what_is_imported_of_it(tmp_path: Path) -> None:
    write(tmp_path, orders="from lib.money import round_up\nimport lib.text\n", lib__in____init__="",
          lib__in__money="from . import rates\nfrom .text import x\n", lib__in__rates="import requests\n",
          lib__in__text="x = 1\n", lib__in__unused="")  # fmt: skip
    assert needs(tmp_path) == (
        ["lib/__init__.py", "lib/money.py", "lib/rates.py", "lib/text.py", "orders.py"],
        ["requests"],
    )


def test_a_module_of_a_package_is_found_by_from_import(tmp_path: Path) -> None:
    write(tmp_path, orders="from lib import money\n", lib__in____init__="", lib__in__money="")
    assert needs(tmp_path)[0] == ["lib/__init__.py", "lib/money.py", "orders.py"]


def test_packages_are_named_once_and_pythons_own_are_none(tmp_path: Path) -> None:
    write(tmp_path, orders="import boto3\nfrom boto3.session import Session\nimport sm_cli\nimport httpx._client\n")
    assert needs(tmp_path)[1] == ["boto3", "httpx", "sm_cli"]


def test_a_file_that_is_no_python_needs_itself(tmp_path: Path) -> None:
    write(tmp_path, orders="def (:\n")
    assert needs(tmp_path) == (["orders.py"], [])
