"""The frame of the bench: what a program is, how it is registered, and the parts that programs share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Made:
    setup: Callable[[], Any]
    workers: dict[str, Callable[[Any], object]]
    check: Callable[[Any], object] | None = None


@dataclass(frozen=True)
class Program:
    name: str
    make: Callable[[bool], Made]
    kind: str
    preemptions: int


def registered(programs: list[Program], kind: str, preemptions: int, name: str = ""):
    """Append a program to a list: how it fails, and the fewest preemptions that it takes."""

    def register(make):
        programs.append(Program(name or make.__name__, make, kind, preemptions))
        return make

    return register


class Box:
    """Shared state with the attributes that a program wants."""

    def __init__(self, **attributes: Any) -> None:
        self.lock = threading.Lock()
        self.__dict__.update(attributes)


class Unlocked:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def lock_if(fixed, lock):
    return lock if fixed else Unlocked()
