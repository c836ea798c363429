"""CloudFormation's functions inside a definition: each becomes the text that it could have, with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sm_cli.asl.templates.mapped_text import MappedText, places_of
from sm_cli.asl.templates.stack import Stack, placeholder
from sm_cli.asl.text.spans import Span
from sm_cli.jsonvalue import Json, dumps

_VARIABLE = re.compile(r"\$\{(!?)\s*([^{}]*?)\s*\}")
#: More values than this in one definition are no definition, but anchors that were multiplied.
_MOST_VALUES = 500_000


class NoValue(Exception):
    """`Ref: AWS::NoValue`: the member is not there."""


class TooManyValues(Exception):
    """A template that grows beyond all bounds when its aliases are followed."""


def function_of(value: Json) -> str | None:
    """The function that an object of one member calls; None for every other value."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name.startswith("Fn::") or name in ("Ref", "Condition"):
            return name
    return None


@dataclass(slots=True)
class Resolver:
    """Puts in what the functions of one template give."""

    #: The whole text of the template.
    text: str
    #: What its names lead to.
    stack: Stack
    #: (offset, sentence) of what could not be told.
    notes: list[tuple[int, str]] = field(default_factory=list)
    _count: int = 0

    def resolve(self, value: Json, span: Span) -> tuple[Json, Span]:
        """The value without functions, and where all of it stands. Raises NoValue and TooManyValues."""
        self._count += 1
        if self._count > _MOST_VALUES:
            raise TooManyValues
        name = function_of(value)
        if name is not None and isinstance(value, dict) and isinstance(span.members, dict) and name != "Condition":
            return self._call(name, value[name], span.members[name], span)
        if isinstance(value, dict) and isinstance(span.members, dict):
            return self._object(value, span, span.members)
        if isinstance(value, list) and isinstance(span.members, list):
            items: list[Json] = []
            places: list[Span] = []
            for item, item_span in zip(value, span.members, strict=True):
                try:
                    new, place = self.resolve(item, item_span)
                except NoValue:
                    continue
                items.append(new)
                places.append(place)
            return items, _like(span, places)
        return value, span

    def _object(self, value: dict[str, Json], span: Span, members: dict[str, Span]) -> tuple[Json, Span]:
        result: dict[str, Json] = {}
        places: dict[str, Span] = {}
        for key, member in value.items():
            try:
                result[key], places[key] = self.resolve(member, members[key])
            except NoValue:
                continue
            places[key] = _with_key(places[key], members[key])
        return result, _like(span, places)

    def _call(self, name: str, argument: Json, span: Span, outer: Span) -> tuple[Json, Span]:
        if name == "Fn::If":
            return self.resolve(*self._branch(argument, span))
        simple = self._simple(name, argument)
        if simple is not None:
            return simple, _with_key(Span(span.start, span.end), outer)
        text = self.text_of({name: argument}, Span(outer.start, outer.end, members={name: span}))
        return text.text, _with_key(Span(span.start, span.end), outer)

    def _simple(self, name: str, argument: Json) -> Json:
        """The value of a function that need not give text; None where it gives text, or nothing."""
        if name == "Ref" and isinstance(argument, str):
            if argument == "AWS::NoValue":
                raise NoValue
            return self.stack.ref(argument)
        if name == "Fn::FindInMap" and isinstance(argument, list):
            return self.stack.mapping([self._plain(item) for item in argument[:3]])
        if name == "Fn::Select" and isinstance(argument, list) and len(argument) == 2:
            index, items = argument
            if isinstance(items, list) and str(index).isdecimal() and int(str(index)) < len(items):
                item = items[int(str(index))]
                return item if function_of(item) is None else self._plain(item)
        return None

    def text_of(self, value: Json, span: Span) -> MappedText:
        """The text that a value gives, character by character with its place."""
        joined_text = MappedText()
        name = function_of(value)
        if isinstance(value, str):
            joined_text.add_places(value, places_of(self.text, span, value))
        elif name is None or not isinstance(value, dict) or not isinstance(span.members, dict):
            text = value if isinstance(value, str) else dumps(self.resolve(value, span)[0])
            joined_text.add(text, span.start, span.end)
        elif name == "Fn::If":
            return self.text_of(*self._branch(value[name], span.members[name]))
        else:
            call = _TEXTS.get(name)
            if call is None or not call(self, joined_text, value[name], span.members[name]):
                simple = self._simple(name, value[name])
                text = self._unknown(name, value[name], span) if simple is None else _as_text(simple)
                joined_text.add(text, span.members[name].start, span.members[name].end)
        return joined_text

    def _unknown(self, name: str, argument: Json, span: Span) -> str:
        label = argument if isinstance(argument, str) else name.removeprefix("Fn::")
        self.notes.append((span.start, f"What {name} gives is not known here; {placeholder(label)} stands for it"))
        return placeholder(label)

    def _plain(self, value: Json) -> str:
        """The text of an argument, whatever its place."""
        if isinstance(value, str):
            return value
        try:
            return _as_text(self.resolve(value, _blank(value))[0])
        except NoValue:
            return ""

    def _branch(self, argument: Json, span: Span) -> tuple[Json, Span]:
        """What `Fn::If` chooses: by its condition where that is known, else the first that is a value."""
        if not (isinstance(argument, list) and len(argument) == 3 and isinstance(span.members, list)):
            return None, span
        holds = self.holds({"Condition": argument[0]})
        chosen_index = 1 if holds in (True, None) else 2
        if holds is None and argument[1] == {"Ref": "AWS::NoValue"}:
            chosen_index = 2
        return argument[chosen_index], _with_key(span.members[chosen_index], span)

    def holds(self, condition: Json, depth: int = 0) -> bool | None:
        """Whether a condition holds with the defaults of the parameters; None when that is not known."""
        name = function_of(condition)
        if name is None or not isinstance(condition, dict) or depth > 20:
            return None
        argument = condition[name]
        if name == "Condition" and isinstance(argument, str):
            return self.holds(self.stack.conditions.get(argument), depth + 1)
        if not isinstance(argument, list):
            return None
        if name == "Fn::Equals" and len(argument) == 2:
            one, other = (self._plain(item) for item in argument)
            return None if "${" in one or "${" in other else one == other
        answers = [self.holds(item, depth + 1) for item in argument]
        if name == "Fn::Not" and len(answers) == 1:
            return None if answers[0] is None else not answers[0]
        if name == "Fn::And":
            return False if False in answers else None if None in answers else True
        return (True if True in answers else None if None in answers else False) if name == "Fn::Or" else None


# Functions that give text; each says whether it could


def _sub(resolver: Resolver, joined_text: MappedText, argument: Json, span: Span) -> bool:
    own: dict[str, MappedText] = {}
    if isinstance(argument, list) and argument and isinstance(span.members, list):
        variables = argument[1] if len(argument) > 1 else None
        if isinstance(variables, dict) and isinstance(span.members[1].members, dict):
            own = {key: resolver.text_of(value, span.members[1].members[key]) for key, value in variables.items()}
        argument, span = argument[0], span.members[0]
    if not isinstance(argument, str):
        return False
    places = places_of(resolver.text, span, argument)
    at = 0
    for match in _VARIABLE.finditer(argument):
        joined_text.add_places(argument[at : match.start()], places[at : match.start()])
        at = match.end()
        start, end = places[match.start()][0], places[at - 1][1]
        name = match[2]
        if match[1]:
            joined_text.add(f"${{{name}}}", start, end)
        elif name in own:
            joined_text.add(own[name].text, start, end)
        else:
            joined_text.add(_as_text(resolver.stack.member(name)), start, end)
    joined_text.add_places(argument[at:], places[at:])
    return True


def _join(resolver: Resolver, joined_text: MappedText, argument: Json, span: Span) -> bool:
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(span.members, list)):
        return False
    between, items = argument
    places = span.members[1].members
    if not isinstance(items, list) or not isinstance(places, list):
        return False
    for i, (item, place) in enumerate(zip(items, places, strict=True)):
        if i and between:
            joined_text.add(str(between), place.start, place.start)
        joined_text.append(resolver.text_of(item, place))
    return True


def _get_att(resolver: Resolver, joined_text: MappedText, argument: Json, span: Span) -> bool:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not (isinstance(parts, list) and len(parts) == 2):
        return False
    resource, attribute = (resolver._plain(part) for part in parts)
    joined_text.add(_as_text(resolver.stack.attribute(resource, attribute)), span.start, span.end)
    return True


def _import(resolver: Resolver, joined_text: MappedText, argument: Json, span: Span) -> bool:
    name = resolver._plain(argument)
    value = resolver.stack.values.get(name)
    joined_text.add(placeholder(name.replace("${", "").replace("}", "")) if value is None else _as_text(value),
               span.start, span.end)  # fmt: skip
    return True


def _json_text(resolver: Resolver, joined_text: MappedText, argument: Json, span: Span) -> bool:
    joined_text.add(dumps(resolver.resolve(argument, span)[0]), span.start, span.end)
    return True


_TEXTS: dict[str, Callable[[Resolver, MappedText, Json, Span], bool]] = {
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::GetAtt": _get_att,
    "Fn::ImportValue": _import,
    "Fn::ToJsonString": _json_text,
}


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value)


def _blank(value: Json) -> Span:
    """Places of a value that stands nowhere."""
    if isinstance(value, dict):
        return Span(0, 0, members={key: _blank(member) for key, member in value.items()})
    return Span(0, 0, members=[_blank(item) for item in value] if isinstance(value, list) else None)


def _with_key(span: Span, key: Span) -> Span:
    return Span(span.start, span.end, key.key_start, key.key_end, span.members)


def _like(span: Span, members: dict[str, Span] | list[Span]) -> Span:
    return Span(span.start, span.end, span.key_start, span.key_end, members)
