"""Loads a module of the user's, and what a command needs of it; what is wrong with it is one line."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.errors import LabError
from simulations.terminal_text import raised

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_SUFFIX: Final = ".py"


def load(target: str) -> ModuleType:
    """Return a module.

    Args:
        target: The path of a file that ends in `.py`, or the dotted name of a module. Either is imported with
            its folder, or the current one, on the path, as `python FILE.py` or `python -m MODULE` would.

    Raises:
        LabError: there is none, or importing it raises an error; one line with the place.
    """
    if target.endswith(_SUFFIX):
        path = Path(target)
        if not path.is_file():
            raise LabError(f"there is no file {target}")
        return _load_file(path)
    if not all(part.isidentifier() for part in target.split(".")):
        raise LabError(f"{target!r} is neither a file that ends in {_SUFFIX} nor the name of a module")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(target)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{target}.".startswith(f"{error.name}."):
            raise LabError(
                f"there is no module {target}: run this where it can be imported, or name the file"
            ) from error
        raise _not_imported(target, error) from error
    except (Exception, SystemExit) as error:
        raise _not_imported(target, error) from error


def _load_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"_heisenlab_{path.stem}"
    spec = spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise LabError(f"{path} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module  # a dataclass, an Enum or pickle looks its module up there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _not_imported(str(path), error) from error
    return module


def guarded(function: Any, name: str) -> Callable[[], Any]:
    """Return a function of no arguments that says in one line what it raises.

    Args:
        function: The user's function; what cannot be called is returned as it is: the instrument refuses it.
        name: What it is called in an error.
    """

    def called() -> Any:
        try:
            return function()
        except LabError:
            raise
        except Exception as error:
            raise LabError(f"{name} raises {in_one_line(error)}") from error

    return called if callable(function) else function


def _not_imported(target: str, error: BaseException) -> LabError:
    return LabError(f"{target} cannot be imported: {in_one_line(error)}")


def in_one_line(error: BaseException) -> str:
    """Return the type, the message and the place of an error that the user's code raised."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{raised(error)} ({frame.filename}:{frame.lineno})"


def attribute(owner: Any, name: str, where: str) -> Any:
    """Return what stands under a dotted name.

    Args:
        owner: A module, class or other object.
        name: Such as `Counter` or `Races.lost_update`.
        where: What the owner is called in an error.

    Raises:
        LabError: there is no such name; the message lists those that there are.
    """
    for part in name.split("."):
        if not hasattr(owner, part):
            public = ", ".join(known for known in vars(owner) if not known.startswith("_")) or "nothing"
            raise LabError(f"{where} has no {part!r}; it defines {public}")
        owner = getattr(owner, part)
        where = f"{part} in {where}"
    return owner
