"""Templates as YAML, with CloudFormation's functions: in their short form, `!GetAtt A.Arn`, or as objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml


class Intrinsic(NamedTuple):
    """A function of CloudFormation: Ref, GetAtt or Sub, of a text."""

    #: Ref, GetAtt or Sub.
    name: str
    #: A logical id, `ID.Attribute`, or a text with `${Name}` inside.
    argument: str


class _Dumper(yaml.SafeDumper):
    """Indents lists, writes no aliases, and functions in their short form."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - YAML's own
        super().increase_indent(flow, False)

    def choose_scalar_style(self) -> str:
        """Names need no quotes behind a tag."""
        event: Any = self.event
        is_name = event.tag in ("!Ref", "!GetAtt")
        return "" if is_name else str(super().choose_scalar_style())

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - YAML's own
        return True


class _LongDumper(_Dumper):
    """Writes functions as objects."""


def to_yaml(template: Mapping[str, Any], *, short: bool = True) -> str:
    """A template as text, in its order. short: whether functions have their tags."""
    return yaml.dump(template, Dumper=_Dumper if short else _LongDumper, sort_keys=False, allow_unicode=True, width=110)


def _short(dumper: yaml.SafeDumper, data: Intrinsic) -> yaml.Node:
    return dumper.represent_scalar(f"!{data.name}", data.argument)


def _long(dumper: yaml.SafeDumper, data: Intrinsic) -> yaml.Node:
    if data.name == "GetAtt":
        return dumper.represent_mapping("tag:yaml.org,2002:map", {"Fn::GetAtt": data.argument.split(".")}, True)
    key = "Ref" if data.name == "Ref" else f"Fn::{data.name}"
    return dumper.represent_mapping("tag:yaml.org,2002:map", {key: data.argument}, True)


_Dumper.add_representer(Intrinsic, _short)
_LongDumper.add_representer(Intrinsic, _long)
