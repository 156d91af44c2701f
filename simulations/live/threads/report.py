"""The result of an exploration, as data, as text and as JSON. Every sentence about it is made here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulations.drawing.displayed import Displayed
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from simulations.choices import Plan
    from simulations.drawing import marks
    from simulations.drawing.sheet import Sheet
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.points import Granularity


class Verdict(StrEnum):
    """The result of a search."""

    FOUND = "found"
    """A schedule fails."""
    EXHAUSTED = "exhausted"
    """Every schedule that was asked for was run, up to the order of independent steps, and none fails."""
    GAVE_UP = "gave up"
    """The budget ran out, and no schedule that was run fails."""


class Minimality(StrEnum):
    """How a failing schedule is known to be the least one."""

    NOMINAL = "least: the nominal schedule fails"
    LEAST = "least: every lesser schedule was run"
    DELAY_BOUNDED = "least by delay bounding: every schedule of fewer deviations was run"
    ONE_MINIMAL = "1-minimal: the budget ran out"
    """It fails no more without any one of its deviations; a lesser schedule of another kind may fail."""
    NOT_MINIMISED = "not minimised"
    NOTHING_FOUND = ""


class Possible(StrEnum):
    """Whether this interpreter can show a finding."""

    HERE = "can happen on this interpreter"
    ELSEWHERE = "only without the GIL, or on other versions"
    """No schedule that switches where this interpreter does fails so, with as many preemptions."""
    NOT_SEEN = "only without the GIL, or on other versions (as far as was tried)"
    """None was found, but not all were run."""
    NOTHING_FOUND = ""


@dataclass(frozen=True)
class Coverage:
    """Which schedules were gone through in full.

    Attributes:
        preemptions: The number of preemptions up to which every schedule was run, from 0; None where not even
            those without one were, or where there is no bound.
        complete: Whether every schedule was run, with any number of preemptions.
        granularity: Where threads were switched.
        threads: How many threads the schedules had at the start.
        atomic: What was taken for a single step, although another thread could come in between.
        hindrances: What stands in the way of a proof.
        time_outs: Where waits had a time-out; taken to pass only where no thread could go on.
        vacuous: Whether no two threads touched the same thing, one of them writing it, so that nothing was at
            stake.
        audits: How many random schedules at the granularity of instructions were run besides.
    """

    preemptions: int | None = None
    complete: bool = False
    granularity: Granularity = "access"
    threads: int = 0
    atomic: tuple[str, ...] = ()
    hindrances: tuple[str, ...] = ()
    time_outs: tuple[str, ...] = ()
    vacuous: bool = False
    audits: int = 0

    def reaches(self, max_preemptions: int | None) -> bool:
        """Return whether every schedule up to a bound was run; None is no bound."""
        if self.hindrances:
            return False
        if self.complete:
            return True
        return (
            max_preemptions is not None
            and self.preemptions is not None
            and (self.preemptions >= max_preemptions)
        )

    def __str__(self) -> str:
        if not self.complete and self.preemptions is None:
            return "no schedule was gone through in full"
        limit = "" if self.complete else f" with at most {counted(self.preemptions or 0, 'preemption')}"
        parts = [
            f"every schedule of {counted(self.threads, 'thread')} from this set-up{limit}",
            f"at granularity {self.granularity}",
        ]
        if self.atomic:
            parts.append(f"taken as one step: {', '.join(self.atomic)}")
        if self.time_outs:
            parts.append(
                f"time-outs were taken to pass only when no thread can go on: {', '.join(self.time_outs)}"
            )
        if self.audits:
            parts.append(f"audited by {counted(self.audits, 'random schedule')} at every instruction")
        return ", ".join(parts[:2]) + "".join(f"; {part}" for part in parts[2:])


_VACUOUS: Final = "nothing was at stake: no two threads touched the same thing, one of them writing it; "


class Told(NamedTuple):
    """A run in lanes.

    Attributes:
        lanes: The names of its threads.
        steps: What was done, in order: the number of the lane from 0, and a text.
        ended: How it failed, as a sentence; empty where it passed.
    """

    lanes: tuple[str, ...]
    steps: tuple[tuple[int, str], ...]
    ended: str


@dataclass(frozen=True)
class Exploration(Displayed):
    """The result of an exploration.

    Attributes:
        verdict: What the search has shown.
        schedules: How many schedules were run until the verdict.
        coverage: Which schedules were gone through in full.
        failure: How the least schedule that was found fails.
        plan: That schedule; the empty plan is the nominal one.
        preemptions: How often it pauses a thread that could go on.
        deviations: How many of its choices are not nominal, forced ones included.
        words: That schedule in words.
        minimality: How it is known to be least.
        minimising: How many runs that took.
        below: The number of preemptions up to which no schedule fails; None where that is unknown.
        possible: Whether this interpreter can show it.
        lanes: The least schedule side by side, as text.
        mermaid: The same as a Mermaid sequence diagram.
        conflict: Which accesses conflict, or who waits for whom.
        digest: The digest of the run of the least schedule.
        threads: The names of the threads, in order.
        points: How many places the nominal run had at which threads could be switched.
        told: The least schedule and, where there is one, the nearest schedule that passes, in lanes.
    """

    verdict: Verdict
    schedules: int
    coverage: Coverage = Coverage()
    failure: Failure | None = None
    plan: Plan | None = None
    preemptions: int | None = None
    deviations: int | None = None
    words: str = ""
    minimality: Minimality = Minimality.NOTHING_FOUND
    minimising: int = 0
    below: int | None = None
    possible: Possible = Possible.NOTHING_FOUND
    lanes: str = ""
    mermaid: str = ""
    conflict: str = ""
    digest: str = ""
    threads: tuple[str, ...] = ()
    points: int = 0
    told: tuple[Told, ...] = ()

    @property
    def runs(self) -> tuple[marks.Sequence, ...]:
        """The least schedule and, where there is one, the nearest schedule that passes, as pictures."""
        from simulations.live.threads import picture  # noqa: PLC0415  (only what is shown is drawn)

        return tuple(picture.drawn(*told) for told in self.told)

    @property
    def found(self) -> bool:
        """Whether a schedule fails."""
        return self.verdict is Verdict.FOUND

    def raise_if_found(self) -> None:
        """Raise an `AssertionError` with the explanation if a schedule fails.

        Raises:
            AssertionError: a schedule fails; its cause is what the program raised.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        if self.failure is not None:
            raise AssertionError(self.explanation) from self.failure.error

    @property
    def explanation(self) -> str:
        """Everything that a person needs to understand the finding; empty where there is none."""
        if self.failure is None:
            return ""
        pauses = ", ".join(
            counted(number or 0, noun)
            for number, noun in ((self.preemptions, "preemption"), (self.deviations, "deviation"))
        )
        parts = [
            self.failure.summary,
            f"Schedule: {self.words}.",
            f"{pauses}; {self._minimised()}.",
            f"Found in {counted(self.schedules, 'schedule')}; {self.possible}.",
            self.conflict,
            self.lanes,
        ]
        return "\n\n".join(part for part in parts if part)

    def _minimised(self) -> str:
        if self.minimality is not Minimality.ONE_MINIMAL or self.below is None:
            return str(self.minimality)
        return f"{self.minimality}; none with at most {counted(self.below, 'preemption')} fails"

    def __str__(self) -> str:
        if self.found:
            return self.explanation
        schedules = counted(self.schedules, "schedule")
        if self.verdict is Verdict.EXHAUSTED:
            vacuous = _VACUOUS if self.coverage.vacuous else ""
            return f"{vacuous}exhausted after {schedules}: {self.coverage}"
        done = f" ({self.coverage} was run)" if self.coverage.preemptions is not None else ""
        why = "".join(f"\n- {hindrance}" for hindrance in self.coverage.hindrances)
        return f"gave up after {schedules} without a failure{done}{why and ', because:'}{why}"

    def __repr__(self) -> str:
        summary = f": {self.failure.summary}" if self.failure is not None else ""
        return shortened(f"<Exploration {self.verdict} after {counted(self.schedules, 'schedule')}{summary}>")

    def sheet(self) -> Sheet:
        """Return what is shown of it: what is printed, and the least schedule beside one that passes."""
        from simulations.live.threads import picture  # noqa: PLC0415  (only what is shown is drawn)

        return picture.exploration_sheet(str(self), self.lanes, self.runs)

    def to_json(self) -> dict[str, Any]:
        """Return the result as values that JSON knows."""
        return {
            "verdict": str(self.verdict),
            "schedules": self.schedules,
            "coverage": {
                "preemptions": self.coverage.preemptions,
                "complete": self.coverage.complete,
                "granularity": self.coverage.granularity,
                "threads": self.coverage.threads,
                "atomic": list(self.coverage.atomic),
                "hindrances": list(self.coverage.hindrances),
                "time_outs": list(self.coverage.time_outs),
                "vacuous": self.coverage.vacuous,
                "audits": self.coverage.audits,
            },
            "failure": _failure_to_json(self.failure),
            "plan": None if self.plan is None else self.plan.to_json(),
            "preemptions": self.preemptions,
            "deviations": self.deviations,
            "words": self.words,
            "minimality": str(self.minimality),
            "minimising": self.minimising,
            "below": self.below,
            "possible": str(self.possible),
            "lanes": self.lanes,
            "mermaid": self.mermaid,
            "conflict": self.conflict,
            "digest": self.digest,
            "threads": list(self.threads),
            "points": self.points,
            "says": str(self),
            "runs": [asdict(run) for run in self.runs],
        }


@dataclass(frozen=True)
class Replay:
    """One run of a plan.

    Attributes:
        failure: How it failed; None if it did not.
        digest: The digest of what happened.
        lanes: What happened, side by side.
    """

    failure: Failure | None
    digest: str
    lanes: str

    def __str__(self) -> str:
        outcome = "did not fail" if self.failure is None else self.failure.summary
        return f"{outcome}\n\n{self.lanes}"

    def to_json(self) -> dict[str, Any]:
        """Return the run as values that JSON knows."""
        return {"failure": _failure_to_json(self.failure), "digest": self.digest, "lanes": self.lanes}


def _failure_to_json(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "kind": str(failure.kind),
        "summary": failure.summary,
        "thread": failure.thread,
        "error": None if failure.error is None else type(failure.error).__name__,
        "blocked": [blocked._asdict() for blocked in failure.blocked],
    }


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is due."""
    return f"{number} {noun}{'s' * (number != 1)}"
