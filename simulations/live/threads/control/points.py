"""Where the program comes to the scheduler: a point in front of an operation, and word of what was done.

The hooks in rewritten code and the controlled forms of primitives both stand on this.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Final, Literal

from simulations.live.threads.control.accesses import BACK, DEPTH, FRONT, TRIED, Part, Touch, ended
from simulations.live.threads.control.back_end import get_ident
from simulations.live.threads.control.callbacks import Unfinished
from simulations.live.threads.control.carriers import Stopped
from simulations.live.threads.control.lifetimes import Watch
from simulations.live.threads.control.process_state import ProcessState
from simulations.live.threads.control.spinning import Spinning
from simulations.live.threads.control.stamps import Stamps
from simulations.live.threads.control.strangers import MET
from simulations.live.threads.control.thread_ends import ThreadEnds
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from simulations.live.threads.control.progress import Loops
    from simulations.live.threads.control.scheduler import Scheduler
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task

    Sink = Callable[[Task, Site | None, list[Touch], Touching], None]

Granularity = Literal["sync", "access", "gil"]
"""Where threads may be switched: `sync`, at operations on primitives only; `access`, also in front of
whatever two threads touch and one changes; `gil`, where this interpreter switches."""

_OUTLIVED: Final = (
    "explore kept an object alive that the program had let go of, and whose end can be noticed (by `__del__` "
    "or a weak reference)"
)
_ENDS: Final = "the end of an object that a weak reference knows, with the step before it"
_CALLING_BACK: Final = frozenset({"item", "whole", "contains", "match", "import", "call"})
"""The kinds of sites whose operations may call code of Python before they are done."""
_IN_VAIN: Final = frozenset({Touching.FAILS, Touching.LOOKS_AT})
"""What a thread may do again and again while it waits for another."""
_REGION: Final = "a thread came to a region marked as uninteresting, whose accesses do not count"
ROUNDS_MAX: Final = 2_000
"""After so many jumps back and calls without a point a thread is taken to come to none any more."""
GRANULARITIES: Final = ("sync", "access", "gil")


class Points:
    """Counts points, and tells a sink of every access while a run is observed.

    Attributes:
        granularity: Where threads may be switched.
        sink: Told of every access; None while nothing is observed.
        stamps: The numbers of the objects of the run.
        everywhere: Whether every access is a point, so that what touches nothing need not be one.
        ends: The ends of threads.
        process: What each run begins with anew.
    """

    def __init__(self, run: Scheduler, granularity: Granularity) -> None:
        self.run = run
        self.granularity: Granularity = granularity
        self.sink: Sink | None = None
        self.stamps = Stamps()
        self.everywhere = False
        self.ends = ThreadEnds()
        self.process = ProcessState()
        self._taken: dict[int, int] = {}
        self._news: set[Site] = set()
        self._hindrances: dict[str, None] = {}
        self._deeper = False
        self._keeping = True
        self._watching = False
        self._unfinished = Unfinished()
        self._loops: dict[CodeType, Loops] = {}
        self._spinning = Spinning(run, self._loops, sleeps=True)
        self._watch: Watch | None = None
        self._last: tuple[Task, Site | None] | None = None
        self._time_is_read = self._slept = self._timed = False
        self._rounds = 0
        self._kept_too_long = False

    @property
    def hindrances(self) -> tuple[str, ...]:
        """What was done, in all runs so far, that no access stands for."""
        met = (MET,) if self.run.strangers.met else ()
        return (*met, *self._hindrances, *sorted(self.stamps.hindrances - self._hindrances.keys()))

    @property
    def atomic(self) -> tuple[str, ...]:
        """What was taken for a single step, in all runs so far."""
        deeper = f"what lies deeper than {DEPTH} levels in what C was given"
        said = ((deeper, self._deeper or self.stamps.deeper), (_ENDS, self._watching))
        return tuple(what for what, is_so in said if is_so)

    def enter_region(self) -> None:
        """Note that a thread has come to a region in which none may be switched."""
        self._hindrances[_REGION] = None

    def begin(self, sink: Sink | None) -> None:
        """Start a run, whose objects are numbered anew; tell a sink of every access."""
        self.sink = sink
        self.process.put_back()
        self._hindrances |= dict.fromkeys(sorted(self.stamps.hindrances))
        self._deeper = self._deeper or self.stamps.deeper
        if self._kept_too_long:
            self._hindrances[_OUTLIVED] = None
        self.lets_go()
        self.stamps = Stamps(keeping=self._keeping, on_end=self._object_ended)
        self._watch = self._last = None
        self._rounds = 0
        self._unfinished = Unfinished()
        self._spinning = Spinning(self.run, self._loops, sleeps=not self._time_is_read)
        if self._watching:
            gc.collect(0)  # what the set-up makes is young then
        self._taken = {}

    def lets_go(self) -> bool:
        """Return whether the last run says nothing, since it kept something too long or did not see it end.

        No other run will.
        """
        unwatched = self.stamps.asks and not self._watching
        self._watching = self._watching or unwatched
        kept = self._kept_too_long
        if kept:
            self._kept_too_long = self._keeping = False
        self._slept = self._slept or self._spinning.slept
        timed = self._time_is_read and self._slept and not self._timed
        self._timed = self._timed or timed
        seen = self.ends.is_news()
        return kept or unwatched or timed or seen

    def end(self) -> None:
        """Tell the sink nothing more."""
        self.sink = None

    def put(self, *, everywhere: bool) -> None:
        """Say whether every access is a point."""
        self.everywhere = everywhere

    def regrain(self, granularity: Granularity) -> None:
        """Switch threads elsewhere from now on."""
        self.granularity = granularity

    @property
    def has_news(self) -> bool:
        """Whether there are sites that were run for the first time since the focus was chosen."""
        return bool(self._news)

    def is_news(self, site: Site) -> None:
        """Note a site that was run for the first time since the focus was chosen."""
        self._news.add(site)

    def take_news(self) -> set[Site]:
        """Return the sites that were run for the first time, and forget them."""
        news, self._news = self._news, set()
        return news

    def at_primitive(self, site: Site, thing: object, *, tries: bool = False, looks: bool = False) -> None:
        """Count a point in front of an operation on a primitive.

        Args:
            site: Where the operation stands.
            thing: The primitive; None where it is only time.
            tries: Whether the operation does not wait for as long as it takes; in vain it changes nothing.
            looks: Whether it changes nothing.
        """
        site.note_primitive()
        run = self.run
        if run.baton.mute or self.granularity == "gil":
            return
        if (tries or looks) and self._may_wait:
            self._spinning.comes_to(run.current, site)
        if tries and self.sink is not None and thing is not None:
            self._say(run.current, site, [(self.stamps.of(thing), TRIED, False)], Touching.TRIES)
        if site.focus:
            only_time = thing is None and not self._time_is_read
            run.baton.pass_point(site, writes=not (tries or looks or only_time))

    def did(self, site: Site | None, thing: object, touching: Touching, *others: object) -> None:
        """Tell of an operation on a primitive that has been done, and what else it did the same to."""
        if touching in _IN_VAIN or (touching is Touching.WAKES and not self._time_is_read):
            self.run.baton.tried_in_vain()
        elif touching is not Touching.READS_TIME:
            self.run.baton.changed()
        else:
            self._time_is_read = True
        if self.sink is not None and not self.run.baton.mute:
            if site is not None:
                site.note_run()
                site.note_effect(touching)
            changes, of = touching.changes, self.stamps.of
            touches: list[Touch] = [(of(each), None, changes) for each in (thing, *others)]
            self._say(self.run.current, site, self._spinning.seen(self.run.current, touches), touching)

    def started(self, site: Site, task: Task, changed: Sequence[tuple[object, str]]) -> None:
        """Tell that a thread was started, and which attributes of which objects that changed."""
        if self.sink is None or self.run.baton.mute:
            return
        site.note_run()
        site.note_effect(Touching.STARTS)
        stamps = self.stamps
        parts = [(stamps.of(thing), part, True) for thing, part in changed]
        self._say(self.run.current, site, [(stamps.of(task), None, True), *parts], Touching.STARTS)

    def did_to_part(self, thing: object, part: Part, touching: Touching) -> None:
        """Tell of an operation on a part of a thing: one that waited for it, or that lets others go on."""
        if self.sink is not None and not self.run.baton.mute:
            writes = touching is not Touching.JOINS
            self._say(self.run.current, None, [(self.stamps.of(thing), part, writes)], touching)

    def tells_of(self, site: Site, thing: object) -> None:
        """Tell that something depends on a primitive, and changes nothing for others that depend on it."""
        if not self.run.baton.mute:
            self.tell(site, [(self.stamps.of(thing), None, False)])

    def did_at_end(self, site: Site, line: Any, touching: Touching) -> None:
        """Tell of an operation at one end of a queue, which is about to be done and does not wait any more.

        Items are numbered as they are put. Who takes an item depends on who put it, and on who took the one
        before it; to put another changes nothing for it.
        """
        if touching is Touching.PUTS or not line.empty():
            self.run.baton.changed()
        else:
            self.run.baton.tried_in_vain()
        if self.sink is None or self.run.baton.mute:
            return
        site.note_run()
        site.note_effect(touching)
        stamp = self.stamps.of(line)
        taken = self._taken.get(stamp, 0)
        puts, takes = touching is Touching.PUTS, touching is Touching.GETS and not line.empty()
        item = ("item", taken + line.qsize() if puts else taken)
        if takes:
            self._taken[stamp] = taken + 1
        self._say(
            self.run.current,
            site,
            [(stamp, BACK if puts else FRONT, puts or takes), (stamp, item, puts)],
            touching,
        )

    def pass_point(self, site: Site) -> None:
        """Count a point in front of an access that is observed."""
        site.note_run()
        if self._may_wait and not site.writes:
            self._spinning.comes_to(self.run.baton.current, site)
        if site.focus:
            self._rounds = 0
            self.run.baton.pass_point(site, writes=site.writes)

    def tell(self, site: Site, touches: list[Touch], *, calls_back: bool = True) -> None:
        """Tell of an access, and whether it may call code of the program before it is done."""
        if touches and self.sink is not None:
            task = self.run.baton.current
            touches = self._spinning.seen(task, touches)
            site.note_effect(site.verb)
            self._say(task, site, touches, site.verb)
            if calls_back and site.kind in _CALLING_BACK:
                self._unfinished.begins(task.index, touches)

    @property
    def _may_wait(self) -> bool:
        """Whether a thread that goes round a loop and changes nothing may wait for others."""
        every_access = self.everywhere and self.granularity == "access"
        return every_access and self.sink is not None and not self._watching

    def does_more(self) -> None:
        """Note that the thread that runs does something that no access stands for."""
        if self.sink is not None:
            self._spinning.does_more(self.run.baton.current)

    def comes_to_another(self) -> None:
        """Note that the calling frame of the program has done what it was doing."""
        if self._unfinished.begun and self.sink is not None:
            self._unfinished.comes_to(self.run.baton.current.index)

    def switch(self, site: Site) -> None:
        """Come to a place at which this interpreter may really switch threads."""
        baton = self.run.baton
        if baton.mute or get_ident() != baton.ident:
            return
        baton.current.comes_to(site)
        site.set_writes(writes=True)
        self.pass_point(site)
        if not site.focus:
            self._goes_round()

    def may_switch(self, site: Site) -> None:
        """Come to the place behind the start of a thread: to wait until it runs is part of it."""
        if self.granularity == "gil":
            self.switch(site)

    def _goes_round(self) -> None:
        """Cut the run short where a thread goes round a loop for ever in which no place is a point."""
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            self.run.cut_short()
            raise Stopped

    def runs_on(self, site: Site) -> None:
        """Come to where a generator begins or goes on: until it yields, no other thread can go on with it."""
        baton = self.run.baton
        if baton.mute or get_ident() != baton.ident:
            return
        site.note_run()
        if self.sink is not None and not self._unfinished.around(baton.current.index, []):
            return
        if self.granularity != "gil":
            self.pass_point(site)
        if self.sink is not None:
            site.note_effect(site.verb)
            self._say(baton.current, site, [], site.verb)

    def tell_end(self, task: Any) -> None:
        """Tell of the end of a thread."""
        if self.sink is not None:
            self._kept_too_long = self._kept_too_long or self.stamps.keep_too_long()
            waited_for = [task] if task.sentinel is None else [task, task.sentinel]
            touches: list[Touch] = [(self.stamps.of(one), None, True) for one in waited_for]
            self._say(task, self.ends.told_of, touches, Touching.ENDS)

    def _say(self, task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        if self._watching:
            self._see_ends(task, site)
        if self.sink is not None:
            self._spinning.did(task, site, touches, touching)
            begun = self._unfinished.begun
            if begun and touching is not Touching.TRIES and touching is not Touching.ENDS:
                touches = self._unfinished.around(task.index, touches)
            self.sink(task, site, touches, touching)

    def _see_ends(self, task: Task, site: Site | None) -> None:
        """Tell of the weak references that have come or gone since the last access."""
        if self._watch is None:
            self._watch = Watch(self.stamps)
        if self._last is not None:
            for stamp in self._watch.changed():
                self._let_go(stamp, *self._last)
        self._last = (task, site)

    def _object_ended(self, stamp: int) -> None:
        """Tell that an object has ended."""
        if self._watching and not self.run.baton.mute and self.run.mine():
            task = self.run.current
            site = self._last[1] if self._last is not None and self._last[0] is task else None
            self._let_go(stamp, task, site)

    def _let_go(self, stamp: int, task: Task, site: Site | None) -> None:
        if self.sink is not None:
            with self.run.outside():  # this runs in the middle of the program, not in a hook
                self.sink(task, site, ended(stamp, self.stamps), Touching.LETS_GO)
