"""Builds what the lab needs in a browser into a folder that any static server can serve.

    python -m docs.play.build OUT

The folder then holds `worker.js`, which says how a page uses it; the other files of docs/play for the
browser; and `python/`: CPython in WebAssembly with its standard library compiled beforehand, and the lab with
what it needs in `lab.zip`. Serve it, for instance with `python -m http.server --directory OUT`.

It takes node, npm and pip, and fetches from npm and PyPI, at the versions that stand below. What is built
asks no other host for anything.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]

PYODIDE: Final = "314.0.7"
"""The version of Pyodide: CPython 3.14 in WebAssembly."""
PYTHON: Final = "3.14"
PLATFORM: Final = "pyemscripten_2026_0_wasm32"
"""What wheels for that version are called."""
NEEDED: Final = ("hypothesis==6.170.17", "simpy==4.1.2", "sortedcontainers==2.4.0")
SERVED: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json")
"""The files of Pyodide that a page loads, besides the standard library."""
FOR_BROWSERS: Final = frozenset({".css", ".html", ".js", ".json", ".svg"})
SITE_PACKAGES: Final = f"/lib/python{PYTHON}/site-packages"


class BuildError(Exception):
    """A step did not work; the message says which, and what to do."""


def run(*command: str | Path) -> None:
    """Run a command; raises `BuildError` with what it printed where it fails."""
    program = shutil.which(command[0])
    if program is None:
        raise BuildError(f"{command[0]} is needed; install it")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def pyodide(work: Path) -> Path:
    """Return the folder of the npm package; fetch it, unless HEISENLAB_PYODIDE names one of this version."""
    given = Path(os.environ.get("HEISENLAB_PYODIDE", ROOT / "node_modules"), "pyodide")
    package = given / "package.json"
    if package.exists() and json.loads(package.read_text(encoding="utf-8"))["version"] == PYODIDE:
        return given
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", work, f"pyodide@{PYODIDE}")
    return work / "node_modules" / "pyodide"


def wheels(work: Path, *needed: str) -> list[Path]:
    """Return the wheels of these distributions for WebAssembly, without what they depend on, and our own."""
    folder = work / "wheels"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    for_browser = ("--platform", PLATFORM, "--implementation", "cp", "--python-version", PYTHON)
    abi = f"cp{PYTHON.replace('.', '')}"
    run(
        *pip,
        "download",
        "--no-deps",
        "--only-binary=:all:",
        *for_browser,
        "--abi",
        abi,
        "-d",
        folder,
        *needed,
    )
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    return sorted(folder.glob("*.whl"))


def archive(found: list[Path], target: Path) -> None:
    """Unite wheels, and the modules of docs/play/python as the package `play`, in one archive."""
    with zipfile.ZipFile(target, "w") as united:
        for wheel in found:
            with zipfile.ZipFile(wheel) as parts:
                for name in parts.namelist():
                    united.writestr(zipfile.ZipInfo(name), parts.read(name))
        for module in sorted((HERE / "python").glob("*.py")):
            united.writestr(zipfile.ZipInfo(f"play/{module.name}"), module.read_bytes())


def build(out: Path, work: Path) -> None:
    """Build the folder.

    Args:
        out: Where to; what is there is replaced, file by file.
        work: A folder for what is fetched.

    Raises:
        BuildError: a step did not work.
    """
    source = pyodide(work)
    found = wheels(work, *NEEDED)
    python = out / "python"
    python.mkdir(parents=True, exist_ok=True)
    for name in SERVED:
        shutil.copyfile(source / name, python / name)
    for path in HERE.iterdir():
        if path.suffix in FOR_BROWSERS:
            shutil.copyfile(path, out / path.name)
    archive(found, work / "lab.zip")
    library = f"/lib/python{PYTHON.replace('.', '')}.zip"
    jobs = [
        {"source": source / "python_stdlib.zip", "folder": library, "keep": False},
        {"source": work / "lab.zip", "folder": SITE_PACKAGES, "keep": True},
    ]
    for job in jobs:
        job["target"] = python / Path(job["source"]).name
    run("node", HERE / "precompile.mjs", source, json.dumps(jobs, default=str))


def main() -> int:
    """Build the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m docs.play.build", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder, made if it is not there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        try:
            build(given.out, Path(work))
        except BuildError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(f"Serve it: python -m http.server --bind 127.0.0.1 --directory {given.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
