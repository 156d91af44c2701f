"""How a file that a user names is read: no more of it than such a file can hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulations.errors import LabError
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    import os


def read_at_most(
    path: str | os.PathLike[str], bytes_max: int, what: str, *, missing: bytes | None = None
) -> bytes:
    """Return what a file holds.

    Args:
        path: The file.
        bytes_max: How much such a file can hold, from 1.
        what: What it is to be, with its article.
        missing: What is returned where there is no such file; None makes that an error.

    Raises:
        LabError: it cannot be read, or holds more.
    """
    where = shortened(str(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(bytes_max + 1)
    except (OSError, ValueError) as error:  # a name may hold what no file system takes
        if missing is not None and isinstance(error, FileNotFoundError):
            return missing
        raise LabError(f"cannot read {where}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > bytes_max:
        raise LabError(f"{where} is larger than {what} can be ({bytes_max} bytes); is it the right file?")
    return content
