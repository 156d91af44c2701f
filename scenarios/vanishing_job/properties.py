"""What must be true of a batch job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.batch_job.environment import DAY_H, when
from simulations.batch_job.observations import died_silently
from simulations.batch_job.workload import HOUR_MS

if TYPE_CHECKING:
    from simulations.batch_job.system import Attempt, Run

FATAL_HOUR: Final = 70
"""The hour of the job at which it was seen to die."""
DAY_MS: Final = DAY_H * HOUR_MS
"""A day in milliseconds."""


def survives_hour_70(run: Run) -> None:
    """A job that has run for 70 hours is not thrown away without a word.

    Exactly 70, since that is what was seen; a death at hour 69 or 71 is another story. Where the team reruns
    the job, the last attempt counts.
    """
    last = run.attempts[-1]
    at_hour_70 = last.end_ms - last.start_ms == FATAL_HOUR * HOUR_MS
    assert not (at_hour_70 and died_silently(last) and last.lost_ms >= DAY_MS), _how_it_ended(run, last)


def keeps_its_work(run: Run) -> None:
    """No silent death costs a day's work, at any hour."""
    for attempt in run.attempts:
        assert not (died_silently(attempt) and attempt.lost_ms >= DAY_MS), _how_it_ended(run, attempt)


def is_over_by_monday(run: Run) -> None:
    """Where the platform sweeps by the calendar, a job that was launched in time is over before the sweep."""
    for attempt in run.attempts:
        assert not (run.job.rule == "calendar" and died_silently(attempt)), _how_it_ended(run, attempt)


def _how_it_ended(run: Run, attempt: Attempt) -> str:
    again = f", attempt {attempt.number + 1} of {len(run.attempts)}" if len(run.attempts) > 1 else ""
    local = when(attempt.end_ms + attempt.shift_h * HOUR_MS)
    return (
        f"killed at hour {attempt.job_hours:g} ({local}{again}), unfinished: {attempt.done} of "
        f"{run.job.tests} tests done, {attempt.saved} kept; no traceback, no signal seen, the machine is up"
    )
