"""Schedules in words: where a thread paused, by thread, file, line and occurrence.

A run is steered by steps, which are exact and mean nothing to a reader. What is saved is a `Plan` whose
labels say thread, place and operation, so that it survives another Python version and edits elsewhere in the
file.
"""

from __future__ import annotations

import linecache
import sys
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.choices import Deviation, Plan
from simulations.errors import PlanError
from simulations.live.threads.control.frames import way_out
from simulations.live.threads.control.limits import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.control.tasks import Task

_SEPARATOR: Final = " | "


class Place(NamedTuple):
    """Where a thread stood when it was decided who goes on.

    Attributes:
        thread: Who stood there.
        file: The name of the file, without its folder; empty where a thread starts or ends.
        line: The line.
        function: The qualified name of the function.
        operation: What was about to be done, such as `reads balance`; or `start`, `is about to end`, `ends`.
        text: The source line.
        direct: Whether the user's own code does it, not a primitive that it calls.
    """

    thread: str
    file: str
    line: int
    function: str
    operation: str
    text: str
    direct: bool = True

    @property
    def label(self) -> str:
        """The label of the choice point."""
        if not self.file:
            return f"{self.thread}{_SEPARATOR}{self.operation}"
        return _SEPARATOR.join(
            (self.thread, f"{self.file}:{self.line}", self.function, self.operation, self.text)
        )

    @classmethod
    def parse(cls, label: str) -> Place:
        """Read a label.

        Raises:
            PlanError: it is not the label of a schedule.
        """
        parts = label.split(_SEPARATOR, 4)
        if len(parts) == 2:
            return cls(parts[0], "", 0, "", parts[1], "")
        file, colon, line = parts[1].rpartition(":") if len(parts) == 5 else ("", "", "")
        if not (colon and line.isdigit()):
            raise PlanError(
                f"{label!r} is not the place of a thread; that is "
                f"{_SEPARATOR.join(('thread', 'file:line', 'function', 'operation', 'source line'))!r}"
            )
        return cls(parts[0], file, int(line), parts[2], parts[3], parts[4])


ABOUT_TO_END: Final = "is about to end"
"""What a thread does that has done all but to end."""


class Asked(NamedTuple):
    """One choice of a recorded run.

    Attributes:
        step: Its number.
        place: Where the thread stood that could, or could not, go on.
        options: The threads in the order of the options; the first is the nominal one.
        chosen: The index of the answer.
        forced: Whether the thread could not go on.
        time: Virtual time in nanoseconds.
    """

    step: int
    place: Place
    options: tuple[str, ...]
    chosen: int
    forced: bool
    time: int


def normal(qualname: str) -> str:
    """Return the name of a function; a comprehension belongs to its function, as from 3.12 on."""
    for inner in ("<listcomp>", "<dictcomp>", "<setcomp>"):
        qualname = qualname.removesuffix(f".<locals>.{inner}")
    return qualname


def place_of(task: Task | None, site: Site | None) -> Place:
    """Return where the calling thread stands."""
    name = task.name if task is not None else "start"
    if task is None or task.done:
        return Place(name, "", 0, "", "start" if task is None else "ends", "")
    if site is not None and site.kind == "end":
        return Place(name, "", 0, "", ABOUT_TO_END, "")
    # A frame that holds itself would stay, and keep alive whatever the frames of the program hold.
    frame, primitive = way_out(sys._getframe(1))  # noqa: SLF001  (the one way to it)
    frame = frame or primitive
    if frame is None:
        return Place(name, "", 0, "", "waits", "")
    operation = "waits"
    if primitive is not None:
        operation = f"calls {primitive.f_code.co_qualname}"
    elif site is not None:
        operation = f"{site.verb} {site.name or site.expression}".strip()
    code = frame.f_code
    line = frame.f_lineno or code.co_firstlineno  # an instruction that the compiler added has none
    text = linecache.getline(code.co_filename, line).strip()
    file = _file_name(code.co_filename)
    function = normal(code.co_qualname)
    return Place(name, file, line, function, operation, text, direct=primitive is None)


@lru_cache(maxsize=1024)
def _file_name(path: str) -> str:
    return PurePath(path).name


class Recorder:
    """Asks another strategy, and writes down every choice."""

    __slots__ = ("_inner", "_seen", "_stop", "asked")

    def __init__(self, inner: Strategy) -> None:
        self._inner = inner
        self._stop = NEVER
        self.asked: list[Asked] = []

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        self._inner.start(run)
        self._stop = run.stop
        run.ask_at(run.step + 1)

    def point(self, run: Run, task: Task, site: Site) -> Task:
        """See `Strategy`."""
        chosen = task
        if run.step >= self._stop:
            run.ask_at(self._stop)
            chosen = self._inner.point(run, task, site)
            self._stop = run.stop
        run.ask_at(run.step + 1)
        self._note(run, task, site, task, chosen, forced=False)
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        run.ask_at(self._stop)
        chosen = self._inner.forced(run, candidates)
        self._stop = run.stop
        run.ask_at(run.step + 1)
        self._note(run, _standing(run), None, candidates[0], chosen, forced=True)
        return chosen

    def _note(
        self,
        run: Run,
        task: Task | None,
        site: Site | None,
        nominal: Task,
        chosen: Task,
        *,
        forced: bool,
    ) -> None:
        with run.outside():
            options = order(run, nominal)
            place = place_of(task, site)
            names = tuple(option.name for option in options)
            self.asked.append(Asked(run.step, place, names, options.index(chosen), forced, run.now))

    def plan(self) -> Plan:
        """Return what was not nominal."""
        counts: dict[str, int] = {}
        deviations = []
        for asked in self.asked:
            label = asked.place.label
            occurrence = counts.get(label, 0)
            counts[label] = occurrence + 1
            if asked.chosen:
                deviations.append(Deviation(label, occurrence, asked.chosen))
        return Plan(deviations)


def _standing(run: Run) -> Task | None:
    """Return who cannot go on; None at the start."""
    return run.current if run.current.index >= 0 else None


def order(run: Run, nominal: Task) -> list[Task]:
    """Return the threads in the order of the options: the nominal one, then all others by number."""
    return [nominal, *(task for task in run.tasks if task is not nominal)]


class Scripted:
    """Gives the answers of a plan, by thread and place.

    Args:
        plan: The plan.
        known: Every place at which a thread may stand, from `(file, function, text)` to lines.
    """

    __slots__ = ("_counts", "_moved", "_wanted", "decided", "places")

    def __init__(self, plan: Plan, known: dict[tuple[str, str, str], list[int]]) -> None:
        self._wanted: dict[str, dict[int, int]] = {}
        self._moved: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self.decided: list[tuple[int, int]] = []
        self.places: list[Place] = []
        for label, occurrence, option in plan:
            place = relocate(Place.parse(label), known)
            self.places.append(place)
            here = place.label
            self._moved[here] = label
            self._wanted.setdefault(here, {})[occurrence] = option

    @property
    def pauses_at_an_end(self) -> bool:
        """Whether a thread is to pause when it is about to end."""
        return any(place.operation == ABOUT_TO_END for place in self.places)

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        run.ask_at(run.step + 1)

    def point(self, run: Run, task: Task, site: Site) -> Task:
        """See `Strategy`."""
        run.ask_at(run.step + 1)
        return self._answer(run, task, site, task, None)

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        run.ask_at(run.step + 1)
        return self._answer(run, _standing(run), None, candidates[0], candidates)

    def _answer(
        self,
        run: Run,
        task: Task | None,
        site: Site | None,
        nominal: Task,
        candidates: Sequence[Task] | None,
    ) -> Task:
        with run.outside():
            label = place_of(task, site).label
        occurrence = self._counts.get(label, 0)
        self._counts[label] = occurrence + 1
        option = self._wanted.get(label, {}).get(occurrence)
        if option is None:
            return nominal
        options = order(run, nominal)
        able = candidates if candidates is not None else run.candidates()
        if option >= len(options) or options[option] not in able:
            who = options[option].name if option < len(options) else f"thread number {option}"
            raise PlanError(
                f"the plan wants {who} to go on at {label} (occurrence {occurrence}), but it cannot: "
                f"was it recorded with another program?"
            )
        self.decided.append((run.step, options[option].index))
        return options[option]

    def finish(self) -> None:
        """Check that every answer was asked for.

        Raises:
            PlanError: one was not.
        """
        for label, answers in self._wanted.items():
            for occurrence in answers:
                if occurrence >= self._counts.get(label, 0):
                    raise PlanError(
                        f"the plan does not apply any more: {self._moved[label]} was asked "
                        f"{self._counts.get(label, 0)} times, and the plan answers occurrence {occurrence}; "
                        f"has that line changed, or does the run end before it?"
                    )


def relocate(place: Place, known: dict[tuple[str, str, str], list[int]]) -> Place:
    """Return a place at the line where its source text stands now.

    Raises:
        PlanError: the function has no such line any more.
    """
    if not place.file:
        return place
    lines = known.get((place.file, place.function, place.text))
    if lines is None:
        raise PlanError(
            f"the plan does not apply any more: {place.function} in {place.file} has no line "
            f"`{place.text}`, which stood at {place.file}:{place.line}"
        )
    if place.line in lines:
        return place
    return place._replace(line=min(lines, key=lambda line: abs(line - place.line)))


def in_words(asked: Iterable[Asked]) -> str:
    """Return a schedule in words."""
    said = []
    for choice in asked:
        if not choice.chosen:
            continue
        to = choice.options[choice.chosen]
        place = choice.place
        if place.operation == ABOUT_TO_END:
            said.append(f"{place.thread} pauses when it {place.operation} and {to} goes on")
        elif not choice.forced:
            where = f"{place.file}:{place.line} `{place.text}` (before it {place.operation})"
            said.append(f"{place.thread} pauses at {where} and {to} goes on")
        elif place.operation == "start":
            said.append(f"{to} starts first")
        else:
            why = "has ended" if place.operation == "ends" else f"waits at {place.file}:{place.line}"
            said.append(f"when {place.thread} {why}, {to} goes on before {choice.options[0]}")
    if not said:
        return "every thread runs until it ends or has to wait"
    return "every thread runs until it ends or has to wait, except: " + "; ".join(said)
