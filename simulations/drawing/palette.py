"""The colours, light and dark, as classes of a style sheet."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

SERIES: Final = (
    ("#0072b2", "#6cc0f5"),
    ("#c44e00", "#f5a623"),
    ("#007a5c", "#3ecf9f"),
    ("#a8457f", "#e59ac5"),
    ("#7a6200", "#f0e442"),
    ("#555555", "#c8c8c8"),
)
"""Of series, light and dark: those of Okabe and Ito (2008), which the colour-blind can tell apart, darker or
lighter until they stand out from the ground. Each has its own dashes, too."""

COLOURS: Final = {
    "ground": ("#ffffff", "#15181c"),
    "ink": ("#1b1f24", "#e6e8ea"),
    "quiet": ("#596069", "#a3abb3"),
    "grid": ("#d9dde1", "#343a41"),
    "good": ("#00704f", "#4cc79b"),
    "bad": ("#b03a00", "#ff9a5c"),
    **{f"series{number}": pair for number, pair in enumerate(SERIES)},
}
"""Of everything, light and dark."""


class Theme(StrEnum):
    """Which of the colours are used."""

    READERS = "reader's"
    """Dark where the reader's screen is, light on paper."""
    LIGHT = "light"
    DARK = "dark"


def style(theme: Theme = Theme.READERS) -> str:
    """Return the style sheet: a class for each colour. Its names are ours, so it fits into any page."""
    light, dark = (
        "".join(f".hl-{name}{{color:{pair[place]}}}" for name, pair in COLOURS.items()) for place in (0, 1)
    )
    if theme is Theme.READERS:
        return f"{light}@media screen and (prefers-color-scheme:dark){{{dark}}}"
    return light if theme is Theme.LIGHT else dark
