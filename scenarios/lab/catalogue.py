"""The list of scenarios: the folders of `scenarios/` and the entry points of other distributions."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
import warnings
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.scenario import Scenario
from simulations.drawing.displayed import Displayed
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from simulations.drawing.sheet import Sheet

__all__ = ["GROUP", "Catalogue", "catalogue", "get", "names"]

GROUP: Final = "heisenlab.scenarios"
"""The entry-point group through which another distribution adds a scenario, with its name as the key."""

_ENGINE: Final = "lab"


class Catalogue(dict[str, Scenario], Displayed):
    """Scenarios by name."""

    def sheet(self) -> Sheet:
        """Return what is shown of it: a row for each scenario, without its hidden input."""
        from simulations.drawing.marks import Cell, Table  # noqa: PLC0415  (only what is shown is drawn)
        from simulations.drawing.sheet import Sheet  # noqa: PLC0415  (as above)

        rows = tuple(
            (Cell(each.name), Cell(each.title), Cell(str(len(each.variants)))) for each in self.values()
        )
        return Sheet(blocks=(Table(title="", header=("name", "title", "variants"), rows=rows),))

    def __repr__(self) -> str:
        return f"<Catalogue: {', '.join(self)}>"


def catalogue() -> Catalogue:
    """Return all scenarios by name: ours in alphabetical order, then those of other distributions.

    An entry point that cannot be loaded is left out with a warning that names it, so that one broken plug-in
    does not break everything else.
    """
    scenarios = Catalogue({name: _load(name, source) for name, source in _ours().items()})
    for name, entry in _theirs().items():
        try:
            scenarios[name] = _load(name, entry)
        except Exception as error:  # noqa: BLE001  (a plug-in may raise anything)
            warnings.warn(f"scenario {name} of {_owner(entry)} is left out: {error}", stacklevel=2)
    return scenarios


def names() -> list[str]:
    """Return the names of all scenarios without importing any."""
    return [*_ours(), *_theirs()]


def get(name: str) -> Scenario:
    """Return one scenario.

    Args:
        name: Such as `invalid-mode`.

    Raises:
        LabError: there is no scenario of that name, or it cannot be imported.
    """
    sources: dict[str, str | EntryPoint] = {**_theirs(), **_ours()}
    if name not in sources:
        close = difflib.get_close_matches(name, sources, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(sources)) or 'none'}"
        raise LabError(f"there is no scenario {shown(name)}; {hint}")
    return _load(name, sources[name])


def from_source(source: str) -> Scenario:
    """Return the scenario that `source_of` named, in another interpreter.

    Raises:
        LabError: there is none here.
    """
    module, _, attribute = source.partition(":")
    if not attribute:
        return get(source)
    found = getattr(__import__(module, fromlist=[attribute]), attribute, None)
    if not isinstance(found, Scenario):
        raise LabError(f"{source} is not a scenario in this interpreter")
    return found


def source_of(scenario: Scenario) -> str | None:
    """Return how another interpreter can import a scenario: its name, `module:attribute`, or None."""
    if scenario.name in names() and get(scenario.name) is scenario:
        return scenario.name
    for name, module in list(sys.modules.items()):
        if name == "__main__" or getattr(module, "__spec__", None) is None:
            continue
        for attribute, value in list(vars(module).items()):
            if value is scenario:
                return f"{name}:{attribute}"
    return None


def _ours() -> dict[str, str]:
    here = str(Path(__file__).parents[1])
    folders = sorted(found.name for found in pkgutil.iter_modules([here]) if found.ispkg)
    return {folder.replace("_", "-"): f"scenarios.{folder}" for folder in folders if folder != _ENGINE}


def _theirs() -> dict[str, EntryPoint]:
    ours = _ours()
    places = tuple((place, _changed(place)) for place in sys.path)
    return {entry.name: entry for entry in _declared(places) if entry.name not in ours}


@lru_cache(maxsize=1)
def _declared(places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001  (the key)
    """Return the entry points of our group; read again only where the path or a folder on it has changed.

    To find them, the metadata of every installed distribution must be read.
    """
    return tuple(entry_points(group=GROUP))


def _changed(place: str) -> int:
    """Return when something was last added to a folder of `sys.path`, in nanoseconds; 0 where it is none."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} ({entry.value})" if entry.dist else entry.value


def _load(name: str, source: str | EntryPoint) -> Scenario:
    # Not by the type of an entry point: once the backport importlib_metadata is imported, it is another.
    if isinstance(source, str):
        found: Any = getattr(importlib.import_module(source), "SCENARIO", None)
        where = source
    else:
        found = source.load()
        where = _owner(source)
    if not isinstance(found, Scenario):
        raise LabError(f"{where} holds no Scenario but {found!r}; bind one to SCENARIO in its __init__.py")
    if found.name != name:
        raise LabError(
            f"{where} holds the scenario {found.name!r} under the name {name!r}; give both one name"
        )
    return found
