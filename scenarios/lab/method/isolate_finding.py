"""One variable at a time, for a finding: its deviations, its input, its variant, and the environment.

Each of these is a factor, and each has something else in its place in the nearest passing run:

* a deviation is left out;
* the input is exchanged for the nearest one of the ladder at which the same plan does not fail, or if it
  fails at all of them, for the nearest one;
* the variant is exchanged for the first fix;
* the environment is exchanged for a fresh interpreter with another hash seed.

A run of a world is deterministic, so that one run decides each experiment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import source_of
from scenarios.lab.execution import execute
from scenarios.lab.finding import decode_input, encode_input
from scenarios.lab.method.causality import failing_run
from scenarios.lab.method.isolate import isolate
from scenarios.lab.verify import in_fresh_interpreters
from simulations.choices import drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.lab.finding import Finding
    from scenarios.lab.method.isolate import Isolation
    from scenarios.lab.scenario import Scenario
    from simulations.choices import Deviation

__all__ = ["isolate_finding"]

INTERPRETER: Final = "this interpreter"


def isolate_finding(
    finding: Finding,
    scenario: Scenario | None = None,
    *,
    expensive: bool = False,
    watch: Callable[[int, int], None] | None = None,
) -> Isolation:
    """Find out what of a failing run is its cause.

    Args:
        finding: The finding.
        scenario: Its scenario, where the catalogue does not have it (one defined in a notebook).
        expensive: Search by information gain; see `isolate`.
        watch: Called after each run with the number of runs and the most that there can be.

    Raises:
        LabError: the finding is of another scenario, or does not fail any more; or the run without any of the
            factors fails as well, so that there is no difference to look for.
    """
    scenario, points, plan, _ = failing_run(finding, scenario)
    bench = _Bench(scenario, finding)
    said = {(point.label, point.occurrence): scenario.phrase(point) for point in points if point.option}
    phrases = [said[deviation.label, deviation.occurrence] for deviation in plan]
    factors: dict[str, Deviation | None] = {
        phrase if phrases.count(phrase) == 1 else f"{phrase} ({deviation})": deviation
        for phrase, deviation in zip(phrases, plan, strict=True)
    }
    instead = {}
    if bench.other_input is not None:
        factors[bench.input_name] = None
        instead[bench.input_name] = f"input {_shown(bench.other_input, bench.given)} instead"
    if bench.other_variant is not None:
        factors[bench.variant_name] = None
        instead[bench.variant_name] = f"variant {bench.other_variant.name} instead"
    if bench.source is not None:
        factors[INTERPRETER] = None
        instead[INTERPRETER] = "a fresh interpreter with another hash seed instead"

    def run(present: frozenset[str]) -> str | None:
        kept = [deviation for name, deviation in factors.items() if deviation and name in present]
        return bench.run(kept, present)

    return isolate(
        list(factors),
        run,
        signature=finding.by,
        deterministic=True,
        expensive=expensive,
        watch=watch,
        instead=instead,
    )


def _shown(given: Any, other: Any) -> str:
    """Return the fields in which an input differs from another one."""
    fields, others = encode_input(given), encode_input(other)
    return ", ".join(f"{key}={value}" for key, value in fields.items() if value != others[key])


class _Bench:
    """Runs a finding with some of its factors exchanged."""

    def __init__(self, scenario: Scenario, finding: Finding) -> None:
        self._scenario = scenario
        self._finding = finding
        self.given = decode_input(scenario, finding.input)
        self._variant = scenario.variant(finding.variant)
        self.source = source_of(scenario)
        self.variant_name = f"variant {finding.variant}"
        self.other_input = next(self._nearest_inputs(), None)
        self.input_name = f"input {'' if self.other_input is None else _shown(self.given, self.other_input)}"
        fixes = [each for each in scenario.variants if each.kind == "fix" and each is not self._variant]
        self.other_variant = next(iter(fixes), None)

    def _nearest_inputs(self) -> Iterator[Any]:
        """Yield the other inputs of the ladder: first those at which the plan does not fail, by nearness."""
        ladder = self._scenario.ladder
        place = ladder.index(self.given) if self.given in ladder else len(ladder)
        others = sorted(
            (each for each in range(len(ladder)) if each != place), key=lambda each: (abs(each - place), each)
        )
        passing = [each for each in others if not self._fails_at(ladder[each])]
        for each in passing or others:
            yield ladder[each]

    def _fails_at(self, given: Any) -> bool:
        failure = execute(self._scenario, self._variant, given, drawn(self._finding.plan)).failure
        return failure is not None and failure.by == self._finding.by

    def run(self, deviations: list[Deviation], present: frozenset[str]) -> str | None:
        """Run it with these deviations, and each of the other factors in place or exchanged."""
        given, variant = self.given, self._variant
        if self.other_input is not None and self.input_name not in present:
            given = self.other_input
        if self.other_variant is not None and self.variant_name not in present:
            variant = self.other_variant
        outcome = execute(self._scenario, variant, given, drawn(deviations))
        if self.source is None or INTERPRETER in present:
            return outcome.failure.by if outcome.failure else None
        changed = replace(
            self._finding, variant=variant.name, input=encode_input(given), plan=outcome.chooser.plan
        )
        (seen, *_), *_ = in_fresh_interpreters([(self.source, changed)])
        by: str | None = seen["by"]
        return by
