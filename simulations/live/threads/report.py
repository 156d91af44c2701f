"""What an exploration came to, for a program and for a person."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from simulations.choices import Plan
    from simulations.live.threads.control.scheduler import Failure

Verdict = Literal["found", "exhausted", "gave up"]


@dataclass(frozen=True)
class Exploration:
    """What an exploration came to.

    Attributes:
        verdict: `found`, `exhausted` (every schedule up to the stated bound was run) or `gave up`.
        schedules: How many schedules were run until the verdict.
        failure: How the least schedule that was found fails.
        plan: That schedule; the empty plan is the nominal one.
        preemptions: How often it pauses a thread that could go on.
        deviations: How many of its choices are not nominal, forced ones included.
        words: That schedule in words.
        minimality: How it is known to be least.
        minimising: How many runs that took.
        bound: What was gone through in full, in words; empty if nothing was.
        complete: The number of preemptions up to which every schedule was run; -1 is none, None is no limit.
        possible: Whether this interpreter can show it.
        lanes: The least schedule side by side, as text.
        mermaid: The same as a Mermaid sequence diagram.
        explanation: Everything that a person needs to understand the finding.
        digest: The digest of the run of the least schedule.
        threads: The names of the threads, in order.
        points: How many places the nominal run had at which threads could be switched.
    """

    verdict: Verdict
    schedules: int
    failure: Failure | None = None
    plan: Plan | None = None
    preemptions: int | None = None
    deviations: int | None = None
    words: str = ""
    minimality: str = ""
    minimising: int = 0
    bound: str = ""
    complete: int | None = -1
    possible: str = ""
    lanes: str = ""
    mermaid: str = ""
    explanation: str = ""
    digest: str = ""
    threads: tuple[str, ...] = ()
    points: int = 0

    @property
    def found(self) -> bool:
        """Whether a schedule fails."""
        return self.verdict == "found"

    def raise_if_found(self) -> None:
        """Raise an `AssertionError` with the explanation if a schedule fails.

        Raises:
            AssertionError: a schedule fails; its cause is what the program raised.
        """
        if self.failure is not None:
            raise AssertionError(self.explanation) from self.failure.error

    def to_json(self) -> dict[str, Any]:
        """Return the exploration as what `json.dumps` takes."""
        failure = None
        if self.failure is not None:
            failure = {
                "kind": self.failure.kind,
                "summary": self.failure.summary,
                "thread": self.failure.thread,
                "error": None if self.failure.error is None else type(self.failure.error).__name__,
            }
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "failure": failure,
            "plan": None if self.plan is None else self.plan.to_json(),
            "threads": list(self.threads),
        }

    def __str__(self) -> str:
        if self.found:
            return self.explanation
        if self.verdict == "exhausted":
            return f"exhausted after {self.schedules} schedules: {self.bound}"
        done = f" ({self.bound} was gone through in full)" if self.bound else ""
        return f"gave up after {self.schedules} schedules without a failure{done}"


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
