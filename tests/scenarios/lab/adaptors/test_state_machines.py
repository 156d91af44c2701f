"""The parametrised helper for the user's own state machine, in a test run of its own."""

import textwrap

import pytest

from scenarios.lab.adaptors import state_machines
from simulations.live.state_machines import SubjectError, Verdict
from tests.simulations.live.state_machines.controller import OWN, Controller

pytest_plugins = ["pytester"]


def flips(**options):
    return {
        parameter.id: parameter.values[0] for parameter in state_machines.cases(Controller, **OWN, **options)
    }


def test_there_is_a_case_for_each_unused_code_and_each_bit_of_each_state():
    ids = list(flips())
    assert ids[:4] == ["code-101", "code-110", "code-111", "INIT-bit0"]
    assert len(ids) == 3 + 15
    assert len(flips(only_flips=True)) == 15


def test_a_dead_end_fails_and_says_what_happened():
    flip = flips()["RUN-bit2"]
    with pytest.raises(pytest.fail.Exception) as caught:
        state_machines.must_recover(flip)
    assert str(caught.value) == "flip of bit 2 in RUN gives ?110: dead end; silently; the reset does not help"


def test_a_silent_wrong_state_passes_unless_it_is_forbidden():
    flip = flips()["RUN-bit0"]
    assert state_machines.must_recover(flip).verdict is Verdict.WRONG_STATE
    with pytest.raises(pytest.fail.Exception, match=r"gives STEP: wrong state; silently$"):
        state_machines.must_recover(flip, unless=state_machines.HANGS | state_machines.SILENT)


def test_collecting_does_not_touch_what_is_no_state():
    class Endless(Controller):
        def go(self):
            while self.mode > 4:
                raise KeyboardInterrupt
            super().go()

    assert len(state_machines.cases(Endless, **OWN)) == 18


def test_a_machine_that_cannot_be_examined_says_so_while_collecting():
    with pytest.raises(SubjectError, match="say which field"):
        state_machines.cases(Controller, events=["go"])


def test_it_reads_as_a_test_of_the_users_own(pytester):
    pytester.makepyfile(
        textwrap.dedent("""
            import pytest
            from scenarios.lab.adaptors import state_machines

            class Lamp:
                def __init__(self):
                    self.mode = 0
                def push(self):
                    self.mode = {0: 1, 1: 2, 2: 0}.get(self.mode, self.mode)

            CASES = state_machines.cases(Lamp, field="mode", states=[0, 1, 2], width=2, events=["push"])

            @pytest.mark.parametrize("flip", CASES)
            def test_no_flip_is_the_end(flip):
                state_machines.must_recover(flip)
        """)
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4, failed=3)
    result.stdout.fnmatch_lines(
        [
            "flip of bit 1 in 1 gives ?11: dead end; silently",
            "flip of bit 0 in 2 gives ?11: dead end; silently",
        ]
    )
