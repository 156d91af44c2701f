"""Who killed the job: nine suspects, observations that cost days, and an order of them to beat.

A state is the number of the `case`, what was `seen` (a letter for each observation, in the order of their
list), and who is `accused`.
"""

from __future__ import annotations

import hashlib
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from simulations.batch_job.investigation import SURE, investigate, likelihoods, priors, update
from simulations.batch_job.observations import OBSERVATIONS, history
from simulations.choices import substream
from simulations.drawing.marks import Kind, Look, Span, Tone, Track, Tracks
from simulations.drawing.page import fragment
from simulations.errors import LabError
from simulations.suspects import SUSPECTS, suspect

from . import elements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.batch_job.observations import Observation

    from .elements import State

HISTORIES: Final = 50
"""How many deaths by each suspect the likelihoods are counted from."""
CASES_MAX: Final = 10_000
LETTERS: Final = "abcdefghijklm"
"""Of the observations, in their order."""
_BY_LETTER: Final = dict(zip(LETTERS, OBSERVATIONS, strict=True))
_BARS: Final = (Kind(" ", "nothing", Look.BLANK), Kind("=", "how probable it is", Look.SOLID))


@lru_cache(maxsize=8)
def culprit(case: int) -> str:
    """Return who did it: in case 0 that of the story, in all others drawn with the priors."""
    if case == 0:
        return "sweep"
    names = [each.name for each in SUSPECTS]
    return substream(case, "culprit").choices(names, [each.prior for each in SUSPECTS])[0]


@lru_cache(maxsize=8)
def truth(case: int) -> Any:
    """Return what happened in a case: three deaths by the culprit, as the world runs them."""
    return history(culprit(case), substream(case, "history"))


def looked(case: int, letter: str) -> str:
    """Return what an observation shows in a case; nothing is misreported."""
    return _BY_LETTER[letter].look(truth(case), lambda chance: chance >= 0.5)


def believed(case: int, seen: Sequence[str]) -> dict[str, float]:
    """Return the posterior after these observations."""
    belief = priors()
    for letter in seen:
        observation = _BY_LETTER[letter]
        belief = update(belief, likelihoods(HISTORIES)[observation.name], looked(case, letter))
    return belief


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `case`, `seen` and `accused`.
    """
    case, seen, accused = _read(state)
    belief = believed(case, seen)
    likeliest = max(belief, key=belief.__getitem__)
    days = sum(_BY_LETTER[letter].days for letter in seen)
    parts, shown = [], f"{_capital(_BY_LETTER[seen[-1]].words)}: {looked(case, seen[-1])}. " if seen else ""
    if accused:
        parts.append(_verdict(case, seen, accused, days))
    elif belief[likeliest] >= SURE:
        sure = f"{suspect(likeliest).words}, {belief[likeliest]:.0%}, after {days:g} days. Accuse it?"
        parts.append(elements.says(f"{shown}All but certain: {sure}"))
    else:
        first = f"Likeliest: {suspect(likeliest).words}, {belief[likeliest]:.0%}. " if seen else ""
        ask = f"{days:g} days spent. What do you look at, or whom do you accuse?"
        parts.append(elements.says(f"{shown}{first}{ask}"))
    given = {"case": str(case), "seen": "".join(seen)}
    if not accused:
        parts.append(_observations(given))
    parts += [_seen(case, seen), fragment(_bars(belief))]
    if not accused:
        parts.append(_accusations(given, likeliest))
    return "".join(parts)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _read(state: State) -> tuple[int, tuple[str, ...], str]:
    case, seen, accused = state.get("case", "0"), tuple(state.get("seen", "")), state.get("accused", "")
    if not case.isascii() or not case.isdecimal() or int(case) > CASES_MAX:
        raise LabError(f"a case is a number from 0 to {CASES_MAX}, not {case}")
    if len({*seen}) != len(seen) or not {*seen} <= {*LETTERS}:
        raise LabError(f"what was seen is some of {LETTERS}, each once, not {''.join(seen)}")
    if accused and accused not in priors():
        raise LabError(f"there is no suspect {accused}; there are {', '.join(priors())}")
    return int(case), seen, accused


def _waits(observation: Observation) -> str:
    days = f"{observation.days:g} day{'s' * (observation.days != 1)}" if observation.days else "at once"
    return f"{days}, {observation.whose}"


def _observations(given: State) -> str:
    links = (
        elements.move(
            observation.words,
            {**given, "seen": given["seen"] + letter},
            key=letter,
            hint=_waits(observation),
        )
        for letter, observation in _BY_LETTER.items()
        if letter not in given["seen"]
    )
    return elements.moves("observations", links)


def _seen(case: int, seen: Sequence[str]) -> str:
    return elements.facts((_BY_LETTER[letter].words, looked(case, letter)) for letter in seen)


def _bars(belief: dict[str, float]) -> Tracks:
    tracks = (
        Track(
            label=each.words,
            low=0,
            high=1,
            spans=(Span(0, belief[each.name], 1),) if belief[each.name] >= 0.0005 else (),
            note=f"{belief[each.name]:.1%}",
        )
        for each in SUSPECTS
    )
    return Tracks(title="Who did it, as far as is known", kinds=_BARS, tracks=tuple(tracks))


def _accusations(given: State, likeliest: str) -> str:
    links = [
        elements.move(
            f"accuse {each.words}",
            {**given, "accused": each.name},
            key="Enter" if each.name == likeliest and given["seen"] else "",
        )
        for each in SUSPECTS
    ]
    return elements.moves("accusations", links)


def _verdict(case: int, seen: Sequence[str], accused: str, days: float) -> str:
    did_it = culprit(case)
    steps = investigate(truth(case), order="gain per day", tables=likelihoods(HISTORIES))
    belief = steps[-1].belief
    theirs = max(belief, key=belief.__getitem__)
    order = ", ".join(step.observation.words for step in steps)
    right, agrees = ("right" if name == did_it else "wrong" for name in (accused, theirs))
    said = f"{right.capitalize()}: it was {suspect(did_it).words}. {suspect(did_it).description}"
    rows = [
        ("you", f"{days:g} days, {len(seen)} looks, {right}"),
        (
            "the lab",
            f"{steps[-1].days:g} days, {len(steps)} looks, {agrees}: {order}",
        ),
        ("its order", "next what tells most bits for a day of waiting, until one suspect has 95 %"),
        ("likelihoods", f"counted in {HISTORIES} deaths by each suspect; the priors are assumptions"),
    ]
    line = (
        "from hashlib import sha256; from simulations.batch_job.observations import history; "
        "from simulations.choices import substream; "
        f'print(sha256(repr(history("{did_it}", substream({case}, "history"))).encode()).hexdigest())'
    )
    digest = hashlib.sha256(repr(truth(case)).encode()).hexdigest()
    links = [
        elements.move("next case", {"case": str((case + 1) % (CASES_MAX + 1))}, key="n"),
        elements.move("this case again", {"case": str(case)}, key="r"),
    ]
    return "".join(
        [
            elements.says(said, Tone.GOOD if accused == did_it else Tone.BAD),
            elements.facts(rows),
            elements.moves("what now", links),
            elements.natively(shlex.join(["python", "-c", line]), digest),
        ]
    )


PAGE: Final = elements.Page(
    name="suspects",
    title="Who killed the job?",
    sentences=(
        "A job of three days died, nine suspects may have ended it, and most observations cost days.",
        "What an observation tells is counted in deaths that the lab's own simulation ran for each suspect.",
        "Name the culprit in as few days as the lab does.",
    ),
    try_this="Look at what costs no day first, and stop when one bar is long; Enter accuses the likeliest.",
)
