"""Deterministic worlds: each is a function of its input and a `simulations.choices.Chooser`."""
