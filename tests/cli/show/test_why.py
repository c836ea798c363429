"""`sm why`: one paragraph, and the commands below it."""

from __future__ import annotations

from tests.cli.conftest import Project
from tests.cli.messages.test_messages import ORDER, SHIP, begun, plain


def test_an_execution_is_explained_until_it_is_closed(project: Project) -> None:
    project.workflow(ORDER)
    file = project.handlers(SHIP)
    ref = begun(project, "ORD 1", "one")
    said = project.sm("why", "one")
    assert (said.code, said.err) == (0, "")
    assert plain(said.out) == (
        "Execution one (ID) of order has been RUNNING since TIME. WaitForPayment has waited since TIME for the message "
        "orderId=ORD 1, until TIME.\n  sm send-message 'orderId=ORD 1'\n"
    )
    project.sm("send-message", "orderId=ORD 1")
    file.unlink()
    assert "no handler of that name is there; write one with @handler('ship')." in project.sm("why", ref).out
    project.handlers(SHIP)
    free = project.sm("why", ref)
    assert "Ship waits for a worker with the handler 'ship', and no worker is running.\n  sm worker\n" in free.out
    assert project.sm("worker", "--once").code == 0
    assert plain(project.sm("why", "one").out) == (
        "Execution one (ID) of order began at TIME. Nothing is left to do: it ended SUCCEEDED at TIME.\n"
        "  sm output ID\n"
    )


def test_a_failed_execution_names_the_state_and_the_error(project: Project) -> None:
    project.workflow(ORDER)
    project.handlers(SHIP)
    ref = begun(project)
    project.sm("send-message", "orderId=ORD-1", "--data", '{"lost": true}')
    project.sm("worker", "--once")
    said = plain(project.sm("why", ref).out)
    assert said == (
        "Execution ID of order began at TIME and failed in Ship, at handlers/orders.py:5 in ship. "
        "Nothing is left to do: it ended FAILED at TIME with Lost: at sea.\n  sm redrive ID\n"
    )


def test_reasons_are_told_as_json(project: Project) -> None:
    project.workflow(ORDER)
    project.handlers(SHIP)
    ref = begun(project)
    document = project.sm("why", ref, "--json").json
    (reason,) = document["reasons"]
    assert (document["execution_id"], document["status"]) == (ref, "RUNNING")
    assert (reason["kind"], reason["state"]) == ("message", "WaitForPayment")
    assert reason["command"] == "sm send-message orderId=ORD-1"
    assert reason["until"].endswith("Z")


def test_handlers_that_cannot_be_loaded_are_a_warning(project: Project) -> None:
    project.workflow(ORDER)
    project.handlers(SHIP)
    begun(project)
    project.handlers("1 / 0\n")
    project.sm("send-message", "orderId=ORD-1")
    said = project.sm("why", "@last", "--import")
    assert said.code == 0
    assert said.err.startswith("sm: warning: the handlers cannot be loaded: handlers/orders.py:2")
    assert "no worker is running" in said.out
