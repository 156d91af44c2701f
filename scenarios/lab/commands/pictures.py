"""The pictures that a command draws of its result, where the user names files for them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.drawing.page import page
from simulations.drawing.png import converter, png
from simulations.drawing.svg import svg
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulations.drawing.marks import Picture

_KINDS: Final[dict[str, tuple[bytes, Callable[[Picture], bytes]]]] = {
    "svg": (b"<svg", lambda picture: svg(picture).encode()),
    "png": (b"\x89PNG", png),
    "html": (b"<!doctype html>", lambda picture: page(picture.title, picture).encode()),
}
"""How a file of each kind begins, and what makes it."""


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that draws its result."""
    parser.add_argument("--svg", metavar="FILE", help="draw it as SVG, too; dark or light, as your screen is")
    parser.add_argument("--png", metavar="FILE", help="draw it as PNG, too; needs heisenlab[report]")
    parser.add_argument("--html", metavar="FILE", help="draw it as a page that stands alone, too")


def check_pictures(args: argparse.Namespace) -> None:
    """Check, before the work begins, that the pictures can be made and written.

    Raises:
        LabError: they cannot, or a file holds something else than such a picture.
    """
    if args.png:
        converter()
    for kind, (begins, _) in _KINDS.items():
        named = getattr(args, kind)
        if not named:
            continue
        path = Path(named)
        try:
            with suppress(FileNotFoundError):
                path.stat()  # what no name can be is an error here
            if path.is_dir() or not path.parent.is_dir():
                raise LabError(f"cannot draw into {shown(named)}: name a file in a folder that is there")
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise LabError(f"cannot draw into {shown(named)}: it is not writable; name another file")
            if path.is_file() and path.stat().st_size:
                with path.open("rb") as file:
                    if file.read(len(begins)) != begins:
                        raise LabError(
                            f"{shown(named)} holds something else than a picture of that kind; "
                            f"it is left as it is: name another file"
                        )
        except (OSError, ValueError) as error:
            raise LabError(f"cannot draw into {shown(named)}: {error}; name another file") from error


def save_pictures(args: argparse.Namespace, picture: Picture) -> None:
    """Write the pictures that the user names files for.

    Raises:
        LabError: a file cannot be written.
    """
    for kind, (_, drawn) in _KINDS.items():
        named = getattr(args, kind)
        if named:
            try:
                Path(named).write_bytes(drawn(picture))
            except OSError as error:
                raise LabError(f"cannot draw into {shown(named)}: {error.strerror}") from error
