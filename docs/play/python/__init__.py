"""What the pages of docs/play call in Python; in the page it is imported as `play`."""

import json
from typing import Any


def progress(value: Any) -> None:
    """Tell the page how far the call is that it waits for: any value that JSON can say."""
    import play_progress  # noqa: PLC0415  (the worker makes it, so there is none elsewhere)

    play_progress.send(json.dumps(value))
