"""Keeps Hypothesis from drawing what it reads in the source code of the modules that happen to be imported.

Hypothesis now and then draws a constant that it has found in a local module. Which modules those are depends
on what was imported before: another world, a test, a notebook's own code; and a wheel has none. So one seed
would give other examples here than there. In a search of the engine it draws the constants that it brings
itself, and no others.

This takes hold of an inside of Hypothesis: `tests/scenarios/lab/test_drawn_constants.py` fails when it moves.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_HARVEST: Final = "_get_local_constants"
_CACHE: Final = "CONSTANTS_CACHE"
_NONE_OF_THEM: Final = "Constants"


@dataclass
class _Switch:
    """How many searches want the constants switched off at present, and what is put back after the last.

    What fits each kind of draw is remembered from one search to the next, in a cache of their own.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    searches: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    cache: Any = None


_SWITCH: Final = _Switch()


@contextmanager
def only_its_own_constants() -> Iterator[None]:
    """Let Hypothesis draw no constant of a local module inside; it may be nested and used by several threads.

    Where this version of Hypothesis is built otherwise, nothing is switched off, and a `RuntimeWarning` says
    so.
    """
    # Late, as every import of Hypothesis in the engine: a replay does without.
    from hypothesis.internal.conjecture import providers  # noqa: PLC0415  (see above)

    if not all(hasattr(providers, name) for name in (_HARVEST, _CACHE, _NONE_OF_THEM)):
        import hypothesis  # noqa: PLC0415  (see above)

        warnings.warn(
            f"Hypothesis {hypothesis.__version__} keeps elsewhere what it draws from imported modules, so "
            f"one seed may give other runs after other imports; use an earlier one, or update heisenlab",
            RuntimeWarning,
            stacklevel=3,
        )
        yield
        return
    with _SWITCH.lock:
        if not _SWITCH.searches:
            cache = getattr(providers, _CACHE)
            _SWITCH.before = {_HARVEST: getattr(providers, _HARVEST), _CACHE: cache}
            nothing = getattr(providers, _NONE_OF_THEM)()
            setattr(providers, _HARVEST, lambda: nothing)
            # It holds for each kind of draw the constants that fit, those of modules among them.
            if _SWITCH.cache is None:
                _SWITCH.cache = type(cache)(cache.max_size)
            setattr(providers, _CACHE, _SWITCH.cache)
        _SWITCH.searches += 1
    try:
        yield
    finally:
        with _SWITCH.lock:
            _SWITCH.searches -= 1
            if not _SWITCH.searches:
                for name, value in _SWITCH.before.items():
                    setattr(providers, name, value)
