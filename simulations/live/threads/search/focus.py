"""In front of which instructions a switch of threads can matter."""

from __future__ import annotations

import threading
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.accesses import TRIED, Shares, conflicting
from simulations.live.threads.search.plans import normal

if TYPE_CHECKING:
    from simulations.live.threads.control.sites import Site


def focused(shares: Shares) -> set[Site]:
    """Return the sites in front of which a switch can matter.

    Giving a lock back matters only where another thread tries the lock without waiting for it: one that waits
    sees no difference between a switch before it and one after. Nor does a switch matter right before a
    thread waits for a condition, since it then gives way by itself.
    """
    tried = {stamp for stamp, entries in shares.items() if any(part == TRIED for part, _, _ in entries)}
    real = {
        stamp: {
            key: {site for site in sites if stamp in tried or not site.only_releases}
            for key, sites in entries.items()
        }
        for stamp, entries in shares.items()
    }
    return {site for site in conflicting(real) if site.code is not _CONDITION_WAIT}


_CONDITION_WAIT: Final = threading.Condition.wait.__code__


def where(site: Site) -> tuple[str, str, int]:
    """Return the place of a site as a plan names it: file, function, line."""
    return PurePath(site.code.co_filename).name, normal(site.code.co_qualname), site.line


def alike(site: Site) -> tuple[str, str, int, str, str]:
    """Return what sites have in common that look the same from outside."""
    return site.code.co_filename, normal(site.code.co_qualname), site.line, site.verb, site.name
