"""What is called in front of an instruction that another thread could notice.

There are two ways to watch a program. *Observing* looks at every access and tells a sink what it touched. The
*fast* way calls only where threads may be switched, where a primitive is at work, and where the program has
not been before; the rest runs at the speed of the interpreter.
"""

from __future__ import annotations
import __future__

import functools
import operator
import sys
from collections import deque
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control import accesses, operations
from simulations.live.threads.control.back_end import get_ident
from simulations.live.threads.control.frames import is_ours
from simulations.live.threads.control.kinds import FIXED
from simulations.live.threads.control.steps import Steps
from simulations.live.threads.control.touching import Touching
from simulations.live.threads.control.tracing import HOOK_DEPTH, quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.points import Points
    from simulations.live.threads.control.primitives import Primitives
    from simulations.live.threads.control.sites import Site

_NEVER_SWITCHES: Final[frozenset[object]] = frozenset({len, isinstance, type, str, tuple, list.append})


_FUTURES: Final = (
    functools.reduce(
        operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
    )
    & ~0x10
)
"""The flags of a code object that its `from __future__` statements have set."""


def ignored(thing: Any) -> bool:  # noqa: ARG001  (it stands in for what puts code under control)
    """Put nothing under control."""
    return False


def unchanged(code: CodeType, space: dict[str, Any]) -> CodeType:  # noqa: ARG001  (see above)
    """Return code as it is."""
    return code


def _is_python(function: Any) -> bool:
    """Return whether all that a call touches is told by the code of a Python function."""
    while type(function) is MethodType:
        function = function.__func__
    return type(function) is FunctionType


class Hooks:
    """Makes the functions that are called from rewritten code.

    Attributes:
        reached: Called with whatever is about to be called, so that its code is put under control; returns
            whether nothing but the call can be seen, which then touches its arguments.
        rewritten: Puts code under control that is about to be executed.
        steps: The functions of the standard library that are taken for one step.
    """

    def __init__(self, points: Points, primitives: Primitives) -> None:
        self._points = points
        self._baton = points.run.baton
        self._primitives = primitives
        self.reached: Callable[[Any], bool] = ignored
        self.rewritten: Callable[[CodeType, dict[str, Any]], CodeType] = unchanged
        self.steps = Steps()

    def connect(
        self,
        reached: Callable[[Any], bool] = ignored,
        rewritten: Callable[[CodeType, dict[str, Any]], CodeType] = unchanged,
    ) -> None:
        """Say who puts code under control; nobody, where it is not said."""
        self.reached, self.rewritten = reached, rewritten

    def observing(self, site: Site) -> Callable[..., Any]:
        """Return the hook that looks at every access of a site."""
        if site.kind == "call":
            return quiet(lambda function: self._observe_call(site, function))
        if site.kind == "with":
            return quiet(lambda manager: self._observe_with(site, manager))
        if site.kind == "switch":
            return quiet(jumping(site, lambda: self._points.switch(site)))
        if site.kind == "resume":
            return quiet(lambda: self._points.runs_on(site))
        baton, points = self._baton, self._points

        def observe(*operands: Any) -> None:
            if baton.mute or get_ident() != baton.ident:
                return
            points.comes_to_another()
            # Two functions may have one code and different globals, so the frame says which they are.
            space = None
            if site.kind in {"global", "name"}:
                frame = sys._getframe(HOOK_DEPTH)  # noqa: SLF001  (nothing public does it)
                space = frame.f_globals
                if site.kind == "name" and (site.writes or site.name in frame.f_locals):
                    space = frame.f_locals
            for operand in operands:
                self.reached(operand)
            touches, turns = None, baton.turns
            if points.everywhere:
                touches = accesses.touched(site, operands, space, points.stamps)
                if not touches:
                    site.note_run()
                    return
            if points.granularity != "gil":
                points.pass_point(site)
            if touches is None or baton.turns != turns:  # others may have changed what it touches
                touches = accesses.touched(site, operands, space, points.stamps)
            points.tell(site, touches, calls_back=not accesses.is_quick(site, operands))

        return quiet(observe)

    def after_call(self, site: Site) -> Callable[[], None]:
        """Return the hook behind a call: this interpreter may switch there if it was not a call of Python."""

        def after() -> None:
            if site.verb is Touching.CALLS_C:
                self._points.switch(site)

        return quiet(after)

    def _observe_with(self, site: Site, manager: Any) -> Any:
        baton = self._baton
        if get_ident() != baton.ident:
            return manager
        site.note_run()
        self._points.comes_to_another()
        self.reached(manager)
        guard = self._primitives.guard(manager, site) or self._managed(manager, site)
        if guard is None:
            return manager
        site.note_primitive()
        return guard

    def _managed(self, manager: Any, site: Site) -> Managed | None:
        """Return what to enter in place of a context manager whose beginning and end are written in C."""
        if isinstance(getattr(type(manager), "__exit__", None), FunctionType):
            return None
        return Managed(self, manager, site)

    def at_manager(self, manager: Any, site: Site) -> None:
        """Come to the beginning or the end of a `with` statement, which changes its manager."""
        baton = self._baton
        if self._points.run.dying or baton.mute or get_ident() != baton.ident:
            return
        site.set_writes(writes=True)
        self._at_call(site, accesses.reach((manager,), self._points.stamps, writes=True))

    def _observe_call(self, site: Site, function: Any) -> Any:
        baton = self._baton
        # At the end of a `with` statement an argument stands where the callable does elsewhere.
        if get_ident() != baton.ident or not callable(function):
            return function
        self._points.comes_to_another()
        if self._points.granularity == "gil":
            python = type(function) is FunctionType or (
                type(function) is MethodType and type(function.__func__) is FunctionType
            )
            quick = operations.is_one_of(function, _NEVER_SWITCHES)
            site.set_verb(Touching.CALLS if python or quick else Touching.CALLS_C)
            if python:
                self._points.switch(site)
        site.name_after(function)
        controlled = self._primitives.controlled(function, site)
        if controlled is not None:
            site.note_run()
            site.note_primitive()
            return controlled
        unseen = self.reached(function)
        if function is exec or function is eval:
            site.note_primitive()
            return self._executing(function)
        if baton.mute:
            return function
        site.note_run()
        if _is_python(function) and not unseen:
            self._at_call(site, [])
            return function
        if function is dir or function is vars:
            return self._listing(site) if function is dir else self._variables(site)
        if operations.is_one_of(function, operations.ON_FRAMES):
            if function is locals:
                self._looks_around()
            self._at_call(site, operations.on_frames(function, self._points.stamps))
            return function
        return self._through(site, function, unseen=unseen)

    def _looks_around(self) -> None:
        """Note that all variables of the calling frame are read, of which some may be shared."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (nothing public does it)
        while frame is not None and is_ours(frame):
            frame = frame.f_back
        accesses.look_at_cells(frame, self._points.stamps)

    def _at_call(self, site: Site, touches: list[Touch]) -> None:
        if self._points.everywhere and not touches:
            return
        if self._points.granularity != "gil":
            self._points.pass_point(site)
        self._points.tell(site, touches)

    def step(self, code: CodeType) -> Callable[[], None]:
        """Return the hook at the beginning of a function of the standard library, which is one step."""
        baton, steps = self._baton, self.steps

        def begin() -> None:
            if baton.mute or get_ident() != baton.ident:
                return
            frame = sys._getframe(HOOK_DEPTH)  # noqa: SLF001  (nothing public does it)
            with self._points.run.outside():
                site = steps.begins(frame, code)
                if site is None:
                    return
                self._points.does_more()
                given = steps.arguments(frame, code)
                for one in operations.calls_back(given, {}):
                    self.reached(one)
                touches = steps.touches(given, frame.f_globals, code, self._points.stamps)
            if not site.name:
                site.name_as(code.co_name)
                site.set_focus(focus=self._points.everywhere)
            self._at_call(site, touches)

        return quiet(begin)

    def _through(self, site: Site, function: Any, *, unseen: bool) -> Callable[..., Any]:
        """Stand in for a function whose code tells nothing: what it touches depends on its arguments."""

        def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            for arg in operations.calls_back(args, kwargs):
                self.reached(arg)
            if unseen:
                seen = accesses.reach((*args, *kwargs.values()), self._points.stamps, writes=True)
            else:
                seen = operations.called(function, args, kwargs, self._points.stamps)
            site.set_writes(writes=any(writes for _, _, writes in seen))
            if not seen:
                self._points.does_more()  # what it depends on is not known
            self._at_call(site, seen)

        prepare = quiet(prepare)
        calling = self._calling(site, function) if operations.calls_given(function) else function

        def through(*args: Any, **kwargs: Any) -> Any:
            prepare(args, kwargs)
            return calling(*args, **kwargs)

        self.steps.standing_in.add(through.__code__)
        return through

    def _listing(self, site: Site) -> Callable[..., list[str]]:
        """Stand in for `dir`, which looks at its caller where it is given nothing."""

        def listing(*args: Any) -> list[str]:
            if not args:
                return sorted(sys._getframe(1).f_locals)  # noqa: SLF001  (nothing public does it)
            self._at_call(site, operations.called(dir, args, {}, self._points.stamps))
            return dir(*args)

        return listing

    def _variables(self, site: Site) -> Callable[..., Any]:
        """Stand in for `vars`, which looks at its caller where it is given nothing."""

        def variables(*args: Any) -> Any:
            self._at_call(site, [])
            if args:
                return vars(*args)
            self._looks_around()
            space = sys._getframe(1).f_locals  # noqa: SLF001  (nothing public does it)
            return space if type(space) is dict else dict(space)

        return variables

    def _calling(self, site: Site, function: Any) -> Callable[..., Any]:
        """Stand in for a function in C that calls what it is given, which may be a primitive."""
        if type(function) is operator.methodcaller:
            return self._calling_by_name(site, function)

        def calling(*args: Any, **kwargs: Any) -> Any:
            return function(
                *[self._handed(site, arg) for arg in args],
                **{name: self._handed(site, arg) for name, arg in kwargs.items()},
            )

        return calling

    def _calling_by_name(self, site: Site, function: Any) -> Callable[..., Any]:
        """Stand in for what calls a method by its name, which may be one of a primitive."""
        made, given = function.__reduce__()
        names = {} if made is operator.methodcaller else made.keywords
        name, *others = given if made is operator.methodcaller else (*made.args, *given)

        def calling(*things: Any) -> Any:
            if len(things) != 1 or not self._primitives.is_one(things[0]):
                return function(*things)
            return self._handed(site, getattr(things[0], name))(*others, **names)

        self.steps.standing_in.add(calling.__code__)
        return calling

    def _handed(self, site: Site, given: Any) -> Any:
        if not self._primitives.knows(given):
            return given
        baton, controlled = self._baton, self._primitives.controlled

        def handed(*args: Any, **kwargs: Any) -> Any:
            replacement = None if get_ident() != baton.ident else controlled(given, site)
            return (replacement or given)(*args, **kwargs)

        self.steps.standing_in.add(handed.__code__)
        return handed

    def _executing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Stand in for `exec` and `eval`: what they execute is put under control."""

        def execute(source: Any, /, globals: Any = None, locals: Any = None, **others: Any) -> Any:  # noqa: A002  (the names of the original)
            frame = sys._getframe(1)  # noqa: SLF001  (nothing public does it)
            if globals is None:
                globals = frame.f_globals  # noqa: A001  (see above)
                if locals is None:
                    accesses.look_at_cells(frame, self._points.stamps)
                    locals = frame.f_locals  # noqa: A001  (see above)
                    if type(locals) is not dict:
                        locals = dict(locals)  # noqa: A001  (see above)
            if not isinstance(source, CodeType):
                if function is eval and isinstance(source, str):
                    source = source.lstrip(" \t")
                flags = frame.f_code.co_flags & _FUTURES
                source = compile(source, "<string>", function.__name__, flags, dont_inherit=True)
            return function(
                self.rewritten(source, globals), globals, globals if locals is None else locals, **others
            )

        return execute

    def first_time(self, site: Site) -> Callable[[], None]:
        """Return the hook of a site which has not been run under observation."""
        baton = self._baton

        def first_time() -> None:
            if not baton.mute and get_ident() == baton.ident:
                self._points.is_news(site)

        return first_time

    def call(self, site: Site, *, observed: bool) -> Callable[[Any], Any]:
        """Return the hook of a call of a primitive, or of a call that has not been run under observation."""
        baton = self._baton
        controlled = self._primitives.controlled
        point = baton.point(site, writes=site.writes) if site.focus and observed else None

        def call(function: Any) -> Any:
            if get_ident() != baton.ident:
                return function
            if not (site.hot and observed):
                self.reached(function)
            if not site.hot and not baton.mute:
                self._points.is_news(site)
            if function is exec or function is eval:
                return self._executing(function)
            replacement = controlled(function, site)
            if replacement is not None:
                site.note_primitive()
                site.name_after(function)
                return replacement
            if point is not None:
                point()
            return self._calling(site, function) if operations.calls_given(function) else function

        return quiet(call)

    def enter(self, site: Site) -> Callable[[Any], Any]:
        """Return the hook of a `with` statement."""
        baton = self._baton
        guard = self._primitives.guard

        def enter(manager: Any) -> Any:
            if get_ident() != baton.ident:
                return manager
            self.reached(manager)
            if not site.hot and not baton.mute:
                self._points.is_news(site)
            return guard(manager, site) or self._managed(manager, site) or manager

        return quiet(enter)


_SAY_AT_ONCE: Final = FIXED | {list, dict, tuple, set, frozenset, deque}
"""Types whose objects call nothing of the program when they are asked if they are true."""


def jumping(site: Site, switch: Callable[[], None]) -> Callable[..., None]:
    """Return the hook in front of an instruction at which this interpreter may switch, if it jumps back.

    Whether an object is true that says so itself is not asked twice: then it is taken to jump.
    """
    if not site.operands:
        return switch

    def in_front(value: Any) -> None:
        if site.name.endswith("NONE"):
            jumps = (value is None) == (site.name == "POP_JUMP_BACKWARD_IF_NONE")
        else:
            jumps = type(value) not in _SAY_AT_ONCE or bool(value) == site.name.endswith("TRUE")
        if jumps:
            switch()

    return in_front


class Managed:
    """Stands in for a context manager of a type in C in a `with` statement."""

    __slots__ = ("_hooks", "_manager", "_site")

    def __init__(self, hooks: Hooks, manager: Any, site: Site) -> None:
        self._hooks = hooks
        self._manager = manager
        self._site = site

    def __enter__(self) -> Any:
        self._hooks.at_manager(self._manager, self._site)
        return self._manager.__enter__()

    def __exit__(self, *error: object) -> Any:
        self._hooks.at_manager(self._manager, self._site.exit or self._site)
        return self._manager.__exit__(*error)
