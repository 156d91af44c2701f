"""The pages: the first picture is there at once, and each is played to its end by keyboard in a browser."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest

from docs.play import pages
from docs.play.python import scheduler
from tests.docs.play.reading import Reading, natively

PLAYED = {
    "scheduler": ("1", "1", "2", "ArrowLeft", "1", "2", "1"),
    "paste": ("Tab", "Control+A", "ArrowLeft", "#", "Enter", "Control+Enter"),
    "strike": ("q", "ArrowRight", "r", "ArrowRight", "ArrowLeft"),
    "gaps": ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "l"),
    "shrink": ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"),
    "suspects": ("a", "d", "b", "h", "Enter"),
}
"""For each page the keys that play it to an end that has a line and a digest."""

POSTED = """() => {
  window.posted = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (said) { posted.push(said.args[0]); post.call(this, said); };
}"""


HEARD = "document.getElementById('heard').textContent"


def stage(tab):
    """Return what Python has put onto the page."""
    return tab.page.inner_html("#stage")


def press(tab, key):
    """Press a key; where it is a move, wait until the page shows the state that it leads to."""
    before = tab.page.evaluate("location.hash")
    writes = tab.page.evaluate("document.activeElement.matches('input, textarea')")
    tab.page.keyboard.press(key)
    if key == "Tab" or (writes and key != "Control+Enter"):
        return
    shows = "before => location.hash !== before && document.body.dataset.shown === (location.hash || '#')"
    tab.page.wait_for_function(shows, arg=before)


def opened(tab, address):
    """Open a page, and wait until Python has answered."""
    tab.page.goto("about:blank")
    tab.page.goto(address)
    tab.page.wait_for_function("document.body.dataset.shown")


def test_each_page_is_played():
    assert set(PLAYED) == set(pages.NAMES)


@pytest.mark.parametrize("name", pages.NAMES)
def test_a_page_has_its_first_picture_and_three_sentences_before_any_script(name):
    page = pages.module(name).PAGE
    first = pages.html(name).partition('<div id="stage">')[2].partition("<script")[0]
    assert "<svg" in first
    assert Reading(f"<div>{first}").moves
    assert len(page.sentences) == 3
    assert all(said.endswith((".", "?")) for said in (*page.sentences, page.try_this))


@pytest.mark.parametrize("name", pages.NAMES)
def test_wherever_moves_lead_there_is_one_that_can_have_the_focus_below_what_is_said(name):
    state, chosen = {}, random.Random(5)
    for _ in range(8):
        shown = pages.module(name).show(state)
        assert re.search(r'<p class="says .*<nav class="moves"[^>]*><a ', shown, re.DOTALL)
        following = [after for after in Reading(shown).moves.values() if not {"all", "launched"} & set(after)]
        state = chosen.choice(following)


def test_where_there_is_a_documentation_each_page_leads_back_to_it(tmp_path):
    pages.write(tmp_path, "../index.html")
    for name in (*pages.NAMES, "index"):
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert page.count('<a href="../index.html">The documentation</a>') == 1
    assert "The documentation" not in pages.html("gaps") + pages.index()


@pytest.mark.parametrize("name", pages.NAMES)
def test_a_page_asks_no_other_host(name):
    assert "://" not in pages.html(name).replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("name", pages.NAMES)
def test_played_by_keyboard_on_a_telephone_a_page_ends_in_the_digest_of_the_command_line(
    tab, base, tmp_path, name
):
    tab.page.set_viewport_size({"width": 390, "height": 800})
    opened(tab, f"{base}{name}.html")
    assert tab.page.inner_text("#status") == ""
    begun = Reading(stage(tab))
    for key in PLAYED[name]:
        press(tab, key)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    ended, link = Reading(stage(tab)), tab.page.evaluate("location.href")
    assert tab.page.evaluate(HEARD) == " ".join(ended.says) or ended.says == begun.says
    state = dict(parse_qsl(urlsplit(link).fragment))
    with ThreadPoolExecutor(1) as aside:  # this thread has the event loop of Playwright
        here = Reading(aside.submit(pages.module(name).show, state).result())
        assert begun.digest == Reading(aside.submit(pages.module(name).show, {}).result()).digest
    assert ended.digest == natively(ended, tmp_path) == here.digest
    tab.page.go_back()
    tab.page.wait_for_function("link => !link.endsWith(document.body.dataset.shown)", arg=link)
    assert stage(tab) != ended.html


def test_a_link_leads_to_where_it_was_taken(tab, base):
    opened(tab, f"{base}scheduler.html#level=leases&moves=0&all=1")
    assert "you cannot" in stage(tab)
    assert tab.page.inner_text("#status") == ""


def test_while_the_reader_looks_moves_are_tried_ahead_but_none_that_takes_long(tab, base):
    opened(tab, f"{base}scheduler.html")
    tab.page.evaluate(POSTED)
    press(tab, "1")
    tab.page.wait_for_function("posted.some(({ level, moves }) => level === 'single-flight' && !moves)")
    press(tab, "2")
    tried = tab.page.evaluate("posted")
    assert [each.get("moves") for each in tried].count("01") == 1
    assert not [each for each in tried if "all" in each]
    with ThreadPoolExecutor(1) as aside:
        here = aside.submit(scheduler.show, {"level": "as-shipped", "moves": "01"}).result()
    assert Reading(stage(tab)).says == Reading(here).says


def test_enter_follows_the_link_that_has_the_focus_and_no_other(tab, base):
    opened(tab, f"{base}suspects.html#seen=a")
    tab.page.focus("a[href*='accused=deadline']")
    press(tab, "Enter")
    assert "accused=deadline" in tab.page.evaluate("location.hash")
    assert tab.page.evaluate("document.activeElement.matches('.says ~ .moves a')")


def test_the_focus_stays_and_what_was_unfolded_and_a_slider_says_its_value(tab, base):
    opened(tab, f"{base}strike.html")
    tab.page.click("summary")
    tab.page.focus("#key-e")
    press(tab, "Enter")
    assert tab.page.evaluate("document.activeElement.id") == "key-e"
    tab.page.focus("summary")
    press(tab, "ArrowRight")
    assert tab.page.evaluate("document.activeElement.matches('details[open] > summary')")
    assert tab.page.get_attribute("[name=clock]", "aria-valuetext") == "4"
    assert tab.page.inner_text(".value") == "4"
    opened(tab, f"{base}gaps.html")
    press(tab, "ArrowRight")
    assert tab.page.locator(".value").all_inner_texts() == ["0.5 GiB", "1 GiB"]


def test_a_state_that_does_not_exist_is_said_in_one_line(tab, base):
    opened(tab, f"{base}scheduler.html#level=as-shipped&moves=9")
    assert "move 1 is 9" in tab.page.inner_text("#status")
    press(tab, "b")
    assert tab.page.inner_text("#status") == ""
