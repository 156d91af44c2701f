"""Take away part of a real process's address space, so that a truncated pointer shows itself.

A program that keeps a pointer in 32 bits is right for as long as its memory lies low. Filled from below, all
its memory lies high; the first use of such a pointer is a crash, and the report names the pointer it was::

    from simulations.live import memory

    done = memory.run([sys.executable, "-m", "simulations.live.memory.specimen"], memory.Filling("fill"))
    with memory.filled_low(): ...  # the same for this process, without ptrace

It needs Linux on x86-64, and no compiler, no root, no rebuild, and no memory: what is taken is mapped without
any access. The package imports everywhere; elsewhere the functions raise `RefusedError`.

* `launch`, `options`: run a command as a child, or become it;
* `filling`: which addresses to take away, and which gaps that means;
* `in_process`: the same for the running Python process;
* `layout`: regions, gaps, and a picture of both;
* `report`: the result, as data, text, and JSON;
* `crash`, `elf`: which live pointer a crash address was, and which function used it;
* `seize`, `watch`, `ptrace`: how a process is held, filled and followed, on Linux only;
* `specimen`: a program with the bug, to try it on;
* `errors`: what the instrument refuses.
"""

from simulations.live.memory.crash import Crash, Cut, Explanation
from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import Filling
from simulations.live.memory.in_process import LowFill, fill_low, filled_low, release
from simulations.live.memory.launch import Run, run
from simulations.live.memory.layout import Region, Span, parse_size, picture, read_layout
from simulations.live.memory.options import Options
from simulations.live.memory.report import Program, Report, report_json, report_lines

__all__ = [
    "Crash",
    "Cut",
    "Explanation",
    "Filling",
    "LowFill",
    "Options",
    "Program",
    "RefusedError",
    "Region",
    "Report",
    "Run",
    "Span",
    "fill_low",
    "filled_low",
    "parse_size",
    "picture",
    "read_layout",
    "release",
    "report_json",
    "report_lines",
    "run",
]
