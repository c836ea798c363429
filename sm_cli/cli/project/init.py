"""`sm init`: a working project to begin from.

Nothing that exists is overwritten unless `--force` says so; what is in the way is named before anything is
written. An existing .gitignore is the user's: it only gets the line that it lacks.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from sm_cli.cli.project.config import find_project
from sm_cli.cli.terminal.failures import say

#: What the project begins with; each stands under the same name in templates/.
FILES = (
    "sm.toml",
    "workflows/order.yaml",
    "handlers/orders.py",
    "data.json",
    "tests/order.test.yaml",
    "tests/test_order.py",
)
#: Those that are others with --aws, and stand under aws/ of templates/; of the rest both kinds have the same.
_FOR_AWS = (
    "workflows/order.yaml",
    "handlers/orders.py",
    "handlers/functions.py",
    "tests/order.test.yaml",
    "tests/test_order.py",
)
#: What editors complete and check workflows by; a comment in the first line of the workflow leads there.
SCHEMA = ".sm-schema.json"
_FOR_EDITORS = "# yaml-language-server: $schema={}\n"
#: It has no dot there, or it would rule over the templates themselves.
_IGNORE = "gitignore"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    directory: Annotated[str, typer.Argument(metavar="[DIR]", help="Where to; it is made when it is not there.")] = ".",
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="One that AWS takes too: functions named by ARNs.")] = False,
) -> None:
    """Make a project: configuration, a workflow, its handlers, an input, a test."""
    from sm_cli.cli.project.schema import schema_text
    from sm_cli.errors import Conflict, UsageError

    folder = Path(directory)
    templates = choose_templates(aws)
    there = [name for name in (*templates, SCHEMA) if _exists(folder / name)]
    if there and not force:
        raise Conflict(f"{_format_list(folder, there)} {'is' if len(there) == 1 else 'are'} there already",
                       hint="Name another folder, or give --force to overwrite.")  # fmt: skip
    try:
        for name, template in templates.items():
            _write(folder / name, _content(name, template))
        _write(folder / SCHEMA, schema_text().encode())
        _ignore(folder / ".gitignore")
        _make_database(folder)
    except OSError as e:
        raise UsageError(f"{e.filename or folder} cannot be written: {e.strerror}") from e
    _tell(folder, aws)


def choose_templates(aws: bool) -> dict[str, str]:
    """The files of a new project, each with its template; with `aws` those of one that can be deployed to AWS."""
    names = dict.fromkeys((*FILES, *_FOR_AWS) if aws else FILES)
    return {name: f"aws/{name}" if aws and name in _FOR_AWS else name for name in names}


def _make_database(folder: Path) -> None:
    """So that a worker, or a message, finds one before the first run."""
    from sm_cli.cli.project.opening import opened_store

    with opened_store(None, find_project(folder), create=True):
        pass


def _exists(path: Path) -> bool:
    """Also true for a link that leads nowhere."""
    return path.exists() or path.is_symlink()


def _format_list(folder: Path, names: list[str]) -> str:
    paths = [str(folder / name) for name in names]
    return paths[0] if len(paths) == 1 else f"{', '.join(paths[:-1])} and {paths[-1]}"


def _content(name: str, template: str) -> bytes:
    """The template; a workflow begins with the line that tells an editor where the schema is."""
    if not name.startswith("workflows/"):
        return _template(template)
    return _FOR_EDITORS.format("../" * name.count("/") + SCHEMA).encode() + _template(template)


def _template(name: str) -> bytes:
    from importlib.resources import files

    return files("sm_cli.cli").joinpath("templates", *name.split("/")).read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _ignore(path: Path) -> None:
    """Keep the database out of version control."""
    template = _template(_IGNORE)
    if not path.exists():
        path.write_bytes(template)
        return
    content = path.read_bytes()
    database = template.splitlines()[0]
    if database not in content.splitlines():
        path.write_bytes(content + (b"" if content.endswith(b"\n") or not content else b"\n") + database + b"\n")


def _tell(folder: Path, aws: bool) -> None:
    for name in (*choose_templates(aws), SCHEMA, ".gitignore", ".sm/sm.db"):
        say(f"  {folder / name}")
    say("")
    say("Next:")
    if folder.resolve() != Path.cwd():
        say(f"  cd {shlex.quote(str(folder))}")
    say("  sm run --input data.json   # run the workflow")
    say("  sm history @last           # see what happened")
    say("  sm graph                   # see the workflow")
    say("  sm test                    # test it, without a database")
    if aws:
        say("  sm validate --aws          # see what AWS would refuse")
