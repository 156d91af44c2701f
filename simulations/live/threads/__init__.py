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
livelock (a state that repeats) are failures too. Threads run one at a time under a baton, in virtual time,
so that a schedule is a value: it is searched, minimised, put in words and replayed (`replay(setup, workers,
result.plan, check)`).

While they are explored, the functions that the workers run are rewritten: a call is put in front of
whatever another thread could notice. Locks, queues and threads stay the real ones, also those that were
made at import. A thread that waits in the operating system lets the others go on. What cannot be controlled
(a C extension, a thread that runs already) ends in a `StuckError` that names the place.

Where things are::

    api.py              what a user calls: explore, replay, uninteresting
    program.py          what is explored, and how much may be spent on it
    report.py           the result, as data, text and JSON
    errors.py           what is raised on purpose
    control/            how real threads are held, one at a time
        scheduler.py    the baton, the points, waiting, the end of a run; begin here
        strategy.py     who answers the scheduler, and the regions that it does not look at
        baton.py        which thread runs, and how many steps there have been
        tracing.py      notices code that begins to run
        kernel.py       threads that wait in the operating system
        unwinding.py    threads in the middle of their work, at the end of a run
        alarm.py        interrupts a set-up or a check when the time is up
        progress.py     whether the state of a run repeats
        spinning.py     who goes round a loop and changes nothing waits
        endings.py      what set-up, workers and check give back, and what is refused
        refused.py      what a thread under control may not do
        thread_data.py  what a real thread keeps for itself
        tasks.py        the threads of a program; who could go on
        carriers.py     the real threads that carry them
        limits.py       the bounds of a run
        failures.py     how a run fails
        points.py       where the program comes to the scheduler
        hooks.py        what is called in front of an instruction
        primitives.py   what a lock, a queue, a clock becomes under control
        outside.py      what a file, a database, a socket becomes under control
        accesses.py     what an access touches, and which accesses conflict
        operations.py   what a call into C touches
        stamps.py       the numbers of the objects of a run
        touching.py     what an operation does to what it touches
        sites.py        which instructions another thread could notice
        rewrite.py      calls put into bytecode
        install.py      which functions are rewritten
        run.py          a run as its parts see it
        thread_order.py sets of threads have the same order in each run
        frames.py       whose code a frame runs
        provenance.py   where code comes from, by its file
        insides.py      who looks into a primitive past its methods
        steps.py        functions of the standard library that are one step each
        standard_library.py  what is needed of Python, and why it may be refused
        chosen.py       the same threads under a `Chooser`, for a world
    search/             which schedule is tried next
        session.py      a program under control, from its first run to its last
        portfolio.py    which schedules are tried, in which order
        strategies.py   what proposes a schedule
        proof.py        a schedule of each class, until none is left
        reduction.py    which classes there are; the second place to begin
        follower.py     runs the beginning of a schedule, and notes what depends on what
        focus.py        in front of which instructions a switch can matter
        exhaustive.py   every schedule, in the order of "least"
        hit.py          a failing schedule, and what is known of its place in that order
        minimise.py     the least schedule, and whether this interpreter can show it
        plans.py        a schedule as a plan, and in words
        stories.py      runs a schedule and writes down everything
        explain.py      what happened, side by side, and which accesses conflicted
        findings.py     from the result of a search to its report
"""

from simulations.live.threads.api import explore, replay, run_decisions, uninteresting
from simulations.live.threads.control.failures import Failure
from simulations.live.threads.control.points import Granularity
from simulations.live.threads.control.standard_library import refusal, tracer
from simulations.live.threads.errors import StuckError, ThreadsError
from simulations.live.threads.program import Budget, Program, Searcher
from simulations.live.threads.report import Coverage, Exploration, Minimality, Possible, Replay, Verdict
from simulations.live.threads.search.strategies import Decisions

__all__ = [
    "Budget",
    "Coverage",
    "Decisions",
    "Exploration",
    "Failure",
    "Granularity",
    "Minimality",
    "Possible",
    "Program",
    "Replay",
    "Searcher",
    "StuckError",
    "ThreadsError",
    "Verdict",
    "explore",
    "refusal",
    "replay",
    "run_decisions",
    "tracer",
    "uninteresting",
]
