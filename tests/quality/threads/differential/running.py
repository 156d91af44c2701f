"""Runs rendered programs in their layouts, and hands what they define to a function."""

from __future__ import annotations

import linecache
import runpy
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from tests.quality.threads.differential.source import Layout, Source

Setup: TypeAlias = Callable[[], Any]
Workers: TypeAlias = "list[Callable[[Any], object]]"
Ending: TypeAlias = Callable[[Any], object]
Run: TypeAlias = Callable[[Setup, Workers, Ending], None]

NUMBERS: Final = count()
"""Files and cells get names that are used once, since caches are keyed by them."""


def run_source(source: Source, layout: Layout, run: Run) -> None:
    """Execute a rendered program, and call `run` with its set-up, its workers and what reads its end."""
    number = next(NUMBERS)
    if layout == "cell":
        _run_cell(source.main, f"<cell {number}>", run)
        return
    with TemporaryDirectory(prefix="differential-") as folder:
        path = Path(folder, f"program_{number}.py")
        path.write_text(source.main)
        try:
            if layout == "script":
                runpy.run_path(str(path), {"RUN": run}, "__main__")
            else:
                if layout == "library":
                    library = Path(folder, f"library_{number}.py")
                    library.write_text(source.library)
                    _module("library", library, {})
                main = _module(path.stem, path, {"RUN": run})
                if layout != "nested":
                    run(main.setup, main.WORKERS, main.end)
        finally:
            for name in ("library", path.stem):
                sys.modules.pop(name, None)
            linecache.checkcache()


def _run_cell(text: str, name: str, run: Run) -> None:
    """Execute text as a notebook does: there is no file, only lines in the line cache."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(compile(text, name, "exec"), {"__name__": "__main__", "RUN": run})
    finally:
        del linecache.cache[name]


def _module(name: str, path: Path, given: dict[str, object]) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__dict__.update(given)
    sys.modules[name] = module
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    return module
