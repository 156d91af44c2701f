"""What the pages of docs/play call in Python; in the page it is imported as `play`."""

import json
from contextlib import suppress
from typing import Any


def progress(value: Any) -> None:
    """Tell the page how far the call is that it waits for; without a page nothing is told.

    Args:
        value: Any value that JSON can say.
    """
    with suppress(ModuleNotFoundError):
        import play_progress  # noqa: PLC0415  (the worker makes it, so there is none elsewhere)

        play_progress.send(json.dumps(value))
