"""The live instrument: take away part of a real process's address space, so that a cut pointer shows itself.

Linux on x86-64. It needs no compiler, no root, no rebuild, and no memory: what is taken is mapped, and nobody
may touch it.
"""

from simulations.address_space.live.errors import RefusedError
from simulations.address_space.live.filling import Filling
from simulations.address_space.live.launch import Options, Run, run
from simulations.address_space.live.layout import Region, Span, parse_size, picture, read_layout

__all__ = [
    "Filling",
    "Options",
    "RefusedError",
    "Region",
    "Run",
    "Span",
    "parse_size",
    "picture",
    "read_layout",
    "run",
]
