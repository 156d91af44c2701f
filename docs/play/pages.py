"""Writes the pages that can be played, each with its first picture, which the real simulation makes.

A page is complete as it is written: it can be read and printed without a script. `shell.js` then asks the
same function of the same module for the states that the reader goes to.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from docs.play.python.elements import Page, text
from simulations.drawing.palette import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("scheduler", "paste", "strike", "gaps", "shrink", "suspects")
"""The pages, in the order in which they are offered."""

_WHOLE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{colours}</style>
<link rel="stylesheet" href="shell.css">
</head>
<body data-page="{name}">
<main>
{body}</main>
<footer><nav aria-label="more to play with">{others}</nav></footer>
</body>
</html>
"""
_PLAYED: Final = """<h1>{title}</h1>
<p class="intro">{sentences}</p>
<p class="try"><strong>Try this:</strong> {try_this}</p>
{form}<p id="status" role="status" aria-live="polite"><noscript>This is the first picture; \
to go on, it takes JavaScript.</noscript></p>
<div id="stage">
{first}</div>
<p id="heard" class="unseen" role="status"></p>
<script type="module" src="shell.js"></script>
"""


def colours() -> str:
    """Return the colours of all pictures as variables of a style sheet, light and dark."""
    light, dark = ("".join(f"--{name}:{pair[place]};" for name, pair in COLOURS.items()) for place in (0, 1))
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def module(name: str) -> Any:
    """Return the module of a page: its `PAGE`, and `show`, which returns HTML for a state."""
    return import_module(f"docs.play.python.{name}")


def html(name: str, home: str = "") -> str:
    """Return a page, with its first picture.

    Args:
        name: One of `NAMES`.
        home: The address of the documentation, seen from the page; empty where there is none.
    """
    page: Page = module(name).PAGE
    form = f'<form id="form" autocomplete="off">\n{page.form}</form>\n' if page.form else ""
    body = _PLAYED.format(
        title=text(page.title),
        sentences=" ".join(map(text, page.sentences)),
        try_this=text(page.try_this),
        form=form,
        first=module(name).show({}),
    )
    return _WHOLE.format(
        title=text(page.title), colours=colours(), name=name, body=body, others=_others(name, home)
    )


def index(home: str = "") -> str:
    """Return the page that lists the others.

    Args:
        home: As for `html`.
    """
    rows = []
    for name in NAMES:
        page: Page = module(name).PAGE
        rows.append(
            f'<li><a href="{name}.html">{text(page.title)}</a> {" ".join(map(text, page.sentences))}</li>\n'
        )
    body = f'<h1>To play with</h1>\n<ul class="pages">\n{"".join(rows)}</ul>\n'
    return _WHOLE.format(title="To play with", colours=colours(), name="", body=body, others=_home(home))


def write(out: Path, home: str = "") -> None:
    """Write all pages.

    Args:
        out: The folder.
        home: As for `html`.
    """
    for name in NAMES:
        (out / f"{name}.html").write_text(html(name, home), encoding="utf-8")
    (out / "index.html").write_text(index(home), encoding="utf-8")


def _home(home: str) -> str:
    return f'<a href="{text(home)}">The documentation</a>' if home else ""


def _others(name: str, home: str) -> str:
    pages = [(each, module(each).PAGE) for each in NAMES]
    links = [
        f'<a href="{each}.html"{" aria-current=page" * (each == name)}>{text(page.title)}</a>'
        for each, page in pages
    ]
    return "\n".join(filter(None, [_home(home), *links]))
