"""Texts of workflows, their versions, and the aliases that mean versions.

Values only. What may be asked about them, and how they are written, stands in `sql`.
"""

# No annotations from __future__ here: a NamedTuple compiles each one that is text, and every command waits for it.

from typing import NamedTuple


class Definition(NamedTuple):
    """A workflow's text, immutable, under the sha256 of its canonical JSON."""

    #: sha256 of the canonical JSON, in hexadecimal digits.
    digest: str
    #: The workflow's name.
    name: str
    #: As it was written.
    text: str
    #: How the text is written: json or yaml.
    format: str
    #: When it was stored first, microseconds since 1970 UTC.
    created: int


class Version(NamedTuple):
    """One text of a workflow, under a number that it has for good: the same text again is the same version."""

    #: The workflow's name.
    name: str
    #: From 1 on, in the order in which the name's texts were registered; none is given out twice.
    number: int
    #: The `Definition.digest` of the text.
    digest: str
    #: When it was registered, microseconds since 1970 UTC.
    created: int
    #: When it was deleted, microseconds since 1970 UTC; None: it is there.
    deleted: int | None = None


class Alias(NamedTuple):
    """A name for one version of a workflow, or for two that share the starts."""

    #: The workflow's name.
    workflow: str
    #: Its own name, no number; unique within the workflow.
    name: str
    #: (number of a version, its share of the starts in percent), one or two; the shares add up to 100.
    targets: tuple[tuple[int, int], ...]
    #: When it was set first, microseconds since 1970 UTC.
    created: int
    #: When it was set last, microseconds since 1970 UTC.
    updated: int
