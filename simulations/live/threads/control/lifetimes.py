"""The ends of objects, and of the weak references that call something then: accesses like any other.

Whether a weak reference still gives its object depends on whether another thread has let go of it, and
whether its callback is called depends on whether the reference is there still. So to ask a weak reference
reads the *life* of its object; the end of the object, a weak reference with a callback, and its end write it.
Which object a dead reference once had cannot be seen, so it reads the lives of all.

What ends does so behind the last access of its thread, and belongs to that step.

To find the objects takes a look at every young object after the set-up. That is done only for a program that
asks weak references itself; the first run shows whether it does, and is then begun anew.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from simulations.live.threads.control.stamps import behind_reference, notifies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.threads.control.stamps import Stamps


class Watch:
    """Knows the objects of a run that weak references know, and how many of those call something.

    Args:
        stamps: The numbers of the run's objects.
    """

    def __init__(self, stamps: Stamps) -> None:
        self._watched = stamps.watched
        self._counts: dict[int, int] = {}
        for thing in gc.get_objects(0):
            known = behind_reference(thing) if issubclass(type(thing), weakref.ref) else None
            if known is not None:
                stamps.watch(known)
        list(self.changed())

    def changed(self) -> Iterator[int]:
        """Yield the numbers of the objects whose weak references have come or gone since the last look."""
        for stamp, reference in list(self._watched.items()):
            thing = reference()
            if thing is None:
                del self._watched[stamp]
                continue
            count = sum(map(notifies, weakref.getweakrefs(thing)))
            if count != self._counts.get(stamp):
                self._counts[stamp] = count
                yield stamp
