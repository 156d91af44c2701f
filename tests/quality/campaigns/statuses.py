"""Exit statuses: every command, with arguments that are right and wrong, and ended by signals."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from scenarios.lab.hunt import hunt
from tests.quality.campaigns.campaign import End, Ended, Tally, heisenlab, main, program
from tests.quality.campaigns.interrupts import RACE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

VALVE: Final = """
class Valve:
    def __init__(self):
        self.mode = "a"

    def go(self):
        self.mode = {"a": "b", "b": "a"}.get(self.mode, self.mode)
"""

WRONG: Final = (
    "--nonsense",
    "--seed=x",
    "--budget=0",
    "\x1b[2J",
    "",
    "--",
    "-o",
    "--json=1",
    "\udcff",
    "--variant=",
)
"""Words that no command takes where they stand."""

SLOW: Final = ("hunt", "vanishing-job", "--searcher", "exhaustive", "--variant", "both", "--deviations", "4")
"""A hunt that is not over before a signal reaches it."""

STARTED_CPU_SECONDS: Final = 1.0
"""More than a command needs until it works, and less than `SLOW` needs to end."""

HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a command in one line; every other one does what it does to any program."""
OTHERS: Final = (
    signal.SIGKILL,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGQUIT,
    signal.SIGABRT,
)


def right(folder: Path) -> list[tuple[tuple[str, ...], int]]:
    """Return commands and the exit status that each must have."""
    finding, race, valve = folder / "finding.json", folder / "race.py", folder / "valve.py"
    race.write_text(RACE)
    valve.write_text(VALVE)
    found = hunt("invalid-mode", verify=False).finding
    assert found is not None
    found.save(finding)
    dead_end = (
        "machine",
        "examine",
        f"{valve}:Valve",
        "--field",
        "mode",
        "--states",
        "a,b",
        "--events",
        "go",
    )
    return [
        (("list",), 0),
        (("list", "--json"), 0),
        (("show", "stale-cache"), 0),
        (("--version",), 0),
        (("hunt", "--help"), 0),
        (("hunt", "invalid-mode"), 1),
        (("hunt", "invalid-mode", "--deviations", "0"), 0),
        (("hunt", "invalid-mode", "--variant", "recovery", "--searcher", "exhaustive"), 0),
        (("hunt", "invalid-mode", "--variant", "recovery", "--budget", "20"), 3),
        (("replay", str(finding)), 1),
        (("replay", str(finding), "--bisect"), 1),
        (("replay", str(finding), "--questions-max", "3"), 2),
        (("replay", str(folder)), 2),
        (("replay", str(folder / "nowhere.json"), "--bisect"), 125),
        (("step", "invalid-mode", str(finding), "--json"), 0),
        (("step", "stale-cache", str(finding)), 2),
        (("threads", "run", str(race)), 1),
        (("threads", "run", str(folder / "nowhere.py")), 2),
        ((*dead_end, "--width", "2"), 1),
        ((*dead_end, "--width", "x"), 2),
        (("memory", "map", "--json"), 0),
        (("memory", "run"), 2),
        (("record", "show", str(folder / "nowhere")), 2),
        (("nonsense",), 2),
        ((), 2),
    ]


def judge(ended: Ended, expected: set[int]) -> tuple[End, str]:
    """Return how a command ended that must have one of these exit statuses."""
    if ended.status is None:
        return End.HANG, ""
    if ended.tells_a_traceback:
        return End.TRACEBACK, ended.err[-500:]
    if ended.status not in expected:
        return End.OTHER, f"exit status {ended.status}, not {expected}: {ended.err[-300:]!r}"
    said = [line for line in ended.err.splitlines() if line.startswith("heisenlab")]
    if ended.status in {2, 125, 130, 143} and len(said) != 1:
        return End.LOST, f"no clear line: {ended.err[-300:]!r}"
    return (End.ONE_LINE if said else End.RESULT), ""


def campaign(
    seed: int,
    tries: int,
    run: Callable[..., list[str]] = heisenlab,
    signals: Sequence[int] = (*HANDLED, *OTHERS),
) -> Tally:
    """Try the right commands, each with a wrong word added, and a slow one ended by signals."""
    tally, rng = Tally("statuses", seed), random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        commands = right(Path(name))
        rng.shuffle(commands)
        for number in range(tries):
            words, status = commands[number % len(commands)]
            kind = number // len(commands) % 3
            if kind == 0:
                ended, expected = program(run(*words), cwd=name), {status}
            elif kind == 1:
                wrong = rng.choice(WRONG)
                words = (*words, wrong)
                ended = program(run(*words), cwd=name)
                expected = {2, 125, *range(4)} if "--bisect" in words or wrong in {"", "--"} else {0, 1, 2, 3}
            else:
                sent = signal.Signals(rng.choice(signals))
                words = (*SLOW, f"# {sent.name}")
                ended = program(run(*SLOW), during=lambda process, sent=sent: _late(process, sent), cwd=name)
                expected = {128 + sent} if sent in HANDLED else {-sent}
            end, why = judge(ended, expected)
            tally.count(end, f"{' '.join(words)!a}: {why}")
    return tally


def _late(process: subprocess.Popen[str], sent: int) -> None:
    """Send a signal to a command that works: after a second of its CPU time, however long that takes."""
    with suppress(psutil.Error):
        while psutil.Process(process.pid).cpu_times().user < STARTED_CPU_SECONDS:
            time.sleep(0.05)
    process.send_signal(sent)


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=25))
