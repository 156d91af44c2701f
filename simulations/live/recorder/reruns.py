"""What the deaths of several runs have in common, and how often chance alone would do that."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulations.live.recorder import signals
from simulations.live.recorder.ending import NOT_ENDED, Ending, ending
from simulations.live.recorder.evidence import Evidence
from simulations.live.recorder.present import Present, present
from simulations.live.recorder.quantities import duration, one_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulations.live.recorder.recording import Recording

HOURS_A_WEEK: Final = 168
_HOUR_S: Final = 3600
_APART_S: Final = 24 * _HOUR_S
"""Deaths closer together than a day share an hour of the week, or nearly, because of that alone."""

_RARE: Final = 0.05
_RESOLUTION_MS: Final = 1000
"""Ages closer than this count as this far apart, so that no coincidence is called impossible."""

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH_WEEKDAY: Final = 3


@dataclass(frozen=True)
class Death:
    """One run that failed.

    Attributes:
        name: The folder of the run.
        ending: How it ended.
        wall_s: When, seconds since 1970.
        hour: The hour of the week, local time, from 0 (Monday 00:00) to 167.
        start_hour: The hour of the week at which it was started.
        last_line: What it wrote last; empty if nothing was seen.
    """

    name: str
    ending: Ending
    wall_s: float
    hour: int
    start_hour: int
    last_line: str


class Shared(Enum):
    """What deaths may have in common."""

    MANNER = "manner"
    """The signal or the exit status."""

    LAST_LINE = "last line"
    """What the job wrote last."""

    AGE = "age"
    """How long the job ran."""

    HOUR = "hour of the week"
    """The hour of the week in which it died."""


@dataclass(frozen=True)
class Coincidence:
    """Something that deaths share.

    Attributes:
        what: What they share.
        words: The same in a sentence, and how often chance alone would do that, where it can be computed.
        chance: That probability, under the null hypothesis in the words; None where there is none.
    """

    what: Shared
    words: str
    chance: float | None


@dataclass(frozen=True)
class Comparison:
    """Runs of one command side by side.

    Attributes:
        runs: How many there are.
        ended_well: How many ended with status 0.
        deaths: The others that have ended, oldest first.
        shared: What their deaths share.
        advice: What to change next, one variable at a time.
    """

    runs: int
    ended_well: int
    deaths: tuple[Death, ...]
    shared: tuple[Coincidence, ...]
    advice: tuple[str, ...]


def compare(recordings: Sequence[Recording], now: Sequence[Present] | None = None) -> Comparison:
    """Compare runs of one command.

    Args:
        recordings: The runs, oldest first.
        now: What this host says of each today; None asks it.
    """
    now = now if now is not None else [present(each) for each in recordings]
    deaths, ended_well = [], 0
    for recording, state in zip(recordings, now, strict=True):
        found = ending(recording, state)
        ended_well += found.status == 0
        if found.status != 0 and found.how not in NOT_ENDED:
            deaths.append(_death(recording, found))
    shared, advice = _shared(deaths) if len(deaths) > 1 else ((), ())
    return Comparison(len(recordings), ended_well, tuple(deaths), tuple(shared), tuple(advice))


def _death(recording: Recording, found: Ending) -> Death:
    clock, lines = recording.clock, recording.last_lines
    wall_s = clock.wall_s(found.at_ms)
    return Death(
        name=recording.folder.name,
        ending=found,
        wall_s=wall_s,
        hour=hour_of_week(wall_s + clock.zone_s(found.at_ms)),
        start_hour=hour_of_week(clock.wall_s(0) + clock.zone_s(0)),
        last_line=lines[-1] if lines else "",
    )


def hour_of_week(local_s: float) -> int:
    """Return the hour of the week, from 0 (Monday 00:00) to 167, of seconds since 1970 in local time."""
    days, seconds = divmod(math.floor(local_s), 24 * _HOUR_S)
    return (days + _EPOCH_WEEKDAY) % 7 * 24 + seconds // _HOUR_S


def hour_in_words(hour: int) -> str:
    """Return an hour of the week as `Monday 16:00`."""
    return f"{_WEEKDAYS[hour // 24]} {hour % 24:02}:00"


def chance_of_one_hour(deaths: int, alike: int, hours: int = HOURS_A_WEEK) -> float:
    """Return how often at least `alike` of `deaths` fall into one hour, if each hour is as likely.

    Exact where more than half are alike, since two hours cannot both have so many; else an upper bound (the
    sum over the hours).
    """
    p = 1 / hours
    tail = sum(math.comb(deaths, k) * p**k * (1 - p) ** (deaths - k) for k in range(alike, deaths + 1))
    return min(1.0, hours * tail)


def chance_of_range(count: int, share: float) -> float:
    """Return how often `count` independent uniform values of 0 to 1 lie within `share` of each other.

    The range of n uniform values has the distribution function n r^(n-1) - (n-1) r^n (David and Nagaraja,
    Order Statistics, section 2.3).
    """
    return count * share ** (count - 1) - (count - 1) * share**count


def _shared(deaths: Sequence[Death]) -> tuple[list[Coincidence], list[str]]:
    shared: list[Coincidence] = []
    count = len(deaths)
    for what, words, keys in (
        (Shared.MANNER, "ended in the same way", [_manner(each.ending) for each in deaths]),
        (Shared.LAST_LINE, "wrote the same last line", [each.last_line for each in deaths]),
    ):
        (key, alike), *_ = Counter(keys).most_common(1)
        if key and alike > 1:
            shared.append(Coincidence(what, f"{alike} of {count} {words}: {key[:100]}", None))
    ages = [each.ending.at_ms for each in deaths]
    share = min(1.0, (max(ages) - min(ages) + _RESOLUTION_MS) / max(1, *ages))
    age_chance = chance_of_range(count, share)
    same_age = age_chance < _RARE
    if same_age:
        shared.append(
            Coincidence(
                Shared.AGE,
                f"{count} of {count} died at the same age, {duration(min(ages))} to {duration(max(ages))}; "
                f"by chance, if any age up to that were as likely, {one_in(age_chance)}",
                age_chance,
            )
        )
    return shared, _calendar(deaths, shared, same_age=same_age)


def _calendar(deaths: Sequence[Death], shared: list[Coincidence], *, same_age: bool) -> list[str]:
    """Add what the deaths share in the calendar; return the advice."""
    gaps = [later.wall_s - earlier.wall_s for earlier, later in pairwise(deaths)]
    if min(gaps) < _APART_S:
        return [
            (
                "the deaths are less than a day apart: they cannot tell calendar and age apart; start "
                "the next run at another hour of another day"
            )
        ]
    count = len(deaths)
    (hour, alike), *_ = Counter(each.hour for each in deaths).most_common(1)
    chance = chance_of_one_hour(count, alike)
    same_hour = chance < _RARE
    if same_hour:
        shared.append(
            Coincidence(
                Shared.HOUR,
                f"{alike} of {count} died in the same hour of the week, {hour_in_words(hour)}; "
                f"by chance {one_in(chance)}",
                chance,
            )
        )
    if same_hour and same_age:
        same_start = len({each.start_hour for each in deaths}) == 1
        why = ", since all were started in the same hour of the week" if same_start else ""
        return [
            (
                f"age and calendar fit alike{why}: start the next 6 hours later; what follows the "
                "calendar then strikes at an age 6 hours less, what follows the age at the same age"
            )
        ]
    if same_hour:
        return ["the calendar fits and the age does not: ask what runs at that hour of the week"]
    if same_age:
        return ["the age fits and the calendar does not: look for a limit, a leak or a time-to-live"]
    return []


def _manner(found: Ending) -> str:
    if found.signal:
        return signals.name(found.signal)
    return f"status {found.status}" if found.status is not None else found.how


_HOUR: Final = {
    "sweep": 30.0,
    "clock": 2.0,
    "budget": 2.0,
    "deadline": 0.3,
    "memory": 0.1,
    "application": 0.1,
    "database": 0.3,
    "node": 0.1,
    "spot": 0.1,
    "person": 0.5,
}
_AGE: Final = {
    "deadline": 5.0,
    "sweep": 2.0,
    "memory": 2.0,
    "application": 2.0,
    "node": 0.1,
    "spot": 0.3,
    "person": 0.3,
}
_BOTH: Final = {"sweep": 5.0, "deadline": 5.0, "node": 0.1, "spot": 0.1, "person": 0.3}
_WEIGHTS: Final[Mapping[Shared, Mapping[str, float]]] = {Shared.HOUR: _HOUR, Shared.AGE: _AGE}
"""How what was measured speaks of the suspects; the manner and the last line are evidence of each run."""


def pattern(comparison: Comparison) -> tuple[Evidence, ...]:
    """Return what the deaths share as evidence about the suspects of any one of them.

    Where age and calendar fit alike, one follows from the other and they count once, for both.
    """
    measured = [each for each in comparison.shared if each.what in _WEIGHTS]
    if len(measured) > 1:
        return (Evidence("; ".join(each.words for each in measured), _BOTH),)
    return tuple(Evidence(each.words, _WEIGHTS[each.what]) for each in measured)
