"""You are the scheduler: the clients of the stale cache, one step at a time, as the reader of the page says.

A state is a variant (`level`) and the answers given so far (`moves`, a digit for each question that has more
than one answer). Behind them the world goes on nominally.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeVar

from scenarios.lab.execution import Outcome, execute, in_words
from scenarios.stale_cache import SCENARIO
from simulations.cache.picture import sequence
from simulations.cache.servers import Store
from simulations.cache.system import run
from simulations.cache.workload import KEY, Workload
from simulations.choices import Chooser, levels
from simulations.drawing.marks import Lanes, Tone
from simulations.drawing.page import fragment
from simulations.errors import PlanError
from simulations.trace import followed

from . import elements, progress, replayed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.lab.scenario import Variant
    from simulations.cache.servers import Platform
    from simulations.cache.system import Run

    from .elements import State

T = TypeVar("T")

PAGE: Final = elements.Page(
    name="scheduler",
    title="You are the scheduler",
    sentences=(
        "Clients share a cache in front of a database, and between two requests you say who goes on.",
        "The lab's own simulation runs each of your schedules, here in the page.",
        "Make the cache stale; then break the repairs that people believe in, and try those that hold.",
    ),
    try_this="Let the reader begin, and stop it when it has read the database. Back undoes a move.",
)

_GAMES: Final = {
    "as-shipped": "r w",
    "delete-twice": "r w",
    "lock-around-fill": "r w",
    "time-to-live": "r wr",
    "write-through": "w w",
    "leases": "rr w",
    "versions": "rr w",
    "single-flight": "r w",
}
"""The clients of each variant: of a folk fix the fewest that break it."""
DEVIATIONS_MAX: Final = 40
"""More than any schedule of these clients has."""


@dataclass(frozen=True)
class Question:
    """A place where more than one client can go on.

    Attributes:
        threads: Who can, the nominal answer first.
        events: How many events there had been.
        cached: What the cache held; None is nothing.
        position: Which question of the run it is, those with a single answer included.
    """

    threads: tuple[str, ...]
    events: int
    cached: int | None
    position: int


class Hand(Chooser):
    """Gives the answers of a person, and behind them the nominal ones; remembers how things stood.

    Args:
        answers: For each question that has more than one answer its index.
        events: The events of the run, while they are recorded.
    """

    __slots__ = ("_answers", "_events", "questions_seen", "store")

    def __init__(self, answers: Sequence[int], events: Sequence[object]) -> None:
        super().__init__()
        self._answers = answers
        self._events = events
        self.questions_seen: list[Question] = []
        self.store: Store | None = None

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        """See `Chooser`."""
        number, option = len(self.questions_seen), 0
        if len(options) > 1:
            names = tuple(str(getattr(each, "name", each)) for each in options)
            cached = self.store.look(KEY) if self.store else None
            self.questions_seen.append(Question(names, len(self._events), cached, self.asked))
            option = self._answers[number] if number < len(self._answers) else 0
            if option >= len(options):
                raise PlanError(f"move {number + 1} is {option}; it is one of 0 to {len(options) - 1}")
        self._note(label, len(options), option, forced=forced)
        return options[option]


@dataclass(frozen=True)
class Played:
    """A schedule that was played.

    Attributes:
        outcome: The run, judged.
        hand: Who answered.
        moves: The answers.
    """

    outcome: Outcome
    hand: Hand
    moves: tuple[int, ...]

    @property
    def run(self) -> Run:
        """The run."""
        whole: Run = self.outcome.run  # type: ignore[assignment]
        return whole

    @property
    def question(self) -> Question | None:
        """The question that is open; None where the run is over."""
        seen = self.hand.questions_seen
        return seen[len(self.moves)] if len(self.moves) < len(seen) else None


@dataclass(frozen=True)
class Counted:
    """Every schedule of a game.

    Attributes:
        runs: How many there are.
        failing: How many of them fail.
        complete: Whether all were run, with any number of deviations.
    """

    runs: int = 0
    failing: int = 0
    complete: bool = field(default=False)


def play(variant: Variant, moves: Sequence[int]) -> Played:
    """Run a variant with these answers.

    Raises:
        PlanError: a move does not exist.
    """
    with followed() as events:
        hand = Hand(moves, events)

        class Watched(Store):
            """The cache server, at which the hand can look."""

            def __init__(self, platform: Platform) -> None:
                super().__init__(platform)
                hand.store = self

        watched = dataclasses.replace(SCENARIO, run=partial(run, store_type=Watched))
        outcome = execute(watched, variant, clients(variant), hand)
    if len(moves) > len(hand.questions_seen):
        raise PlanError(
            f"the run was over after {len(hand.questions_seen)} moves, and {len(moves)} were given"
        )
    return Played(outcome, hand, tuple(moves))


def clients(variant: Variant) -> Workload:
    """Return what the clients of a variant do."""
    return Workload(tuple(_GAMES[variant.name].split()))


@lru_cache(maxsize=len(_GAMES))
def count(name: str) -> Counted:
    """Run every schedule of a variant's clients and count those that fail.

    Args:
        name: The name of the variant.
    """
    variant = SCENARIO.variant(name)
    counted = Counted()
    for level in levels(
        lambda chooser: execute(SCENARIO, variant, clients(variant), chooser), DEVIATIONS_MAX
    ):
        before = counted.runs
        for ran in level:
            failed = ran.result.failure is not None
            counted = Counted(counted.runs + 1, counted.failing + failed)
            if counted.runs % 50 == 0:
                progress(f"{counted.runs} schedules run, {counted.failing} of them fail")
        if counted.runs == before:
            return Counted(counted.runs, counted.failing, complete=True)
    return counted


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `level`, `moves`, and `all` where every schedule is to be counted.
    """
    name = state.get("level", "as-shipped")
    variant = SCENARIO.variant(name)
    played = play(variant, [int(digit) for digit in state.get("moves", "")])
    question = played.question
    parts = [_levels(name), elements.paragraph(f"{variant.kind}: {variant.summary}")]
    parts.append(_ended(variant, played) if question is None else _open(variant, played, question))
    parts.append(fragment(_picture(played)))
    if question is None:
        scenario, given = SCENARIO, clients(variant)
        line = replayed.command(scenario, variant, given, played.hand.plan)
        parts.append(elements.natively(line, played.run.trace.digest()))
    parts.append(_counter(name, state))
    return "".join(parts)


def _levels(name: str) -> str:
    links = (
        elements.move(variant.name, {"level": variant.name}, key=key, chosen=variant.name == name)
        for variant, key in zip(SCENARIO.variants, "abcdefgh", strict=True)
    )
    return elements.moves("variant", links)


def _open(variant: Variant, played: Played, question: Question) -> str:
    begun = "".join(map(str, played.moves))
    links = [
        elements.move(
            thread,
            {"level": variant.name, "moves": f"{begun}{option}"},
            key=str(option + 1),
            hint=_next(play(variant, (*played.moves, option)), question),
        )
        for option, thread in enumerate(question.threads)
    ]
    if played.moves:
        links.append(
            elements.move("take back", {"level": variant.name, "moves": begun[:-1]}, key="ArrowLeft")
        )
    holds = "nothing" if question.cached is None else question.cached
    now = f"The cache holds {holds}, the database {_stored(played, question)}. Who goes on?"
    return elements.says(now) + elements.moves("who goes on", links)


def _next(played: Played, question: Question) -> str:
    """Say what happens next, after an answer."""
    following = sequence(played.run).steps[question.events :]
    return following[0].text if following else "ends"


def _stored(played: Played, question: Question) -> int:
    writes = sum(event.action == "database.write" for event in played.run.trace.events[: question.events])
    return played.run.written[writes]


def _ended(variant: Variant, played: Played) -> str:
    failure = played.outcome.failure
    again = {"level": variant.name}
    links = [
        elements.move("again", again, key="r"),
        elements.move("take back", {**again, "moves": "".join(map(str, played.moves[:-1]))}, key="ArrowLeft"),
    ]
    if failure is None:
        said = elements.says("Every property holds: this schedule does no harm.", Tone.GOOD)
    else:
        later = takewhile(lambda other: other is not variant, reversed(SCENARIO.variants))
        following = [*later][-1:]
        links[:0] = [elements.move(f"next: {each.name}", {"level": each.name}, key="n") for each in following]
        said = elements.says(f"You broke it: {failure.message}", Tone.BAD)
    words = in_words(SCENARIO, played.hand)
    return said + elements.facts([("your schedule", words)]) + elements.moves("what now", links)


def _picture(played: Played) -> Lanes:
    whole, question = sequence(played.run), played.question
    if not played.moves:
        runs = (dataclasses.replace(whole, title="the run that everybody sees, if you do not interfere"),)
        return Lanes(title="What the clients ask", runs=runs)
    if question is not None:
        whole = dataclasses.replace(whole, steps=whole.steps[: question.events], ended="...")
    else:
        tone = Tone.GOOD if played.outcome.failure is None else Tone.BAD
        whole = dataclasses.replace(whole, tone=tone)
    title = "your schedule" if question is None else "until now"
    return Lanes(title="What the clients asked", runs=(dataclasses.replace(whole, title=title),))


def _counter(name: str, state: State) -> str:
    if "all" not in state:
        return elements.moves(
            "proof", [elements.move("Can it be done? Run every schedule", {**state, "all": "1"}, key="p")]
        )
    counted = count(name)
    if not counted.complete:
        return elements.says(f"{counted.runs} schedules were run, which is not all of them.")
    if counted.failing:
        return elements.says(f"{counted.failing} of all {counted.runs} schedules of these clients fail.")
    return elements.says(
        f"All {counted.runs} schedules of these clients ({_GAMES[name]}) were run, and none "
        f"fails: you cannot. A step is one request to the cache or the database. For more clients: "
        f"heisenlab hunt stale-cache --variant {name} --searcher exhaustive",
        Tone.GOOD,
    )
