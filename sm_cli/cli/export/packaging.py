"""The code that Lambda functions need: the handlers' files with what they import, and a requirements.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.jsonvalue import loads

if TYPE_CHECKING:
    from importlib.metadata import Distribution

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


def local_packages(files: Mapping[str, str | bytes]) -> list[str]:
    """Of what `code_files` made the requirements that only this machine can install, once each."""
    lines = (line for text in files.values() if isinstance(text, str) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if " @ file:" in line))


def _requirements(packages: list[str]) -> str:
    """The packages as they are installed here: a hint, to be read by a person."""
    from importlib.metadata import packages_distributions

    lines = ["# What the handlers import, as it was installed here.", *_lines(["sm_cli"], {"sm_cli": ["sm-cli"]})]
    others = [name for name in packages if name != "sm_cli"]
    lines += _lines(others, packages_distributions() if others else {})
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _lines(packages: list[str], distributions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    from importlib.metadata import PackageNotFoundError, distribution

    for name in packages:
        if name in _IN_LAMBDA:
            yield f"# {name}: the runtime of Lambda has it"
            continue
        try:
            yield requirement_of(distribution(distributions[name][0]))
        except (KeyError, PackageNotFoundError):
            yield f"# {name}: imported, but not installed where this was exported"


def requirement_of(package: Distribution) -> str:
    """What installs a package as it is installed here: from an index `NAME==VERSION`; from a file, a folder or a
    repository `NAME @ URL`, for no index may have it. Where it came from its installer wrote down (PEP 610)."""
    name, origin = package.metadata["Name"], loads(package.read_text("direct_url.json") or "{}")
    url = origin.get("url")
    if url is None:
        return f"{name}=={package.version}"
    repository = origin.get("vcs_info")
    folder = f"#subdirectory={origin['subdirectory']}" if "subdirectory" in origin else ""
    if repository is not None:
        return f"{name} @ {repository['vcs']}+{url}@{repository['commit_id']}{folder}"
    return f"{name} @ {url}{folder}"
