"""What Hypothesis prints for `@reproduce_failure`: the choices behind a failing example, as a blob."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from scenarios.lab.drawn_constants import only_its_own_constants
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["blob_in", "failure_of"]

_LINE: Final = re.compile(r"@reproduce_failure\(('[^']+'), (b'[^']*')\)")


def failure_of(test: Callable[[], object]) -> Exception | None:
    """Run a test of Hypothesis with its own settings; return what it raised, or None where it passed."""
    with only_its_own_constants():
        try:
            test()
        except Exception as error:  # noqa: BLE001  (whatever the student's test raises is what is looked at)
            return error
    return None


def blob_in(failure: Exception) -> tuple[str, bytes]:
    """Return what `@reproduce_failure` takes: the version of Hypothesis and the blob.

    Args:
        failure: What a test with `print_blob=True` in its settings raised.

    Raises:
        LabError: Hypothesis has not said how to reproduce it.
    """
    for note in getattr(failure, "__notes__", ()):
        if line := _LINE.search(note):
            return ast.literal_eval(line[1]), ast.literal_eval(line[2])
    raise LabError("Hypothesis has printed no blob: set print_blob=True in the settings of the test")
