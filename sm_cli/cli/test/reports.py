"""What `sm test` prints and writes: lines for people, documents for programs, JUnit's XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from sm_cli.cli.escaping import escape
from sm_cli.cli.terminal import output as out
from sm_cli.cli.validate.reports import xml_text

if TYPE_CHECKING:
    from sm_cli.jsonvalue import Json
    from sm_cli.testing.case_runs import CaseResult

_GREEN, _RED, _OFF = "\x1b[32m", "\x1b[31m", "\x1b[0m"


def print_cases(results: Sequence[CaseResult], stream: TextIO, format: str) -> None:
    """Print what became of the cases: a line each, and below one that failed what was expected and what came."""
    if format != "table":
        out.rows([_document(result) for result in results], format, stream)
        return
    has_colour = out.is_coloured(stream)
    file = None
    for result in results:
        if result.case.file != file:
            file = result.case.file
            out.text(file, stream)
        word, colour = ("ok  ", _GREEN) if result.has_passed else ("FAIL", _RED)
        mark = f"{colour}{word}{_OFF}" if has_colour else word
        place = "" if result.has_passed else f"  ({file}:{result.case.line})"
        out.lines(f"  {mark}  {escape(result.case.name + place)}", stream)
        for failure in result.failures:
            for line in failure.splitlines():
                out.text(f"          {line}", stream)
    out.text(_summary(results), stream)


def _summary(results: Sequence[CaseResult]) -> str:
    failed = sum(1 for result in results if not result.has_passed)
    tests = "1 test" if len(results) == 1 else f"{len(results):,} tests"
    return f"{tests}: {len(results) - failed:,} passed, {failed:,} failed"


def _document(result: CaseResult) -> Json:
    return {
        "file": result.case.file,
        "line": result.case.line,
        "name": result.case.name,
        "passed": result.has_passed,
        "failures": list(result.failures),
        "duration": round(result.seconds, 3),
    }


def junit_report(results: Sequence[CaseResult]) -> str:
    """A JUnit report: one suite a file."""
    files = dict.fromkeys(result.case.file for result in results)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="sm test" {_totals(results)}>']
    for file in files:
        own = [result for result in results if result.case.file == file]
        lines.append(f'  <testsuite name="{xml_text(file)}" {_totals(own)}>')
        for result in own:
            case = f'classname="{xml_text(file)}" name="{xml_text(result.case.name)}" time="{result.seconds:.3f}"'
            lines.append(f"    <testcase {case}>{_failure(result)}</testcase>")
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _failure(result: CaseResult) -> str:
    if result.has_passed:
        return ""
    text = xml_text("\n".join(result.failures))
    return f'<failure message="{xml_text(result.failures[0])}">{text}</failure>'


def _totals(results: Sequence[CaseResult]) -> str:
    failed, seconds = sum(1 for each in results if not each.has_passed), sum(each.seconds for each in results)
    return f'tests="{len(results)}" failures="{failed}" errors="0" time="{seconds:.3f}"'
