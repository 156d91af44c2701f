"""What the scenario takes for granted, how a run shows it, and a world in which each does not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.scenario import Assumption, Scenario, Variant
from simulations.mode_machine.system import RESET_CLOCKS, lost_processors, press_reset, run
from simulations.mode_machine.variants import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.choices import Chooser
    from simulations.mode_machine.system import Run
    from simulations.mode_machine.variants import System
    from simulations.mode_machine.workload import Workload


def only_registers_are_upset(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Whatever was upset is a mode register."""
    others = [event for event in run.trace if event.action == "upset" and not event.actor.startswith("cpu")]
    assert not others, str(others[0]).strip()


def each_upset_has_its_own_answer(variant: Variant, run: Run, chooser: Chooser) -> None:
    """One answer turns one bit. Looked at in the first clock, before which the register is known."""
    answers = [point for point in chooser.points if point.option and ".bit" in point.label and not point.time]
    upsets = [event for event in run.trace if event.action == "upset" and not event.time]
    before = run.system.encoding.words[0]
    turned = sum(
        (before ^ int(str(event.detail[0]), 2)).bit_count()
        for event in upsets
        if isinstance(event.detail, tuple)
    )
    assert turned == len(answers), f"{len(answers)} upsets turned {turned} bits"


def no_command_is_replaced_where_modes_are_judged(variant: Variant, run: Run, chooser: Chooser) -> None:
    """A variant that promises right modes is not asked about commands."""
    judged = variant.properties is None
    glitches = any(label.endswith(".command") for label in chooser.labels)
    assert not (judged and glitches), f"{variant.name} is judged by its modes, and its commands are replaced"


def power_on_clear_clears(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Behind a watchdog that clears the flip-flops, every processor soon is in a mode again."""
    if getattr(variant.system, "watchdog", "none") == "power_on_clear":
        after = press_reset(run.system, run.final, clocks=RESET_CLOCKS)
        lost = lost_processors(run.system, after)
        assert not lost, f"cpu{lost[0]} was cleared and is in no mode"


def _with_systems(scenario: Scenario, change: Callable[[Variant], System]) -> Scenario:
    variants = tuple(replace(variant, system=change(variant)) for variant in scenario.variants)
    return replace(scenario, variants=variants)


def _with_dead_watchdogs(scenario: Scenario) -> Scenario:
    """The flip-flops of the watchdogs are upset, too, so no watchdog barks."""

    def dead(system: System, workload: Workload, chooser: Chooser) -> Run:
        result = run(replace(system, watchdog="none"), workload, chooser)
        if system.watchdog != "none":
            result.trace.record(0, "watchdog", "upset", "it never fires")
        return result

    return replace(scenario, run=dead)


class _TwoAtOnce:
    """A chooser by which a particle that strikes a flip-flop strikes its neighbour in the register, too."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.at = chooser.at
        self.pick = chooser.pick

    def deviating(self, labels: Sequence[str]) -> Sequence[int]:
        struck = {*self._chooser.deviating(labels)}
        for place in [*struck]:
            neighbour = place + 1 if place + 1 < len(labels) else place - 1
            if labels[place].partition(".")[0] != labels[neighbour].partition(".")[0]:
                neighbour = place - 1
            if ".bit" in labels[place]:
                struck ^= {neighbour}
        return sorted(struck)


def _with_wide_particles(scenario: Scenario) -> Scenario:
    """One particle strikes two neighbours."""

    def wide(system: System, workload: Workload, chooser: Chooser) -> Run:
        two: Any = _TwoAtOnce(chooser)
        return run(system, workload, two)

    return replace(scenario, run=wide)


def _with_all_noise(scenario: Scenario) -> Scenario:
    """Commands are replaced for every variant."""
    return _with_systems(scenario, lambda variant: replace(variant.system, noise=SOURCES))


def _without_power_on_clear(scenario: Scenario) -> Scenario:
    """A power-on clear leaves the flip-flops as they are."""

    def unclear(system: System, workload: Workload, chooser: Chooser) -> Run:
        return run(
            replace(system, watchdog="none") if system.watchdog == "power_on_clear" else system,
            workload,
            chooser,
        )

    return replace(scenario, run=unclear)


ASSUMPTIONS: Final = (
    Assumption(
        "register",
        "Only mode registers are upset: the arbiter, the watchdogs and the voters are not.",
        only_registers_are_upset,
        _with_dead_watchdogs,
    ),
    Assumption(
        "independence",
        "Flip-flops are upset independently; a particle that strikes two counts as two upsets.",
        each_upset_has_its_own_answer,
        _with_wide_particles,
    ),
    Assumption(
        "clock",
        "An upset within a clock is seen at its end; time within a clock is not modelled.",
        why_not="a world whose time has steps within a clock would be needed",
    ),
    Assumption(
        "commands",
        "A replaced command is obeyed by every encoding: what guards the mode does not guard the bus, so "
        "the variants that are judged by wrong modes are not given replaced commands.",
        no_command_is_replaced_where_modes_are_judged,
        _with_all_noise,
    ),
    Assumption(
        "power",
        "A power cycle and a power-on clear always clear the flip-flops.",
        power_on_clear_clears,
        _without_power_on_clear,
    ),
)
