"""Configuration of the documentation: build it with `sphinx-build -W docs docs/_build/html`."""

import re
from collections import Counter
from importlib.metadata import version as installed_version
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

project = "heisenlab"
author = "The heisenlab authors"
copyright = "2026, The heisenlab authors"  # noqa: A001  (the name that Sphinx looks for)
release = version = installed_version("heisenlab")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
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
autodoc_typehints_description_target = "documented_params"  # the fields of a dataclass are there already
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


def in_columns(text: str) -> bool:
    """Return whether a text is a table: it has rules, or a line with gaps where other lines have them."""
    if re.search("[\u2500-\u257f]", text):
        return True
    gaps = [{gap.end() for gap in re.finditer(r"(?<=\S) {2,}(?=\S)", line)} for line in text.splitlines()]
    shared = {end for end, lines in Counter(end for ends in gaps for end in ends).items() if lines > 1}
    return any(len(ends & shared) > 1 for ends in gaps)


def _tell_how_wide(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Give each block classes, for its longest line and for columns; blocks.css sets it accordingly."""
    for block in doctree.findall(nodes.literal_block):
        columns = max(map(len, block.astext().splitlines()), default=0)
        block["classes"].append(f"columns-{min(max(-(-columns // 10) * 10, 50), 130)}")
        if block.get("language") in {"console", "myst-ansi"} and in_columns(block.astext()):
            block["classes"].append("in-columns")


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
    if folder != "notebooks" or not app.tags.has("lite"):
        return
    address = f"../play/lite/lab/index.html?path={name}.ipynb"
    link = nodes.reference("", "Run this lesson in your browser", refuri=address)
    title = next(iter(doctree.findall(nodes.title)))
    title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", "", link))


def setup(app: Sphinx) -> None:
    """Connect what Sphinx calls once the nodes of a page are complete."""
    app.connect("autodoc-process-docstring", _quote)
    app.connect("doctree-resolved", _tell_how_wide)
    app.connect("doctree-resolved", break_names)
    app.connect("doctree-resolved", _offer_to_run)
