"""Whether causes and fixes are hidden from a class, and what stands in their place."""

from __future__ import annotations

import os
from typing import Final

NO_SPOILERS: Final = "HEISENLAB_NO_SPOILERS"
"""The environment variable that stands for `--no-spoilers`, for the machines of a class."""

HIDDEN: Final = "(hidden)"
"""What stands in place of a cause."""


def hidden() -> bool:
    """Return whether what a notebook shows is to hide causes and fixes."""
    return bool(os.environ.get(NO_SPOILERS))


def deviations(number: int) -> str:
    """Return what is said of a plan in place of its words."""
    return f"{number} deviation{'s'[: number != 1]} {HIDDEN}"
