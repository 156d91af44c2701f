"""Where the material for teaching lies: in `docs/` of a checkout, beside this module in an installed wheel.

The folders are laid out alike in both: `demos/`, `notebooks/`, `notebooks/solutions/` and `talk.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

_HERE: Final = Path(__file__).resolve().parent


def folder() -> Path:
    """Return the folder that holds the material.

    Raises:
        LabError: there is none: the installation is not whole.
    """
    for place in (_HERE, _HERE.parents[2] / "docs"):
        if (place / "demos").is_dir():
            return place
    raise LabError(f"there is no material for teaching in {_HERE}: install heisenlab again")


def demos() -> dict[str, Path]:
    """Return the files of the demonstrations by name, in the order of their names."""
    return _by_name((folder() / "demos").glob("*.py"))


def notebooks() -> dict[str, Path]:
    """Return the notebooks by name, in the order of their names."""
    return _by_name((folder() / "notebooks").glob("*.ipynb"))


def solutions() -> dict[str, Path]:
    """Return the solutions of exercises by name, such as `stale_cache_1`, in the order of their names."""
    return _by_name((folder() / "notebooks" / "solutions").glob("*.py"))


def talk() -> Path | None:
    """Return the slides, in Markdown; None where there are none."""
    path = folder() / "talk.md"
    return path if path.is_file() else None


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    return {path.stem: path for path in sorted(paths)}
