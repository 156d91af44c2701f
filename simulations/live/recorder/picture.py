"""A recorded run as pictures: the suspects with their probabilities, and what was sampled over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import (
    Axis,
    Chart,
    Kind,
    Look,
    Note,
    Point,
    Series,
    Shape,
    Span,
    Track,
    Tracks,
)
from simulations.live.recorder.quantities import duration, percent, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.recorder.judgement import Judged
    from simulations.live.recorder.recording import Recording

_POINTS_MAX: Final = 400
"""How many samples are drawn; of more, evenly chosen ones and the largest between them."""
_MIB_KB: Final = 1024


def posterior(ranked: Sequence[Judged]) -> Tracks:
    """Return the suspects with their probabilities after the evidence, the likeliest first."""
    return Tracks(
        title="Who may have ended it",
        kinds=(Kind(" ", "nothing", Look.BLANK), Kind("=", "probability, from 0 to 1", Look.SOLID)),
        tracks=tuple(
            Track(
                label=each.suspect.words,
                low=0,
                high=1,
                spans=(Span(0, each.probability, 1),) if each.probability > 0 else (),
                note=percent(each.probability),
            )
            for each in ranked
        ),
        said=("Priors and weights are assumptions: the order is worth more than the percentages.",),
    )


def memory(recording: Recording) -> Chart | None:
    """Return the memory of a run, and of its host, over time; None for fewer than two samples."""
    samples = recording.samples
    end = samples.times[-1] if len(samples) else 0
    if len(samples) < 2 or end <= 0:
        return None
    resident = [each / _MIB_KB for each in samples.columns["rss_kb"]]
    peak = max(*resident, 1.0)
    began = recording.end.at_ms if recording.end else None
    return Chart(
        title="Memory over time",
        x=Axis(label="time since the start", low=0, high=end, ticks=((0, "0"), (end, duration(end)))),
        y=Axis(label="MiB", low=0, high=peak, ticks=((0, "0"), (peak, f"{peak:.0f}"))),
        series=(
            Series(
                name="resident",
                points=_thinned(samples.times, resident),
                shape=Shape.STEP,
                detail=f"at most {size(round(peak * _MIB_KB))}",
            ),
        ),
        notes=(Note(min(began, end), "the job ended"),) if began is not None else (),
    )


def _thinned(times: Sequence[int], values: Sequence[float]) -> tuple[Point, ...]:
    """Return at most `_POINTS_MAX` points, each the largest value of its share of the samples."""
    step = -(-len(values) // _POINTS_MAX)
    return tuple(
        Point(times[start], max(values[start : start + step])) for start in range(0, len(values), step)
    )
