"""The trace of any world as lanes, for a world that has no picture of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import Sequence, Step, Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.trace import Event, Trace

__all__ = ["trace_sequence"]

LANES_MAX: Final = 5
STEPS_MAX: Final = 60
_OTHERS: Final = "others"


def trace_sequence(
    trace: Trace, title: str, *, tone: Tone = Tone.PLAIN, moment: Callable[[int], str] = str
) -> Sequence:
    """Return a trace with a lane for each actor and a step for each event; of a long one the beginning.

    Args:
        trace: The trace.
        title: Which run it is.
        tone: How it ended.
        moment: Says a time of the trace.
    """
    events = trace.events[:STEPS_MAX]
    actors = [*dict.fromkeys(event.actor for event in events)] or [_OTHERS]
    if len(actors) > LANES_MAX:
        actors = [*actors[: LANES_MAX - 1], _OTHERS]
    left_out = len(trace) - len(events)
    return Sequence(
        title=title,
        tone=tone,
        lanes=tuple(actors),
        steps=tuple(_step(event, actors, moment) for event in events),
        ended=f"and {left_out} more events" if left_out else "",
    )


def _step(event: Event, actors: list[str], moment: Callable[[int], str]) -> Step:
    detail = event.detail if isinstance(event.detail, tuple) else (event.detail,)
    words = " ".join([event.action, *(str(each) for each in detail if each is not None)])
    if event.actor in actors:
        return Step(actors.index(event.actor), words, moment(event.time))
    return Step(len(actors) - 1, f"{event.actor}: {words}", moment(event.time))
