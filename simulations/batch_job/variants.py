"""How the team runs the job: as shipped, the folk fixes, and the fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from simulations.batch_job.analysis import daly_interval
from simulations.batch_job.database import EXHAUSTIVE, GREEDY
from simulations.batch_job.kernel import Checkpoints
from simulations.batch_job.workload import HOUR_MS

if TYPE_CHECKING:
    from simulations.batch_job.database import Planner

__all__ = [
    "ANOTHER_HOUR",
    "AS_SHIPPED",
    "BOTH",
    "CHECKPOINT",
    "FASTER_EXPLAIN",
    "MORE_MEMORY",
    "OWNER_TAG",
    "RERUN_NEXT_WEEK",
    "RETRY_AT_ONCE",
    "System",
]

CHECKPOINT_COST_MS: Final = 5 * HOUR_MS // 60
MEAN_LIFE_MS: Final = 72 * HOUR_MS
"""What the checkpoint interval is planned for: 5 minutes a checkpoint, a death each 72 hours."""

NO_CHECKPOINTS: Final = Checkpoints()


@dataclass(frozen=True, kw_only=True)
class System:
    """How the team runs the job.

    Attributes:
        launch: `as people do`: they are asked; `in time`: at the last full hour that lets the job end before
            the Monday 16:00 sweep.
        owner_tag: Whether every machine carries an owner tag; if not, people are asked.
        exempt: Whether the job is on the platform's list of exemptions.
        attempts_max: How often it is started, from 1.
        rerun: `same slot`: in the next week, at the same hour; `at once`: when the death is seen.
        planner: The planner of the report query.
        memory_gib: The memory of the machine, in GiB.
        checkpoints: When the job saves what it has; a rerun goes on from there.

    Raises:
        ValueError: a number is below 1.
    """

    launch: Literal["as people do", "in time"] = "as people do"
    owner_tag: bool = False
    exempt: bool = False
    attempts_max: int = 1
    rerun: Literal["same slot", "at once"] = "same slot"
    planner: Planner = EXHAUSTIVE
    memory_gib: int = 64
    checkpoints: Checkpoints = NO_CHECKPOINTS

    def __post_init__(self) -> None:
        for name in ("attempts_max", "memory_gib"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is a whole number from 1, not {getattr(self, name)!r}")


AS_SHIPPED: Final = System()
"""One attempt, no checkpoints, and an owner tag only if people remember it."""

RERUN_NEXT_WEEK: Final = System(attempts_max=3)
"""Folk fix: up to three attempts, each a week after the one before, at the same hour."""

RETRY_AT_ONCE: Final = System(attempts_max=3, rerun="at once")
"""Folk fix: up to three attempts, each started as soon as the one before has died."""

FASTER_EXPLAIN: Final = System(planner=GREEDY)
"""Folk fix: a greedy planner, so that `EXPLAIN` of a large join takes milliseconds."""

MORE_MEMORY: Final = System(memory_gib=256)
"""Folk fix: 256 GiB of memory, four times as much as shipped."""

ANOTHER_HOUR: Final = System(launch="in time")
"""Folk fix: launched so that a healthy job is over before the Monday 16:00 sweep."""

DALY: Final = Checkpoints(
    every_ms=round(daly_interval(CHECKPOINT_COST_MS, MEAN_LIFE_MS)), cost_ms=CHECKPOINT_COST_MS
)

OWNER_TAG: Final = System(owner_tag=True, exempt=True)
"""Fix: every machine carries an owner tag, and the job is on the platform's list of exemptions."""

CHECKPOINT: Final = System(checkpoints=DALY, attempts_max=3, rerun="at once")
"""Fix: checkpoints at Daly's interval, from the last of which the next of three attempts goes on at once."""

BOTH: Final = System(owner_tag=True, exempt=True, checkpoints=DALY, attempts_max=3, rerun="at once")
"""Fix: the owner tag and the exemption, and checkpoints for deaths of other causes."""
