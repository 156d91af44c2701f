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


_HOSTS: Final = (
    ("[data-theme=light]", "[data-jp-theme-light=true]", ".vscode-light"),
    ("[data-theme=dark]", "[data-jp-theme-light=false]", ".vscode-dark"),
)
"""What a page has whose reader has chosen light or dark in it: Furo's, JupyterLab's, and that of VS Code."""


def host_style() -> str:
    """Return what has to stand in a page besides, where its reader may have chosen another theme in it."""
    rules = "".join(
        f"{','.join(f'{host} .hl-{name}' for host in hosts)}{{color:{pair[place]}}}"
        for place, hosts in enumerate(_HOSTS)
        for name, pair in COLOURS.items()
    )
    return f"@media screen{{{rules}}}"
