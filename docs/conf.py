"""Configuration of the documentation: build it with `sphinx-build -W docs docs/_build/html`."""

import collections.abc
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))  # for the extension that lies beside this file

project = "heisenlab"
author = "The heisenlab authors"
copyright = "2026, The heisenlab authors"  # noqa: A001  (the name that Sphinx looks for)
release = version = installed_version("heisenlab")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "blocks",
]
exclude_patterns = ["_build", "talk.md"]  # the slides are for Marp
html_theme = "furo"
html_title = "heisenlab"
html_static_path = ["_static"]
html_css_files = ["blocks.css"]

# Notebooks are executed by the tests, in a clean kernel, and committed with what they printed.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

viewcode_follow_imported_members = False  # the source of a name links back to the page of its own module
autodoc_member_order = "bysource"
autodoc_typehints = "both"
autodoc_typehints_description_target = "documented"  # the fields of a dataclass are there already
python_maximum_signature_line_length = 88
default_role = "py:obj"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # several worlds have a Run of their own


BACKTICKS = re.compile(r"(?<![`:\w])`([^`\s](?:[^`]*[^`\s])?)`(?!`)")
"""What stands between single backticks and has no role yet."""
SHORT_MAX = 24
"""Columns of a name that even a telephone shows in one piece, such as an option with its value."""


def break_names(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Keep a short name in one piece; let one in a table be broken at its underscores, and nowhere else."""
    for literal in doctree.findall(nodes.literal):
        if len(literal.astext()) <= SHORT_MAX:
            literal["classes"].append("short")
    for literal in [each for entry in doctree.findall(nodes.entry) for each in entry.findall(nodes.literal)]:
        parts = re.split("(?<=[^_]_)(?=[^_])", literal.astext())
        broken = [
            node for part in parts for node in (nodes.raw("", "<wbr>", format="html"), nodes.Text(part))
        ]
        literal.clear()
        literal.extend(broken[1:])


def _quote(_app: Sphinx, *described: Any) -> None:
    """Make code of what stands between backticks in a docstring and is no name; a name becomes a link.

    In a table that would move the columns.
    """
    lines: list[str] = described[-1]
    rules = [number for number, line in enumerate(lines) if re.fullmatch(r"\s*=+( +=+)+", line)]
    table = range(rules[0], rules[-1]) if rules else ()
    lines[:] = [
        line if number in table else BACKTICKS.sub(_quoted, line) for number, line in enumerate(lines)
    ]


def _quoted(found: re.Match[str]) -> str:
    return found[0] if re.fullmatch(r"[A-Za-z_][\w.]*", found[1]) else f"``{found[1]}``"


def _offer_to_run(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Where `docs.site` builds the lessons as notebooks too, let the page of each begin with a link to it."""
    folder, _, name = docname.rpartition("/")
    if folder != "notebooks" or "lite" not in app.tags:
        return
    address = f"../play/lite/notebooks/index.html?path={name}.ipynb"
    link = nodes.reference("", "Run this lesson in your browser", refuri=address)
    title = next(iter(doctree.findall(nodes.title)))
    title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", "", link))


def _name_exactly(_app: Sphinx, doctree: nodes.document) -> None:
    """Let no name of `collections.abc` become a link to a class of ours that is called the same."""
    for reference in doctree.findall(addnodes.pending_xref):
        if reference["reftarget"] in collections.abc.__all__:
            reference.attributes.pop("refspecific", None)


def setup(app: Sphinx) -> None:
    """Connect what Sphinx calls once the nodes of a page are complete."""
    app.connect("autodoc-process-docstring", _quote)
    app.connect("doctree-read", _name_exactly)
    app.connect("doctree-resolved", break_names)
    app.connect("doctree-resolved", _offer_to_run)
