"""The environment of the job: people and platform, on a sparse timeline. They ask all choice points.

People are asked once, before the first machine starts: when the job is launched, whether the machine carries
an owner tag, how long its setup takes, and what is wrong with the job itself. The platform is asked while the
job runs: a few dozen events in 72 hours. Option 0 is always "nothing happens".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from simulations.batch_job.rules import RULES, WEEKDAYS
from simulations.batch_job.workload import HOUR_MS, SECOND_MS
from simulations.choices import UNIFORM, NoiseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import simpy

    from simulations.choices import ChoicePoint, Chooser

__all__ = [
    "AILMENTS",
    "CHANCES",
    "CLOCKS",
    "DAY_H",
    "LAUNCHES",
    "LIFE",
    "SETUPS_H",
    "chance",
    "clock",
    "deadline",
    "in_words",
    "sweep",
    "when",
]

Answer = TypeVar("Answer")

WEEK_H: Final = 168
DAY_H: Final = 24
"""A day, in hours."""

LAUNCHES: Final = ((0, 9), (4, 18), (2, 18), (5, 9))
"""When people launch, as (weekday, local hour): Monday morning, or Friday before they go home, or else."""

SETUPS_H: Final = (0, 2, 3)
"""For how many hours a machine is prepared before the job's own clock starts."""


class Ailment(NamedTuple):
    """What is wrong with the job itself, or with how it was submitted.

    Attributes:
        words: Follows "the job".
        leak_kib: What the mean test leaks. With 64 GiB, 768 KiB last for about 70 hours.
        deadline_h: The scheduler's time limit, counted from the start of the machine; 0 means none.
        straggler: Whether one test, half-way through the queue, takes six hours this time.
    """

    words: str
    leak_kib: int = 0
    deadline_h: int = 0
    straggler: bool = False


AILMENTS: Final = (
    Ailment("is healthy"),
    Ailment("leaks 768 KiB a test", leak_kib=768),
    Ailment("leaks 1024 KiB a test", leak_kib=1024),
    Ailment("has a time limit of 72 hours", deadline_h=72),
    Ailment("has a time limit of 48 hours", deadline_h=48),
    Ailment("has one test of six hours", straggler=True),
)
"""What may be wrong with the job itself; the first is nothing. The figures are assumptions."""


class ClockChange(NamedTuple):
    """What happens to the local time.

    Attributes:
        words: How the trace names it.
        shift_h: By how many hours the clocks change.
        watchdog_fires: Whether a watchdog takes the hour that is skipped for an hour without progress.
    """

    words: str
    shift_h: int = 0
    watchdog_fires: bool = False


CLOCKS: Final = (
    ClockChange("no change"),
    ClockChange("forward", 1),
    ClockChange("back", -1),
    ClockChange("forward, and the watchdog believes it", 1, watchdog_fires=True),
)
"""What happens to the local time on Sunday at 02:00."""

CHANCES: Final = ("nothing", "node", "spot", "application", "database", "budget")
"""What chance may send, by the names of `simulations.suspects`."""

CHANCE_EVERY_H: Final = 10
"""How often chance is asked, in hours of the job. Coarser than life, so that all of it can be searched."""

SUNDAY_2_H: Final = 6 * DAY_H + 2

NOTICE_MS: Final = {
    "spot": 120 * SECOND_MS,
    "deadline": 30 * SECOND_MS,
    "budget": 30 * SECOND_MS,
    "clock": 30 * SECOND_MS,
}
"""How long before the kill the job gets its notice, a SIGTERM. Amazon EC2, "Spot Instance interruption
notices": two minutes; Kubernetes, "Pod Lifecycle": 30 seconds of grace by default. Other killers give
none."""

TRACEBACK: Final = frozenset({"database", "application"})
"""Causes that end the job through its own code, which can still write why."""


class People(NamedTuple):
    """What people decided before the first machine started.

    Attributes:
        launch_h: When they launch, in local hours since Monday 00:00.
        tagged: Whether the machine carries an owner tag.
        setup_h: How long the machine is prepared before the job starts.
        ailment: What is wrong with the job.
    """

    launch_h: int
    tagged: bool
    setup_h: int
    ailment: Ailment


def ask_people(chooser: Chooser, *, launch_h: int | None, tagged: bool) -> People:
    """Ask what people do.

    Args:
        chooser: Answers.
        launch_h: When they launch, where the team says so; None means that they are asked.
        tagged: Whether the team puts an owner tag on every machine; if not, they are asked.
    """
    if launch_h is None:
        weekday, hour = chooser.pick("launch", LAUNCHES)
        launch_h = weekday * DAY_H + hour
    return People(
        launch_h=launch_h,
        tagged=tagged or chooser.pick("owner_tag", (True, False)),
        setup_h=chooser.pick("setup", SETUPS_H),
        ailment=chooser.pick("trouble", AILMENTS),
    )


@dataclass
class Platform:
    """The platform while a campaign lasts: what it has learnt about itself, and what it reports to.

    Attributes:
        env: The environment of the present attempt; its time is in ms since Monday 00:00 of the first week.
        chooser: Answers.
        rule: The name of the rule in `simulations.batch_job.rules.RULES`.
        spared: Whether a sweep leaves the job alone, for its owner tag or its place on a list of exemptions.
        shift_h: What daylight saving has added to the local time so far, in hours.
        live: Whether a sweep has acted before. A rule that is live stays live.
        machine_ms: When the present machine was launched.
        end: Called with the cause of an end, at its time.
        note: Called with `(actor, action, detail)` of what else happens.
    """

    env: simpy.Environment
    chooser: Chooser
    rule: str
    spared: bool
    end: Callable[[str], None]
    note: Callable[[str, str, str | int | None], None]
    shift_h: int = 0
    live: bool = False
    machine_ms: int = 0

    def local(self) -> tuple[int, int]:
        """Return the local weekday, 0 for Monday, and hour."""
        hour = int(self.env.now) // HOUR_MS + self.shift_h
        return hour // DAY_H % 7, hour % DAY_H

    def ask(self, label: str, options: Sequence[Answer]) -> Answer:
        """Ask a question at the present local time."""
        self.chooser.at(int(self.env.now) + self.shift_h * HOUR_MS)
        return self.chooser.pick(label, options)


def strike(platform: Platform, cause: str) -> Generator[simpy.Event, Any, None]:
    """End the job, after the notice that this cause gives."""
    notice_ms = NOTICE_MS.get(cause, 0)
    if notice_ms:
        platform.note(cause, "SIGTERM", None)
        yield platform.env.timeout(notice_ms)
    platform.end(cause)


def clock(platform: Platform) -> Generator[simpy.Event, Any, None]:
    """Ask, on the first Sunday at 02:00, what happens to the local time."""
    now_h = int(platform.env.now) // HOUR_MS
    wait_h = (SUNDAY_2_H - now_h) % WEEK_H
    if now_h > SUNDAY_2_H or wait_h == 0:
        return
    yield platform.env.timeout(wait_h * HOUR_MS)
    change = platform.ask("clock", CLOCKS)
    if not change.shift_h:
        return
    platform.shift_h = change.shift_h
    platform.note("clock", "changes", change.words)
    if change.watchdog_fires:
        yield from strike(platform, "clock")


def chance(platform: Platform, setup_h: int) -> Generator[simpy.Event, Any, None]:
    """Ask every few hours of the job, which starts when its machine is set up, what chance sends."""
    yield platform.env.timeout(setup_h * HOUR_MS)
    while True:
        yield platform.env.timeout(CHANCE_EVERY_H * HOUR_MS)
        cause = platform.ask("trouble", CHANCES)
        if cause != "nothing":
            yield from strike(platform, cause)
            return


def deadline(platform: Platform, hours: int) -> Generator[simpy.Event, Any, None]:
    """End the job when its machine is as old as the scheduler's limit."""
    yield platform.env.timeout(platform.machine_ms + hours * HOUR_MS - int(platform.env.now))
    yield from strike(platform, "deadline")


def sweep(platform: Platform) -> Generator[simpy.Event, Any, None]:
    """Run the sweeps of the rule; ask of each that finds the machine due whether it acts."""
    rule = RULES[platform.rule]
    marked_ms: int | None = None
    if not rule.hours:
        return
    # The first full hour at which the machine is old enough. A sweep does not see one that starts with it.
    old_ms = platform.machine_ms + max(1, rule.age_h * HOUR_MS)
    yield platform.env.timeout(-(-old_ms // HOUR_MS) * HOUR_MS - platform.machine_ms)
    while True:
        now = int(platform.env.now)
        weekday, hour = platform.local()
        if rule.runs_at(weekday, hour):
            if rule.kind == "mark" and marked_ms is None:
                marked_ms = now
                platform.note("sweep", "marks", None)
            due = marked_ms is None or now - marked_ms >= rule.grace_h * HOUR_MS
            if due and (platform.live or platform.ask("sweep", (False, True))):
                platform.live = True
                if not platform.spared:
                    platform.end("sweep")
                    return
                platform.note("sweep", "spares", None)
        # One hour short of the next sweep, since the clocks may change meanwhile.
        yield platform.env.timeout(max(1, rule.hours_to_next(weekday, hour) - 1) * HOUR_MS)


def when(local_ms: int) -> str:
    """Say a local time, in ms since Monday 00:00, as a weekday and an hour."""
    minutes = local_ms // 60_000
    weekday = WEEKDAYS[minutes // (60 * DAY_H) % len(WEEKDAYS)]
    return f"{weekday} {minutes // 60 % DAY_H:02}:{minutes % 60:02}"


def in_words(point: ChoicePoint) -> str:
    """Say an answer that was not nominal in the words of this world."""
    match point.label:
        case "launch":
            weekday, hour = LAUNCHES[point.option]
            return f"launched {WEEKDAYS[weekday]} {hour:02}:00"
        case "owner_tag":
            return "no owner tag"
        case "setup":
            hours = SETUPS_H[point.option]
            return f"the machine is set up for {hours} hour{'s' if hours > 1 else ''}"
        case "trouble" if point.occurrence == 0:
            return f"the job {AILMENTS[point.option].words}"
        case "trouble":
            return f"{CHANCES[point.option]} strikes, {when(point.time)}"
        case "clock":
            return f"the clocks change: {CLOCKS[point.option].words}"
        case "sweep":
            return f"the {when(point.time)} sweep acts"
        case _:
            return f"{point.label} goes to claim {point.option}"


LIFE: Final = NoiseModel(
    "life",
    {
        "launch": UNIFORM,
        "owner_tag": 0.5,
        "setup": UNIFORM,
        "trouble": 0.03,
        "clock": (0.02, 0.02, 0.005),
        "sweep": 0.5,
        "tie": UNIFORM,
    },
)
"""How often things go otherwise than nominal. Assumptions, but for the clocks: two weekends of 52 a year."""
