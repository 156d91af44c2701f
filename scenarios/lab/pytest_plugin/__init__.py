"""The laboratory in pytest: a bug that is found passes, a bug that is lost fails.

The tests of a scenario need no import from here. One test for each variant, with ids such as
`invalid-mode-as-shipped`, so that `-k invalid-mode` selects them::

    @pytest.mark.bug("invalid-mode")
    def test_each_variant_is_what_it_says(lab, variant):
        lab.check(variant)

`lab.check` hunts and fails unless the result is what the variant's `expect` says; it takes the options of
`scenarios.lab.hunt.hunt`, such as `searcher="random"`, and returns the `Hunt`.

A test that shows the bug by other means, such as `@given` or the `TestCase` of a state machine, passes when
it fails with that property's own failure, and only then::

    @pytest.mark.bug("invalid-mode", finds="every_mode_is_valid")
    @given(...)
    def test_noise_leads_to_a_mode_that_does_not_exist(plan):
        every_mode_is_valid(run(...))

    TestModes = Modes.TestCase
    TestModes.pytestmark = [pytest.mark.bug("invalid-mode", finds="every_mode_is_valid")]

The property must be called itself, as `SCENARIO.properties` holds it: an `AssertionError` that did not pass
through it, a time-out, an error of the world, or Hypothesis's own complaints stay what they are. If such a
test does not fail, it is reported as failed: detection was lost. With `--show-bugs` the failures are let
through. With `--no-spoilers` the tests of such a file are known by numbers, and repairs too.

In place of a name `bug` takes a `Scenario`, for one that is in no catalogue. There is no `pytest11` entry
point, since it would break projects with a `scenarios` folder of their own: name this module in
`pytest_plugins` of your root `conftest.py`, or use `-p scenarios.lab.pytest_plugin`.
"""

from __future__ import annotations

from scenarios.lab.pytest_plugin.expectations import disagreement
from scenarios.lab.pytest_plugin.fixture import Lab, lab
from scenarios.lab.pytest_plugin.hooks import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
    pytest_itemcollected,
    pytest_report_header,
    pytest_runtest_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
)
from scenarios.lab.pytest_plugin.options import pytest_addoption

__all__ = [
    "Lab",
    "disagreement",
    "lab",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_itemcollected",
    "pytest_report_header",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]
