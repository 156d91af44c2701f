"""One hunt under many settings of the process: what it finds is the same, to the byte.

Hash seeds, time zones, locales, encodings, the current folder, the umask, `-X dev`, `-I`, no HOME, other
terminals; and PYTHONOPTIMIZE, under which no assert could fail, is refused.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.quality.campaigns.campaign import End, Tally, main, program

if TYPE_CHECKING:
    from collections.abc import Sequence

HUNTS: Final = (
    ("hunt", "invalid-mode", "--searcher", "random", "--seed", "3"),
    ("hunt", "stale-cache", "--searcher", "exhaustive"),
    ("hunt", "truncated-pointer", "--searcher", "random", "--seed", "1"),
)
SAME: Final = (
    "verdict",
    "plan",
    "plan_in_words",
    "digest",
    "input",
    "message",
    "search_runs",
    "minimising_runs",
)
"""What must depend on no setting. With Hypothesis the number of runs may, so it is not hunted with here."""

VARIABLES: Final = {
    "PYTHONHASHSEED": ("0", "1", "4242", "random"),
    "TZ": ("UTC", "Asia/Kathmandu", "America/St_Johns", "Nonsense/Zone"),
    "LANG": ("C", "tr_TR.UTF-8", "de_DE.UTF-8", ""),
    "LC_ALL": ("C", "POSIX", "tr_TR.UTF-8"),
    "PYTHONIOENCODING": ("ascii", "utf-8", "latin-1"),
    "PYTHONUTF8": ("0", "1"),
    "TERM": ("dumb", "xterm-256color", "vt100", ""),
    "COLUMNS": ("20", "60", "300"),
    "NO_COLOR": ("1",),
    "FORCE_COLOR": ("1",),
    "PYTHONDONTWRITEBYTECODE": ("1",),
    "PYTHONMALLOC": ("debug",),
    "PYTHONFAULTHANDLER": ("1",),
    "PYTHONWARNINGS": ("error",),
    "HOME": (None, "/nonexistent"),
    "PYTHONOPTIMIZE": ("1", "2"),
}
OPTIONS: Final = ("-X dev", "-I", "-B", "-bb", "-s")
START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from scenarios.lab.start import main; sys.exit(main())"
)


def campaign(seed: int, tries: int, start: str = START, hunts: Sequence[tuple[str, ...]] = HUNTS) -> Tally:
    """Draw one to four settings for each try, and compare with the run that has none."""
    tally, rng = Tally("determinism", seed), random.Random(seed)
    root = str(Path(__file__).parents[3])
    plain = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    expected: dict[tuple[str, ...], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(tries):
            hunt = rng.choice(hunts)
            command = [sys.executable, "-c", start, root, *hunt, "--json"]
            if hunt not in expected:
                expected[hunt] = _same(program(command, env=plain).out)
            environment, flags, said = dict(plain), [], []
            for name in rng.sample(sorted(VARIABLES), rng.randint(1, 4)):
                value = rng.choice(VARIABLES[name])
                said.append(f"{name}={value}")
                environment.pop(name, None)
                if value is not None:
                    environment[name] = value
            if rng.random() < 0.4:
                flags = rng.choice(OPTIONS).split()
            umask = rng.choice((0o000, 0o022, 0o077, 0o777))
            shell = ["sh", "-c", f'umask {umask:03o} && exec "$@"', "sh"]
            ended = program(
                [*shell, sys.executable, *flags, *command[1:]],
                env=environment,
                cwd=rng.choice(("/", folder, root)),
            )
            what = f"{' '.join(hunt)} with {' '.join([*said, *flags])} umask {umask:03o}"
            if ended.status is None:
                tally.count(End.HANG, what)
            elif ended.tells_a_traceback:
                tally.count(End.TRACEBACK, f"{what}: {ended.err[-600:]}")
            elif "PYTHONOPTIMIZE" in environment and "-I" not in flags:
                refused = ended.status == 2 and ended.err.count("\n") == 1 and "PYTHONOPTIMIZE" in ended.err
                tally.count(End.ONE_LINE if refused else End.OTHER, f"{what}: {ended.err[-300:]}")
            elif ended.status != 1 or _same(ended.out) != expected[hunt]:
                tally.count(End.OTHER, f"{what}: status {ended.status}: {(ended.out + ended.err)[-600:]}")
            else:
                tally.count(End.RESULT, what)
    return tally


def _same(out: str) -> dict[str, Any]:
    try:
        data = json.loads(out)
    except ValueError:
        return {"out": out}
    return {key: data[key] for key in SAME}


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=20))
