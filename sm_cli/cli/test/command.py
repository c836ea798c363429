"""`sm test`: run the test cases of files, and tell what did not come as expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sm_cli.cli.project.config import Project, find_project
from sm_cli.cli.terminal import output as out
from sm_cli.cli.terminal.failures import warn
from sm_cli.cli.terminal.options import AsJson, Buckets, Handlers, Output, Substitutions, Trust, output_format
from sm_cli.errors import NotFound, UsageError

if TYPE_CHECKING:
    from sm_cli.testing.case_runs import CaseResult
    from sm_cli.testing.cases import TestCase

_Handlers = Callable[[], Mapping[str, Callable[..., Any]]]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(test)


def test(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", show_default=False,
                       help="Files of test cases, or folders; workflows/ and tests/ of the project unless given."),
    ] = None,
    only: Annotated[str | None, typer.Option("-k", metavar="TEXT", show_default=False,
                                             help="Only tests whose file and name contain it.")] = None,
    fail_fast: Annotated[bool, typer.Option("-x", "--exitfirst", help="End with the first test that fails.")] = False,
    junit: Annotated[str | None, typer.Option("--junit", metavar="FILE", show_default=False,
                                              help="Also write a JUnit report.")] = None,
    substitutions: Substitutions = None,
    handlers: Handlers = None,
    buckets: Buckets = None,
    output: Output = None,
    json: AsJson = False,
    _trust: Trust = False,
) -> None:  # fmt: skip
    """Run the test cases of workflows, in memory and in virtual time."""
    from sm_cli.cli.test.reports import junit_report, print_cases

    format = output_format(output, json)
    project = find_project(substitutions=substitutions)
    cases = _choose(project, paths or [], only)
    with out.guard_stdout() as stream:
        results = []
        for result in _run(project, cases, _loader(project, handlers), buckets):
            results.append(result)
            if fail_fast and not result.has_passed:
                break
        print_cases(results, stream, format)
    if only is None and len(results) == len(cases):
        _warn_of_unused(results)
    if junit is not None:
        try:
            Path(junit).write_text(junit_report(results), encoding="utf-8")
        except OSError as e:
            raise UsageError(f"--junit {junit} cannot be written: {e.strerror}") from e
    if not all(result.has_passed for result in results):
        raise typer.Exit(1)


def _warn_of_unused(results: Sequence[CaseResult]) -> None:
    """Say which stubs for all tests of a file none of them called: a name that is misspelt answers nothing."""
    from sm_cli.testing.case_runs import unused_stubs

    for file in dict.fromkeys(result.case.file for result in results):
        for sentence in unused_stubs([result for result in results if result.case.file == file]):
            warn(f"{file}: {sentence}")


def _choose(project: Project, paths: Sequence[str], only: str | None) -> list[TestCase]:
    """The test cases that are meant. Raises UsageError for none, and for a file that is not as it must be."""
    from sm_cli.testing.cases import SUFFIXES, read_cases

    files = list(dict.fromkeys(_files(project, paths)))
    if not files:
        where = ", ".join(paths) or ", ".join(str(folder) for folder in _folders(project))
        raise UsageError(f"there are no tests in {where}: their files end in {', '.join(SUFFIXES)}")
    cases = [case for file in files for case in read_cases(file)]
    chosen_cases = [case for case in cases if only is None or only.lower() in f"{case.file} {case.name}".lower()]
    if not chosen_cases:
        raise UsageError(f"none of the {len(cases)} tests has {only!r} in its file and name")
    return chosen_cases


def _folders(project: Project) -> list[Path]:
    """Where tests are looked for: beside the workflows, and in the folder of tests."""
    from sm_cli.cli.project.config import relative_path

    return [project.workflows, relative_path(project.root / (project.setting("tests") or "tests"))]


def _files(project: Project, paths: Sequence[str]) -> Iterator[Path]:
    from sm_cli.project.definitions import is_named_as_tests
    from sm_cli.project.walking import candidates

    for path in [Path(path) for path in paths] or _folders(project):
        if path.is_dir():
            yield from (file for file in candidates(path) if is_named_as_tests(file.name))
        elif paths:
            yield path


def _loader(project: Project, option: str | None) -> _Handlers:
    """What loads the project's handlers, once, when the first test calls them. Raises HandlerLoadError."""
    entries: list[Mapping[str, Callable[..., Any]]] = []

    def load() -> Mapping[str, Callable[..., Any]]:
        if not entries:
            from sm_cli.testing.simulating import load_handlers

            directory, is_named = project.handlers(option)
            entries.append(load_handlers(directory) if is_named or directory.is_dir() else {})
        return entries[0]

    return load


def _run(project: Project, cases: Sequence[TestCase], handlers: _Handlers, buckets: str | None) -> Iterator[CaseResult]:
    from sm_cli.cli.terminal.counting import Counter
    from sm_cli.engine.clock import SystemClock
    from sm_cli.testing.case_runs import CaseResult, run_case, timed
    from sm_cli.timestamps import MICROSECONDS

    clock = SystemClock()

    with Counter("tests", len(cases)) as counter:
        for number, case in enumerate(cases):
            counter.show(number)
            start = clock.monotonic()
            try:
                workflow = _workflow(project, case)
            except (NotFound, UsageError) as e:
                yield CaseResult(case, (e.message,))
                continue
            result = run_case(
                case, workflow, handlers() if case.has_handlers else {}, buckets=project.buckets(buckets),
                substitutions=project.given_substitutions,
            )  # fmt: skip
            yield timed(result, (clock.monotonic() - start) / MICROSECONDS)


def _workflow(project: Project, case: TestCase) -> str:
    """The definition that a case is for, as `FILE` or `FILE#NAME`: a file beside the tests or of the project, or what
    the file of tests is named for. Raises NotFound, UsageError."""
    from sm_cli.cli.project.workflows import choose
    from sm_cli.project.definitions import files_by_name
    from sm_cli.project.reading import split_reference
    from sm_cli.testing.cases import stem_of_tests

    folder = Path(case.file).parent
    if case.workflow is not None:
        file, machine = split_reference(case.workflow)
        if (folder / file).is_file():
            return str(folder / file) + ("" if machine is None else f"#{machine}")
        return choose(project, case.workflow)
    stem = stem_of_tests(Path(case.file))
    for place in (folder, project.workflows):
        if (definition := files_by_name(place).get(stem)) is not None:
            return str(definition)
    raise NotFound(f"it names no workflow, and there is no {stem!r} beside {case.file} or in {project.workflows}/")
