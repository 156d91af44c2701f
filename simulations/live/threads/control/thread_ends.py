"""The end of a thread as a place to switch at.

Who joins a thread waits for its end, and it does not matter who goes on right before that. But who asks if it
is alive, or which threads there are, sees whether it has ended: then another thread may be chosen between the
last thing that a thread does and its end. A run shows whether any thread asks; the first that does is begun
anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.live.threads.control.rewrite import Instruction
from simulations.live.threads.control.sites import Site
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from types import CodeType

    from simulations.live.threads.control.scheduler import Scheduler
    from simulations.live.threads.control.sites import Kind


class ThreadEnds:
    """Knows whether it is seen when threads end.

    Attributes:
        site: Where threads are switched in front of an end.
        asking: Where they are switched in front of a look at the handle of a thread.
    """

    def __init__(self) -> None:
        self.site = _site(ThreadEnds.come.__code__, "end", Touching.ENDS)
        self.asking = _site(ThreadEnds.look.__code__, "call", Touching.LOOKS_AT)
        self._seen = self._matters = False

    @property
    def told_of(self) -> Site | None:
        """Where the end of a thread is told of; None where it matters to nobody who does not wait for it."""
        return self.site if self._matters else None

    def look(self) -> None:
        """Note that a thread asked whether another has ended."""
        self._seen = True

    def is_news(self) -> bool:
        """Return whether the last run was the first in which a thread asked."""
        first = self._seen and not self._matters
        self._matters = self._seen
        return first

    def come(self, run: Scheduler) -> None:
        """Come to the end of a thread of a run."""
        baton, site = run.baton, self.site
        if not self._matters or run.dying or baton.mute or not run.mine():
            return
        site.note_run()
        baton.current.comes_to(site)
        if site.focus:
            baton.pass_point(site, writes=True)


def _site(code: CodeType, kind: Kind, verb: Touching) -> Site:
    place = code.co_firstlineno
    return Site(code, Instruction(0, 0, (place, place, None, None)), kind, verb=verb, writes=True)
