"""The nine suspects of a long job that died, in the words that the scenario and the flight recorder share.

The priors are assumptions, not measurements: they say how often an engineer would blame each cause before
anything is observed. They add up to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SUSPECTS", "Suspect", "suspect"]


@dataclass(frozen=True)
class Suspect:
    """A cause that may have ended a job.

    Attributes:
        name: One word; the key in tables, JSON and options.
        words: The cause as a report names it.
        description: What would have happened, in one sentence.
        prior: The probability before any observation, from 0 to 1. An assumption.
        ask: Where to look for what would decide it.
    """

    name: str
    words: str
    description: str
    prior: float
    ask: str


SUSPECTS: Final = (
    Suspect(
        "sweep",
        "a clean-up by the platform's owners",
        "A clean-up took the job or its machine for abandoned and ended it.",
        0.05,
        "the platform's audit log at that minute (principal, call, reason); does an owner tag save it?",
    ),
    Suspect(
        "memory",
        "out of memory",
        "The kernel, the container or an allocation limit ended it because memory ran out.",
        0.20,
        "oom_kill in the cgroup's memory events, the kernel log, and resident memory over time",
    ),
    Suspect(
        "node",
        "a failed node",
        "The machine crashed, rebooted or was cut off.",
        0.10,
        "the host's uptime and boot id, and what its console said last",
    ),
    Suspect(
        "spot",
        "a reclaimed spot machine",
        "The cloud took back a machine that it had lent at a discount.",
        0.10,
        "the interruption notice of the cloud, and how the machine was bought",
    ),
    Suspect(
        "deadline",
        "a time limit",
        "A limit on CPU or wall time was reached: a scheduler's, a supervisor's, or a resource limit.",
        0.10,
        "the limits of the job and of its scheduler; does a later start leave the age at death the same?",
    ),
    Suspect(
        "database",
        "the database",
        "A query, a plan or a connection hung or was refused until the job gave up.",
        0.15,
        "the progress before the death, and the database's own log of the same minute",
    ),
    Suspect(
        "application",
        "the job itself",
        "A defect or a failed check in the program ended it.",
        0.20,
        "its exit status and the last lines that it wrote: a traceback, an assertion, a fault",
    ),
    Suspect(
        "clock",
        "a change of the clock",
        "Daylight saving or a step of the clock confused a timer.",
        0.05,
        "jumps of the wall clock against the monotonic one, and the zone's offset, around the death",
    ),
    Suspect(
        "budget",
        "a budget that ran out",
        "A spending limit was reached and the platform switched things off.",
        0.05,
        "the billing alarms of the account at the hour of the death",
    ),
)
"""All nine, in the order in which tables list them."""


def suspect(name: str) -> Suspect:
    """Return the suspect of that name.

    Raises:
        KeyError: there is none; the message lists those that there are.
    """
    for candidate in SUSPECTS:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no suspect {name!r}; there are {', '.join(each.name for each in SUSPECTS)}")
