"""From a bucket and a key to a file: ROOT/BUCKET/KEY.

Nothing outside ROOT is ever read or written, whatever a key says and wherever a symbolic link leads. A bucket has
the name that S3 would give it; a key is a path of plain names.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sm_cli.buckets.failures import Refused

#: S3, "General purpose bucket naming rules": 3 to 63 of a-z 0-9 . - with a letter or digit at both ends, no two dots
#: beside each other, not an IP address.
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+\Z)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: S3, "Naming Amazon S3 objects": so many bytes of UTF-8 at most.
_LONGEST_KEY = 1024
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


def uri(bucket: str, key: str) -> str:
    """As `s3://bucket/key`; without a bucket the key is the path of a file."""
    return f"s3://{bucket}/{key}" if bucket else key


def check_key(key: str, what: str = "key") -> None:
    """Raises Refused for a key that is no path of plain names below its bucket."""
    problem = _problem(key)
    if problem is not None:
        raise Refused(f"the {what} {key!r} {problem}, so it cannot stand for a file below its bucket")


def _problem(key: str) -> str | None:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "is not UTF-8"
    if size > _LONGEST_KEY:
        return f"is longer than {_LONGEST_KEY} bytes"
    if "\0" in key:
        return "holds a NUL character"
    for name in key.split("/"):
        if name in (".", ".."):
            return f"holds the part {name!r}"
        if not name:
            return "is empty or has an empty part beside a slash"
    return None


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a data set, as it was when it was looked at; `modification_time` in nanoseconds since 1970."""

    #: The name of its bucket.
    bucket: str
    #: Its key in the bucket.
    key: str
    #: In bytes.
    size: int
    modification_time: int

    @property
    def uri(self) -> str:
        """As `s3://bucket/key`."""
        return uri(self.bucket, self.key)

    @property
    def line(self) -> bytes:
        """What a fingerprint is made of."""
        return f"{self.uri} {self.size} {self.modification_time}\n".encode()


class Place:
    """The directory that stands for S3. over: another one, whose objects stand in front of its own; None: there is
    none."""

    def __init__(self, root: Path, over: Place | None = None) -> None:
        self.root = root
        self.over = over

    def holding(self, bucket: str, key: str) -> Place:
        """Where the object is looked for: in front, if it is there."""
        if self.over is None:
            return self
        check_key(key)
        in_front = os.path.isfile(self.over.bucket(bucket) / key)  # noqa: PTH113 - False, too, for a name too long
        return self.over if in_front else self

    def bucket(self, name: str) -> Path:
        """The directory of a bucket, which need not be there. Raises Refused for a name that no bucket can
        have."""
        if not _BUCKET.fullmatch(name):
            raise Refused(
                f"InvalidBucketName: {name!r} is not the name of a bucket: 3 to 63 small letters, digits, dots and "
                "hyphens, a letter or digit first and last"
            )
        return self.root / name

    def present(self, name: str) -> Path:
        """The directory of a bucket that is there. Raises Refused for one that is not."""
        directory = self.bucket(name)
        if not directory.is_dir():
            raise Refused(
                f"NoSuchBucket: The specified bucket does not exist: bucket {name!r} (looked for in {self.root})"
            )
        return self.inside(directory, f"bucket {name!r}")

    def inside(self, path: Path, what: str) -> Path:
        """`path` with symbolic links followed, as far as it is there. Raises Refused for one that leaves ROOT."""
        root, real = os.path.realpath(self.root), os.path.realpath(path)
        if real != root and not real.startswith(f"{root.rstrip('/')}/"):
            raise Refused(f"AccessDenied: {what} leads through a symbolic link to {real}, outside {self.root}")
        return Path(real)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """The object's file, opened for reading. Raises Refused for what is missing, no file, or outside ROOT."""
        place = self.holding(bucket, key)
        if place is not self:
            return place.open(bucket, key)
        directory = self.present(bucket)
        check_key(key)
        path = self.inside(directory / key, uri(bucket, key))
        try:
            # Without O_NONBLOCK the opening of a pipe would wait for a writer; the last link has been followed already.
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as e:
            raise self._unreadable(bucket, key, e) from None
        mode = os.fstat(file).st_mode
        if not stat.S_ISREG(mode):
            os.close(file)
            if stat.S_ISDIR(mode):
                raise self._missing(bucket, key)
            raise Refused(f"{uri(bucket, key)} is not a regular file")
        return os.fdopen(file, "rb")

    def look(self, bucket: str, key: str) -> Part:
        """The object as it is now."""
        with self.open(bucket, key) as file:
            return part_of(bucket, key, file)

    def _unreadable(self, bucket: str, key: str, error: OSError) -> Refused:
        if error.errno in _GONE:
            return self._missing(bucket, key)
        if error.errno == errno.EACCES:
            return Refused(f"AccessDenied: {uri(bucket, key)} cannot be read: {error.strerror}")
        return Refused(f"{uri(bucket, key)} cannot be read: {error.strerror}")

    def _missing(self, bucket: str, key: str) -> Refused:
        directory = (self.root / bucket / key).parent
        return Refused(
            f"NoSuchKey: The specified key does not exist: bucket {bucket!r}, key {key!r} (looked for in {directory})"
        )


class Files(Place):
    """The file system itself, for who names a file and not a key: the bucket is "", the key an absolute path."""

    def __init__(self) -> None:
        super().__init__(Path("/"))

    def open(self, bucket: str, key: str) -> BinaryIO:  # noqa: ARG002 - as everywhere
        """The file, opened for reading. Raises Refused for what is missing or no regular file."""
        try:
            file = os.open(key, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as e:
            raise Refused(f"{key} cannot be read: {e.strerror}") from None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise Refused(f"{key} is not a regular file")
        return os.fdopen(file, "rb")


def part_of(bucket: str, key: str, file: BinaryIO) -> Part:
    """An open file with its size in bytes and the time of its last change."""
    facts = os.fstat(file.fileno())
    return Part(bucket, key, facts.st_size, facts.st_mtime_ns)
