"""The samples of a run over time, as lines of small bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from simulations.live.recorder.quantities import size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.live.recorder.recording import Samples

PLOT_WIDTH: Final = 60
BARS: Final = "▁▂▃▄▅▆▇█"
BARS_ASCII: Final = "_.:-=+*#"


def curves(samples: Samples, bars: str, width: int = PLOT_WIDTH) -> tuple[str, ...]:
    """Return a line for each quantity: its name, its curve and its largest value; none for a single sample.

    Args:
        samples: The samples.
        bars: The characters to draw with, the lowest first: `BARS` or `BARS_ASCII`.
        width: Characters of a curve.
    """
    if len(samples) < 2:
        return ()
    columns = samples.columns
    seconds = [at / 1000 for at in samples.times]
    drawn: list[tuple[str, list[float], Callable[[float], str]]] = [
        ("memory", [float(each) for each in columns["rss_kb"]], lambda peak: size(round(peak))),
        ("processors", _rates(seconds, columns["cpu_ms"], 1 / 1000), lambda peak: f"{peak:.2f}"),
        ("processes", [float(each) for each in columns["processes"]], lambda peak: f"{peak:.0f}"),
        ("lines/s", _rates(seconds, columns["lines"], 1.0), lambda peak: f"{peak:.1f}"),
        ("written/s", _rates(seconds, columns["write_kb"], 1.0), lambda peak: size(round(peak))),
    ]
    return tuple(
        f"{name:<10}  {sparkline(seconds, values, bars, width)}  {words(max(values))}"
        for name, values, words in drawn
    )


def _rates(seconds: Sequence[float], totals: Sequence[int], factor: float) -> list[float]:
    rates = [0.0]
    for index in range(1, len(totals)):
        elapsed = max(0.05, seconds[index] - seconds[index - 1])
        rates.append(max(0.0, (totals[index] - totals[index - 1]) * factor / elapsed))
    return rates


def sparkline(seconds: Sequence[float], values: Sequence[float], bars: str, width: int = PLOT_WIDTH) -> str:
    """Draw values over time; each character is the largest value of its share of the time, blank if none."""
    end = max(seconds[-1], 1e-9)
    buckets = [-1.0] * width
    for at, value in zip(seconds, values, strict=True):
        place = max(0, min(width - 1, int(at / end * width)))
        buckets[place] = max(buckets[place], value)
    peak = max(*values, 1e-9)
    top = len(bars) - 1
    return "".join(" " if each < 0 else bars[min(top, math.ceil(each / peak * top))] for each in buckets)
