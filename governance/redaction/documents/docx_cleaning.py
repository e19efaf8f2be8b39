"""Word's XML made plain: no history, no authors, no fields that call out, no hidden copies.

Belongs here: what is removed from a part of a Word file whatever is decided, each with words for a
notice. Does not belong here: the file as a whole or its texts (``docx.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
PIC = "http://schemas.openxmlformats.org/drawingml/2006/picture"
V = "urn:schemas-microsoft-com:vml"
O = "urn:schemas-microsoft-com:office:office"  # noqa: E741 - the prefix everyone knows it by
WPS = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"

_KNOWN_SPACES = {
    W, R, MC, A, WP, PIC, V, O, WPS,
    "http://www.w3.org/XML/1998/namespace",
    M,
    "http://schemas.microsoft.com/office/word/2010/wordprocessingGroup",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingDrawing",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingCanvas",
    "http://schemas.microsoft.com/office/drawing/2010/main",
    "urn:schemas-microsoft-com:office:word",
}  # fmt: skip

_GONE = {
    f"{{{W}}}del": "deleted text of tracked changes removed",
    f"{{{W}}}moveFrom": "moved text of tracked changes removed at its old place",
    f"{{{W}}}object": "embedded objects removed",
    f"{{{W}}}control": "controls removed",
    f"{{{W}}}altChunk": "files embedded as text removed",
    f"{{{W}}}subDoc": "links to other documents removed",
    f"{{{W}}}ffData": "settings of form fields removed",
    f"{{{W}}}movie": "recordings removed",
    f"{{{W}}}sdtPr": "settings of content controls removed",
    f"{{{W}}}sdtEndPr": "",
    f"{{{W}}}smartTagPr": "smart tags removed",
    f"{{{W}}}customXmlPr": "custom XML removed",
    f"{{{W}}}permStart": "editors' permissions removed",
    f"{{{W}}}permEnd": "",
    f"{{{W}}}proofErr": "",
    f"{{{W}}}vanish": "hidden text shown, so that nothing is hidden",
    f"{{{W}}}specVanish": "",
    f"{{{W}}}webHidden": "",
    f"{{{W}}}lastRenderedPageBreak": "",
    f"{{{W}}}printerSettings": "printer settings removed",
    f"{{{W}}}numPicBullet": "pictures of bullets removed",
    f"{{{W}}}lvlPicBulletId": "",
    f"{{{W}}}embedRegular": "embedded fonts removed",
    f"{{{W}}}embedBold": "embedded fonts removed",
    f"{{{W}}}embedItalic": "embedded fonts removed",
    f"{{{W}}}embedBoldItalic": "embedded fonts removed",
    f"{{{MC}}}Fallback": "second copies of drawings for old programs removed",
    f"{{{A}}}extLst": "",
    f"{{{A}}}hlinkClick": "links of pictures removed",
    f"{{{A}}}hlinkHover": "links of pictures removed",
    f"{{{W}}}fldData": "",
    f"{{{W}}}background": "backgrounds removed",
    f"{{{V}}}imagedata": "old drawings' pictures removed",
    f"{{{V}}}textpath": "text drawn as art removed",
    f"{{{O}}}OLEObject": "embedded objects removed",
    f"{{{O}}}signatureline": "signature lines removed",
}
"""Elements removed with all they hold, and words for a notice if a reader could miss them."""

_UNWRAPPED = {
    f"{{{W}}}{name}"
    for name in ("ins", "moveTo", "sdt", "sdtContent", "smartTag", "customXml", "dir", "bdo")
}
_CHANGE = re.compile(
    rf"\{{{re.escape(W)}\}}(?:\w+Change|moveFromRange\w+|moveToRange\w+|customXml\w+Range\w+|"
    r"cellIns|cellDel|cellMerge)$"
)
_DRAWINGS = ("/picture", "/wordprocessingShape", "/wordprocessingGroup", "/wordprocessingCanvas")
_SAFE_FIELD = re.compile(
    r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES|SECTION)(?:\s+\\\*\s*\w+)*\s*", re.IGNORECASE
)
_AUTHORS = {"author", "initials", "date", "dateUtc"}


def qualified(name: str) -> str:
    """Return a name of Word's main namespace, ``{...}name``."""
    return f"{{{W}}}{name}"


def drop(node: etree._Element) -> None:
    """Remove an element and all it holds; keep the text behind it."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail and node.tail.strip():
        before = node.getprevious()
        if before is None:
            parent.text = (parent.text or "") + node.tail
        else:
            before.tail = (before.tail or "") + node.tail
    parent.remove(node)


def unwrap(node: etree._Element) -> None:
    """Put an element's children in its place."""
    parent = node.getparent()
    if parent is None:
        return
    place = parent.index(node)
    for child in reversed(list(node)):
        parent.insert(place, child)
    parent.remove(node)


def cleaned(root: etree._Element) -> Iterator[str]:
    """Make one part plain; yield words for a notice for each thing removed."""
    yield from _history(root)
    for node in list(root.iter()):
        if node is root or node.getparent() is None:
            continue
        words = _GONE.get(str(node.tag))
        if words is not None:
            drop(node)
            if words:
                yield words
        elif etree.QName(node).namespace not in _KNOWN_SPACES:
            if "".join(node.itertext()).strip():
                yield "parts of a kind that cannot be examined removed"
            drop(node)
    for node in list(root.iter()):
        if node is not root and node.tag in _UNWRAPPED:
            unwrap(node)
    yield from _alternatives(root)
    yield from _graphics(root)
    yield from _fields(root)
    yield from _loose_text(root)
    _attributes(root)


def _history(root: etree._Element) -> Iterator[str]:
    for mark in list(root.iter(qualified("del"))):
        parent = mark.getparent()
        if parent is not None and parent.tag == qualified("trPr"):
            row = parent.getparent()
            if row is not None and row.getparent() is not None:
                row.getparent().remove(row)
                yield "deleted rows of tracked changes removed"
    for node in list(root.iter()):
        if _CHANGE.match(str(node.tag)):
            drop(node)
            yield "earlier states of tracked changes removed"


def _alternatives(root: etree._Element) -> Iterator[str]:
    for tag in (f"{{{MC}}}Choice", f"{{{MC}}}AlternateContent"):
        for node in list(root.iter(tag)):
            unwrap(node)
    yield from ()


def _graphics(root: etree._Element) -> Iterator[str]:
    for data in list(root.iter(f"{{{A}}}graphicData")):
        if data.get("uri", "").endswith(_DRAWINGS):
            continue
        drawing = next(data.iterancestors(qualified("drawing")), None)
        drop(drawing if drawing is not None else data)
        yield "charts and diagrams removed"
    for crop in list(root.iter(f"{{{A}}}srcRect")):
        if any(value not in ("0", "") for value in crop.attrib.values()):
            yield "cropped pictures shown whole, so that nothing is hidden"
        drop(crop)


def _fields(root: etree._Element) -> Iterator[str]:
    """Turn every field but page numbers into the text it last showed."""
    for simple in list(root.iter(qualified("fldSimple"))):
        if not _SAFE_FIELD.fullmatch(simple.get(qualified("instr"), "")):
            unwrap(simple)
            yield "fields turned into the text they showed"
    yield from _long_fields(root)


def _long_fields(root: etree._Element) -> Iterator[str]:
    """Do the same for fields that run from a mark for their begin to one for their end."""
    open_fields: list[tuple[list[etree._Element], list[str]]] = []
    marks = (qualified("fldChar"), qualified("instrText"), qualified("delInstrText"))
    for node in list(root.iter(*marks)):
        if node.tag != marks[0]:
            if open_fields:
                open_fields[-1][0].append(node)
                open_fields[-1][1].append(node.text or "")
            else:
                drop(node)
            continue
        kind = node.get(qualified("fldCharType"))
        if kind == "begin":
            open_fields.append(([], []))
        if not open_fields:
            drop(node)
            continue
        open_fields[-1][0].append(node)
        if kind == "end":
            nodes, words = open_fields.pop()
            if not _SAFE_FIELD.fullmatch("".join(words)):
                for each in nodes:
                    drop(each)
                yield "fields turned into the text they showed"
    for nodes, _ in open_fields:
        for each in nodes:
            drop(each)


def _loose_text(root: etree._Element) -> Iterator[str]:
    """Remove text that no program shows, because it lies where only elements belong."""
    shown = {qualified("t"), f"{{{M}}}t"}
    technical = {qualified("instrText"), f"{{{WP}}}posOffset", f"{{{WP}}}align"}
    for node in list(root.iter()):
        node.tail = None
        owned = node.tag in shown and any(True for _ in node.iterancestors(qualified("p")))
        if owned or node.tag in technical or not node.text:
            continue
        if node.text.strip():
            yield "text outside paragraphs removed"
        node.text = None


def _attributes(root: etree._Element) -> None:
    for node in root.iter():
        for key in list(node.attrib):
            name = etree.QName(str(key))
            if name.localname.startswith("rsid") or (
                name.namespace is not None
                and (name.namespace == O or name.namespace not in _KNOWN_SPACES)
            ):
                del node.attrib[key]
            elif name.namespace == W and name.localname in _AUTHORS:
                if name.localname == "author":
                    node.attrib[key] = ""
                else:
                    del node.attrib[key]
            elif name.localname == "Ignorable":
                # Prefixes that nothing uses any more would make the part invalid.
                del node.attrib[key]
        if node.tag == qualified("hyperlink"):
            for key in ("docLocation", "tgtFrame"):
                node.attrib.pop(qualified(key), None)
    etree.cleanup_namespaces(root)
