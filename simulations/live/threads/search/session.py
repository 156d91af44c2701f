"""A program under control, from its first run to its last."""

from __future__ import annotations

import contextvars
import functools
import gc
import random
import sys
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from simulations.live.threads.control import futures, limits, refused
from simulations.live.threads.control.frames import internal
from simulations.live.threads.control.hooks import Hooks
from simulations.live.threads.control.install import Installer
from simulations.live.threads.control.limits import NEVER, Limits
from simulations.live.threads.control.points import Points
from simulations.live.threads.control.primitives import Primitives
from simulations.live.threads.control.scheduler import Scheduler
from simulations.live.threads.control.swallowed import Swallowed
from simulations.live.threads.control.thread_order import ThreadOrder
from simulations.live.threads.control.touching import Touching
from simulations.live.threads.control.tracing import Tracing, set_trace
from simulations.live.threads.control.unwinding import EXECUTORS
from simulations.live.threads.errors import StuckError, ThreadsError
from simulations.live.threads.search.exhaustive import (
    Happened,
    Rank,
    Ranked,
    Result,
    Visitor,
    enumerate_schedules,
)
from simulations.live.threads.search.focus import alike, focused, where
from simulations.live.threads.search.follower import Follower, nothing, together
from simulations.live.threads.search.hit import Hit
from simulations.live.threads.search.plans import Scripted
from simulations.live.threads.search.strategies import Decisions, Fixed, Proposal, Turns, Walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from simulations.choices import Plan
    from simulations.live.threads.control.accesses import Shares, Touch
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.points import Granularity, Sink
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.control.tasks import Task
    from simulations.live.threads.program import Program
    from simulations.live.threads.search.explain import Witness
    from simulations.live.threads.search.reduction import Beginning

FOCUS_ROUNDS_MAX: Final = 12
"""How often observation begins anew because a run came to functions that were not watched."""
OBSERVING: Final = Limits(turn_max=1_000, points_max=10_000)
"""In a run under observation every access is a point."""
SEARCHING: Final = Limits(turn_max=100)
SWITCHING: Final = Limits(turn_max=100, points_max=3_000)
"""Where this interpreter switches, a place does not say whether anything is written."""

_ANY_INSTRUCTION: Final[Any] = None
"""The place of a point of an audit, which asks strategies that do not look at places."""

SESSION: Final[contextvars.ContextVar[Session | None]] = contextvars.ContextVar("session", default=None)
"""The session that the calling code runs in; it lets a nested one be refused, and a region be marked."""


class Session:
    """Holds a program under control, and runs schedules of it.

    Use it as a context manager: inside, the functions that the workers run are rewritten; outside they are
    not.

    Attributes:
        program: The program.
        schedules: How many schedules have been run.
        points: How many places the nominal run had at which threads could be switched; 0 until it is known.
        epoch: How often the focus has been chosen.
        stuck: Whether the last run of a proof did not end, since it came to functions that were not watched.
        widened: Whether threads are switched in front of every site that has been run.
        cuts: How many runs were cut short.
    """

    def __init__(self, program: Program, *, seconds: float | None = None) -> None:
        self.program = program
        self.scheduler = Scheduler(wall_limit=program.wall_limit)
        self._points = Points(self.scheduler, program.granularity)
        hooks = Hooks(self._points, Primitives(self._points))
        self._installer = Installer(hooks, self._points, program.scope)
        self._tracing = Tracing(self._installer.known, self._installer.meet)
        self._limits = Limits()
        self.schedules = 0
        self.points = self.epoch = self.cuts = 0
        self.widened = False
        self.stuck = False
        self._lessons = 0
        self._shares: Shares = {}
        self._conflicts: set[Site] = set()
        self._mode = ""
        self._order = ThreadOrder()
        self._swallowed = Swallowed()
        self._until = None if seconds is None else monotonic() + seconds
        self.scheduler.limit(self._until)
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Self:
        if SESSION.get() is not None:
            raise ThreadsError(
                "explore was called inside a worker, a set-up or a check of another explore; call it outside"
            )
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self) -> None:
        undo = self._undo
        # An interruption may come between any two lines, so each change is preceded by the way back from it.
        undo.append(functools.partial(gc.enable if gc.isenabled() else gc.disable))
        undo.append(functools.partial(set_trace, sys.gettrace()))
        undo.append(functools.partial(setattr, threading, "_counter", threading._counter))  # type: ignore[attr-defined]  # noqa: SLF001  (names of threads)
        undo.append(functools.partial(random.setstate, random.getstate()))
        undo.append(functools.partial(SESSION.set, None))
        undo.append(functools.partial(setattr, EXECUTORS, "disabled", EXECUTORS.disabled))
        others = *refused.stand_ins(self.scheduler), *futures.stand_ins(self._points)
        for module, name, value in (*others, *self._swallowed.stand_ins()):
            undo.append(functools.partial(setattr, module, name, getattr(module, name)))
            setattr(module, name, value)
        undo += self._points.process.put_back, self._tracing.close
        undo.append(self._order.stop)
        self._order.start()
        undo.append(self._installer.restore)
        undo.append(self.scheduler.close)
        SESSION.set(self)
        self.scheduler.work_in(contextvars.copy_context())
        # A collection in the middle of a run would run finalizers at a point that differs each time.
        gc.disable()
        self._installer.begin(self.program.roots)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Put everything back as it was, also where an interruption comes meanwhile; idempotent."""
        interruption: BaseException | None = None
        for _ in range(limits.CLOSE_TRIES):
            try:
                while self._undo:
                    self._undo[-1]()
                    self._undo.pop()
                self._swallowed.raise_it()
                break
            except BaseException as error:  # noqa: BLE001  (it is raised again when all is as it was)
                interruption = interruption or error
        if interruption is not None:
            raise interruption

    def take_time(self) -> None:
        """Let runs take a moment longer from now on: a finding is to be reported."""
        self.scheduler.limit(None if self._until is None else self._until + limits.TO_TELL)

    @property
    def granularity(self) -> Granularity:
        """Where threads may be switched."""
        return self._points.granularity

    @property
    def expired(self) -> bool:
        """Whether the wall-clock budget is spent."""
        return self._until is not None and monotonic() > self._until

    @property
    def hindrances(self) -> tuple[str, ...]:
        """Why some schedule may have been missed: what ran, or waited, without being under control."""
        waited = (
            f"a thread waited in the operating system, in {name}"
            for name in self.scheduler.kernel.uncontrolled
        )
        return (*waited, *self._installer.hindrances, *self._points.hindrances)

    @property
    def atomic(self) -> tuple[str, ...]:
        """What was taken for a single step, although another thread could come in between."""
        return (*self._installer.atomic, *self._points.atomic)

    def enter_region(self) -> None:
        """Note that the running thread has come to a region that is marked as uninteresting."""
        if self.scheduler.current.index >= 0:
            self._points.enter_region()

    @property
    def has_conflicts(self) -> bool:
        """Whether two threads touched the same thing in a run of a proof, and at least one wrote it."""
        return bool(self._conflicts)

    @property
    def cut(self) -> bool:
        """Whether the last run was cut short."""
        return self.scheduler.cut

    @property
    def steps(self) -> int:
        """How many points and forced choices the last run had."""
        return self.scheduler.step

    def regrain(self, granularity: Granularity) -> None:
        """Start anew with another granularity."""
        self._points.regrain(granularity)
        for site in self._installer.sites:
            site.reset_heat()
        self._changed()

    def _install(self, mode: Literal["observe", "watch", "fast"]) -> None:
        if self._mode != mode:
            self._installer.install(mode)
            self._mode = mode

    def _changed(self) -> None:
        self._mode = ""

    def _run(
        self,
        strategy: Strategy,
        sink: Sink | None,
        on_start: Callable[[], None] | None = None,
        *,
        audit: bool = False,
    ) -> Failure | None:
        """Run one schedule, and count it unless it is an audit."""
        self.schedules += not audit
        if self.schedules % limits.COLLECT_EVERY == 0:
            gc.collect(1)
        self._points.begin(sink)
        self._order.begin()
        program = self.program
        failure = self.scheduler.run(
            program.setup,
            program.workers,
            program.check,
            strategy,
            limits=self._limits,
            on_start=on_start,
            on_end=None if sink is None else self._points.tell_end,
        )
        self._swallowed.raise_it()
        self.cuts += self.scheduler.cut
        return failure

    def fast(self, strategy: Strategy) -> Failure | None:
        """Run one schedule with nothing looked at that is not needed."""
        self._install("fast")
        return self._run(strategy, None)

    def watched(
        self, strategy: Strategy, sink: Sink, mode: Literal["observe", "watch"], *, tracing: bool = False
    ) -> Failure | None:
        """Run one schedule and tell a sink of every access.

        Args:
            strategy: Says who goes on.
            sink: Told of every access.
            mode: Whether every access is looked at (`observe`), or those where threads may be switched.
            tracing: Whether functions are noticed that are not watched yet.
        """
        self._install(mode)
        on_start = self._tracing.begin() if tracing else None
        try:
            return self._run(strategy, sink, on_start)
        finally:
            if tracing:
                self._tracing.end()
            self._points.end()

    def observe(self, seed: int, budget: int) -> Hit | None:
        """Run a few schedules under full observation, to learn what runs and which accesses conflict."""
        self._limits = OBSERVING
        focus: set[Site] = set()
        hit: Hit | None = None
        endless = False
        makers: list[Callable[[], Proposal]] = [
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
            if self._installer.adopt() and rounds < FOCUS_ROUNDS_MAX:
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
            # A thread that waits in a loop for what no thread changes touches nothing that conflicts.
            self.widen()
        self._limits = SEARCHING
        return hit

    def followed(self, follower: Follower, *, counts: bool = True) -> Failure | None:
        """Run one schedule with a point in front of every access, and let a follower note its steps."""
        self.schedules -= not counts
        if not self._points.everywhere:
            self._everywhere()
            self._limits = OBSERVING
        shares = self._shares

        def sink(task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
            follower.access(task, site, touches, touching)
            if site is not None:
                for stamp, part, writes in touches:
                    shares.setdefault(stamp, {}).setdefault((part, task.index, writes), set()).add(site)

        shares.clear()
        self.stuck = False
        try:
            return self.watched(follower, sink, "observe", tracing=True)
        except StuckError:
            # What blocks may be a function that was not watched yet.
            if not self._installer.found:
                raise
            self.stuck = True
            return None
        finally:
            self._conflicts |= focused(shares)

    def audit(self, strategy: Strategy) -> Failure | None:
        """Run one schedule in which threads may be switched at every instruction of the program."""
        self._install("fast")
        run, baton = self.scheduler, self.scheduler.baton

        def trace(frame: FrameType, event: str, _: object) -> Any:
            if event == "call":
                if internal(frame) or not run.mine() or self._installer.is_step(frame):
                    return None
                frame.f_trace_opcodes = True
                frame.f_trace_lines = False
            elif event == "opcode" and run.mine() and not baton.mute:
                baton.pass_point(_ANY_INSTRUCTION, writes=True)
            return trace

        return self._run(strategy, None, lambda: set_trace(trace), audit=True)

    def adopted(self, *, counted: bool = True) -> bool:
        """Watch the functions that the last run came to for the first time; return whether there were any."""
        if not self._installer.adopt():
            return False
        self.schedules -= counted  # it was not a schedule of all of the program
        self._changed()
        for site in self._installer.sites:
            site.set_focus(focus=True)
        return True

    def lets_go(self, *, counted: bool = True) -> bool:
        """Return whether the last run kept objects too long, so that it says nothing; no other run will."""
        anew = self._points.lets_go()
        if anew and not self.adopted(counted=counted):
            self.schedules -= counted
        return anew

    def narrow(self) -> None:
        """Switch threads from now on only where the runs of a proof have shown that it can matter."""
        self._limits = SEARCHING
        self.set_focus(set(self._conflicts))
        if self.scheduler.cut:
            # A thread that waits in a loop for what no thread changes touches nothing that conflicts.
            self.widen()

    def retold(self, follower: Follower, ranked: Ranked | None = None) -> Failure | None:
        """Run the schedule that a follower follows, perhaps ranked, with the points that there are now."""
        return self.watched(ranked or follower, follower.access, "observe")

    def switched(self, threads: Beginning) -> Failure | None:
        """Run the steps of a schedule in their order, as far as threads can be switched where they are now.

        From then on threads are switched only where it can matter, as far as this run has shown.
        """
        self._everywhere()
        self._limits = OBSERVING
        follower = Follower(threads)
        focus: set[Site] = set()

        def sink(task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
            follower.access(task, site, touches, touching)
            focus.update(self._before(task, site, touching))

        failure = self.watched(follower, sink, "observe", tracing=True)
        self._installer.adopt()
        self.set_focus(focus)
        self._limits = SWITCHING
        return failure

    def _matters(self, site: Site) -> bool:
        """Whether the order of what a site does with what other threads do can matter."""
        return not self._conflicts or site.sync or site.focus or site in self._conflicts

    def _before(self, task: Task, site: Site | None, touching: Touching) -> tuple[Site, ...]:
        """Return where this interpreter may last have switched threads, if it can matter to what follows."""
        matters = site in self._conflicts if site else task.thread or touching is not Touching.ENDS
        if task.switched is None or not matters:
            return ()
        return (task.switched,)

    def _everywhere(self) -> None:
        self._points.put(everywhere=True)
        for site in self._installer.sites:
            site.set_focus(focus=True)

    def _observed(self, strategy: Strategy) -> tuple[Failure | None, set[Site]]:
        shares: Shares = {}

        def sink(task: Task, site: Site | None, touches: list[Touch], _: Touching) -> None:
            where = task.switched if self.granularity == "gil" else site
            if where is None:
                return
            for stamp, part, writes in touches:
                shares.setdefault(stamp, {}).setdefault((part, task.index, writes), set()).add(where)

        try:
            failure = self.watched(strategy, sink, "observe", tracing=True)
        except StuckError:
            if not self._installer.found:
                raise
            failure = None
        return failure, focused(shares)

    def set_focus(self, focus: set[Site]) -> None:
        """Switch threads in front of these sites, and of those that look the same from outside."""
        self._points.put(everywhere=False)
        keys = {alike(site) for site in focus}
        for site in self._installer.sites:
            site.set_focus(focus=alike(site) in keys)
        self.epoch += 1
        self._changed()

    def widen(self) -> None:
        """Switch threads in front of every site that has been run, and wherever this interpreter does."""
        for site in self._installer.sites:
            site.set_focus(focus=(site.hot or site.kind == "switch") and not site.only_releases)
        self.widened = True
        self._changed()

    def focus(self) -> set[Site]:
        """Return the sites at which threads may be switched."""
        return {site for site in self._installer.sites if site.focus}

    def learn(self, decided: Decisions) -> None:
        """Look again at a run that came to new places, if one did; the focus may grow."""
        if not self._points.has_news or self._lessons >= limits.LESSONS_MAX:
            return
        self._lessons += 1
        before = self.focus()
        _, sites = self._observed(Fixed(decided))
        self._installer.adopt()
        for site in self._points.take_news():
            site.note_run()
        self.set_focus(before | sites)

    def measure(self) -> Failure | None:
        """Run the nominal schedule, and count its points."""
        failure = self.fast(Fixed())
        self.points = self.steps
        return failure

    def single_deviations(self) -> list[Decisions]:
        """Return every schedule that differs from the nominal one in one choice; forced choices first."""
        visitor = Visitor((), Happened({}, self._matters))
        self.fast(visitor)
        self.points = self.steps
        singles = [
            (visit.running >= 0, ((visit.step, index),))
            for visit in visitor.visits
            for _, index in visit.options
            if index != visit.chosen
        ]
        return [decisions for _, decisions in sorted(singles, key=lambda single: single[0])]

    def again(self, decisions: Decisions, *, everywhere: bool = False) -> Failure | None:
        """Run a schedule once more; from then on its steps are counted as they were when it was found."""
        if everywhere:
            self._everywhere()
            self._changed()
            self._limits = OBSERVING
            return self.watched(Fixed(decisions), nothing, "observe")
        return self.fast(Fixed(decisions))

    def replay(self, plan: Plan) -> tuple[Failure | None, Decisions]:
        """Run the schedule of a plan, and return how it failed and its decisions.

        Raises:
            PlanError: the plan does not apply any more.
        """
        while True:
            known: dict[tuple[str, str, str], list[int]] = {}
            for site in self._installer.sites:
                file, function, line = where(site)
                known.setdefault((file, function, site.text), []).append(line)
            scripted = Scripted(plan, known)
            if scripted.pauses_at_an_end:
                self._points.ends.look()
            wanted = {(place.file, place.function, place.line) for place in scripted.places}
            self.set_focus(self.focus() | {site for site in self._installer.sites if where(site) in wanted})
            failure = self.watched(scripted, nothing, "observe", tracing=True)
            if not self._installer.adopt():
                break
            self._changed()
        scripted.finish()
        return failure, tuple(scripted.decided)

    def _over(self, grown: set[Site]) -> bool:
        return self.expired or bool(grown)

    def enumerate(
        self,
        *,
        schedules_max: int,
        bound: int | None,
        full: bool,
        below: Rank | None = None,
        wanted: Callable[[Failure], bool] = lambda _: True,
        by_deviations: bool = False,
        nominal: Callable[[], Witness] | None = None,
        enough: tuple[int, int] | None = None,
    ) -> Result:
        """Run schedules in the order of "least"; where an unforeseen access conflicts, begin again.

        Where they are to lie below a schedule, whose steps would then be counted in another way, the
        unforeseen sites are returned instead. The first schedule is the nominal one, of which a witness may
        be told.
        """
        spent = 0
        while True:
            grown: set[Site] = set()
            witness = None if nominal is None else nominal()

            def run(strategy: Strategy, happened: Happened, grown: set[Site] = grown) -> Failure | None:
                nonlocal witness
                told, witness = witness, None

                def sink(task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
                    happened.access(task, site, touches, touching)
                    grown.update(before for before in self._before(task, site, touching) if not before.focus)

                gil = full and self.granularity == "gil"
                noted = sink if gil and self._conflicts else happened.access
                failure = self.watched(
                    strategy,
                    noted if told is None else together(told.access, noted),
                    "observe" if full else "watch",
                    tracing=full,
                )
                if told is not None:
                    told.ends(failure)
                if full and not gil:
                    conflicts = focused(happened.shares)
                    grown |= {site for site in conflicts if not site.focus}
                    if self._conflicts:
                        self._conflicts |= conflicts
                return failure

            result = enumerate_schedules(
                run,
                schedules_max=schedules_max - spent,
                bound=bound,
                by_deviations=by_deviations,
                below=below,
                wanted=wanted,
                expired=functools.partial(self._over, grown),
                matters=self._matters,
                enough=enough,
            )
            spent += result.schedules
            if below is not None and (self._installer.adopt() or grown):
                return result._replace(schedules=spent, complete=False, grown=frozenset(grown))
            goes_on = result.failure is None and spent < schedules_max and not self.expired
            if goes_on and (grown or self._installer.found):
                self._installer.adopt()
                self.set_focus(self.focus() | grown)
                continue
            return result._replace(schedules=spent)
