"""You are the scheduler: the clients of the stale cache, one step at a time, as the reader of the page says.

A state is a variant (`level`) and the answers given so far (`moves`, a digit for each question that has more
than one answer). Behind them the world goes on nominally.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from scenarios.lab.execution import execute
from scenarios.stale_cache import SCENARIO
from simulations.cache.picture import sequence
from simulations.choices import levels
from simulations.drawing.marks import Lanes, Tone
from simulations.drawing.page import fragment
from simulations.errors import PlanError

from . import NEEDS_THREADS, can_run_threads, elements, progress, replayed
from .schedules import GAMES, clients, every, play

if TYPE_CHECKING:
    from scenarios.lab.scenario import Variant

    from .elements import State
    from .schedules import Played, Question

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

DEVIATIONS_MAX: Final = 40
"""More than any schedule of these clients has."""
_LOOKED_UP: Final = (
    f"To run a schedule takes {NEEDS_THREADS}. Every schedule that you can choose was therefore run by the "
    "same simulation when this page was built, and is looked up."
)


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


@lru_cache(maxsize=len(GAMES))
def count(name: str) -> Counted:
    """Run every schedule of a variant's clients and count those that fail.

    Args:
        name: The name of the variant.
    """
    if not can_run_threads():
        kept = [*every(name)]
        return Counted(len(kept), sum(played.failure is not None for played in kept), complete=True)
    variant = SCENARIO.variant(name)
    counted = Counted()
    for level in levels(lambda chooser: execute(SCENARIO, variant, clients(name), chooser), DEVIATIONS_MAX):
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
    played = play(name, _moves(state))
    question = played.question
    parts = [_levels(name), elements.paragraph(f"{variant.kind}: {variant.summary}")]
    parts.append(_ended(variant, played) if question is None else _open(variant, played, question))
    parts.append(fragment(_picture(played)))
    if question is None:
        line = replayed.command(SCENARIO, variant, clients(name), played.plan)
        parts.append(elements.natively(line, played.run.trace.digest()))
    parts.append(_counter(name, state))
    if not can_run_threads():
        parts.append(elements.paragraph(_LOOKED_UP))
    return "".join(parts)


def _moves(state: State) -> tuple[int, ...]:
    said = state.get("moves", "")
    if said and not (said.isascii() and said.isdecimal()):
        raise PlanError(f"moves are digits, one for each question, and not {said}")
    return tuple(map(int, said))


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
            hint=_next(play(variant.name, (*played.moves, option)), question, thread),
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


def _next(played: Played, question: Question, thread: str) -> str:
    """Say what a client does next, after an answer."""
    whole = sequence(played.run)
    following = (step for step in whole.steps[question.events :] if whole.lanes[step.lane] == thread)
    return next((step.text for step in following), "ends")


def _stored(played: Played, question: Question) -> int:
    writes = sum(event.action == "database.write" for event in played.run.trace.events[: question.events])
    return played.run.written[writes]


def _ended(variant: Variant, played: Played) -> str:
    failure = played.failure
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
        said = elements.says(f"You broke it: {failure}", Tone.BAD)
    return said + elements.facts([("your schedule", played.words)]) + elements.moves("what now", links)


def _picture(played: Played) -> Lanes:
    whole, question = sequence(played.run), played.question
    if not played.moves:
        runs = (dataclasses.replace(whole, title="the run that everybody sees, if you do not interfere"),)
        return Lanes(title="What the clients ask", runs=runs)
    if question is not None:
        whole = dataclasses.replace(whole, steps=whole.steps[: question.events], ended="...")
    else:
        tone = Tone.GOOD if played.failure is None else Tone.BAD
        whole = dataclasses.replace(whole, tone=tone)
    title = "your schedule" if question is None else "until now"
    return Lanes(title="What the clients asked", runs=(dataclasses.replace(whole, title=title),))


def _counter(name: str, state: State) -> str:
    if "all" not in state:
        every = {**state, "all": "1"}
        return elements.moves(
            "proof", [elements.move("Can it be done? Run every schedule", every, key="p", long=True)]
        )
    counted = count(name)
    if not counted.complete:
        return elements.says(f"{counted.runs} schedules were run, which is not all of them.")
    if counted.failing:
        return elements.says(f"{counted.failing} of all {counted.runs} schedules of these clients fail.")
    return elements.says(
        f"All {counted.runs} schedules of these clients ({GAMES[name]}) were run, and none "
        f"fails: you cannot. A step is one request to the cache or the database. For more clients: "
        f"heisenlab hunt stale-cache --variant {name} --searcher exhaustive",
        Tone.GOOD,
    )
