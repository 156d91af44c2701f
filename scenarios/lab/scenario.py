"""The parts of a bug: story, world, inputs, properties, variants.

A new bug is one new folder in `scenarios/` whose `__init__.py` holds a `SCENARIO`, or an entry point of the
group `heisenlab.scenarios` in another distribution that points at one. A minimal scenario::

    SCENARIO = Scenario(
        name="lost-update",
        title="Two clerks, one balance",
        story=Story(who=..., symptom=..., believed=..., root_cause=..., lesson=...),
        hidden_input="the thread schedule",
        question="which clerk goes on?",
        run=run,                        # (system, input, chooser) -> something with a `trace`
        ladder=(Workload(clerks=2),),   # inputs from small to large, frozen dataclasses of JSON-able fields
        properties=(balance_is_right,), # plain functions of a run that assert
        variants=(
            Variant("as-shipped", "as shipped", System(lock=False), "no lock at all",
                    Finds("balance_is_right", Plan([Deviation("clerk0.read", 0, 1)]))),
            Variant("locked", "fix", System(lock=True), "one lock around both steps", Exhausted(2)),
        ),
    )

This module and those that define scenarios import neither Hypothesis nor pytest at their top, since a replay
in a fresh interpreter needs neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from scenarios.lab.covered import hidden
from simulations.drawing.displayed import Displayed
from simulations.errors import LabError
from simulations.terminal_text import shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from scenarios.lab.hunt import Hunt
    from simulations.choices import ChoicePoint, Chooser, NoiseModel, Plan
    from simulations.drawing.sheet import Sheet
    from simulations.trace import Trace

__all__ = [
    "Assumption",
    "Exhausted",
    "Finds",
    "Holds",
    "Kind",
    "Property",
    "Run",
    "Scenario",
    "Story",
    "Variant",
]


class Run(Protocol):
    """The result of running a world; properties may look at more of it than the trace."""

    @property
    def trace(self) -> Trace:
        """What happened."""


Property: TypeAlias = "Callable[[Any], None]"
"""A plain function that asserts over a run. Its name identifies it, its docstring is the claim."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """Who met the bug, and how it ended. Each field is one or two sentences.

    Attributes:
        who: Who met it.
        symptom: What was seen.
        believed: What people took to be the cause, or to be impossible.
        root_cause: What it was.
        lesson: What to do differently.
    """

    who: str
    symptom: str
    believed: str
    root_cause: str
    lesson: str


@dataclass(frozen=True)
class Assumption:
    """Something that the scenario takes for granted and that may not hold in your environment.

    Attributes:
        name: Identifies it within the scenario.
        statement: What is taken for granted, in one sentence.
        check: Asserts that a run of a variant keeps it; called with the variant, what the world returned, and
            the chooser that answered. None where a run cannot show it.
        broken: Returns the scenario in a world in which it does not hold. None where that needs another
            world; `why_not` then says which.
        why_not: Why it cannot be checked or broken here, in one sentence; empty where it can.
    """

    name: str
    statement: str
    check: Callable[[Variant, Any, Chooser], None] | None = None
    broken: Callable[[Scenario], Scenario] | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Finds:
    """Expected: a search finds a plan that makes `by` fail, and minimising ends in `least`."""

    by: str
    least: Plan


@dataclass(frozen=True)
class Exhausted:
    """Expected: no plan of at most `deviations` deviations fails, on any input of the ladder. A proof."""

    deviations: int


@dataclass(frozen=True)
class Holds:
    """Expected: not found in `runs` runs. For what is too large to be exhausted; it proves less."""

    runs: int


Kind: TypeAlias = Literal["as shipped", "folk fix", "fix"]
"""The system with its bug, a well-known repair that does not hold, or one that does."""


@dataclass(frozen=True)
class Variant:
    """The same world with another system in it.

    Attributes:
        name: Identifies it within the scenario; `as-shipped` is the one with the bug.
        kind: As shipped, a well-known repair that does not hold, or a fix.
        system: What differs; handed to the scenario's `run`.
        summary: What was changed and, for a folk fix, why people believe in it: one sentence.
        expect: The result that a hunt must have.
        properties: The names of the properties it is judged by; None means all of the scenario.
    """

    name: str
    kind: Kind
    system: Any
    summary: str
    expect: Finds | Exhausted | Holds
    properties: tuple[str, ...] | None = None


def _plain(point: ChoicePoint) -> str:
    return f"{point.label} takes option {point.option} at occurrence {point.occurrence}"


@dataclass(frozen=True, kw_only=True)
class Scenario(Displayed):
    """A bug: its story, the world in which it lives, and what must be true.

    Attributes:
        name: Lower case with hyphens, such as `invalid-mode`.
        title: A headline.
        story: What happened to whom.
        hidden_input: The input that nobody recorded.
        question: What is asked at each choice point.
        run: The world: a function of a variant's system, an input, and a chooser.
        ladder: Inputs from small to large, at least one. Searches other than Hypothesis draw from it, proofs
            cover it, and a finding is minimised on it. Inputs are frozen dataclasses whose fields are
            JSON-able (integers, texts, booleans, None, tuples of those) and whose constructor raises
            `ValueError` on what makes no sense.
        properties: Plain functions that assert over a run.
        variants: As shipped first.
        noise: The probability of a deviation at each label, for the random searcher.
        inputs: Makes the Hypothesis strategy of inputs (and imports Hypothesis inside); None means: one of
            the ladder.
        phrase: Describes a deviation in the words of the world, such as "bit 2 of cpu0 is upset at clock 1".
        moment: Says a time of the trace with its unit, such as "70.0 h".
        assumptions: What the scenario takes for granted.
        deviations_max: The largest number of deviations in a plan that a search draws.
        drivers: Further ways of answering at random, by name: each makes a chooser from a seed, and different
            seeds are independent draws. Each is a searcher of this scenario, on inputs drawn from the ladder.
        stress: Runs the real code as shipped, uncontrolled, as often as it is told, or less often where that
            takes too long. Returns how many runs failed, and of how many. None where there is no real code.
    """

    name: str
    title: str
    story: Story
    hidden_input: str
    question: str
    run: Callable[[Any, Any, Chooser], Run]
    ladder: tuple[Any, ...]
    properties: tuple[Property, ...]
    variants: tuple[Variant, ...]
    noise: NoiseModel
    inputs: Callable[[], SearchStrategy[Any]] | None = None
    phrase: Callable[[ChoicePoint], str] = _plain
    moment: Callable[[int], str] = str
    assumptions: tuple[Assumption, ...] = ()
    deviations_max: int = 3
    drivers: Mapping[str, Callable[[int], Chooser]] = field(default_factory=dict)
    stress: Callable[[int], tuple[int, int]] | None = None

    def __post_init__(self) -> None:
        known = {check.__name__ for check in self.properties}
        if not self.ladder or not self.properties or not self.variants:
            raise LabError(f"scenario {self.name} needs at least one input, one property and one variant")
        for variant in self.variants:
            named = set(variant.properties or ())
            if isinstance(variant.expect, Finds):
                named.add(variant.expect.by)
            if named - known:
                raise LabError(
                    f"variant {variant.name} of {self.name} names the property {min(named - known)}; "
                    f"the scenario has {', '.join(sorted(known))}"
                )
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names):
            raise LabError(f"scenario {self.name} has two variants of one name among {', '.join(names)}")

    @cached_property
    def input_type(self) -> type[Any]:
        """The type of the inputs."""
        return type(self.ladder[0])

    def variant(self, name: str = "as-shipped") -> Variant:
        """Return a variant by name.

        Raises:
            LabError: there is none of that name.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = ", ".join(variant.name for variant in self.variants)
        raise LabError(f"{self.name} has no variant {shown(name)}; it has {names}")

    def judged_by(self, variant: Variant) -> tuple[Property, ...]:
        """Return the properties that a variant is judged by, in the order in which they are checked."""
        return tuple(
            check
            for check in self.properties
            if variant.properties is None or check.__name__ in variant.properties
        )

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """The story as people met it, in names and values, without the cause."""
        story = self.story
        return (
            (self.name, self.title),
            ("who", story.who),
            ("symptom", story.symptom),
            ("believed", story.believed),
        )

    def sheet(self) -> Sheet:
        """Return what is shown of it: the story as people met it, never the cause or a fix."""
        from simulations.drawing.sheet import Covered, Facts, Sheet  # noqa: PLC0415  (only what is shown is drawn)

        told = (*self.told, ("hunt it", f"heisenlab hunt {self.name}"))
        covered = Covered(
            "hidden input",
            "say it before you go on",
            Facts((("hidden input", self.hidden_input), ("asked", self.question))),
        )
        return Sheet(blocks=(Facts(told),) if hidden() else (Facts(told), covered))

    def __repr__(self) -> str:
        return shortened(f"<Scenario {self.name}: {self.title}>")

    def hunt(self, variant: str = "as-shipped", **options: Any) -> Hunt:
        """Search, minimise and verify: `scenarios.lab.hunt.hunt` with this scenario."""
        from scenarios.lab.hunt import hunt  # noqa: PLC0415  (a hunt needs this module)

        return hunt(self, variant, **options)
