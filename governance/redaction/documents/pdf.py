"""PDF: every page is drawn as points with black boxes burnt in, and a new file made of them.

Belongs here: opening, what is said of the file around the pages, and the new file. Nothing of the
old file is copied: neither its text, fonts and hidden layers nor its notes, forms, scripts,
bookmarks, attachments and metadata can survive. Does not belong here: a page (``pdf_pages.py``).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pikepdf
import pypdfium2 as pdfium
from PIL import Image, ImageChops
from pypdfium2 import raw

from governance.redaction.documents.model import (
    PICTURE,
    Block,
    Cuts,
    DocumentError,
    Notice,
    merged,
)
from governance.redaction.documents.packages import damaged, encrypted
from governance.redaction.documents.pdf_pages import (
    Box,
    Page,
    Word,
    covered,
    drawn,
    read_page,
    words_left,
)
from governance.redaction.documents.pictures import png

_WHAT = "a PDF"
MOST_PAGES = 1_000
_PREVIEW_SCALE = 0.9


class PdfDocument:
    """A PDF file.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    scanned_as_is : bool
        Take pages on which nothing can be read, each as one picture to look at.
    """

    kind = "pdf"

    def __init__(self, content: bytes, name: str, *, scanned_as_is: bool = False) -> None:
        self._name = name
        said, interactive, self._layers = _around(content, name)
        try:
            if interactive:
                content = _flattened(content)
            self._file = pdfium.PdfDocument(content)
            self._pages: list[Page] = [read_page(page) for page in self._file]
        except (pdfium.PdfiumError, ValueError):
            raise damaged(name, _WHAT) from None
        unreadable = [n for n, page in enumerate(self._pages, start=1) if not page.readable]
        if unreadable and not scanned_as_is:
            raise DocumentError(
                f"Nothing can be read on {_pages(unreadable)} of {name}: scanned, drawn, or in a "
                "font without letters, and there is no text recognition here",
                "Run text recognition on it first, or give --scanned-as-is and look at each of "
                "these pages yourself",
            )
        said.append(Notice("pages turned into pictures; letters can no longer be scaled up", len(
            self._pages)))  # fmt: skip
        if self._layers:
            said.append(Notice("text for searching removed, because the file has layers"))
        else:
            said.append(Notice("text that stays is laid invisibly over the pages for searching"))
        self.notices: list[Notice] = said
        self.blocks: Sequence[Block] = list(self._read_blocks())

    def _read_blocks(self) -> list[Block]:
        blocks = []
        for number, page in enumerate(self._pages, start=1):
            if page.text.strip():
                blocks.append(Block(f"p{number}", f"page {number}", page.text))
            boxes = page.pictures if page.readable else (_whole(page),)
            picture = drawn(self._file[number - 1], _PREVIEW_SCALE) if boxes else None
            for count, box in enumerate(boxes, start=1):
                where = f"page {number}, picture {count}" if page.readable else (
                    f"page {number}, nothing can be read: look at it")  # fmt: skip
                blocks.append(
                    Block(f"p{number}i{count}", where, f"[{where}]", suspect=PICTURE,
                          kept_unless_cut=True, picture=_preview(picture, page, box))
                )  # fmt: skip
        return blocks

    def written(self, cuts: Cuts) -> bytes:
        """Return a PDF of pictures, with the text that stays laid over them invisibly."""
        from reportlab.lib.utils import ImageReader  # noqa: PLC0415 - only where a PDF is written
        from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

        buffer = io.BytesIO()
        canvas = Canvas(buffer, invariant=1)
        for number, page in enumerate(self._pages, start=1):
            hidden, boxes = self._boxes(number, page, cuts)
            picture = drawn(self._file[number - 1], page.scale, boxes)
            width, height = page.size
            canvas.setPageSize((width, height))
            canvas.drawImage(ImageReader(io.BytesIO(_compressed(picture))), 0, 0, width, height)
            if not self._layers and page.readable:
                for word in words_left(page, hidden, boxes):
                    _lay(canvas, word, page)
            canvas.showPage()
        canvas.save()
        return _bare(buffer.getvalue())

    def _boxes(self, number: int, page: Page, cuts: Cuts) -> tuple[list[bool], list[Box]]:
        hidden = [False] * len(page.text)
        boxes: list[Box] = []
        for cut in merged(cuts.get(f"p{number}", ())):
            inside = page.places[cut.start : cut.end]
            if any(place.text.strip() and place.box is None for place in inside):
                raise DocumentError(
                    f"A passage on page {number} of {self._name} has no place on the page, so it "
                    "cannot be blacked out",
                    "Print the document to a new PDF and redact that",
                )
            for index in range(cut.start, cut.end):
                hidden[index] = True
            boxes += covered(inside)
        pictures = page.pictures if page.readable else (_whole(page),)
        for count, box in enumerate(pictures, start=1):
            if cuts.get(f"p{number}i{count}"):
                boxes.append(box)
        return hidden, boxes


def _preview(picture: Image.Image | None, page: Page, box: Box) -> bytes:
    if picture is None:
        return b""
    share = picture.width / max(page.size[0] * page.scale, 1)
    left, top, right, bottom = (round(side * share) for side in box)
    crop = (max(left, 0), max(top, 0), min(right + 1, picture.width),
            min(bottom + 1, picture.height))  # fmt: skip
    return png(picture.crop(crop)) if crop[0] < crop[2] and crop[1] < crop[3] else b""


def _whole(page: Page) -> Box:
    width, height = page.size
    return -1.0, -1.0, width * page.scale + 1, height * page.scale + 1


def _pages(numbers: Sequence[int]) -> str:
    first = ", ".join(str(number) for number in numbers[:5])
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {first}{more}"


def _around(content: bytes, name: str) -> tuple[list[Notice], bool, bool]:
    """Return what goes with the old file, whether notes or forms show, whether it has layers."""
    try:
        with pikepdf.open(io.BytesIO(content)) as file:
            if file.is_encrypted:
                raise encrypted(name)
            if not 0 < len(file.pages) <= MOST_PAGES:
                raise DocumentError(
                    f"{name} has no page or more than {MOST_PAGES:,}",
                    "Split it and redact the parts",
                )
            return _found(file)
    except pikepdf.PasswordError:
        raise encrypted(name) from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise damaged(name, _WHAT) from None


def _found(file: pikepdf.Pdf) -> tuple[list[Notice], bool, bool]:
    root = file.Root
    form = root.get("/AcroForm")
    if form is not None and "/XFA" in form:
        raise DocumentError(
            "The PDF is a dynamic form (XFA) whose content is not on its pages",
            "Print it to a new PDF and redact that",
        )
    names: Any = root.get("/Names", {})
    notes = sum(len(page.get("/Annots", [])) for page in file.pages)
    scripts = "/JavaScript" in names or "/OpenAction" in root or "/AA" in root
    layers = "/OCProperties" in root
    facts = [
        (
            "document properties removed",
            len(file.docinfo) > 0 if "/Info" in file.trailer else False,
        ),
        ("XMP metadata removed", "/Metadata" in root),
        ("attached files removed", len(file.attachments)),
        ("scripts and actions removed", scripts),
        ("bookmarks removed", "/Outlines" in root),
        ("tags for screen readers removed", "/StructTreeRoot" in root),
        ("notes, links and form fields removed; what they show stays as part of the page", notes),
        ("layers removed; what is not shown is gone", layers),
    ]
    notices = [Notice(what, int(count)) for what, count in facts if count]
    return notices, bool(notes or form is not None), layers


def _flattened(content: bytes) -> bytes:
    """Make what notes and form fields show a part of their page, so that it is read too."""
    file = pdfium.PdfDocument(content)
    file.init_forms()
    for page in file:
        page.flatten(raw.FLAT_NORMALDISPLAY)
        page.close()
    buffer = io.BytesIO()
    file.save(buffer)
    file.close()
    return buffer.getvalue()


def _compressed(picture: Image.Image) -> bytes:
    grey = picture.convert("L")
    plain = ImageChops.difference(grey.convert("RGB"), picture).getbbox() is None
    buffer = io.BytesIO()
    if plain:
        grey.save(buffer, format="PNG")
    else:
        picture.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def _lay(canvas: Any, word: Word, page: Page) -> None:
    """Lay a word over the page so that it can be found, not seen."""
    try:
        word.text.encode("cp1252")
    except UnicodeEncodeError:
        return
    left, top, right, bottom = (side / page.scale for side in word.box)
    width, height = page.size
    size = bottom - top
    inside = left >= 0 and top >= 0 and right <= width + 1 and bottom <= height + 1
    if not inside or size <= 0 or right <= left:
        return
    natural = canvas.stringWidth(word.text, "Helvetica", size)
    text = canvas.beginText(left, height - bottom + size * 0.2)
    text.setTextRenderMode(3)
    text.setFont("Helvetica", size)
    if natural > 0:
        text.setHorizScale(100 * (right - left) / natural)
    text.textOut(word.text + " ")
    canvas.drawText(text)


def _bare(content: bytes) -> bytes:
    """Return the new file without what the library that made it says of itself."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as file:
        if "/Info" in file.trailer:
            del file.trailer["/Info"]
        file.save(buffer, linearize=False, deterministic_id=True)
    return buffer.getvalue()
