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
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from simulations.live.recorder.recording import Recording

HOURS_A_WEEK: Final = 168
_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
_APART_S: Final = _DAY_S
"""Deaths closer together than a day share an hour of the week, or nearly, because of that alone."""

_CALENDAR_MS_MIN: Final = _HOUR_S * 1000
"""A job that dies younger than this is rerun within the hour: another hour is no experiment."""

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
        local_s: The same in local time.
        start_hour: The hour of the week at which it was started.
        last_line: What it wrote last; empty if nothing was seen.
    """

    name: str
    ending: Ending
    wall_s: float
    local_s: float
    start_hour: int
    last_line: str

    @property
    def hour(self) -> int:
        """The hour of the week, local time, from 0 (Monday 00:00) to 167."""
        return hour_of_week(self.local_s)


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
        corrected: The same, corrected for the number of questions that were asked (Holm, "A simple
            sequentially rejective multiple test procedure", 1979); None where there is no chance.
    """

    what: Shared
    words: str
    chance: float | None
    corrected: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Runs of one command side by side.

    Attributes:
        runs: How many there are.
        ended_well: How many ended with status 0, and nothing of them was killed for memory.
        deaths: The others that have ended, oldest first; of some it may be unknown how.
        asked: What was asked of the deaths, with a chance that can be computed: the number of comparisons.
        shared: What their deaths share; of what was asked, what chance alone would do in less than 5 % of
            cases, after the correction for all that was asked.
        advice: What to change next, one variable at a time; empty where the figures carry none.
    """

    runs: int
    ended_well: int
    deaths: tuple[Death, ...]
    asked: tuple[Shared, ...]
    shared: tuple[Coincidence, ...]
    advice: tuple[str, ...]

    @property
    def unknown(self) -> int:
        """How many ended, and it is not known how."""
        return sum(not each.ending.is_known for each in self.deaths)

    @property
    def manners(self) -> tuple[tuple[str, int], ...]:
        """In which ways the deaths happened, and how many did, the most frequent first."""
        return tuple(Counter(manner(each.ending) for each in self.deaths).most_common())


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
        ended_well += found.well
        if not found.well and found.how not in NOT_ENDED:
            deaths.append(_death(recording, found))
    asked = _asked(deaths) if len(deaths) > 1 else {}
    significant = corrected(asked)
    shared = [*_alike(deaths), *(_in_words(each, deaths, asked, significant) for each in significant)]
    advice = _advice(deaths, asked, significant)
    return Comparison(len(recordings), ended_well, tuple(deaths), tuple(asked), tuple(shared), advice)


def _death(recording: Recording, found: Ending) -> Death:
    clock, lines = recording.clock, recording.last_lines
    wall_s = clock.wall_s(found.at_ms)
    return Death(
        name=recording.folder.name,
        ending=found,
        wall_s=wall_s,
        local_s=wall_s + clock.zone_s(found.at_ms),
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


def shares_of_hours(begin_s: float, length_s: float) -> list[float]:
    """Return for each hour of the week which share of a stretch of local time lies in it.

    Args:
        begin_s: Where the stretch begins, seconds since 1970 in local time.
        length_s: How long it is, above 0.
    """
    weeks, rest_s = divmod(length_s, HOURS_A_WEEK * _HOUR_S)
    begin_s = (begin_s + _EPOCH_WEEKDAY * 24 * _HOUR_S) % (HOURS_A_WEEK * _HOUR_S)
    inside_s = [weeks * _HOUR_S] * HOURS_A_WEEK
    for hour in range(2 * HOURS_A_WEEK):
        low_s, high_s = max(hour * _HOUR_S, begin_s), min((hour + 1) * _HOUR_S, begin_s + rest_s)
        inside_s[hour % HOURS_A_WEEK] += max(0.0, high_s - low_s)
    return [each / length_s for each in inside_s]


def chance_of_one_hour(alike: int, shares: Sequence[Sequence[float]]) -> float:
    """Return how often at least `alike` deaths fall into one hour of the week.

    Exact where the shares of all deaths are the same and more than half are alike, since two hours cannot
    both have so many; else an upper bound (the sum over the hours, of each hour the largest share).

    Args:
        alike: How many, from 1.
        shares: For each death, how likely it was in each hour.
    """
    tails = (_at_least(alike, len(shares), max(of_hour)) for of_hour in zip(*shares, strict=True))
    return min(1.0, sum(tails))


def _at_least(least: int, count: int, chance: float) -> float:
    """Return how often `least` or more of `count` independent events happen, each with this chance."""
    if not 0.0 < chance < 1.0:
        return float(chance >= 1.0)
    logarithms = (
        math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        + k * math.log(chance) + (count - k) * math.log1p(-chance)
        for k in range(least, count + 1)
    )  # fmt: skip
    return sum(map(math.exp, logarithms))


def chance_of_range(count: int, share: float) -> float:
    """Return how often `count` independent uniform values of 0 to 1 lie within `share` of each other.

    The range of n uniform values has the distribution function n r^(n-1) - (n-1) r^n (David and Nagaraja,
    Order Statistics, section 2.3).
    """
    return count * share ** (count - 1) - (count - 1) * share**count


def corrected(chances: Mapping[Shared, float]) -> dict[Shared, float]:
    """Return the coincidences that chance alone would bring about in less than 5 % of cases, corrected.

    Holm's correction: of m chances the smallest is multiplied by m, the next by m - 1, and so on, so that the
    probability of even one false alarm among all questions stays below 5 %, however they depend on another.
    """
    found: dict[Shared, float] = {}
    largest = 0.0
    for place, (what, chance) in enumerate(sorted(chances.items(), key=lambda each: each[1])):
        largest = max(largest, min(1.0, (len(chances) - place) * chance))
        if largest < _RARE:
            found[what] = largest
    return found


def _alike(deaths: Sequence[Death]) -> Iterator[Coincidence]:
    """Return what deaths share of which no chance can be computed."""
    for what, words, keys in (
        (Shared.MANNER, "ended in the same way", [manner(each.ending) for each in deaths]),
        (Shared.LAST_LINE, "wrote the same last line", [each.last_line for each in deaths]),
    ):
        for key, alike in Counter(keys).most_common(1):
            if key and alike > 1:
                yield Coincidence(what, f"{alike} of {len(deaths)} {words}: {key[:100]}", None)


def _asked(deaths: Sequence[Death]) -> dict[Shared, float]:
    """Return each question that can be asked of deaths, with the chance of what was found."""
    ages = [each.ending.at_ms for each in deaths]
    share = min(1.0, (max(ages) - min(ages) + _RESOLUTION_MS) / max(1, *ages))
    found = {Shared.AGE: chance_of_range(len(deaths), share)}
    gaps = [later.wall_s - earlier.wall_s for earlier, later in pairwise(deaths)]
    if min(gaps) >= _APART_S:
        _, alike = _hour(deaths)
        oldest_s = max(1.0, max(ages) / 1000)
        # Runs that are started in one hour and die young die in one hour, whatever ends them.
        begins = [each.local_s - each.ending.at_ms / 1000 for each in deaths]
        shares = [shares_of_hours(each, oldest_s) for each in begins]
        found[Shared.HOUR] = chance_of_one_hour(alike, shares)
    return found


def _hour(deaths: Sequence[Death]) -> tuple[int, int]:
    """Return the hour of the week in which most died, and how many did."""
    return Counter(each.hour for each in deaths).most_common(1)[0]


def _in_words(
    what: Shared, deaths: Sequence[Death], asked: Mapping[Shared, float], significant: Mapping[Shared, float]
) -> Coincidence:
    chance, count = significant[what], len(deaths)
    if what is Shared.AGE:
        ages = [each.ending.at_ms for each in deaths]
        words = (
            f"{count} of {count} died at the same age, {duration(min(ages))} to {duration(max(ages))}; "
            "by chance, if any age up to that were as likely"
        )
    else:
        hour, alike = _hour(deaths)
        words = (
            f"{alike} of {count} died in the same hour of the week, {hour_in_words(hour)}; by chance, if any "
            "age up to the largest were as likely"
        )
    words += f", {one_in(chance)}"
    if len(asked) > 1:
        words += f", corrected for {len(asked)} questions (Holm)"
    return Coincidence(what, words, asked[what], chance)


def _advice(
    deaths: Sequence[Death], asked: Collection[Shared], significant: Collection[Shared]
) -> tuple[str, ...]:
    """Say what to change next, if what was measured carries that."""
    same_age, same_hour = Shared.AGE in significant, Shared.HOUR in significant
    if same_age and Shared.HOUR not in asked:
        if min(each.ending.at_ms for each in deaths) < _CALENDAR_MS_MIN:
            return ()
        return (
            (
                "the deaths are less than a day apart: they cannot tell calendar and age apart; start "
                "the next run at another hour of another day"
            ),
        )
    if same_age and (same_hour or _at_one_time_of_day(deaths)):
        starts = {each.start_hour for each in deaths}
        why = ", since all were started in the same hour of the week" if len(starts) == 1 else ""
        if len(starts) > 1 and len({each % 24 for each in starts}) == 1:
            why = ", since all were started in the same hour of the day"
        return (
            (
                f"age and calendar fit alike{why}: start the next 6 hours later; what follows the "
                "calendar then strikes at the same time of day, what follows the age at the same age"
            ),
        )
    if same_hour:
        return ("the calendar fits and the age does not: ask what runs at that hour of the week",)
    if same_age:
        return (
            (
                "the age fits and the calendar does not: look for a step of the job at that age, a limit, a "
                "leak or a time-to-live"
            ),
        )
    return ()


def _at_one_time_of_day(deaths: Sequence[Death]) -> bool:
    """Tell whether all died within an hour of the clock, as jobs do that start daily and live alike."""
    times_s = sorted(each.local_s % _DAY_S for each in deaths)
    gaps_s = [later - earlier for earlier, later in pairwise([*times_s, times_s[0] + _DAY_S])]
    return _DAY_S - max(gaps_s) <= _HOUR_S  # all but the longest way around the clock


def manner(found: Ending) -> str:
    """Return in which way a run ended, in a few words."""
    if found.signal:
        return signals.name(found.signal)
    if found.status is None:
        return found.how.value
    return f"status {found.status}" + ", but something was killed for memory" * found.oom


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
    same_age = any(each.what is Shared.AGE for each in measured)
    if same_age and (len(measured) > 1 or _at_one_time_of_day(comparison.deaths)):
        return (Evidence("; ".join(each.words for each in measured), _BOTH),)
    return tuple(Evidence(each.words, _WEIGHTS[each.what]) for each in measured)
