"""Configuration of the documentation: build it with `sphinx-build -W docs docs/_build/html`."""

from importlib.metadata import version as installed_version

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

# Notebooks are executed by the tests, in a clean kernel, and committed with what they printed.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # several worlds have a Run of their own
