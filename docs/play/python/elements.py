"""What the pages are made of: a page that begins with a state, links that are moves, facts, commands."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, urlencode

from simulations.drawing.marks import Tone
from simulations.terminal_text import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

State: TypeAlias = "Mapping[str, str]"
"""What stands behind the # of an address: all that a page needs to be as it was."""

_TONES: Final = {Tone.GOOD: "good", Tone.BAD: "bad", Tone.PLAIN: "plain"}


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stays on a page, whatever is done there.

    Attributes:
        name: The name of its file and of its module.
        title: What it is called.
        sentences: Three sentences: what is seen, what can be done, what it is for.
        try_this: One thing to try.
        form: HTML of the fields, each named for a part of the state; may be empty.
    """

    name: str
    title: str
    sentences: tuple[str, str, str]
    try_this: str
    form: str = ""


def text(said: object) -> str:
    """Return a text as HTML."""
    return html.escape(printable(str(said)))


def text_as_it_is(said: str) -> str:
    """Return lines of text as HTML, for an element that keeps them apart."""
    return html.escape(printable_lines(said))


def address(state: State) -> str:
    """Return what stands behind the address of a page in a state; what is empty is left out."""
    return "#" + urlencode({name: value for name, value in state.items() if value}, quote_via=quote)


def move(
    label: str,
    state: State,
    *,
    key: str = "",
    hint: str = "",
    chosen: bool = False,
    plays: str = "",
    long: bool = False,
) -> str:
    """Return a link to another state of the page.

    Args:
        label: What it is called.
        state: The state that it leads to.
        key: The key that does the same, as a browser calls it; also what finds the link again.
        hint: What else is said of it.
        chosen: Whether the page is in that state.
        plays: The key of a move that is made again and again from there, until there is none or the link is
            followed once more.
        long: Whether it takes long, so that it is not tried before it is followed.
    """
    shown = {"ArrowLeft": "←", "ArrowRight": "→", " ": "Space"}.get(key, key)
    cap = f"<kbd>{text(shown)}</kbd> " if key else ""
    more = f"<small>{text(hint)}</small>" if hint else ""
    keyed = f' id="key-{text(key.strip() or "Space")}" data-key="{text(key)}"' if key else ""
    keyed += f' data-plays="{text(plays)}" data-label="{text(label)}"' if plays else ""
    keyed += " data-long" if long else ""
    current = ' aria-current="true"' if chosen else ""
    return (
        f'<a class="move" href="{html.escape(address(state))}"{keyed}{current}>{cap}{text(label)}{more}</a>'
    )


def moves(name: str, links: Iterable[str]) -> str:
    """Return links beside each other; `name` is what a screen reader calls them."""
    return f'<nav class="moves" aria-label="{text(name)}">{"".join(links)}</nav>\n'


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Return names and values; a value may have several lines."""
    said = "".join(f"<dt>{text(name)}</dt><dd>{text_as_it_is(str(value))}</dd>" for name, value in rows)
    return f"<dl>{said}</dl>\n"


def says(sentence: str, tone: Tone = Tone.PLAIN) -> str:
    """Return the sentence that says how things stand; `shell.js` has a screen reader read out a new one."""
    sign = f"{tone} " if tone else ""
    return f'<p class="says {_TONES[tone]}">{text(sign + sentence)}</p>\n'


def paragraph(sentence: str) -> str:
    """Return a paragraph."""
    return f"<p>{text(sentence)}</p>\n"


def slider(label: str, name: str, most: int, first: int, *, scale: float = 1, unit: str = "") -> str:
    """Return a field for a whole number from 0, with what the number stands for in its label.

    Args:
        label: What it is.
        name: The part of the state that it sets.
        most: The largest number.
        first: The number in the beginning.
        scale: How many units one is.
        unit: What is counted.
    """
    value = text(f"{first * scale:g} {unit}".strip())
    return (
        f'<label>{text(label)} <span class="value">{value}</span> '
        f'<input type="range" name="{name}" min="0" max="{most}" value="{first}" aria-valuetext="{value}" '
        f'data-scale="{scale:g}" data-unit="{text(unit)}" data-live></label>\n'
    )


def natively(command: str, digest: str, *, what: str = "Its digest, here and there") -> str:
    """Return the line that runs the same on a computer with heisenlab, and what it prints.

    Args:
        command: The line, for a shell.
        digest: What it prints, a digest of the run.
        what: What is printed, where it is no digest.
    """
    return (
        "<p>The same run on a computer with heisenlab, as one line:</p>\n"
        f'<pre class="command" tabindex="0">{text_as_it_is(command)}</pre>\n'
        f'<p>{text(what)}: <code class="digest">{text(digest)}</code></p>\n'
    )


def listing(code: str) -> str:
    """Return lines of code or of a table in text."""
    return f'<pre class="listing" tabindex="0">{text_as_it_is(code)}</pre>\n'
