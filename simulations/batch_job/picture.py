"""A campaign as text: a line for each attempt, a column for every two hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.batch_job.environment import DAY_H, when
from simulations.batch_job.rules import RULES, WEEKDAYS
from simulations.batch_job.system import FINISHED
from simulations.batch_job.workload import HOUR_MS
from simulations.drawing.sheet import Lines, Sheet

if TYPE_CHECKING:
    from simulations.batch_job.system import Attempt, Run

__all__ = ["draw", "sheet"]

COLUMN_H: Final = 2
_MARGIN: Final = 4


def draw(run: Run) -> str:
    """Draw a campaign.

    Each attempt is drawn against the days of its own week: `.` the machine is being set up, `=` the job runs,
    `m` a sweep marks the machine, `X` it is ended, `|` it finishes.
    """
    lines = [f"the platform's sweep {RULES[run.job.rule].words}"]
    for attempt in run.attempts:
        lines += ["", *_drawn(run, attempt)]
    return "\n".join(lines)


def sheet(run: Run) -> Sheet:
    """Return what is shown of a campaign."""
    return Sheet(blocks=(Lines(draw(run)),))


def _drawn(run: Run, attempt: Attempt) -> list[str]:
    day_ms = DAY_H * HOUR_MS
    origin_ms = attempt.machine_ms // day_ms * day_ms
    days = range(origin_ms // day_ms, attempt.end_ms // day_ms + 1)
    names = "".join(WEEKDAYS[day % len(WEEKDAYS)].ljust(DAY_H // COLUMN_H) for day in days)
    bar = [" "] * (len(days) * DAY_H // COLUMN_H + 1)

    def column(time_ms: int) -> int:
        return (time_ms - origin_ms) // (COLUMN_H * HOUR_MS)

    for place in range(column(attempt.machine_ms), column(attempt.end_ms)):
        bar[place] = "." if place < column(attempt.start_ms) else "="
    for event in run.trace:
        if event.action == "marks" and attempt.machine_ms <= event.time <= attempt.end_ms:
            bar[column(event.time)] = "m"
    bar[column(attempt.end_ms)] = "|" if attempt.cause == FINISHED else "X"
    margin = " " * _MARGIN
    return [
        f"attempt {attempt.number + 1}",
        (margin + names).rstrip(),
        (margin + "".join(bar)).rstrip(),
        f"{margin}{_ended(run, attempt)}",
    ]


def _ended(run: Run, attempt: Attempt) -> str:
    local = when(attempt.end_ms + attempt.shift_h * HOUR_MS)
    done = f"{attempt.done} of {run.job.tests} tests done"
    if attempt.cause == FINISHED:
        return f"finished at hour {attempt.job_hours:.1f}, {local}: {done}"
    return (
        f"ended by {attempt.cause} at hour {attempt.job_hours:.1f}, {local}: {done}, {attempt.saved} kept, "
        f"{attempt.lost_ms / HOUR_MS:.1f} hours lost"
    )
