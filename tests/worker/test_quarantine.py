"""Which suspect a worker sees to, and when."""

from __future__ import annotations

import pytest

from sm_cli.store.records import Company, Job
from sm_cli.worker.pool import Pool
from sm_cli.worker.quarantine import PATIENCE, Quarantine


def job(id: int, company: Company = Company.SOME) -> Job:
    return Job(id, 1, 10 * id, 1, "T", "work", None, company=company)


class Here:
    """A worker with these jobs, at a time that the test sets."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs = {(each.frame, each.seq): each for each in jobs}
        self.time = 0
        self.pool = Pool(4, lambda: None)
        self.quarantine = Quarantine(self.jobs, self.pool, lambda: self.time)

    def choose(self, *suspects: Job) -> tuple[int, bool] | None:
        choice = self.quarantine.choose(list(suspects))
        return None if choice is None else (choice[0].id, choice[1])


def test_an_idle_worker_begins_the_first_one() -> None:
    assert Here().choose(job(3), job(2)) == (3, True)


def test_a_worker_at_work_keeps_the_first_one_that_has_waited() -> None:
    here = Here(job(1))
    assert here.choose(job(2)) is None
    here.time = PATIENCE - 1
    assert here.choose(job(3), job(2)) is None
    here.time += 1
    assert here.choose(job(3), job(2)) == (2, False)


def test_one_that_is_not_seen_for_a_moment_has_waited_all_the_same() -> None:
    here = Here(job(1))
    assert here.choose(job(2)) is None
    assert here.choose(job(3)) is None
    here.time = PATIENCE
    assert here.choose(job(2), job(3)) == (2, False)


def test_one_that_was_not_seen_for_long_begins_to_wait_anew() -> None:
    here = Here(job(1))
    assert here.choose(job(2)) is None
    here.time = 6 * PATIENCE
    assert here.choose(job(3)) is None
    assert here.choose(job(2)) is None


@pytest.mark.parametrize(("company", "at_work"), [(Company.IN_THE_WAY, 0), (Company.SOME, 1)])
def test_with_a_suspect_nothing_else_is_taken_and_one_that_waits_is_not_at_work(company: Company, at_work: int) -> None:
    here = Here()
    assert here.quarantine.slots == 4
    suspect = job(1, company)
    here.jobs[suspect.frame, suspect.seq] = suspect
    here.quarantine.note(suspect)
    assert (here.quarantine.slots, here.quarantine.at_work) == (0, at_work)
    assert here.quarantine.may_begin() is (company is Company.IN_THE_WAY)
    del here.jobs[suspect.frame, suspect.seq]
    assert here.quarantine.suspect is None
    assert (here.quarantine.slots, here.quarantine.at_work, here.quarantine.may_begin()) == (4, 0, False)
