"""What the pages of docs/play call in Python; in the page it is imported as `play`."""

import json
import sys
from contextlib import suppress
from typing import Any, Final

NEEDS_THREADS: Final = (
    "a browser that can park a thread (JSPI, as Chromium 137 and Firefox 153 have it), which this one cannot"
)


def progress(value: Any) -> None:
    """Tell the page how far the call is that it waits for; without a page nothing is told.

    Args:
        value: Any value that JSON can say.
    """
    with suppress(ModuleNotFoundError):
        import play_worker  # noqa: PLC0415  (the worker makes it, so there is none elsewhere)

        play_worker.send(json.dumps(value))


def can_run_threads() -> bool:
    """Return whether threads can run here; in a browser that takes stack switching of WebAssembly."""
    if sys.platform != "emscripten":
        return True
    from pyodide.ffi import can_run_sync  # noqa: PLC0415  (only there)

    return bool(can_run_sync())
