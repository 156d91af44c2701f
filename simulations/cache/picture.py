"""Pictures of a run: the clients side by side, as data and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.drawing.marks import FAILS, NEAREST, Lanes, Sequence, Step, Tone, lanes_beside
from simulations.drawing.sheet import Lines, Sheet
from simulations.drawing.text import sequence_lines

if TYPE_CHECKING:
    from simulations.cache.system import Run
    from simulations.trace import Event

__all__ = ["lanes", "pictures", "sequence", "sheet"]


def _said(event: Event) -> str:
    """Say what happened: `database.read price -> 0`, or `reads 0`."""
    detail = event.detail if isinstance(event.detail, tuple) else (event.detail,)
    return " ".join([event.action, *map(str, detail)]).removesuffix(" -> None")


def sequence(run: Run, *, title: str = "", tone: Tone = Tone.PLAIN) -> Sequence:
    """Return a run with a lane for each client, and a step for each request and each result.

    Args:
        run: The run.
        title: Which run it is.
        tone: How it ended.
    """
    names = run.workload.names
    return Sequence(
        title=title,
        tone=tone,
        lanes=names,
        steps=tuple(
            Step(names.index(event.actor), _said(event), f"{event.time:4}")
            for event in run.trace
            if event.actor in names
        ),
        unit="ms",
        ended=f"in the end: cache {run.cached}, database {run.stored}",
    )


def lanes(run: Run) -> str:
    """Return a column for each client, and a row for each request and each result, with the time in ms."""
    return "\n".join(sequence_lines(sequence(run)))


def pictures(run: Run, beside: Run | None = None) -> tuple[Lanes]:
    """Return the picture of a run, alone, or as one that fails beside one that passes."""
    if beside is None:
        return (Lanes(title="What the clients asked", runs=(sequence(run, title="the run"),)),)
    failing = sequence(run, title=FAILS, tone=Tone.BAD)
    passing = sequence(beside, title=NEAREST, tone=Tone.GOOD)
    return (lanes_beside("What the clients asked, one after another", failing, passing),)


def sheet(run: Run) -> Sheet:
    """Return what is shown of a run."""
    return Sheet(blocks=(Lines(lanes(run), drawn=True),), pictures=pictures(run))
