"""The bugs: one folder each. `scenarios.catalogue()` lists them, `scenarios.get(name)` returns one.

The engine that hunts them is `scenarios.lab`.
"""

from __future__ import annotations

import os.path
import sys

TYPE_CHECKING = False  # as `typing` has it, which takes long enough to load to be interrupted
if TYPE_CHECKING:
    from scenarios.lab.scenario import Scenario

__all__ = ["catalogue", "get"]

# A folder of this name without an __init__.py, in a project of yours, stays importable beside this package.
# `pkgutil.extend_path` does the same, and loads `typing`.
__path__ += [
    folder
    for folder in (os.path.join(entry, "scenarios") for entry in sys.path)  # noqa: PTH118  (as above)
    if os.path.isdir(folder) and folder not in __path__  # noqa: PTH112  (as above)
]

# The engine is imported when it is first used: if it does not import in some old version, a command can still
# say so with its exit status, which is what `git bisect run` needs.


def catalogue() -> dict[str, Scenario]:
    """Return all scenarios by name: see `scenarios.lab.catalogue.catalogue`."""
    from scenarios.lab import catalogue as engine  # noqa: PLC0415  (see above)

    return engine.catalogue()


def get(name: str) -> Scenario:
    """Return one scenario, such as `get("invalid-mode")`: see `scenarios.lab.catalogue.get`.

    Raises:
        LabError: there is no scenario of that name.
    """
    from scenarios.lab import catalogue as engine  # noqa: PLC0415  (see above)

    return engine.get(name)
