"""`sm run`: the result on stdout, everything else on stderr, the exit code for scripts."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

ORDER = """
StartAt: ProcessOrder
States:
  ProcessOrder: {Type: Task, Resource: 'process:order', ResultPath: $.orderResult, Next: ValidatePayment}
  ValidatePayment: {Type: Task, Resource: 'arn:aws:lambda:::validate:payment', ResultPath: $.paymentResult, End: true}
"""
HANDLERS = """
@handler("process:order")
def process(order):
    return {"processed": True}

@handler("validate:payment")
async def validate(order, context):
    return {"valid": True, "attempt": context.attempt}
"""
ECHO = "{StartAt: A, States: {A: {Type: Pass, End: true}}}"
WAITS = """
StartAt: WaitForPayment
States:
  WaitForPayment: {Type: Message, CorrelationKey: orderId, CorrelationValuePath: $.orderId, End: true}
"""


@pytest.fixture
def order(project: Project) -> Project:
    project.workflow(ORDER)
    project.handlers(HANDLERS)
    project.write("data.json", '{"orderId": "ORD-1", "amount": 150}')
    return project


def test_the_only_workflow_runs_on_an_input_file_and_prints_its_output(order: Project) -> None:
    result = order.sm("run", "--input", "data.json")
    assert result.code == 0
    assert result.out == (
        '{"orderId":"ORD-1","amount":150,"orderResult":{"processed":true},"paymentResult":{"valid":true,"attempt":1}}\n'
    )
    lines = result.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("execution ")
    assert " SUCCEEDED in " in lines[0]


def test_the_database_lies_beside_the_project(order: Project) -> None:
    order.sm("run", "--input", "data.json")
    assert (order.path / ".sm" / "sm.db").exists()


@pytest.mark.parametrize("wanted", ["order", "workflows/order.yaml", "./workflows/order.yaml"])
def test_a_workflow_is_named_by_name_or_path(order: Project, wanted: str) -> None:
    order.workflow(ECHO, "other.yaml")
    assert "orderResult" in order.sm("run", wanted, "--input", "data.json").json
    assert order.sm("list", "--json").json[0]["workflow"] == "order"


def test_an_asl_json_file_is_named_without_both_suffixes(project: Project) -> None:
    project.workflow('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', "ship.asl.json")
    assert project.sm("run", "ship").code == 0
    assert project.sm("list", "--json").json[0]["workflow"] == "ship"


def test_several_workflows_are_listed_and_none_is_guessed(order: Project) -> None:
    order.workflow(ECHO, "other.yaml")
    result = order.sm("run", "--input", "data.json")
    assert result.code == 2
    assert result.err.startswith("sm: error: workflows/ holds several workflows: order, other")


def test_no_workflow_is_said_with_what_to_do(project: Project) -> None:
    result = project.sm("run")
    assert result.code == 2
    assert "workflows/ holds none" in result.err


def test_a_misspelt_name_is_answered_with_the_nearest(order: Project) -> None:
    result = order.sm("run", "ordr")
    assert result.code == 3
    assert "did you mean 'order'?" in result.err


@pytest.mark.parametrize("where", ["sm.toml", "pyproject.toml"])
def test_the_configuration_names_workflow_handlers_and_database(order: Project, where: str) -> None:
    order.workflow(ECHO, "other.yaml")
    (order.path / "handlers").rename(order.path / "code")
    settings = 'workflow = "order"\nhandlers = "code"\ndatabase = "data/jobs.db"\nconcurrency = 2\n'
    order.write(where, settings if where == "sm.toml" else f"[tool.sm]\n{settings}")
    below = order.write("deep/below/x.txt", "").parent
    order._patch.chdir(below)
    result = order.sm("run", "--input", str(order.path / "data.json"))
    assert result.code == 0, result.err
    assert (order.path / "data" / "jobs.db").exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        ([], "", {}),
        (["a=1", "b=text", "c=true", 'd={"e":[1]}', "f=", "g=a=b"], "",
         {"a": 1, "b": "text", "c": True, "d": {"e": [1]}, "f": "", "g": "a=b"}),
        (["--input", '{"a": 1, "b": 2}', "b=3"], "", {"a": 1, "b": 3}),
        (["--input", "-"], '{"from": "stdin"}', {"from": "stdin"}),
        (["--input", "[1, 2]"], "", [1, 2]),
        (["--input", '"text"'], "", "text"),
        (["--input", "7"], "", 7),
        (["--input", "null"], "", None),
        (["--input", '{"max": 18446744073709551615, "min": -9223372036854775808, "d": 0.1}'], "",
         {"max": 18446744073709551615, "min": -9223372036854775808, "d": 0.1}),
    ],
)  # fmt: skip
def test_input_comes_from_file_stdin_text_and_pairs(
    project: Project, arguments: list[str], stdin: str, expected: object
) -> None:
    project.workflow(ECHO)
    result = project.sm("run", *arguments, stdin=stdin)
    assert result.code == 0, result.err
    assert result.json == expected


def test_a_first_argument_with_an_equals_sign_is_input_unless_it_is_a_file(project: Project) -> None:
    project.workflow(ECHO)
    project.write("a=b.yaml", ECHO)
    assert project.sm("run", "a=b").json == {"a": "b"}
    assert project.sm("run", "a=b.yaml", "c=d").json == {"c": "d"}


def test_a_definition_may_come_from_stdin(project: Project) -> None:
    assert project.sm("run", "-", "a=1", stdin=ECHO).json == {"a": 1}


def test_an_input_over_256_kib_is_warned_about_and_runs(project: Project) -> None:
    project.workflow(ECHO)
    project.write("large.json", json.dumps({"text": "x" * 300_000}))
    result = project.sm("run", "--input", "large.json")
    assert result.code == 0
    assert "sm: warning: the input has 300,011 bytes; AWS takes at most 262,144" in result.err


def test_a_failure_is_printed_with_state_error_and_cause(project: Project) -> None:
    project.workflow("StartAt: Charge\nStates:\n  Charge: {Type: Task, Resource: charge, End: true}\n")
    project.handlers("@handler\ndef charge(x):\n    raise TaskError('CardError', 'no money')\n")
    result = project.sm("run")
    assert result.code == 1
    assert result.out == ""
    assert result.err.splitlines()[1:] == [
        "  state: Charge", "  error: CardError", "  cause: no money", "  at handlers/orders.py:4 in charge",
    ]  # fmt: skip


def test_a_failure_inside_a_map_names_the_iteration(project: Project) -> None:
    project.workflow("""
        StartAt: Each
        States:
          Each:
            Type: Map
            ItemsPath: $.items
            ItemProcessor:
              StartAt: One
              States:
                One: {Type: Choice, Choices: [{Variable: $, NumericEquals: 2, Next: Bad}], Default: Good}
                Bad: {Type: Fail, Error: Two}
                Good: {Type: Succeed}
            End: true
    """)
    result = project.sm("run", "items=[1,2,3]")
    assert result.code == 1
    assert "  state: Bad in Each[1]\n" in result.err


def test_the_same_name_is_one_execution_and_a_closed_one_is_a_conflict(project: Project) -> None:
    project.workflow(WAITS)
    first = project.sm("run", "--detach", "--name", "n1", "orderId=1")
    again = project.sm("run", "--detach", "--name", "n1", "orderId=1")
    assert (first.code, again.code) == (0, 0)
    assert first.out == again.out
    other = project.sm("run", "--name", "n1", "orderId=2")
    assert other.code == 4
    assert "another input" in other.err
    project.sm("stop", "n1")
    closed = project.sm("run", "--name", "n1", "orderId=1")
    assert closed.code == 4
    assert "ABORTED" in closed.err


@pytest.mark.parametrize("name", ["a b", "a/b", "", "x" * 81])
def test_a_name_that_aws_would_refuse_is_refused(project: Project, name: str) -> None:
    project.workflow(ECHO)
    result = project.sm("run", "--name", name)
    assert result.code == 2
    assert result.err.startswith("sm: error: ")


def test_detach_prints_the_id_alone_and_a_worker_finishes_it(order: Project) -> None:
    result = order.sm("run", "--detach", "--input", "data.json")
    assert result.code == 0
    ref = result.out.strip()
    assert len(ref) == 26
    assert result.err == f"execution {ref} of order:1 is started\n"
    assert order.sm("output", ref).code == 6
    assert order.sm("worker", "--drain").code == 0
    assert order.sm("output", ref).json["paymentResult"] == {"valid": True, "attempt": 1}


def test_run_with_a_name_goes_on_with_what_was_detached(order: Project) -> None:
    order.sm("run", "--detach", "--name", "n1", "--input", "data.json")
    result = order.sm("run", "--name", "n1", "--input", "data.json")
    assert result.code == 0
    assert "orderResult" in result.json
    assert len(order.sm("list", "--json").json) == 1


def test_a_timeout_ends_it_as_timed_out(project: Project) -> None:
    project.workflow(WAITS)
    result = project.sm("run", "--timeout", "0.05s", "orderId=1")
    assert result.code == 1
    assert " TIMED_OUT in " in result.err


@pytest.mark.parametrize("span", ["5x", "-1", "", "1h30", "s"])
def test_a_timeout_that_is_no_span_is_refused(project: Project, span: str) -> None:
    project.workflow(ECHO)
    result = project.sm("run", "--timeout", span)
    assert result.code == 2
    assert "--timeout takes seconds or a span" in result.err


def test_a_resource_without_handler_is_refused_before_the_first_state(order: Project) -> None:
    order.handlers("@handler('process:orders')\ndef process(order): return 1\n")
    result = order.sm("run", "--input", "data.json")
    assert result.code == 8
    assert (
        "'process:order' for the state 'ProcessOrder'; 'validate:payment' for the state 'ValidatePayment'" in result.err
    )
    assert "looked in handlers/, which has 1 handler" in result.err
    assert "'process:orders'" in result.err
    assert not (order.path / ".sm").exists()


def test_tasks_without_any_handlers_directory_are_refused(project: Project) -> None:
    project.workflow(ORDER)
    result = project.sm("run")
    assert result.code == 8
    assert "there is no handlers directory at " in result.err


def test_a_workflow_without_tasks_loads_no_handlers(project: Project) -> None:
    project.workflow(ECHO)
    project.handlers("raise RuntimeError('never')\n")
    assert project.sm("run").code == 0


def test_verbose_shows_the_states_on_stderr(order: Project) -> None:
    result = order.sm("run", "-v", "--input", "data.json")
    assert "  ✓ ProcessOrder  " in result.err
    assert result.json["amount"] == 150


def test_a_waiting_message_is_shown_with_the_command_that_moves_it(project: Project) -> None:
    project.workflow(WAITS)
    result = project.sm("run", "-v", "--timeout", "0.05", "orderId=ORD 1")
    assert "WaitForPayment waits for a message; send it with: sm send-message 'orderId=ORD 1'" in result.err


def test_the_environment_names_the_workflow(order: Project) -> None:
    order.workflow(ECHO, "other.yaml")
    order._patch.setenv("SM_WORKFLOW", "other")
    assert order.sm("run", "a=1").json == {"a": 1}


def test_another_handlers_directory_can_be_named(order: Project) -> None:
    (order.path / "handlers").rename(order.path / "elsewhere")
    assert order.sm("run", "--handlers", "elsewhere", "--input", "data.json").code == 0
    order._patch.setenv("SM_HANDLERS", "elsewhere")
    assert order.sm("run", "--input", "data.json").code == 0


def test_the_database_is_named_by_option_or_environment(project: Project) -> None:
    project.workflow(ECHO)
    assert project.sm("run", "--db", "a.db").code == 0
    project._patch.setenv("SM_DATABASE_URL", "sqlite:b.db?sync=normal")
    assert project.sm("run").code == 0
    assert project.path.joinpath("a.db").exists()
    assert project.path.joinpath("b.db").exists()
    assert not project.path.joinpath(".sm").exists()


def test_a_payload_that_aws_would_refuse_is_a_warning_on_stderr(project: Project) -> None:
    project.workflow("{StartAt: A, States: {A: {Type: Task, Resource: work, ResultPath: null, End: true}}}")
    project.handlers("@handler\ndef work(input):\n    return 'x' * 300_000\n")
    result = project.process("run")
    assert (result.code, result.out) == (0, "{}\n")
    assert "the state 'A' of 'order' has a result of 300,002 bytes; AWS allows 262,144\n" in result.err
    assert result.err.count("AWS allows") == 1
