"""Questions about definitions, versions, aliases and what AWS's API keeps of them, and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sm_cli.store.sql.asking import Asking
from sm_cli.store.sql.rows import Row, decode, encode

if TYPE_CHECKING:
    from sm_cli.store.changes import Changes
    from sm_cli.store.particulars import Particulars, ResourceKind
    from sm_cli.store.sql.session import Session
    from sm_cli.store.versions import Alias, Definition, Version


class VersionQuestions(Asking):
    """Questions about definitions, versions and aliases."""

    def definition(self, digest: str) -> Definition | None:
        """The definition with this digest; None when there is none."""
        row = self.session.one("definition", (digest,))
        return None if row is None else _definition(row)

    def current_definition(self, name: str) -> tuple[Definition, int] | None:
        """(the text of the current version of this workflow, its number); None when it has none. `created` is when
        the version was registered."""
        row = self.session.one("current_definition", (name,))
        return None if row is None else (_definition(row[:-1]), row[-1])

    def workflows(self) -> list[tuple[Definition, int]]:
        """As `current_definition`, of every workflow that has one, by name."""
        return [(_definition(row[:-1]), row[-1]) for row in self.session.all("workflows")]

    def version(self, name: str, number: int) -> Version | None:
        """The version of this number, also a deleted one; None when there never was one."""
        row = self.session.one("version", (name, number))
        return None if row is None else _version(row)

    def version_of_text(self, name: str, digest: str) -> Version | None:
        """The version that this text is of the workflow, also a deleted one; None when it never was one."""
        row = self.session.one("version_of_text", (digest, name))
        return None if row is None else _version(row)

    def newest_number(self, name: str) -> int:
        """The highest number that a version of this workflow ever had; 0 when there never was one."""
        row = self.session.one("newest_number", (name,))
        return 0 if row is None or row[0] is None else int(row[0])

    def versions(self, name: str) -> list[Version]:
        """Those of a workflow that were not deleted, highest number first."""
        return [_version(row) for row in self.session.all("versions", (name,))]

    def alias(self, workflow: str, name: str) -> Alias | None:
        """The alias of this name; None when the workflow has none."""
        row = self.session.one("alias", (workflow, name))
        return None if row is None else _alias(row)

    def aliases(self, workflow: str) -> list[Alias]:
        """Those of a workflow, by name."""
        return [_alias(row) for row in self.session.all("aliases", (workflow,))]

    def running_of_workflow(self, workflow: str) -> list[int]:
        """The ids of its RUNNING executions, oldest first."""
        return [id for (id,) in self.session.all("running_of_workflow", (workflow,))]

    def running_on_version(self, version: Version) -> tuple[int, int | None]:
        """(how many RUNNING executions run it, the id of the first; None when none does), but for children of map
        runs: who runs the Map is one of them."""
        ((count, first),) = self.session.all("running_on_version", (version.name, version.digest))
        return count, first

    def particulars(self, kind: ResourceKind, name: str) -> Particulars | None:
        """Those of one thing; None when there are none."""
        row = self.session.one("particulars", (kind.value, name))
        return None if row is None else particulars(row)

    def particulars_of_kind(self, kind: ResourceKind, after: str = "", limit: int = 1000) -> list[Particulars]:
        """Those of all things of a kind, by name; `after` is where the page before ended."""
        return [particulars(row) for row in self.session.all("particulars_of_kind", (kind.value, after, limit))]

    def has_unused_definitions(self) -> bool:
        """Whether there is a text of which every version was deleted, and that no execution has any more."""
        return self.session.one("unused_definitions", (1,)) is not None


# Imported where they are made: who lists executions has these questions too, and neither text nor version.


def _definition(row: Row) -> Definition:
    from sm_cli.store.versions import Definition

    return Definition(*row)


def _version(row: Row) -> Version:
    from sm_cli.store.versions import Version

    return Version(*row)


def _alias(row: Row) -> Alias:
    from sm_cli.store.versions import Alias

    workflow, name, created, updated, targets = row
    return Alias(workflow, name, tuple((version, weight) for version, weight in decode(targets)), created, updated)


def alias_row(a: Alias) -> Row:
    """An alias to a row of `aliases`."""
    return (a.workflow, a.name, a.created, a.updated, encode([list(target) for target in a.targets]))


def particulars(row: Row) -> Particulars:
    """A row of `particulars` to its value."""
    from sm_cli.store.particulars import Particulars, ResourceKind

    kind, name, created, updated, facts = row
    return Particulars(ResourceKind(kind), name, created, updated, decode(facts))


def particulars_row(p: Particulars) -> Row:
    """Particulars to a row."""
    return p.kind.value, p.name, p.created, p.updated, encode(p.facts)


def write_versions(session: Session, changes: Changes) -> None:
    """Texts, their versions, and what names mean from now on."""
    many = session.many
    for d in changes.new_definitions:
        many("insert_definition", [(d.digest, d.name, d.text, d.format, d.created)])
    for v in changes.new_versions:
        many("insert_version", [(v.name, v.number, v.digest, v.created)])
        many("set_current_version", [(v.name, v.number)])
    if changes.current_versions:
        many("set_current_version", changes.current_versions)
    if changes.aliases:
        many("set_alias", map(alias_row, changes.aliases))
    if changes.aliases_gone:
        many("delete_alias", changes.aliases_gone)
    if changes.particulars:
        many("set_particulars", map(particulars_row, changes.particulars))
    if changes.particulars_gone:
        many("delete_particulars", [(kind.value, name) for kind, name in changes.particulars_gone])
    if changes.versions_gone:
        many("delete_version", [(v.deleted, v.name, v.number) for v in changes.versions_gone])
    if changes.versions_gone or changes.texts_gone:
        session.all("delete_unused_definitions")
