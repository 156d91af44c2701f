"""The instrument for the user's own state machine, as parametrised pytest tests.

Two lines of a test file::

    CASES = state_machines.cases(Controller, field="mode", states=Mode, width=3, events=["go", "halt"])

    @pytest.mark.parametrize("flip", CASES)
    def test_no_flip_is_the_end(flip):
        state_machines.must_recover(flip)

Each case is one test, so that a report names the state and the bit, and one that never returns is stopped by
pytest-timeout alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Unpack

import pytest

from simulations.live import state_machines
from simulations.live.state_machines import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from _pytest.mark import ParameterSet

__all__ = ["HANGS", "SILENT", "cases", "must_recover"]

HANGS: Final = frozenset({Verdict.DEAD_END, Verdict.UNDECIDED})
"""No way back was found."""

SILENT: Final = frozenset({Verdict.WRONG_STATE})
"""It is in another state, and nothing can tell."""


@dataclass(frozen=True)
class Flip:
    """One value to write into the stored state of a fresh machine.

    Attributes:
        examination: The machine.
        case: The value.
    """

    examination: state_machines.Examination
    case: state_machines.Case

    def probe(self) -> state_machines.Probe:
        """Write the value, send every event, and return the result."""
        return state_machines.probe(self.examination, self.case)


def cases(
    factory: Callable[[], Any], *, only_flips: bool = False, **options: Unpack[state_machines.Options]
) -> list[ParameterSet]:
    """Return a parameter for each unused code and each single flip, with ids such as `RUN-bit2`.

    Collecting tests runs the machine in its own states only; values that are no state are tried in the tests.

    Args:
        factory: Makes a fresh machine in its initial state.
        only_flips: Leave out the unused codes that are written whole.
        options: See `simulations.live.state_machines.Options`.

    Raises:
        SubjectError: the machine cannot be examined as it was given.
    """
    examination = state_machines.prepare(factory, **options)
    return [
        pytest.param(Flip(examination, case), id=case.id)
        for case in state_machines.cases(examination)
        if case.bit is not None or not only_flips
    ]


def must_recover(flip: Flip, *, unless: Collection[Verdict] = HANGS) -> state_machines.Probe:
    """Check that a machine comes back from a flip, and return the result.

    Args:
        flip: A parameter of `cases`.
        unless: The verdicts that are not acceptable, such as `HANGS` or `HANGS | SILENT`.

    Raises:
        pytest.fail.Exception: the verdict is one of those.
    """
    probe = flip.probe()
    if probe.verdict in unless:
        pytest.fail(f"{probe}{_RESET[probe.reset_helps]}", pytrace=False)
    return probe


_RESET: Final = {True: "; the reset helps", False: "; the reset does not help", None: ""}
