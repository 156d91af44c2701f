"""A thread that goes round a loop and changes nothing waits, as another would wait for a lock.

`while not state.ready: pass` may be gone round any number of times before another thread changes what it
reads, and each number is another order of steps. But to go round it once more leads back to the same state:
if the thread stands where it stood, with the same in all of its variables, has done nothing but read, and
nothing that it read was written since, then it will do the very same again. So whatever can follow can follow
without that round. The thread then waits until something is written that the round reads, and its next step
depends on all of that.

A round may also try a lock in vain, take a lock and give it back, and sleep. To sleep changes the time: once
any thread looks at a clock, no round with a sleep in it counts.

Two rounds must have been the same, and the thread must stand where it stood a round ago. What a thread has
done is then known from what it has seen: whether it waits does not depend on what others did that is nothing
to it. Where a round cannot be seen through (it calls C of which nothing is known, uses another primitive,
looks at the time, or is part of a loop over an iterator) the thread does not wait.

The same is done to loops that wait by Kokologiannakis, Ren and Vafeiadis, "Dynamic partial order reductions
for spinloops", FMCAD 2021.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.carriers import Carrier
from simulations.live.threads.control.frames import is_ours
from simulations.live.threads.control.progress import in_a_loop
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from simulations.live.threads.control.accesses import Part, Touch
    from simulations.live.threads.control.progress import Loops
    from simulations.live.threads.control.scheduler import Scheduler
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task

STEPS_MAX: Final = 400
"""A loop with more steps is not recognised."""
VISITS_MAX: Final = 3
"""So often a round may come to one place, such as a function that it calls."""
_ATOMS: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})
_FIRST: Final = Carrier._serve.__code__  # noqa: SLF001  (it is compared, not used)
"""Where a thread begins."""

_LOOKING: Final = frozenset({Touching.READS, Touching.CALLS})
_IN_VAIN: Final = frozenset({Touching.TRIES, Touching.FAILS, Touching.LOOKS_AT})
"""What changes nothing, although it may count as a change."""
_PAIRS: Final = frozenset({Touching.ACQUIRES, Touching.RELEASES})
"""What a thread does to a lock; where it stands says which ones it holds."""

Place = tuple[object, ...]
"""Where a thread stands, with what is in its variables."""


_Read = tuple["Site", Touching, tuple["Touch", ...], tuple[int, ...]]
"""A step of a round: where, what, what it touches, and for each of that how often others had written it."""


class _Rounds:
    """What a thread has done since it last changed anything, and how far that was at each visit of a site."""

    __slots__ = ("places", "reads", "visits")

    def __init__(self) -> None:
        self.reads: list[_Read] = []
        self.visits: dict[Site, list[int]] = {}
        self.places: dict[Site, tuple[int, Place]] = {}


class Spinning:
    """Recognises threads that go round a loop and change nothing, in one run.

    Args:
        run: The run.
        loops: Where the loops over iterators are in code that has been looked at; it is added to.
        sleeps: Whether rounds with a sleep in them count.

    Attributes:
        slept: Whether a thread waited in place of a round with a sleep in it.
    """

    def __init__(self, run: Scheduler, loops: dict[CodeType, Loops], *, sleeps: bool) -> None:
        self._run = run
        self.slept = False
        self._rounds: dict[int, _Rounds] = {}
        self._sleeps = sleeps
        self._written: dict[tuple[int, Part], int] = {}
        self._written_at_all: dict[int, int] = {}
        self._own: dict[tuple[int, int], int] = {}
        self._waiting: dict[int, Callable[[], bool]] = {}
        self._seen: dict[int, list[Touch]] = {}
        self._loops = loops

    def did(self, task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        """Take note of a step."""
        in_vain, changes, thread = touching in _IN_VAIN, False, task.index
        if not in_vain:
            for stamp, part, writes in touches:
                if writes:
                    changes = True
                    self._written[stamp, part] = self._written.get((stamp, part), 0) + 1
                    self._written_at_all[stamp] = self._written_at_all.get(stamp, 0) + 1
        looks = in_vain or (not changes and touches and touching in _LOOKING)
        comes_back = not looks and (touching in _PAIRS or (self._sleeps and touching is Touching.WAKES))
        if site is None or not (looks or comes_back):
            self._rounds.pop(thread, None)
            return
        rounds = self._rounds.get(thread)
        if rounds is None:
            rounds = self._rounds[thread] = _Rounds()
        if comes_back:
            for stamp, _, _ in touches:
                self._own[thread, stamp] = self._own.get((thread, stamp), 0) + 1
        versions = tuple([self._version(task, touch) for touch in touches])
        rounds.visits.setdefault(site, []).append(len(rounds.reads))
        rounds.reads.append((site, touching, tuple(touches), versions))

    def does_more(self, task: Task) -> None:
        """Note that a thread does something else than to look."""
        self._rounds.pop(task.index, None)

    def comes_to(self, task: Task, site: Site) -> None:
        """Let a thread wait that is about to look, if it would only go round a loop once more."""
        rounds = self._rounds.get(task.index)
        visits = None if rounds is None else rounds.visits.get(site)
        if rounds is None or visits is None or len(visits) < 2:
            return
        now = len(rounds.reads)
        if now > STEPS_MAX:
            self.does_more(task)
            return
        for in_a_round in range(1, min(len(visits) // 2, VISITS_MAX) + 1):
            first, second = visits[-2 * in_a_round], visits[-in_a_round]
            if rounds.reads[first:second] == rounds.reads[second:now]:
                place = self._place(task)
                if place is not None and rounds.places.get(site) == (second, place):
                    self._wait(task, rounds.reads[second:now])
                elif place is not None:
                    rounds.places[site] = now, place
                return

    def seen(self, task: Task, touches: list[Touch]) -> list[Touch]:
        """Return what a step touches, with what its thread, if it waited so before, has looked at besides."""
        if not self._seen:
            return touches
        return [*touches, *self._seen.pop(task.index, ())]

    def _wait(self, task: Task, reads: list[_Read]) -> None:
        self.does_more(task)
        looked_at = [
            (touch, version)
            for _, touching, touches, versions in reads
            if touching is not Touching.WAKES
            for touch, version in zip(touches, versions, strict=True)
        ]
        self.slept = self.slept or any(touching is Touching.WAKES for _, touching, _, _ in reads)
        self._seen[task.index] = list(
            dict.fromkeys((stamp, part, False) for (stamp, part, _), _ in looked_at)
        )

        def changed() -> bool:
            return any(self._version(task, touch) != version for touch, version in looked_at)

        self._waiting[task.index] = changed
        if not changed() and self._others_go_on(task):
            self._run.block(lambda: changed() or not self._others_go_on(task), "reads again and again", None)
        self._waiting.pop(task.index, None)

    def _others_go_on(self, task: Task) -> bool:
        """Whether another thread can do something else than to go round a loop like this."""
        for other in self._run.tasks:
            if other is task or other.done:
                continue
            changed = self._waiting.get(other.index)
            if changed is not None:
                if changed():
                    return True
            elif other.can_go_on or (other.wait is not None and other.wait.deadline is not None):
                return True
        return False

    def _version(self, task: Task, touch: Touch) -> int:
        """Return what changes when another thread writes something that a look depends on."""
        stamp, part, _ = touch
        if part is None:
            return self._written_at_all.get(stamp, 0) - self._own.get((task.index, stamp), 0)
        return self._written.get((stamp, part), 0) + self._written.get((stamp, None), 0)

    def _place(self, task: Task) -> Place | None:
        """Return where the calling thread stands; None where not all of that can be seen."""
        place: list[object] = [*task.holds]
        frame = sys._getframe(2)  # noqa: SLF001  (the one way to one's own frames)
        while frame is not None and frame.f_code is not _FIRST:
            code = frame.f_code
            if not is_ours(frame):
                if in_a_loop(frame, self._loops):
                    return None  # how far its iterator is cannot be seen
                place += (code, frame.f_lasti)
                for name, value in frame.f_locals.items():
                    kind = type(value)
                    place += (name, kind.__name__, repr(value)) if kind in _ATOMS else (name, id(value))
            frame = frame.f_back  # type: ignore[assignment]  # it ends with `_FIRST`
        return tuple(place)
