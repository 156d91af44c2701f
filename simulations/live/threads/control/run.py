"""A run as its parts see it: what may be asked of it, and what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.baton import Baton
    from simulations.live.threads.control.tasks import Task


class Run(Protocol):
    """The `Scheduler`, which says what each of these is."""

    @property
    def baton(self) -> Baton:
        """Who runs, and how many steps there have been."""

    @property
    def step(self) -> int:
        """How many points and forced choices the run has had."""

    @property
    def stop(self) -> int:
        """The step at which the strategy wants to be asked."""

    @property
    def current(self) -> Task:
        """The thread that holds the baton."""

    @property
    def now(self) -> int:
        """Virtual time."""

    @property
    def wall_limit(self) -> float:
        """How long a thread may not be heard of, in seconds."""

    @property
    def until(self) -> float | None:
        """When a run is cut short."""

    @property
    def tasks(self) -> Sequence[Task]:
        """The threads of the run."""

    @property
    def dying(self) -> bool:
        """Whether the threads that are left are being unwound."""

    @property
    def cut(self) -> bool:
        """Whether the run was cut short."""

    def everybody(self) -> Sequence[Task]:
        """Return the threads that the run has had, the main thread first."""

    def ours(self) -> set[int]:
        """Return the identifiers of the threads of the run, and of those that watch over them."""

    def ask_at(self, step: int) -> None:
        """Ask the strategy from this step on."""

    def candidates(self) -> list[Task]:
        """Return who could go on."""

    def outside(self) -> Outside:
        """Return a context manager: what is done inside is not part of the run."""

    def go_on_without(self) -> None:
        """Hand the baton to another thread than the one that holds it."""

    def abandon(self, error: BaseException) -> NoReturn:
        """End the run because of an error that is not the program's."""

    def cut_short(self) -> None:
        """Note that the run is cut short."""


class Outside:
    """A region whose code is not part of the run, even where it calls functions of the program."""

    __slots__ = ("_baton", "_holder")

    def __init__(self, baton: Baton) -> None:
        self._baton = baton
        self._holder = -1

    def __enter__(self) -> None:
        self._holder = self._baton.hold(-1)

    def __exit__(self, *_: object) -> None:
        self._baton.hold(self._holder)
