"""Loads the laboratory's pytest plugin in a checkout; installed, `heisenlab test` names it."""

pytest_plugins = ["scenarios.lab.pytest_plugin"]
