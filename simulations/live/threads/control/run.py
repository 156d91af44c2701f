"""A run as its parts see it: what a strategy may ask, and what those that hold the threads may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task


class Run(Protocol):
    """The `Scheduler`, which says what each of these is."""

    step: int
    stop: int
    bound: int
    turn_ends: int
    turn_max: int
    now: int
    until: float | None
    current: Task
    tasks: list[Task]
    ident: int
    mute: bool
    dying: bool
    cut: bool

    def ask_at(self, step: int) -> None:
        """Ask the strategy from this step on."""

    def look(self, site: Site) -> None:
        """Ask the strategy, or fairness, who goes on at a point."""

    def candidates(self) -> list[Task]:
        """Return who could go on."""

    def outside(self) -> Outside:
        """Return a context manager: what is done inside is not part of the run."""

    def name_holder(self, ident: int) -> int:
        """Say which real thread is taken for the holder of the baton; return which was."""

    def take(self, task: Task) -> None:
        """Let a thread take the baton that nobody holds."""

    def go_on_without(self, task: Task) -> None:
        """Hand the baton to another thread."""


class Outside:
    """A region whose code is not part of the run, even where it calls functions of the program."""

    __slots__ = ("_ident", "_run")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ident = -1

    def __enter__(self) -> None:
        self._ident = self._run.name_holder(-1)

    def __exit__(self, *_: object) -> None:
        self._run.name_holder(self._ident)
