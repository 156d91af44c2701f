"""The system: one campaign of the batch job, from the first launch until it is delivered or given up.

Two levels, one truth. The platform lives on its own sparse timeline and decides when a run ends, and why. The
workload decides how far it was by then. SimPy runs both. Where nothing but the end couples the two, which is
always the case here, the workload may be left to the kernel, and a run takes a fraction of a millisecond in
place of a tenth of a second; `engine="simpy"` runs every test, worker and heartbeat as SimPy processes in the
environment of the platform, and gives the same trace.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import simpy

from simulations.batch_job import environment
from simulations.batch_job.environment import People, Platform, ask_people
from simulations.batch_job.kernel import Checkpoints, Schedule, schedule
from simulations.batch_job.remembered import Remembered
from simulations.batch_job.rules import MONDAY, RULES
from simulations.batch_job.workload import HOUR_MS, Bulk, Job, Log, bulk, worker
from simulations.drawing.displayed import DisplayedByWorld
from simulations.errors import LabError
from simulations.trace import Event, Trace

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from simulations.batch_job.database import Planner
    from simulations.batch_job.variants import System
    from simulations.choices import Chooser

__all__ = ["Attempt", "Run", "run"]

HEARTBEAT_MS: Final = 60_000
PROGRESS_H: Final = 6
"""How often the progress goes into the trace."""

WEEK_MS: Final = environment.WEEK_H * HOUR_MS
SWEEP_MONDAY_H: Final = environment.WEEK_H + MONDAY * environment.DAY_H + 16
"""The first Monday 16:00 after the weekend, in hours since Monday 00:00."""

KIB_IN_GIB: Final = 1024 * 1024
FINISHED: Final = "finished"

STARTS_MAX: Final = 16_384
ATTEMPTS_MAX: Final = 1_024
"""How many starts of attempts are remembered, and how many attempts of each.

The scenario's tests make 72,254 attempts. 26,760 of them differ; they have 10,431 starts, and take 30 MB.
"""

Engine = Literal["kernel", "simpy"]


@dataclass(frozen=True)
class Attempt:
    """One run of the job.

    Attributes:
        number: From 0.
        machine_ms: When its machine was launched, in ms since Monday 00:00 of the first week.
        start_ms: When its own clock started.
        end_ms: When it ended.
        cause: `finished`, or the name of a suspect in `simulations.suspects`.
        done: How many tests were over, with those that an earlier attempt had saved.
        saved: How many of them outlive it.
        lost_ms: The run time whose results are gone.
        shift_h: What daylight saving had added to the local time when it ended.
    """

    number: int
    machine_ms: int
    start_ms: int
    end_ms: int
    cause: str
    done: int
    saved: int
    lost_ms: int
    shift_h: int

    @property
    def job_hours(self) -> float:
        """How old the job was at its end, in hours; below 0 if its machine was still being prepared."""
        return (self.end_ms - self.start_ms) / HOUR_MS


@dataclass(frozen=True)
class Run(DisplayedByWorld):
    """A campaign.

    Attributes:
        trace: What happened, in ms since Monday 00:00 of the first week.
        job: The input.
        system: How the team runs the job.
        people: What they decided.
        attempts: The runs of the job.
        schedules: When each test of each attempt was over, or would have been: what lies after the end of an
            attempt is left out only by `engine="simpy"`, which never gets there.
    """

    trace: Trace
    job: Job
    system: System
    people: People
    attempts: tuple[Attempt, ...]
    schedules: tuple[Schedule, ...]

    def __repr__(self) -> str:
        last = self.attempts[-1]
        ended = f"attempt {last.number + 1}: {last.cause} at hour {last.job_hours:.1f}"
        return f"<Run, {ended}; {len(self.trace)} events>"

    @property
    def delivered(self) -> bool:
        """Whether the last attempt finished."""
        return self.attempts[-1].cause == FINISHED


@dataclass(frozen=True, eq=False)
class _Workload:
    """What the schedule of an attempt depends on; the platform and the calendar have no part in it.

    Made by `_workload`, and the same object for the same values, since it is a part of every key below.
    """

    job: Job
    planner: Planner
    straggler: bool
    checkpoints: Checkpoints

    def bulk(self) -> Bulk:
        return bulk(self.job, self.planner, self.job.tests // 2 if self.straggler else None)


@lru_cache(maxsize=32)
def _plain(job: Job) -> Job:
    """Return a job without what the platform and the calendar do, so that its schedule is shared."""
    return replace(job, rule="none", held_h=0)


@lru_cache(maxsize=32)
def _workload(plain: Job, planner: Planner, checkpoints: Checkpoints, *, straggler: bool) -> _Workload:
    return _Workload(plain, planner, straggler, checkpoints)


@lru_cache(maxsize=32)
def _schedule(workload: _Workload, history: tuple[int, ...]) -> Schedule:
    """Return the schedule of an attempt, after attempts with these numbers, from 1, of checkpoints."""
    job = workload.job
    queue = _queue(workload, history)
    return schedule(workload.bulk(), queue, job.workers, job.connections, workload.checkpoints)


def _queue(workload: _Workload, history: tuple[int, ...]) -> Sequence[int]:
    if not history:
        return range(workload.job.tests)
    *earlier, complete = history
    before = tuple(earlier)
    past = _schedule(workload, before)
    kept = past.done(workload.checkpoints.began_ms(complete))
    saved = frozenset(past.order[:kept])
    return [number for number in _queue(workload, before) if number not in saved]


@lru_cache(maxsize=64)
def _out_of_memory_ms(workload: _Workload, history: tuple[int, ...], limit: int) -> int | None:
    return _schedule(workload, history).leaked_at(workload.bulk().leak, limit)


@dataclass
class _Scene:
    """One attempt while it runs."""

    env: simpy.Environment
    chooser: Chooser
    over: simpy.Event
    log: list[Event]
    claims: list[str]

    def note(self, actor: str, action: str, detail: str | int | None) -> None:
        self.log.append(Event(int(self.env.now), actor, action, detail))

    def end(self, cause: str) -> None:
        """Claim the end of the attempt now. Where several claims meet, the chooser says who was first."""
        self.claims.append(cause)
        if len(self.claims) == 1:
            # Whatever else is due in this millisecond was scheduled before this event and comes before it.
            self.env.timeout(0).callbacks.append(self._settle)

    def _settle(self, _: simpy.Event) -> None:
        first = self.claims[0]
        if len(self.claims) > 1:
            self.chooser.at(int(self.env.now))
            first = self.chooser.pick(
                "tie", sorted(self.claims, key=lambda cause: (cause != FINISHED, cause))
            )
        self.over.succeed(first)


class _Start(NamedTuple):
    """What an attempt depends on, besides the answers to its questions.

    Attributes:
        workload: The tests and the checkpoints.
        history: How many checkpoints each earlier attempt completed that completed any.
        limit: How much the memory holds, in thousandths of what a mean test leaks; None if nothing leaks.
        rule: The name of the platform's rule.
        spared: Whether sweeps leave the job alone.
        setup_h: How long its machine is prepared, in hours.
        deadline_h: The scheduler's time limit, in hours; 0 means none.
        shift_h: What daylight saving has added to the local time so far, in hours.
        live: Whether a sweep has acted before.
        number: The number of the attempt.
        machine_ms: When its machine is launched.
    """

    workload: _Workload
    history: tuple[int, ...]
    limit: int | None
    rule: str
    spared: bool
    setup_h: int
    deadline_h: int
    shift_h: int
    live: bool
    number: int
    machine_ms: int

    @property
    def start_ms(self) -> int:
        """When the job's own clock starts."""
        return self.machine_ms + self.setup_h * HOUR_MS


class _Over(NamedTuple):
    """An attempt that is over: what happened in it, and what the next one starts from."""

    attempt: Attempt
    events: Sequence[Event]
    schedule: Schedule | None
    shift_h: int
    live: bool


def run(system: System, job: Job, chooser: Chooser, *, engine: Engine = "kernel") -> Run:
    """Run a campaign.

    Args:
        system: How the team runs the job; see `simulations.batch_job.variants`.
        job: The input.
        chooser: Answers for people and platform.
        engine: `kernel` leaves the workload to the kernel; `simpy` simulates every test as well.

    Returns:
        The campaign; both engines give the same trace.

    Raises:
        LabError: there is no such engine.
    """
    if engine not in get_args(Engine):
        raise LabError(f"there is no engine {engine!r}; there are {', '.join(get_args(Engine))}")
    plain = _plain(job)
    launch_h = _in_time_h(system, plain) if system.launch == "in time" else None
    people = ask_people(chooser, launch_h=launch_h, tagged=system.owner_tag)
    workload = _workload(plain, system.planner, system.checkpoints, straggler=people.ailment.straggler)
    trace = Trace()
    trace.record(
        0, "people", "decide", (people.launch_h, people.tagged, people.setup_h, people.ailment.words)
    )
    first_ms = (people.launch_h + job.held_h - people.setup_h) * HOUR_MS
    start = _Start(
        workload=workload,
        history=(),
        limit=_memory_limit(system, people),
        rule=job.rule,
        spared=system.exempt or (people.tagged and RULES[job.rule].spares_owner),
        setup_h=people.setup_h,
        deadline_h=people.ailment.deadline_h,
        shift_h=0,
        live=False,
        number=0,
        machine_ms=first_ms,
    )
    attempts: list[Attempt] = []
    schedules: list[Schedule] = []
    while True:
        if engine == "simpy":
            over = _simulated(start, chooser)
        else:
            over = _remembered(start).result(chooser, partial(_outlined, start))
        trace.extend(over.events)
        attempt = over.attempt
        attempts.append(attempt)
        schedules.append(over.schedule or _schedule(workload, start.history))
        if attempt.cause == FINISHED or len(attempts) == system.attempts_max:
            return Run(trace, job, system, people, tuple(attempts), tuple(schedules))
        complete = system.checkpoints.complete(max(0, attempt.end_ms - attempt.start_ms))
        # The slot is an hour on the clock, which daylight saving may have moved.
        slot_ms = first_ms + len(attempts) * WEEK_MS - over.shift_h * HOUR_MS
        start = start._replace(
            history=(*start.history, complete) if complete else start.history,
            shift_h=over.shift_h,
            live=over.live,
            number=len(attempts),
            machine_ms=attempt.end_ms if system.rerun == "at once" else slot_ms,
        )


def _in_time_h(system: System, plain: Job) -> int:
    """Return the last full hour at which the job can be launched to be over before the Monday sweep."""
    workload = _workload(plain, system.planner, system.checkpoints, straggler=False)
    return SWEEP_MONDAY_H - -(-_schedule(workload, ()).makespan_ms // HOUR_MS)


def _memory_limit(system: System, people: People) -> int | None:
    leak_kib = people.ailment.leak_kib
    return system.memory_gib * KIB_IN_GIB * 1000 // leak_kib if leak_kib else None


@lru_cache(maxsize=STARTS_MAX)
def _remembered(start: _Start) -> Remembered[_Over]:  # noqa: ARG001  (what is remembered depends on it)
    """Return the attempts that began with this start.

    An exhaustive search meets most attempts many times: as the beginning of a longer plan, and in every
    variant of the system that has not yet made a difference.
    """
    return Remembered(ATTEMPTS_MAX)


def _simulated(start: _Start, chooser: Chooser) -> _Over:
    """Run an attempt with every test, worker and heartbeat in SimPy."""
    platform, scene = _started(start, chooser)
    progress = _start_workers(start, scene)
    cause = str(scene.env.run(until=scene.over))
    beats = [
        Event(at_ms, "job", "progress", progress.beats[(at_ms - start.start_ms) // HEARTBEAT_MS - 1])
        for at_ms in _reported_ms(start.start_ms, int(scene.env.now))
    ]
    schedule = Schedule(progress.order, progress.times_ms)
    over = _settled(start, scene, platform, cause, schedule=schedule, queued=progress.tests, beats=beats)
    return over._replace(schedule=schedule)


def _outlined(start: _Start, chooser: Chooser) -> _Over:
    """Run an attempt whose workload ends when the kernel says so."""
    platform, scene = _started(start, chooser)
    whole = _schedule(start.workload, start.history)
    setup_ms = start.start_ms - start.machine_ms
    full_ms = None if start.limit is None else _out_of_memory_ms(start.workload, start.history, start.limit)

    def claim(cause: str, after_ms: int) -> None:
        due = scene.env.timeout(setup_ms + after_ms)
        due.callbacks.append(lambda _: scene.end(cause))

    claim(FINISHED, whole.makespan_ms)
    if full_ms is not None:
        claim("memory", full_ms)
    cause = str(scene.env.run(until=scene.over))
    beats = _beats(start.workload, start.history, start.start_ms)
    reported = len(_reported_ms(start.start_ms, int(scene.env.now)))
    return _settled(
        start, scene, platform, cause, schedule=whole, queued=len(whole.order), beats=beats[:reported]
    )


def _started(start: _Start, chooser: Chooser) -> tuple[Platform, _Scene]:
    """Return the platform of an attempt whose machine starts, and what becomes of the attempt."""
    env = simpy.Environment(initial_time=start.machine_ms)
    scene = _Scene(env, chooser, env.event(), [], [])
    platform = Platform(
        env=env,
        chooser=chooser,
        rule=start.rule,
        spared=start.spared,
        end=scene.end,
        note=scene.note,
        shift_h=start.shift_h,
        live=start.live,
        machine_ms=start.machine_ms,
    )
    scene.note("machine", "starts", start.number)
    # Chance strikes the first attempt; later ones meet the rules alone.
    if start.number == 0:
        env.process(environment.clock(platform))
        env.process(environment.chance(platform, start.setup_h))
    if start.deadline_h:
        env.process(environment.deadline(platform, start.deadline_h))
    env.process(environment.sweep(platform))
    return platform, scene


class _Progress(NamedTuple):
    """How far the SimPy workers are.

    Attributes:
        tests: How many the attempt has to run.
        order: Those that are over, in the order in which they ended.
        times_ms: When they did, after the start.
        beats: What the heartbeat counted, minute by minute.
    """

    tests: int
    order: Sequence[int]
    times_ms: Sequence[int]
    beats: list[int]


def _start_workers(start: _Start, scene: _Scene) -> _Progress:
    """Run every test of the attempt as SimPy workers, beside a heartbeat."""
    env, job, start_ms = scene.env, start.workload.job, start.start_ms
    tests = start.workload.bulk()
    queue = _queue(start.workload, start.history)
    pool = simpy.Resource(env, capacity=job.connections)
    log, beats = Log(), list[int]()
    checkpoints, limit = start.workload.checkpoints, start.limit
    free, busy = limit or 0, job.workers

    def watch(number: int) -> None:
        nonlocal free
        was, free = free, free - tests.leak[number]
        if free <= 0 < was:
            scene.end("memory")

    def idle() -> None:
        nonlocal busy
        busy -= 1
        if not busy:
            scene.end(FINISHED)

    def heartbeat() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(HEARTBEAT_MS)
            beats.append(bisect_left(log.ends_ms, env.now - start_ms))

    def begin() -> Generator[simpy.Event, Any, None]:
        yield env.timeout(start_ms - env.now)
        pause_ms = checkpoints.pause_ms if checkpoints.every_ms else None
        shared, seen = iter(queue), watch if limit is not None else None
        for _ in range(job.workers):
            env.process(
                worker(
                    env,
                    shared,
                    tests,
                    pool,
                    log,
                    start_ms=start_ms,
                    pause_ms=pause_ms,
                    watch=seen,
                    idle=idle,
                )
            )
        env.process(heartbeat())

    env.process(begin())
    return _Progress(len(queue), log.order, log.ends_ms, beats)


def _reported_ms(start_ms: int, end_ms: int) -> range:
    """Return the times at which the progress goes into the trace."""
    return range(start_ms + PROGRESS_H * HOUR_MS, end_ms, PROGRESS_H * HOUR_MS)


@lru_cache(maxsize=STARTS_MAX)
def _beats(workload: _Workload, history: tuple[int, ...], start_ms: int) -> Sequence[Event]:
    """Return the progress of an attempt that nothing ends before it has finished."""
    whole = _schedule(workload, history)
    return [
        Event(at_ms, "job", "progress", whole.done(at_ms - start_ms))
        for at_ms in _reported_ms(start_ms, start_ms + whole.makespan_ms)
    ]


def _settled(
    start: _Start,
    scene: _Scene,
    platform: Platform,
    cause: str,
    *,
    schedule: Schedule,
    queued: int,
    beats: Sequence[Event],
) -> _Over:
    """Put the events of an attempt in order, and say how it ended."""
    end_ms, start_ms = int(scene.env.now), start.start_ms
    finished = cause == FINISHED
    elapsed = max(0, end_ms - start_ms)
    checkpoints, tests = start.workload.checkpoints, start.workload.job.tests
    resumed = tests - queued
    complete = checkpoints.complete(elapsed)
    kept_ms = checkpoints.began_ms(complete) if complete else 0
    attempt = Attempt(
        number=start.number,
        machine_ms=start.machine_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        cause=cause,
        done=tests if finished else resumed + schedule.done(end_ms - start_ms),
        saved=tests if finished else resumed + schedule.done(kept_ms),
        lost_ms=0 if finished else elapsed - kept_ms,
        shift_h=platform.shift_h,
    )
    events = sorted([*scene.log, *beats], key=itemgetter(0))  # by time
    events.append(Event(end_ms, cause, "ends", (attempt.done, attempt.saved)))
    return _Over(attempt, events, None, platform.shift_h, platform.live)
