"""The live instrument: take away part of a real process's address space, so that a cut pointer shows itself.

Linux on x86-64. It needs no compiler, no root, no rebuild, and no memory: what is taken is mapped, and nobody
may touch it.
"""

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import Filling
from simulations.live.memory.launch import Options, Run, run
from simulations.live.memory.layout import Region, Span, parse_size, picture, read_layout

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
