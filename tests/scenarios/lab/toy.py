"""A world small enough to be checked by hand, and scenarios on it that are right, wrong, or broken."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenarios.lab.scenario import Exhausted, Finds, Holds, Scenario, Story, Variant
from simulations.choices import Deviation, NoiseModel, Plan
from simulations.trace import Trace

if TYPE_CHECKING:
    from simulations.choices import Chooser


@dataclass(frozen=True)
class Errands:
    """How many steps the clerks take."""

    steps: int

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps is from 0, not {self.steps}")


@dataclass(frozen=True)
class Office:
    """What happens when a clerk spills: `twice` needs two, `broken` is an error of the world itself."""

    spills_matter: bool = True
    twice: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Day:
    """One run."""

    trace: Trace
    stains: int
    alarms: int


def run(office: Office, errands: Errands, chooser: Chooser) -> Day:
    """Clerks a, b and c may spill at each step; from step 1 on, what b spills stains."""
    trace, stains, alarms = Trace(), 0, 0
    for step in range(errands.steps):
        chooser.at(step)
        for clerk in ("a", "b", "c"):
            spill = chooser.pick(f"{clerk}.cup", ("steady", "spills", "drops"))
            if spill == "steady":
                continue
            trace.record(step, clerk, spill)
            if office.broken and clerk == "c":
                raise TypeError("a bug in the world's own code")
            stains += office.spills_matter and clerk == "b" and step > 0
            if chooser.pick(f"{clerk}.alarm", (False, True)):
                alarms += 1
    if office.twice:
        stains = max(0, stains - 1)
    return Day(trace, stains, alarms)


def nothing_is_stained(day: Day) -> None:
    """Nothing is ever stained."""
    assert not day.stains, f"{day.stains} stains"


def nobody_is_alarmed(day: Day) -> None:
    """No alarm is raised."""
    assert not day.alarms, f"{day.alarms} alarms"


def _phrase(point) -> str:
    what = {".cup": ("spills", "drops it"), ".alarm": ("raises the alarm",)}
    clerk, _, kind = point.label.partition(".")
    return f"{clerk} {what['.' + kind][point.option - 1]} at step {point.time}"


STORY = Story(who="two clerks", symptom="stains", believed="the cups", root_cause="b", lesson="look at b")

SCENARIO = Scenario(
    name="toy",
    title="Stains in the office",
    story=STORY,
    hidden_input="who spills",
    question="does a clerk spill?",
    run=run,
    ladder=tuple(Errands(steps) for steps in range(5)),
    properties=(nothing_is_stained, nobody_is_alarmed),
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            Office(),
            "spills stain",
            Finds("nothing_is_stained", Plan([Deviation("b.cup", 1, 1)])),
            properties=("nothing_is_stained",),
        ),
        Variant(
            "twice",
            "folk fix",
            Office(twice=True),
            "one stain is wiped off",
            Finds("nothing_is_stained", Plan([Deviation("b.cup", 1, 1), Deviation("b.cup", 2, 1)])),
            properties=("nothing_is_stained",),
        ),
        Variant(
            "alarmed",
            "folk fix",
            Office(spills_matter=False),
            "judged by the alarm",
            Finds("nobody_is_alarmed", Plan([Deviation("a.cup", 0, 1), Deviation("a.alarm", 0, 1)])),
        ),
        Variant(
            "fixed",
            "fix",
            Office(spills_matter=False),
            "lids",
            Exhausted(2),
            properties=("nothing_is_stained",),
        ),
        Variant(
            "likely",
            "fix",
            Office(spills_matter=False),
            "lids",
            Holds(50),
            properties=("nothing_is_stained",),
        ),
        Variant("broken", "fix", Office(broken=True, spills_matter=False), "raises TypeError", Exhausted(1)),
    ),
    noise=NoiseModel("clumsy", {"*.cup": 0.1, "*.alarm": 0.5}),
    phrase=_phrase,
)


def with_run(world) -> Scenario:
    """Return the toy with another world in it; it cannot be imported by another interpreter."""
    return dataclasses.replace(SCENARIO, run=world)
