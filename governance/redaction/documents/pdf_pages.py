"""One page of a PDF as characters with places, and as points.

Belongs here: what is read from a page, whether it can be read at all, and where a passage lies on
the drawn page. Does not belong here: the file around the pages (``pdf.py``).
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
from PIL import Image, ImageDraw
from pypdfium2 import raw

from governance.redaction.documents.model import visible

DOTS_PER_INCH = 200
MOST_POINTS = 40_000_000
"""Points of a drawn page; a larger page is drawn more coarsely."""

_PAD = 3
_LARGE = 0.5
_FEW_CHARACTERS = 200
_UNMAPPED = 0.1
_SMALLEST_PICTURE = 12

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in points of the drawn page."""


@dataclass(frozen=True)
class Place:
    """A character of a page.

    Attributes
    ----------
    box : Box or None
        None for a space that nobody drew.
    """

    text: str
    box: Box | None


@dataclass(frozen=True)
class Word:
    """A word that stays, and where it stands."""

    text: str
    box: Box


@dataclass(frozen=True)
class Page:
    """What is known of a page without drawing it.

    Attributes
    ----------
    size : tuple of float
        Width and height in PDF units (1/72 inch) as it is shown.
    places : tuple of Place
        Its characters in reading order; joined, they are its text.
    pictures : tuple of Box
    readable : bool
        Whether the characters are all that a person reads there, as far as can be told.
    """

    size: tuple[float, float]
    scale: float
    places: tuple[Place, ...]
    pictures: tuple[Box, ...]
    readable: bool

    @property
    def text(self) -> str:
        """The page's text."""
        return "".join(place.text for place in self.places)


class _OnPage:
    """Turns places in a PDF's own units into points of the drawn page, rotation included."""

    def __init__(self, page: pdfium.PdfPage, width: int, height: int) -> None:
        self._page, self._width, self._height = page, width, height

    def point(self, x: float, y: float) -> tuple[float, float]:
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(
            self._page, 0, 0, self._width, self._height, 0, x, y, across, down
        )  # fmt: skip
        return float(across.value), float(down.value)

    def box(self, corners: Iterable[tuple[float, float]]) -> Box:
        found = [self.point(x, y) for x, y in corners]
        xs, ys = [x for x, _ in found], [y for _, y in found]
        return min(xs), min(ys), max(xs), max(ys)


def _corners(left: float, bottom: float, right: float, top: float) -> list[tuple[float, float]]:
    return [(left, bottom), (right, bottom), (left, top), (right, top)]


def scale_of(width: float, height: float) -> float:
    """Return points per PDF unit at which a page is drawn."""
    wanted = DOTS_PER_INCH / 72
    most = math.sqrt(MOST_POINTS / max(width * height, 1.0))
    return min(wanted, most)


def read_page(page: pdfium.PdfPage) -> Page:
    """Read a page.

    Raises
    ------
    pypdfium2.PdfiumError
        It cannot be read.
    """
    width, height = page.get_size()
    scale = scale_of(width, height)
    on_page = _OnPage(page, math.ceil(width * scale), math.ceil(height * scale))
    places, unmapped = _places(page, on_page)
    objects = list(page.get_objects())
    images = [o for o in objects if o.type == raw.FPDF_PAGEOBJ_IMAGE]
    boxes = [on_page.box(_corners_of(image)) for image in images]
    area = width * scale * height * scale
    large = any((b[2] - b[0]) * (b[3] - b[1]) > _LARGE * area for b in boxes)
    letters = sum(1 for place in places if place.text.strip())
    readable = not objects or (
        letters > 0
        and unmapped <= _UNMAPPED * letters
        and (not large or letters >= _FEW_CHARACTERS)
    )
    shown = tuple(b for b in boxes if min(b[2] - b[0], b[3] - b[1]) >= _SMALLEST_PICTURE)
    return Page((width, height), scale, tuple(places), shown, readable)


def _corners_of(image: pdfium.PdfObject) -> list[tuple[float, float]]:
    corners = _corners(*image.get_bounds())
    holder = image.container
    while holder is not None:
        matrix = holder.get_matrix()
        corners = [matrix.on_point(x, y) for x, y in corners]
        holder = holder.container
    return corners


def _places(page: pdfium.PdfPage, on_page: _OnPage) -> tuple[list[Place], int]:
    text = page.get_textpage()
    places: list[Place] = []
    unmapped = 0
    for index in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, index)
        if raw.FPDFText_HasUnicodeMapError(text, index) == 1 or code in (0, 0xFFFD):
            unmapped += 1
        # Pdfium's sign for a hyphen at a line's end is a control character.
        sign = "-" if code in (0x02, 0xFFFE) else visible(chr(code))
        if not sign or sign == "\r":
            continue
        generated = raw.FPDFText_IsGenerated(text, index) == 1
        places.append(Place(sign, None if generated else _char_box(text, index, on_page)))
    text.close()
    return places, unmapped


def _char_box(text: pdfium.PdfTextPage, index: int, on_page: _OnPage) -> Box | None:
    found: list[tuple[float, float]] = []
    for loose in (False, True):
        try:
            found += _corners(*text.get_charbox(index, loose=loose))
        except pdfium.PdfiumError:
            continue
    return on_page.box(found) if found else None


def covered(places: Sequence[Place]) -> list[Box]:
    """Return black boxes over characters: one a line, spaces between included."""
    boxes: list[Box] = []
    for place in places:
        if place.box is None:
            continue
        box = place.box
        if boxes and _same_line(boxes[-1], box):
            last = boxes[-1]
            boxes[-1] = (min(last[0], box[0]), min(last[1], box[1]),
                         max(last[2], box[2]), max(last[3], box[3]))  # fmt: skip
        else:
            boxes.append(box)
    return [(b[0] - _PAD, b[1] - _PAD, b[2] + _PAD, b[3] + _PAD) for b in boxes]


def _same_line(one: Box, other: Box) -> bool:
    middle = (other[1] + other[3]) / 2
    height = max(one[3] - one[1], 1.0)
    return one[1] <= middle <= one[3] and -height <= other[0] - one[2] <= 2 * height


def words_left(page: Page, hidden: Sequence[bool], boxes: Sequence[Box]) -> Iterator[Word]:
    """Yield the words of a page that were not cut and lie under no box, set from left to right."""
    word, box = "", None
    for place, cut in [*zip(page.places, hidden, strict=True), (Place(" ", None), False)]:
        joins = (
            place.box is not None and place.text.strip() and not cut
            and (box is None or _same_line(box, place.box))
        )  # fmt: skip
        if joins and place.box is not None:
            word += place.text
            b = place.box
            box = b if box is None else (min(box[0], b[0]), min(box[1], b[1]),
                                         max(box[2], b[2]), max(box[3], b[3]))  # fmt: skip
            continue
        if box is not None and not any(_touch(box, black) for black in boxes):
            yield Word(word, box)
        word, box = "", None
        if place.box is not None and place.text.strip() and not cut:
            word, box = place.text, place.box


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def drawn(page: pdfium.PdfPage, scale: float, boxes: Sequence[Box] = ()) -> Image.Image:
    """Return a page as points, without notes, with black boxes burnt in."""
    bitmap = page.render(scale=scale, may_draw_forms=False, draw_annots=False)
    picture = bitmap.to_pil().convert("RGB")
    brush = ImageDraw.Draw(picture)
    for left, top, right, bottom in boxes:
        brush.rectangle((left, top, right, bottom), fill=(0, 0, 0))
    return picture
