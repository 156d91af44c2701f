"""Where causes are hidden, the tests of a bug are known by numbers, and their failures by their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

NUMBER: Final = pytest.StashKey[int]()
"""The place of a test in its file, from 1."""
COVERED: Final = pytest.StashKey[bool]()
"""Whether a test goes by its number."""
SEE: Final = "run without --no-spoilers to see it"


def cover(items: Sequence[pytest.Item], files: Collection[Path]) -> None:
    """Give new names to all tests of some files, and to the classes that hold them.

    A test goes by its place in its file, one of a variant by the number of the variant: it has the same name
    whatever else is run.

    Args:
        items: The tests of the session, after those that the command line leaves out.
        files: The files that hold a test of a bug, whether it is run or left out.
    """
    for item in items:
        if item.path not in files or not isinstance(item, pytest.Function):
            continue
        item.stash[COVERED] = True
        file, name = item.nodeid.partition("::")[0], _name(item)
        _rename(item, name=name, nodeid=f"{file}::{name}", location=(file, None, name))
        for node in item.listchain():
            if isinstance(node, pytest.Class):
                _rename(node, name="tests")


def _rename(node: Any, nodeid: str | None = None, **names: object) -> None:
    """Give a node other names; pytest knows no public way, and in newer ones its id is a value of its own."""
    if nodeid is not None and hasattr(node, "_id"):
        names["_id"] = type(node._id).parse(nodeid)  # noqa: SLF001
    elif nodeid is not None:
        names["_nodeid"] = nodeid
    for attribute, value in names.items():
        setattr(node, attribute, value)


def _name(item: pytest.Item) -> str:
    call = getattr(item, "callspec", None)
    of_a_variant = call is not None and {"lab", "variant"} <= {*getattr(item, "fixturenames", ())}
    return f"test[{call.id}]" if call is not None and of_a_variant else f"test-{item.stash[NUMBER]}"


def cover_failure(call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Leave of a failure that shows code, or what was printed, only the type of the error."""
    report.sections = []
    if report.failed and call.excinfo is not None and not isinstance(report.longrepr, str):
        report.longrepr = f"{call.excinfo.typename}: {SEE}"
