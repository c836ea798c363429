"""How long one evaluation may take, and how long a worker may be silent, are settings."""

from __future__ import annotations

import pytest

from sm_cli.cli.project.opening import opened_engine
from tests.cli.conftest import Project

#: Ends after some seconds on any machine, and after one with the setting.
LONG = """
StartAt: A
QueryLanguage: JSONata
States:
  A: {Type: Pass, End: true, Output: "{% $sum($map([1..900000], function($n) { $n % 7 })) %}"}
"""


@pytest.mark.parametrize("way", ["sm.toml", "SM_EVALUATION_SECONDS"])
def test_an_evaluation_ends_when_its_time_is_up(project: Project, way: str) -> None:
    project.workflow(LONG)
    if way == "sm.toml":
        project.write("sm.toml", "evaluation_seconds = 1\n")
    else:
        project._patch.setenv(way, "1")
    result = project.sm("run")
    assert result.code == 1
    assert "error: States.QueryEvaluationError" in result.err
    assert "1 s" in result.err


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1e3", "99999"])
def test_a_time_that_is_none_is_a_sentence(project: Project, given: str) -> None:
    project.workflow(LONG)
    project._patch.setenv("SM_EVALUATION_SECONDS", given)
    result = project.sm("run")
    assert result.code == 7
    assert f"SM_EVALUATION_SECONDS is a number of seconds from 1 to 3,600, not '{given}'" in result.err


@pytest.mark.parametrize("way", ["sm.toml", "SM_SILENCE_SECONDS"])
def test_how_long_a_silent_worker_keeps_its_jobs_is_a_setting(project: Project, way: str) -> None:
    if way == "sm.toml":
        project.write("sm.toml", "silence_seconds = 30\n")
    else:
        project.write("sm.toml", "silence_seconds = 900\n")
        project._patch.setenv(way, "30")
    with opened_engine(None, create=True) as engine:
        assert engine.settings.silence == 30_000_000
    project.workflow(LONG)
    project._patch.setenv("SM_SILENCE_SECONDS", "0")
    result = project.sm("run")
    assert result.code == 7
    assert "SM_SILENCE_SECONDS is a number of seconds from 1 to 604,800, not '0'" in result.err


def test_how_many_workers_a_task_may_cost_is_a_setting(project: Project) -> None:
    project.write("sm.toml", "most_lost = 9\n")
    with opened_engine(None, create=True) as engine:
        assert engine.settings.most_lost == 9
    project._patch.setenv("SM_MOST_LOST", "2")
    with opened_engine(None, create=True) as engine:
        assert engine.settings.most_lost == 2
    project.workflow(LONG)
    project._patch.setenv("SM_MOST_LOST", "0")
    result = project.sm("run")
    assert result.code == 7
    assert "SM_MOST_LOST is a number of workers from 1 to 1,000, not '0'" in result.err
