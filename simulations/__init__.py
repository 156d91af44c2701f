"""Deterministic worlds: each is a function of its input and a `simulations.choices.Chooser`."""

from pkgutil import extend_path

# A folder of this name without an __init__.py, in a project of yours, stays importable beside this package.
__path__ = extend_path(__path__, __name__)
