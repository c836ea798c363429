"""`sm workflow`, and `sm run` by version and alias: what is taken, what is told, what is refused."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

TEXT = "Comment: the text {n}\nStartAt: P\nStates:\n  P: {{Type: Pass, Result: {n}, End: true}}\n"


def write(project: Project, n: int, name: str = "order.yaml") -> None:
    project.workflow(TEXT.format(n=n), name)


@pytest.fixture
def three(project: Project) -> Project:
    """Three versions of order; the file has the third."""
    for n in (1, 2, 3):
        write(project, n)
        assert project.sm("run", "order").out == f"{n}\n"
    return project


def test_the_text_of_the_file_wins_for_the_bare_name_and_is_registered_if_it_is_new(three: Project) -> None:
    write(three, 4)
    result = three.sm("run", "order")
    assert (result.out, "of order:4 SUCCEEDED in" in result.err) == ("4\n", True)
    write(three, 2)
    assert "of order:2 SUCCEEDED in" in three.sm("run", "order").err
    assert "of order:1 SUCCEEDED in" in three.sm("run", "order:1").err


def test_a_file_outside_of_the_project_says_which_version_it_is(three: Project) -> None:
    three.write("elsewhere/order.yaml", TEXT.format(n=2))
    assert "of order:2 SUCCEEDED in" in three.sm("run", "elsewhere/order.yaml").err


def test_a_name_without_a_file_means_the_current_version_of_the_database(three: Project) -> None:
    (three.path / "workflows/order.yaml").unlink()
    assert three.sm("run", "order").out == "3\n"
    three.sm("workflow", "rollback", "order")
    assert three.sm("run", "order").out == "2\n"
    assert three.sm("run", "ordre").err.startswith("sm: error: there is no file 'ordre'")


def test_a_reference_may_stand_in_the_settings(three: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    three.write("sm.toml", 'workflow = "order:2"\n')
    assert three.sm("run").out == "2\n"
    monkeypatch.setenv("SM_WORKFLOW", "order:1")
    assert three.sm("run").out == "1\n"


def test_what_runs_stays_on_its_version_when_the_file_is_edited(project: Project) -> None:
    project.workflow("StartAt: M\nStates:\n  M: {Type: Message, CorrelationKey: k, CorrelationValue: 1, End: true}\n")
    text = project.path / "workflows/order.yaml"
    text.write_text(text.read_text().replace("CorrelationValue: 1", "CorrelationValuePath: $.v"))
    ref = project.sm("run", "order", "v=7", "--detach").out.strip()
    project.sm("run", "order", "v=8", "--detach")
    write(project, 5)
    assert project.sm("run", "order").out == "5\n"
    project.sm("worker", "--once")
    project.sm("send-message", "k=7", "--data", "1")
    project.sm("worker", "--drain")
    shown = project.sm("show", ref, "--json").json
    assert (shown["version"], shown["status"]) == (1, "SUCCEEDED")
    listed = project.sm("list", "-o", "json").json
    assert [(each["workflow"], each["version"], each["alias"]) for each in listed] == [
        ("order", 2, None), ("order", 1, None), ("order", 1, None),
    ]  # fmt: skip
    assert "order:2" in project.sm("list").out


def test_an_alias_is_kept_and_shown(three: Project) -> None:
    assert three.sm("workflow", "alias", "order", "prod=2").code == 0
    ref = three.sm("run", "order:prod", "--detach").out.strip()
    three.sm("workflow", "alias", "order", "prod=3")
    three.sm("worker", "--drain")
    shown = three.sm("show", ref, "--json").json
    assert (shown["version"], shown["alias"], shown["output"]) == (2, "prod", 2)
    assert "alias       prod" in three.sm("show", ref).out
    first = three.sm("history", ref, "--events", "--json").json["events"][0]
    assert first["executionStartedEventDetails"]["stateMachineAliasArn"].endswith(":stateMachine:order:prod")


def test_an_express_execution_runs_a_version_and_keeps_it(three: Project) -> None:
    assert three.sm("run", "order:1", "--express").out == "1\n"
    assert three.sm("run", "order:2", "--express", "--keep-history").out == "2\n"
    assert three.sm("list", "-o", "json").json[0]["version"] == 2


def test_nested_executions_resolve_at_their_own_start(three: Project) -> None:
    three.workflow(
        """
        StartAt: Start
        States:
          Start:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Parameters: {StateMachineArn: "arn:aws:states:us-east-1:111111111111:stateMachine:order:prod", Input: {}}
            End: true
        """,
        "parent.yaml",
    )
    outcome = three.sm("run", "parent").json  # nobody has set an alias: the name alone counts
    assert (outcome["Output"], "StateMachineVersionArn" in outcome) == (3, False)
    three.sm("workflow", "alias", "order", "prod=1")
    outcome = three.sm("run", "parent").json
    assert outcome["Output"] == 1
    assert outcome["StateMachineVersionArn"].endswith(":order:1")
    assert outcome["StateMachineAliasArn"].endswith(":order:prod")
    three.sm("workflow", "alias", "order", "--delete", "prod")
    three.sm("workflow", "alias", "order", "blue=1")
    result = three.sm("run", "parent")
    assert (result.code, "State Machine Does Not Exist: 'order:prod'" in result.err) == (1, True)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("run order:9", 3, "has no version 9; it has 3, 2, 1"),
        ("run order:blue", 3, "has no alias 'blue'"),
        ("run order:", 2, "no version and no alias after its colon"),
        ("run nobody:1", 3, "no workflow 'nobody'"),
        ("workflow versions nobody", 3, "no workflow 'nobody'"),
        ("workflow versions order:1", 2, "name 'order'"),
        ("workflow show order:9", 3, "has no version 9"),
        ("workflow alias order prod=1:60,2:60", 2, "60 and 60 make 120"),
        ("workflow alias order prod=1:60", 2, "not to 60"),
        ("workflow alias order prod=9", 3, "has no version 9"),
        ("workflow alias order prod", 2, "prod=5"),
        ("workflow alias order prod=1 --delete blue", 2, "not both"),
        ("workflow alias order 12=1", 2, "no number"),
        ("workflow alias nobody prod=1", 3, "no workflow 'nobody'"),
        ("workflow rollback order --to 9", 3, "has no version 9"),
        ("workflow rollback order --to x", 2, "--to takes the number"),
        ("workflow rollback order:2", 2, "one version for good"),
        ("workflow delete order", 2, "Nobody can answer here"),
        ("workflow delete order:blue", 2, "no number of a version"),
        ("workflow delete order:9", 3, "has no version 9"),
        ("workflow diff order:1 order:9", 3, "has no version 9"),
        ("workflow export order:9", 3, "has no version 9"),
        ("workflow register nowhere.yaml", 3, "no file nowhere.yaml"),
        ("workflow register order --name a:b", 2, "a colon stands before a version"),
        ("workflow register order --alias 7", 2, "no number"),
        ("workflow versions order -o xml", 2, "-o takes"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(three: Project, line: str, code: int, says: str) -> None:
    before = three.sm("workflow", "versions", "order", "--json").out
    result = three.sm(*line.split())
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert "Traceback" not in result.err
    assert three.sm("workflow", "versions", "order", "--json").out == before


def test_a_reference_without_a_database_is_told_so(project: Project) -> None:
    result = project.sm("run", "order:3")
    assert result.code == 3
    assert "there is no 'order:3': nothing was registered" in result.err


def test_a_text_that_is_not_valid_is_not_registered(three: Project) -> None:
    three.write("bad.yaml", "StartAt: A\nStates: {}\n")
    result = three.sm("workflow", "register", "bad.yaml")
    assert result.code == 1
    assert three.sm("workflow", "list", "--json").json[0]["name"] == "order"


def test_a_version_that_an_open_execution_needs_is_not_deleted(project: Project) -> None:
    project.workflow(
        "StartAt: W\nStates:\n  W: {Type: Message, CorrelationKey: k, CorrelationValuePath: $.v, End: true}\n"
    )
    open_one = project.sm("run", "order", "v=1", "--detach").out.strip()
    write(project, 2)
    project.sm("run", "order")
    result = project.sm("workflow", "delete", "order:1")
    assert (result.code, "is needed by execution" in result.err) == (4, True)
    project.sm("stop", open_one)
    assert project.sm("workflow", "delete", "order:1").code == 0
    assert [each["version"] for each in project.sm("list", "--json").json] == [2, 1]
    assert project.sm("graph", "--execution", open_one, "order").code == 0


def test_what_is_exported_is_the_text_to_the_letter(three: Project) -> None:
    assert three.sm("workflow", "export", "order:2").out == TEXT.format(n=2)


def test_a_version_is_compared_with_the_file_unless_another_one_is_named(three: Project) -> None:
    assert "+  P: {Type: Pass, Result: 3, End: true}" in three.sm("workflow", "diff", "order:1").out
    changes = three.sm("workflow", "diff", "order:1", "order:2", "--json").json
    assert [change["pointer"] for change in changes] == ["/Comment", "/States/P/Result"]
    three.write("other.json", json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}))
    assert "other.json" in three.sm("workflow", "diff", "order:1", "other.json").out
    same = three.sm("workflow", "diff", "order:2", "order:2")
    assert (same.out, same.err) == ("", "order:2 and order:2 are the same definition\n")


def test_without_a_file_a_version_is_compared_with_the_one_before_it(three: Project) -> None:
    (three.path / "workflows/order.yaml").unlink()
    shown = three.sm("workflow", "diff", "order").out
    assert shown == three.sm("workflow", "diff", "order:2", "order:3").out != ""
    assert three.sm("workflow", "diff", "order:2").out == three.sm("workflow", "diff", "order:1", "order:2").out
    first = three.sm("workflow", "diff", "order:1")
    assert (first.code, "has no version before 1" in first.err) == (3, True)


def test_data_in_a_text_is_escaped_on_its_way_to_a_terminal_s_reader(project: Project) -> None:
    project.workflow('Comment: "a\\e[31mred"\nStartAt: P\nStates:\n  P: {Type: Succeed}\n')
    project.sm("run", "order")
    assert "\x1b" not in project.sm("workflow", "show", "order").out


def test_a_list_has_workflows_of_the_database_and_files_that_were_never_run(three: Project) -> None:
    write(three, 9, "fresh.yaml")
    three.workflow("nonsense: [", "broken.yaml")
    (three.path / "workflows/order.yaml").unlink()
    listed = {each["name"]: each for each in three.sm("workflow", "list", "--json").json}
    assert listed["order"] | {"registered": ""} == {
        "name": "order", "version": 3, "version_count": 3, "aliases": {}, "registered": "", "file": None,
    }  # fmt: skip
    assert listed["fresh"]["file"]["problem"] == "new text"
    assert listed["broken"]["file"]["problem"] == "not valid"


FAILING = """
    StartAt: Pack
    States:
      Pack: {{Type: Pass, Result: {{parcel: 1}}, Next: Book}}
      Book: {{Type: Pass, Parameters: {{"of.$": {path}}}, End: true}}
"""


def test_a_failed_execution_goes_on_with_a_text_that_was_mended(project: Project) -> None:
    file = project.workflow(FAILING.format(path="$.parcels"), "ship.yaml")
    assert project.sm("run", "ship", "--name", "monday").code == 1
    project.workflow(FAILING.format(path="$.parcel"), "ship.yaml")
    shown = project.sm("redrive", "monday", "--definition", str(file), "--dry-run", "--json").json
    assert (shown["again"], shown["version"]) == ([{"state": "Book", "type": "Pass", "where": []}], None)
    assert len(project.sm("workflow", "versions", "ship", "--json").json) == 1
    result = project.sm("redrive", "monday", "--definition", "ship")
    assert "goes on with ship:2" in result.err
    assert project.sm("output", "monday").out == '{"of":1}\n'
    assert project.sm("list", "--json").json[0]["version"] == 2


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--version", "2"), 4, "'Pack', which was passed, is not at the top level"),
        (("--version", "9"), 3, "has no version 9"),
        (("--version", "two"), 2, "--version takes the number"),
        (("--version", "1", "--definition", "ship"), 2, "not both"),
        (("--definition", "nowhere.yaml"), 3, "no file nowhere.yaml"),
        (("--definition", "other.yaml"), 4, "cannot go on with the other text: "),
    ],
)
def test_what_does_not_fit_is_refused(project: Project, options: tuple[str, ...], code: int, says: str) -> None:
    project.workflow(FAILING.format(path="$.parcels"), "ship.yaml")
    project.sm("run", "ship", "--name", "monday")
    project.write("other.yaml", TEXT.format(n=1))
    project.sm("workflow", "register", "other.yaml", "--name", "ship")
    result = project.sm("redrive", "monday", *options)
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert project.sm("show", "monday", "--json").json["status"] == "FAILED"
