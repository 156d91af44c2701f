"""A 72-hour batch job of 90,000 tests dies at hour 70, without a word, and has to be rerun."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from scenarios.lab.scenario import Exhausted, Finds, Scenario, Story, Variant
from scenarios.vanishing_job.assumptions import ASSUMPTIONS
from scenarios.vanishing_job.properties import is_over_by_monday, keeps_its_work, survives_hour_70
from simulations.batch_job import variants
from simulations.batch_job.environment import LIFE, in_words
from simulations.batch_job.system import run
from simulations.batch_job.workload import HOUR_MS, Job
from simulations.choices import Deviation, Plan

__all__ = ["SCENARIO", "under"]

NO_OWNER: Final = Deviation("owner_tag", 0, 1)
SWEEP_ACTS: Final = Deviation("sweep", 0, 1)
FRIDAY_18: Final = Deviation("launch", 0, 1)
SETUP_2_H: Final = Deviation("setup", 0, 1)
CLOCKS_FORWARD: Final = Deviation("clock", 0, 1)

HOUR_70: Final = {
    "calendar": Plan([FRIDAY_18, NO_OWNER, SWEEP_ACTS]),
    "mark": Plan([FRIDAY_18, NO_OWNER, SETUP_2_H, SWEEP_ACTS]),
    "age": Plan([NO_OWNER, SETUP_2_H, SWEEP_ACTS]),
}
"""The least plan of each mechanism that kills at hour 70."""

SEED: Final = 5
"""A job of 72.6 hours."""

_AS_SHIPPED: Final = Finds("survives_hour_70", HOUR_70["calendar"])

SCENARIO: Final = Scenario(
    name="vanishing-job",
    title="A 72-hour batch job that dies at hour 70",
    story=Story(
        who="Faris: 90,000 tests and permutations, more than 100 versions and updates, 72 hours.",
        symptom="Very touchy: if it ran to hour 70, for whatever reason, it had to be rerun.",
        believed="The query: its EXPLAIN alone took 15 minutes. Or memory, the machine, the job.",
        root_cause="The cloud team was killing jobs that they did not understand.",
        lesson="Anyone who can end your job is part of your system. Put your name on it, and let it resume.",
    ),
    hidden_input="what the platform does, and when",
    question="does this sweep, limit or fault act now?",
    run=run,
    ladder=tuple(Job(rule=rule, seed=SEED) for rule in HOUR_70),
    properties=(survives_hour_70, keeps_its_work, is_over_by_monday),
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            variants.AS_SHIPPED,
            "One attempt, nothing saved, an owner tag if somebody remembers it.",
            _AS_SHIPPED,
            properties=("survives_hour_70",),
        ),
        Variant(
            "rerun-it",
            "folk fix",
            variants.RERUN_NEXT_WEEK,
            "Run it again next Friday; it was bad luck. All three attempts die at the same hour.",
            _AS_SHIPPED,
            properties=("survives_hour_70",),
        ),
        Variant(
            "retry-on-failure",
            "folk fix",
            variants.RETRY_AT_ONCE,
            "Let the scheduler start it again at once. It gets past the calendar, and not past an age limit.",
            Finds("survives_hour_70", HOUR_70["age"]),
            properties=("survives_hour_70",),
        ),
        Variant(
            "faster-explain",
            "folk fix",
            variants.FASTER_EXPLAIN,
            "Bound the planner, so that EXPLAIN takes milliseconds. A real flaw, and not this one.",
            _AS_SHIPPED,
            properties=("survives_hour_70",),
        ),
        Variant(
            "more-memory",
            "folk fix",
            variants.MORE_MEMORY,
            "Four times the memory, since exit status 137 means out of memory. It means SIGKILL.",
            _AS_SHIPPED,
            properties=("survives_hour_70",),
        ),
        Variant(
            "another-hour",
            "folk fix",
            variants.ANOTHER_HOUR,
            "Launch so that it is over by Monday 16:00. It works until the clocks go forward.",
            Finds("is_over_by_monday", Plan([NO_OWNER, CLOCKS_FORWARD, SWEEP_ACTS])),
            properties=("is_over_by_monday",),
        ),
        Variant(
            "owner-tag",
            "fix",
            variants.OWNER_TAG,
            "Every machine carries the owner's name, and the job is on the list of exemptions.",
            Exhausted(3),
        ),
        Variant(
            "checkpoint",
            "fix",
            variants.CHECKPOINT,
            "Save every 3.4 hours, by Daly's formula, and resume at once from there when it dies.",
            Exhausted(3),
            properties=("survives_hour_70", "keeps_its_work"),
        ),
        Variant(
            "both",
            "fix",
            variants.BOTH,
            "The owner's name on it, and checkpoints for all other deaths.",
            Exhausted(3),
        ),
    ),
    noise=LIFE,
    phrase=in_words,
    moment=lambda time_ms: f"{time_ms / HOUR_MS:.2f} h",
    assumptions=ASSUMPTIONS,
    deviations_max=8,
)
"""The bug under each of the three mechanisms of `HOUR_70`; `under` asks about one rule only."""


def under(rule: str) -> Scenario:
    """Return the scenario on a platform with one rule only, such as `under("mark").hunt()`.

    The result of such a hunt is a finding of `SCENARIO` as well, but it is verified in this process only.

    Args:
        rule: A name in `simulations.batch_job.rules.RULES`; `calendar`, `mark` and `age` kill at hour 70.

    Raises:
        ValueError: there is no such rule.
    """
    return replace(SCENARIO, ladder=(Job(rule=rule, seed=SEED),))
