"""A picture as an image. It needs CairoSVG, which is in the extra `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulations.drawing.lettering import FAMILY
from simulations.drawing.svg import Theme, svg
from simulations.errors import LabError

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

__all__ = ["png"]


def png(picture: Picture, *, theme: Theme = Theme.LIGHT, scale: float = 2.0) -> bytes:
    """Return a picture as PNG.

    Args:
        picture: A chart or a table.
        theme: Light or dark.
        scale: Pixels for each unit of the picture, which is 960 units wide; above 0.

    Raises:
        LabError: CairoSVG or the library below it is not installed.
    """
    drawn = svg(picture, theme).replace(FAMILY, "monospace")  # CairoSVG tries the first family only
    image: bytes = converter().svg2png(bytestring=drawn.encode(), scale=scale)
    return image


def converter() -> Any:
    """Return CairoSVG.

    Raises:
        LabError: it, or the library below it, is not installed.
    """
    try:
        import cairosvg  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise LabError("a PNG needs the extra: pip install heisenlab[report]; an SVG needs none") from error
    except OSError as error:
        raise LabError("a PNG needs the library cairo on this machine; an SVG needs none") from error
    return cairosvg
