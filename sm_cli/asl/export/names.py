"""Names for what is deployed, made of the names that handlers, workflows and placeholders have here."""

from __future__ import annotations

import keyword
import re

_WORDS = re.compile(r"[A-Za-z0-9]+")
#: What the names of placeholders end in, and functions' ids do not.
_SUFFIX = re.compile(r"(?<=.)(?:(?:Lambda)?(?:Function)?(?:Arn|ARN)|(?:Lambda)?Function)$")
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: AWS's limit on the name of a state machine, in characters; the stack's name stands before it.
_LONGEST = 50


def capitals(name: str, otherwise: str) -> str:
    """`process:order` → ProcessOrder; `otherwise` for a name without ASCII letters and digits."""
    text = "".join(word[:1].upper() + word[1:] for word in _WORDS.findall(name))
    if not text:
        return otherwise
    return text if text[0].isalpha() else otherwise + text


def function_id(name: str) -> str:
    """The same for a handler: that of the placeholder GreetFunctionArn is Greet."""
    return _SUFFIX.sub("", capitals(name, "Handler"))


def snake(name: str) -> str:
    """ProcessOrder → process_order: a name for Python and Terraform."""
    text = "_".join(part for word in _WORDS.findall(name) for part in _BOUNDARY.split(word)).lower() or "handler"
    if text[0].isdigit() or keyword.iskeyword(text) or keyword.issoftkeyword(text):
        text = f"handler_{text}"
    return text


def machine_name(name: str) -> str:
    """A name that AWS takes for a state machine."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:_LONGEST] or "workflow"


def unique(name: str, others: set[str]) -> str:
    """The name, else with the first number that nobody has; it is added to the others. Logical ids of some tools do not
    tell capitals apart."""
    candidate, number = name, 2
    while candidate.lower() in others:
        candidate, number = f"{name}{number}", number + 1
    others.add(candidate.lower())
    return candidate
