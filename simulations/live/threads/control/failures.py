"""How a run of a program fails, as a value and as one line."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from simulations.errors import LabError
from simulations.live.threads.control.back_end import current_frames
from simulations.live.threads.control.frames import is_ours, place
from simulations.live.threads.control.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


class Kind(StrEnum):
    """In which way a run fails."""

    EXCEPTION = "exception"
    """A worker raised."""
    CHECK = "check"
    """The check raised, or returned False (of Python or NumPy)."""
    DEADLOCK = "deadlock"
    """No thread can ever go on."""
    LIVELOCK = "livelock"
    """The threads come to a state in which they were before, although each was given its turn."""


class Blocked(NamedTuple):
    """A thread of a deadlock: what it is doing, where, and who holds what it waits for."""

    thread: str
    doing: str
    where: str
    holder: str | None


class Failure(NamedTuple):
    """Why a run counts as a failure.

    Attributes:
        kind: In which way it failed.
        summary: One line.
        thread: Where it happened; empty for the check.
        error: The exception, if there is one.
        blocked: The threads of a deadlock.
    """

    kind: Kind
    summary: str
    thread: str = ""
    error: BaseException | None = None
    blocked: tuple[Blocked, ...] = ()

    @property
    def signature(self) -> tuple[Kind, str]:
        """What must stay the same while a schedule is minimised."""
        return self.kind, type(self.error).__name__ if self.error is not None else ""

    def __str__(self) -> str:
        return self.summary


def raised(kind: Kind, name: str, error: BaseException) -> Failure:
    """Return the failure that an exception is."""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Failure(kind, f"{name} raised {said}{_where_raised(error)}", name, error)


def is_verdict(error: BaseException) -> bool:
    """Return whether an exception says something about the program, not about the tools around it."""
    if isinstance(error, LabError) or type(error).__module__.partition(".")[0] == "hypothesis":
        return False
    skips = sys.modules.get("unittest.case")  # who raises one has imported it
    if skips is not None and isinstance(error, skips.SkipTest):
        return False
    if isinstance(error, Exception):
        return True
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(error, outcomes.Failed)


def _where_raised(error: BaseException) -> str:
    trace: TracebackType | None = error.__traceback__
    if trace is None:
        return ""
    following = trace.tb_next
    while following is not None:
        if not is_ours(following.tb_frame):  # the instrument may stand between the program and C
            trace = following
        following = following.tb_next
    return f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def deadlock(stuck: Sequence[Task]) -> Failure:
    """Return the failure of threads that wait for each other."""
    blocked = []
    frames = current_frames()
    for task in stuck:
        wait = task.wait
        doing = f"{wait.verb} {_kind_of(wait.what)}".strip() if wait is not None else "waits"
        holder = None
        if wait is not None:
            holder = next((other.name for other in stuck if id(wait.what) in other.holds), None)
        blocked.append(Blocked(task.name, doing, place(frames.get(task.ident)), holder))
    names = ", ".join(item.thread for item in blocked)
    return Failure(Kind.DEADLOCK, f"deadlock: {names} wait for ever", blocked[0].thread, None, tuple(blocked))


def _kind_of(what: object) -> str:
    if isinstance(what, Task):
        return what.name
    return "" if what is None else f"a {type(what).__name__}"


def livelock(tasks: Sequence[Task], name: str) -> Failure:
    """Return the failure of threads whose state repeats, noticed in the thread of that name."""
    names = ", ".join(task.name for task in tasks if not task.done)
    return Failure(
        Kind.LIVELOCK,
        f"livelock: {names} came back to a state in which they were before, although each was given its turn",
        name,
    )


def stuck(task: Task, wall_limit: float) -> str:
    """Return the message for a thread that did not come back within `wall_limit` seconds."""
    frame = current_frames().get(task.ident)
    return (
        f"{task.name} did not come back within {wall_limit:g} s: it is at {place(frame)}, in something that "
        f"is not under control (a C extension, a socket, a process, a thread that was started earlier) or in "
        f"a loop that touches nothing shared; replace it by a stand-in in the test, or raise wall_limit"
    )
