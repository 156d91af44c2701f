"""The bugs: one folder each. `scenarios.catalogue()` lists them, `scenarios.get(name)` returns one."""

from scenarios.lab.catalogue import catalogue, get

__all__ = ["catalogue", "get"]
