"""How likely a run is to fail after each of its choices: certified bounds, by weighted enumeration.

Let a failing run have asked K questions. P(k) is the probability that a run fails which gives the same
answers to the first k of them, and answers by a noise model from there on. P(K) is 1.

All runs that P(0) is about fall into those that leave the failing run at question 0, at question 1, and so
on. So the tree of all runs is the failing run with a *branch* at each of its questions. Each branch is gone
through from its likeliest runs to its least likely ones, and whatever has been run in a branch counts for all
k up to it. What fails is the lower bound of P(k). What has not been run, and might fail, is the width.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from simulations.choices import Chooser
from simulations.errors import LabError, NondeterminismError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.choices import ChoicePoint, NoiseModel

T = TypeVar("T")

WIDTH_MAX: Final = 0.1
"""Bounds are narrow where their difference is at most this share of the lower one."""
WIDTH_WANTED: Final = 0.01
"""Exploring goes on to this width while there are runs left."""
ENTRIES_MAX: Final = 300_000
"""How many runs that were not made yet may be remembered: about 60 MB."""


_CANCELLED: Final = 1e-6
"""A running sum that has shrunk to this share of what was taken from it is summed anew."""


class Bounds(NamedTuple):
    """What a probability is known to lie between."""

    low: float
    high: float

    @property
    def narrow(self) -> bool:
        """Whether the width is less than a tenth of the lower bound."""
        return self.low > 0 and self.high - self.low <= WIDTH_MAX * self.low


class _Answering(Chooser):
    """Gives the answers at the positions that it is told, and nominal ones elsewhere."""

    __slots__ = ("_answers",)

    def __init__(self, answers: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self._answers = dict(answers)

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        option = self._answers.get(len(self._labels), 0)
        if option >= len(options):
            raise NondeterminismError(
                f"the same answers led to other questions: position {len(self._labels)} is now {label} "
                f"with {len(options)} options; look for a clock, a global, or the order of a set"
            )
        self._note(label, len(options), option, forced=forced)
        return options[option]


@dataclass(order=True)
class _Subtree:
    """All runs that begin in one way: the answers that are not nominal, up to and including a position."""

    less: float
    number: int
    answers: tuple[tuple[int, int], ...] = field(compare=False)
    position: int = field(compare=False)


@dataclass
class _Branch:
    """The runs that leave the failing run at one question.

    Attributes:
        failing: The probability of those that were run and failed.
        waiting: Subtrees that were not run, the likeliest first, each with its probability.
        open: The probability of all that wait; as a running sum, so of limited accuracy.
    """

    failing: float = 0.0
    waiting: list[_Subtree] = field(default_factory=list)
    open: float = 0.0

    def left(self) -> float:
        """Return the probability of all that wait, to the last digit."""
        return math.fsum(-subtree.less for subtree in self.waiting)


class Tree:
    """The tree of runs beside a failing run.

    Args:
        fails: Runs the world under a chooser and says whether it fails in the way in question.
        points: The questions of the failing run.
        noise: What answers by chance.

    Raises:
        LabError: the noise model never gives an answer that the failing run needs.
    """

    def __init__(
        self, fails: Callable[[Chooser], bool], points: Sequence[ChoicePoint], noise: NoiseModel
    ) -> None:
        self._fails = fails
        self._noise = noise
        self._known: dict[tuple[str, int], tuple[float, ...]] = {}
        self._entries = 0
        self.runs = 0
        self._reach = [1.0]  # the probability of the first k answers of the failing run
        self.branches = [_Branch() for _ in points]
        path: tuple[tuple[int, int], ...] = ()
        for position, point in enumerate(points):
            chances = self._chances(point.label, point.options)
            if not chances[point.option]:
                raise LabError(
                    f"the noise model {noise.name!r} never gives option {point.option} of {point.label}, "
                    f"which the failing run needs; name another noise model"
                )
            for option, chance in enumerate(chances):
                if option != point.option and chance:
                    answers = (*path, (position, option)) if option else path
                    self._wait(position, self._reach[-1] * chance, answers, position)
            self._reach.append(self._reach[-1] * chances[point.option])
            if point.option:
                path = (*path, (position, point.option))

    def _chances(self, label: str, size: int) -> tuple[float, ...]:
        known = self._known.get((label, size))
        if known is None:
            known = self._known[label, size] = self._noise.probabilities(label, size)
        return known

    def _wait(self, branch: int, mass: float, answers: tuple[tuple[int, int], ...], position: int) -> None:
        self._entries += 1
        heapq.heappush(self.branches[branch].waiting, _Subtree(-mass, self._entries, answers, position))
        self.branches[branch].open += mass

    def _joint(self) -> list[float]:
        """Return, for each k, the probability of the first k answers and then of a failure that was seen."""
        joint = [self._reach[-1]]
        for branch in reversed(self.branches):
            joint.append(joint[-1] + branch.failing)
        return joint[::-1]

    def bounds(self) -> list[Bounds]:
        """Return the bounds of P(0) to P(K)."""
        found, width = [], 0.0
        joint = self._joint()
        for k in range(len(self.branches), -1, -1):
            if k < len(self.branches):
                width += self.branches[k].left()
            reach = self._reach[k]
            found.append(Bounds(joint[k] / reach, min(1.0, (joint[k] + width) / reach)))
        return found[::-1]

    def explore(self, runs_max: int) -> bool:
        """Run until the width of every P(k) is 1 %, or the runs are spent; return whether all are narrow."""
        while self.runs < runs_max and self._entries < ENTRIES_MAX:
            branch = self._widest()
            if branch is None:
                for each in self.branches:  # the running sums may be inaccurate
                    each.open = each.left()
                branch = self._widest()
                if branch is None:
                    break
            self._run_next(branch)
        return all(bounds.narrow for bounds in self.bounds())

    def _widest(self) -> int | None:
        """Return the branch that is most in the way; None where every width is as wanted."""
        joint = self._joint()
        width, most, widest = 0.0, 0.0, None
        narrow = True
        for k in range(len(self.branches) - 1, -1, -1):
            branch = self.branches[k]
            width += branch.open
            narrow = narrow and width <= WIDTH_WANTED * joint[k]
            if branch.waiting and branch.open > most * joint[k]:
                most, widest = branch.open / joint[k], k
        return None if narrow else widest

    def _run_next(self, number: int) -> None:
        branch = self.branches[number]
        subtree = heapq.heappop(branch.waiting)
        mass, start = -subtree.less, subtree.position + 1
        branch.open -= mass
        chooser = _Answering(subtree.answers)
        failed = self._fails(chooser)
        self.runs += 1
        if tuple(chooser.deviated) != subtree.answers:
            raise NondeterminismError(
                f"the same answers led to another run: {len(subtree.answers)} were to be given and "
                f"{len(chooser.deviated)} were asked for; look for a clock, a global, or the order of a set"
            )
        for position, (label, size) in enumerate(chooser.asked_from(start), start):
            nominal, *others = self._chances(label, size)
            for option, chance in enumerate(others, 1):
                if chance:
                    self._wait(number, mass * chance, (*subtree.answers, (position, option)), position)
            mass *= nominal
        if failed:
            branch.failing += mass
        if branch.open < _CANCELLED * -subtree.less:
            branch.open = branch.left()
