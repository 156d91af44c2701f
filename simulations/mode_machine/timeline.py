"""All that a run of the mode machine depends on, by the clock: what the debugger moves along and forks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.choices import ChoicePoint, Plan, replay
from simulations.errors import LabError
from simulations.mode_machine.system import power_cycle, power_on, step
from simulations.mode_machine.workload import Workload, received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.mode_machine.variants import System

__all__ = ["timeline"]


NOTHING: Final = Plan()


class DebuggerError(LabError):
    """The debugger cannot do what was asked; nothing has changed.

    Common causes: a clock before power-on; a processor or bit that the machine does not have; a machine whose
    noise does not include upsets; power that comes on already.
    """


class Answer(NamedTuple):
    """An answer that was not nominal, by the clock in which it was given.

    Unlike the occurrence of a `Deviation`, the clock does not change when something earlier does.
    """

    clock: int
    label: str
    option: int


@dataclass(frozen=True)
class Timeline:
    """All that a run depends on.

    Attributes:
        system: The machine.
        workload: The commands; after its end there are none.
        answers: What the environment did.
        power_cycles: The clocks at whose beginning the flip-flops are cleared, in rising order.
    """

    system: System
    workload: Workload
    answers: tuple[Answer, ...] = ()
    power_cycles: tuple[int, ...] = ()


def timeline(
    system: System, workload: Workload, plan: Plan = NOTHING, power_cycles: Sequence[int] = ()
) -> Timeline:
    """Return the timeline of a run, by running it once.

    Args:
        system: The machine.
        workload: The commands.
        plan: What the environment does.
        power_cycles: The clocks at whose beginning the flip-flops are cleared.

    Raises:
        PlanError: the plan does not fit the machine and the workload.
        LabError: the workload does not fit the machine, or a clock is none.
    """
    cycles = tuple(sorted(set(power_cycles)))
    if not all(type(clock) is int and 0 < clock <= workload.clocks for clock in cycles):
        raise DebuggerError(f"the power is cut at clocks from 1 to {workload.clocks}, not at {cycles}")
    chooser, state = replay(plan), power_on(system)
    clocks: list[int] = []
    for clock, commands in enumerate(received(system, workload)):
        state = step(system, state, commands, chooser)
        clocks += [clock] * (len(chooser.deviated) - len(clocks))
        if clock + 1 in cycles:
            state = power_cycle(system, state)
    chooser.finish()
    answers = (
        Answer(clock, deviation.label, deviation.option)
        for clock, deviation in zip(clocks, chooser.plan, strict=True)
    )
    return Timeline(system, workload, tuple(sorted(answers)), cycles)


def point_of(answer: Answer) -> ChoicePoint:
    """Return an answer as the choice point that it answered, to be said in words."""
    return ChoicePoint(0, answer.label, 0, answer.option + 1, answer.option, answer.clock, forced=False)


def padded(workload: Workload, clocks: int) -> Workload:
    """Return the workload with no commands after its end, up to a clock."""
    if clocks <= workload.clocks:
        return workload
    return Workload(tuple(lane.ljust(clocks, ".") for lane in workload.lanes))
