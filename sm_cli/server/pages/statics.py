"""The files of the dashboard: style, scripts, and what others wrote, each with its licence in `vendor/licences`."""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from sm_cli.errors import NotFound

router = APIRouter(include_in_schema=False)
FILES = files("sm_cli.server") / "static"
#: An address has a digest of what is in the file: what a browser has of it stays right.
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/static/{name:path}")
async def static_file(request: Request, name: str) -> Response:
    """A file of ours."""
    content = _content(name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    caching = _FOR_GOOD if "v" in request.query_params else "no-cache"
    return Response(content, headers={"Cache-Control": caching}, media_type=kind)


@cache
def _content(name: str) -> bytes:
    """Raises NotFound for what is no file of ours; a name is looked up among theirs, and opened only then."""
    file = dict(_walk(FILES, "")).get(name)
    if file is None:
        raise NotFound(f"there is no file {name!r}")
    return file.read_bytes()


def _walk(folder: Traversable, before: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        found += _walk(each, f"{before}{each.name}/") if each.is_dir() else [(before + each.name, each)]
    return found
