"""A browser that cannot park a thread: the schedules are looked up, and what takes threads says so."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docs.play.python import NEEDS_THREADS, schedules
from tests.docs.play import sites
from tests.docs.play.reading import Reading, natively
from tests.docs.play.test_pages import PLAYED, opened, press, stage

WITHOUT = "delete WebAssembly.Suspending; delete WebAssembly.promising;\n"
"""What such a browser has not."""


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A tab in which threads cannot be parked, and the address of the pages."""
    folder = sites.built()
    worker = WITHOUT + Path(folder, "worker.js").read_text(encoding="utf-8")
    with (
        sites.served(folder, pages={"/worker.js": worker}) as base,
        sites.chromium(base, tmp_path_factory.mktemp("profile")) as opened_tab,
    ):
        yield opened_tab, base


def test_the_scheduler_is_played_to_its_end_and_says_where_its_schedules_are_from(old, tmp_path):
    tab, base = old
    opened(tab, f"{base}scheduler.html")
    for key in PLAYED["scheduler"]:
        press(tab, key)
        assert tab.page.inner_text("#status") == ""
    ended = Reading(stage(tab))
    assert "You broke it" in ended.html
    assert "this one cannot" in ended.html
    with ThreadPoolExecutor(1) as aside:  # this thread has the event loop of Playwright
        assert ended.digest == aside.submit(natively, ended, tmp_path).result()
        counted = len(aside.submit(lambda: [*schedules.every("leases")]).result())
    opened(tab, f"{base}scheduler.html#level=leases&all=1")
    assert f"All {counted} schedules" in stage(tab)


def test_a_pasted_class_says_in_one_sentence_what_it_takes(old):
    tab, base = old
    opened(tab, f"{base}paste.html")
    said = tab.page.inner_text("#status")
    assert said == f"to explore schedules takes {NEEDS_THREADS}"
    assert "Two threads" in tab.page.inner_text(".intro")
    assert "<svg" in stage(tab)


def test_a_page_that_takes_no_threads_is_as_it_is(old):
    tab, base = old
    opened(tab, f"{base}strike.html")
    assert tab.page.inner_text("#status") == ""
