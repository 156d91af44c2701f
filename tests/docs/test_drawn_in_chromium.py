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


@pytest.mark.parametrize("width", [1280, 390])
def test_no_picture_is_cut_off_and_every_text_has_the_room_it_was_given(tab, width):
    tab.page.set_viewport_size({"width": width, "height": 900})
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.page.evaluate(MEASURED, [EM, [FONT, TITLE]]) == []
    shown = "[...document.querySelectorAll('svg')].filter(each => each.getClientRects().length)"
    count = tab.page.evaluate(f"{shown}.length")
    assert 0 < count == tab.page.evaluate("document.querySelectorAll('svg').length") / 2
    assert tab.page.evaluate(f"{shown}.every(each => each.getBoundingClientRect().right <= innerWidth)")


@pytest.mark.parametrize(
    ("media", "scheme", "number"), [("screen", "light", 0), ("screen", "dark", 1), ("print", "dark", 0)]
)
def test_the_ground_is_that_of_the_screen_and_light_on_paper(tab, media, scheme, number):
    tab.page.emulate_media(media=media, color_scheme=scheme)
    ground = COLOURS["ground"][number]
    rgb = f"rgb({', '.join(str(int(ground[at : at + 2], 16)) for at in (1, 3, 5))})"
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb
    assert tab.page.evaluate("getComputedStyle(document.querySelector('svg .hl-ground')).color") == rgb
