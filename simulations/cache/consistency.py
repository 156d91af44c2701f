"""What a client may rely on: its own writes, time that runs forwards, and a register behind it all.

Each function returns what is wrong, in words, or None. They look at what the clients saw, not into the
servers; all but `not_linearizable` also at the order in which the database was written.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from simulations.cache.workload import READ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.cache.system import Operation, Run

__all__ = ["forgets_own_write", "goes_back_in_time", "not_linearizable"]


def forgets_own_write(run: Run) -> str | None:
    """Return how a client reads what is older than what it has itself written, or None."""
    return _older_than_known(run, "w", "has written")


def goes_back_in_time(run: Run) -> str | None:
    """Return how a client reads what is older than what it has itself read, or None."""
    return _older_than_known(run, READ, "has read")


def _older_than_known(run: Run, kind: str, verb: str) -> str | None:
    age = {value: position for position, value in enumerate(run.written)}
    known: dict[str, Operation] = {}
    for operation in run.history:
        before = known.get(operation.client)
        if operation.kind == READ and before is not None and age[operation.value] < age[before.value]:
            return (
                f"the {operation.client} {verb} {before.value} and then reads {operation.value}, "
                f"which is older"
            )
        if operation.kind == kind:
            known[operation.client] = operation
    return None


def not_linearizable(history: Sequence[Operation], *, initial: int = 0) -> str | None:
    """Return why a history is not that of a register: no order of its operations explains what was read.

    An operation takes effect at one moment between its call and its return; a read gives what was written
    last. Herlihy and Wing, "Linearizability", TOPLAS 1990; the search is that of Wing and Gong, JPDC 1993,
    with a memory of what has been tried.

    Args:
        history: The operations, in any order.
        initial: What the register holds at first.

    Returns:
        The first operation, in the order of return, that nothing explains; None if all are explained.
    """
    in_order = sorted(history, key=lambda operation: operation.returned)
    for number, last in enumerate(in_order):
        over = in_order[: number + 1]
        pending = [other for other in in_order[number + 1 :] if other.called < last.returned]
        if not _explained(over, pending, initial):
            known = ", ".join(map(str, over[:-1])) or "nothing"
            return f"{last}, which no order explains after: {known}"
    return None


def _explained(over: Sequence[Operation], pending: Sequence[Operation], initial: int) -> bool:
    """Return whether the operations have an order; what is pending may have taken effect, or not."""
    operations = [*over, *pending]
    everything_over = (1 << len(over)) - 1

    @cache
    def possible(done: int, value: int) -> bool:
        if done & everything_over == everything_over:
            return True
        waiting = [number for number in range(len(operations)) if not done >> number & 1]
        first_return = min(operations[number].returned for number in waiting if number < len(over))
        for number in waiting:
            operation = operations[number]
            if operation.called >= first_return or (operation.kind == READ and operation.value != value):
                continue
            if possible(done | 1 << number, operation.value):
                return True
        return False

    return possible(0, initial)
