"""A sheet on which a picture is drawn as SVG, from the top downwards."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Final

from simulations.drawing.lettering import EM, wrapped
from simulations.terminal_text import printable

WIDTH: Final = 960
"""The width of a picture; a page scales it down."""
NARROW: Final = 370
"""The width of a picture for a telephone."""
MARGIN: Final = 20
FONT: Final = 13
TITLE: Final = 15
LINE: Final = 19
"""From one line of text to the next."""
TAG: Final = 18
"""The height of a numbered tag."""


def digits(value: object) -> str:
    """Return a number as it is written into a picture, with at most two decimal places."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def tag_width(text: str) -> float:
    """Return the width of a numbered tag."""
    return 10 + len(text) * EM * FONT


def fits(width: float, size: int = FONT) -> int:
    """Return how many columns of text a width holds, from 2."""
    return max(2, int(width / (EM * size)))


@dataclass
class Canvas:
    """Elements, and how far down the picture goes."""

    width: int = WIDTH
    bottom: float = MARGIN
    elements: list[str] = field(default_factory=list)

    @property
    def right(self) -> float:
        """Where the right margin begins."""
        return float(self.width - MARGIN)

    def down(self, by: float) -> None:
        """Leave room below what is there."""
        self.bottom += by

    def go(self, to: float) -> None:
        """Let what comes next begin there."""
        self.bottom = to

    def add(self, tag: str, **attributes: object) -> None:
        """Add an element; an underscore in a name stands for a hyphen."""
        said = "".join(
            f' {name.rstrip("_").replace("_", "-")}="{digits(value)}"' for name, value in attributes.items()
        )
        self.elements.append(f"<{tag}{said}/>")

    def write(
        self,
        text: str,
        x: float,
        y: float,
        *,
        colour: str = "ink",
        anchor: str = "start",
        size: int = FONT,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a line of text."""
        weight = ' font-weight="bold"' if bold else ""
        turn = f' transform="rotate(-90 {digits(x)} {digits(y)})"' if turned else ""
        self.elements.append(
            f'<text class="hl-{colour}" fill="currentColor" x="{digits(x)}" y="{digits(y)}" '
            f'font-size="{size}" text-anchor="{anchor}"{weight}{turn}>{html.escape(printable(text))}</text>'
        )

    def paragraph(
        self, text: str, *, x: float = MARGIN, size: int = FONT, bold: bool = False, colour: str = "ink"
    ) -> None:
        """Write lines of text below what is there."""
        for line in wrapped(text, fits(self.right - x, size)):
            self.bottom += LINE
            self.write(line, x, self.bottom - 5, size=size, bold=bold, colour=colour)

    def tinted(self, tag: str, colour: str, opacity: str, **place: object) -> None:
        """Draw a shape in a tint of a colour; its edge has all of the colour, so that it stands out."""
        look = {"fill": "currentColor", "fill_opacity": opacity, "stroke": "currentColor"}
        self.add(tag, class_=f"hl-{colour}", **look, **place)

    def rule(self, d: str) -> None:
        """Draw a thin line."""
        self.add("path", class_="hl-grid", fill="none", stroke="currentColor", d=d)

    def line(self, d: str, colour: str, dashes: str = "", *, thick: float = 2) -> None:
        """Draw a line in a colour of the palette."""
        extra = {"stroke_dasharray": dashes} if dashes else {}
        self.add(
            "path",
            class_=f"hl-{colour}",
            fill="none",
            stroke="currentColor",
            stroke_width=thick,
            d=d,
            **extra,
        )

    def path(self, d: str, series: int, dashes: str = "") -> None:
        """Draw a line in the colour of a series."""
        self.line(d, f"series{series}", dashes)

    def tag(self, x: float, top: float, text: str) -> None:
        """Draw a number on a round ground, its middle at x."""
        width = tag_width(text)
        self.add(
            "rect",
            class_="hl-ink",
            fill="currentColor",
            x=x - width / 2,
            y=top,
            width=width,
            height=TAG,
            rx=TAG / 2,
        )
        self.write(text, x, top + 13.5, colour="ground", anchor="middle", bold=True)
