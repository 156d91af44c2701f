"""How real threads are held, one at a time.

The problem. A program's threads are real threads, its locks real locks, and its code is not ours. The
operating system and the interpreter may switch between threads wherever they like, and do it differently each
time. We want a run to be a function of a list of choices, so that it can be searched, repeated and minimised.

The baton. Every thread has a *gate*, a lock that only the scheduler touches. A thread that is not meant to
run waits at its own gate; to hand the baton on is to release the gate of another and then wait at one's own.
So at any moment one thread holds the baton, and all others are inside `gate.acquire()`, where the operating
system may schedule them as it likes. The thread that holds the baton does the scheduling on its own stack, in
`look`, `block` and at its end: one switch of real threads for each switch of the program.

Points. A thread only gives the baton away where it calls us. The rewritten code of the program does so in
front of each operation that another thread could notice: a *point*. Points are numbered, and the number
(`step`) names a place in a run: what happens between two points happens at once. Nearly every point passes
without a question: the strategy says at which step it wants to be asked (`ask_at`).

Waiting. A thread must never block in a primitive while it holds the baton, since no other could run to
free it. What would block calls `block` instead, with a function that says whether it is ready; the thread is
then no candidate until it is, and does the real operation when it has come back and is sure not to block.
When the running thread cannot go on, another *must* be chosen: a forced choice. If all wait, and some of them
for a time, it passes to the earliest deadline: time is a number, and no thread really sleeps. If all wait and
none for a time, it is a deadlock, and we know of whom.

Fairness. The nominal choice is to let a thread go on, so one that passes many points without writing anything
ends its turn. A run whose state repeats is a livelock; one that is only long is cut short.

Not ours. What the instrument itself does while it is asked (a strategy formatting a label, the `__str__` of
an exception) may run code that is rewritten. `outside` takes the baton's name off the current thread
meanwhile: hooks compare the calling thread with `Baton.ident`, find that it is not theirs, and do nothing.

The end. Threads that are left, after a failure or in the background, are given the baton once more with
`dying` set: `Stopped` is raised out of the call that each waits in. One that comes to no point is
interrupted, one that does not listen left behind, its locks made new. Real threads are kept for the next run.

What must hold after each hand-over is asserted in `_hand`, cheaply enough to stay on.
"""

from __future__ import annotations

import contextvars
import functools
import random
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

from simulations.live.threads.control import back_end, failures, thread_data
from simulations.live.threads.control.alarm import Alarm
from simulations.live.threads.control.baton import Baton
from simulations.live.threads.control.carriers import Carrier, Crew, Stopped, number_threads_anew
from simulations.live.threads.control.endings import Role, is_right, refuse_unfinished
from simulations.live.threads.control.failures import Failure, Kind, deadlock, is_verdict, livelock, raised
from simulations.live.threads.control.frames import need_room
from simulations.live.threads.control.kernel import Kernel
from simulations.live.threads.control.limits import (
    CLOCK_READS_FREE,
    CLOCK_TICK,
    IN_VAIN_MAX,
    STACK_NEEDED,
    START_OF_TIME,
    WATCH_STEP,
    Limits,
)
from simulations.live.threads.control.progress import Repetition
from simulations.live.threads.control.run import Outside
from simulations.live.threads.control.strangers import Strangers
from simulations.live.threads.control.strategy import Muted, Strategy
from simulations.live.threads.control.tasks import Task, Wait, next_in_time, ready, unfinished, unique_name
from simulations.live.threads.control.tracing import set_trace
from simulations.live.threads.control.unwinding import unwind
from simulations.live.threads.errors import StuckError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.live.threads.control.sites import Site


class Scheduler:
    """Runs one schedule after another on the same carriers.

    Attributes:
        baton: Which thread runs, and how many steps there have been.
        now: Virtual time in nanoseconds.
        wall_limit: How long a thread may not be heard of, in seconds.
        active: Whether there is a run.
        dying: Whether the threads that are left are being unwound.
        cut: Whether the run was cut short.
        until: When, on the monotonic clock of the machine, a run is cut short; None is never.
        kernel: The threads that wait in the operating system.
        strangers: The threads outside of the exploration.
        tasks: The threads of the run; those that were started by the set-up come last.
    """

    def __init__(self, *, wall_limit: float) -> None:
        self.wall_limit = wall_limit
        self.strangers = Strangers(self)
        self._limits = Limits()
        self.now = START_OF_TIME
        self._choosing = self.active = self.dying = self.cut = False
        self.tasks: list[Task] = []
        self.until: float | None = None
        self.kernel = Kernel(self)
        self._alarm = Alarm(self)
        self._repetition = Repetition()
        self._failure: Failure | None = None
        self._passing: BaseException | None = None
        self._on_start: Callable[[], None] | None = None
        self._on_end: Callable[[Task], None] | None = None
        self._clock_reads = 0
        self._context = contextvars.Context()
        self._works: Callable[[Task, Callable[[], object]], object] = lambda _, function: function()
        self._everybody: list[Task] = []
        self._crew = Crew()
        self._main = Task(-1, "setup", back_end.allocate_lock(), back_end.get_ident())
        self._main.gate.acquire()
        self.baton = Baton(self.look, self._main)
        self._strategy: Strategy | None = None

    def run(
        self,
        setup: Callable[[], Any],
        workers: Sequence[tuple[str, Callable[[Any], object]]],
        check: Callable[[Any], object] | None,
        strategy: Strategy,
        *,
        limits: Limits = Limits(),  # noqa: B008  (it is frozen)
        on_start: Callable[[], None] | None = None,
        on_end: Callable[[Task], None] | None = None,
    ) -> Failure | None:
        """Run one schedule from a fresh state and return how it failed, if it did.

        Args:
            setup: Makes the state that the threads share.
            workers: The name of each thread, and what it calls with the state.
            check: Called with the state when every thread has ended.
            strategy: Says who goes on.
            limits: When a thread must give way, and when a run has been too long.
            on_start: Called in each thread before its first step.
            on_end: Called with each thread that has ended.
        """
        self._limits, self._on_start, self._on_end = limits, on_start, on_end
        self._reset(strategy)
        if self.until is not None and monotonic() >= self.until:
            self.cut = True
            return None
        kept = thread_data.known()
        self.active = True
        try:
            state = self._alone(setup)
            if not self._over:
                with self.outside():
                    self._get_ready(workers, state)
                self._together()
            if not self._over and check is not None:
                self._judge(check, state)
        finally:
            self._alarm.leave()
            self._reap()
            self._on_start = self._on_end = None
            thread_data.forget(but=kept)
        if self._passing is not None:
            raise self._passing
        return self._failure

    def _reset(self, strategy: Strategy) -> None:
        self.now = START_OF_TIME
        self._clock_reads = 0
        self.dying = self._choosing = self.cut = False
        self._failure = self._passing = None
        self._strategy = strategy
        self._main = main = Task(-1, "setup", self._main.gate, back_end.get_ident(), muted=True)
        main.starts()
        self.tasks = [main]
        self._everybody = []
        self.baton.begin(main, self._limits)
        self._repetition = Repetition()
        self.kernel.begin()
        number_threads_anew()
        random.seed(0)

    @property
    def _over(self) -> bool:
        """Whether the run is not to go on."""
        return self._failure is not None or self._passing is not None or self.cut

    def _alone(self, function: Callable[[], Any]) -> Any:
        try:
            with self._alarm:
                state = function()
            with self.outside():
                refuse_unfinished(state, Role.SETUP)
        except Exception as error:  # noqa: BLE001  (it is raised again when the threads have ended)
            if self._failure is None and self._passing is None:
                self._passing = error
        except Stopped:
            pass
        else:
            return state
        return None

    def _get_ready(self, workers: Sequence[tuple[str, Callable[[Any], object]]], state: Any) -> None:
        """Make the tasks of the workers; those that the set-up started come last."""
        background = [task for task in self.tasks if task is not self._main and not task.done]
        self.tasks = []
        self._choosing = True
        for name, worker in workers:
            self._new_task(name, functools.partial(worker, state), alike=id(worker))
        for task in background:
            task.renumber(len(self.tasks), muted=False)
            self.tasks.append(task)
        if self._strategy is not None:
            self._strategy.start(self)

    def _together(self) -> None:
        # No context manager of the standard library: it would run in the program's thread, as its code.
        try:
            self._pass_on(None)
            self._watch()
            self._choosing = False
        except Stopped:
            pass

    def _judge(self, check: Callable[[Any], object], state: Any) -> None:
        main = self._main
        self.baton.alone(main)
        self.tasks = [main, *(task for task in self.tasks if not task.done)]
        main.rename("check")
        try:
            with self._alarm:
                verdict = check(state)
            with self.outside():
                right = is_right(verdict)
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001  (it is sorted)
            self._caught("check", error, Kind.CHECK)
            return
        finally:
            main.rename("setup")
        if not right:
            self._failure = Failure(Kind.CHECK, "check(state) returned False")

    def _new_task(
        self,
        name: str,
        function: Callable[[], object],
        *,
        thread: threading.Thread | None = None,
        alike: int | None = None,
    ) -> Task:
        """Give a task to a carrier; it starts when it is first handed the baton."""
        carrier = self._crew.take()
        task = Task(
            len(self.tasks),
            name,
            carrier.gate,
            carrier.ident,
            carrier=carrier,
            thread=thread,
            alike=alike,
            muted=not self._choosing,
        )
        self._everybody.append(task)
        self.tasks.append(task)
        carrier.load(functools.partial(self._carry, task, carrier, [function]))
        return task

    def _carry(self, task: Task, carrier: Carrier, functions: list[Callable[[], object]]) -> None:
        """Run a task in its carrier, and hand the baton on when it has ended.

        Before that it lets go of its function, whose state may not end beside the run or in the next one.
        """
        task.starts()
        if not self.dying:
            self._live(task, carrier, functions)
        functions.clear()
        self.baton.hold(-1)  # what the instrument calls from here on is not part of the run
        task.ends()
        dying = self.dying
        self._crew.leave(carrier)
        carrier.over.release()
        if dying:
            return
        try:
            if self._on_end is not None:
                self._on_end(task)
        except Exception as error:  # noqa: BLE001  (it is raised again when the threads have ended)
            self._passing = self._passing or error
        if self._failure is None and self._passing is None:
            self.go_on_without()
            if self._passing is None:
                return
        self._wake_main()

    def _live(self, task: Task, carrier: Carrier, functions: list[Callable[[], object]]) -> None:
        """Run what a task is there for, as `threading` would have run it."""
        if task.thread is None:
            with self.outside():
                carrier.pose_as(task.name)
        if self._on_start is not None:
            self._on_start()
        try:
            given = self._context.copy().run(self._works, task, functions.pop())
            if task.thread is None:
                with self.outside():
                    refuse_unfinished(given, Role.WORKER)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  (it is sorted)
            self._caught(task.name, error)
        if self._on_start is not None:
            set_trace(None)
        with self.outside():
            thread_data.forget()
        threading._active.pop(task.ident, None)  # type: ignore[attr-defined]  # noqa: SLF001  (as its end would)

    def _caught(self, name: str, error: BaseException, kind: Kind = Kind.EXCEPTION) -> None:
        """Sort an exception: a failure of the program, or something that must pass through the instrument."""
        if isinstance(error, SystemExit) and kind is Kind.EXCEPTION:
            return
        with self.outside():  # what the message needs, such as `__str__`, is not part of the run
            if not is_verdict(error):
                self._passing = self._passing or error
            elif self._failure is None:
                self._failure = raised(kind, name, error)

    @property
    def step(self) -> int:
        """How many points and forced choices the run has had."""
        return self.baton.step

    @property
    def stop(self) -> int:
        """The step at which the strategy wants to be asked."""
        return self.baton.stop

    @property
    def current(self) -> Task:
        """The thread that holds the baton."""
        return self.baton.current

    def ask_at(self, step: int) -> None:
        """Ask the strategy from this step on."""
        self.baton.ask_at(step)

    def limit(self, until: float | None) -> None:
        """Cut runs short from this time on, on the monotonic clock of the machine; None is never."""
        self.until = until

    def cut_short(self) -> None:
        """Note that the run is cut short."""
        self.cut = True

    def outside(self) -> Outside:
        """Return a context manager: what is done inside is not part of the run."""
        return Outside(self.baton)

    def look(self, site: Site) -> None:
        """Ask the strategy, or fairness, who goes on at a point."""
        baton = self.baton
        task = baton.current
        need_room(STACK_NEEDED)
        if baton.step >= baton.turn_ends or baton.step >= baton.strict_at:
            self._end_turn(task)
        elif self._strategy is not None and baton.step >= baton.stop:
            try:
                with self.outside():
                    chosen = self._strategy.point(self, task, site)
            except Exception as error:  # noqa: BLE001  (it is raised again when the threads have ended)
                self.abandon(error)
            if chosen is not task:
                self.switch(task, chosen)
        # The limit on points counts whatever they do, so that threads that write in a loop for ever are
        # noticed too.
        baton.set_bound()

    def _end_turn(self, task: Task) -> None:
        """Let others go on, after many points without a change, or after a strict turn."""
        going_on = unfinished(self.tasks)
        if going_on:
            with self.outside():
                if self._repetition.comes_to(task, self.tasks, self._clock_reads):
                    self._failure = livelock(self.tasks, task.name)
        baton = self.baton
        endless = baton.step >= 2 * self._limits.points_max or baton.in_vain >= IN_VAIN_MAX
        if endless or not going_on or self._failure is not None:
            self.cut = going_on and self._failure is None
            self._wake_main()
            self._await(task)
        if baton.step >= baton.strict_at:
            baton.begin_strict_turn()
        baton.begin_turn()
        others = [other for other in self.candidates() if other is not task]
        if others:
            after = [other for other in others if other.index > task.index]
            self.switch(task, (after or others)[0])

    def abandon(self, error: BaseException) -> NoReturn:
        """End the run because of an error that is not the program's."""
        self._passing = self._passing or error
        self.baton.hold(-1)
        raise Stopped from error

    def candidates(self) -> list[Task]:
        """Return who could go on; see `ready`."""
        return ready(self.tasks)

    def switch(self, task: Task, to: Task) -> None:
        """Hand the baton from the current thread to another, and wait for it to come back."""
        self._hand(to)
        task.gate.acquire()
        if self.dying:
            raise Stopped

    def _hand(self, to: Task) -> None:
        if to.wait is not None:
            self.now = to.wait.end(self.now)
        self.baton.take(to)
        # The baton is at one thread: this one waits at its gate, has something to do, and may do it.
        assert to.gate.locked(), f"{to} was handed the baton twice"  # noqa: S101  (an invariant)
        assert not to.done, f"{to} was handed the baton after its end"  # noqa: S101  (an invariant)
        assert to.wait is None or to.wait.expired or to.wait.ready(), f"{to} waits"  # noqa: S101  (an invariant)
        to.gate.release()

    def block(
        self,
        ready: Callable[[], bool],
        verb: str,
        what: object,
        *,
        deadline: int | None = None,
        sleeping: bool = False,
    ) -> bool:
        """Give the baton away until something is ready; return False if the deadline came first.

        Args:
            ready: Whether it is there; it must not change anything.
            verb: What the thread is doing, in words.
            what: What it waits for.
            deadline: When it stops waiting, in virtual nanoseconds; None is never.
            sleeping: Whether it waits for nothing but time.
        """
        if self.dying:
            raise Stopped
        need_room(STACK_NEEDED)
        task = self.baton.current
        wait = Wait(ready, deadline, verb, what, sleeping=sleeping)
        task.waits(wait)
        self._pass_on(task)
        assert self.baton.current is task, f"{task} runs without the baton"  # noqa: S101  (an invariant)
        task.waits(None)
        return not wait.expired

    def _pass_on(self, task: Task | None) -> None:
        """Hand the baton to a thread that can go on, since the current one cannot."""
        candidates = next_in_time(self.tasks)
        if candidates and not any(other.can_go_on for other in candidates) and self.strangers.give():
            candidates = next_in_time(self.tasks)
        if not candidates:
            if self.kernel.awaits_return():
                if task is not None:
                    self._await(task)
                return
            self._rest(task)
            return
        self.baton.tick()
        chosen = candidates[0]
        if self._strategy is not None and len(candidates) > 1 and self._choosing:
            self.baton.hold(-1)
            try:
                chosen = self._strategy.forced(self, candidates)
            except Exception as error:  # noqa: BLE001  (it is raised again when the threads have ended)
                self.abandon(error)
        if chosen is task:
            self.baton.hold(task.ident)
            if task.wait is not None:
                self.now = task.wait.end(self.now)
            return
        self._hand(chosen)
        if task is not None:
            self._await(task)

    def _await(self, task: Task) -> None:
        if task is self._main:
            self._watch()
        else:
            task.gate.acquire()
        if self.dying:
            raise Stopped

    def _rest(self, task: Task | None) -> None:
        """End the run, since no thread can go on: it is over, or it is a deadlock."""
        if unfinished(self.tasks):
            self.baton.hold(-1)
            if self.strangers.give():
                self._pass_on(task)
                return
            self._failure = deadlock([other for other in self.tasks if not other.done])
        if task is self._main:
            raise Stopped
        self._wake_main()
        if task is not None:
            self._await(task)

    def go_on_without(self) -> None:
        """Hand the baton to another thread, since its holder has ended or waits in the operating system."""
        with suppress(Stopped):
            self._pass_on(None)

    def _wake_main(self) -> None:
        self.baton.alone(self._main)
        self._main.gate.release()

    def _watch(self) -> None:
        """Wait in the main thread until the baton comes back, and notice a thread that does not move."""
        seen, since = (-1, -1), monotonic()
        while not self._main.gate.acquire(timeout=min(WATCH_STEP, self.wall_limit / 2)):
            now = monotonic()
            if self.until is not None and now >= self.until:
                self.cut = True
                raise Stopped
            mark = (self.baton.step, self.baton.current.index)
            if mark != seen:
                seen, since = mark, now
            elif now - since >= self.wall_limit:
                if self._passing is not None:
                    raise Stopped
                raise StuckError(failures.stuck(self.baton.current, self.wall_limit))
            elif self._passing is None:
                self.kernel.look(self.baton.current)

    def _reap(self) -> None:
        """Unwind every thread that is left, one at a time, so that none is left behind."""
        self.dying = True
        self.baton.alone(self._main)
        self.baton.hold(-1)  # what the instrument itself calls is not part of the run
        unwind(self, self.kernel)
        self.baton.rest_at(self._main)
        for task in self.everybody():
            task.free_locks()
        self._crew.discharge()
        self.active = False

    def everybody(self) -> list[Task]:
        """See `Run`."""
        return [self._main, *self._everybody]

    def ours(self) -> set[int]:
        """See `Run`."""
        return {self._alarm.ident, *self._crew.idents, *(task.ident for task in self.everybody())}

    def work_in(self, context: contextvars.Context) -> None:
        """Run each thread in a copy of this context."""
        self._context = context

    def work_by(self, works: Callable[[Task, Callable[[], object]], object]) -> None:
        """Let this call what a thread is there for."""
        self._works = works

    def close(self) -> None:
        """End the carriers, and let go of what the last run left behind."""
        if self.active:
            self._reap()
        self._alarm.close()
        self._everybody, self.tasks, self._repetition = [], [], Repetition()
        self._failure = self._passing = self._strategy = None
        self.baton.rest_at(self._main)
        self._context = contextvars.Context()
        self._crew.close()

    def mine(self) -> bool:
        """Return whether the calling thread is the one that runs under control."""
        return self.active and back_end.get_ident() == self.baton.ident

    def spawn(self, function: Callable[[], object], thread: threading.Thread | None) -> Task:
        """Start a thread of the program. It runs when the baton first comes to it."""
        name = unique_name(thread.name if thread is not None else "thread", self.tasks)
        return self._new_task(name, function, thread=thread)

    def released(self, lock: Any) -> None:
        """Note that no thread holds a lock any more."""
        for task in self.tasks:
            task.gives_back(lock)
            self._repetition.may_go_on(task, lock)

    def read_clock(self) -> int:
        """Return the time for the current thread.

        A loop that polls the clock would otherwise wait for ever, since time passes only when all wait.
        """
        self._clock_reads += 1
        self.now += CLOCK_TICK if self._clock_reads > CLOCK_READS_FREE else 0
        return self.now

    def muted(self) -> Muted:
        """Return a context manager: inside, no thread is chosen but where the current one has to wait."""
        return Muted(self.baton)
