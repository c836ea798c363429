"""`sm test`: the test cases of a project, found, chosen, run, and told to people and programs."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Project

FLOW = """\
    StartAt: A
    States:
      A: {Type: Task, Resource: work, Next: W}
      W: {Type: Wait, Seconds: '${Pause}', End: true}
    """
TESTS = """\
    substitutions: {Pause: 3600}
    tests:
      - name: it works
        stub: {work: {done: true}}
        expect: {output: {done: true}}
      - name: the handler works
        input: {n: 2}
        expect: {output: 4}
    """
FAILING = """\
    tests:
      - name: it is wrong
        workflow: order
        substitutions: {Pause: 0}
        stub: {work: {a: 1, b: 2}}
        expect: {output: {a: 2, b: 2}, states: [A]}
    """


@pytest.fixture
def shop(project: Project) -> Project:
    project.workflow(FLOW)
    project.handlers('@handler("work")\ndef work(order):\n    print("working")\n    return 2 * order["n"]\n')
    project.write("sm.toml", "")
    project.write("workflows/order.test.yaml", TESTS)
    return project


def test_the_tests_beside_the_workflows_and_in_their_folder_are_run(shop: Project) -> None:
    shop.write(
        "tests/more.test.json",
        '{"tests": [{"name": "too", "workflow": "order", "stub": {"work": 1}, "substitutions": {"Pause": 1}}]}',
    )
    result = shop.sm("test")
    assert (result.code, result.out) == (
        0,
        "workflows/order.test.yaml\n  ok    it works\n  ok    the handler works\ntests/more.test.json\n  ok    too\n"
        "3 tests: 3 passed, 0 failed\n",
    ), result.err  # fmt: skip


def test_a_test_that_fails_says_what_was_expected_and_what_came(shop: Project) -> None:
    shop.write("tests/order.test.yaml", FAILING)
    result = shop.sm("test", "tests")
    assert (result.code, result.out.splitlines()) == (
        1,
        [
            "tests/order.test.yaml",
            "  FAIL  it is wrong  (tests/order.test.yaml:2)",
            "          output/a: expected 2, got 1",
            '          states: expected the end as number 2, got "W"; the path was A > W',
            "1 test: 0 passed, 1 failed",
        ],
    )


def test_a_stub_that_nothing_calls_is_told_of_a_test_and_of_a_file(shop: Project) -> None:
    shop.write("tests/order.test.yaml", """\
        substitutions: {Pause: 0}
        workflow: order
        stub: {wrok: 1}
        tests:
          - {name: own, stub: {wurk: 1}, input: {n: 2}}
          - {name: shared, input: {n: 2}}
    """)  # fmt: skip
    result = shop.sm("test", "tests")
    assert (result.code, result.out.splitlines()) == (
        1,
        [
            "tests/order.test.yaml", "  FAIL  own  (tests/order.test.yaml:5)",
            "          stub: nothing called 'wurk'; did you mean 'work'?", "  ok    shared",
            "2 tests: 1 passed, 1 failed",
        ],
    )  # fmt: skip
    warning = "sm: warning: tests/order.test.yaml: no test calls the stub 'wrok'; did you mean 'work'?"
    assert warning in result.err.splitlines()
    assert shop.sm("test", "tests", "-k", "shared").code == 0
    for chosen in (["-k", "shared"], ["-x"]):
        assert "no test calls" not in shop.sm("test", "tests", *chosen).err, "the others may call it"


def test_another_folder_is_named_by_the_configuration(shop: Project) -> None:
    shop.write("sm.toml", 'tests = "cases"\n')
    shop.write("cases/deep/order.test.yaml", FAILING)
    shop.write("tests/order.test.yaml", "nothing: at all\n")
    assert "cases/deep/order.test.yaml" in shop.sm("test").out


def test_some_are_chosen_by_their_names_and_the_first_failure_can_be_the_end(shop: Project) -> None:
    shop.write("tests/a.test.yaml", FAILING)
    assert "1 test: 1 passed" in shop.sm("test", "-k", "HANDLER").out
    assert "1 test: 0 passed, 1 failed" in shop.sm("test", "-x", "tests", "workflows").out
    none = shop.sm("test", "-k", "nothing")
    assert (none.code, none.err) == (2, "sm: error: none of the 3 tests has 'nothing' in its file and name\n")


def test_programs_get_documents(shop: Project) -> None:
    shop.write("tests/order.test.yaml", FAILING)
    result = shop.sm("test", "-o", "json", "--junit", "report.xml")
    assert result.code == 1
    documents = result.json
    assert [(each["name"], each["passed"]) for each in documents] == [
        ("it works", True), ("the handler works", True), ("it is wrong", False)
    ]  # fmt: skip
    assert documents[2]["failures"][0] == "output/a: expected 2, got 1"
    root = ElementTree.parse(shop.path / "report.xml").getroot()
    assert root.attrib["tests"] == "3"
    assert root.attrib["failures"] == "1"
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.text or "").startswith("output/a: expected 2, got 1")


def test_values_on_the_command_line_win(shop: Project) -> None:
    shop.write("tests/order.test.yaml", "tests:\n  - {name: one, workflow: order, stub: true, handlers: false}\n")
    without = shop.sm("test", "tests")
    assert without.code == 1
    assert "${Pause}" in without.out
    assert shop.sm("test", "tests", "--substitutions", "Pause=1").code == 0


def test_a_machine_of_a_template_is_tested(shop: Project) -> None:
    machine = "{StartAt: A, States: {A: {Type: Task, Resource: !GetAtt Fn.Arn, End: true}}}"
    shop.write(
        "stack/template.yaml",
        f"""\
        Resources:
          Fn: {{Type: AWS::Serverless::Function}}
          Flow: {{Type: AWS::Serverless::StateMachine, Properties: {{Definition: {machine}}}}}
        """,
    )
    shop.write(
        "stack/flow.test.yaml",
        """\
        workflow: template.yaml#Flow
        tests:
          - {name: one, stub: {Fn: 1}, expect: {output: 1}}
        """,
    )
    result = shop.sm("test", "stack")
    assert result.code == 0, result.out


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("tests/other.test.yaml", "tests:\n  - name: one\n", "there is no 'other' beside tests/other.test.yaml"),
        (
            "tests/order.test.yaml",
            "tests:\n  - {name: one, workflow: ordr}\n",
            "no workflow of that name in workflows/",
        ),
        ("tests/order.test.yaml", "tests:\n  - {name: one, workflow: broken.yaml}\n", "Next names 'Z'"),
    ],
)
def test_a_workflow_that_is_not_there_or_broken_fails_its_test_alone(
    shop: Project, file: str, text: str, sentence: str
) -> None:
    shop.write("tests/broken.yaml", "StartAt: A\nStates:\n  A: {Type: Pass, Next: Z}\n")
    shop.write(file, text)
    result = shop.sm("test")
    assert result.code == 1
    assert sentence in result.out
    assert "3 tests: 2 passed, 1 failed" in result.out


def test_no_tests_and_wrong_files_are_mistakes_of_use(shop: Project) -> None:
    (shop.path / "workflows" / "order.test.yaml").unlink()
    nothing = shop.sm("test")
    assert (nothing.code, nothing.err) == (
        2,
        "sm: error: there are no tests in workflows, tests: their files end in .test.yaml, .test.yml, .test.json\n",
    )
    shop.write("tests/order.test.yaml", "tests:\n  - {name: one, inptu: 1}\n")
    wrong = shop.sm("test")
    assert wrong.code == 2
    assert "tests/order.test.yaml:2:17: 'inptu' is nothing that a test has" in wrong.err
    assert "did you mean 'input'?" in wrong.err
    assert shop.sm("test", "nowhere.test.yaml").code == 3


def test_tests_are_no_workflows(shop: Project) -> None:
    result = shop.sm("validate")
    assert (result.code, result.out, result.err) == (0, "workflows/order.yaml: OK\n", "")
    assert "order.test" not in shop.sm("workflow", "list").out
