"""In front of which instructions a switch of threads can matter."""

from __future__ import annotations

import threading
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.accesses import Shares, conflicting
from simulations.live.threads.search.plans import normal

if TYPE_CHECKING:
    from simulations.live.threads.control.sites import Site


def focused(shares: Shares) -> set[Site]:
    """Return the sites in front of which a switch can matter.

    A switch does not matter right before a thread waits for a condition, since it then gives way by itself.
    """
    return {site for site in conflicting(shares) if site.code is not _CONDITION_WAIT}


_CONDITION_WAIT: Final = threading.Condition.wait.__code__


def where(site: Site) -> tuple[str, str, int]:
    """Return the place of a site as a plan names it: file, function, line; none of the end of a thread."""
    if site.kind == "end":
        return "", "", 0
    return PurePath(site.code.co_filename).name, normal(site.code.co_qualname), site.line


def alike(site: Site) -> tuple[str, str, int, str, str]:
    """Return what sites have in common that look the same from outside."""
    return site.code.co_filename, normal(site.code.co_qualname), site.line, site.verb, site.name
