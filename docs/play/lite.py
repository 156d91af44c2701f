"""Builds a JupyterLite with the lab and its lessons, which asks no foreign host for anything.

Each lesson has a page of its own, `notebooks/?path=NAME.ipynb`, and `tree` lists them; in JupyterLab
the list would stand beside each, and on a telephone leave a lesson no room.

`docs.play.build` calls this with `--lite`. It takes the commands of the extra `browser`. A JupyterLite as
it is built by default fetches Python and every package from elsewhere when it is opened; here the lock file
of Pyodide lists what lies beside it and nothing else, so that there is nothing to ask for.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

from docs.play import steps

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LESSONS: Final = steps.ROOT / "docs" / "notebooks"
OF_THE_KERNEL: Final = ("micropip", "ipython", "jedi")
NOT_IN_THE_LOCK: Final = ("comm==0.2.3",)
"""What the kernel needs and the lock file of Pyodide does not know."""
OF_THE_LAB: Final = ("attrs", "iniconfig", "packaging", "pluggy", "pygments", "pytest", "rich")
"""What the lab and pytest need besides what `docs.play.build` fetches."""
LIVE: Final = "live"
"""The tag of a cell that needs processes, memory or threads of a real machine."""
NEEDS_A_COMPUTER: Final = "needs a computer of your own"
LEADS_OUT: Final = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")
"""A link to a page that is not among the notebooks."""
LOOK: Final = "<style>.jp-RenderedHTMLCommon pre { overflow-wrap: anywhere; }</style>"
"""A long word of a live cell goes on in the next line, since on a telephone it is wider than the page."""
KERNEL: Final = "@jupyterlite/pyodide-kernel-extension:kernel"


def canonical(name: str) -> str:
    """Return the name of a distribution as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(packages: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Return these packages of a lock file and all that they depend on, each once, in alphabetical order."""
    found: set[str] = set()
    new = set(names)
    while new:
        found |= new
        new = {canonical(other) for name in new for other in packages[name]["depends"]} - found
    return sorted(found)


def entry(wheel: Path, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a lock file says of a wheel; that it depends on nothing, since all packages are loaded.

    Args:
        wheel: The wheel.
        old: What it says of the same version so far; None if it does not know it.
    """
    name, version = wheel.name.split("-")[:2]
    made = {"imports": [canonical(name).replace("-", "_")], "package_type": "package"}
    found = {"install_dir": "site", "unvendored_tests": False, "name": canonical(name), "version": version}
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return made | found | (old or {}) | {"file_name": wheel.name, "sha256": digest, "depends": []}


def python(source: Path, library: Path, ours: list[Path], work: Path, target: Path) -> list[str]:
    """Lay out Pyodide with a lock file that lists what lies beside it; return the names of all packages.

    Args:
        source: The folder of the npm package.
        library: The standard library, compiled beforehand.
        ours: The wheels of the lab and of what it needs.
        work: A folder for what is fetched.
        target: The folder.
    """
    lock = json.loads((source / "pyodide-lock.json").read_text(encoding="utf-8"))
    known = {canonical(name): found for name, found in lock["packages"].items()}
    mine = {canonical(wheel.name.split("-")[0]): wheel for wheel in ours}
    names = sorted({*closure(known, OF_THE_KERNEL), *OF_THE_LAB})
    folder = work / "kernel"
    steps.download(folder, *(f"{name}=={known[name]['version']}" for name in names), *NOT_IN_THE_LOCK)
    target.mkdir(parents=True)
    for name in steps.SERVED:
        shutil.copyfile(source / name, target / name)
    shutil.copyfile(library, target / "python_stdlib.zip")
    packages = {}
    for wheel in [*sorted(folder.glob("*.whl")), *ours]:
        shutil.copyfile(wheel, target / wheel.name)
        name = canonical(wheel.name.split("-")[0])
        packages[name] = entry(wheel, None if name in mine else known.get(name))
    lock["packages"] = packages
    (target / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return sorted(packages)


def in_one_piece(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output in which what is a list of lines has become one text."""
    return {
        key: in_one_piece(value)
        if isinstance(value, dict)
        else "".join(value)
        if isinstance(value, list) and key != "traceback"
        else value
        for key, value in output.items()
    }


def lesson(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook in which each live cell has become text: what it needs, says and printed.

    Of a link that leads out of the folder of the notebooks its words are left. What was printed and drawn is
    in one piece and trusted, or JupyterLite would show its lines with commas, and no pictures.
    """
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cells.append({**cell, "source": LEADS_OUT.sub(r"\1", "".join(cell["source"]))})
            continue
        if LIVE not in cell["metadata"].get("tags", ()):
            outputs = [in_one_piece(output) for output in cell["outputs"]]
            cells.append({**cell, "metadata": {**cell["metadata"], "trusted": True}, "outputs": outputs})
            continue
        printed = "".join("".join(output.get("text", "")) for output in cell.get("outputs", ()))
        text = f"*This cell {NEEDS_A_COMPUTER}.*\n\n```python\n{''.join(cell['source'])}\n```\n"
        text += f"\nThere it printed:\n\n```text\n{printed.rstrip()}\n```\n" if printed else ""
        kept = {key: cell[key] for key in ("id", "metadata")}
        cells.append({"cell_type": "markdown", **kept, "source": text})
    return notebook | {"cells": cells}


def build(out: Path, source: Path, library: Path, ours: list[Path], work: Path) -> None:
    """Build the folder `lite` in a folder.

    Args:
        out: The folder.
        source: The folder of the npm package.
        library: The standard library, compiled beforehand.
        ours: The wheels of the lab and of what it needs.
        work: A folder for what is fetched.

    Raises:
        BuildError: a step did not work.
    """
    home, contents = work / "lite", work / "contents"
    packages = python(source, library, ours, work, home / "static" / "pyodide")
    contents.mkdir()
    for path in sorted(LESSONS.glob("*.ipynb")):
        shown = lesson(json.loads(path.read_text(encoding="utf-8")))
        (contents / path.name).write_text(json.dumps(shown), encoding="utf-8")
    settings = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": packages},
    }
    config = {
        "appName": "heisenlab",
        "appUrl": "./tree",
        "exposeAppInBrowser": True,
        "litePluginSettings": {KERNEL: settings},
        "settingsOverrides": {
            "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},  # dark or light
            "@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineWrap": True}},
        },
    }
    (home / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config}), encoding="utf-8"
    )
    built = work / "built"
    steps.run(
        *(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", home, "--contents", contents),
        *("--output-dir", built, "--apps", "notebooks", "--apps", "tree"),
        *("--no-unused-shared-packages", "--no-sourcemaps"),
        folder=home,
    )
    if not (built / "extensions" / "@jupyterlite" / "pyodide-kernel-extension").is_dir():
        raise steps.BuildError(
            f"JupyterLite has found no kernel beside {sys.executable}: install the extra 'browser' there"
        )
    page = built / "notebooks" / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</head>", f"{LOOK}</head>"), encoding="utf-8")
    shutil.rmtree(out / "lite", ignore_errors=True)
    shutil.move(built, out / "lite")
