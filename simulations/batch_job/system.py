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
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import simpy

from simulations.batch_job import environment
from simulations.batch_job.environment import People, Platform, ask_people
from simulations.batch_job.kernel import Checkpoints, Schedule, schedule
from simulations.batch_job.rules import MONDAY
from simulations.batch_job.workload import HOUR_MS, Bulk, Job, Log, bulk, worker
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
class Run:
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

    @property
    def delivered(self) -> bool:
        """Whether the last attempt finished."""
        return self.attempts[-1].cause == FINISHED


@dataclass(frozen=True)
class _Workload:
    """What the schedule of an attempt depends on; the platform and the calendar have no part in it."""

    job: Job
    planner: Planner
    straggler: bool
    checkpoints: Checkpoints

    def bulk(self) -> Bulk:
        return bulk(self.job, self.planner, self.job.tests // 2 if self.straggler else None)


@lru_cache(maxsize=32)
def _schedule(workload: _Workload, history: tuple[int, ...]) -> Schedule:
    """Return the schedule of an attempt, after attempts with these numbers of complete checkpoints."""
    job = workload.job
    queue = _queue(workload, history)
    return schedule(workload.bulk(), queue, job.workers, job.connections, workload.checkpoints)


def _queue(workload: _Workload, history: tuple[int, ...]) -> Sequence[int]:
    if not history:
        return range(workload.job.tests)
    *earlier, complete = history
    before = tuple(earlier)
    if not complete:
        return _queue(workload, before)
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
            self.env.process(self._settle())

    def _settle(self) -> Generator[simpy.Event, Any, None]:
        # Whatever else is due in this millisecond was scheduled before this event and comes before it.
        yield self.env.timeout(0)
        claims = sorted(self.claims, key=lambda cause: (cause != FINISHED, cause))
        self.chooser.at(int(self.env.now))
        self.over.succeed(claims[0] if len(claims) == 1 else self.chooser.pick("tie", claims))


@dataclass
class _Campaign:
    """What lasts from one attempt to the next."""

    job: Job
    system: System
    people: People
    chooser: Chooser
    engine: Engine
    workload: _Workload
    trace: Trace
    history: tuple[int, ...] = ()
    shift_h: int = 0
    live: bool = False


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
    # What the platform and the calendar do is no part of the workload, so that its schedule is shared.
    plain = replace(job, rule="none", held_h=0)
    launch_h = _in_time_h(system, plain) if system.launch == "in time" else None
    people = ask_people(chooser, launch_h=launch_h, tagged=system.owner_tag)
    workload = _Workload(plain, system.planner, people.ailment.straggler, system.checkpoints)
    campaign = _Campaign(job, system, people, chooser, engine, workload, Trace())
    decided = (people.launch_h, people.tagged, people.setup_h, people.ailment.words)
    campaign.trace.record(0, "people", "decide", decided)
    start_ms = (people.launch_h + job.held_h) * HOUR_MS
    first_ms = machine_ms = start_ms - people.setup_h * HOUR_MS
    attempts: list[Attempt] = []
    schedules: list[Schedule] = []
    while True:
        attempt, progress = _attempt(campaign, len(attempts), machine_ms)
        attempts.append(attempt)
        schedules.append(Schedule(progress.order, progress.ends_ms))
        if attempt.cause == FINISHED or len(attempts) == system.attempts_max:
            return Run(campaign.trace, job, system, people, tuple(attempts), tuple(schedules))
        campaign.history += (system.checkpoints.complete(max(0, attempt.end_ms - attempt.start_ms)),)
        # The slot is an hour on the clock, which daylight saving may have moved.
        slot_ms = first_ms + len(attempts) * WEEK_MS - campaign.shift_h * HOUR_MS
        machine_ms = attempt.end_ms if system.rerun == "at once" else slot_ms


def _in_time_h(system: System, plain: Job) -> int:
    """Return the last full hour at which the job can be launched to be over before the Monday sweep."""
    workload = _Workload(plain, system.planner, straggler=False, checkpoints=system.checkpoints)
    return SWEEP_MONDAY_H - -(-_schedule(workload, ()).makespan_ms // HOUR_MS)


def _attempt(campaign: _Campaign, number: int, machine_ms: int) -> tuple[Attempt, _Progress]:
    env = simpy.Environment(initial_time=machine_ms)
    scene = _Scene(env, campaign.chooser, env.event(), [], [])
    setup_h = campaign.people.setup_h
    start_ms = machine_ms + setup_h * HOUR_MS
    platform = Platform(
        env=env,
        chooser=campaign.chooser,
        rule=campaign.job.rule,
        exempt=campaign.system.exempt,
        tagged=campaign.people.tagged,
        end=scene.end,
        note=scene.note,
        shift_h=campaign.shift_h,
        live=campaign.live,
        machine_ms=machine_ms,
    )
    scene.note("machine", "starts", number)
    _start_platform(platform, campaign.people, first=number == 0)
    if campaign.engine == "simpy":
        progress = _start_workers(campaign, scene, start_ms)
    else:
        progress = _start_outline(campaign, scene, start_ms)
    cause = str(env.run(until=scene.over))
    campaign.shift_h, campaign.live = platform.shift_h, platform.live
    return _settled(campaign, scene, number, cause, progress), progress


def _start_platform(platform: Platform, people: People, *, first: bool) -> None:
    """Start what the platform does. Chance strikes the first attempt; later ones meet the rules alone."""
    env = platform.env
    if first:
        env.process(environment.clock(platform))
        env.process(environment.chance(platform, people.setup_h))
    if people.ailment.deadline_h:
        env.process(environment.deadline(platform, people.ailment.deadline_h))
    env.process(environment.sweep(platform))


@dataclass
class _Progress:
    """How far the workload is: the schedule that the kernel foresees, or what SimPy workers have done so far.

    Attributes:
        start_ms: When the job's own clock starts.
        tests: How many the attempt has to run.
        order: Those in the order in which they end.
        ends_ms: When they do, after the start.
        beats: What the heartbeat counted, minute by minute; None where there is no heartbeat to ask.
    """

    start_ms: int
    tests: int
    order: Sequence[int]
    ends_ms: Sequence[int]
    beats: list[int] | None = None

    def done(self, at_ms: int) -> int:
        """Return how many tests were over before a time; one that ends as the machine dies is not."""
        return bisect_left(self.ends_ms, at_ms - self.start_ms)

    def heartbeat(self, at_ms: int) -> int:
        """Return what the heartbeat of that time said."""
        if self.beats is None:
            return self.done(at_ms)
        return self.beats[(at_ms - self.start_ms) // HEARTBEAT_MS - 1]


def _memory_limit(campaign: _Campaign) -> int | None:
    """Return how much the memory holds, in thousandths of what a mean test leaks; None if nothing leaks."""
    leak_kib = campaign.people.ailment.leak_kib
    return campaign.system.memory_gib * KIB_IN_GIB * 1000 // leak_kib if leak_kib else None


def _start_outline(campaign: _Campaign, scene: _Scene, start_ms: int) -> _Progress:
    """Let the attempt end when the kernel says so."""
    whole = _schedule(campaign.workload, campaign.history)
    setup_ms = start_ms - int(scene.env.now)
    limit = _memory_limit(campaign)
    full_ms = None if limit is None else _out_of_memory_ms(campaign.workload, campaign.history, limit)

    def claim(cause: str, after_ms: int) -> None:
        due = scene.env.timeout(setup_ms + after_ms)
        due.callbacks.append(lambda _: scene.end(cause))

    claim(FINISHED, whole.makespan_ms)
    if full_ms is not None:
        claim("memory", full_ms)
    return _Progress(start_ms, len(whole.order), whole.order, whole.times_ms)


def _start_workers(campaign: _Campaign, scene: _Scene, start_ms: int) -> _Progress:
    """Run every test of the attempt as SimPy workers, beside a heartbeat."""
    env, job = scene.env, campaign.job
    tests = campaign.workload.bulk()
    queue = _queue(campaign.workload, campaign.history)
    pool = simpy.Resource(env, capacity=job.connections)
    log, beats = Log(), list[int]()
    checkpoints, limit = campaign.system.checkpoints, _memory_limit(campaign)
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
    return _Progress(start_ms, len(queue), log.order, log.ends_ms, beats)


def _settled(campaign: _Campaign, scene: _Scene, number: int, cause: str, progress: _Progress) -> Attempt:
    """Write the trace of an attempt that is over, and say how it ended."""
    end_ms, start_ms = int(scene.env.now), progress.start_ms
    first_ms = start_ms + PROGRESS_H * HOUR_MS
    beats = [
        Event(at_ms, "job", "progress", progress.heartbeat(at_ms))
        for at_ms in range(first_ms, end_ms, PROGRESS_H * HOUR_MS)
    ]
    for event in sorted([*scene.log, *beats], key=itemgetter(0)):  # by time
        campaign.trace.record(*event)
    finished = cause == FINISHED
    elapsed = max(0, end_ms - start_ms)
    checkpoints, tests = campaign.system.checkpoints, campaign.job.tests
    resumed = tests - progress.tests
    complete = checkpoints.complete(elapsed)
    kept_ms = checkpoints.began_ms(complete) if complete else 0
    attempt = Attempt(
        number=number,
        machine_ms=int(scene.log[0].time),
        start_ms=start_ms,
        end_ms=end_ms,
        cause=cause,
        done=tests if finished else resumed + progress.done(end_ms),
        saved=tests if finished else resumed + progress.done(start_ms + kept_ms),
        lost_ms=0 if finished else elapsed - kept_ms,
        shift_h=campaign.shift_h,
    )
    campaign.trace.record(end_ms, cause, "ends", (attempt.done, attempt.saved))
    return attempt
