"""What makes a notebook show a result as a command would, and with its pictures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture
    from simulations.drawing.sheet import Sheet

__all__ = ["Displayed", "DisplayedByWorld"]


class Displayed:
    """A result that a notebook shows: as HTML, and as the same in text."""

    __slots__ = ()

    def sheet(self) -> Sheet:
        """Return what is shown of it: unless it has more to show, what is printed of it."""
        from simulations.drawing.sheet import Lines, Sheet  # noqa: PLC0415  (only what is shown is drawn)

        return Sheet(blocks=(Lines(str(self)),))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        from simulations.drawing.page import sheet_html  # noqa: PLC0415  (only what is shown is drawn)
        from simulations.drawing.sheet import sheet_text  # noqa: PLC0415  (as above)

        sheet = self.sheet()
        return {"text/plain": sheet_text(sheet), "text/html": sheet_html(sheet)}


class DisplayedByWorld(Displayed):
    """A thing of a world, which the world's module `picture` shows, by its functions `sheet` and `pictures`.

    A world runs without its pictures, so they are looked up when something is shown.
    """

    __slots__ = ()

    def sheet(self) -> Sheet:
        """Return what is shown of it."""
        shown: Sheet = _pictures_of_world(self).sheet(self)
        return shown

    def pictures(self, beside: Any = None) -> tuple[Picture, ...]:
        """Return pictures of it; those of a run may show a second run of the same world beside it."""
        drawn: tuple[Picture, ...] = _pictures_of_world(self).pictures(self, beside)
        return drawn


def _pictures_of_world(thing: object) -> Any:
    return import_module(f"{type(thing).__module__.rpartition('.')[0]}.picture")
