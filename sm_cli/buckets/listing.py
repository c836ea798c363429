"""What listObjectsV2 gives: every object of a bucket whose key begins with a prefix.

Keys come in the order of their UTF-8 bytes, as from S3. A directory is no object; a draft of ours is none either.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sm_cli.buckets.drafts import is_draft
from sm_cli.buckets.failures import Refused
from sm_cli.buckets.place import Part, Place, check_key, uri
from sm_cli.jsonvalue import Json


def list_objects(place: Place, bucket: str, prefix: str) -> Iterator[Part]:
    """The objects below a prefix, which may end inside a name: `a/b` finds `a/b.csv` and `a/bc/d.csv`."""
    if place.over is not None:
        yield from _of_both(place, place.over, bucket, prefix)
        return
    top = place.present(bucket)
    folder, _, beginning = prefix.rpartition("/")
    if folder:
        check_key(folder, "prefix")
    elif prefix.startswith("/"):
        return  # no key here begins with a slash
    directory = place.inside(top / folder, uri(bucket, folder))
    if directory.is_dir():
        yield from _below(place, bucket, directory, f"{folder}/" if folder else "", beginning, (directory,))


def _of_both(place: Place, over: Place, bucket: str, prefix: str) -> Iterator[Part]:
    """What lies in front hides what has the same key behind it. Raises Refused for a bucket that is in neither."""
    behind = Place(place.root)
    here = [each for each in (behind, over) if each.bucket(bucket).is_dir()] or [behind]
    parts = {part.key: part for each in here for part in list_objects(each, bucket, prefix)}
    yield from (parts[key] for key in sorted(parts, key=os.fsencode))


def _below(
    place: Place, bucket: str, directory: Path, folder: str, beginning: str, above: tuple[Path, ...]
) -> Iterator[Part]:
    for name, is_folder, is_link in _entries(directory, beginning):
        key = folder + name
        try:
            key.encode()
        except UnicodeEncodeError:
            raise Refused(
                f"{os.fsencode(directory / name)!r} has a name that is not UTF-8, which no key can be"
            ) from None
        real = directory / name
        if is_link:
            real = place.inside(real, uri(bucket, key))
        if is_folder:
            if real in above:
                raise Refused(f"{uri(bucket, key)} is a symbolic link that leads back to where it stands")
            yield from _below(place, bucket, real, f"{key}/", "", (*above, real))
            continue
        try:
            facts = real.stat()
        except FileNotFoundError:
            continue  # it was there a moment ago
        yield Part(bucket, key, facts.st_size, facts.st_mtime_ns)


def _entries(directory: Path, beginning: str) -> list[tuple[str, bool, bool]]:
    """(name, is a directory, is a link) of files and directories, in the order that their keys have."""
    files = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and not is_draft(entry.name):
                is_folder = entry.is_dir()
                if is_folder or entry.is_file():
                    files.append((entry.name, is_folder, entry.is_symlink()))
    # A slash follows the name of a directory in every key below it, and takes part in the order.
    files.sort(key=lambda entry: os.fsencode(f"{entry[0]}/" if entry[1] else entry[0]))
    return files


def as_item(part: Part) -> Json:
    """The metadata of an object as a Map's item. The Etag is made of size and time, not of the content."""
    mark = hashlib.sha256(f"{part.size} {part.modification_time}".encode()).hexdigest()[:32]
    return {
        "Etag": f'"{mark}"',
        "Key": part.key,
        "LastModified": part.modification_time // 1_000_000_000,
        "Size": part.size,
        "StorageClass": "STANDARD",
    }
