"""The least failing schedule of an exploration as a picture, beside the nearest one that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulations.drawing.marks import FAILS, NEAREST, Lanes, Sequence, Step, Tone, lanes_beside
from simulations.drawing.sheet import Lines, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEPS_MAX: Final = 500
"""A file may hold more; an exploration writes fewer."""
_LANES_MAX: Final = 1000
"""A file with more was not written by an exploration."""
_TITLE: Final = "What the threads did to what they share"


def exploration_sheet(says: str, lanes: str, runs: tuple[Sequence, ...]) -> Sheet:
    """Return what is shown of an exploration.

    Args:
        says: What is printed of it.
        lanes: The end of that, in columns; may be empty.
        runs: The schedule that fails and, where there is one, the nearest that passes.
    """
    prose = says.removesuffix(lanes)
    blocks = [Lines(prose.rstrip("\n"), wrap=True)]
    if lanes and prose != says:
        blocks.append(Lines(f"\n{lanes}", drawn=bool(runs)))
    return Sheet(blocks=tuple(blocks), pictures=(schedules(runs),) if runs else ())


def drawn(lanes: tuple[str, ...], steps: tuple[tuple[int, str], ...], ended: str) -> Sequence:
    """Return a run as a picture.

    Args:
        lanes: The names of its threads.
        steps: What was done, in order: the number of the lane from 0, and a text.
        ended: How it failed, as a sentence; empty where it passed.
    """
    return Sequence(
        title=FAILS if ended else NEAREST,
        tone=Tone.BAD if ended else Tone.GOOD,
        lanes=lanes,
        steps=tuple(Step(lane, text) for lane, text in steps),
        ended=ended,
    )


def schedules(runs: tuple[Sequence, ...]) -> Lanes:
    """Return one schedule, or a failing one beside a passing one, as a picture."""
    if len(runs) == 1:
        return Lanes(title=_TITLE, runs=runs)
    failing, passing = runs
    return lanes_beside(_TITLE, failing, passing)


def runs_from_json(data: list[Mapping[str, Any]]) -> tuple[Sequence, ...]:
    """Return the runs that `Exploration.to_json` wrote.

    Raises:
        ValueError, TypeError, KeyError, OverflowError: it did not write these.
    """
    for run in data[:2]:
        if len(run["lanes"]) > _LANES_MAX:
            raise ValueError(f"a run has at most {_LANES_MAX} lanes, not {len(run['lanes'])}")
    return tuple(
        Sequence(
            title=str(run["title"]),
            tone=Tone(run["tone"]),
            lanes=tuple(map(str, run["lanes"])),
            steps=tuple(
                Step(int(step["lane"]), str(step["text"]), str(step["at"]), Tone(step["tone"]))
                for step in run["steps"][:_STEPS_MAX]
            ),
            ended=str(run["ended"]),
            unit=str(run["unit"]),
        )
        for run in data[:2]
    )
