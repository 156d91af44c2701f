"""The baton: which thread holds it, and how many steps there have been.

A point that passes without a question is the hottest code of all, so it is written out here as a function of
its own for each place, which looks at nothing but the baton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.live.threads.control.back_end import get_ident
from simulations.live.threads.control.limits import IN_VAIN_MAX, NEVER, STRICT_TURN, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task


class Baton:
    """Says which thread runs, and when it must ask who goes on.

    Args:
        look: Called at a point at which somebody is to be asked.
        holder: Who holds it first, alone.

    Attributes:
        current: The thread that holds it.
        ident: The identifier of its real thread; -1 while what is done is not part of the run.
        mute: Whether the thread that runs is in a part where no other may be chosen.
        in_vain: How often threads have tried primitives in vain since one was last changed.
        step: How many points and forced choices the run has had.
        stop: The step at which the strategy wants to be asked.
        bound: The step at which a hook must call `look`: the earliest of `stop` and the ends of the turn.
        turn_ends: The step at which the thread that runs gives way if it changes nothing until then.
        strict_at: The step at which it gives way whatever it does.
        turns: How often it was handed on, in all runs.
    """

    __slots__ = (
        "_look",
        "_strict_turns",
        "_turn_max",
        "_unchanged_until",
        "bound",
        "current",
        "ident",
        "in_vain",
        "mute",
        "step",
        "stop",
        "strict_at",
        "turn_ends",
        "turns",
    )

    def __init__(self, look: Callable[[Site], None], holder: Task) -> None:
        self._look = look
        self.turns = 0
        self.begin(holder, Limits())
        self.ident = -1

    def begin(self, holder: Task, limits: Limits) -> None:
        """Start a run, in which one thread is alone at first."""
        self.step = self.in_vain = self._unchanged_until = self._strict_turns = 0
        self._turn_max, self.strict_at = limits.turn_max, limits.points_max
        self.alone(holder)

    def alone(self, holder: Task) -> None:
        """Let a thread hold it, asking nobody and choosing no other."""
        self.current, self.ident, self.mute = holder, holder.ident, True
        self.stop = self.bound = self.turn_ends = NEVER

    def take(self, task: Task) -> None:
        """Let a thread hold it, and begin its turn."""
        self.current, self.ident, self.mute = task, task.ident, task.muted
        self.turns += 1
        self.begin_turn()
        self.set_bound()

    def rest_at(self, task: Task) -> None:
        """Let no real thread hold it; this one had it last."""
        self.current, self.ident = task, -1

    def hold(self, ident: int) -> int:
        """Take another real thread for the holder, -1 for none; return which was."""
        before, self.ident = self.ident, ident
        return before

    def silence(self, *, mute: bool) -> None:
        """Say whether no other thread may be chosen while this one runs."""
        self.mute = mute

    def ask_at(self, step: int) -> None:
        """Ask the strategy from this step on."""
        self.stop = step

    def begin_turn(self) -> None:
        """Give the thread that runs a turn from now."""
        unchanged = self.turn_ends == self._unchanged_until
        self.turn_ends = self.step + self._turn_max
        if unchanged:
            self._unchanged_until = self.turn_ends

    def changed(self) -> None:
        """Note that the thread that runs has changed a primitive: it does not only try in vain."""
        self.in_vain = 0
        self.turn_ends = self.step + self._turn_max

    def tried_in_vain(self) -> None:
        """Note that it has tried, or looked at, a primitive in vain; after many times its turn ends."""
        if self.turn_ends != self._unchanged_until:
            self.in_vain, self._unchanged_until = 0, self.turn_ends  # something was written since
        self.in_vain += 1
        if self.in_vain >= IN_VAIN_MAX:
            self.turn_ends = self._unchanged_until = self.bound = self.step

    def begin_strict_turn(self) -> None:
        """Give the thread that runs a turn that ends whatever it does.

        Each is a little longer, or each might end in the middle of the same round of a loop, where the thread
        holds a lock for which another waits.
        """
        self._strict_turns += 1
        self.strict_at = self.step + STRICT_TURN + self._strict_turns

    def set_bound(self) -> None:
        """Find out at which step somebody has to be asked next."""
        self.bound = min(self.stop, self.turn_ends, self.strict_at)

    def tick(self) -> None:
        """Count a step that is no point."""
        self.step += 1

    def pass_point(self, site: Site, *, writes: bool) -> None:
        """Count a point of the current thread, in front of an operation that another thread could notice."""
        self.step = step = self.step + 1
        if writes:
            self.turn_ends = step + self._turn_max
        if step >= self.bound:
            self._look(site)

    def point(self, site: Site, *, writes: bool) -> Callable[[], None]:
        """Return a hook that does what `pass_point` does, if the thread that calls it holds the baton."""
        look = self._look

        def write_point() -> None:
            if self.mute or get_ident() != self.ident:
                return
            self.step = step = self.step + 1
            self.turn_ends = step + self._turn_max
            if step >= self.bound:
                look(site)

        def read_point() -> None:
            if self.mute or get_ident() != self.ident:
                return
            self.step = step = self.step + 1
            if step >= self.bound:
                look(site)

        return write_point if writes else read_point
