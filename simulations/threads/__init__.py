"""A deterministic scheduler for real, unchanged Python threads."""

from simulations.threads.errors import StuckError, ThreadsError
from simulations.threads.explore import explore, replay, uninteresting
from simulations.threads.report import Exploration, Replay
from simulations.threads.scheduler import Failure

__all__ = [
    "Exploration",
    "Failure",
    "Replay",
    "StuckError",
    "ThreadsError",
    "explore",
    "replay",
    "uninteresting",
]
