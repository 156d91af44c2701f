"""The pictures that a command draws of its result, where the user names files for them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import file_name
from scenarios.lab.finding import write_whole
from simulations.drawing.page import page, report_page
from simulations.drawing.png import converter, png
from simulations.drawing.svg import svg
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulations.drawing.marks import Picture
    from simulations.drawing.sheet import Sheet

_KINDS: Final[dict[str, tuple[bytes, Callable[[Picture], bytes]]]] = {
    "svg": (b"<svg", lambda picture: svg(picture).encode()),
    "png": (b"\x89PNG", png),
    "html": (b"<!doctype html>", lambda picture: page(picture.title, picture).encode()),
}
"""How a file of each kind begins, and what makes it."""


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that draws its result."""
    parser.add_argument(
        "--svg", type=file_name, metavar="FILE", help="draw it as SVG, too; dark or light, as your screen is"
    )
    parser.add_argument(
        "--png", type=file_name, metavar="FILE", help="draw it as PNG, too; needs heisenlab[report]"
    )
    parser.add_argument(
        "--html", type=file_name, metavar="FILE", help="draw it as a page that stands alone, too"
    )


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
        holds_another = "holds something else than a picture of that kind; it is left as it is"
        check_target(named, begins, f"cannot draw into {shown(named)}", f"{holds_another}: name another file")


def check_target(named: str, begins: bytes | None, cannot: str, holds_another: str) -> None:
    """Check that a file can be written, and that nothing else is lost.

    Args:
        named: The name of the file.
        begins: What a file that is there must begin with, if it is not empty; None: it may hold anything.
        cannot: How the message begins where it cannot be written.
        holds_another: What is said of a file that begins otherwise.

    Raises:
        LabError: it cannot, or something would be.
    """
    path = Path(named)
    try:
        with suppress(FileNotFoundError):
            path.stat()  # what no name can be is an error here
        if path.is_dir() or not path.parent.is_dir():
            raise LabError(f"{cannot}: name a file in a folder that is there")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise LabError(f"{cannot}: it is not writable; name another file")
        if begins is not None and path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                if file.read(len(begins)) != begins:
                    raise LabError(f"{shown(named)} {holds_another}")
    except (OSError, ValueError) as error:
        raise LabError(f"{cannot}: {error}; name another file") from error


def save_pictures(args: argparse.Namespace, picture: Picture, sheet: Sheet | None = None) -> None:
    """Write the pictures that the user names files for.

    Args:
        args: The arguments of the command.
        picture: What is drawn.
        sheet: What a page shows; None is the picture alone.

    Raises:
        LabError: a file cannot be written.
    """
    for kind, (_, drawn) in _KINDS.items():
        named = getattr(args, kind)
        if named:
            if kind == "html" and sheet is not None:
                content = report_page(picture.title, sheet).encode()
            else:
                content = drawn(picture)
            write_whole(Path(named), content)
