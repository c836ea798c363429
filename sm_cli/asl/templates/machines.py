"""What a template holds: its machines, each a definition of its own or why it is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sm_cli.asl.templates.files import ReadFile
from sm_cli.asl.templates.intrinsics import NoValue, Resolver, TooManyValues, function_of
from sm_cli.asl.templates.mapped_text import parse_mapped
from sm_cli.asl.text.masking import mask
from sm_cli.asl.text.numbers_as_text import keep_source_text
from sm_cli.asl.text.source import Document, Parsed, parse
from sm_cli.asl.text.spans import Lines, Span
from sm_cli.asl.text.substitutions import substitute
from sm_cli.diagnostics import Diagnostic
from sm_cli.jsonvalue import Json

#: A text that is nothing but a value that nobody knows.
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class TemplateMachine:
    """A machine of a template."""

    #: Its logical id, or the name that its tool knows it by.
    name: str
    #: The definition; without one and without an error it is not known, and a note says why.
    result: Parsed
    #: The file that the text of the definition stands in.
    file: str
    #: The whole text of that file.
    text: str
    #: The name that it would have where it is deployed: others start it by that.
    deployed_name: str = ""


@dataclass(slots=True)
class MachineReader:
    """Reads the machines of one template."""

    #: The template's file, as sentences name it.
    file: str
    #: Its whole text.
    text: str
    #: Puts in what its functions give.
    resolver: Resolver
    #: Finds the files that it names.
    read: ReadFile

    def unknown(self, name: str, span: Span, sentence: str) -> TemplateMachine:
        """A machine whose definition is not known: a note, no error."""
        return TemplateMachine(name, Parsed(None, [self.note(span.start, sentence)]), self.file, self.text)

    def of_value(self, name: str, value: Json, span: Span, substitutions: dict[str, Json]) -> TemplateMachine:
        """A definition that is written as an object, or as text."""
        self.resolver.notes.clear()
        try:
            if not isinstance(value, dict) or function_of(value) is not None:
                joined_text = self.resolver.text_of(value, span)
                if _PLACEHOLDER.fullmatch(joined_text.text.strip()):
                    return self.unknown(name, span, f"The definition of {name} is {joined_text.text.strip()}: not here")
                result = parse_mapped(joined_text, self.text, self.file)
            else:
                inner, place = self.resolver.resolve(value, span)
                document = Document(self.text, self.file, "yaml", inner, place, is_whole=False)
                if isinstance(inner, dict):
                    keep_source_text(inner, self.text, place)
                result = Parsed(document, [])
        except NoValue:
            return self.unknown(name, span, f"The definition of {name} is not there: AWS::NoValue")
        except TooManyValues:
            return self.unknown(name, span, f"The definition of {name} is not read: its aliases make it far too large")
        notes = [self.note(*each) for each in self.resolver.notes]
        if result.document is not None:
            result = replace(result, document=substitute(result.document, substitutions))
        return TemplateMachine(name, Parsed(result.document, result.diagnostics + notes), self.file, self.text)

    def of_file(
        self, name: str, path: str, span: Span, substitutions: dict[str, Json], *, is_template: bool = False
    ) -> TemplateMachine:
        """A definition in a file of its own. is_template: whether it is one of Terraform, whatever its name."""
        neighbour = self.read(path)
        if neighbour is None:
            return self.unknown(name, span, f"The definition of {name} is {path}, which is not in the project")
        content = mask(neighbour.content, f"{neighbour.file}.tftpl" if is_template else neighbour.file)
        result = parse(content, file=neighbour.file)
        if result.document is not None:
            result = replace(result, document=substitute(result.document, substitutions))
        return TemplateMachine(name, result, neighbour.file, neighbour.content.decode("utf-8-sig", "replace"))

    def note(self, offset: int, sentence: str) -> Diagnostic:
        """What could not be told, with its place."""
        position = Lines(self.text).position(offset, offset + 1)
        return Diagnostic("SM017", "info", sentence, "", position, None, self.file)
