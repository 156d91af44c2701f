"""A deterministic scheduler for real, unchanged Python threads.

    from simulations.live.threads import explore

    class Counter:
        def __init__(self):
            self.value = 0

        def add(self):
            value = self.value
            self.value = value + 1

    result = explore(Counter, [Counter.add, Counter.add], lambda counter: counter.value == 2)
    print(result)

`setup()` makes the shared state, each worker is called with it in a real thread of its own, and
`check(state)` returns False or raises when the end is wrong. An exception in a worker, a deadlock and a
livelock are failures too. Threads run one at a time under a baton, in virtual time, so that a schedule is
a value: it is searched, made least, put in words and replayed (`replay(setup, workers, result.plan,
check)`).

While they are explored, the functions that the workers run are rewritten: a call is put in front of
whatever another thread could notice. Locks, queues and threads stay the real ones, also those that were
made at import. What cannot be controlled (a C extension, a socket, a thread that runs already) ends in a
`StuckError` that names the place.
"""

from simulations.live.threads.control.scheduler import Failure
from simulations.live.threads.errors import StuckError, ThreadsError
from simulations.live.threads.explore import explore, replay, uninteresting
from simulations.live.threads.report import Exploration, Replay

__all__ = [
    "Exploration",
    "Failure",
    "Replay",
    "StuckError",
    "ThreadsError",
    "explore",
    "replay",
    "uninteresting",
]
