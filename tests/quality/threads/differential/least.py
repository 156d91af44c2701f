"""With how few preemptions and deviations each end of a program can be reached, by brute force."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from tests.quality.threads.differential.interpreter import WORLDS_MAX, End, Machine, TooLarge, end_of

if TYPE_CHECKING:
    from tests.quality.threads.differential.interpreter import World
    from tests.quality.threads.differential.syntax import Program


class Cost(NamedTuple):
    """What a schedule costs, in the order of "least".

    Attributes:
        preemptions: How often a thread was paused that could have gone on.
        deviations: How many choices were not nominal: preemptions, and choices of another thread than the
            first where the running one could not go on.
    """

    preemptions: int = 0
    deviations: int = 0


NOBODY = -1


def least(program: Program) -> dict[End, Cost]:
    """Return the least cost of each end that is reachable.

    Raises:
        TooLarge: the program has too many worlds.
    """
    machine = Machine(program)
    ties = count()
    todo: list[tuple[Cost, int, World, int]] = [(Cost(), next(ties), machine.first(), NOBODY)]
    done: set[tuple[World, int]] = set()
    ends: dict[End, Cost] = {}
    while todo:
        cost, _, world, running = heapq.heappop(todo)
        if (world, running) in done:
            continue
        done.add((world, running))
        if len(done) > WORLDS_MAX:
            raise TooLarge
        following = list(machine.following(world))
        if not following and all(thread.state == "ended" for thread in world.threads):
            ends.setdefault(end_of(world), cost)
        able = [number for number, _ in following]
        for number, after in following:
            nominal = running if running in able else able[0]
            preempts = running in able and number != running
            following_cost = Cost(cost.preemptions + preempts, cost.deviations + (number != nominal))
            heapq.heappush(todo, (following_cost, next(ties), after, number))
    return ends
