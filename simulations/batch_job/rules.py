"""What the platform's owners do with machines that seem to have no owner: rules, and those of real tools."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

__all__ = [
    "EVERY_HOUR",
    "HOURS_IN_WEEK",
    "MECHANISMS",
    "MONDAY",
    "RULES",
    "STORY",
    "SUNDAY",
    "WEEKDAYS",
    "Kind",
    "Rule",
]

EVERY_HOUR: Final = tuple(range(24))
"""The local hours of a day, 0 to 23."""

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""The names of the weekdays; a weekday is an index into them, 0 for Monday."""

HOURS_IN_WEEK: Final = len(WEEKDAYS) * len(EVERY_HOUR)
"""A week, in hours."""

MONDAY: Final = 0
"""Monday as a weekday."""

SUNDAY: Final = 6
"""Sunday as a weekday."""

Kind = Literal["calendar", "age", "mark"]
"""What a sweep goes by: the hour, the age of a machine, or a mark that it made earlier; see `Rule`."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a sweep may end a machine.

    Attributes:
        name: Its key.
        kind: `calendar`: whatever is there at the hour of the sweep. `age`: what is older than `age_h`.
            `mark`: what is older than `age_h` is marked, and ended at the first sweep `grace_h` later.
        words: What it does, in one clause that follows "the sweep".
        source: Where the rule or its figures come from.
        weekday: The weekday of the sweep, 0 for Monday; None means every day.
        hours: The local hours at which it runs.
        age_h: The age of the *machine*, not of the job, in hours.
        grace_h: From mark to end, in hours.
        spares_owner: Whether an owner tag saves the machine.
    """

    name: str
    kind: Kind
    words: str
    source: str
    weekday: int | None = None
    hours: tuple[int, ...] = EVERY_HOUR
    age_h: int = 0
    grace_h: int = 0
    spares_owner: bool = True

    def runs_at(self, weekday: int, hour: int) -> bool:
        """Return whether a sweep runs at a local hour (0 to 23) of a weekday (0 to 6)."""
        return hour in self.hours and self.weekday in (None, weekday)

    def hours_to_next(self, weekday: int, hour: int) -> int:
        """Return in how many hours, from 1, the next sweep runs, counted from a local hour of a weekday."""
        return self._ahead[weekday][hour]

    @cached_property
    def _ahead(self) -> tuple[tuple[int, ...], ...]:
        """For each weekday and hour, in how many hours the next sweep runs: a search asks very often."""
        return tuple(
            tuple(self._count_ahead(weekday, hour) for hour in EVERY_HOUR) for weekday in range(len(WEEKDAYS))
        )

    def _count_ahead(self, weekday: int, hour: int) -> int:
        for ahead in range(1, HOURS_IN_WEEK):
            days, at = divmod(hour + ahead, len(EVERY_HOUR))
            if self.runs_at((weekday + days) % len(WEEKDAYS), at):
                return ahead
        return HOURS_IN_WEEK


STORY: Final = "a rule of the story; no tool has exactly these figures"
"""The source of a rule that was invented for the story."""

_RULES: Final = (
    Rule(
        name="calendar",
        kind="calendar",
        words="each Monday at 16:00 ends what has no owner",
        source=STORY,
        weekday=MONDAY,
        hours=(16,),
    ),
    Rule(
        name="age",
        kind="age",
        words="each hour ends what has no owner and whose machine is 72 hours old",
        source="trayio/reaper, README: ends instances of a group older than 72 hours; also the temporary "
        "namespaces of hjacobs/kube-janitor, README: 3 days",
        age_h=72,
    ),
    Rule(
        name="mark",
        kind="mark",
        words="each day at 16:00 marks what has no owner and is 48 hours old, and ends it 24 hours later",
        source=STORY,
        hours=(16,),
        age_h=48,
        grace_h=24,
    ),
    Rule(
        name="none",
        kind="age",
        words="leaves everything alone",
        source="a platform without a sweep",
        hours=(),
    ),
)

_PRESETS: Final = (
    Rule(
        name="kube-janitor",
        kind="age",
        words="ends temporary namespaces after three days",
        source="hjacobs/kube-janitor, README, example rules: temporary namespaces live 3 days",
        age_h=72,
    ),
    Rule(
        name="janitor-monkey",
        kind="mark",
        words="marks orphans of two days and ends them eight days later, between 11:00 and 12:00",
        source="Netflix SimianArmy, Janitor-Settings.md: 2 days, then 8 business days without an "
        "owner (taken as days here), hourly, from 11:00 to 12:00",
        hours=(11,),
        age_h=48,
        grace_h=192,
    ),
    Rule(
        name="custodian",
        kind="mark",
        words="marks what lacks its tags and ends it five days later",
        source="Cloud Custodian, mark-for-op with days: 5, as in the policy JohnTheodore/033c8a9d (gist)",
        hours=(16,),
        grace_h=120,
    ),
    Rule(
        name="aws-nuke-weekly",
        kind="calendar",
        words="each Sunday at noon empties the sandbox accounts",
        source="ministryofjustice/modernisation-platform#9427: aws-nuke on Sundays; the hour is assumed",
        weekday=SUNDAY,
        hours=(12,),
        spares_owner=False,
    ),
    Rule(
        name="resoto-untagged",
        kind="age",
        words="ends what has had no owner tag for two hours",
        source="resoto-plugin-cleanup-untagged: owner and expiration missing after 2 hours",
        age_h=2,
    ),
    Rule(
        name="test-infra",
        kind="mark",
        words="each four hours ends what is four hours old",
        source="kubernetes/test-infra#37128: 4 hours to live, a janitor each 4 hours",
        hours=(0, 4, 8, 12, 16, 20),
        age_h=4,
        spares_owner=False,
    ),
    Rule(
        name="preemptible",
        kind="age",
        words="ends each preemptible machine at 24 hours, owned or not",
        source="Google Compute Engine, preemptible VM instances: always stopped after 24 hours",
        age_h=24,
        spares_owner=False,
    ),
    Rule(
        name="actions-72h",
        kind="age",
        words="ends a self-hosted runner's job at 72 hours, owned or not",
        source="iterative/cml#1064: a self-hosted GitHub Actions runner had 72 hours, later 35 days",
        age_h=72,
        spares_owner=False,
    ),
)

RULES: Final = {rule.name: rule for rule in (*_RULES, *_PRESETS)}
"""All rules by name: the three of the story, `none`, and presets of real tools."""

MECHANISMS: Final = ("calendar", "age", "mark")
"""The rules that give hour 70 exactly, in three ways."""
