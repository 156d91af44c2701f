"""Ctrl-C and SIGTERM at random moments: a line and an exit status, no traceback, and nothing left behind.

Each try starts a command in a session of its own, sends the signal to its process group after a random time
(Ctrl-C as a terminal sends it; SIGTERM and SIGKILL to the command alone), and looks at how it ended, what it
printed, which processes of the session are alive a second later and which files it left.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt
from tests.quality.campaigns.campaign import GOOD, End, Ended, Tally, heisenlab, main, program

if TYPE_CHECKING:
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
    """A command that is interrupted.

    Attributes:
        name: What the campaign calls it.
        words: Its arguments.
        statuses: The exit statuses that it may have where it was quicker than the signal.
        seconds: When the last signal is sent; None is as long as it takes.
        settled_seconds: What is given to its processes to end after it.
    """

    name: str
    words: tuple[str, ...]
    statuses: frozenset[int]
    seconds: float | None = None
    settled_seconds: float = SETTLED_SECONDS


OUTPUTS: Final = ("out.json", "course", "page.html", "state", "recorded")
"""What commands write where they are let; it is removed before each try."""
INPUTS: Final = frozenset({"race.py", "saved.json", "site", "repository"})
OF_PLUGINS: Final = frozenset({"__pycache__", ".hypothesis", ".benchmarks"})
"""What the environment's plugins leave where pytest runs."""


def commands(folder: Path) -> list[Command]:
    """Return the commands that are interrupted, and make the files that they need."""
    race, finding, site = folder / "race.py", folder / "saved.json", folder / "site"
    race.write_text(RACE)
    site.mkdir()
    (site / "index.html").touch()
    repository(folder / "repository")
    found = hunt("invalid-mode", verify=False).finding
    assert found is not None
    found.save(finding)
    saved, done, red = str(finding), frozenset({0}), frozenset({1})
    ends = ("--good", "HEAD~5", "--bad", "HEAD", "--state", str(folder / "state"))
    bisect = ("bisect", "-C", str(folder / "repository"), *ends, "--", "sh", "-c", "test ! -e broken")
    return [
        Command("hunt", ("hunt", "vanishing-job", "-o", str(folder / "out.json")), red),
        Command("hunt all", ("hunt", "invalid-mode", "--searcher", "exhaustive", "--variant", "recovery",
                             "--budget", "3000"), frozenset({0, 3})),
        Command("hunt with seeds", ("hunt", "invalid-mode", "--seeds", "60", "--workers", "2"), red),
        Command("compare", ("compare", "stale-cache", "--searcher", "exhaustive", "--hunts", "8",
                            "--workers", "2"), done),
        Command("replay", ("replay", saved), red),
        Command("causality", ("causality", saved), done),
        Command("isolate", ("isolate", saved), done),
        Command("report", ("report", saved, "-o", str(folder / "page.html")), done),
        Command("mark", ("mark", saved), done),
        Command("threads", ("threads", "run", str(race), "--max-schedules", "2000"), red),
        Command("step", ("step", "invalid-mode", saved, "--json"), done),
        Command("bisect", bisect, done),
        Command("learn", ("learn", str(folder / "course")), done),
        Command("demo", ("demo", "given"), red),
        Command("docs", ("docs", str(site), "--no-browser"), done, seconds=1.5),
        Command("record", ("record", "-o", str(folder / "recorded"), "--", "sleep", "0.5"), done,
                settled_seconds=5.0),
        Command("test", ("test", "-k", "invalid_mode and nominal", "-q", "-p", "no:cacheprovider"),
                frozenset({0, 2, 5})),
    ]  # fmt: skip


def repository(folder: Path) -> None:
    """Make a repository of six versions, of which the last three fail."""
    who = ("-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    git = ("git", "-C", str(folder), *who)
    folder.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    for number in range(6):
        (folder / ("broken" if number == 3 else f"part{number}")).touch()
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", f"Part {number}"], check=True)


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
    command: Command, run: Sequence[str], number: signal.Signals, after: float, folder: Path
) -> tuple[Ended, list[str], list[str]]:
    """Run a command and send it a signal; return how it ended, what is alive and which files are too many."""
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
    ended = program(run, during=during, seconds_max=300, cwd=folder, env=environment)
    patience = time.monotonic() + command.settled_seconds
    while (alive := alive_in(sessions[0])) and time.monotonic() < patience:
        time.sleep(0.05)
    kept = {*OUTPUTS, *INPUTS, *OF_PLUGINS}
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
        ends = ("heisenlab: interrupted", "heisenlab: ended by")
        said = [line for line in ended.err.splitlines() if line.startswith(ends)]
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
        wholes: dict[str, set[str]] = {}
        for each in chosen:  # how long it takes here, so that the moments reach from its beginning to its end
            began = time.monotonic()
            if each.seconds is None:
                program(run(*each.words), seconds_max=300, cwd=folder)
            lengths[each.name] = each.seconds or time.monotonic() - began
            wholes[each.name] = emptied(folder)
        for _ in range(tries):
            command, number = rng.choice(chosen), rng.choice(signals)
            after = rng.random() * lengths[command.name]
            ended, alive, files = signalled(command, run(*command.words), number, after, folder)
            end, why = judge(command, number, ended, alive, files)
            saved = command.name != "hunt" or ended.status != 1 or usable(folder / "out.json")
            written = emptied(folder)
            unfinished = command.name == "learn" and written not in (set(), wholes["learn"])
            if end is End.RESULT and not saved:
                end, why = End.LOST, "found, and not saved"
            elif end in GOOD and unfinished and number != signal.SIGKILL:
                end, why = End.LEFT_BEHIND, f"{len(written)} files of {len(wholes['learn'])}"
            tally.count(end, f"{command.name}, {number.name} after {after:.3f} s: {why}")
    return tally


def emptied(folder: Path) -> set[str]:
    """Remove what commands wrote into a folder; return what that was."""
    written = set()
    for output in map(folder.joinpath, OUTPUTS):
        written |= {str(path.relative_to(folder)) for path in output.rglob("*")}
        if output.is_dir():
            shutil.rmtree(output)
        else:
            output.unlink(missing_ok=True)
    return written


def usable(path: Path) -> bool:
    """Return whether a finding was saved whole."""
    return path.exists() and bool(json.dumps(load(path).to_json()))


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=20))
