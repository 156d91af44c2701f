"""Builds the whole site: the pages of the documentation, and in `play/` those that can be played.

    python -m docs.site OUT
    python -m docs.site OUT --lite     and the lessons as notebooks that run in the page, linked from theirs

It takes the extra `docs` (with `--lite` also `browser`) and, as `docs.play.build`, node, npm and pip. Any
static server can serve it; `heisenlab docs OUT` does, on this machine only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def main() -> int:
    """Build the site into the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder, made if it is not there")
    parser.add_argument("--lite", action="store_true", help="the lessons as notebooks that run in the page")
    given = parser.parse_args()
    out = given.out.resolve()
    pages = ["sphinx", "--fail-on-warning", "--quiet", *(["-t", "lite"] if given.lite else [])]
    play = [
        "docs.play.build",
        str(out / "play"),
        "--home",
        "../index.html",
        *(["--lite"] if given.lite else []),
    ]
    for words in ([*pages, "docs", str(out)], play):
        status = subprocess.run([sys.executable, "-m", *words], cwd=ROOT).returncode
        if status:
            return status
    sys.stdout.write(f"look at it: heisenlab docs {given.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
