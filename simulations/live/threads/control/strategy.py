"""Who answers the scheduler, and the regions that it does not look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.baton import Baton
    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task


class Strategy(Protocol):
    """Says who goes on."""

    def start(self, run: Run) -> None:
        """Say with `run.ask_at` at which step to be asked first."""

    def point(self, run: Run, task: Task, site: Site) -> Task:
        """Return who goes on at a point where the current thread could; say when to be asked next."""

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """Return who goes on where the current thread cannot. The first candidate is the nominal one."""


class Muted:
    """A region in which no other thread is chosen, except where the current one has to wait."""

    __slots__ = ("_baton", "_before", "_task")

    def __init__(self, baton: Baton) -> None:
        self._baton = baton
        self._task = baton.current
        self._before = False

    def __enter__(self) -> None:
        self._before = self._task.muted
        self._task.mute(muted=True)
        self._baton.silence(mute=True)

    def __exit__(self, *_: object) -> None:
        self._task.mute(muted=self._before)
        if self._baton.current is self._task:
            self._baton.silence(mute=self._before)
