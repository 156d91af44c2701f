"""The slides of the talk: their times, what is on each, and that each fits on the screen."""

import re
import shutil
from pathlib import Path

import pytest

from tests.docs import printed
from tests.docs.slides import HEIGHT, WIDTH, page, slides, style

DECK = (printed.ROOT / "docs/talk.md").read_text(encoding="utf-8")
SLIDES = slides(DECK)
MINUTES = 20

OVERFLOWS = """sections => sections.map(section => {
    const padding = parseFloat(getComputedStyle(section).paddingBottom);
    const bottom = Math.max(...[...section.children].map(child => child.getBoundingClientRect().bottom));
    const blocks = [...section.querySelectorAll('pre')];
    const right = Math.max(...blocks.map(each => each.scrollWidth - each.clientWidth), 0);
    const box = section.getBoundingClientRect();
    return {width: box.width, height: box.height, below: bottom - (box.bottom - padding / 2), right: right};
})"""
"""For each slide its size, and by how much it is too long or too wide; pixels."""


def test_the_talk_takes_twenty_minutes():
    assert sum(each.duration_s for each in SLIDES) == 60 * MINUTES


def test_every_slide_has_a_title_and_something_to_say():
    assert all(re.match(r"# \S", each.markdown) and len(each.said.split()) > 5 for each in SLIDES)


def test_every_lesson_has_a_slide():
    lessons = re.findall(r"^## (.*)", (printed.ROOT / "docs/lessons.md").read_text(), re.MULTILINE)
    titles = [each.markdown.partition("\n")[0].removeprefix("# ") for each in SLIDES]
    assert [title for title in titles if title in lessons] == lessons


@pytest.mark.parametrize("slide", SLIDES[1:-1], ids=lambda slide: slide.markdown.partition("\n")[0])
def test_a_slide_has_one_command_with_what_it_prints(slide):
    steps = printed.steps(slide.markdown)
    assert slide.markdown.count("```console") == 1
    assert steps[-1].shown


def test_no_slide_asks_a_foreign_host():
    assert not re.search(r"https?:|@import|url\(|//\w", style(DECK))
    assert "![" not in DECK


def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium to draw the slides in")
    return playwright, path


@pytest.fixture
def measured(tmp_path):
    """Return what measures the slides of a deck."""
    playwright, path = chromium()
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

    def measure(deck):
        html = Path(tmp_path, "talk.html")
        html.write_text(page(deck), encoding="utf-8")
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=path, args=flags)
            view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            view.goto(html.as_uri())
            sizes = view.locator("section").evaluate_all(OVERFLOWS)
            browser.close()
        return sizes

    return measure


@pytest.mark.filterwarnings("ignore")  # what Playwright warns of is not ours to mend
def test_every_slide_fits_on_the_screen_and_one_that_does_not_is_seen(measured):
    rows = "".join(f"{row}\n" for row in range(26))
    sizes = measured(f"{DECK}\n---\n\n# Long\n\n```\n{rows}```\n\n<!--\n0:10 six words\n-->\n")
    assert len(sizes) == len(SLIDES) + 1
    assert sizes[-1]["below"] > 0
    for slide, size in zip(SLIDES, sizes, strict=False):
        assert (size["width"], size["height"]) == (WIDTH, HEIGHT)
        assert size["below"] <= 0, (slide.markdown[:60], size)
        assert size["right"] <= 0, (slide.markdown[:60], size)
