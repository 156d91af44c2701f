"""Choice points and plans: the one way in which chance enters a world.

A world is a function of `(input, chooser)`. Wherever its environment could act in more than one way it asks
`chooser.pick(label, options)`. Option 0 is always the nominal answer. What was not nominal in a run is its
`Plan`; the same input and the same plan give the same trace.

The drivers differ in who answers:

* `nominal()`: option 0 always, the run that everybody sees;
* `replay(plan)`: the answers of the plan, and an error where one of them does not apply;
* `drawn(deviations)`: as replay, but a deviation that does not apply is left out; for a list drawn up front;
* `random(noise, seed)`: each label deviates with its own probability;
* `prefix(plan, k, noise, seed)`: the answers of the plan up to the k-th choice point, then fresh ones;
* `exhaustive(run, k)`: not one run but every plan of at most k deviations, in the order of "least".
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass
from itertools import chain, islice, repeat
from random import Random
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeAlias, TypeVar

from simulations.errors import LabError, NondeterminismError, PlanError, QuestionLimitError
from simulations.noise import UNIFORM, NoiseModel, Rate, cumulative
from simulations.plans import Deviation, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

__all__ = [
    "SEED_MAX",
    "UNIFORM",
    "ChoicePoint",
    "Chooser",
    "Deviation",
    "NoiseModel",
    "Plan",
    "Ran",
    "Rank",
    "Rate",
    "drawn",
    "exactly",
    "exhaustive",
    "levels",
    "nominal",
    "prefix",
    "random",
    "replay",
    "substream",
]

SEED_MAX: Final = 2**64
"""The largest seed of an input; any integer gives a stream, but one with a million digits takes its time."""

T = TypeVar("T")
R = TypeVar("R")

_Answers: TypeAlias = tuple[tuple[int, int], ...]

Rank: TypeAlias = tuple[int, _Answers]
"""The place of a plan in the order of "least", as the number of deviations and each `(position, option)`."""


@dataclass(frozen=True, slots=True)
class ChoicePoint:
    """One question that a run asked.

    Attributes:
        position: How many questions the run had asked before.
        label: Kind and actor.
        occurrence: How often the label had been asked before.
        options: The number of possible answers.
        option: The index of the answer; 0 is nominal.
        time: When it was asked, in the unit of the world; 0 in a world that never calls `Chooser.at`.
        forced: Whether the present actor could not go on, so that another one had to be picked.
    """

    position: int
    label: str
    occurrence: int
    options: int
    option: int
    time: int
    forced: bool


class _Limited(list[str]):
    """The labels of the questions of a run that may ask only so many; a run without a limit pays nothing."""

    __slots__ = ("_most",)

    def __init__(self, labels: Iterable[str], most: int) -> None:
        super().__init__(labels)
        self._most = most

    def append(self, label: str) -> None:
        self._check(len(self) + 1)
        super().append(label)

    def extend(self, labels: Iterable[str]) -> None:
        more = [*labels]
        self._check(len(self) + len(more))
        super().extend(more)

    def _check(self, questions: int) -> None:
        if questions > self._most:
            raise QuestionLimitError(
                f"the run asks more than {self._most} questions; raise the limit (heisenlab replay "
                f"--questions-max N) if you trust where this input and this plan come from"
            )


class Chooser:
    """Answers the questions of a run and remembers them. This one always gives the nominal answer.

    Made by the drivers of this module: `nominal`, `replay`, `drawn`, `random`, `prefix`. A chooser
    serves one run.

    Attributes:
        deviated: What was not nominal so far, as `(position, option)`.
    """

    __slots__ = ("_forced", "_labels", "_sizes", "_times", "deviated")

    def __init__(self) -> None:
        # Parallel lists of strings and small integers: no object is made for a question, which keeps a pick
        # cheap and gives the garbage collector nothing to trace.
        self._labels: list[str] = []
        self._sizes: list[int] = []
        self._times: list[tuple[int, int]] = []
        self._forced: list[int] = []
        self.deviated: list[tuple[int, int]] = []

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        """Ask the environment a question and return its answer.

        Args:
            label: Kind and actor, such as `cpu0.bit2`; never a clock, a counter or an address.
            options: The possible answers, at least one; the first is the nominal one.
            forced: The present actor cannot go on, so that another one has to be picked.
        """
        if forced:
            self._forced.append(len(self._labels))
        self._labels.append(label)
        self._sizes.append(len(options))
        return options[0]

    def deviating(self, labels: Sequence[str]) -> Sequence[int]:
        """Ask a question with two options for each label, in order, and return the places that deviate.

        It is the same as to `pick` one after the other. Where a world asks hundreds of them and nearly every
        answer is nominal, a driver that knows its answers beforehand takes a fifth of the time.
        """
        return [place for place, label in enumerate(labels) if self.pick(label, (False, True))]

    def at(self, time: int) -> None:
        """Set the time of the questions that follow, in the unit of the world. It is metadata only."""
        self._times.append((len(self._labels), time))

    def finish(self) -> None:
        """Check, after the run, that every answer the chooser was given has been asked for.

        Raises:
            PlanError: the driver is `replay` or `prefix`, and a key of the plan was never asked.
        """

    def allow(self, questions_max: int) -> None:
        """Let the run ask only so many questions; `pick` raises `QuestionLimitError` at the next one.

        Args:
            questions_max: How many, from 1.
        """
        self._labels = _Limited(self._labels, questions_max)

    @property
    def asked(self) -> int:
        """The number of questions so far."""
        return len(self._labels)

    @property
    def plan(self) -> Plan:
        """What was not nominal so far."""
        labels = self._labels
        return Plan(
            Deviation(labels[position], labels[:position].count(labels[position]), option)
            for position, option in self.deviated
        )

    @property
    def rank(self) -> Rank:
        """The place of this run's plan in the order of "least": lower is less."""
        return len(self.deviated), tuple(self.deviated)

    @property
    def points(self) -> Sequence[ChoicePoint]:
        """Every question so far. Computed anew at each call, in time linear in their number."""
        seen: dict[str, int] = {}
        answers = dict(self.deviated)
        forced = frozenset(self._forced)
        changes = iter([*self._times, (len(self._labels), 0)])
        time, (upcoming, upcoming_time) = 0, next(changes)
        points = []
        for position, (label, options) in enumerate(zip(self._labels, self._sizes, strict=True)):
            while upcoming <= position:
                time = upcoming_time
                upcoming, upcoming_time = next(changes)
            occurrence = seen.get(label, 0)
            seen[label] = occurrence + 1
            option = answers.get(position, 0)
            points.append(ChoicePoint(position, label, occurrence, options, option, time, position in forced))
        return points

    @property
    def questions(self) -> Mapping[str, tuple[int, int]]:
        """Every label so far, in order of appearance: how often asked, with how many options at most."""
        asked = Counter(self._labels)
        most: dict[str, int] = {}
        for label, options in dict.fromkeys(zip(self._labels, self._sizes, strict=True)):
            most[label] = max(options, most.get(label, 0))
        return {label: (asked[label], options) for label, options in most.items()}

    @property
    def labels(self) -> Sequence[str]:
        """The label of every question so far, in the order in which they were asked."""
        return self._labels

    def asked_from(self, position: int) -> Iterator[tuple[str, int]]:
        """Yield label and number of options of each question from a position on."""
        yield from zip(self._labels[position:], self._sizes[position:], strict=True)

    def _note_nominal(self, labels: Sequence[str]) -> None:
        """Remember questions with two options that all had the nominal answer."""
        self._labels.extend(labels)
        self._sizes.extend(repeat(2, len(labels)))

    def _note(self, label: str, size: int, option: int, *, forced: bool) -> None:
        """Remember a question that a driver answered itself."""
        position = len(self._labels)
        if forced:
            self._forced.append(position)
        if option:
            self.deviated.append((position, option))
        self._labels.append(label)
        self._sizes.append(size)


class _Scripted(Chooser):
    """Answers from a plan; `strict` says whether an answer that does not apply is an error."""

    __slots__ = ("_counts", "_plan", "_strict", "_unasked", "_wanted")

    def __init__(self, plan: Plan, *, strict: bool) -> None:
        super().__init__()
        self._plan = plan
        self._strict = strict
        self._wanted: dict[str, dict[int, int]] = {}
        for label, occurrence, option in plan:
            self._wanted.setdefault(label, {})[occurrence] = option
        self._counts = dict.fromkeys(self._wanted, 0)
        self._unasked = len(plan)

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        if label in self._wanted:
            return options[self._answer(label, len(options), forced=forced)]
        if forced:
            self._forced.append(len(self._labels))
        self._labels.append(label)
        self._sizes.append(len(options))
        return options[0]

    def deviating(self, labels: Sequence[str]) -> Sequence[int]:
        if not self._wanted.keys().isdisjoint(labels):
            return super().deviating(labels)
        self._note_nominal(labels)
        return ()

    def _answer(self, label: str, size: int, *, forced: bool) -> int:
        occurrence = self._counts[label]
        self._counts[label] = occurrence + 1
        option = self._wanted[label].get(occurrence, 0)
        if option:
            self._unasked -= 1
            if option >= size:
                if self._strict:
                    raise PlanError(
                        f"the plan wants option {option} of {label} at occurrence {occurrence}, but it was "
                        f"asked with {size} option{'s' if size > 1 else ''} (0 to {size - 1}); "
                        f"was it recorded with another input, variant or version?"
                    )
                option = 0
        self._note(label, size, option, forced=forced)
        return option

    def finish(self) -> None:
        if not (self._strict and self._unasked):
            return
        asked = {label: self._counts[label] for label in self._wanted}
        for label, occurrence, _ in self._plan:
            if occurrence >= asked[label]:
                raise PlanError(
                    f"the plan wants an answer of {label} at occurrence {occurrence}, which was never asked: "
                    f"{self._instead(label)}; was it recorded with another input, variant or version?"
                )

    def _instead(self, label: str) -> str:
        if self._counts[label]:
            return f"{label} was asked {self._counts[label]} times"
        others = list(dict.fromkeys(self._labels))
        if not others:
            return "the run asked nothing at all"
        shown = ", ".join(others[:_LABELS_SHOWN_MAX])
        more = f" and {len(others) - _LABELS_SHOWN_MAX} more" if len(others) > _LABELS_SHOWN_MAX else ""
        return f"the run asked {shown}{more}"


_LABELS_SHOWN_MAX: Final = 8


class _Random(Chooser):
    """Answers by a noise model, after the first `replayed` questions, which a plan answers."""

    __slots__ = ("_chances", "_noise", "_replayed", "_rng", "_script")

    def __init__(self, noise: NoiseModel, seed: int, script: Plan, replayed: int) -> None:
        super().__init__()
        self._noise = noise
        self._chances: dict[tuple[str, int], tuple[float, ...]] = {}
        self._rng = substream(seed, f"noise:{noise.name}")
        self._script = drawn(script)
        self._replayed = replayed

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        size = len(options)
        chances = self._chances.get((label, size))
        if chances is None:
            chances = self._chances[label, size] = cumulative(self._noise.rate(label), size)
        # Drawn also where the plan answers, so that with one seed the answers behind a prefix are the same
        # for a longer one, as far as the questions are: prefixes differ by what they hold, not by luck.
        draw = self._rng.random() if chances and chances[-1] > 0 else 1.0
        if len(self._labels) < self._replayed:
            option = self._script.pick(label, range(size))
        else:
            option = 1 + bisect_right(chances, draw) if draw < 1.0 and draw < chances[-1] else 0
        self._note(label, size, option, forced=forced)
        return options[option]


class _Forced(Chooser):
    """Answers by position, which is well defined while everything before it is the same."""

    __slots__ = ("_answers",)

    def __init__(self, answers: _Answers) -> None:
        super().__init__()
        self._answers = dict(answers)

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        if len(self._labels) not in self._answers:
            if forced:
                self._forced.append(len(self._labels))
            self._labels.append(label)
            self._sizes.append(len(options))
            return options[0]
        option = self._answers[len(self._labels)]
        if option >= len(options):
            raise NondeterminismError(
                f"the same answers led to other questions: position {len(self._labels)} is now {label} "
                f"with {len(options)} options; look for a clock, a global, or the order of a set"
            )
        self._note(label, len(options), option, forced=forced)
        return options[option]

    def deviating(self, labels: Sequence[str]) -> Sequence[int]:
        first = len(self._labels)
        if not self._answers.keys().isdisjoint(range(first, first + len(labels))):
            return super().deviating(labels)
        self._note_nominal(labels)
        return ()

    def sizes_from(self, first: int, labels: Collection[str] | None) -> tuple[int, ...]:
        """Return how many answers the questions from position `first` on had; 1 where the label differs."""
        sizes = self._sizes[first:]
        if labels is None:
            return tuple(sizes)
        return tuple(
            size if label in labels else 1 for size, label in zip(sizes, self._labels[first:], strict=True)
        )


def nominal() -> Chooser:
    """Return the driver that always gives the nominal answer."""
    return Chooser()


def replay(plan: Plan) -> Chooser:
    """Return the driver that gives the answers of a plan.

    Its `pick` raises `PlanError` where an answer does not exist any more, its `finish` where a key was never
    asked; each names the first such key and what was asked instead.
    """
    return _Scripted(plan, strict=True)


def drawn(deviations: Iterable[Deviation]) -> Chooser:
    """Return the driver for a short list of deviations drawn up front; those that do not apply are left out.

    Of two deviations that answer the same question the first counts.
    """
    first: dict[tuple[str, int], Deviation] = {}
    for deviation in deviations:
        first.setdefault((deviation.label, deviation.occurrence), deviation)
    return _Scripted(Plan(first.values()), strict=False)


def random(noise: NoiseModel, seed: int) -> Chooser:
    """Return the driver in which each label deviates with its own probability."""
    return _Random(noise, seed, Plan(), 0)


def prefix(plan: Plan, k: int, noise: NoiseModel, seed: int) -> Chooser:
    """Return the driver that replays a plan for the first `k` questions and then answers by a noise model.

    With one seed, prefixes of different lengths have common random numbers: whatever both draw for the same
    question is the same.

    Raises:
        ValueError: `k` is negative.
    """
    if k < 0:
        raise ValueError(f"a prefix has 0 or more choice points, not {k}")
    return _Random(noise, seed, plan, k)


class Ran(NamedTuple, Generic[R]):
    """One run of an enumeration: what the world returned, and the chooser that answered it."""

    result: R
    chooser: Chooser


def levels(
    run: Callable[[Chooser], R],
    k: int,
    *,
    labels: Collection[str] | None = None,
    passes: Callable[[], bool] | None = None,
) -> Iterator[Iterator[Ran[R]]]:
    """Run every plan of at most `k` deviations once; yield the runs level by level, from 0 deviations up.

    The runs of a level are in the order of "least". A plan is extended only after its last deviation, among
    the questions that this plan leads to; so the enumeration is complete and has no duplicates, also where a
    deviation makes new choice points appear. What each plan asked is kept until the level above it has been
    gone through: an integer for each question, and nothing for the plans of `k` deviations.

    Args:
        run: The world at a fixed input.
        k: The largest number of deviations, 0 or more.
        labels: Deviate only at these labels; None means all.
        passes: Called before each plan of `k` deviations; where it returns true the plan is not run, as in an
            enumeration that goes on where another one ended.

    Raises:
        NondeterminismError: a run did not ask again what it had asked before.
        LabError: a level was asked for before all runs of the level below it were made.
    """
    if k < 0:
        raise ValueError(f"a plan has 0 or more deviations, not {k}")
    return _levels(run, k, labels, passes)


def _levels(
    run: Callable[[Chooser], R],
    k: int,
    labels: Collection[str] | None,
    passes: Callable[[], bool] | None,
) -> Iterator[Iterator[Ran[R]]]:
    level = _Level(run, [()], labels)
    level.passes = passes if k == 0 else None
    yield iter(level)
    for deviations in range(1, k + 1):
        if not level.complete:
            raise LabError(
                f"the plans of {deviations} deviations extend those of {deviations - 1}, not all of which "
                f"were run; go through each level to its end"
            )
        level = _Level(run, chain.from_iterable(map(_Asked.extended, level.asked)), labels)
        level.keeps = deviations < k
        level.passes = passes if deviations == k else None
        yield iter(level)


class _Asked(NamedTuple):
    """A plan that was run, and how many answers each question had that followed its last deviation.

    A question at which the plan is not to be extended counts as one that has a single answer.
    """

    answers: _Answers
    sizes: tuple[int, ...]

    def extended(self) -> Iterator[_Answers]:
        """Yield the plans of one deviation more, in the order of "least"."""
        for position, size in enumerate(self.sizes, _after(self.answers)):
            for option in range(1, size):
                yield (*self.answers, (position, option))


def _after(answers: _Answers) -> int:
    return answers[-1][0] + 1 if answers else 0


class _Level(Generic[R]):
    """The plans of one number of deviations. Iterating runs them, once.

    Attributes:
        asked: What the plans asked, where the level above is wanted.
        keeps: Whether it is.
        passes: Says of the next plan whether it is not to be run.
        complete: Whether all plans were run.
    """

    __slots__ = ("_labels", "_plans", "_run", "asked", "complete", "keeps", "passes")

    def __init__(
        self, run: Callable[[Chooser], R], plans: Iterable[_Answers], labels: Collection[str] | None
    ) -> None:
        self._run = run
        self._plans = plans
        self._labels = labels
        self.asked: list[_Asked] = []
        self.keeps = True
        self.passes: Callable[[], bool] | None = None
        self.complete = False

    def __iter__(self) -> Iterator[Ran[R]]:
        alike: dict[tuple[int, ...], tuple[int, ...]] = {}  # one tuple for all runs that ask the same
        for answers in self._plans:
            if self.passes is not None and self.passes():
                continue
            chooser = _Forced(answers)
            result = self._run(chooser)
            if tuple(chooser.deviated) != answers:
                raise NondeterminismError(
                    f"the same answers led to another run: {len(answers)} were to be given and "
                    f"{len(chooser.deviated)} were asked for; look for a clock, a global, a set's order"
                )
            if self.keeps:
                sizes = chooser.sizes_from(_after(answers), self._labels)
                self.asked.append(_Asked(answers, alike.setdefault(sizes, sizes)))
            yield Ran(result, chooser)
        self.complete = True


def exhaustive(
    run: Callable[[Chooser], R],
    k: int,
    *,
    labels: Collection[str] | None = None,
    passes: Callable[[], bool] | None = None,
) -> Iterator[Ran[R]]:
    """Run every plan of at most `k` deviations, in the order of "least": see `levels`."""
    for level in levels(run, k, labels=labels, passes=passes):
        yield from level


def exactly(
    run: Callable[[Chooser], R], k: int, *, labels: Collection[str] | None = None
) -> Iterator[Ran[R]]:
    """Run every plan of exactly `k` deviations, in the order of "least": see `levels`.

    The plans of fewer deviations are run first, to learn what they ask.
    """
    return _last(levels(run, k, labels=labels), k)


def _last(runs: Iterator[Iterator[Ran[R]]], k: int) -> Iterator[Ran[R]]:
    for level in islice(runs, k):
        deque(level, maxlen=0)
    yield from next(runs)


def substream(seed: int, name: str) -> Random:
    """Return a named stream of bulk randomness.

    Streams with different names are independent, so that a world can draw more from one without moving the
    others. The seed belongs to the input and is never searched. For a portable trace use only `random`,
    `randrange`, `choice`, `shuffle`, `sample` and `uniform` of what is returned.

    Args:
        seed: Any integer.
        name: What the stream is for, such as `durations`.
    """
    return Random(int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest(), "big"))
