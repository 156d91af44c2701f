"""The pages that Sphinx has built: nothing is cut off, no foreign host is asked, no link is dead."""

import functools
import os
import re
import runpy
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

from docs.play import pages
from tests.docs.contrast import faint
from tests.docs.play.sites import ROOT, chromium

LOADED_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
OTHER_BUILD = {"play"}  # folders of the site that Sphinx does not write; tests of their own open them
ADDRESS_IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""")

VAGUE = {"here", "click here", "this", "this page", "link", "more"}

READABLE_PX = 11
CUT_OFF = """(readable) => {
  const wrong = [];
  const tell = (block, ...why) => wrong.push([...why, block.textContent.trim()].join(" ").slice(0, 100));
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page scrolls sideways");
  for (const block of document.querySelectorAll(".content, article *")) {
    if (block.closest("svg") || !block.clientWidth || block.matches(".ruler")) continue;
    const seen = getComputedStyle(block).overflowX === "visible" && !block.matches("pre, pre *");
    if (!seen && block.scrollWidth > block.clientWidth + 1) {
      tell(block, block.scrollWidth, ">", block.clientWidth);
    }
  }
  for (const block of document.querySelectorAll("article pre")) {
    const size = parseFloat(getComputedStyle(block).fontSize);
    if (block.clientWidth && size < readable) tell(block, size, "px");
    for (const line of block.querySelectorAll(".line")) {
      const isDrawn = /[\u2500-\u257f]/.test(line.textContent);
      if (isDrawn && line.offsetHeight > 2 * size) tell(line, "is wrapped:");
    }
  }
  return wrong;
}"""
"""What is wider than its frame, too small to be read, or a line of a drawn table that is wrapped.

Of a ruler more of the same is cut off.
"""


class _Reading(HTMLParser):
    """What a page loads, what it links to and with which words, its ids, headings, and silent pictures."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.ids = [], [], set()
        self.words, self.headings, self.silent = [], [0], []
        self._in_style, self._in_link = False, False

    def handle_starttag(self, tag, attrs):
        has = {name: value or "" for name, value in attrs}
        self.ids.update(has[name] for name in ("id", "name") if name in has)
        self._in_style = tag == "style"
        self.loads += ADDRESS_IN_CSS.findall(has.get("style", ""))
        self.loads += [has[name] for name in ("src", "poster", "data") if name in has]
        self.loads += [each.split()[0] for each in has.get("srcset", "").split(",") if each.strip()]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and not has.get("alt", "").strip():
            self.silent.append(has.get("src", ""))
        self._in_link = self._in_link or tag == "a"
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
            self.words.append("")
        elif "href" in has and (tag != "link" or LOADED_LINKS & set(has.get("rel", "").split())):
            self.loads.append(has["href"])

    def handle_data(self, data):
        if self._in_style:
            self.loads += ADDRESS_IN_CSS.findall(data)
        if self._in_link and self.words:
            self.words[-1] += data

    def handle_endtag(self, tag):
        self._in_style = self._in_style and tag != "style"
        self._in_link = self._in_link and tag != "a"

    def unclear(self):
        """Return what somebody who cannot see the page would miss."""
        skipped = [f"h{one} to h{two}" for one, two in pairwise(self.headings) if two > one + 1]
        vague = [said for said in self.words if said.strip().lower() in VAGUE]
        return skipped + self.silent + vague


@functools.cache
def read(page):
    reading = _Reading()
    reading.feed(page.read_text(encoding="utf-8"))
    return reading


def is_foreign(address):
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in {"", "data"}


def dead(page, address, elsewhere=frozenset()):
    """Whether an address in a page leads to no file or no id of one; another build writes those elsewhere."""
    parts = urlsplit(address)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target in elsewhere or not target.is_file():
        return target not in elsewhere
    fragment = unquote(parts.fragment)
    return bool(fragment) and target.suffix == ".html" and fragment not in read(target).ids


@pytest.fixture(scope="module")
def site():
    named = os.environ.get("HEISENLAB_SITE", "")
    if not Path(named, "_sources").is_dir():
        pytest.skip("HEISENLAB_SITE names no folder that sphinx-build has made")
    return Path(named).resolve()


def html(site):
    found = [
        page for page in sorted(site.rglob("*.html")) if page.relative_to(site).parts[0] not in OTHER_BUILD
    ]
    assert len(found) > 50
    return found


def test_no_page_asks_a_foreign_host(site):
    asked = {(str(page.relative_to(site)), each) for page in html(site) for each in read(page).loads}
    for style in site.glob("_static/**/*.css"):
        found = ADDRESS_IN_CSS.findall(style.read_text(encoding="utf-8"))
        asked |= {(str(style.relative_to(site)), each) for each in found}
    assert asked
    assert sorted(each for each in asked if is_foreign(each[1])) == []


def test_every_link_within_the_site_leads_to_a_page_and_to_an_id_in_it(site):
    links = {(page, each) for page in html(site) for each in (*read(page).links, *read(page).loads)}
    local = {each for each in links if urlsplit(each[1]).scheme == "" and not urlsplit(each[1]).netloc}
    played = {site / "play" / f"{name}.html" for name in ("index", *pages.NAMES)}
    played.add(site / "play/lite/notebooks/index.html")
    assert local
    assert (
        sorted((str(page.relative_to(site)), each) for page, each in local if dead(page, each, played)) == []
    )


def test_no_heading_skips_a_level_and_every_picture_and_link_says_what_it_is(site):
    unclear = {str(page.relative_to(site)): read(page).unclear() for page in html(site)}
    assert {page: found for page, found in unclear.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("<h1>a</h1><h2>b</h2><h3>c</h3><h2>d</h2>", []),
        ("<h1>a</h1><h3>b</h3>", ["h1 to h3"]),
        ("<h2>a</h2>", ["h0 to h2"]),
        ('<img src="a" alt="words"><img src="b"><img src="c" alt=" ">', ["b", "c"]),
        ('<a href="a">click <b>Here</b></a>, here, <a href="b">the guide</a>', ["click Here"]),
    ],
)
def test_what_is_unclear_without_seeing_it(text, unclear):
    reading = _Reading()
    reading.feed(text)
    assert reading.unclear() == unclear


@pytest.mark.parametrize("width", [1280, 390])
def test_no_block_of_a_page_is_cut_off_and_every_text_stands_out(site, width, tmp_path):
    sources = sorted(source.relative_to(site / "_sources") for source in site.glob("_sources/**/*.txt"))
    shown = [
        site / source.with_suffix("").with_suffix(".html")
        for source in sources
        if source.parts[0] != "reference"
    ]
    assert shown
    wrong = {}
    with chromium("file://", tmp_path) as tab:
        tab.page.set_viewport_size({"width": width, "height": 900})
        for page in shown:
            tab.page.goto(page.as_uri())
            if cut := tab.page.evaluate(CUT_OFF, READABLE_PX):
                wrong[str(page.relative_to(site))] = cut
            if width == 1280 and (found := faint(tab.page)):
                wrong[str(page.relative_to(site)), "faint"] = found
        tab.page.goto(
            (site / "reference/contract.html").as_uri()
        )  # one for all, which are made alike, and long
        wrong |= {"reference": found} if width == 1280 and (found := faint(tab.page)) else {}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "loads", "links"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"], []),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', ["//cdn.example/x.css"], []),
        ('<link rel="canonical" href="https://example.org">', [], []),
        ("<style>@font-face{src:url('https://example.org/f')}</style>", ["https://example.org/f"], []),
        ('<style>@import "https://example.org/c";</style>', ["https://example.org/c"], []),
        ('<p style="background:url(//example.org/p)">', ["//example.org/p"], []),
        ('<img srcset="//example.org/1 1x, b 2x" src="data:,">', ["data:,", "//example.org/1", "b"], []),
        ('<a href="https://example.org">words</a>', [], ["https://example.org"]),
        ("<style>p{}</style><p>url(https://example.org)</p>", [], []),
    ],
)
def test_what_a_page_loads_is_told_from_what_it_links_to(text, loads, links):
    reading = _Reading()
    reading.feed(text)
    assert (reading.loads, reading.links) == (loads, links)
    assert [is_foreign(each) for each in loads] == ["//" in each for each in loads]


def test_a_link_is_dead_without_its_file_or_its_id(tmp_path):
    page, other = tmp_path / "page.html", tmp_path / "of two.html"
    page.write_text('<p id="here">', encoding="utf-8")
    other.write_text('<p id="th ere">', encoding="utf-8")
    alive = ["#here", "page.html", "of%20two.html#th%20ere", "#"]
    assert [each for each in alive if dead(page, each)] == []
    assert not dead(page, "none.html", {tmp_path / "none.html"})
    broken = ["#there", "none.html", "of%20two.html#here", "../page.html"]
    assert [each for each in broken if not dead(page, each)] == []


@pytest.mark.parametrize(
    ("tags", "page", "linked"),
    [
        (["lite"], "notebooks/a", ["../play/lite/notebooks/index.html?path=a.ipynb"]),
        (["lite"], "guide/a", []),
        ([], "notebooks/a", []),
    ],
)
def test_a_lesson_links_to_the_notebook_that_runs_where_it_is_built(tags, page, linked):
    core = pytest.importorskip("docutils.core", reason="the pages need the extra 'docs'")
    offer = runpy.run_path(str(ROOT / "docs/conf.py"))["_offer_to_run"]
    tree = core.publish_doctree("A\n=\n\nWords.\n")
    offer(SimpleNamespace(tags=tags), tree, page)
    assert [
        node["refuri"] for node in tree.findall() if "refuri" in getattr(node, "attributes", ())
    ] == linked


def test_a_name_in_a_table_is_broken_at_underscores_and_a_short_one_is_not_broken():
    nodes = pytest.importorskip("docutils.nodes")
    pytest.importorskip("sphinx")
    from docs.conf import break_names

    names = ("test_what_a_signal_leaves_behind", "__dict__", "a_b")
    inside, outside = ([nodes.literal("", name) for name in names] for _ in range(2))
    tree = nodes.section("", nodes.entry("", *inside), *outside)
    break_names(None, tree, "page")
    assert [literal.astext().replace("<wbr>", "") for literal in inside] == [*names]
    assert [literal.astext().split("<wbr>") for literal in inside] == [
        ["test_", "what_", "a_", "signal_", "leaves_", "behind"],
        ["__dict__"],
        ["a_", "b"],
    ]
    assert [literal.astext() for literal in outside] == [*names]
    assert [literal["classes"] == ["short"] for literal in (*inside, *outside)] == [False, True, True] * 2
