"""The names that handlers are registered under, as far as their files show them without being executed.

Nothing of a file is run, and no name is guessed: where only running shows a name, the answer is "not complete".
What `loading` would find is what counts: the functions and classes that a module's global names hold at its end.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.display import display_path

#: What `handler` is called where it comes from.
_DECORATORS = frozenset({"sm_cli.handler", "sm_cli.handlers.handler.handler"})
#: Modules by which it can be reached.
_LEADING = frozenset({"sm_cli", "sm_cli.handlers", "sm_cli.handlers.handler"})
#: Who uses one of these may make global names that no statement shows.
_DYNAMIC = frozenset({"exec", "eval", "globals", "__import__", "import_module"})
_UNSEEN = "handlers may be registered where only running shows it"
_BODIES = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.Match)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(slots=True)
class HandlerNames:
    """What reading a directory shows."""

    #: The names that it shows, wildcards among them.
    names: set[str] = field(default_factory=set)
    #: The file that has each of them, in the order of the files' names; one that only imports it comes after it.
    files: dict[str, Path] = field(default_factory=dict)
    #: Where the first name is that only running shows, as a clause; None when there is none.
    why_incomplete: str | None = None
    #: Sentences, without a full stop, about files that cannot be read.
    problems: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether these are all the names that running would show."""
        return self.why_incomplete is None and not self.problems


def read_handler_names(directory: Path) -> HandlerNames:
    """The names in every `*.py` of a directory; files whose name begins with `_` are only read for what others import.

    Raises HandlerLoadError when the directory is not there.
    """
    directory = directory.resolve()
    if not directory.is_dir():
        raise HandlerLoadError(
            f"there is no handlers directory at {display_path(directory)}", topic="handlers directory"
        )
    result = HandlerNames()
    modules = _Modules(directory, result)
    for file in sorted(directory.glob("*.py")):
        if not file.name.startswith("_"):
            for function, names in modules.handlers_of(file).items():
                result.names.update(names)
                for name in names:
                    if name not in result.files or modules.defines(file, function):
                        result.files[name] = file
    return result


class _Modules:
    """The files of a directory, each read once; what cannot be told goes into `result`."""

    def __init__(self, directory: Path, result: HandlerNames) -> None:
        self.directory = directory
        self.result = result
        self._names_by_file: dict[Path, dict[str, list[str]]] = {}
        #: The functions and classes with handlers that stand in each file.
        self.definitions: dict[Path, set[str]] = {}

    def handlers_of(self, file: Path) -> dict[str, list[str]]:
        """Global name to the names of the handlers that it holds."""
        names = self._names_by_file.get(file)
        if names is None:
            names = self._names_by_file[file] = {}  # for files that import each other
            tree = self._parse(file)
            if tree is not None:
                names.update(_Module(file, self).read(tree))
        return names

    def defines(self, file: Path, function: str) -> bool:
        """Whether a global name is defined in a file, and not imported."""
        return function in self.definitions.get(file, ())

    def hide(self, file: Path, line: int, why: str) -> None:
        if self.result.why_incomplete is None:
            self.result.why_incomplete = f"{display_path(file)}:{line}: {why}"

    def imported_handlers(self, module: str, base: Path | None) -> dict[str, list[str]]:
        """Global name to handlers, of a module that is imported by this dotted name; `base`: where a relative import
        begins. Empty for what is not there in Python, or has nothing to do with sm."""
        first = module.partition(".")[0]
        if base is None and (first == "sm_cli" or first in sys.stdlib_module_names):
            return {}
        for root in [base] if base is not None else [self.directory, *map(Path, sys.path)]:
            place = root.joinpath(*module.split(".")) if module else root
            for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
                if file.is_file():
                    return self.handlers_of(file) if self._is_concerned(file) else {}
        return {}

    def _is_concerned(self, file: Path) -> bool:
        """Files of the directory are; of the packages beside Python those that name sm."""
        try:
            return file.is_relative_to(self.directory) or b"sm_cli" in file.read_bytes()
        except OSError:
            return False  # who imports it says what is wrong

    def _parse(self, file: Path) -> ast.Module | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return ast.parse(file.read_bytes(), file.name)
        except SyntaxError as e:
            self.result.problems.append(
                f"{display_path(file)}:{e.lineno or 1}: cannot be read: {type(e).__name__}: {e.msg}"
            )
        except (ValueError, RecursionError, MemoryError) as e:
            self.result.problems.append(f"{display_path(file)}:1: cannot be read: {type(e).__name__}: {e}")
        except OSError as e:
            self.result.problems.append(f"{display_path(file)}: cannot be read: {e.strerror}")
        return None


class _Module:
    """One file: what its names mean, statement by statement, as running it would bind them."""

    def __init__(self, file: Path, modules: _Modules) -> None:
        self.file = file
        self.modules = modules
        #: Global name to the dotted name of what it was imported as.
        self.meanings: dict[str, str] = {}
        self.handlers: dict[str, list[str]] = {}
        #: The decorators that were understood: other uses of `handler` show nothing.
        self._understood_nodes: set[int] = set()

    def read(self, tree: ast.Module) -> dict[str, list[str]]:
        for statement in tree.body:
            self._statement(statement)
        nodes = list(ast.walk(tree))
        self._understood_nodes |= {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            self._look_for_hidden(node)
        return self.handlers

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import():
                for alias in statement.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    self._bind(name, alias.name if alias.asname else name)
                    self.modules.imported_handlers(alias.name, None)
            case ast.ImportFrom():
                self._import_from(statement)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names = list(self._names_of(statement))
                self._bind(statement.name, None)
                if names:
                    self.handlers[statement.name] = names
                    self.modules.definitions.setdefault(self.file, set()).add(statement.name)
            case _:
                for name in _bound_names(statement):
                    if name in self.handlers or self._dotted_name(name) in _DECORATORS:
                        self._hide(statement, f"{name} is bound again")
                if isinstance(statement, _BODIES):
                    self._imports_in(statement)

    def _bind(self, name: str, meaning: str | None) -> None:
        self.handlers.pop(name, None)
        self.meanings.pop(name, None)
        if meaning is not None:
            self.meanings[name] = meaning

    def _import_from(self, statement: ast.ImportFrom) -> None:
        module = statement.module or ""
        for alias in statement.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                self._hide(statement, "a star import may bring handlers")
                continue
            self._bind(name, None if statement.level else f"{module}.{alias.name}")
            base = self.file.parents[statement.level - 1] if statement.level else None
            handlers = self.modules.imported_handlers(module, base).get(alias.name)
            if handlers:
                self.handlers[name] = handlers
            else:
                self.modules.imported_handlers(f"{module}.{alias.name}".lstrip("."), base)  # it may be a module itself

    def _imports_in(self, statement: ast.stmt) -> None:
        """What a statement such as `try` imports, which may happen or not."""
        for node in ast.walk(statement):
            if isinstance(node, ast.ImportFrom):
                before = set(self.handlers)
                self._import_from(node)
                if set(self.handlers) - before:
                    self._hide(node, "handlers may be imported or not")

    def _names_of(self, definition: _Definition) -> Iterator[str]:
        """The names that the decorators of a definition register it under."""
        ours = [each for each in definition.decorator_list if self._is_handler(each)]
        for decorator in ours:
            self._understood_nodes.add(id(decorator.func if isinstance(decorator, ast.Call) else decorator))
            below = definition.decorator_list[definition.decorator_list.index(decorator) + 1 :]
            above = definition.decorator_list[: definition.decorator_list.index(decorator)]
            if not all(self._is_handler(each) for each in above):
                self._hide(decorator, "a decorator above @handler may lose the name")
            name = _literal_name(decorator)
            if name is None:
                self._hide(decorator, "the name is computed")
            elif name:
                yield name
            elif all(self._is_handler(each) for each in below):
                yield definition.name
            else:
                self._hide(decorator, "a decorator below @handler may change the function's name")

    def _is_handler(self, decorator: ast.expr) -> bool:
        return self._resolve_name(decorator.func if isinstance(decorator, ast.Call) else decorator) in _DECORATORS

    def _resolve_name(self, node: ast.expr) -> str | None:
        """What an expression of names and dots means, by the imports above it."""
        if isinstance(node, ast.Name):
            return self._dotted_name(node.id)
        if isinstance(node, ast.Attribute):
            base = self._resolve_name(node.value)
            return None if base is None else f"{base}.{node.attr}"
        return None

    def _dotted_name(self, name: str) -> str | None:
        return self.meanings.get(name)

    def _look_for_hidden(self, node: ast.AST) -> None:
        """Whatever may register a handler, or bind a global name, where no statement above shows it."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            if id(node) not in self._understood_nodes and self._resolve_name(node) in _DECORATORS | _LEADING:
                self._hide(node, _UNSEEN)
            identifier = node.id if isinstance(node, ast.Name) else node.attr
            if identifier in _DYNAMIC and (isinstance(node, ast.Name) or identifier == "import_module"):
                self._hide(node, f"{identifier} may bring handlers")
        elif isinstance(node, ast.Global) and any(
            name in self.handlers or name in self.meanings for name in node.names
        ):
            self._hide(node, "a function binds global names")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._look_at_import(node)

    def _look_at_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import of `handler` inside a function, of which the statements of the module know nothing."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                meaning = alias.name if alias.asname else alias.name.partition(".")[0]
                name = alias.asname or meaning
            else:
                meaning, name = "" if node.level else f"{node.module}.{alias.name}", alias.asname or alias.name
            if meaning in _DECORATORS | _LEADING and self.meanings.get(name) != meaning:
                self._hide(node, _UNSEEN)

    def _hide(self, node: ast.stmt | ast.expr, why: str) -> None:
        self.modules.hide(self.file, node.lineno, why)


def _literal_name(decorator: ast.expr) -> str | None:
    """The name in a decorator; "" when it gives none, None when only running shows it."""
    if not isinstance(decorator, ast.Call):
        return ""
    if len(decorator.args) > 1 or any(keyword.arg is None for keyword in decorator.keywords):
        return None
    arguments = [*decorator.args, *(keyword.value for keyword in decorator.keywords if keyword.arg == "name")]
    if not arguments:
        return ""
    value = arguments[0].value if isinstance(arguments[0], ast.Constant) else 0
    return value if isinstance(value, str) else "" if value is None else None


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds or deletes in the scope that it stands in."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
            continue
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.Lambda):
            continue
        waiting += ast.iter_child_nodes(node)
