"""The hottest code of all: a point that passes without a question, `Scheduler.pass_point` written out."""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site


def write_point(run: Run, site: Site) -> Callable[[], None]:
    """Return a hook in front of an operation that may change what another thread sees."""

    def point() -> None:
        if run.mute or get_ident() != run.ident:
            return
        run.step = step = run.step + 1
        run.turn_ends = step + run.turn_max
        if step >= run.bound:
            run.look(site)

    return point


def read_point(run: Run, site: Site) -> Callable[[], None]:
    """Return a hook in front of an operation that changes nothing."""

    def point() -> None:
        if run.mute or get_ident() != run.ident:
            return
        run.step = step = run.step + 1
        if step >= run.bound:
            run.look(site)

    return point
