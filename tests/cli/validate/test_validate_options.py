"""`sm validate`: what its options let through, and the frame around the very thing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.cli.escaping import escape
from sm_cli.cli.terminal.tables import width
from sm_cli.cli.validate.excerpts import Frames, summary
from sm_cli.diagnostics import Diagnostic, Position
from tests.cli.conftest import Project

WARNED = """StartAt: A
States:
  A: {Type: Pass, Parameters: {id: $.order.id}, End: true}
"""
WAITING = """StartAt: A
States:
  A: {Type: Task, Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken', TimeoutSeconds: 5, End: true}
"""
UNKNOWN = "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: '${Pause}', Next: '${Then}'}\n  B: {Type: Succeed}\n"


def told(project: Project, *arguments: str) -> list[tuple[str, str]]:
    """(severity, code) of everything that is told."""
    result = project.sm("validate", "--json", *arguments)
    return [(d["severity"], d["code"]) for each in result.json for d in each["diagnostics"]]


def test_strict_makes_a_warning_count(project: Project) -> None:
    project.write("w.yaml", WARNED)
    calm, strict = project.sm("validate", "w.yaml"), project.sm("validate", "--strict", "w.yaml")
    assert (calm.code, strict.code) == (0, 1)
    assert "w.yaml: OK\n" in calm.out
    assert "w.yaml: OK" not in strict.out


def test_severity_is_the_least_that_is_told_and_counts(project: Project) -> None:
    project.write("w.yaml", WARNED)
    assert told(project, "w.yaml") == told(project, "--severity", "warning", "w.yaml") == [("warning", "SM308")]
    assert told(project, "--severity", "error", "w.yaml") == []
    assert project.sm("validate", "--severity", "error", "--strict", "w.yaml").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--ignore", "SM101"], 1),
        (["--ignore", "SM101", "--ignore", "SM308"], 0),
        (["--ignore=sm308,SM101"], 0),
    ],
)
def test_ignored_codes_are_neither_told_nor_counted(project: Project, arguments: list[str], code: int) -> None:
    project.write("w.yaml", WARNED)
    result = project.sm("validate", "--strict", *arguments, "w.yaml")
    assert (result.code, "SM308" in result.out) == (code, code == 1)


def test_a_comment_passes_over_its_line(project: Project) -> None:
    project.write("w.yaml", WARNED.replace("A: {Type", "A: {  # sm: ignore[SM308]\n    Type"))
    assert told(project, "w.yaml") == [("warning", "SM308")]
    project.write("w.yaml", WARNED.replace("End: true}", "End: true}  # sm: ignore[SM308]"))
    assert told(project, "w.yaml") == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ignore", "SM38"], "--ignore 'SM38' is no code of a diagnostic"),
        (["--severity", "fatal"], "--severity takes error, warning or info, not 'fatal'"),
        (["--format", "xml"], "--format takes text, json, sarif, github or junit, not 'xml'"),
        (["--type", "FAST"], "--type takes STANDARD or EXPRESS, not 'FAST'"),
        (["--dry-run"], "--dry-run says what --fix would do"),
        (["--fix", "-"], "--fix writes files, and stdin is none"),
        (["--fix", "--watch"], "--fix and --watch exclude each other"),
        (["--watch", "-"], "--watch follows files, and stdin is none"),
        (["--substitutions", "list.json"], "list.json gives no substitutions"),
    ],
)
def test_an_option_that_says_nothing_is_refused(project: Project, arguments: list[str], sentence: str) -> None:
    project.write("w.yaml", WARNED)
    project.write("list.json", "[1]")
    paths = [] if "-" in arguments else ["w.yaml"]
    result = project.sm("validate", *arguments, *paths)
    assert result.code == 2
    assert sentence in result.err


def test_a_code_that_cannot_be_read_is_never_passed_over(project: Project) -> None:
    project.write("x.yaml", "A: [")
    assert project.sm("validate", "--ignore", "SM004", "x.yaml").code == 1


def test_an_express_workflow_waits_for_nothing(project: Project) -> None:
    project.write("x.yaml", WAITING)
    assert ("error", "SM607") not in told(project, "x.yaml")
    assert ("error", "SM607") in told(project, "--type", "express", "x.yaml")


def test_substitutions_are_filled_in(project: Project) -> None:
    project.write("u.yaml", UNKNOWN)
    project.write("good.json", '{"Pause": 5, "Then": "B"}')
    project.write("bad.yaml", "Pause: soon\nThen: C\n")
    assert [severity for severity, _ in told(project, "u.yaml") if severity == "error"] == []
    assert told(project, "--substitutions", "good.json", "u.yaml") == []
    codes = [code for _, code in told(project, "--substitutions", "bad.yaml", "u.yaml")]
    assert {"SM103", "SM203"} <= set(codes)


def test_as_aws_the_codes_messages_and_locations_are_those_of_aws(project: Project) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [
        {"Variable": "$.a", "IsNull": True, "Next": "B"}]}, "C": {"Type": "Succeed"}}}  # fmt: skip
    project.write("a.json", json.dumps(definition, indent=2))
    result = project.sm("validate", "--aws", "--json", "a.json")
    assert result.code == 1
    [found] = result.json
    first = next(d for d in found["diagnostics"] if d["code"] == "MISSING_TRANSITION_TARGET" and "B" in d["message"])
    assert (first["message"], first["pointer"]) == ("Missing 'Next' target: B", "/States/A/Choices[0]/Next")
    line = (project.path / "a.json").read_text().splitlines()[first["line"] - 1]
    assert line[first["column"] - 1 : first["end_column"] - 1] == '"B"'
    assert "at /States/A/Choices[0]/Next" in project.sm("validate", "--aws", "a.json").out


def test_as_aws_a_text_that_cannot_be_read_is_refused_at_its_place(project: Project) -> None:
    project.write("a.json", '{"StartAt": }')
    [found] = project.sm("validate", "--aws", "--json", "a.json").json
    [problem] = found["diagnostics"]
    assert (problem["code"], problem["line"], problem["column"]) == ("INVALID_JSON_DESCRIPTION", 1, 13)


def test_files_are_sorted_and_each_is_checked_once(project: Project) -> None:
    for name in ("b.yaml", "a.yaml", "c/d.yaml"):
        project.write(name, WARNED.replace("$.order.id", "1"))
    result = project.sm("validate", "c", "b.yaml", "a.yaml", "b.yaml")
    assert result.out == "a.yaml: OK\nb.yaml: OK\nc/d.yaml: OK\n"


def test_an_empty_folder_is_a_usage_error(project: Project) -> None:
    (project.path / "none").mkdir()
    assert project.sm("validate", "none").code == 2


# The frame


def shown(text: str, place: Position | None, hint: str | None = None, message: str = "Wrong") -> list[str]:
    return list(Frames(text).show(Diagnostic("SM101", "error", message, "", place, hint, "x.yaml")))


def test_the_caret_stands_under_the_very_thing() -> None:
    lines = shown("A: 1\nName: value # note\n", Position(2, 7, 2, 12), "did you mean values?")
    assert lines == [
        "x.yaml:2:7: error SM101: Wrong",
        "  2 | Name: value # note",
        "    |       ^^^^^ did you mean values?",
    ]


@pytest.mark.parametrize(
    ("line", "start", "marked", "offset"),
    [
        ("\tKey:\tv", 7, "v", len("    Key:    ")),
        ("日本語: v", 6, "v", len("xxyyzz: ")),
        ("a: 日本", 4, "日本", 3),
        ("e\u0301: v", 5, "v", 3),
    ],
)
def test_the_caret_counts_columns_of_a_terminal(line: str, start: int, marked: str, offset: int) -> None:
    place = Position(1, start, 1, start + len(marked))
    mark = shown(line, place)[2].removeprefix("    | ")
    assert len(mark) - len(mark.lstrip()) == offset
    assert set(mark.strip()) == {"^"}
    assert len(mark.strip()) == (4 if marked == "日本" else 1)


def test_of_a_long_line_what_stands_about_the_thing_is_shown() -> None:
    text = '{"a":"' + "x" * 500 + '","WRONG":1,"b":"' + "y" * 500 + '"}'
    start = text.index('"WRONG"') + 1
    _, frame, mark = shown(text, Position(1, start, 1, start + 7))
    assert len(frame) <= 120
    assert frame.removeprefix("  1 | ").startswith("…")
    assert frame.endswith("…")
    at = mark.index("^")
    assert frame[at : at + 7] == '"WRONG"'


@pytest.mark.parametrize("place", [Position(1, 1, 4, 2), Position(1, 5, 1, 5), Position(1, 99, 1, 100), None])
def test_any_place_can_be_shown(place: Position | None) -> None:
    lines = shown("Some text\n\n\n", place, "a hint")
    assert any("a hint" in line for line in lines)
    assert len(lines) == (2 if place is None else 3)


def test_a_place_after_the_last_line_is_told_without_a_frame() -> None:
    assert len(shown("a", Position(9, 1, 9, 2))) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do(end: str) -> None:
    assert shown(f"one{end}two{end}", Position(2, 1, 2, 4))[1] == "  2 | two"


@given(st.text(), st.integers(1, 9), st.integers(1, 300), st.integers(0, 300), st.text(max_size=150))
def test_every_frame_fits_on_its_screen(text: str, line: int, column: int, length: int, hint: str) -> None:
    place = Position(line, column, line, column + length)
    for i, part in enumerate(shown(text * 20, place, hint)[1:]):
        assert escape(part) == part
        assert width(part) <= 120 or i == 2


def test_what_stands_in_a_file_is_not_obeyed_by_the_terminal() -> None:
    lines = shown("a: \x1b[2J\x9bx", Position(1, 4, 1, 5), "h\x07", "m\x1b[31m")
    assert not any("\x1b" in line or "\x9b" in line or "\x07" in line for line in lines)


def test_the_summary_counts_what_there_is() -> None:
    error, warning, info = (Diagnostic("SM101", severity, "x", "") for severity in ("error", "warning", "info"))
    assert summary([[error, error, warning], [], [info]]) == "2 errors, 1 warning, 1 note in 3 files"
    assert summary([[warning, warning]]) == "2 warnings in 1 file"


def on_a_terminal(project: Project, *arguments: str, **environment: str) -> str:
    """What a command prints to a terminal."""
    outer, inner = pty.openpty()
    with os.fdopen(outer, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "sm_cli", *arguments], cwd=project.path, stdout=inner, stdin=inner, stderr=inner,
            env={**project.environment(), "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(inner)
        shown = b""
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:  # what Linux says when nobody writes any more
            pass
        process.wait()
    return shown.decode()


def test_a_terminal_gets_colours_unless_no_color_is_set(project: Project) -> None:
    project.write("w.yaml", WARNED)
    assert "\x1b[33mwarning SM308:\x1b[0m" in on_a_terminal(project, "validate", "w.yaml")
    assert "\x1b" not in on_a_terminal(project, "validate", "w.yaml", NO_COLOR="1")


def imported(project: Project, *arguments: str) -> set[str]:
    code = "import sys; from sm_cli.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=project.path, env=project.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


def test_a_plain_report_needs_no_rich_and_a_right_file_no_jsonschema(project: Project) -> None:
    project.write("w.yaml", WARNED)
    modules = imported(project, "validate", "w.yaml")
    assert not {"rich", "jsonschema", "watchfiles", "asyncio", "sm_cli.cli.validate.fixing"} & modules
    assert "sm_cli.cli.validate.excerpts" in modules


def test_a_file_with_a_name_that_is_not_unicode_can_be_told_about(project: Project) -> None:
    name = os.fsdecode(b"\xff.yaml")
    try:
        Path(project.path / name).write_text("StartAt: B\nStates: {A: {Type: Succeed}}\n")
    except OSError:
        pytest.skip("this file system takes only names that are Unicode")
    for format in ("text", "json", "sarif", "github", "junit"):
        result = project.sm("validate", "--format", format, ".")
        assert (result.code, "?.yaml" in result.out or "%3F.yaml" in result.out) == (1, True), format
