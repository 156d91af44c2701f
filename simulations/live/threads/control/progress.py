"""Whether a run that goes on and on has come to a state in which it was before.

The state of a run is what its threads are doing and everything that they can reach from there. It is looked
at from outside, and as far as it can be seen: where something is met whose inside is unknown, such as an
iterator or an object of a C extension, nothing is said. So a repetition is a proof that the same can go on
for ever; that there is none proves nothing.
"""

from __future__ import annotations

import dis
import functools
import threading
from collections import OrderedDict, defaultdict, deque
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.back_end import current_frames
from simulations.live.threads.control.carriers import Carrier
from simulations.live.threads.control.frames import is_ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.tasks import Task

OBJECTS_MAX: Final = 5_000
"""A state with more objects is not looked at."""
_ATOMS: Final = frozenset({int, float, complex, bool, str, bytes, type(None), range, slice, type(...)})
_INERT: Final = frozenset({FunctionType, ModuleType, CodeType, type})
_HEAP_TYPE: Final = 1 << 9
"""The flag of a class that was made at run time."""
_POINTER: Final = 8
_LAST: Final = Carrier._serve.__code__  # noqa: SLF001  (it is compared, not used)
"""Where a thread begins: what lies beneath is the platform's."""
_LOCKS: Final = (type(threading.Lock()), type(threading.RLock()))
_SEQUENCES: Final = (list, tuple, deque)
_MAPPINGS: Final = (dict, OrderedDict, defaultdict)

Loops = tuple[tuple[int, int], ...]
"""Where the loops over iterators in a code object begin and end, in bytes."""


class UnseenError(Exception):
    """A part of the state cannot be looked at."""


class Repetition:
    """Notes the states of a run, and recognises one that has been before."""

    def __init__(self) -> None:
        self._states: dict[object, int] = {}
        self._turns: list[int] = []
        self._could_go_on: dict[int, int] = {}
        self._loops: dict[CodeType, Loops] = {}
        self._blind = False

    def comes_to(self, task: Task, tasks: Sequence[Task], clock: int) -> bool:
        """Note the state at the end of a turn; return whether it repeats, every thread having had a turn.

        Args:
            task: Whose turn has ended.
            tasks: The threads of the run.
            clock: What changes when a thread reads the time.
        """
        if self._blind:
            return False
        try:
            state = (task.index, clock, _state(tasks, self._loops))
        except UnseenError:
            self._blind = True
            return False
        self._turns.append(task.index)
        before = self._states.setdefault(state, len(self._turns))
        if before == len(self._turns):
            return False
        had_turns = set(self._turns[before:])
        return all(
            other.done
            or other.index in had_turns
            or (not other.can_go_on and self._could_go_on.get(other.index, -1) < before)
            for other in tasks
        )

    def may_go_on(self, task: Task, lock: object) -> None:
        """Note that a lock was given back: who waits for it could go on for a moment."""
        if task.wait is not None and task.wait.what is lock:
            self._could_go_on[task.index] = len(self._turns)


def _state(tasks: Sequence[Task], loops: dict[CodeType, Loops]) -> tuple[object, ...]:
    frames = current_frames()
    snapshot = _Snapshot(loops)
    whole: list[object] = []
    for task in tasks:
        if task.done:
            continue
        if task.wait is not None and task.wait.deadline is not None:
            raise UnseenError  # time will pass
        whole.append(task.index)
        frame = frames.get(task.ident)
        while frame is not None and frame.f_code is not _LAST:
            if not is_ours(frame):
                whole.append(snapshot.frame(frame))
            frame = frame.f_back
    return tuple(whole)


class _Snapshot:
    """Writes down what can be reached, each object once."""

    def __init__(self, loops: dict[CodeType, Loops]) -> None:
        self._seen: dict[int, int] = {}
        self._loops = loops

    def frame(self, frame: FrameType) -> object:
        code = frame.f_code
        if in_a_loop(frame, self._loops):
            raise UnseenError  # how far its iterator is cannot be seen
        names = [name for name in code.co_names if name in frame.f_globals]
        return (
            id(code),
            frame.f_lasti,
            *(self.value(value) for value in frame.f_locals.values()),
            *(self.value(frame.f_globals[name]) for name in names),
        )

    def value(self, thing: Any) -> object:
        kind = type(thing)
        if kind in _ATOMS:
            return kind.__name__, repr(thing)
        if kind in _INERT or issubclass(kind, type):
            return id(thing)
        if id(thing) in self._seen:
            return "again", self._seen[id(thing)]
        self._seen[id(thing)] = len(self._seen)
        if len(self._seen) > OBJECTS_MAX:
            raise UnseenError
        if kind in _LOCKS:
            return id(thing), repr(thing)
        if kind is MethodType:
            return id(thing.__func__), self.value(thing.__self__)
        if kind is BuiltinFunctionType:  # made anew whenever a method of an object in C is looked up
            return kind.__qualname__, thing.__qualname__, self.value(thing.__self__)
        if kind is functools.partial:
            return id(kind), *(self.value(part) for part in (thing.func, thing.args, thing.keywords))
        if kind is GeneratorType:
            frame = thing.gi_frame
            return id(kind), None if frame is None or thing.gi_running else self.frame(frame)
        if issubclass(kind, (set, frozenset)):
            if not all(type(item) in _ATOMS for item in thing):
                raise UnseenError
            return kind.__name__, *sorted(map(repr, thing))
        return self._compound(kind, thing)

    def _compound(self, kind: type, thing: Any) -> object:
        # `tuple.__iter__` and the like: a method of the program must not run here.
        parts: list[object] = [kind.__name__ if kind in (*_SEQUENCES, *_MAPPINGS) else id(kind)]
        seen = False
        for base in _SEQUENCES:
            if issubclass(kind, base):
                seen = True
                items: Any = base.__iter__
                parts += [self.value(item) for item in items(thing)]
        if issubclass(kind, dict):
            seen = True
            for key, value in dict.items(thing):
                parts += [self.value(key), self.value(value)]
        if _is_plain(kind):
            seen = True
            attributes = object.__getattribute__(thing, "__dict__") if kind.__dictoffset__ else {}
            for name, value in attributes.items():
                parts += [name, self.value(value)]
            parts += [self.value(_in_slot(slot, thing)) for slot in _slots(kind)]
        if not seen:
            raise UnseenError
        return tuple(parts)


def in_a_loop(frame: FrameType, loops: dict[CodeType, Loops]) -> bool:
    """Return whether a frame stands inside a loop over an iterator.

    Args:
        frame: The frame.
        loops: Where those loops are in code that has been looked at; it is added to.
    """
    code = frame.f_code
    if code not in loops:
        loops[code] = tuple(
            (step.offset, step.argval) for step in dis.get_instructions(code) if step.opname == "FOR_ITER"
        )
    return any(start <= frame.f_lasti < end for start, end in loops[code])


def _is_plain(kind: type) -> bool:
    """Return whether objects of a class hold nothing but attributes, a sequence or a mapping.

    A class that was written in C has room for more.
    """
    plain = (object, *_SEQUENCES, *_MAPPINGS)
    if kind in plain or not all(base in plain or base.__flags__ & _HEAP_TYPE for base in kind.__mro__):
        return False
    solid = next(base for base in kind.__mro__ if base in plain)
    pointers = len(_slots(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    inherited = (solid.__dictoffset__ > 0) + (solid.__weakrefoffset__ > 0)
    return kind.__basicsize__ == solid.__basicsize__ + _POINTER * (pointers - inherited)


def _slots(kind: type) -> list[Any]:
    return [
        value
        for base in kind.__mro__
        if base.__flags__ & _HEAP_TYPE
        for value in vars(base).values()
        if type(value) is MemberDescriptorType
    ]


def _in_slot(slot: Any, thing: Any) -> Any:
    try:
        return slot.__get__(thing)
    except AttributeError:
        return None
