"""The end of a run: threads in the middle of their work are unwound."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.carriers import KERNEL_LIMIT, REAP_LIMIT
from simulations.live.threads.control.tracing import set_trace

if TYPE_CHECKING:
    from simulations.live.threads.control.kernel import Kernel
    from simulations.live.threads.control.run import Run

EXECUTORS: Final = logging.getLogger("concurrent.futures")
"""Looked up once: an interruption in the middle of that would leave the lock of `logging` taken for good."""


def unwind(run: Run, kernel: Kernel) -> None:
    """Unwind every thread that is left, one at a time, so that none is left behind."""
    # No generator gives back what is taken here: one that is interrupted as it begins would do so much later.
    disabled, trace = EXECUTORS.disabled, sys.gettrace()
    try:
        # The thread of an executor would log the end that it is brought to.
        EXECUTORS.disabled = True
        # On 3.11 a thread that is being traced does not move while another has yet to take an interruption.
        set_trace(None)
        for task in run.tasks:
            carrier = task.carrier
            if task.done or carrier is None:
                continue
            task.waits(None)
            run.baton.alone(task)
            if task.gate.locked():
                task.gate.release()
            carrier.finish(KERNEL_LIMIT if kernel.has(task) else REAP_LIMIT)
    finally:
        set_trace(trace)
        EXECUTORS.disabled = disabled
