"""The one place through which a definition is read, whoever asks: from a file, from a template, from stdin.

What stands in a file is one definition, or the machines of a template; `FILE#NAME` names one of them. Values for
`${Name}` are put in here, so that no command reads a definition that another one would read otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sm_cli.asl.templates.words import TERRAFORM
from sm_cli.errors import InvalidDefinition, NotFound, UsageError
from sm_cli.project.definitions import read_file
from sm_cli.project.neighbours import Neighbours, TemplateFolders

if TYPE_CHECKING:
    from sm_cli.asl.templates.machines import TemplateMachine
    from sm_cli.asl.text.source import Document, Parsed
    from sm_cli.jsonvalue import Json


@dataclass(frozen=True, slots=True)
class DefinitionSource:
    """One definition, and what became of its text."""

    #: The file that its text stands in.
    file: str
    #: The whole text of that file, as far as it is Unicode.
    text: str
    #: The definition with its values put in, or what is wrong with its text.
    result: Parsed
    #: What a template calls it; None: it is a file of its own.
    machine: str | None = None
    #: The file that was asked for, when that is a template.
    template: str | None = None
    #: The name that the template gives it where it is deployed.
    deployed_name: str | None = None


@dataclass(frozen=True, slots=True)
class DefinitionReader:
    """Reads definitions, with the values for their `${Name}`."""

    #: By name; they win over what a template says.
    substitutions: Mapping[str, Json] = field(default_factory=dict)
    #: The folder of the project.
    root: Path = Path()
    #: The templates near the definitions that were read.
    templates: TemplateFolders = field(default_factory=TemplateFolders, repr=False, compare=False)

    def document(self, reference: str) -> Document:
        """The definition that `FILE` or `FILE#NAME` means. Raises InvalidDefinition, NotFound, and UsageError where
        that is one of several."""
        return self.document_in(*split_reference(reference))

    def document_in(self, file: str, machine: str | None, content: bytes | None = None) -> Document:
        """The definition of this name in a file, or in the content that was read for it. Raises as `document`."""
        return self.named_document(file, machine, content)[1]

    def named_document(
        self, file: str, machine: str | None, content: bytes | None = None
    ) -> tuple[str | None, Document]:
        """The same with the name that a template has for it; None for a file of its own. Raises as `document`."""
        source = _choose(self.sources(file, content), file, machine)
        return source.machine, _document_of(source)

    def machine_called(self, template: str, name: str) -> Document | None:
        """The definition of the machine that a template deploys under this name, or has under this logical id; of
        Terraform, whose files of a folder belong together, in any of them. None where there is none. Raises
        InvalidDefinition."""
        files = [template]
        if template.endswith(TERRAFORM):
            files += [each.file for each in Neighbours(template, self.root).beside()]
        sources = [source for file in files for source in self.sources(file) if source.machine is not None]
        if not any(name in (source.deployed_name, source.machine) for source in sources):
            return None
        return _document_of(_choose(sources, template, name))

    def sources(self, file: str, content: bytes | None = None) -> list[DefinitionSource]:
        """Everything in a file that is a definition; a file that is no template is one, whatever it holds. Raises
        NotFound and UsageError for one that cannot be read."""
        from sm_cli.asl.templates.words import may_be_template
        from sm_cli.asl.text.masking import mask
        from sm_cli.asl.text.source import parse
        from sm_cli.asl.text.substitutions import has_placeholders, substitute

        content = read_file(file) if content is None else content
        display = display_name(file)
        machines = self._machines(content, display, file) if may_be_template(content, display) else None
        if machines is not None:
            return [
                DefinitionSource(each.file, each.text, each.result, each.name, file, each.deployed_name or each.name)
                for each in machines
            ]
        result = parse(mask(content, file), file=display)
        document = result.document
        if document is not None:
            values = self.substitutions
            if has_placeholders(document.value):
                values = {**self._values_of_template(file), **values}
            result = replace(result, document=substitute(document, values))
        return [DefinitionSource(file, content.decode("utf-8-sig", "replace"), result)]

    def _machines(self, content: bytes, display: str, file: str) -> list[TemplateMachine] | None:
        from sm_cli.asl.templates.reading import template_machines  # with the parser of YAML, which takes its time

        neighbours = Neighbours(file, self.root)
        return template_machines(content, display, self.substitutions, neighbours, neighbours.beside)

    def _values_of_template(self, file: str) -> Mapping[str, Json]:
        """What a template beside the file, or in a folder above it in the project, gives its placeholders."""
        from sm_cli.asl.templates.reading import values_for_file

        path = os.path.normpath(file)
        for template, content in self.templates.near(path, self.root):
            values = values_for_file(content, template, self.substitutions, path, Neighbours(template, self.root))
            if values is not None:
                return values
        return {}


def display_name(file: str) -> str:
    """A file's name as Unicode: what is not UTF-8 in it becomes a question mark. `-` is stdin."""
    return "<stdin>" if file == "-" else file.encode(errors="replace").decode()


def split_reference(reference: str) -> tuple[str, str | None]:
    """`FILE#NAME` as file and name; a file of that very name goes before."""
    file, hash_sign, machine = reference.rpartition("#")
    return (file, machine) if hash_sign and file and machine and not _exists(reference) else (reference, None)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _document_of(source: DefinitionSource) -> Document:
    if source.result.document is None:
        if not any(problem.severity == "error" for problem in source.result.diagnostics):
            raise NotFound(source.result.diagnostics[0].message)
        raise InvalidDefinition(source.result.diagnostics)
    return source.result.document


def _choose(sources: list[DefinitionSource], file: str, machine: str | None) -> DefinitionSource:
    names = [source.machine for source in sources if source.machine is not None]
    if machine is None and len(sources) == 1:
        return sources[0]
    if not sources:
        raise NotFound(f"{file} is a template without a state machine")
    if machine is None:
        raise UsageError(f"{file} holds several state machines: {', '.join(names)}; name one as {file}#{names[0]}")
    by_name = {source.deployed_name: source for source in sources} | {source.machine: source for source in sources}
    if machine in by_name:
        return by_name[machine]
    if not names:
        raise NotFound(f"{file} is one definition, so it has no {machine!r}")
    from sm_cli.asl.validation.nearest import did_you_mean

    more = did_you_mean(machine, names) or f"it has {', '.join(names)}"
    raise NotFound(f"{file} has no state machine {machine!r}; {more}")
