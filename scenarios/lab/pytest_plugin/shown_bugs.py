"""`--show-bugs`: what Hypothesis says comes first, and no frame of the engine stands in a traceback."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios.lab.pytest_plugin.marker import BUG, MARKER
from simulations.tracebacks import only

if TYPE_CHECKING:
    from types import CodeType


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run first what demonstrates a bug by means of its own, so that it is also reported first."""
    items.sort(key=lambda item: not _demonstrates(item))


def _demonstrates(item: pytest.Item) -> bool:
    marker = item.get_closest_marker(MARKER)
    return marker is not None and "finds" in marker.kwargs


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Take out of a traceback what is neither in the folder of the test nor in a property."""
    bug = item.stash.get(BUG, None)
    if call.excinfo is None or bug is None or item.config.option.fulltrace:
        return
    properties = {getattr(inspect.unwrap(check), "__code__", None) for check in bug.scenario.properties}

    def wanted(code: CodeType) -> bool:
        return code in properties or Path(code.co_filename).parent == item.path.parent

    error = call.excinfo.value
    call.excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error, only(call.excinfo.tb, wanted)))
