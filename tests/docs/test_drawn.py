"""The pictures in the stories' pages are those that are drawn today."""

import re

import pytest

from tests.docs.drawn import IMAGES, stories

DRAWN = stories()


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_the_pictures_of_a_story_are_what_is_drawn_and_a_page_shows_them(path):
    assert path.read_text(encoding="utf-8") == DRAWN[path], "draw them anew: python -m tests.docs.drawn"
    pages = [page.read_text(encoding="utf-8") for page in (IMAGES.parent / "stories").glob("*.md")]
    assert any(f":file: ../images/{path.name}\n" in page for page in pages)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_every_picture_has_a_text_alternative_and_fetches_nothing(path):
    drawn = DRAWN[path]
    count = drawn.count("<svg ")
    assert count
    assert len(re.findall(r"<title>[^<]+</title>\n<desc>[^<]+</desc>", drawn)) == count
    assert set(re.findall(r"https?://[^\s\"<]+", drawn)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in drawn
