"""The code that Lambda functions need: the handlers' files with what they import, and a requirements.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli._version import __version__

if TYPE_CHECKING:
    from sm_cli.asl.export.plan import ExportPlan

#: What the runtime has.
_IN_LAMBDA = ("boto3", "botocore")


def code_files(plan: ExportPlan, files: dict[str, Path]) -> dict[str, str | bytes]:
    """By path: for each file of handlers that has a function, this file, those beside it that it imports, and the
    packages. files: by the names of the handlers. Raises OSError."""
    from sm_cli.asl.export.wrapper import HANDLERS
    from sm_cli.handlers.imports import imports_of

    by_module = {file.stem: file for file in files.values()}
    result: dict[str, str | bytes] = {}
    for module in plan.modules:
        file = by_module[module].resolve()
        imports = imports_of(file, file.parent)
        for each in sorted(imports.files):
            path = each.relative_to(file.parent).as_posix()
            result[f"functions/{module}/{HANDLERS}/{path}"] = each.read_bytes()
        result[f"functions/{module}/requirements.txt"] = _requirements(imports.packages)
    return result


def _requirements(packages: list[str]) -> str:
    """The packages with the versions that are installed here: a hint, to be read by a person."""
    from importlib.metadata import packages_distributions

    lines = [
        "# What the handlers import, in the versions that were installed here.",
        f"sm-cli=={__version__}",
    ]
    others = [name for name in packages if name != "sm_cli"]
    lines += _lines(others, packages_distributions() if others else {})
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _lines(packages: list[str], distributions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    from importlib.metadata import version

    for name in packages:
        if name in _IN_LAMBDA:
            yield f"# {name}: the runtime of Lambda has it"
        elif name in distributions:
            distribution = distributions[name][0]
            yield f"{distribution}=={version(distribution)}"
        else:
            yield f"# {name}: imported, but not installed where this was exported"
