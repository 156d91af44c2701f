"""The schedules of the stale cache: a person says who goes on, and behind that the world goes on nominally.

Where threads can run, each schedule is run when it is asked for. A browser that cannot park a thread has the
table of all of them instead, which this module made when the page was built.
"""

from __future__ import annotations

import dataclasses
import json
import pkgutil
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scenarios.lab.execution import execute, in_words
from scenarios.stale_cache import SCENARIO
from simulations.cache.servers import Store
from simulations.cache.system import Run, run
from simulations.cache.workload import KEY, Workload
from simulations.choices import Chooser, Plan
from simulations.errors import PlanError
from simulations.trace import Event, Trace, followed

from . import can_run_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.cache.servers import Platform

T = TypeVar("T")

GAMES: Final = {
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
TABLE: Final = "interleavings.json"
"""The file with the table, beside this module in a page."""


@dataclass(frozen=True)
class Question:
    """A place where more than one client can go on.

    Attributes:
        threads: Who can, the nominal answer first.
        events: How many events there had been.
        cached: What the cache held; None is nothing.
    """

    threads: tuple[str, ...]
    events: int
    cached: int | None


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
            self.questions_seen.append(Question(names, len(self._events), cached))
            option = self._answers[number] if number < len(self._answers) else 0
            if option >= len(options):
                raise PlanError(f"move {number + 1} is {option}; it is one of 0 to {len(options) - 1}")
        self._note(label, len(options), option, forced=forced)
        return options[option]


@dataclass(frozen=True)
class Played:
    """A schedule that was played.

    Attributes:
        run: The run.
        questions: Every place at which more than one client could go on.
        moves: The answers of the person.
        plan: What of the run was not nominal.
        words: The same in words.
        failure: What the property that failed saw; None where every one holds.
    """

    run: Run
    questions: tuple[Question, ...]
    moves: tuple[int, ...]
    plan: Plan
    words: str
    failure: str | None

    @property
    def question(self) -> Question | None:
        """The question that is open; None where the run is over."""
        return self.questions[len(self.moves)] if len(self.moves) < len(self.questions) else None


def clients(name: str) -> Workload:
    """Return what the clients of a variant do."""
    return Workload(tuple(GAMES[name].split()))


def play(name: str, moves: tuple[int, ...]) -> Played:
    """Run a variant with these answers.

    Args:
        name: The name of the variant.
        moves: For each question its answer, from the first; the others are nominal.

    Raises:
        PlanError: a move does not exist.
    """
    played = (_run if can_run_threads() else _look_up)(name, moves)
    if len(moves) > len(played.questions):
        raise PlanError(f"the run was over after {len(played.questions)} moves, and {len(moves)} were given")
    return dataclasses.replace(played, moves=moves)


def every(name: str, begun: tuple[int, ...] = ()) -> Iterator[Played]:
    """Yield every schedule of a variant's clients, with its moves up to the last that is not nominal."""
    played = play(name, begun)
    yield played
    for number in range(len(begun), len(played.questions)):
        nominal = (0,) * (number - len(begun))
        for option in range(1, len(played.questions[number].threads)):
            yield from every(name, (*begun, *nominal, option))


def table() -> dict[str, dict[str, Any]]:
    """Return all schedules of all variants, as data that JSON can say: by variant, then by moves."""
    return {name: {_digits(played.moves): _to_json(played) for played in every(name)} for name in GAMES}


@lru_cache(maxsize=512)
def _run(name: str, moves: tuple[int, ...]) -> Played:
    variant = SCENARIO.variant(name)
    with followed() as events:
        hand = Hand(moves, events)

        class Watched(Store):
            """The cache server, at which the hand can look."""

            def __init__(self, platform: Platform) -> None:
                super().__init__(platform)
                hand.store = self

        watched = dataclasses.replace(SCENARIO, run=partial(run, store_type=Watched))
        outcome = execute(watched, variant, clients(name), hand)
    failure = outcome.failure.message if outcome.failure else None
    whole: Run = outcome.run  # type: ignore[assignment]
    return Played(whole, tuple(hand.questions_seen), moves, hand.plan, in_words(SCENARIO, hand), failure)


def _look_up(name: str, moves: tuple[int, ...]) -> Played:
    known = kept()[name]
    data = known.get(_digits(moves))
    if data is None:
        right = next(length for length in range(len(moves)) if _digits(moves[: length + 1]) not in known)
        raise PlanError(f"move {right + 1} is {moves[right]}, and there is none such")
    return _from_json(name, data)


@lru_cache(maxsize=1)
def kept() -> dict[str, dict[str, Any]]:
    """Return the table that lies beside this module in a page."""
    found: dict[str, dict[str, Any]] = json.loads(pkgutil.get_data(__package__, TABLE) or b"")
    return found


def _digits(moves: Sequence[int]) -> str:
    return "".join(map(str, moves)).rstrip("0")


def _to_json(played: Played) -> dict[str, Any]:
    whole = played.run
    return {
        "questions": [dataclasses.astuple(question) for question in played.questions],
        "events": list(whole.trace),
        "written": whole.written,
        "cached": [whole.cached, whole.cached_later],
        "plan": played.plan.to_json(),
        "words": played.words,
        "failure": played.failure,
    }


def _from_json(name: str, data: dict[str, Any]) -> Played:
    trace = Trace()
    trace.extend(
        Event(time, actor, action, tuple(detail) if isinstance(detail, list) else detail)
        for time, actor, action, detail in data["events"]
    )
    system = SCENARIO.variant(name).system
    whole = Run(system, clients(name), trace, (), tuple(data["written"]), *data["cached"])
    questions = tuple(Question(tuple(threads), *rest) for threads, *rest in data["questions"])
    plan = Plan.from_json(data["plan"])
    return Played(whole, questions, (), plan, data["words"], data["failure"])
