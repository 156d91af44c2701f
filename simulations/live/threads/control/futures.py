"""The result of a future, as something that a thread waits for in one step.

A future has a lock, and `result` takes it, looks, and waits for a notification, so that each order in which
the lock can be taken would count as a schedule of its own. No program can tell these orders apart: a thread
that asks for a result without a time-out goes on once there is one. So it waits for that first, and then
`result` finds what it wants. Everything else that is done to futures stays what it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.primitives import free
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulations.live.threads.control.points import Points

_DONE: Final = ("done", None)
"""The part of a future that those who wait for it touch, and who gives it its result."""


def stand_ins(points: Points) -> Iterator[tuple[Any, str, Any]]:
    """Yield what takes the place of which method while a program is under control: class, name, value."""
    base = sys.modules.get("concurrent.futures._base")
    if base is None:
        return
    kind = base.Future
    done = frozenset({base.CANCELLED, base.CANCELLED_AND_NOTIFIED, base.FINISHED})
    for name in ("result", "exception"):
        yield kind, name, _waiting(points, getattr(kind, name), done)
    yield kind, "_invoke_callbacks", _telling(points, kind._invoke_callbacks)  # noqa: SLF001  (all ways to an end call it)


def _waiting(points: Points, method: Callable[..., Any], done: frozenset[str]) -> Callable[..., Any]:
    run = points.run

    def wait(self: Any, timeout: float | None = None) -> Any:
        if timeout is None and run.mine():

            def ready() -> bool:
                # Who has just set the state tells of it when the lock is free again.
                return self._state in done and free(self._condition._lock)  # noqa: SLF001  (nothing public does it)

            if not ready():
                run.block(ready, "waits for", self)
            points.did_to_part(self, _DONE, Touching.JOINS)
        return method(self, timeout)

    return wait


def _telling(points: Points, method: Callable[[Any], None]) -> Callable[[Any], None]:
    run = points.run

    def tell(self: Any) -> None:
        if run.mine():
            points.did_to_part(self, _DONE, Touching.ENDS)
        method(self)

    return tell
