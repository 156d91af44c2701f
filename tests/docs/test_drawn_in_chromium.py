"""The pictures of the stories in a browser: nothing is cut off, and the colours are those of the reader."""

import pytest

from simulations.drawing.canvas import FONT, TITLE
from simulations.drawing.lettering import EM
from simulations.drawing.page import page as whole_page
from simulations.drawing.palette import COLOURS
from tests.docs.drawn import stories
from tests.docs.play.sites import chromium

MEASURED = """([em, sizes]) => {
  const wrong = [];
  for (const text of document.querySelectorAll("svg text")) {
    if (!text.getClientRects().length || text.getAttribute("transform")) continue;
    const size = Number(text.getAttribute("font-size"));
    const box = text.getBBox(), width = text.ownerSVGElement.viewBox.baseVal.width;
    const room = [...text.textContent].length * em * size;
    const fits = text.getComputedTextLength() <= room + 0.5 && box.x >= 0 && box.x + box.width <= width;
    if (!sizes.includes(size) || !fits) wrong.push(text.textContent);
  }
  return wrong;
}"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "page.html"
    drawn = "".join(stories().values())
    page.write_text(whole_page("Stories").replace("</body>", f"{drawn}</body>"), encoding="utf-8")
    with chromium("file://", tmp_path_factory.mktemp("profile")) as opened:
        opened.page.goto(page.as_uri())
        yield opened


def rgb(colour):
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


@pytest.mark.parametrize("width", [1280, 390])
def test_no_picture_is_cut_off_and_every_text_has_the_room_it_was_given(tab, width):
    tab.page.set_viewport_size({"width": width, "height": 900})
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.page.evaluate(MEASURED, [EM, [FONT, TITLE]]) == []
    shown = "[...document.querySelectorAll('svg')].filter(each => each.getClientRects().length)"
    count = tab.page.evaluate(f"{shown}.length")
    assert 0 < count == tab.page.evaluate("document.querySelectorAll('svg').length") / 2
    assert tab.page.evaluate(f"{shown}.every(each => each.getBoundingClientRect().right <= innerWidth)")


@pytest.mark.parametrize(("theme", "number"), [("light", 0), ("dark", 1)])
@pytest.mark.parametrize("attribute", ["data-theme", "data-jp-theme-light"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_the_reader_has_chosen_in_the_page_counts(tab, scheme, attribute, theme, number):
    value = theme if attribute == "data-theme" else str(theme == "light").lower()
    tab.page.emulate_media(media="screen", color_scheme=scheme)
    tab.page.evaluate("([name, value]) => document.body.setAttribute(name, value)", [attribute, value])
    try:
        ground = "getComputedStyle(document.querySelector('svg .hl-ground')).color"
        assert tab.page.evaluate(ground) == rgb(COLOURS["ground"][number])
        tab.page.emulate_media(media="print", color_scheme=scheme)
        assert tab.page.evaluate(ground) == rgb(COLOURS["ground"][0])
    finally:
        tab.page.evaluate("name => document.body.removeAttribute(name)", attribute)


@pytest.mark.parametrize(
    ("media", "scheme", "number"), [("screen", "light", 0), ("screen", "dark", 1), ("print", "dark", 0)]
)
def test_the_ground_is_that_of_the_screen_and_light_on_paper(tab, media, scheme, number):
    tab.page.emulate_media(media=media, color_scheme=scheme)
    ground = rgb(COLOURS["ground"][number])
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    assert tab.page.evaluate("getComputedStyle(document.querySelector('svg .hl-ground')).color") == ground
