"""A directory of Python files becomes a registry of handlers.

Each file is imported once, under a private package name, so that two directories never meet; files of
one directory import each other by their bare names, as long as nothing else has that name. Whatever goes
wrong is one HandlerLoadError that names the file.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from sm_cli.asl.resources import is_wildcard
from sm_cli.errors import HandlerLoadError
from sm_cli.handlers.display import display_path
from sm_cli.handlers.handler import Handler, handlers_in
from sm_cli.handlers.registry import Registry
from sm_cli.handlers.transformer import Transformer, transformers_in

_serial = count()
_T = TypeVar("_T", Handler, Transformer)


def load_handlers(directory: Path, problems: list[HandlerLoadError] | None = None) -> Registry:
    """The handlers and transformers of every `*.py` of a directory, by name; files whose name begins with `_` are only
    helpers.

    problems: where what is wrong with each file is gathered; None to stop at the first one.

    Raises HandlerLoadError when the directory is not there, a file does not import, two functions are
    registered under one name, or a name has a `*` where none can stand.
    """
    directory = directory.resolve()
    if not directory.is_dir():
        raise HandlerLoadError(
            f"there is no handlers directory at {display_path(directory)}", topic="handlers directory"
        )
    files = {file.stem: file for file in sorted(directory.glob("*.py")) if not file.name.startswith("_")}
    package = _package(directory, list(files))
    handlers: _Places[Handler] = _Places("handler", files.values())
    transformers: _Places[Transformer] = _Places("transformer", files.values())
    for stem, file in files.items():
        try:
            names = vars(_import_file(f"{package}.{stem}", file))
            for handler in handlers_in(names):
                if "*" in handler.name and not (is_wildcard(handler.name) and handler.name.count("*") == 1):
                    raise HandlerLoadError(_misplacement(handler.name, file))
                handlers.add(handler, file)
            for transformer in transformers_in(names):
                transformers.add(transformer, file)
        except HandlerLoadError as e:
            if problems is None:
                raise
            problems.append(e)
    return Registry(handlers.by_name(), transformers.by_name())


class _Places(Generic[_T]):
    """What the files of a directory register, each name once, and in which file. what: a word for one of these."""

    def __init__(self, what: str, files: Collection[Path]) -> None:
        self._what = what
        self._files = files
        self._entries: dict[str, tuple[_T, Path]] = {}

    def add(self, entry: _T, file: Path) -> None:
        """One that the global names of this file hold. Raises HandlerLoadError when there is another of its name."""
        origin = _origin(entry.function) or file
        if origin != file and origin in self._files:
            return  # imported from a sibling, which registers it itself
        first, other = self._entries.setdefault(entry.name, (entry, file))
        if first is not entry:
            raise HandlerLoadError(_twice(self._what, entry.name, other, file))

    def by_name(self) -> dict[str, _T]:
        """All of them."""
        return {name: entry for name, (entry, _) in self._entries.items()}


def _misplacement(name: str, file: Path) -> str:
    return f"{display_path(file)} registers a handler as {name!r}, but a * stands alone, or at the end after a colon"


def _twice(what: str, name: str, first: Path, second: Path) -> str:
    if first == second:
        return f"{display_path(first)} registers two {what}s as {name!r}"
    return f"two {what}s are registered as {name!r}: one in {display_path(first)}, one in {display_path(second)}"


# -- importing -------------------------------------------------------------------------------------


def _package(directory: Path, stems: Sequence[str]) -> str:
    """A fresh private package whose modules are the files of `directory`; returns its name."""
    name = f"_sm_handlers_{next(_serial)}"
    package = ModuleType(name)
    package.__path__ = [str(directory)]
    sys.modules[name] = package
    for finder in [finder for finder in sys.meta_path if isinstance(finder, _Siblings)]:
        finder.withdraw()
    importlib.invalidate_caches()
    sys.meta_path.insert(0, _Siblings(name, directory, {stem for stem in stems if not _is_name_taken(directory, stem)}))
    return name


def import_paths() -> list[str]:
    """Python's paths for imports, without what stands there for the handlers that this process has loaded itself."""
    directories = {
        finder.directory for finder in sys.meta_path if isinstance(finder, _Siblings) and finder.extends_path
    }
    return [path for path in sys.path if path not in directories]


def _is_name_taken(directory: Path, stem: str) -> bool:
    """Whether the bare name means something else already: a handler file named `json.py` hides nothing."""
    if stem in sys.modules or stem in sys.builtin_module_names:
        return True
    spec = PathFinder.find_spec(stem)
    return spec is not None and spec.origin != str(directory / f"{stem}.py")


class _Siblings(MetaPathFinder):
    """Answers `import payments` in one handler file with the very module of `payments.py` beside it, and puts
    the directory at the end of sys.path for everything else that lies there."""

    def __init__(self, package: str, directory: Path, stems: set[str]) -> None:
        self.package = package
        self.directory = str(directory)
        self.stems = stems
        self.extends_path = self.directory not in sys.path
        if self.extends_path:
            sys.path.append(self.directory)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> ModuleSpec | None:
        if path is not None or fullname not in self.stems:
            return None
        return ModuleSpec(fullname, _Alias(f"{self.package}.{fullname}"))

    def withdraw(self) -> None:
        """Another directory is loaded: its files have the bare names now."""
        sys.meta_path.remove(self)
        if self.extends_path and self.directory in sys.path:
            sys.path.remove(self.directory)
        for stem in self.stems:
            module = sys.modules.get(stem)
            if module is not None and module.__name__ == f"{self.package}.{stem}":
                del sys.modules[stem]


class _Alias(Loader):
    """Loads nothing: gives the module that the private package has, and leaves its own facts alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - the protocol's
        module = importlib.import_module(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


def _import_file(name: str, file: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as e:
        where, line = _place(e, file)
        raise HandlerLoadError(f"{display_path(where)}:{line}: cannot be imported: {_error_text(e)}") from e


def _place(error: BaseException, file: Path) -> tuple[Path, int]:
    """The file and line of the directory where it went wrong, the innermost one."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return Path(error.filename), error.lineno
    where, line = file, 1
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).parent == file.parent and frame.lineno:
            where, line = Path(frame.filename), frame.lineno
    return where, line


def _error_text(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _origin(function: Callable[..., Any]) -> Path | None:
    """The file in which a function is written; None when that cannot be told."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else Path(code.co_filename)


# -- what a workflow needs -------------------------------------------------------------------------
