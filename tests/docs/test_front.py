"""The first page: its pictures are those of today, its links lead somewhere, and it fetches nothing."""

import re

import pytest

import scenarios
from docs.play import pages
from tests.docs import front

DOCS = front.FRONT.parents[1]
HTML = front.FRONT.read_text(encoding="utf-8")


def test_is_what_is_made_today_and_the_page_shows_it():
    assert front.front() == HTML, "make it anew: python -m tests.docs.front"
    assert ":file: images/front.html\n" in (DOCS / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("link", sorted(set(re.findall(r'href="([^"]*)"', HTML))))
def test_a_link_leads_to_a_page(link):
    path = link.partition("#")[0].removesuffix(".html")
    if path.startswith("play/"):
        assert path.removeprefix("play/") in {"index", *pages.NAMES}
    else:
        assert any((DOCS / f"{path}{suffix}").exists() for suffix in (".md", ".ipynb"))


def test_each_story_has_a_card_with_its_symptom_and_its_hidden_input_covered():
    uncovered = re.sub(r"<details>.*?</details>", "", HTML, flags=re.DOTALL)
    assert set(front.PLAYED) == set(scenarios.catalogue())
    for name in front.PLAYED:
        scenario = scenarios.get(name)
        assert front.text(scenario.story.symptom) in uncovered
        assert scenario.question in HTML
        assert scenario.question not in uncovered


def test_no_script_and_no_other_host():
    assert "<script" not in HTML
    assert set(re.findall(r"https?://[^\s\"<]+", HTML)) == {"http://www.w3.org/2000/svg"}
