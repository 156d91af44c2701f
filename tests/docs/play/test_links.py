"""Every link of the documentation into a page that can be played leads to a state, and to its digest.

Without a state a link leads to where `test_pages` begins, which compares the digests there.
"""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import pytest

from docs.play import pages
from tests.docs.play.reading import Reading, natively
from tests.docs.play.sites import ROOT
from tests.docs.play.test_pages import opened, stage

LINK = re.compile(r"\bplay/(\w+)\.html(#[^\"'<>()\s]*)?")
WRITTEN = sorted(
    path
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*")]
    if path.suffix in {".md", ".html", ".ipynb", ".svg"} and "_build" not in path.parts
)


def links():
    """Return every link, as the name of the page and what stands behind it."""
    found = {
        (name, html.unescape(state))
        for path in WRITTEN
        for name, state in LINK.findall(path.read_text(encoding="utf-8"))
    }
    return sorted(found - {("index", "")})


def test_there_are_links_and_each_names_a_page():
    assert {name for name, _ in links()} <= set(pages.NAMES)
    assert any(state for _, state in links())


@pytest.mark.parametrize(("name", "state"), [link for link in links() if link[1]])
def test_the_digest_behind_a_link_is_the_one_that_is_printed_natively(tab, base, tmp_path, name, state):
    opened(tab, f"{base}{name}.html{state}")
    assert tab.page.inner_text("#status") == ""
    there = Reading(stage(tab))
    with ThreadPoolExecutor(1) as aside:  # this thread has the event loop of Playwright
        asked = dict(parse_qsl(state.removeprefix("#")))
        here = Reading(aside.submit(pages.module(name).show, asked).result())
        assert there.digest == here.digest == aside.submit(natively, there, tmp_path).result()
