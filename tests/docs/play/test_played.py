"""What moves and what stops by itself: a run without an end, one that plays, code as readers paste it."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import pytest

from docs.play.python import paste
from tests.docs.play import pasted
from tests.docs.play.reading import Reading, natively
from tests.docs.play.test_pages import opened, press, stage

HERE = "() => document.body.dataset.shown === (location.hash || '#')"
IN_A_THREAD = "def loop(state):\n    while True:\n        pass\n"
OUTSIDE = "while True:\n    pass\n"


@pytest.fixture
def aside():
    """Runs a call in another thread: this one has the event loop of Playwright."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda call, *args: pool.submit(call, *args).result()


def test_an_endless_loop_is_stopped_and_the_next_press_begins_anew(tab, base):
    tab.page.clock.install()
    opened(tab, f"{base}paste.html")
    tab.page.fill("[name=code]", IN_A_THREAD)
    tab.page.fill("[name=setup]", "list")
    tab.page.fill("[name=workers]", "loop, loop")
    tab.page.click("#form button")
    tab.page.clock.run_for(1_500)
    assert tab.page.inner_text("#status") == "Running ... Stop"
    tab.page.clock.run_for(60_000)
    assert tab.page.inner_text("#status") == (
        "Stopped: no answer for 60 seconds, as from a loop that never ends. "
        "Python starts again with your next move."
    )
    for field, value in pasted.RIGHT_LOCK.items():
        tab.page.fill(f"[name={field}]", value)
    tab.page.click("#form button")
    tab.page.wait_for_function(HERE)
    assert "No schedule breaks it" in stage(tab)
    assert "audit</dt><dd>not run here" in stage(tab)
    assert tab.page.inner_text("#status") == ""


def test_the_same_code_can_be_tried_again_after_it_was_stopped_by_hand(tab, base):
    opened(tab, f"{base}paste.html")
    tab.page.fill("[name=code]", OUTSIDE)
    tab.page.click("#form button")
    tab.page.click("#status button")
    assert tab.page.inner_text("#status").startswith("Stopped.")
    tab.page.click("#form button")
    tab.page.click("#status button")
    assert tab.page.inner_text("#status").startswith("Stopped.")


@pytest.fixture(scope="module")
def pasting(tab, base):
    """Goes to a state of the page for pasted code, without loading it anew; returns what is shown then."""

    def go(state):
        if "paste.html" not in tab.page.url:
            opened(tab, f"{base}paste.html")
        tab.page.evaluate("state => { location.hash = state; }", urlencode(state, quote_via=quote))
        tab.page.wait_for_function(HERE)
        return Reading(stage(tab))

    return go


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("locks in two orders", "deadlock: there, back wait for ever"),
        ("spins for ever", "livelock: wait, wait-2 came back to a state"),
    ],
)
def test_a_fix_that_stops_or_spins_is_found_and_the_page_goes_on(tab, pasting, name, says):
    assert says in pasting(pasted.FOUND[name]).html
    press(tab, "r")
    assert "breaks it: check(state) returned False" in stage(tab)


@pytest.mark.parametrize("name", pasted.FOUND)
def test_the_digest_of_pasted_code_is_that_of_the_command_line(tab, pasting, tmp_path, aside, name):
    there = pasting(pasted.FOUND[name])
    assert tab.page.inner_text("#status") == ""
    here = Reading(aside(paste.show, pasted.FOUND[name]))
    assert len(there.digest) == 64
    assert there.digest == aside(natively, there, tmp_path) == here.digest


def test_shrinking_plays_by_itself_pauses_and_goes_to_the_end(tab, base):
    try:
        tab.page.emulate_media(reduced_motion="no-preference")
        tab.page.clock.install()
        opened(tab, f"{base}shrink.html")
        tab.page.wait_for_function("location.hash.includes('at=0')")
        for _ in range(2):
            tab.page.wait_for_function(HERE)
            tab.page.clock.run_for(1_000)
        tab.page.wait_for_function(HERE)
        assert "pause" in tab.page.inner_text("[data-plays]")
        tab.page.keyboard.press(" ")
        before = tab.page.evaluate("location.hash")
        tab.page.clock.run_for(5_000)
        assert tab.page.evaluate("location.hash") == before
        assert "play" in tab.page.inner_text("[data-plays]")
        press(tab, "ArrowRight")
        tab.page.keyboard.press(" ")
        while "pause" in tab.page.inner_text("[data-plays]"):
            tab.page.wait_for_function(HERE)
            tab.page.clock.run_for(1_000)
        assert tab.page.query_selector("[data-key=ArrowRight]") is None
    finally:
        tab.page.emulate_media(reduced_motion="reduce")


def test_who_asks_for_less_motion_presses_before_anything_plays(tab, base):
    tab.page.clock.install()
    opened(tab, f"{base}shrink.html")
    tab.page.clock.run_for(5_000)
    assert tab.page.evaluate("location.hash") == ""
    press(tab, " ")
    assert "at=0" in tab.page.evaluate("location.hash")
