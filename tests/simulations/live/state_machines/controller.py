"""The machine of the story, written by hand, and what its examination needs."""

import enum
import typing

NAMES = ["INIT", "IDLE", "RUN", "STEP", "HALT"]


class Mode(enum.IntEnum):
    INIT = 0
    IDLE = 1
    RUN = 2
    STEP = 3
    HALT = 4


class Controller:
    """The machine of the story: nobody wrote a branch for what is no mode."""

    next_modes: typing.ClassVar = {
        Mode.INIT: dict.fromkeys(("boot", "go", "step", "halt"), Mode.IDLE),
        Mode.IDLE: {"go": Mode.RUN, "step": Mode.STEP, "halt": Mode.HALT},
        Mode.RUN: {"step": Mode.STEP, "halt": Mode.HALT},
        Mode.STEP: {"halt": Mode.HALT},
        Mode.HALT: {"go": Mode.RUN, "step": Mode.STEP},
    }

    def __init__(self):
        self.mode = Mode.INIT

    def take(self, command):
        self.mode = self.next_modes.get(self.mode, {}).get(command, self.mode)

    def boot(self):
        self.take("boot")

    def go(self):
        self.take("go")

    def step(self):
        self.take("step")

    def halt(self):
        self.take("halt")

    def reset(self):
        if self.mode in self.next_modes:
            self.mode = Mode.INIT


EVENTS = ["boot", "go", "step", "halt"]
OWN = {"field": "mode", "states": Mode, "width": 3, "events": EVENTS, "reset": "reset"}


def verdicts(report):
    return {probe.lands_in: probe.verdict for probe in report.codes}
