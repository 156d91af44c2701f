"""Code that was typed into a page, as a module."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType


def module(source: str, file: str) -> ModuleType:
    """Run code as a module, which takes the place of one that was typed before.

    Args:
        source: The code.
        file: Which file it would be; the module is called by its name.

    Raises:
        SyntaxError: it is no Python.
        Exception: what the code raises.
    """
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)  # so that its lines can be shown
    name = file.removesuffix(".py")
    made = sys.modules[name] = ModuleType(name)  # data classes look their module up
    exec(compile(source, file, "exec"), made.__dict__)  # noqa: S102  (the reader's own code, in the reader's browser)
    return made
