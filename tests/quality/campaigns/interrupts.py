"""Ctrl-C and SIGTERM at random moments: a line and an exit status, no traceback, and nothing left behind.

Each try starts a command in a session of its own, sends the signal to its process group after a random time
(Ctrl-C as a terminal sends it; SIGTERM and SIGKILL to the command alone), and looks at how it ended, what it
printed, which processes of the session are alive a second later and which files it left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt
from tests.quality.campaigns.campaign import End, Ended, Tally, heisenlab, main, program

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

RACE: Final = """
class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self, amount):
        seen = self.balance
        self.balance = seen + amount

setup = Account
workers = [lambda account: account.deposit(1)] * 3
def check(account):
    assert account.balance == 3
"""

SETTLED_SECONDS: Final = 1.0
"""What is given to the processes of a command that has ended to end too."""

OURS: Final = ("/scenarios/", "/simulations/", "<string>")
"""Where a traceback comes from that Python does not print before a line of ours can run."""


@dataclass(frozen=True)
class Command:
    """A command, and the exit statuses that it may have where it was quicker than the signal."""

    name: str
    words: tuple[str, ...]
    statuses: frozenset[int]


def commands(folder: Path) -> list[Command]:
    """Return the commands that are interrupted, and make the files that they need."""
    race, finding = folder / "race.py", folder / "saved.json"
    race.write_text(RACE)
    found = hunt("invalid-mode", verify=False).finding
    assert found is not None
    found.save(finding)
    step = ("step", "invalid-mode", str(finding), "--json")
    return [
        Command("hunt", ("hunt", "vanishing-job", "-o", str(folder / "out.json")), frozenset({1})),
        Command("hunt all", ("hunt", "invalid-mode", "--searcher", "exhaustive", "--variant", "recovery",
                             "--budget", "3000"), frozenset({0, 3})),
        Command("replay", ("replay", str(finding)), frozenset({1})),
        Command("threads", ("threads", "run", str(race), "--max-schedules", "2000"), frozenset({1})),
        Command("step", step, frozenset({0})),
        Command("test", ("test", "-k", "invalid_mode and nominal", "-q", "-p", "no:cacheprovider"),
                frozenset({0, 2, 5})),
    ]  # fmt: skip


def alive_in(session: int) -> list[str]:
    """Return the processes of a session that are not zombies."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        try:
            if os.getsid(process.pid) == session and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.info["cmdline"] or ["?"])[:200])
        except (ProcessLookupError, psutil.Error):
            continue
    return found


def signalled(
    command: Sequence[str], number: signal.Signals, after: float, folder: Path
) -> tuple[Ended, list[str], list[str]]:
    """Run a command and send it a signal; return how it ended, what is alive and what lies in the folder."""
    sessions: list[int] = []

    def during(process: subprocess.Popen[str]) -> None:
        sessions.append(process.pid)
        time.sleep(after)
        if process.poll() is None:
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    environment = {**os.environ, "TMPDIR": str(folder)}
    ended = program(command, during=during, seconds_max=300, cwd=folder, env=environment)
    patience = time.monotonic() + SETTLED_SECONDS
    while (alive := alive_in(sessions[0])) and time.monotonic() < patience:
        time.sleep(0.05)
    kept = {
        "race.py",
        "saved.json",
        "out.json",
        "__pycache__",
        ".hypothesis",
        ".benchmarks",
    }  # of the environment's plugins
    return ended, alive, [entry.name for entry in folder.iterdir() if entry.name not in kept]


def judge(command: Command, number: int, ended: Ended, alive: list[str], files: list[str]) -> tuple[End, str]:
    """Return how an interrupted command ended."""
    if ended.status is None:
        return End.HANG, ""
    if number == signal.SIGKILL and ended.status == -number:
        files = []  # nobody can clean up after that
    if alive or files:
        return End.LEFT_BEHIND, f"{alive or files}"
    if ended.tells_a_traceback:
        ours = [line for line in ended.err.splitlines() if line.lstrip().startswith("File ")]
        early = not any(place in line for place in OURS for line in ours)
        if not (early and "KeyboardInterrupt" in ended.err):
            return End.TRACEBACK, ended.err[-1500:]
        return End.RESULT, ""
    if ended.status in command.statuses or ended.status == -number:
        return End.RESULT, ""
    if ended.status == 128 + number:
        said = [line for line in ended.err.splitlines() if line.startswith("heisenlab: ")]
        return (End.ONE_LINE, "") if len(said) == 1 else (End.OTHER, f"said {ended.err!r}")
    return End.OTHER, f"exit status {ended.status}, {ended.err[-500:]!r}"


def campaign(
    seed: int,
    tries: int,
    run: Callable[..., list[str]] = heisenlab,
    names: Sequence[str] = (),
    signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGKILL),
) -> Tally:
    """Interrupt commands at moments from their first to past their last."""
    tally, rng = Tally("interrupts", seed), random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = [each for each in commands(folder) if each.name in (names or [each.name])]
        lengths: dict[str, float] = {}
        for each in chosen:  # how long it takes here, so that the moments reach from its beginning to its end
            began = time.monotonic()
            program(run(*each.words), seconds_max=300, cwd=folder)
            lengths[each.name] = time.monotonic() - began
        for _ in range(tries):
            command, number = rng.choice(chosen), rng.choice(signals)
            after = rng.random() * lengths[command.name]
            out = folder / "out.json"
            out.unlink(missing_ok=True)
            ended, alive, files = signalled(run(*command.words), number, after, folder)
            end, why = judge(command, number, ended, alive, files)
            if end is End.RESULT and ended.status == 1 and command.name == "hunt" and not usable(out):
                end, why = End.LOST, "found, and not saved"
            tally.count(end, f"{command.name}, {number.name} after {after:.3f} s: {why}")
    return tally


def usable(path: Path) -> bool:
    """Return whether a finding was saved whole."""
    return path.exists() and bool(json.dumps(load(path).to_json()))


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=20))
