"""What gives a result its picture in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from simulations.drawing.page import fragment
from simulations.drawing.svg import svg

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

__all__ = ["Pictured"]


class Pictured(ABC):
    """A result that can be drawn; a notebook shows it drawn."""

    @abstractmethod
    def picture(self) -> Picture:
        """Return the picture of it."""

    def _repr_svg_(self) -> str:
        return svg(self.picture())

    def _repr_html_(self) -> str:
        return fragment(self.picture())
