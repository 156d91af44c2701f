"""The environment and the current folder: each run begins with them as they were.

A run that ends in the middle, as where a worker is about to put the environment back, would leave them to the
next one.
"""

from __future__ import annotations

import os
from contextlib import suppress


class ProcessState:
    """Remembers the environment and the current folder, and puts them back."""

    def __init__(self) -> None:
        self._environment = os.environ.copy()
        self._raw = dict(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001  (to compare is quick)
        self._folder = _folder()

    def put_back(self) -> None:
        """Let all be as it was; idempotent."""
        if os.environ._data != self._raw:  # type: ignore[attr-defined]  # noqa: SLF001  (see above)
            for name in os.environ.keys() - self._environment.keys():
                del os.environ[name]
            os.environ.update(self._environment)
        if self._folder is not None and _folder() != self._folder:
            with suppress(OSError):  # it has been removed
                os.chdir(self._folder)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  (a path object would take longer than all the rest)
    except OSError:
        return None
