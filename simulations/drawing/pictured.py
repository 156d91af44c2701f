"""What gives a result its picture in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

__all__ = ["Drawing", "Pictured"]


class Pictured(ABC):
    """A result that can be drawn; a notebook shows it drawn."""

    @abstractmethod
    def picture(self) -> Picture:
        """Return the picture of it."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        from simulations.drawing.page import fragment  # noqa: PLC0415  (only what is shown is drawn)
        from simulations.drawing.svg import svg  # noqa: PLC0415  (as above)
        from simulations.drawing.text import lines  # noqa: PLC0415  (as above)

        picture = self.picture()
        return {
            "text/plain": "\n".join(lines(picture)),
            "text/html": fragment(picture),
            "image/svg+xml": svg(picture),
        }


class Drawing:
    """Pictures that a notebook shows, each below the one before it.

    Args:
        pictures: What is drawn.
    """

    def __init__(self, *pictures: Picture) -> None:
        self.pictures = pictures

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        from simulations.drawing.page import fragment  # noqa: PLC0415  (only what is shown is drawn)
        from simulations.drawing.text import lines  # noqa: PLC0415  (as above)

        return {
            "text/plain": "\n\n".join("\n".join(lines(each)) for each in self.pictures),
            "text/html": "".join(map(fragment, self.pictures)),
        }
