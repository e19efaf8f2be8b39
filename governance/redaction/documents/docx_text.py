"""The text of a Word paragraph in the pieces Word keeps it in, and what stands above a cell.

Belongs here: which elements are text to a reader. Does not belong here: which parts and attributes
stay (``docx.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from governance.redaction.documents.docx_cleaning import M, W, qualified
from governance.redaction.documents.model import visible
from governance.redaction.documents.pieces import Piece

_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}


def pieces_of(paragraph: etree._Element) -> Iterator[Piece]:
    """Yield the texts of a paragraph, but not those of a text box that is anchored in it."""
    for node in paragraph.iter():
        if node is paragraph:
            continue
        owner = next(node.iterancestors(qualified("p")), None)
        if owner is not paragraph:
            continue
        name = etree.QName(node).localname
        space = etree.QName(node).namespace
        if name == "t" and space in (W, M):
            node.text = visible(node.text or "")
            yield Piece(node.text, _text_writer(node))
        elif space == W and name in _SIGNS and node.getparent().tag == qualified("r"):
            yield Piece(_SIGNS[name], _sign_writer(node))


def heading_above(cell: etree._Element) -> str:
    """Return what stands above a cell in its table's first row; nothing for that row itself."""
    row = cell.getparent()
    table = row.getparent()
    first = table.find(qualified("tr")) if table is not None else None
    if first is None or first is row:
        return ""
    heads = first.findall(qualified("tc"))
    place = row.findall(qualified("tc")).index(cell)
    words = "".join(heads[place].itertext(qualified("t"))) if place < len(heads) else ""
    return visible(words).strip()[:60]


def _text_writer(node: etree._Element) -> Callable[[str], None]:
    def write(text: str) -> None:
        node.text = text
        node.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")

    return write


def _sign_writer(node: etree._Element) -> Callable[[str], None]:
    """A tab or line break inside a passage becomes text, or goes if the passage began before it."""

    def write(text: str) -> None:
        node.tag = qualified("t")
        node.attrib.clear()
        _text_writer(node)(text)

    return write
