"""The pictures of the certificate, as SVG: interval widths, and where detail was withheld.

Belongs here: drawing. Does not belong here: what is drawn (``certificate.py``) or what stands
around it (``certificate_page.py``). No meaning rests on colour alone: bars bear their numbers, and
the classes of the map differ by pattern as well as by shade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from governance.agreement_text.words import count_words
from governance.disclosure.certificate.facts import ProfileFacts, WidthCount, Withheld
from governance.reports.pages import Drawing

Ring = Sequence[tuple[float, float]]
"""Corners of one border, eastings and northings in metres (British National Grid, EPSG:27700)."""

SINGLE_WIDTHS = 12
"""Widths up to this have a bar each; wider ones share one up to the next power of two."""

WIDEST = 64
"""Widths beyond this share the last bar."""

MOST_DETAILED = 5_000
"""Of more areas than this borders are drawn to the whole unit."""

_WIDTH, _TALL = 920, 620
_LEFT, _TOP, _BOTTOM, _PLOT = 64, 52, 62, 220
_INK, _MUTED, _BAR = "#0b0c0c", "#505a5f", "#12436d"
_CLASSES = (
    (0, "#ffffff", ""),
    (1, "#dbe8f2", '<circle cx="3" cy="3" r="1.1" fill="#12436d"/>'),
    (2, "#a6c4dc", '<path d="M0 6 L6 0" stroke="#0b2f4e" stroke-width="1"/>'),
    (4, "#5b8fb9", '<path d="M0 6 L6 0 M0 0 L6 6" stroke="#071f35" stroke-width="1"/>'),
    (8, "#12436d", '<path d="M0 3 H6" stroke="#ffffff" stroke-width="1"/>'),
)
"""Fewest withheld cells of a class, its shade, and the pattern over it."""


@dataclass(frozen=True)
class Bar:
    """Cells whose interval has a width from ``first`` to ``last``.

    Without ``last``: that wide or wider. Without either: without bound.
    """

    first: int | None
    last: int | None
    cells: int

    @property
    def label(self) -> str:
        """What stands below the bar."""
        if self.first is None:
            return "no limit"
        if self.last is None:
            return f"{self.first}+"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"  # noqa: RUF001 - a range


def bars(widths: Iterable[WidthCount]) -> list[Bar]:
    """Group widths for a chart, from the narrowest to the widest without a gap in the axis."""
    cells: dict[tuple[int, int | None] | None, int] = {}
    for width in widths:
        if width.cells:
            key = None if width.width is None else _group(width.width)
            cells[key] = cells.get(key, 0) + width.cells
    bounded = sorted(k[0] for k in cells if k is not None)
    made: list[Bar] = []
    place: int | None = bounded[0] if bounded else None
    while place is not None and place <= bounded[-1]:
        first, last = _group(place)
        made.append(Bar(first, last, cells.get((first, last), 0)))
        place = None if last is None else last + 1
    return made + ([Bar(None, None, cells[None])] if None in cells else [])


def _group(width: int) -> tuple[int, int | None]:
    if width <= SINGLE_WIDTHS:
        return width, width
    if width > WIDEST:
        return WIDEST + 1, None
    last = 16
    while last < width:
        last *= 2
    return (SINGLE_WIDTHS if last == 16 else last // 2) + 1, last


def widths_chart(profile: ProfileFacts, widths: Sequence[WidthCount]) -> Drawing:
    """Draw how wide the intervals are that an attacker is left with, under one profile."""
    shown = bars(w for w in widths if w.profile == profile.name)
    total = sum(b.cells for b in shown)
    words = (
        f"Interval widths of {count_words(total, 'cell')} under {profile.name}: "
        + "; ".join(f"width {b.label}: {b.cells:,}" for b in shown if b.cells)
        + f". At least {profile.width} is demanded."
    )
    highest = max((b.cells for b in shown), default=0) or 1
    step = (_WIDTH - _LEFT - 24) / max(len(shown), 6)
    top, base = _TOP, _TOP + _PLOT
    parts = [_line(_LEFT, base, _WIDTH - 16, base, _INK)]
    for place, bar in enumerate(shown):
        left = _LEFT + 8 + place * step
        height = max(bar.cells / highest * _PLOT, 1.5) if bar.cells else 0
        if height:
            parts.append(_bar(left + step * 0.12, base - height, step * 0.76, height))
        parts.append(_text(left + step / 2, base - height - 6, f"{bar.cells:,}", "middle"))
        parts.append(_text(left + step / 2, base + 18, bar.label, "middle"))
    parts += _demand(shown, profile.width, step, top, base)
    parts += [
        _text(_LEFT + 8, base + 42, "Width of the interval: highest possible count less the lowest",
              "start", _MUTED),
        _text(_LEFT - 8, base + 4, "0", "end", _MUTED),
        _text(_LEFT - 8, top + 4, "Cells", "end", _MUTED),
        _line(_LEFT, top, _LEFT, base, _MUTED),
    ]  # fmt: skip
    title = f"Interval widths under {profile.name}"
    return _drawing(f"widths-{profile.name}", title, words, _WIDTH, base + _BOTTOM, parts)


def _demand(
    shown: Sequence[Bar], demanded: int, step: float, top: int, base: int
) -> Iterator[Markup]:
    """Draw the line left of the first bar that is wide enough."""
    enough = next((i for i, b in enumerate(shown) if b.first is None or b.first >= demanded), None)
    if enough is None:
        return
    x = _LEFT + 8 + enough * step
    yield Markup(
        '<line x1="{0}" y1="{1}" x2="{0}" y2="{2}" stroke="{3}" stroke-width="2" '
        'stroke-dasharray="6 4"/>'
    ).format(_n(x), top - 40, base, _INK)
    yield _text(x + 6, top - 30, f"demanded: {demanded} or more", "start")


def rings_of(geometry: Any) -> list[Ring]:
    """Return the borders of a polygon or multipolygon (shapely), holes among them."""
    polygons = getattr(geometry, "geoms", [geometry])
    return [
        [(x, y) for x, y, *_ in ring.coords]
        for polygon in polygons
        for ring in (polygon.exterior, *polygon.interiors)
    ]


def withheld_map(
    withheld: Iterable[Withheld], outlines: Mapping[str, Sequence[Ring]]
) -> Drawing | None:
    """Draw in which neighbourhoods how many cells are not shown; None without an outline.

    Parameters
    ----------
    outlines : mapping of str to sequence of Ring
        ``lsoa21cd`` -> its borders. Areas of which nothing is withheld are drawn too.
    """
    cells = {w.lsoa21cd: w.cells for w in withheld}
    corners = [corner for rings in outlines.values() for ring in rings for corner in ring]
    if not corners:
        return None
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    units = min((_WIDTH - 270) / max(east - west, 1), _TALL / max(north - south, 1))
    digits = 1 if len(outlines) <= MOST_DETAILED else 0
    paths: list[list[str]] = [[] for _ in _CLASSES]
    for code in sorted(outlines):
        paths[_class(cells.get(code, 0))] += [
            _path(ring, west, north, units, digits) for ring in outlines[code] if ring
        ]
    numbers = [0] * len(_CLASSES)
    for code in outlines:
        numbers[_class(cells.get(code, 0))] += 1
    height = max((north - south) * units, 170)
    parts = [_patterns()]
    for place, drawn in enumerate(paths):
        if drawn:
            name = f"areas-{place}"
            parts.append(_defined(name, "".join(drawn)))
            parts += _shape(place, Markup('<use href="#{}"').format(name))
    parts += _legend((east - west) * units + 36, numbers)
    words = _map_words(cells, outlines, numbers)
    return _drawing("withheld", "Where detail was withheld", words, _WIDTH, height + 12, parts)


def _map_words(
    cells: Mapping[str, int], outlines: Mapping[str, Sequence[Ring]], numbers: Sequence[int]
) -> str:
    told = [
        f"{_class_label(place)}: {count_words(n, 'neighbourhood')}"
        for place, n in enumerate(numbers)
        if n
    ]
    lacking = sum(1 for code, n in cells.items() if n and code not in outlines)
    more = f" {count_words(lacking, 'neighbourhood')} without a border here." if lacking else ""
    return f"Map of withheld cells by neighbourhood. {'; '.join(told)}.{more}"


def _class(cells: int) -> int:
    return max(place for place, (fewest, _, _) in enumerate(_CLASSES) if cells >= fewest)


def _class_label(place: int) -> str:
    fewest = _CLASSES[place][0]
    if place == len(_CLASSES) - 1:
        return f"{fewest} or more cells withheld"
    last = _CLASSES[place + 1][0] - 1
    if fewest == 0:
        return "nothing withheld"
    if fewest == last:
        return f"{count_words(fewest, 'cell')} withheld"
    return f"{fewest} to {last} cells withheld"


def _path(ring: Ring, west: float, north: float, units: float, digits: int) -> str:
    """Return a border as path text; corners that fall on one point are drawn once."""
    places = (np.asarray(ring, dtype=float)[:, :2] - (west, north)) * (units, -units) + 2
    places = places.round(digits)
    apart = np.concatenate(([True], (places[1:] != places[:-1]).any(axis=1)))
    points = [f"{x:g} {y:g}" for x, y in places[apart].tolist()]
    if len(points) == 1:
        # Too small to see at this scale, but there.
        return f"M{points[0]}h1v1h-1Z"
    return f"M{'L'.join(points)}Z"


def _patterns() -> Markup:
    made = [
        Markup(
            '<pattern id="held-{}" width="6" height="6" patternUnits="userSpaceOnUse">{}</pattern>'
        ).format(place, Markup(mark))  # noqa: S704 - a constant of this module
        for place, (_, _, mark) in enumerate(_CLASSES)
        if mark
    ]
    return Markup("<defs>") + Markup("").join(made) + Markup("</defs>")


def _defined(name: str, path: str) -> Markup:
    """Define a path that is drawn twice, so that it stands in the page once."""
    return Markup('<defs><path id="{}" fill-rule="evenodd" d="{}"/></defs>').format(name, path)


def _shape(place: int, opened: Markup) -> Iterator[Markup]:
    """Close an opened shape twice: in its shade with a border, and in its pattern."""
    _, shade, mark = _CLASSES[place]
    yield opened + Markup(' fill="{}" stroke="{}" stroke-width="0.6"/>').format(shade, _MUTED)
    if mark:
        yield opened + Markup(' fill="url(#held-{})"/>').format(place)


def _legend(x: float, numbers: Sequence[int]) -> Iterator[Markup]:
    yield _text(x, 16, "Cells not shown", "start")
    for place, number in enumerate(numbers):
        y = 30 + place * 27
        box = Markup('<rect x="{}" y="{}" width="26" height="18"').format(_n(x), y)
        yield from _shape(place, box)
        yield _text(x + 34, y + 13, f"{_class_label(place)} ({number:,})", "start")


def _drawing(
    name: str, title: str, words: str, width: float, height: float, parts: Iterable[Markup]
) -> Drawing:
    opened = Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>'
    ).format(round(width), round(height), name, name, name, title, name, words)
    return Drawing(opened + Markup("").join(parts) + Markup("</svg>"), words)


def _text(x: float, y: float, words: str, anchor: str, fill: str = _INK) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" fill="{}" font-size="13">{}</text>').format(
        _n(x), _n(y), anchor, fill, words
    )


def _bar(x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
        _n(x), _n(y), _n(width), _n(height), _BAR
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/>').format(
        _n(x1), _n(y1), _n(x2), _n(y2), stroke
    )


def _n(value: float, digits: int = 1) -> str:
    return f"{round(value, digits):g}"
