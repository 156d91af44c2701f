"""`heisenlab docs`."""

from __future__ import annotations

import functools
import json
import sys
import threading
import webbrowser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.commands.command import DONE
from scenarios.lab.interrupts import Terminated
from simulations.errors import LabError
from simulations.terminal_text import printable

if TYPE_CHECKING:
    import argparse

_BUILT: Final = Path("docs/_build/html")
_HERE: Final = "127.0.0.1"
"""No other machine can reach it."""
_TYPES: Final = {
    **SimpleHTTPRequestHandler.extensions_map,
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
"""What browsers insist on, whatever the tables of this machine say."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Serve the site that `python -m docs.site FOLDER` has built, to this machine only, and open it. The "
        "pages that can be played need a server, since no browser starts Python from a file. Ctrl-C ends it."
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=_BUILT, metavar="FOLDER", help=f"the site; default: {_BUILT}"
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port; default: a free one")
    parser.add_argument("--no-browser", action="store_true", help="only say the address")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(args: argparse.Namespace) -> int:
    """Serve the site until Ctrl-C.

    Raises:
        LabError: there is no site, or the port is taken.
    """
    with server_for(args.folder, args.port) as server:
        address = f"http://{_HERE}:{server.server_port}/"
        said = f"{address} shows {args.folder}; Ctrl-C ends it"
        print(json.dumps({"address": address}) if args.json else printable(said), flush=True)
        if not args.no_browser:
            # A browser of the terminal returns when it is left, and until then it asks for pages.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        try:
            server.serve_forever()
        except Terminated:
            raise
        except KeyboardInterrupt:
            return DONE
    return DONE


def server_for(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a folder, for this machine only.

    Args:
        folder: A site that was built.
        port: 0 takes one that is free.

    Raises:
        LabError: there is no site in the folder, or the port cannot be had.
    """
    if not (folder / "index.html").is_file():
        raise LabError(f"there is no site in {folder}; build it in a checkout: python -m docs.site {folder}")
    try:
        return _Server((_HERE, port), functools.partial(_Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise LabError(f"port {port} cannot be had: {error}; leave --port out for a free one") from error


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away before it had the whole page."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = _TYPES

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name that its base has)
        """Write no line for each request."""
