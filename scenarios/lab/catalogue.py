"""Which scenarios there are: the folders of `scenarios/` and the entry points of other distributions."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from scenarios.lab.scenario import Scenario
from simulations.errors import LabError

GROUP = "heisenlab.scenarios"
"""The entry-point group through which another distribution adds a scenario: `name = "module:SCENARIO"`."""

_ENGINE = "lab"


def catalogue() -> dict[str, Scenario]:
    """Return all scenarios by name: ours in alphabetical order, then those of other distributions.

    An entry point that cannot be loaded is left out with a warning that names it, so that a broken plug-in
    takes nothing else down.
    """
    scenarios = {name: _load(name, source) for name, source in _ours().items()}
    for name, entry in _theirs().items():
        try:
            scenarios[name] = _load(name, entry)
        except Exception as error:  # noqa: BLE001  (whatever a stranger's module raises)
            warnings.warn(f"scenario {name} of {_owner(entry)} is left out: {error}", stacklevel=2)
    return scenarios


def names() -> list[str]:
    """Return the names of all scenarios without importing one."""
    return [*_ours(), *_theirs()]


def get(name: str) -> Scenario:
    """Return one scenario.

    Args:
        name: Such as `invalid-mode`.

    Raises:
        LabError: there is none of that name, or it cannot be imported.
    """
    sources: dict[str, str | EntryPoint] = {**_theirs(), **_ours()}
    if name not in sources:
        close = difflib.get_close_matches(name, sources, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(sources)) or 'none'}"
        raise LabError(f"there is no scenario {name!r}; {hint}")
    return _load(name, sources[name])


def _ours() -> dict[str, str]:
    package = importlib.import_module("scenarios")
    folders = sorted(found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg)
    return {folder.replace("_", "-"): f"scenarios.{folder}" for folder in folders if folder != _ENGINE}


def _theirs() -> dict[str, EntryPoint]:
    ours = _ours()
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in ours}


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} ({entry.value})" if entry.dist else entry.value


def _load(name: str, source: str | EntryPoint) -> Scenario:
    if isinstance(source, EntryPoint):
        found: Any = source.load()
        where = _owner(source)
    else:
        found = getattr(importlib.import_module(source), "SCENARIO", None)
        where = source
    if not isinstance(found, Scenario):
        raise LabError(f"{where} holds no Scenario but {found!r}; bind one to SCENARIO in its __init__.py")
    if found.name != name:
        raise LabError(
            f"{where} holds the scenario {found.name!r} under the name {name!r}; give both one name"
        )
    return found
