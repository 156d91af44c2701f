"""Quantities in words: durations, amounts of memory, probabilities."""

from __future__ import annotations


def duration(milliseconds: int) -> str:
    """Return a duration in words, such as `70 h 00 min` or `1.52 s`."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def size(kilobytes: int) -> str:
    """Return an amount of memory in words, such as `1.5 GiB`."""
    for unit, factor in (("GiB", 1024 * 1024), ("MiB", 1024)):
        if kilobytes >= factor:
            return f"{kilobytes / factor:.1f} {unit}"
    return f"{kilobytes} KiB"


def percent(probability: float) -> str:
    """Return a probability such as `45 %`; never 0 or 100, since the weights are rough."""
    if probability < 0.01:
        return "<1 %"
    return ">99 %" if probability > 0.99 else f"{probability * 100:.0f} %"


def one_in(chance: float) -> str:
    """Return a probability as `1 in 28,224`."""
    return f"1 in {1 / chance:,.0f}" if chance < 1 else "always"
