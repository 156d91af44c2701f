"""Text of a file or of a user's program, made fit to be shown on a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

SHOWN_MAX: Final = 200
"""The number of characters of a value that a message shows."""

_STEERING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The categories of Unicode whose characters a terminal obeys rather than shows, or shows as nothing.

Controls (C0, C1, escape sequences begin with one), formats (bidirectional overrides, zero-width characters,
tags), surrogates, separators of lines and paragraphs. Source: Unicode Standard, section 4.5, table 4-4.
"""


def printable(text: str) -> str:
    r"""Return a text in which nothing steers a terminal: each such character stands as an escape like `\x1b`.

    Line ends and tabs become escapes, too; see `printable_lines`.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Return a text of several lines, each of them `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _STEERING:
        return character
    return character.encode("unicode_escape").decode("ascii")


def shown(value: object) -> str:
    """Return how a message shows a value: its `repr`, printable and of at most `SHOWN_MAX` characters."""
    return shortened(repr(value))


def shortened(text: str, most: int = SHOWN_MAX) -> str:
    """Return a text as one printable line of at most `most` characters; a longer one ends in three dots."""
    line = printable(text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 3]}..."
