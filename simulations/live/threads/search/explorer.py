"""Holds a program under control: observes it, chooses where threads may be switched, and runs schedules."""

from __future__ import annotations

import contextvars
import functools
import gc
import random
import sys
import threading
from dataclasses import dataclass
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from simulations.live.threads.control.accesses import Stamps, conflicting
from simulations.live.threads.control.hooks import Granularity, Hooks
from simulations.live.threads.control.install import Installer
from simulations.live.threads.control.scheduler import NEVER, POINTS_MAX, Failure, Scheduler, Strategy
from simulations.live.threads.errors import StuckError
from simulations.live.threads.search.exhaustive import Happened, Rank, Result, Visitor, enumerate_schedules
from simulations.live.threads.search.plans import Recorder, Scripted, normal
from simulations.live.threads.search.strategies import Decisions, Fixed, Searching, Turns, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from simulations.choices import Plan
    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.scheduler import Task
    from simulations.live.threads.control.sites import Site

FOCUS_ROUNDS_MAX: Final = 12
OBSERVED_TURN: Final = 1_000
OBSERVED_POINTS_MAX: Final = 10_000
"""A run under observation, in which every access is a point, is cut short after twice as many."""
SPIN_POINTS: Final = 100
COLLECT_EVERY: Final = 200
LESSONS_MAX: Final = 20
"""How often a run that came to new places is looked at again, so that the focus may grow."""

EXPLORING: Final[contextvars.ContextVar[Explorer | None]] = contextvars.ContextVar("exploring", default=None)
"""The exploration that the calling code runs in; it lets a nested one be refused, and a region be marked."""


@dataclass
class Hit:
    """A failing schedule.

    Attributes:
        failure: How it failed.
        decisions: The schedule.
        everywhere: Whether its steps are counted with a point in front of every access.
        least: Its rank, if every lesser schedule was run.
    """

    failure: Failure
    decisions: Decisions
    everywhere: bool = False
    least: Rank | None = None


class Explorer:
    """Holds a program under control, and runs schedules of it.

    Use it as a context manager: inside, the functions that the workers run are rewritten; outside they are
    not.
    """

    def __init__(
        self,
        setup: Callable[[], Any],
        workers: Sequence[tuple[str, Callable[[Any], object]]],
        check: Callable[[Any], object] | None,
        *,
        granularity: Granularity,
        scope: Sequence[str] | None,
        wall_limit: float,
        seconds: float | None = None,
    ) -> None:
        self.setup = setup
        self.workers = workers
        self.check = check
        self.scheduler = Scheduler(wall_limit=wall_limit)
        self.hooks = Hooks(self.scheduler)
        self.hooks.granularity = granularity
        self.installer = Installer(self.hooks, scope)
        self.schedules = 0
        self.points = 0
        self.epoch = 0
        self.widened = False
        self.replayed: Decisions = ()
        self._lessons = 0
        self._mode = ""
        self._until = None if seconds is None else monotonic() + seconds
        self._restore: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        global_random = random.getstate()
        numbered = threading._counter  # type: ignore[attr-defined]  # noqa: SLF001
        collecting = gc.isenabled()
        self._restore = [
            lambda: random.setstate(global_random),
            lambda: setattr(threading, "_counter", numbered),
            gc.enable if collecting else gc.disable,
        ]
        self._token = EXPLORING.set(self)
        self.scheduler.context = contextvars.copy_context()
        # A collection in the middle of a run would run finalizers at a point that differs from run to run.
        gc.disable()
        self.installer.begin(
            [self.setup, *(worker for _, worker in self.workers), *([self.check] if self.check else [])]
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.installer.restore()
        self.scheduler.close()
        EXPLORING.reset(self._token)
        for undo in self._restore:
            undo()

    @property
    def expired(self) -> bool:
        """Whether the wall-clock budget is spent."""
        return self._until is not None and monotonic() > self._until

    def regrain(self, granularity: Granularity) -> None:
        """Start anew with another granularity."""
        self.hooks.granularity = granularity
        for site in self.installer.sites:
            site.hot = site.sync
        self._changed()

    # -- running --------------------------------------------------------------------------------------------

    def _install(self, mode: Literal["observe", "watch", "fast"]) -> None:
        if self._mode != mode:
            self.installer.install(mode)
            self._mode = mode

    def _changed(self) -> None:
        self._mode = ""

    def run(self, strategy: Strategy) -> Failure | None:
        """Run one schedule and count it."""
        self.schedules += 1
        if self.schedules % COLLECT_EVERY == 0:
            gc.collect(1)
        self.hooks.stamps = Stamps()
        return self.scheduler.run(self.setup, self.workers, self.check, strategy)

    def fast(self, strategy: Strategy) -> Failure | None:
        """Run one schedule with nothing looked at that is not needed."""
        self._install("fast")
        self.hooks.sink = None
        return self.run(strategy)

    def told(
        self,
        strategy: Strategy,
        sink: Callable[[Task, Site | None, list[Touch], str], None],
        mode: Literal["observe", "watch"],
        *,
        tracing: bool = False,
    ) -> Failure | None:
        """Run one schedule and tell a sink of every access."""
        self._install(mode)
        self.hooks.sink = sink
        self.scheduler.on_end = lambda task: sink(
            task, None, [(self.hooks.stamps.of(task), None, True)], "ends"
        )
        trace = self._trace
        self.scheduler.observer = (lambda: sys.settrace(trace)) if tracing else None
        before = sys.gettrace()
        try:
            if tracing:
                sys.settrace(trace)
            return self.run(strategy)
        finally:
            if tracing:
                sys.settrace(before)
            self.scheduler.observer = self.scheduler.on_end = self.hooks.sink = None

    def _trace(self, frame: FrameType, event: str, arg: object) -> None:
        if self.scheduler.mine():
            self.installer.trace(frame, event, arg)

    # -- focus ----------------------------------------------------------------------------------------------

    def observe(self, seed: int, budget: int) -> Hit | None:
        """Run a few schedules under full observation, to learn what runs and which accesses conflict."""
        self.scheduler.turn_max = OBSERVED_TURN
        self.scheduler.livelocks = False
        self.scheduler.points_max = OBSERVED_POINTS_MAX
        focus: set[Site] = set()
        hit: Hit | None = None
        endless = False
        makers: list[Callable[[], Searching]] = [
            Fixed,
            lambda: Turns(NEVER >> 1, backwards=True),
            lambda: Turns(1, backwards=False),
            lambda: Turns(1, backwards=True),
            lambda: Walk(seed, 3),
        ]
        rounds = 0
        position = 0
        while position < len(makers) and self.schedules < budget:
            self._everywhere()
            strategy = makers[position]()
            failure, sites = self._observed(strategy)
            focus |= sites
            endless = endless or self.scheduler.cut
            rounds += 1
            if self.installer.adopt() and rounds < FOCUS_ROUNDS_MAX:
                self._changed()
                if failure is None or position == 0:
                    position = 0
                    continue
            if failure is not None and hit is None:
                hit = Hit(failure, tuple(strategy.decided), everywhere=True)
                if not strategy.decided:
                    break
            position += 1
        self.set_focus(focus)
        if endless:
            # A thread that waits in a loop for what nobody changes touches nothing that conflicts.
            self.widen()
        self.scheduler.turn_max = SPIN_POINTS
        self.scheduler.livelocks = True
        self.scheduler.points_max = POINTS_MAX
        return hit

    def _everywhere(self) -> None:
        self.hooks.everywhere = True
        for site in self.installer.sites:
            site.focus = True

    def _observed(self, strategy: Strategy) -> tuple[Failure | None, set[Site]]:
        shares: dict[int, dict[tuple[Any, int, bool], set[Site]]] = {}

        def sink(task: Task, site: Site | None, touches: list[Touch], verb: str) -> None:  # noqa: ARG001
            where = task.switched if self.hooks.granularity == "gil" else site
            if where is None:
                return
            for stamp, part, writes in touches:
                shares.setdefault(stamp, {}).setdefault((part, task.index, writes), set()).add(where)

        try:
            failure = self.told(strategy, sink, "observe", tracing=True)
        except StuckError:
            if not self.installer.found:
                raise
            failure = None
        return failure, focused(shares)

    def set_focus(self, focus: set[Site]) -> None:
        """Switch threads in front of these sites, and of those that look the same from outside."""
        self.hooks.everywhere = False
        keys = {_key(site) for site in focus}
        for site in self.installer.sites:
            site.focus = _key(site) in keys
        self.epoch += 1
        self._changed()

    def widen(self) -> None:
        """Switch threads in front of every site that has been run."""
        for site in self.installer.sites:
            site.focus = site.hot and not _is_release(site)
        self.widened = True
        self._changed()

    def focus(self) -> set[Site]:
        """Return the sites at which threads may be switched."""
        return {site for site in self.installer.sites if site.focus}

    @property
    def may_learn(self) -> bool:
        """Whether a run that came to new places is still looked at again."""
        return self._lessons < LESSONS_MAX

    def learn(self, decided: Decisions) -> bool:
        """Look again at a run that came to new places; return whether the focus has grown."""
        self._lessons += 1
        before = self.focus()
        _, sites = self._observed(Fixed(decided))
        adopted = self.installer.adopt()
        for site in self.installer.sites:
            site.hot = site.hot or site in self.hooks.news
        self.set_focus(before | sites)
        self.hooks.news.clear()
        return adopted or not self.focus() <= before

    def single_deviations(self) -> list[Decisions]:
        """Return every schedule that differs from the nominal one in one choice; forced choices first."""
        visitor = Visitor((), Happened({}))
        self.fast(visitor)
        self.points = self.scheduler.step
        singles = [
            (visit.running >= 0, ((visit.step, index),))
            for visit in visitor.visits
            for _, index in visit.options
            if index != visit.chosen
        ]
        return [decisions for _, decisions in sorted(singles, key=lambda single: single[0])]

    # -- running a schedule again ---------------------------------------------------------------------------

    def again(self, decisions: Decisions, *, everywhere: bool = False) -> Failure | None:
        """Run a schedule once more; from then on its steps are counted as they were when it was found."""
        if everywhere:
            self._everywhere()
            self._changed()
            self.scheduler.turn_max = OBSERVED_TURN
            return self.told(Fixed(decisions), _nobody, "observe")
        return self.fast(Fixed(decisions))

    def again_with(self, strategy: Strategy) -> Failure | None:
        """Run a schedule once more, as `again` left it."""
        return self.told(strategy, _nobody, "observe")

    def dropped(self, decisions: Decisions, wanted: Callable[[Failure], bool]) -> tuple[Decisions, Rank]:
        """Leave out what a failing schedule does not need, one decision at a time."""
        position = len(decisions) - 1
        while position >= 0:
            fewer = (*decisions[:position], *decisions[position + 1 :])
            strategy = Fixed(fewer)
            failure = self.told(strategy, _nobody, "watch")
            if failure is not None and wanted(failure):
                decisions = tuple(strategy.decided)
            position = min(position - 1, len(decisions) - 1)
        recorder = Recorder(Fixed(decisions))
        self.told(recorder, _nobody, "watch")
        chosen = [asked for asked in recorder.asked if asked.chosen]
        sequence = tuple((asked.step, asked.chosen) for asked in chosen)
        return decisions, Rank(sum(1 for asked in chosen if not asked.forced), len(chosen), sequence)

    def replay(self, plan: Plan) -> Failure | None:
        """Run the schedule of a plan; its decisions are in `replayed` afterwards.

        Raises:
            PlanError: the plan does not apply any more.
        """
        while True:
            known: dict[tuple[str, str, str], list[int]] = {}
            for site in self.installer.sites:
                code = site.code
                key = (PurePath(code.co_filename).name, normal(code.co_qualname), site.text)
                known.setdefault(key, []).append(site.line)
            scripted = Scripted(plan, known)
            wanted = {(place.file, place.function, place.line) for place in scripted.places}
            self.set_focus(
                self.focus()
                | {
                    site
                    for site in self.installer.sites
                    if (PurePath(site.code.co_filename).name, normal(site.code.co_qualname), site.line)
                    in wanted
                }
            )
            failure = self.told(scripted, _nobody, "observe", tracing=True)
            if not self.installer.adopt():
                break
            self._changed()
        scripted.finish()
        self.replayed = tuple(scripted.decided)
        return failure

    def _over(self, grown: set[Site]) -> bool:
        return self.expired or bool(grown)

    # -- enumerating ----------------------------------------------------------------------------------------

    def enumerate(
        self,
        *,
        schedules_max: int,
        bound: int | None,
        full: bool,
        below: Rank | None = None,
        wanted: Callable[[Failure], bool] = lambda _: True,
        by_deviations: bool = False,
    ) -> Result:
        """Run schedules in the order of "least"; where an unforeseen access conflicts, begin again."""
        spent = 0
        while True:
            grown: set[Site] = set()

            def run(strategy: Strategy, happened: Happened, grown: set[Site] = grown) -> Failure | None:
                failure = self.told(strategy, happened.access, "observe" if full else "watch", tracing=full)
                if full and self.hooks.granularity != "gil":
                    grown |= {site for site in focused(happened.shares) if not site.focus}
                return failure

            result = enumerate_schedules(
                run,
                schedules_max=schedules_max - spent,
                bound=bound,
                by_deviations=by_deviations,
                below=below,
                wanted=wanted,
                expired=functools.partial(self._over, grown),
            )
            spent += result.schedules
            if (
                result.failure is None
                and (grown or self.installer.found)
                and spent < schedules_max
                and not self.expired
            ):
                self.installer.adopt()
                self.set_focus(self.focus() | grown)
                continue
            return result._replace(schedules=spent)


def _nobody(task: Task, site: Site | None, touches: list[Touch], verb: str) -> None:
    """A sink for a run of which only the end matters."""


def focused(shares: dict[int, dict[tuple[Any, int, bool], set[Site]]]) -> set[Site]:
    """Return the sites in front of which a switch can matter.

    Giving a lock back matters only where somebody tries the lock without waiting for it: whoever waits sees
    no
    difference between a switch before it and one after. Nor does a switch matter right before a thread waits
    for a
    condition, since it then gives way by itself.
    """
    tried = {stamp for stamp, entries in shares.items() if any(part == "tried" for part, _, _ in entries)}
    real = {
        stamp: {
            key: {site for site in sites if stamp in tried or not _is_release(site)}
            for key, sites in entries.items()
        }
        for stamp, entries in shares.items()
    }
    return {site for site in conflicting(real) if site.code.co_qualname != "Condition.wait"}


def _is_release(site: Site) -> bool:
    return site.verb == "releases" or site.name in {"release", "__exit__", "_release_save"}


def _key(site: Site) -> tuple[str, str, int, str, str]:
    return site.code.co_filename, normal(site.code.co_qualname), site.line, site.verb, site.name
