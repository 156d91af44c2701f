"""The baton: real threads, one at a time, in virtual time.

Whoever holds the baton runs. At a point, in front of an operation that another thread could notice, the
strategy says who goes on. A thread that would block gives the baton away until what it waits for is there; no
thread ever blocks in a primitive itself. When nobody can go on, time passes to the earliest deadline; without
one it is a deadlock.
"""

from __future__ import annotations

import _thread
import contextvars
import ctypes
import functools
import logging
import random
import sys
import threading
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Protocol

from simulations.errors import LabError
from simulations.live.threads.errors import StuckError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType, TracebackType

    from simulations.live.threads.control.sites import Site

POINTS_MAX: Final = 50_000
"""After so many points a run gets strict turns, and after as many again it is called a livelock."""
STRICT_TURN: Final = 500
"""How many points a strict turn has."""
TURN_MAX: Final = 1_000
"""After so many points without a switch or an operation on a primitive a thread that spins gives way."""
NEVER: Final = 1 << 62
START_OF_TIME: Final = 1_000_000_000
EPOCH: Final = 1_600_000_000_000_000_000
CLOCK_READS_FREE: Final = 1_000
CLOCK_TICK: Final = 1_000_000


class Stopped(BaseException):
    """Unwinds a thread whose run is over. Never seen by a user who lets it pass."""


class Wait:
    """What a thread waits for.

    Attributes:
        ready: Whether it is there.
        deadline: When it stops waiting, in virtual nanoseconds; None is never.
        sleeping: It waits for nothing but time.
        what: The object waited for.
        verb: What it is doing, in words.
        expired: Whether the deadline came first.
    """

    __slots__ = ("deadline", "expired", "ready", "sleeping", "verb", "what")

    def __init__(
        self, ready: Callable[[], bool], deadline: int | None, verb: str, what: object, *, sleeping: bool
    ) -> None:
        self.ready = ready
        self.deadline = deadline
        self.sleeping = sleeping
        self.what = what
        self.verb = verb
        self.expired = False


class Carrier:
    """A real thread that waits for a task, runs it, and waits again."""

    __slots__ = ("_ended", "gate", "ident", "job", "over", "spoilt", "thread")

    def __init__(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.over = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        self.job: Callable[[], None] | None = None
        self.ident = 0
        self.spoilt = False
        # What `threading.current_thread()` gives a worker; without it a dummy would be made and stay behind.
        self.thread = threading.Thread(name="worker", daemon=True)
        self.thread._started._flag = True  # type: ignore[attr-defined]  # noqa: SLF001
        started = _thread.allocate_lock()
        started.acquire()
        _thread.start_new_thread(self._serve, (started,))
        started.acquire()

    def _serve(self, started: _thread.LockType) -> None:
        self.ident = _thread.get_ident()
        started.release()
        try:
            while True:
                self.gate.acquire()
                job, self.job = self.job, None
                if job is None:
                    break
                job()
        except Stopped:
            pass  # an interruption that came when the task had just ended by itself
        self._ended.release()

    def end(self) -> None:
        """Let the thread end, and wait until it has."""
        self.job = None
        self.gate.release()
        self._ended.acquire(timeout=1)


class Task:
    """A thread of the program, on a carrier."""

    __slots__ = (
        "alike",
        "carrier",
        "done",
        "gate",
        "holds",
        "ident",
        "index",
        "muted",
        "name",
        "sentinel",
        "started",
        "switched",
        "thread",
        "wait",
    )

    def __init__(self, index: int, name: str, gate: _thread.LockType, ident: int) -> None:
        self.index = index
        self.name = name
        self.gate = gate
        self.ident = ident
        self.carrier: Carrier | None = None
        self.wait: Wait | None = None
        self.done = False
        self.started = False
        self.muted = False
        self.alike: int | None = None
        self.thread: threading.Thread | None = None
        self.sentinel: _thread.LockType | None = None
        self.switched: Site | None = None
        self.holds: dict[int, tuple[Any, str]] = {}

    def __repr__(self) -> str:
        return f"<task {self.name}>"


class Blocked(NamedTuple):
    """A thread of a deadlock: what it is doing, where, and who holds what it waits for."""

    thread: str
    doing: str
    where: str
    holder: str | None


class Failure(NamedTuple):
    """Why a run counts as a failure.

    Attributes:
        kind: `exception`, `check`, `deadlock` or `livelock`.
        summary: One line.
        thread: Where it happened; empty for the check.
        error: The exception, if there is one.
        blocked: The threads of a deadlock.
    """

    kind: str
    summary: str
    thread: str = ""
    error: BaseException | None = None
    blocked: tuple[Blocked, ...] = ()

    @property
    def signature(self) -> tuple[str, str]:
        """What must stay the same while a schedule is made smaller."""
        return self.kind, type(self.error).__name__ if self.error is not None else ""

    def __str__(self) -> str:
        return self.summary


class Strategy(Protocol):
    """Says who goes on."""

    def start(self, run: Scheduler) -> None:
        """Set the first point at which it wants to be asked, in `run.stop`."""

    def point(self, run: Scheduler, task: Task, site: Site) -> Task:
        """Say who goes on at a point where the current thread could; set the next `run.stop`."""

    def forced(self, run: Scheduler, candidates: Sequence[Task]) -> Task:
        """Say who goes on where the current thread cannot. The first candidate is the nominal one."""


class Scheduler:
    """Runs one schedule after another on the same carriers.

    Attributes:
        step: How many points and forced choices the run has had.
        stop: The step at which the strategy wants to be asked.
        bound: The step at which a hook must call `look`: the earlier of `stop` and the end of the turn.
        turn_ends: The step at which a thread that only reads must give way.
        now: Virtual time in nanoseconds.
        mute: Whether the thread that runs is in a part where nobody else may be chosen.
        choosing: Whether the workers are running, so that the strategy is asked.
        livelocks: Whether a run that does not end is a failure; if not it is cut short.
        cut: Whether the run was cut short.
        fresh: Whether every task needs a real thread of its own, because thread-local data would survive.
    """

    def __init__(self, *, wall_limit: float) -> None:
        self.wall_limit = wall_limit
        self.step = 0
        self.stop = self.bound = self.turn_ends = NEVER
        self.turn_max = TURN_MAX
        self.points_max = POINTS_MAX
        self.livelocks = True
        self.cut = False
        self.choosing = False
        self.ident = -1
        self.mute = True
        self.active = False
        self.dying = False
        self.now = START_OF_TIME
        self.fresh = False
        self.tasks: list[Task] = []
        self.workers: list[Task] = []
        self.failure: Failure | None = None
        self.passing: BaseException | None = None
        self.observer: Callable[[], None] | None = None
        self.ticks = 0
        self.context = contextvars.Context()
        self.on_end: Callable[[Task], None] | None = None
        self._everybody: list[Task] = []
        self._idle: list[Carrier] = []
        self._retired: list[Carrier] = []
        self._main = Task(-1, "setup", _thread.allocate_lock(), _thread.get_ident())
        self._main.gate.acquire()
        self.current = self._main
        self.strategy: Strategy | None = None

    # -- a run ----------------------------------------------------------------------------------------------

    def run(
        self,
        setup: Callable[[], Any],
        workers: Sequence[tuple[str, Callable[[Any], object]]],
        check: Callable[[Any], object] | None,
        strategy: Strategy,
    ) -> Failure | None:
        """Run one schedule from a fresh state and return how it failed, if it did."""
        self._reset(strategy)
        try:
            state = self._alone(setup)
            if self.failure is None and self.passing is None:
                with suppress(Stopped):
                    self._together(workers, state)
            if self.failure is None and self.passing is None and not self.cut and check is not None:
                self._judge(check, state)
        finally:
            self._reap()
            self.active = False
        if self.passing is not None:
            raise self.passing
        return self.failure

    def _reset(self, strategy: Strategy) -> None:
        self.step, self.stop, self.now = 0, NEVER, START_OF_TIME
        self.bound = self.turn_ends = NEVER
        self.ticks = 0
        self.dying = self.choosing = self.cut = False
        self.failure = self.passing = None
        self.strategy = strategy
        main = self._main
        main.index, main.ident, main.done, main.wait, main.started = (
            -1,
            _thread.get_ident(),
            False,
            None,
            True,
        )
        main.holds = {}
        self.tasks = [main]
        self.workers = []
        self._everybody = []
        self.current, self.ident, self.mute = main, main.ident, True
        threading._counter = count(1).__next__  # type: ignore[attr-defined]  # noqa: SLF001
        executors = sys.modules.get("concurrent.futures.thread")
        if executors is not None:
            executors.ThreadPoolExecutor._counter = count().__next__  # noqa: SLF001
        random.seed(0)
        self.active = True

    def _alone(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 (it is raised again when the threads have ended)
            if self.failure is None and self.passing is None:
                self.passing = error
        except Stopped:
            pass
        return None

    def _together(self, workers: Sequence[tuple[str, Callable[[Any], object]]], state: Any) -> None:
        background = [task for task in self.tasks if task is not self._main and not task.done]
        self.tasks = []
        self.choosing = True
        for name, worker in workers:
            task = self._new_task(name)
            task.alike = id(worker)
            self._load(task, functools.partial(worker, state))
            self.workers.append(task)
        for task in background:
            task.index = len(self.tasks)
            task.muted = False
            self.tasks.append(task)
        if self.strategy is not None:
            self.strategy.start(self)
        self._pass_on(None)
        self._watch()
        self.choosing = False

    def _judge(self, check: Callable[[Any], object], state: Any) -> None:
        self.current, self.ident, self.mute = self._main, self._main.ident, True
        self.stop = self.bound = self.turn_ends = NEVER
        self.tasks = [self._main, *(task for task in self.tasks if not task.done)]
        self._main.name = "check"
        try:
            verdict = check(state)
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001
            self._caught("check", error, kind="check")
            return
        finally:
            self._main.name = "setup"
        if verdict is False:
            self.failure = Failure("check", "check(state) returned False")

    def _new_task(self, name: str) -> Task:
        carrier = self._idle.pop() if self._idle else Carrier()
        task = Task(len(self.tasks), name, carrier.gate, carrier.ident)
        task.carrier = carrier
        task.muted = not self.choosing
        self._everybody.append(task)
        self.tasks.append(task)
        return task

    def _load(self, task: Task, function: Callable[[], object]) -> None:
        """Give a task to its carrier; it starts when it is first handed the baton."""
        carrier = task.carrier
        if carrier is not None:
            carrier.over.acquire(blocking=False)
            carrier.job = lambda: self._carry(task, carrier, function)

    def _carry(self, task: Task, carrier: Carrier, function: Callable[[], object]) -> None:
        """Run a task in its carrier, and hand the baton on when it has ended."""
        task.started = True
        if not self.dying:
            if task.thread is None:
                carrier.thread.name = task.name
                carrier.thread._ident = task.ident  # type: ignore[attr-defined]  # noqa: SLF001
                threading._active[task.ident] = carrier.thread  # type: ignore[attr-defined]  # noqa: SLF001
            if self.observer is not None:
                self.observer()
            try:
                self.context.copy().run(function)
            except Stopped:
                pass
            except BaseException as error:  # noqa: BLE001
                self._caught(task.name, error)
            if self.observer is not None:
                sys.settrace(None)
            threading._active.pop(task.ident, None)  # type: ignore[attr-defined]  # noqa: SLF001
        task.done = True
        if task.sentinel is not None and task.sentinel.locked():
            task.sentinel.release()
        dying = self.dying
        if self.fresh or carrier.spoilt:
            self._retired.append(carrier)
        else:
            self._idle.append(carrier)
        carrier.over.release()
        if dying:
            return
        if self.on_end is not None:
            self.on_end(task)
        if self.failure is not None or self.passing is not None:
            self._wake_main()
            return
        with suppress(Stopped):
            self._pass_on(None)
        if self.passing is not None:
            self._wake_main()

    def _caught(self, name: str, error: BaseException, kind: str = "exception") -> None:
        """Sort an exception: a failure of the program, or something that must pass through the instrument."""
        if isinstance(error, SystemExit) and kind == "exception":
            return
        ident, self.ident = (
            self.ident,
            -1,
        )  # what the message needs, such as `__str__`, is not part of the run
        if not _is_verdict(error):
            self.passing = self.passing or error
        elif self.failure is None:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            self.failure = Failure(kind, f"{name} raised {said}{_where_raised(error)}", name, error)
        self.ident = ident

    # -- the baton ------------------------------------------------------------------------------------------

    def look(self, site: Site) -> None:
        """A point at which the strategy, or fairness, wants to be asked."""
        task = self.current
        if self.step >= self.turn_ends or self.step >= self.points_max:
            self._end_turn(task)
        elif self.strategy is not None and self.step >= self.stop:
            # What a strategy calls is not part of the run, even where the program calls the same functions.
            ident, self.ident = self.ident, -1
            try:
                chosen = self.strategy.point(self, task, site)
            except Exception as error:  # noqa: BLE001 (it is raised again when the threads have ended)
                self._abandon(error)
            self.ident = ident
            if chosen is not task:
                self.switch(task, chosen)
        # The limit on points counts whatever they do: threads that write in a loop for ever must be noticed
        # too.
        self.bound = min(self.stop, self.turn_ends, self._limit())

    def _limit(self) -> int:
        return self.points_max if self.step < self.points_max else self.step + STRICT_TURN

    def _end_turn(self, task: Task) -> None:
        if not self._unfinished() or self.step >= 2 * self.points_max:
            self.cut = self._unfinished()
            if self.cut and self.livelocks:
                self.failure = Failure("livelock", _livelock(self.tasks, 2 * self.points_max), task.name)
            self._wake_main()
            self._await(task)
        self.turn_ends = self.step + self.turn_max
        others = [other for other in self.candidates() if other is not task]
        if others:
            after = [other for other in others if other.index > task.index]
            self.switch(task, (after or others)[0])

    def _abandon(self, error: BaseException) -> NoReturn:
        """End the run because of an error that is not the program's."""
        self.passing = self.passing or error
        raise Stopped from error

    def candidates(self) -> list[Task]:
        """Return who could go on: whoever is not blocked, in order; then whoever sleeps.

        A sleep may end before others have got anywhere. Of threads that are to start with the same function
        the first stands for all.
        """
        able = []
        asleep = []
        alike: set[int] = set()
        for task in self.tasks:
            if task.done:
                continue
            wait = task.wait
            if wait is None and not task.started and task.alike is not None:
                if task.alike not in alike:
                    alike.add(task.alike)
                    able.append(task)
            elif wait is None or wait.ready():
                able.append(task)
            elif wait.sleeping:
                asleep.append(task)
        if asleep:
            asleep.sort(key=_deadline)
            able += asleep
        return able

    def switch(self, task: Task, to: Task) -> None:
        """Hand the baton from the current thread to another, and wait for it to come back."""
        self._hand(to)
        task.gate.acquire()
        if self.dying:
            raise Stopped

    def _hand(self, to: Task) -> None:
        wait = to.wait
        if wait is not None and wait.deadline is not None and not wait.ready():
            wait.expired = True
            self.now = max(self.now, wait.deadline)
        self.current, self.ident, self.mute = to, to.ident, to.muted
        self.turn_ends = self.step + self.turn_max
        self.bound = min(self.stop, self.turn_ends, self._limit())
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
        """Give the baton away until something is ready; return False if the deadline came first."""
        if self.dying:
            raise Stopped
        task = self.current
        task.wait = wait = Wait(ready, deadline, verb, what, sleeping=sleeping)
        self._pass_on(task)
        task.wait = None
        return not wait.expired

    def _pass_on(self, task: Task | None) -> None:
        """Hand the baton to whoever can go on, since the current thread cannot."""
        candidates = self.candidates()
        if not any(other.wait is None or not other.wait.sleeping for other in candidates):
            waiting = [
                other
                for other in self.tasks
                if not other.done and other.wait is not None and other.wait.deadline is not None
            ]
            if waiting and self._unfinished():
                waiting.sort(key=_deadline)
                # Of those whose time comes first any may be first; and a sleep may end late for everybody
                # else.
                due = [other for other in waiting if _deadline(other)[0] <= _deadline(waiting[0])[0]]
                candidates = [*due, *(other for other in candidates if other not in due)]
            elif waiting:
                candidates = []
        if not candidates:
            self._rest(task)
            return
        self.step += 1
        chosen = candidates[0]
        if self.strategy is not None and len(candidates) > 1 and self.choosing:
            self.ident = -1
            try:
                chosen = self.strategy.forced(self, candidates)
            except Exception as error:  # noqa: BLE001 (it is raised again when the threads have ended)
                self._abandon(error)
        if chosen is task:
            self.ident = task.ident
            self._settle(task)
            return
        self._hand(chosen)
        if task is not None:
            self._await(task)

    def _settle(self, task: Task) -> None:
        wait = task.wait
        if wait is not None and wait.deadline is not None and not wait.ready():
            wait.expired = True
            self.now = max(self.now, wait.deadline)

    def _await(self, task: Task) -> None:
        if task is self._main:
            self._watch()
        else:
            task.gate.acquire()
        if self.dying:
            raise Stopped

    def _unfinished(self) -> bool:
        """Whether somebody must still finish: the main thread, a worker, or one not in the background."""
        if not self._main.done and self._main in self.tasks:
            return True
        return any(not task.done and not self._in_background(task) for task in self.tasks)

    @staticmethod
    def _in_background(task: Task) -> bool:
        thread = task.thread
        if thread is None:
            return False
        executors = sys.modules.get("concurrent.futures.thread")
        idle = executors is not None and thread in executors._threads_queues  # noqa: SLF001
        return thread.daemon or idle

    def _rest(self, task: Task | None) -> None:
        """Nobody can go on: the run is over, or it is a deadlock."""
        if self._unfinished():
            self.ident = -1
            self.failure = _deadlock([other for other in self.tasks if not other.done])
        if task is self._main:
            raise Stopped
        self._wake_main()
        if task is not None:
            self._await(task)

    def _wake_main(self) -> None:
        self.current, self.ident, self.mute = self._main, self._main.ident, True
        self._main.gate.release()

    def _watch(self) -> None:
        """Wait in the main thread until the baton comes back, and notice a thread that does not move."""
        seen = (-1, -1)
        while not self._main.gate.acquire(timeout=self.wall_limit / 2):
            mark = (self.step, self.current.index)
            if mark == seen:
                task = self.current
                raise StuckError(_stuck(task, self.wall_limit))
            seen = mark

    # -- the end of a run -----------------------------------------------------------------------------------

    def _reap(self) -> None:
        """Unwind every thread that is left, one at a time, so that none is left behind."""
        self.dying = True
        self.mute = True
        # The thread of an executor would log the end that it is brought to.
        log = logging.getLogger("concurrent.futures")
        disabled, log.disabled = log.disabled, True
        # On 3.11 a thread that is being traced does not move while another one has yet to take an
        # interruption.
        trace = sys.gettrace()
        sys.settrace(None)
        try:
            self._unwind()
        finally:
            sys.settrace(trace)
            log.disabled = disabled
        self.current, self.ident = self._main, -1
        for task in (self._main, *self._everybody):
            for lock, _ in task.holds.values():
                # Whoever held it is gone. A lock that outlives the run must be as it was before.
                if hasattr(lock, "_at_fork_reinit"):
                    lock._at_fork_reinit()  # noqa: SLF001
            task.holds.clear()
        while self._retired:
            self._retired.pop().end()

    def _unwind(self) -> None:
        for task in self.tasks:
            carrier = task.carrier
            if task.done or carrier is None:
                continue
            task.wait = None
            self.current, self.ident = task, task.ident
            if task.gate.locked():
                task.gate.release()
            limit = monotonic() + REAP_LIMIT
            while not carrier.over.acquire(timeout=_REAP_STEP):
                if monotonic() > limit:
                    _forget_interruptions()
                    break
                carrier.spoilt = True
                interrupt(task.ident)

    def close(self) -> None:
        """End the carriers, and let go of what the last run left behind."""
        carriers = [*self._idle, *self._retired]
        self._idle, self._retired = [], []
        self._everybody, self.tasks, self.workers = [], [], []
        self.failure = self.passing = self.strategy = None
        self.current = self._main
        self.context = contextvars.Context()
        for carrier in carriers:
            carrier.end()

    # -- what primitives need -------------------------------------------------------------------------------

    def mine(self) -> bool:
        """Whether the calling thread is the one that runs under control."""
        return self.active and _thread.get_ident() == self.ident

    def spawn(self, function: Callable[[], object], thread: threading.Thread | None) -> Task:
        """Start a thread of the program. It runs when the baton first comes to it."""
        name = thread.name if thread is not None else "thread"
        names = {task.name for task in self.tasks}
        unique = name
        for number in count(2):
            if unique not in names:
                break
            unique = f"{name}-{number}"
        task = self._new_task(unique)
        task.thread = thread
        self._load(task, function)
        return task


_REAP_STEP: Final = 0.05
REAP_LIMIT: Final = 1.0
"""How long, in seconds, a thread that does not end when it is told to is waited for."""


def interrupt(ident: int) -> None:
    """Ask a thread that runs Python code without coming to a point to stop."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))


def _forget_interruptions() -> None:
    """Take back the sign that some thread is to be interrupted, when that thread will not listen.

    The sign is shared by all threads, and on 3.11 a thread that is being traced would not move until
    somebody takes
    it back. Whoever handles an interruption of its own takes it back for all.
    """
    try:
        interrupt(_thread.get_ident())
        for _ in range(1_000):
            pass
    except Stopped:
        pass


def _deadline(task: Task) -> tuple[int, int]:
    wait = task.wait
    return (wait.deadline or 0 if wait is not None else 0), task.index


def _is_verdict(error: BaseException) -> bool:
    """Whether an exception says something about the program, not about the tools around it."""
    if isinstance(error, LabError) or type(error).__module__.partition(".")[0] == "hypothesis":
        return False
    if isinstance(error, Exception):
        return True
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(error, outcomes.Failed)


def _where_raised(error: BaseException) -> str:
    trace: TracebackType | None = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _deadlock(stuck: list[Task]) -> Failure:
    blocked = []
    frames = sys._current_frames()  # noqa: SLF001
    for task in stuck:
        wait = task.wait
        doing = f"{wait.verb} {_kind(wait.what)}".strip() if wait is not None else "waits"
        holder = None
        if wait is not None:
            holder = next((other.name for other in stuck if id(wait.what) in other.holds), None)
        blocked.append(Blocked(task.name, doing, place(frames.get(task.ident)), holder))
    names = ", ".join(item.thread for item in blocked)
    return Failure("deadlock", f"deadlock: {names} wait for ever", blocked[0].thread, None, tuple(blocked))


def _kind(what: object) -> str:
    if isinstance(what, Task):
        return what.name
    return "" if what is None else f"a {type(what).__name__}"


def _livelock(tasks: list[Task], limit: int) -> str:
    names = ", ".join(task.name for task in tasks if not task.done)
    return f"livelock: {names} did not end within {limit} points although each was given its turn"


def _stuck(task: Task, limit: float) -> str:
    frame = sys._current_frames().get(task.ident)  # noqa: SLF001
    return (
        f"{task.name} did not come back within {limit:g} s: it is at {place(frame)}, in something that is "
        f"not under control (a C extension, a socket, a process, a thread that was started earlier) or in "
        f"a loop that touches nothing shared; replace it by a stand-in in the test, or raise wall_limit"
    )


def place(frame: FrameType | None) -> str:
    """Say where a thread is, in the code of the user: `file:line in function`."""
    user = user_frame(frame)
    if user is None:
        return "an unknown place"
    return f"{user.f_code.co_filename}:{user.f_lineno} in {user.f_code.co_qualname}"


def user_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that belongs neither to the instrument nor to the modules it controls.

    Where there is none, as in the thread of an executor that waits for work, it is the outermost of the
    latter.
    """
    inner = None
    while frame is not None and internal(frame):
        if not is_ours(frame):
            inner = frame
        frame = frame.f_back
    return frame or inner


def is_ours(frame: FrameType) -> bool:
    """Whether a frame belongs to the instrument."""
    return str(frame.f_globals.get("__name__", "")).startswith("simulations.live.threads.")


def internal(frame: FrameType) -> bool:
    """Whether a frame belongs to the instrument, or to a module out of which it makes primitives."""
    name = str(frame.f_globals.get("__name__", ""))
    return name in _PRIMITIVE_MODULES or is_ours(frame)


_PRIMITIVE_MODULES: Final = frozenset(
    {"threading", "queue", "concurrent.futures.thread", "concurrent.futures._base", "contextlib"}
)
