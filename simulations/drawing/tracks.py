"""Rows on a sheet, with stretches and spots on them, and arrows from one to another."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from simulations.drawing.canvas import FONT, LINE, MARGIN, digits, fits
from simulations.drawing.lettering import EM, columns, wrapped
from simulations.drawing.marks import Look
from simulations.terminal_text import printable

if TYPE_CHECKING:
    from simulations.drawing.canvas import Canvas
    from simulations.drawing.marks import Track, Tracks

BAR: Final = 22
"""The height of a bar."""
GAP: Final = 10
NARROW_MAX: Final = 600
"""On a sheet that is not wider, labels and notes stand above and below their bars."""
LABEL_SHARE: Final = 0.3
"""How much of the width labels take at most; the same for notes."""
SPAN_MIN: Final = 2
"""A stretch is at least as wide as this, so that it is seen."""
HATCH: Final = 5
STRETCHES: Final = {
    Look.SOLID: ("series0", "0.55"),
    Look.DARK: ("quiet", "0.9"),
    Look.HATCHED: ("series5", "0.15"),
}


class _Place:
    """Where the bars are."""

    def __init__(self, canvas: Canvas, picture: Tracks) -> None:
        self.canvas, self.picture = canvas, picture
        self.beside = canvas.width > NARROW_MAX
        most = fits(LABEL_SHARE * canvas.width)
        labels = max((columns(printable(track.label)) for track in picture.tracks), default=0)
        notes = max((columns(printable(track.note)) for track in picture.tracks), default=0)
        self.label_columns = min(labels, most) if self.beside else fits(canvas.right - MARGIN)
        self.note_columns = min(notes, most) if self.beside else fits(canvas.right - MARGIN)
        self.left, self.right = float(MARGIN), canvas.right
        if self.beside:
            self.left += self.label_columns * EM * FONT + GAP if labels else 0
            self.right -= self.note_columns * EM * FONT + GAP if notes else 0

    def x(self, track: Track, at: float) -> float:
        """Return where a place of a track is; what lies beyond an end stands at that end."""
        share = (min(max(at, track.low), track.high) - track.low) / (track.high - track.low)
        return self.left + share * (self.right - self.left)


def draw_tracks(canvas: Canvas, picture: Tracks) -> None:
    """Draw rows below what is there, and what their signs mean."""
    place = _Place(canvas, picture)
    tops = [_track(place, track) for track in picture.tracks]
    for fall in picture.falls:
        begin, end = picture.tracks[fall.track], picture.tracks[fall.to_track]
        down = tops[fall.to_track] > tops[fall.track]
        x, y = place.x(begin, fall.at), tops[fall.track] + (BAR if down else 0)
        to, into = place.x(end, fall.to), tops[fall.to_track] + (0 if down else BAR)
        _arrow(canvas, x, y, to, into)
    _legend(canvas, picture)


def _track(place: _Place, track: Track) -> float:
    """Draw a row and go down; return where the top of its bar is."""
    canvas = place.canvas
    label = wrapped(track.label, place.label_columns) if track.label else []
    note = wrapped(track.note, place.note_columns) if track.note else []
    if not place.beside:
        for line in label:
            canvas.down(LINE)
            canvas.write(line, MARGIN, canvas.bottom - 5, colour="quiet")
    top = canvas.bottom + 2
    _bar(place, track, top)
    under = _ticks(place, track, top + BAR)
    if place.beside:
        for rank, line in enumerate(label):
            canvas.write(line, place.left - GAP, top + LINE * rank + 15, colour="quiet", anchor="end")
        for rank, line in enumerate(note):
            canvas.write(line, place.right + GAP, top + LINE * rank + 15)
        canvas.go(max(top + BAR + under, top + LINE * max(len(label), len(note))) + 6)
        return top
    canvas.go(top + BAR + under + 2)
    for line in note:
        canvas.down(LINE)
        canvas.write(line, MARGIN, canvas.bottom - 5)
    canvas.down(6)
    return top


def _bar(place: _Place, track: Track, top: float) -> None:
    canvas, kinds = place.canvas, place.picture.kinds
    edge = {"x": place.left, "y": top, "width": place.right - place.left, "height": BAR}
    canvas.add("rect", class_="hl-grid", fill="none", stroke="currentColor", **edge)
    for span in sorted(track.spans, key=lambda span: span.kind):
        if span.high > track.low and span.low < track.high:
            low, high = place.x(track, span.low), place.x(track, span.high)
            low = min(low, place.right - SPAN_MIN)
            _stretch(canvas, kinds[span.kind].look, low, top, max(high - low, SPAN_MIN))
    for spot in sorted(track.spots, key=lambda spot: spot.kind):
        _spot(canvas, kinds[spot.kind].look, place.x(track, spot.at), top)


def _ticks(place: _Place, track: Track, foot: float) -> float:
    """Draw what stands under a bar; return how deep it is.

    Of two that would collide the one stays that is longer on its own.
    """
    canvas, ticks = place.canvas, sorted(track.ticks)
    kept: list[tuple[float, float, float, str]] = []
    for (at, text), (end, _) in pairwise([*ticks, (track.high, "")]):
        x, half = place.x(track, at), columns(printable(text)) * EM * FONT / 2
        canvas.rule(f"M{digits(x)} {digits(foot)}v4")
        middle = max(place.left + half, min(x, place.right - half))
        if 2 * half > place.right - place.left:
            continue
        met = [other for other in kept if middle - half < other[2]]
        if all(other[0] < end - at for other in met):
            kept = [*kept[: len(kept) - len(met)], (end - at, middle, middle + half + 8, text)]
    for _, middle, _, text in kept:
        canvas.write(text, middle, foot + LINE - 3, colour="quiet", anchor="middle")
    return LINE if track.ticks else 0


def _stretch(canvas: Canvas, look: Look, x: float, top: float, width: float) -> None:
    if look not in STRETCHES:
        return
    colour, opacity = STRETCHES[look]
    place = {"x": x, "y": top + 1, "width": width, "height": BAR - 2}
    canvas.tinted("rect", colour, opacity, **place)
    if look is Look.HATCHED:
        middle = f"M{digits(x)} {digits(top + BAR / 2)}h{digits(float(width))}"
        canvas.line(middle, "quiet", f"1 {HATCH - 1}", thick=BAR - 2)


def _spot(canvas: Canvas, look: Look, x: float, top: float) -> None:
    middle = top + BAR / 2
    if look is Look.TICK:
        canvas.line(f"M{digits(x)} {digits(middle + 2)}V{digits(top + BAR - 1.0)}", "ink", thick=1.5)
    elif look is Look.LINE:
        canvas.line(f"M{digits(x)} {digits(top - 3)}V{digits(top + BAR + 3)}", "ink", thick=3)
    elif look is Look.CROSS:
        canvas.line(f"M{digits(x - 6)} {digits(middle - 6)}l12 12m0 -12l-12 12", "bad", thick=3)
    elif look is Look.DIAMOND:
        d = f"M{digits(x)} {digits(middle - 8)}l6 8l-6 8l-6 -8z"
        canvas.add("path", class_="hl-series1", fill="currentColor", d=d)
    else:
        canvas.add("circle", class_="hl-good", fill="currentColor", cx=x, cy=middle, r=6)


def _arrow(canvas: Canvas, x: float, y: float, to: float, into: float) -> None:
    canvas.line(f"M{digits(x)} {digits(y)}L{digits(to)} {digits(into)}", "bad", "7 3")
    turn = math.atan2(into - y, to - x)
    corners = [(to - 11 * math.cos(turn + side), into - 11 * math.sin(turn + side)) for side in (-0.4, 0.4)]
    points = " ".join(f"{digits(float(a))},{digits(float(b))}" for a, b in ((to, into), *corners))
    canvas.add("polygon", class_="hl-bad", fill="currentColor", points=points)


def _legend(canvas: Canvas, picture: Tracks) -> None:
    spans = {span.kind for track in picture.tracks for span in track.spans}
    occurring = spans | {spot.kind for track in picture.tracks for spot in track.spots}
    for rank, kind in enumerate(picture.kinds):
        if rank not in occurring:
            continue
        top = canvas.bottom
        if kind.look in STRETCHES:
            _stretch(canvas, kind.look, MARGIN, top, 30)
        else:
            _spot(canvas, kind.look, MARGIN + 15.0, top)
        canvas.down(3)
        canvas.paragraph(kind.name, x=MARGIN + 44.0)
        canvas.go(max(canvas.bottom, top + BAR) + 2)
