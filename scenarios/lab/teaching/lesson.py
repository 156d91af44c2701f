"""What a lesson does with a bug, in one import: `from scenarios.lab.teaching import lesson`.

* `play`: one run, with the answers that you give;
* `break_folk_fixes`, `prove_fixes`: a hunt for each repair, in one table;
* `watch`: what Hypothesis runs when it tests something, and how it shrinks;
* `tries`: how many test cases it makes until the first that fails;
* `causality`: when in a failing run the bug was baked in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenarios.lab.finding import Finding, decode_input
from scenarios.lab.method.causality import causality
from scenarios.lab.teaching.shrinking import tries, watch
from scenarios.lab.verdict import Verdict
from simulations.choices import Deviation, Plan, drawn, replay
from simulations.drawing.displayed import Displayed
from simulations.drawing.marks import Cell, Table, Tone
from simulations.drawing.sheet import Sheet
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenarios.lab.hunt import Hunt
    from scenarios.lab.scenario import Kind, Run, Scenario

__all__ = ["Repairs", "break_folk_fixes", "causality", "play", "prove_fixes", "tries", "watch"]


def play(
    bug: Scenario,
    plan: Finding | Plan | Iterable[tuple[str, int, int]] = (),
    *,
    variant: str = "as-shipped",
    given: Any = None,
) -> Run:
    """Run the world of a bug once.

    Args:
        bug: The bug.
        plan: What does not go as usual. A finding or a plan is replayed exactly; of other deviations, each a
            label, an occurrence and an option, those that no question asks for are left out.
        variant: The name of the variant.
        given: The input; None means that of the finding, or the largest of the ladder.

    Raises:
        LabError: there is no such variant, or the finding is of another scenario.
        PlanError: the plan answers a question that is not asked.
    """
    if isinstance(plan, Finding):
        if plan.scenario != bug.name:
            raise LabError(f"the finding is of {plan.scenario}, not of {bug.name}")
        given = decode_input(bug, plan.input) if given is None else given
        plan = plan.plan
    given = bug.ladder[-1] if given is None else given
    chooser = replay(plan) if isinstance(plan, Plan) else drawn(Deviation(*deviation) for deviation in plan)
    run = bug.run(bug.variant(variant).system, given, chooser)
    if isinstance(plan, Plan):
        chooser.finish()
    return run


@dataclass(frozen=True, repr=False)
class Repairs(Displayed):
    """What became of the repairs of one kind.

    Attributes:
        bug: The bug.
        hunts: The hunt for each, by the name of the variant.
    """

    bug: Scenario
    hunts: dict[str, Hunt]

    def __repr__(self) -> str:
        ended = ", ".join(f"{name}: {hunt.verdict}" for name, hunt in self.hunts.items())
        return f"<Repairs of {self.bug.name}: {ended}>"

    def sheet(self) -> Sheet:
        """Return what is shown of them: a row for each."""
        rows = tuple(
            (
                Cell(name, Tone.GOOD if hunt.verdict is Verdict.EXHAUSTED else Tone.BAD),
                Cell(self.bug.variant(name).summary),
                Cell(hunt.finding.plan_in_words if hunt.finding else f"{hunt.verdict}: {hunt.says}"),
            )
            for name, hunt in self.hunts.items()
        )
        return Sheet(blocks=(Table(title="", header=("repair", "what it does", "the hunt"), rows=rows),))


def break_folk_fixes(bug: Scenario) -> Repairs:
    """Hunt with Hypothesis in each folk fix."""
    return _repairs(bug, "folk fix", verify=False)


def prove_fixes(bug: Scenario) -> Repairs:
    """Run every plan up to the bound of each fix."""
    return _repairs(bug, "fix", searcher="exhaustive")


def _repairs(bug: Scenario, kind: Kind, **options: Any) -> Repairs:
    names = [variant.name for variant in bug.variants if variant.kind == kind]
    return Repairs(bug, {name: bug.hunt(name, **options) for name in names})
