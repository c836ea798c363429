"""Public functions and classes have a docstring that is a sentence; fields are described."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import Function, Module, check_exceptions, module, modules

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt], inside: str = "") -> Iterator[tuple[str, Definition]]:
    """(name, definition) of what others may use: not private, not nested in a function."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not is_said_elsewhere(node):
            yield inside + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{inside}{node.name}.")


def is_said_elsewhere(node: Definition) -> bool:
    """Whether its sentence stands elsewhere: a rule's title in its decorator, a test's in its name, that of an overload
    at the function that all overloads share."""
    heads = {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}
    return bool(heads & {"overload", "state_rule", "machine_rule", "definition_rule"}) or node.name.startswith("test_")


def is_sentence(docstring: str | None) -> bool:
    first = (docstring or "").strip().partition("\n\n")[0].rstrip()
    return bool(re.match(r"[^a-z\s]", first)) and first.endswith((".", ":", "?", "!", "…"))


def has_fields(node: ast.ClassDef) -> bool:
    """Whether it is a dataclass or a NamedTuple."""
    heads = (each.func if isinstance(each, ast.Call) else each for each in [*node.decorator_list, *node.bases])
    return any(ast.unparse(head).split(".")[-1] in ("dataclass", "NamedTuple") for head in heads)


def undescribed(mod: Module) -> Iterator[str]:
    """`Class.field` of each public field that neither a `#:` line nor the docstring of its class describes."""
    lines = mod.text.splitlines()
    for name, node in public(mod.tree.body):
        if not isinstance(node, ast.ClassDef) or not has_fields(node):
            continue
        docstring = ast.get_docstring(node) or ""
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                field = each.target.id
                if (
                    not field.startswith("_")
                    and not _has_line(lines, each.lineno - 2)
                    and not is_described(field, docstring)
                ):
                    yield f"{name}.{field}"


def _has_line(lines: list[str], at: int) -> bool:
    """Whether a comment ends in this line that begins with `#:`."""
    while at >= 0 and lines[at].lstrip().startswith("#"):
        if lines[at].lstrip().startswith("#:"):
            return True
        at -= 1
    return False


def is_described(field: str, docstring: str) -> bool:
    """As `field`, or as "field: …", also "field, other: …"."""
    return bool(re.search(rf"`{field}`|(?<![\w.]){field}(?:(?:, | and | or )\w+)*:", docstring))


def test_public_functions_and_classes_have_a_sentence() -> None:
    found = [
        name for mod in modules() for name, node in public(mod.tree.body) if not is_sentence(ast.get_docstring(node))
    ]
    check_exceptions("no_docstring", found)


def test_public_fields_are_described() -> None:
    check_exceptions("no_field_line", (name for mod in modules() for name in undescribed(mod)))


def unsaid(mod: Module) -> Iterator[str]:
    """`function: Error` of each exception that a public function raises itself and its docstring says nothing of."""
    for name, node in public(mod.tree.body):
        docstring = ast.get_docstring(node) or ""
        if isinstance(node, Function) and not re.search(r"\b[Rr]aise", docstring):
            for error in sorted({each for each in _raised(node) if each not in docstring}):
                yield f"{name}: {error}"


def _raised(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Raise) and each.exc is not None:
            named = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
            # An AssertionError is a bug of ours.
            if isinstance(named, ast.Name) and named.id[0].isupper() and named.id != "AssertionError":
                yield named.id


def test_public_functions_say_what_they_raise() -> None:
    # The docstring of a command is its help, and whatever it raises becomes its exit code.
    checked = [mod for mod in modules() if not mod.path.is_relative_to("sm_cli/cli")]
    assert [name for mod in checked for name in unsaid(mod)] == []


def test_an_error_that_is_named_or_only_passed_on_is_said() -> None:
    text = '''
def a():
    """Does it. Raises A."""
    raise A("x")

def b():
    """A ValueError when it cannot."""
    raise ValueError

def c():
    """Passes on what comes."""
    try: a()
    except A as e: raise
    raise e

def d():
    """Does it."""
    def inside():
        raise B() from None
    raise C

def _e():
    raise D
'''
    assert list(unsaid(module(Path("a.py"), text))) == ["d: B", "d: C"]


@pytest.mark.parametrize(
    ("docstring", "is_one"),
    [
        ("Reads it.", True),
        ("`x` is read.\n\nmore", True),
        ("Two\nlines:", True),
        ("reads it.", False),
        ("Reads", False),
        ("", False),
    ],
)
def test_a_sentence_begins_large_and_ends(docstring: str, is_one: bool) -> None:
    assert is_sentence(docstring) == is_one


def test_a_field_is_described_above_it_or_in_the_docstring() -> None:
    text = '''
@dataclass(frozen=True)
class A:
    """What it is; `a` in seconds. b, c: numbers."""

    a: int
    b: int
    c: int
    #: Two
    # lines.
    d: int
    e: int
    #: Of f.
    f: int = 1
    # no description
    g: int = 2
    _h: int = 3

class B:
    i: int

class C(NamedTuple):
    j: int
    #: Of k.
    k: int
'''
    assert list(undescribed(module(Path("a.py"), text))) == ["A.e", "A.g", "C.j"]


def test_what_is_private_or_nested_is_not_public() -> None:
    tree = ast.parse(
        "def a():\n    def b(): ...\ndef _c(): ...\nclass D:\n    def e(self): ...\n    def __f__(self): ..."
        "\n@overload\ndef g(): ...\n@state_rule('SM1', 'It is so')\ndef h(): ..."
        "\ndef test_i(): ..."
    )
    assert [name for name, _ in public(tree.body)] == ["a", "D", "D.e"]
    assert all(isinstance(node, Function | ast.ClassDef) for _, node in public(tree.body))


def test_no_paragraph_promises_as_a_rule_what_no_check_holds() -> None:
    """A paragraph that begins with "Rule:" promises something. What a test, a type or a linter holds needs no such
    word, and what nothing holds must not have it."""
    promising = [
        f"{module.path.as_posix()}: {line.strip()[:60]}"
        for module in modules()
        for line in module.text.splitlines()
        if line.lstrip().startswith(("Rule: ", '"""Rule: '))
    ]
    assert promising == []
