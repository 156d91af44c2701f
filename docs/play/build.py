"""Builds what the lab needs in a browser into a folder that any static server can serve.

    python -m docs.play.build OUT            worker and pages
    python -m docs.play.build OUT --lite     and a JupyterLite with the lessons, in OUT/lite
    python -m docs.play.build OUT --home ../index.html    with a link to the documentation

The folder then holds the pages, `index.html` and those that it lists; `worker.js`, which says how a page uses
Python; the other files of docs/play for the browser; and `python/`: CPython in WebAssembly with its standard
library compiled beforehand, the lab in `lab.zip`, which Python imports as it is, and `hypothesis.zip`, which
only those pages fetch that need it. Serve it, for instance with `python -m http.server --directory OUT`.

It takes node, npm and pip, and fetches from npm and PyPI, at the versions that stand below. What is built
asks no other host for anything.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from docs.play import lite, pages, steps
from docs.play.python import schedules

HERE: Final = Path(__file__).parent
FOR_BROWSERS: Final = frozenset({".css", ".html", ".js", ".json", ".svg"})
LATER: Final = ("hypothesis-", "sortedcontainers-")
"""Wheels that are unpacked when they are needed, since one of them has a part that is no Python."""
SITE_PACKAGES: Final = f"/lib/python{steps.PYTHON}/site-packages"


def archive(found: list[Path], target: Path, more: dict[str, bytes]) -> None:
    """Unite wheels in one archive.

    Args:
        found: The wheels.
        target: The archive.
        more: What else is in it, by name.
    """
    with zipfile.ZipFile(target, "w") as united:
        for wheel in found:
            with zipfile.ZipFile(wheel) as parts:
                for name in parts.namelist():
                    united.writestr(zipfile.ZipInfo(name), parts.read(name))
        for name, content in more.items():
            united.writestr(zipfile.ZipInfo(name), content)


def played() -> dict[str, bytes]:
    """Return the modules of docs/play/python as the package `play`, with the table of all schedules."""
    modules = {
        f"play/{module.name}": module.read_bytes() for module in sorted((HERE / "python").glob("*.py"))
    }
    return modules | {f"play/{schedules.TABLE}": json.dumps(schedules.table()).encode()}


def build(out: Path, work: Path, *, lessons: bool = False, home: str = "") -> None:
    """Build the folder.

    Args:
        out: Where to; what is there is replaced, file by file.
        work: A folder for what is fetched.
        lessons: Whether a JupyterLite with the lessons is built besides.
        home: The address of the documentation, seen from the folder; empty where there is none.

    Raises:
        BuildError: a step did not work.
    """
    source = steps.pyodide(work)
    steps.download(work / "wheels", *steps.NEEDED)
    steps.run(*steps.PIP, "wheel", "--no-deps", "--wheel-dir", work / "wheels", steps.ROOT)
    found = sorted((work / "wheels").glob("*.whl"))
    python = out / "python"
    python.mkdir(parents=True, exist_ok=True)
    for name in steps.SERVED:
        shutil.copyfile(source / name, python / name)
    for path in HERE.iterdir():
        if path.suffix in FOR_BROWSERS:
            shutil.copyfile(path, out / path.name)
    pages.write(out, home)
    later = [wheel for wheel in found if wheel.name.startswith(LATER)]
    archive([wheel for wheel in found if wheel not in later], work / "lab.zip", played())
    archive(later, work / "hypothesis.zip", {})
    library = f"/lib/python{steps.PYTHON.replace('.', '')}.zip"
    jobs = [
        {"source": source / "python_stdlib.zip", "folder": library, "layout": "compiled"},
        {"source": work / "lab.zip", "folder": "/lab.zip", "layout": "beside"},
        {"source": work / "hypothesis.zip", "folder": SITE_PACKAGES, "layout": "cached"},
    ]
    for job in jobs:
        job["target"] = python / Path(job["source"]).name
    steps.run("node", HERE / "precompile.mjs", source, json.dumps(jobs, default=str))
    if lessons:
        lite.build(out, source, python / "python_stdlib.zip", found, work)


def main() -> int:
    """Build the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m docs.play.build", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder, made if it is not there")
    parser.add_argument("--lite", action="store_true", help="a JupyterLite with the lessons too, in OUT/lite")
    parser.add_argument(
        "--home", default="", metavar="ADDRESS", help="where the documentation is, to be linked"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        try:
            build(given.out, Path(work), lessons=given.lite, home=given.home)
        except steps.BuildError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(f"Serve it: python -m http.server --bind 127.0.0.1 --directory {given.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
