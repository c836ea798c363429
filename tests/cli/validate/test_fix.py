"""`sm validate --fix`: what has one remedy is fixed in its place; everything else stays, character by character."""

from __future__ import annotations

import json
import os
import random
import stat
from pathlib import Path

import pytest

from sm_cli.asl.text.edits import Change, apply_changes
from sm_cli.asl.text.source import parse
from sm_cli.asl.validation.fixes import distance, fix
from sm_cli.asl.validation.validate import check
from sm_cli.cli.validate.fixing import replace
from sm_cli.errors import UsageError
from tests.cli.conftest import Project

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "validation"

BLOCK = """\
# a workflow
StartAt: A   # the first
States:
  A:
    Type: Task
    Resourc: 'work'   # who does it
    TimeoutSeconds: "30"
    Paramters:
      'id': $.order.id
      "at": States.UUID()
      note: $.50 off
    Next: B

  # the last one
  B:
    Tpye: Pass
    Comment: |
      two
      lines

    # nothing after this
"""
MENDED_BLOCK = """\
# a workflow
StartAt: A   # the first
States:
  A:
    Type: Task
    Resource: 'work'   # who does it
    TimeoutSeconds: 30
    Parameters:
      'id.$': $.order.id
      "at.$": States.UUID()
      note: $.50 off
    Next: B

  # the last one
  B:
    Type: Pass
    Comment: |
      two
      lines
    End: true

    # nothing after this
"""
JSON = """\
{
    "StartAt" : "404",
    "Version" : 1.0,
    "States"  : {
\t"404" : {
\t    "Type" : "Task",
\t    "Resource" : "work",
\t    "Retries" : [],
\t    "Catch" : [ {"ErrorEquals":[404, "B"], "next": "Bad"} ]
\t},
\t"Bad" : { "Type":"Fail", "Error":500 }
    }
}"""
MENDED_JSON = """\
{
    "StartAt" : "404",
    "Version" : "1.0",
    "States"  : {
\t"404" : {
\t    "Type" : "Task",
\t    "Resource" : "work",
\t    "Retries" : [],
\t    "Catch" : [ {"ErrorEquals":["404", "B"], "Next": "Bad"} ],
\t    "End" : true
\t},
\t"Bad" : { "Type":"Fail", "Error":"500" }
    }
}"""
FLOW = "{StartAt: A, States: {A: {type: Pass, 'Coment': x, Parameters: {\"a\": $.b}, },},}\n"
MENDED_FLOW = "{StartAt: A, States: {A: {Type: Pass, 'Comment': x, Parameters: {\"a.$\": $.b}, End: true },},}\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [(BLOCK, MENDED_BLOCK), (JSON, MENDED_JSON), (FLOW, MENDED_FLOW)],
    ids=["block", "json", "flow"],
)
def test_mistakes_are_fixed_and_nothing_else_is_touched(text: str, expected: str, end: str) -> None:
    fixed = fix(text.replace("\n", end))
    assert fixed.text == expected.replace("\n", end)
    assert fix(fixed.text).changes == ()


def state(fields: str) -> str:
    return f"StartAt: A\nStates:\n  A: {{{fields}}}\n  Z: {{Type: Succeed}}\n"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Type: Pass, Nxt: Z", "Type: Pass, Next: Z"),
        ("Type: Pass, next: Z", "Type: Pass, Next: Z"),
        ("Type: Pass, result_path: null, Next: Z", "Type: Pass, ResultPath: null, Next: Z"),
        ("Type: Pass, Ned: true", "Type: Pass, End: true"),
        ("Type: Wait, Secnods: 5, Next: Z", "Type: Wait, Seconds: 5, Next: Z"),
        ("Type: Wait, Seconds: '5', Next: Z", "Type: Wait, Seconds: 5, Next: Z"),
        ("Type: Pass, End: True", "Type: Pass, End: true"),
        ("Type: Choice, Choices: [{Variable: $.a, StringEqual: x, Next: Z}], Default: Z",
         "Type: Choice, Choices: [{Variable: $.a, StringEquals: x, Next: Z}], Default: Z"),
        ("Type: Task, Resource: x, Catch: [{ErrorEqual: [E], Next: Z}], Next: Z",
         "Type: Task, Resource: x, Catch: [{ErrorEquals: [E], Next: Z}], Next: Z"),
    ],
)  # fmt: skip
def test_what_is_close_to_one_field_becomes_it(fields: str, expected: str) -> None:
    assert fix(state(fields)).text == state(expected)


@pytest.mark.parametrize(
    "fields",
    [
        "Type: Pass, Nxt: Z, Nex: Z",  # which of the two?
        "Type: Pass, Foo: 1, Next: Z",
        "Type: Succeed, Next: Z",  # a field of other states
        "Type: Pass, Arguments: {}, Next: Z",  # a field of the other query language
        "Type: Pass, '${Nxt}': Z",  # not known yet
        "Type: Pass, Coment: [1], Next: Z",  # no text: something else was meant
        "Type: Pass, Next: Z, Nxt: Z",  # it is there already
        "Type: Choice, Choices: [{Variable: $.a, StringLessThenEqualPath: 5, Next: Z}], Default: Z",
        "Type: Wait, Seconds: soon, Next: Z",
        "Type: Wait, Seconds: '-5', Next: Z",
        "Type: Wait, Seconds: '007', Next: Z",
        "Type: Pass, End: yes",
        "Type: Pass",  # Z comes after it, and nothing leads there
        "Type: Pass, Parameters: {a: $.b, a.$: $.c}, Next: Z",
        "Type: Pass, Parameters: {a: $.b[, c: States.Nope()}, Next: Z",
        "Type: Pass, QueryLanguage: JSONata, Output: {a: $.b}, Next: Z",
        'Type: Pass, "N\\u0078t": Z',  # its key is written with an escape
        "Type: Pas, Nxt: Z",
        "Type: Pass, next: Z, End: true",  # one of them is wrong: which?
        "Type: Pass, Next: Z, end: true",
        "Type: Wait, seconds: 5, Timestamp: '2030-01-01T00:00:00Z', Next: Z",
    ],
)
def test_what_could_be_meant_in_two_ways_is_left(fields: str) -> None:
    assert fix(state(fields)).changes == ()


@pytest.mark.parametrize("text", ["", "A: [", "[1]", "just text", '{"a": 1, "a": 2}', "\x00"])
def test_what_cannot_be_read_comes_back_as_it_is(text: str) -> None:
    assert (fix(text).text, fix(text).changes) == (text, ())


def machine(*states: str) -> str:
    return json.dumps({"StartAt": "A", "States": {s[0]: json.loads(s[2:]) for s in states}})


@pytest.mark.parametrize(
    ("states", "ended"),
    [
        (('A:{"Type":"Pass"}',), ["A"]),
        (('A:{"Type":"Pass","Next":"B"}', 'B:{"Type":"Pass"}'), ["B"]),
        (('A:{"Type":"Pass"}', 'B:{"Type":"Pass"}'), ["B"]),
        (('A:{"Type":"Task","Resource":"x","Catch":[{"ErrorEquals":["E"],"Next":"B"}]}', 'B:{"Type":"Fail"}'), ["A"]),
        (('A:{"Type":"Task","Resource":"x"}', 'B:{"Type":"Fail"}'), []),
        (('A:{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"Default":"C"}',
          'B:{"Type":"Pass"}', 'C:{"Type":"Pass"}'), ["C"]),
        (('A:{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"A"}]}',), []),
        (('A:{"Type":"Pass","End":false}',), []),
    ],
)  # fmt: skip
def test_a_state_ends_when_no_other_can_follow_it(states: tuple[str, ...], ended: list[str]) -> None:
    document = parse(fix(machine(*states)).text).document
    assert document is not None
    found = document.value["States"]  # type: ignore[index,call-overload] # it is an object
    assert [name for name, value in found.items() if value.get("End") is True] == ended  # type: ignore[union-attr] # so are these


def test_ends_of_states_inside_states_are_expected_too() -> None:
    text = """\
StartAt: M
States:
  M:
    Type: Map
    ItemProcessor:
      StartAt: I
      States:
        I:
          Type: Pass"""
    fixed = fix(text)
    assert fixed.text == f"{text}\n          End: true\n    End: true"
    assert [change.code for change in fixed.changes] == ["SM204", "SM204"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"Type":"Pass"}', '{"Type":"Pass", "End":true}'),
        ('{ "Type": "Pass" }', '{ "Type": "Pass", "End": true }'),
        ('{\n "Type": "Pass"\n}', '{\n "Type": "Pass",\n "End": true\n}'),
        ('{"Type": "Pass",\n "Comment": "x"}', '{"Type": "Pass",\n "Comment": "x", "End": true}'),
        ("{Type: Pass # why\n }", "{Type: Pass, End: true # why\n }"),
        ("{\n  Type: Pass # why\n  }", "{\n  Type: Pass, # why\n  End: true\n  }"),
        ("{\n  Type: Pass, # why\n  }", "{\n  Type: Pass, # why\n  End: true\n  }"),
        ("{Type: Pass,}", "{Type: Pass, End: true}"),
    ],
)
def test_an_end_is_put_in_as_its_neighbours_are_written(text: str, expected: str) -> None:
    head = "StartAt: A\nStates:\n  A: "
    assert fix(f"{head}{text}\n").text == f"{head}{expected}\n"


def test_a_change_that_would_change_more_is_left_out() -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Comment: |+\n      x\n\n\n"
    assert apply_changes(text, [Change("SM204", "end", "/States/A")]) == (text, [])
    assert fix(text).changes == ()


def test_what_a_comment_or_an_option_passes_over_is_left() -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Coment: x  # sm: ignore[SM101]\n    End: true\n"
    assert fix(text).changes == ()
    plain = text.replace("  # sm: ignore[SM101]", "")
    assert fix(plain, ignore={"SM101"}).changes == ()
    assert len(fix(plain).changes) == 1


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("Nxt", "Next", 1),
        ("Tpye", "Type", 1),
        ("Paramters", "Parameters", 1),
        ("ab", "xy", 2),
    ],
)
def test_a_swap_is_one_step(one: str, other: str, steps: int) -> None:
    assert distance(one, other) == distance(other, one) == steps


@pytest.mark.skipif(not SHARED.is_dir(), reason="the definitions are not beside this checkout")
def test_a_letter_swapped_in_a_field_of_a_real_workflow_is_expected_back() -> None:
    chance, expected = random.Random(5), 0
    fields = ("Parameters", "ResultPath", "ItemProcessor", "ErrorEquals", "Resource", "Choices", "Variable", "Comment")
    for line in (SHARED / "valid.jsonl").read_text(encoding="utf-8").splitlines()[::5]:
        text = json.loads(line)["text"]
        before = fix(text)
        places = [(field, at) for field in fields if (at := text.find(f'"{field}"')) >= 0]
        if before.changes or not places or check(text)[1]:
            continue
        field, at = chance.choice(places)
        i = chance.choice([i for i in range(1, len(field)) if field[i - 1] != field[i]])
        swapped = field[: i - 1] + field[i] + field[i - 1] + field[i + 1 :]
        fixed = fix(f"{text[: at + 1]}{swapped}{text[at + 1 + len(field) :]}")
        expected += fixed.text == text
        assert fixed.text == text or not fixed.changes, (field, swapped, text)
    assert expected >= 20


# The command


def test_the_diff_is_shown_the_file_written_and_what_is_left_shown(project: Project) -> None:
    file = project.write("w.yaml", "StartAt: A\nStates:\n  A:\n    Type: Pass  # x\n    Coment: y\n    Next: B\n")
    result = project.sm("validate", "--fix", "w.yaml")
    assert (result.code, result.err) == (1, "1 change made in 1 file\n")
    assert "--- a/w.yaml\n+++ b/w.yaml\n" in result.out
    assert "-    Coment: y\n+    Comment: y\n" in result.out
    assert "w.yaml:6:11: error SM203" in result.out
    assert "SM101" not in result.out
    assert file.read_text() == "StartAt: A\nStates:\n  A:\n    Type: Pass  # x\n    Comment: y\n    Next: B\n"
    again = project.sm("validate", "--fix", "w.yaml")
    assert again.err == "nothing to fix\n"
    assert "---" not in again.out


def test_mode_byte_order_mark_line_ends_and_links_stay(project: Project) -> None:
    file = project.write("real/w.yaml", b"\xef\xbb\xbfStartAt: A\r\nStates:\r\n  A:\r\n    Type: Pass\r\n")
    file.chmod(0o640)
    (project.path / "link.yaml").symlink_to("real/w.yaml")
    assert project.sm("validate", "--fix", "link.yaml").code == 0
    assert file.read_bytes() == b"\xef\xbb\xbfStartAt: A\r\nStates:\r\n  A:\r\n    Type: Pass\r\n    End: true\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert (project.path / "link.yaml").is_symlink()
    assert [found.name for found in (project.path / "real").iterdir()] == ["w.yaml"]


def test_a_dry_run_writes_nothing_and_says_whether_the_file_is_valid(project: Project) -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Pass\n"
    file = project.write("w.yaml", text)
    result = project.sm("validate", "--fix", "--dry-run", "w.yaml")
    assert (result.code, file.read_text()) == (1, text)
    assert "+    End: true" in result.out
    assert "SM204" not in result.out
    assert "1 change would be made in 1 file" in result.err
    piped = project.sm("validate", "--fix", "--dry-run", "-", stdin=text)
    assert "+++ b/<stdin>" in piped.out


def test_the_diff_goes_to_stderr_when_stdout_is_data(project: Project) -> None:
    project.write("w.yaml", "StartAt: A\nStates:\n  A:\n    Type: Pass\n")
    result = project.sm("validate", "--fix", "--json", "w.yaml")
    assert result.json == [{"file": "w.yaml", "valid": True, "diagnostics": []}]
    assert "+    End: true" in result.err


def test_a_file_without_a_line_end_gets_none(project: Project) -> None:
    file = project.write("w.json", '{"StartAt":"A","States":{"A":{"Type":"Pass"}}}')
    result = project.sm("validate", "--fix", "w.json")
    assert result.code == 0
    assert result.out.count("\\ No newline at end of file\n") == 2
    assert file.read_text() == '{"StartAt":"A","States":{"A":{"Type":"Pass", "End":true}}}'


def test_a_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("theirs")
    with pytest.raises(UsageError, match="changed while it was being fixed"):
        replace(file, "before", "after")
    assert file.read_text() == "theirs"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told_about(project: Project) -> None:
    file = project.write("w/w.yaml", "StartAt: A\nStates:\n  A:\n    Type: Pass\n")
    file.parent.chmod(0o555)
    try:
        result = project.sm("validate", "--fix", "w/w.yaml")
    finally:
        file.parent.chmod(0o755)
    assert result.code == 2
    assert "w/w.yaml cannot be written" in result.err


def test_nothing_is_left_behind_when_the_rename_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("before")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UsageError, match="No space left"):
        replace(file, "before", "after")
    assert [found.name for found in tmp_path.iterdir()] == ["w.yaml"]
    assert file.read_text() == "before"


def test_a_template_that_is_json_when_its_values_are_in_is_expected_too() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "seconds": ${N}, "End": true}}}'
    assert fix(text).text == text.replace("seconds", "Seconds")
