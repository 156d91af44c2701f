"""The workload: 90,000 tests of 100 versions, pulled from one queue by 32 workers.

A test runs for a while, and one in fifty then asks the database for a report. How long a test takes, what it
leaks and how many tables its report joins are attributes of its version. All of it is bulk randomness: it
comes from the seed of the input and is never searched.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from simulations.batch_job.database import EXHAUSTIVE, execution_ms, planning_ms
from simulations.batch_job.rules import RULES
from simulations.choices import SEED_MAX, substream
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import simpy

    from simulations.batch_job.database import Planner

__all__ = ["HOUR_MS", "Bulk", "Job", "bulk"]

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600 * SECOND_MS
"""An hour, in ms."""

TESTS_MAX: Final = 1_000_000
WORKERS_MAX: Final = 1_000
VERSIONS_MAX: Final = 10_000
TEST_MS_MAX: Final = 6 * HOUR_MS
"""The longest a test may take; without a cap the tail of a lognormal law decides when a job is over."""

REPORT_EVERY: Final = 50
"""One test in this number ends with a report from the database."""

TABLES_MIN: Final = 8
TABLES_MAX: Final = 20
"""How many tables the report of the first version joins, and that of the last."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is recorded about every batch job: the input of the world.

    Attributes:
        rule: The name of the platform's rule for machines that seem to have no owner: a key of
            `simulations.batch_job.rules.RULES`.
        seed: The seed of the durations, from -2^64 to 2^64.
        tests: How many tests there are, from 1 to 1,000,000.
        workers: How many run at a time, from 1 to 1,000.
        versions: How many versions of the product they cover, from 1 to 10,000; a test belongs to version
            `number % versions`.
        connections: The size of the database's connection pool, from 1 to 1,000.
        held_h: By how many whole hours the launch is held back, from 0 to 167.

    Raises:
        ValueError: a value is out of range.
    """

    rule: str = "calendar"
    seed: int = 0
    tests: int = 90_000
    workers: int = 32
    versions: int = 100
    connections: int = 20
    held_h: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rule, str) or self.rule not in RULES:
            raise ValueError(f"there is no rule {shown(self.rule)}; there are {', '.join(RULES)}")
        for name, low, high in (
            ("tests", 1, TESTS_MAX),
            ("workers", 1, WORKERS_MAX),
            ("versions", 1, VERSIONS_MAX),
            ("connections", 1, WORKERS_MAX),
            ("held_h", 0, 167),
            ("seed", -SEED_MAX, SEED_MAX),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} is a whole number from {low} to {high}, not {shown(value)}")


@dataclass(frozen=True)
class Version:
    """One version of the product under test.

    Attributes:
        pace: How long its tests take against the mean, in thousandths.
        leak: What its tests leak against the mean, in thousandths.
        tables: How many tables its report joins.
    """

    pace: int
    leak: int
    tables: int


@dataclass(frozen=True)
class Bulk:
    """The tests of a job, as parallel sequences.

    Attributes:
        run_ms: How long each test runs before its report, in ms.
        report_ms: How long its report then takes, planning included, in ms; 0 where it asks for none.
        leak: What it leaks, in thousandths of the mean test.
    """

    run_ms: Sequence[int]
    report_ms: Sequence[int]
    leak: Sequence[int]


class Log:
    """The tests that are over.

    Attributes:
        order: Their numbers, in the order in which they ended.
        ends_ms: When they did, in ms after the start of the job.
    """

    __slots__ = ("ends_ms", "order")

    def __init__(self) -> None:
        self.order = array("l")
        self.ends_ms = array("q")


def versions(job: Job) -> tuple[Version, ...]:
    """Return the versions of a job: each a little different, and joining more tables the newer they are."""
    draw = substream(job.seed, "versions")
    paces = [draw.randrange(800, 1201) for _ in range(job.versions)]
    leaks = [draw.randrange(500, 1501) for _ in range(job.versions)]
    # The mean pace is brought back to 1000, so that the job is as long as the mean test says.
    paces = [pace * 1000 * job.versions // sum(paces) for pace in paces]
    last = max(1, job.versions - 1)
    return tuple(
        Version(pace, leak, TABLES_MIN + (TABLES_MAX - TABLES_MIN) * number // last)
        for number, (pace, leak) in enumerate(zip(paces, leaks, strict=True))
    )


@lru_cache(maxsize=1)
def durations_ms() -> tuple[int, ...]:
    """Return 1,024 equally likely durations of a test in ms: a lognormal law, sigma 1.4, mean 92.16 s.

    They are a file, since `exp` and `log` differ in the last place between platforms.
    """
    text = files("simulations.batch_job").joinpath("data/durations_ms.txt").read_text(encoding="ascii")
    return tuple(int(line) for line in text.splitlines() if not line.startswith("#"))


@lru_cache(maxsize=4)
def bulk(job: Job, planner: Planner = EXHAUSTIVE, straggler: int | None = None) -> Bulk:
    """Draw the tests of a job.

    Args:
        job: The input.
        planner: What plans the reports.
        straggler: The number of a test that takes `TEST_MS_MAX` this time; None means no test does.
    """
    count = job.versions
    kinds = versions(job)
    reports = [planning_ms(planner, kind.tables) + execution_ms(kind.tables) for kind in kinds]
    leaks = [kind.leak for kind in kinds]
    run_ms = list(_run_ms(job))
    if straggler is not None:
        run_ms[straggler] = TEST_MS_MAX
    report_ms = [0] * job.tests
    for number in range(job.tests):
        version = number % count
        # A test of each version in turn, so that reports are spread over the job.
        if (number // count + version) % REPORT_EVERY == 0:
            report_ms[number] = reports[version]
    return Bulk(run_ms, report_ms, [leaks[number % count] for number in range(job.tests)])


@lru_cache(maxsize=2)
def _run_ms(job: Job) -> Sequence[int]:
    """Draw how long each test runs, which neither the planner nor a straggler changes for the others."""
    table = durations_ms()
    size, count = len(table), job.versions
    paces = [kind.pace for kind in versions(job)]
    random = substream(job.seed, "durations").random
    return [
        max(1, table[int(random() * size)] * paces[number % count] // 1000) for number in range(job.tests)
    ]


def worker(
    env: simpy.Environment,
    queue: Iterator[int],
    bulk: Bulk,
    pool: simpy.Resource,
    log: Log,
    *,
    start_ms: int = 0,
    pause_ms: Callable[[int], int] | None = None,
    watch: Callable[[int], None] | None = None,
    idle: Callable[[], None] | None = None,
) -> Generator[simpy.Event, Any, None]:
    """Pull tests from the queue and run them, until it is empty: a SimPy process.

    Args:
        env: The environment of the process.
        queue: The numbers of the tests; all workers pull from the same iterator.
        bulk: The tests.
        pool: The connections of the database.
        log: Where the tests go that are over.
        start_ms: When the job's own clock started.
        pause_ms: For how long no test may start, from a time after the start, in ms.
        watch: Called with the number of each test that is over.
        idle: Called when the worker has nothing left to do.
    """
    run_ms, report_ms = bulk.run_ms, bulk.report_ms
    timeout, over = env.timeout, log.order.append
    ended: Callable[[Any], None] = log.ends_ms.append  # times are integers, which SimPy's types do not say
    for number in queue:
        if pause_ms is not None:
            pause = pause_ms(int(env.now) - start_ms)
            if pause:
                yield timeout(pause)
        yield timeout(run_ms[number])
        report = report_ms[number]
        if report:
            with pool.request() as connection:
                if not connection.triggered:
                    yield connection
                yield timeout(report)
        over(number)
        ended(env.now - start_ms)
        if watch is not None:
            watch(number)
    if idle is not None:
        idle()
