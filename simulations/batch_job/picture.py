"""A campaign as a picture: a row for each attempt, against the days of its week; and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.batch_job.environment import DAY_H, when
from simulations.batch_job.rules import RULES, WEEKDAYS
from simulations.batch_job.system import FINISHED
from simulations.batch_job.workload import HOUR_MS
from simulations.drawing.marks import FAILS, NEAREST, Kind, Look, Span, Spot, Tone, Track, Tracks
from simulations.drawing.sheet import Lines, Sheet
from simulations.drawing.text import track_cells

if TYPE_CHECKING:
    from simulations.batch_job.system import Attempt, Run

__all__ = ["draw", "pictures", "sheet", "tracks"]

COLUMN_H: Final = 2
_MARGIN: Final = 4
_DAY_MS: Final = DAY_H * HOUR_MS

_KINDS: Final = (
    Kind(" ", "nothing", Look.BLANK),
    Kind(" ", "what it would have needed to finish", Look.HATCHED),
    Kind("'", "the job's own log counts tests", Look.TICK),
    Kind(".", "the machine is being set up", Look.DARK),
    Kind("=", "the job runs", Look.SOLID),
    Kind("m", "a sweep marks the machine", Look.DIAMOND),
    Kind("X", "it is ended", Look.CROSS),
    Kind("|", "it finishes", Look.DOT),
)
_MISSING, _BEAT, _SET_UP, _RUNS, _MARKED, _KILLED, _FINISHED = range(1, len(_KINDS))


def draw(run: Run) -> str:
    """Draw a campaign.

    Each attempt is drawn against the days of its own week: `.` the machine is being set up, `=` the job runs,
    `m` a sweep marks the machine, `X` it is ended, `|` it finishes.
    """
    picture = tracks(run)
    lines = [f"the platform's sweep {RULES[run.job.rule].words}"]
    margin = " " * _MARGIN
    for track in picture.tracks:
        days = len(track.ticks)
        names = "".join(name.ljust(DAY_H // COLUMN_H) for _, name in track.ticks)
        bar = track_cells(picture, track, days * DAY_H // COLUMN_H)
        lines += ["", track.label, *(f"{margin}{row}".rstrip() for row in (names, bar, track.note))]
    return "\n".join(lines)


def tracks(run: Run, title: str = "The campaign") -> Tracks:
    """Return a campaign as a row for each attempt, against the days of its week.

    Args:
        run: The campaign.
        title: What stands above it.
    """
    return Tracks(
        title=title,
        kinds=_KINDS,
        tracks=tuple(_track(run, attempt) for attempt in run.attempts),
        said=(f"The platform's sweep {RULES[run.job.rule].words}.",),
    )


def pictures(run: Run, beside: Run | None = None) -> tuple[Tracks, ...]:
    """Return the picture of a campaign, alone, or as one that fails beside one that passes."""
    if beside is None:
        return (tracks(run),)
    return (tracks(run, f"{Tone.BAD} {FAILS}"), tracks(beside, f"{Tone.GOOD} {NEAREST}"))


def sheet(run: Run) -> Sheet:
    """Return what is shown of a campaign."""
    return Sheet(blocks=(Lines(draw(run), drawn=True),), pictures=pictures(run))


def _track(run: Run, attempt: Attempt) -> Track:
    first, last = attempt.machine_ms // _DAY_MS, attempt.end_ms // _DAY_MS
    whole_ms = attempt.start_ms + run.schedules[attempt.number].makespan_ms
    spans = (
        Span(attempt.end_ms, whole_ms if attempt.cause != FINISHED else attempt.end_ms, _MISSING),
        Span(attempt.machine_ms, min(attempt.start_ms, attempt.end_ms), _SET_UP),
        Span(attempt.start_ms, attempt.end_ms, _RUNS),
    )
    spots = [
        Spot(event.time, _MARKED if event.action == "marks" else _BEAT)
        for event in run.trace
        if event.action in {"marks", "progress"} and attempt.machine_ms <= event.time <= attempt.end_ms
    ]
    spots.append(Spot(attempt.end_ms, _FINISHED if attempt.cause == FINISHED else _KILLED))
    return Track(
        label=f"attempt {attempt.number + 1}",
        low=first * _DAY_MS,
        high=(last + 1) * _DAY_MS,
        spans=tuple(span for span in spans if span.low < span.high),
        spots=tuple(spots),
        ticks=tuple((day * _DAY_MS, WEEKDAYS[day % len(WEEKDAYS)]) for day in range(first, last + 1)),
        note=_ended(run, attempt),
    )


def _ended(run: Run, attempt: Attempt) -> str:
    local = when(attempt.end_ms + attempt.shift_h * HOUR_MS)
    done = f"{attempt.done} of {run.job.tests} tests done"
    if attempt.cause == FINISHED:
        return f"finished at hour {attempt.job_hours:.1f}, {local}: {done}"
    return (
        f"ended by {attempt.cause} at hour {attempt.job_hours:.1f}, {local}: {done}, {attempt.saved} kept, "
        f"{attempt.lost_ms / HOUR_MS:.1f} hours lost"
    )
