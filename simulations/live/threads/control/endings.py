"""What the set-up, the workers and the check give back, and what is refused."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable
from enum import Enum
from typing import Any

from simulations.live.threads.errors import ThreadsError


class Role(Enum):
    """Who gave something back, as it is called in a message."""

    SETUP = "setup"
    WORKER = "a worker"
    CHECK = "check"


def refuse_unfinished(value: Any, role: Role) -> None:
    """Refuse what still has to be awaited, or of a worker to be iterated over: nothing of it has run.

    A set-up may make a generator that the workers share.

    Raises:
        ThreadsError: the value can be awaited or iterated over asynchronously, or is a generator that has
            not begun; a coroutine is closed.
    """
    if role is Role.WORKER and _is_lazy(value):
        raise ThreadsError(
            f"a worker returned a {type(value).__name__}, of which nothing has run; wrap it in a plain "
            f"function that exhausts it"
        )
    if isinstance(value, Awaitable):
        kind = type(value).__name__
    elif inspect.isasyncgen(value):
        kind = "async generator"
    else:
        return
    if inspect.iscoroutine(value):
        value.close()  # or Python would warn that it was never awaited
    raise ThreadsError(
        f"{role.value} returned something to be awaited ({kind}), of which nothing has run; pass a plain "
        f"function, since an event loop is not controlled yet"
    )


def _is_lazy(value: Any) -> bool:
    if inspect.isgenerator(value):
        return inspect.getgeneratorstate(value) == inspect.GEN_CREATED
    return type(value) in {map, filter}


def is_right(verdict: Any) -> bool:
    """Return what a check says about the state: it is wrong where the check returned False.

    The False of NumPy is one too. None, which a check without a `return` gives back, is right.

    Raises:
        ThreadsError: the verdict is not one: false in another way, without a truth value, or unfinished.
    """
    refuse_unfinished(verdict, Role.CHECK)
    if verdict is None or verdict is True:
        return True
    if _is_boolean(verdict):
        return bool(verdict)
    if inspect.isgenerator(verdict):
        raise ThreadsError("check returned a generator, which is never false; say all(...) or any(...)")
    if inspect.isroutine(verdict) or verdict is NotImplemented:
        raise ThreadsError(
            f"check returned {verdict!r}, which says nothing of the state; call it, or compare"
        )
    try:
        true = bool(verdict)
    except Exception as error:
        raise ThreadsError(
            f"check returned an object of type {type(verdict).__name__}, which is neither true nor false "
            f"({error}); say bool(...) of what you mean"
        ) from error
    if not true:
        raise ThreadsError(
            f"check returned {verdict!r}, which is false and not False; say bool(...) if the end is wrong "
            f"then, or return True or None if it is right"
        )
    return True


def _is_boolean(value: Any) -> bool:
    numpy = sys.modules.get("numpy")  # where it was never imported, nothing is of its types
    return isinstance(value, bool) or (numpy is not None and isinstance(value, numpy.bool_))
