"""Text of a file or of a user's program, made fit to be shown on a terminal."""

from __future__ import annotations

from typing import Final

SHOWN_MAX: Final = 200
"""The number of characters of a value that a message shows."""


def printable(text: str) -> str:
    r"""Return a text in which nothing steers a terminal: such a character stands as an escape like `\x1b`.

    That is each one which `str.isprintable` excludes: controls (C0, C1; an escape sequence begins with one),
    formats (bidirectional overrides, zero-width characters, tags), surrogates, separators other than the
    space, and what is not assigned. Line ends and tabs are among them; see `printable_lines`.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Return a text of several lines, each of them `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def shown(value: object, most: int = SHOWN_MAX) -> str:
    """Return how a message shows a value: its `repr`, printable and of at most `most` characters."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  (whatever the method of a user's class raises)
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    return shortened(text, most)


def raised(error: BaseException, most: int = SHOWN_MAX) -> str:
    """Return how a message shows an error: its type, and what it says on one line of `most` characters."""
    try:
        said = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  (as above)
        said = ""
    return f"{type(error).__name__}: {shortened(said, most)}" if said else type(error).__name__


def shortened(text: str, most: int = SHOWN_MAX) -> str:
    """Return a text as one printable line of at most `most` characters; a longer one ends in three dots."""
    line = printable(text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 3]}..."
