"""What on a page stands out too little from what is behind it."""

from __future__ import annotations

from pathlib import Path

_JUDGE = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
SCHEMES = ("light", "dark")


def faint(page):
    """Return what is too faint on the open page, in both schemes: a line for each pair of colours.

    Args:
        page: Playwright's page.
    """
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {said}" for said in page.evaluate(_JUDGE[_JUDGE.index("() =>") :])]
    return found
