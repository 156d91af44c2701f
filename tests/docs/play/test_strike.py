"""Strike a bit: what is done there is a run of the scenario, unless the plug was pulled."""

import pytest

from docs.play.python import strike
from scenarios.invalid_mode import SCENARIO
from simulations.drawing.marks import Tone
from simulations.errors import LabError
from tests.docs.play.reading import Reading, natively

FATAL = "f2.0.2"
"""In IDLE, which is 001: it becomes 101."""
VARIANTS = [variant for variant in SCENARIO.variants if "upset" in variant.system.noise]


def bad(page):
    return page.says[0].startswith(Tone.BAD)


@pytest.mark.parametrize("done", ["", FATAL, f"{FATAL},r5", "f1.1.0,f7.2.1,r9"])
def test_the_line_gives_the_digest_that_the_page_shows(done):
    page = Reading(strike.show({"done": done}))
    assert page.digest == natively(page)


def test_a_reset_does_not_bring_a_lost_processor_back_and_the_plug_does():
    assert bad(Reading(strike.show({"done": FATAL, "clock": "3"})))
    assert bad(Reading(strike.show({"done": f"{FATAL},r5", "clock": "8"})))
    page = Reading(strike.show({"done": f"{FATAL},r5,p8", "clock": "9"}))
    assert not bad(page)
    assert page.command == ""


def test_in_idle_three_of_nine_are_fatal_and_they_are_those_that_are_said_to_be():
    page = Reading(strike.show({"clock": "2"}))
    struck = [state for key, state in page.moves.items() if state.get("done", "").startswith("f")]
    lost = [state for state in struck if "no mode" in "".join(Reading(strike.show(state)).says)]
    assert (len(struck), len(lost)) == (9, 3)
    assert "of these 9, 3 would" in page.html


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
@pytest.mark.parametrize(
    ("done", "clock"), [("", 0), (FATAL, 2), ("f1.1.0,r4,p6,f6.0.1", 6), ("f9.1.1,r9", 4)]
)
def test_the_strikes_that_are_counted_are_those_that_lose_a_processor_when_they_are_done(
    variant, done, clock
):
    before = strike.done_in(done)
    debugger = strike.played(variant, before)
    debugger.goto(clock)
    fatal = strike.fatal_strikes(debugger, before)
    for number in range(variant.system.processors):
        for bit in range(variant.system.encoding.bits):
            each = strike.Done(clock, "f", number, bit)
            struck = strike.played(variant, sorted({*before} ^ {each}))
            struck.goto(clock + 1)
            lost = strike.lost_processors(variant.system, struck.state)
            assert (number in lost) == (each in fatal)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_each_machine_can_be_struck_and_a_strike_can_be_taken_back(variant):
    page = Reading(strike.show({"variant": variant.name, "done": "f2.0.0", "clock": "2"}))
    assert "done" not in page.moves["e" if variant.system.encoding.bits == 3 else _last(page)]


def _last(page):
    return next(key for key, state in page.moves.items() if "done" not in state and key != "n")


def test_going_back_and_forth_changes_nothing_but_the_clock():
    page = Reading(strike.show({"done": FATAL, "clock": "6"}))
    back = Reading(strike.show(page.moves["ArrowLeft"]))
    assert back.moves["ArrowRight"] == page.moves["ArrowRight"] | {"clock": "6"}
    assert back.digest == page.digest


@pytest.mark.parametrize("done", ["f2", "r2.1.1", "x3", "f99.0.0", "f2.9.0", "f2.0.9", "p0"])
def test_what_cannot_be_done_is_an_error_of_one_line(done):
    with pytest.raises(LabError):
        strike.show({"done": done})
