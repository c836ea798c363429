"""What can be done, as a fact."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from sm_cli.views.actions import Action, Do


def test_an_action_without_arguments_is_the_same_as_another() -> None:
    assert Action(Do.LIST_TASKS) == Action(Do.LIST_TASKS, ())
    assert Action(Do.LIST_TASKS) != Action(Do.START_WORKER)


def test_an_action_is_a_value_that_a_set_may_hold_and_nobody_changes() -> None:
    action = Action(Do.SEND_MESSAGE, ("k", "v"))
    assert len({action, Action(Do.SEND_MESSAGE, ("k", "v")), Action(Do.SEND_MESSAGE, ("k", "w"))}) == 2
    with pytest.raises(FrozenInstanceError):
        action.do = Do.REDRIVE  # type: ignore[misc]


def test_no_two_things_to_do_are_one() -> None:
    assert len({do.value for do in Do}) == len(Do.__members__)
