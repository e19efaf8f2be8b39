"""DOCX: a package rebuilt from the parts that are known and were examined.

Belongs here: which parts stay, and which of their texts and attributes are shown. A part, an
element's namespace or a relationship that is not on a list is removed and said. Does not belong
here: what is removed inside a part (``docx_cleaning.py``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from governance.redaction.documents.docx_cleaning import (
    PIC,
    WP,
    R,
    V,
    W,
    cleaned,
    drop,
    qualified,
    unwrap,
)
from governance.redaction.documents.docx_text import heading_above, pieces_of
from governance.redaction.documents.model import (
    PICTURE,
    Block,
    Cuts,
    DocumentError,
    Notice,
    counted,
    visible,
    without,
)
from governance.redaction.documents.packages import (
    damaged,
    packed,
    read_xml,
    unpacked,
    write_xml,
)
from governance.redaction.documents.pictures import drawn_again, preview
from governance.redaction.documents.pieces import Piece, cut_pieces, joined

_WHAT = "a Word document"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_PARTS = {
    "document": "document.main+xml", "styles": "styles+xml", "numbering": "numbering+xml",
    "settings": "settings+xml", "fontTable": "fontTable+xml", "header": "header+xml",
    "footer": "footer+xml", "footnotes": "footnotes+xml", "endnotes": "endnotes+xml",
    "comments": "comments+xml",
}  # fmt: skip
"""Kinds of part that stay, by the end of their relationship's type, and their content type."""
_NAMES = {
    "document": "text", "header": "header", "footer": "footer", "footnotes": "footnotes",
    "endnotes": "endnotes", "comments": "comments", "styles": "styles", "numbering": "lists",
}  # fmt: skip
_SETTINGS = {
    "evenAndOddHeaders", "mirrorMargins", "defaultTabStop", "autoHyphenation", "compat",
    "themeFontLang", "decimalSymbol", "listSeparator", "footnotePr", "endnotePr",
    "clrSchemeMapping", "characterSpacingControl", "gutterAtTop",
}  # fmt: skip
_STYLE_USES = ("pStyle", "rStyle", "tblStyle", "basedOn", "next", "link", "numStyleLink",
               "styleLink")  # fmt: skip
_TELLING = re.compile(r"\s|@|\d{9}")
"""What an attribute that no list names must hold to be shown: words, an address, a number."""

_TECHNICAL = {"rFonts", "font", "altName", "latin", "ea", "cs", "sig", "shape", "shapetype", "rect"}
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_LOST = {
    "docProps": "document properties and thumbnail removed", "customXml": "custom XML removed",
    "word/embeddings": "embedded files removed", "word/charts": "charts removed",
    "word/diagrams": "diagrams removed", "word/fonts": "embedded fonts removed",
    "word/glossary": "building blocks removed", "word/theme": "colour theme removed",
    "word/ink": "ink removed", "word/webSettings.xml": "web settings removed",
    "word/people.xml": "list of authors removed", "word/activeX": "controls removed",
}  # fmt: skip


@dataclass(frozen=True)
class _Relation:
    id: str
    kind: str
    target: str
    external: bool


class DocxDocument:
    """A DOCX file.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    """

    kind = "docx"

    def __init__(self, content: bytes, name: str) -> None:
        self._name = name
        self._source = unpacked(content, name, _WHAT)
        self._blocks: list[Block] = []
        self._said: list[str] = []
        self._writers: dict[str, Callable[[Sequence], None]] = {}
        self._xml: dict[str, tuple[str, etree._Element]] = {}
        self._relations: dict[str, list[_Relation]] = {}
        self._media: dict[str, bytes] = {}
        self._numbers: dict[str, int] = {}
        self._shown: list[tuple[etree._Element, str]] = []
        main = self._main_part()
        self._load(main, "document")
        _rename_styles(self._xml)
        for part, (kind, root) in self._xml.items():
            self._read_part(part, kind, root)
        self._say_what_is_lost()
        self.blocks: Sequence[Block] = self._blocks
        self.notices: list[Notice] = counted(self._said)

    def _main_part(self) -> str:
        if any("vbaproject" in part.lower() for part in self._source):
            raise DocumentError(
                f"{self._name} holds macros", "Save it as DOCX without macros and redact that"
            )
        for relation in self._relations_of(""):
            if relation.kind == "officeDocument" and not relation.external:
                return relation.target
        raise damaged(self._name, _WHAT)

    def _relations_of(self, part: str) -> list[_Relation]:
        folder, file = posixpath.split(part)
        body = self._source.get(posixpath.join(folder, "_rels", f"{file}.rels"))
        if body is None:
            return []
        found = []
        for node in read_xml(body, self._name, _WHAT):
            external = node.get("TargetMode") == "External"
            target = node.get("Target", "")
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = node.get("Type", "").rsplit("/", 1)[-1]
            found.append(_Relation(node.get("Id", ""), kind, target, external))
        return found

    def _load(self, part: str, kind: str) -> None:
        if part in self._xml:
            return
        if part not in self._source:
            raise damaged(self._name, _WHAT)
        root = read_xml(self._source[part], self._name, _WHAT)
        if etree.QName(root).namespace != W:
            raise damaged(self._name, _WHAT)
        self._xml[part] = (kind, root)
        if kind == "settings":
            for node in list(root):
                if etree.QName(node).localname not in _SETTINGS:
                    drop(node)
        self._said.extend(cleaned(root))
        self._relations[part] = []
        for relation in self._relations_of(part):
            if relation.external:
                if relation.kind == "hyperlink" and _LINK.match(relation.target):
                    self._relations[part].append(relation)
                else:
                    self._said.append("links to files and templates elsewhere removed")
            elif relation.kind == "image":
                self._load_picture(part, relation)
            elif relation.kind in _PARTS and relation.kind != "document":
                self._load(relation.target, relation.kind)
                self._relations[part].append(relation)

    def _load_picture(self, part: str, relation: _Relation) -> None:
        body = drawn_again(self._source.get(relation.target, b""))
        if body is None:
            self._said.append("pictures that cannot be drawn again removed")
            return
        self._media[relation.target] = body
        self._relations[part].append(relation)

    def _place(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind} {self._numbers[kind]}"

    def _add(
        self, words: str, text: str, write: Callable[[Sequence], None], **more: object
    ) -> None:
        number = f"d{len(self._blocks) + 1}"
        self._blocks.append(Block(number, words, text, **more))  # type: ignore[arg-type]
        self._writers[number] = write

    def _read_part(self, part: str, kind: str, root: etree._Element) -> None:
        self._drop_dead_links(part, root)
        if kind in ("settings", "fontTable"):
            return
        title = self._place(_NAMES[kind]) if kind in ("header", "footer") else _NAMES[kind]
        if kind == "styles":
            self._style_names(root)
            return
        if kind == "numbering":
            for node in list(root.iter(qualified("name"))):
                drop(node)
            for node in root.iter(qualified("lvlText")):
                if re.search(r"[^\W\d_]{2}|\d{4}", node.get(qualified("val"), "")):
                    self._attribute(node, qualified("val"), "list label")
            return
        self._read_paragraphs(title, root)
        self._read_attributes(title, root)
        self._read_other_attributes(title, root)
        for relation in self._relations[part]:
            if relation.kind == "hyperlink":
                self._link(part, relation, root)
            elif relation.kind == "image":
                self._picture(part, relation, root)

    def _read_paragraphs(self, title: str, root: etree._Element) -> None:
        rows = {row: n for n, row in enumerate(root.iter(qualified("tr")), start=1)}
        count = 0
        for paragraph in root.iter(qualified("p")):
            pieces = list(pieces_of(paragraph))
            text = joined(pieces)
            if not text.strip():
                continue
            count += 1
            where, row, hint = f"{title}, paragraph {count}", "", ""
            cell = next(paragraph.iterancestors(qualified("tc"), qualified("txbxContent")), None)
            if cell is not None and cell.tag != qualified("tc"):
                where += " (text box)"
            elif cell is not None and cell.getparent() in rows:
                row = f"{title}, table row {rows[cell.getparent()]}"
                where += f" (table row {rows[cell.getparent()]})"
                hint = heading_above(cell)
            self._add(where, text, _cutter(pieces), row=row, hint=hint)

    def _read_attributes(self, title: str, root: etree._Element) -> None:
        names = {f"{{{WP}}}docPr", f"{{{PIC}}}cNvPr"}
        for node in root.iter():
            if node.tag in names or etree.QName(node).localname == "cNvPr":
                node.set("name", "")
                for key in ("descr", "title"):
                    self._attribute(node, key, f"{title}, alternative text")
            elif etree.QName(node).namespace == V:
                for key in ("alt", "title", "string", "href"):
                    self._attribute(node, key, f"{title}, alternative text")
                node.attrib.pop("id", None)
                node.attrib.pop("spid", None)
            elif node.tag == qualified("hyperlink"):
                self._attribute(node, qualified("tooltip"), f"{title}, tip of a link")
                self._attribute(node, qualified("anchor"), f"{title}, bookmark")
            elif node.tag == qualified("bookmarkStart"):
                self._attribute(node, qualified("name"), f"{title}, bookmark", empty="")
            elif node.tag in (qualified("tblCaption"), qualified("tblDescription")):
                self._attribute(node, qualified("val"), f"{title}, alternative text")

    def _read_other_attributes(self, title: str, root: etree._Element) -> None:
        """Show once each value, in whatever attribute, that could be told to a person."""
        done = {node for node, _ in self._shown}
        uses: dict[str, list[tuple[etree._Element, str]]] = {}
        for node in root.iter():
            for key, value in node.attrib.items():
                telling = _TELLING.search(str(value).strip())
                if telling and node not in done and etree.QName(node).localname not in _TECHNICAL:
                    uses.setdefault(str(value), []).append((node, str(key)))
        for value, places in uses.items():

            def write(_: Sequence, places: list[tuple[etree._Element, str]] = places) -> None:
                for node, key in places:
                    node.attrib.pop(key, None)

            self._add(self._place(f"{title}, technical value"), visible(value), write)

    def _attribute(
        self, node: etree._Element, key: str, where: str, empty: str | None = None
    ) -> None:
        text = visible(node.get(key, ""))
        if not text.strip() or text.startswith("_"):
            return

        def write(cuts: Sequence) -> None:
            node.set(key, without(text, cuts) if empty is None else "bookmark")

        node.set(key, text)
        self._shown.append((node, key))
        self._add(self._place(where), text, write)

    def _style_names(self, root: etree._Element) -> None:
        """Name custom styles anew: a name that somebody typed shows nowhere in the text."""
        custom = [s for s in root.iter(qualified("style")) if _is_custom(s)]
        for number, style in enumerate(custom, start=1):
            for alias in list(style.findall(qualified("aliases"))):
                drop(alias)
            name = style.find(qualified("name"))
            if name is not None:
                name.set(qualified("val"), f"Custom style {number}")
        self._said += ["custom styles named anew"] * len(custom)

    def _link(self, part: str, relation: _Relation, root: etree._Element) -> None:
        def write(_: Sequence) -> None:
            self._relations[part].remove(relation)
            for node in list(_users(root, relation.id)):
                unwrap(node) if node.tag == qualified("hyperlink") else drop(node)

        self._add(self._place("link target"), visible(unquote(relation.target)), write)

    def _picture(self, part: str, relation: _Relation, root: etree._Element) -> None:
        users = list(_users(root, relation.id))
        if not users:
            self._relations[part].remove(relation)
            return

        def write(_: Sequence) -> None:
            self._relations[part].remove(relation)
            for node in users:
                holder = next(node.iterancestors(qualified("drawing"), qualified("pict")), node)
                drop(holder)

        where = self._place("picture")
        self._add(where, f"[{where}]", write, suspect=PICTURE, kept_unless_cut=True,
                  picture=preview(self._media[relation.target]))  # fmt: skip

    def _drop_dead_links(self, part: str, root: etree._Element) -> None:
        """Remove what refers to a part that does not stay: Word would refuse the file."""
        live = {relation.id for relation in self._relations[part]}
        for node in list(root.iter()):
            for key in list(node.attrib):
                if etree.QName(str(key)).namespace != R or node.attrib[key] in live:
                    continue
                if node.tag == qualified("hyperlink"):
                    unwrap(node)
                elif etree.QName(node).localname in ("headerReference", "footerReference"):
                    drop(node)
                else:
                    holder = next(node.iterancestors(qualified("drawing"), qualified("pict")), None)
                    drop(holder if holder is not None else node)
                break

    def _say_what_is_lost(self) -> None:
        for start, words in _LOST.items():
            if any(part.startswith(start) for part in self._source):
                self._said.append(words)
        known = (*_LOST, "_rels", "word/_rels", "[Content_Types]")
        lost = [
            part for part in self._source
            if part not in self._xml and part not in self._media and not part.startswith(known)
        ]  # fmt: skip
        self._said += ["other parts of the file removed"] * len(lost)

    def written(self, cuts: Cuts) -> bytes:
        """Return the document from its known parts alone, under new names."""
        for key, write in self._writers.items():
            if cuts.get(key):
                write(cuts[key])
        used = {
            relation.target
            for relations in self._relations.values()
            for relation in relations
            if relation.kind == "image"
        }
        names: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for part, (kind, _) in self._xml.items():
            numbers[kind] = numbers.get(kind, 0) + 1
            number = str(numbers[kind]) if kind in ("header", "footer") else ""
            names[part] = f"word/{kind}{number}.xml"
        for count, part in enumerate(sorted(used), start=1):
            names[part] = f"word/media/image{count}.{_suffix(self._media[part])}"
        out = {
            "[Content_Types].xml": self._content_types(names),
            "_rels/.rels": _relations_xml(
                [_Relation("rId1", "officeDocument", "word/document.xml", external=False)]
            ),
        }
        for part, (_, root) in self._xml.items():
            out[names[part]] = write_xml(root)
            relations = [
                _Relation(r.id, r.kind, r.target if r.external
                          else names[r.target].removeprefix("word/"), r.external)
                for r in self._relations[part]
            ]  # fmt: skip
            if relations:
                folder, file = posixpath.split(names[part])
                out[f"{folder}/_rels/{file}.rels"] = _relations_xml(relations)
        out.update({names[part]: self._media[part] for part in sorted(used)})
        return packed(out)

    def _content_types(self, names: dict[str, str]) -> bytes:
        root = etree.Element(f"{{{_TYPES}}}Types", nsmap={None: _TYPES})
        suffixes = {"rels": "application/vnd.openxmlformats-package.relationships+xml",
                    "xml": "application/xml"}  # fmt: skip
        for name in names.values():
            if name.startswith("word/media/"):
                suffix = name.rsplit(".", 1)[-1]
                suffixes[suffix] = f"image/{suffix}"
        for suffix, kind in suffixes.items():
            etree.SubElement(root, f"{{{_TYPES}}}Default", Extension=suffix, ContentType=kind)
        for part, (kind, _) in self._xml.items():
            etree.SubElement(root, f"{{{_TYPES}}}Override", PartName=f"/{names[part]}",
                             ContentType=_WORD_TYPE + _PARTS[kind])  # fmt: skip
        return write_xml(root)


def _cutter(pieces: list[Piece]) -> Callable[[Sequence], None]:
    return lambda cuts: cut_pieces(pieces, cuts)


def _users(root: etree._Element, relation: str) -> Iterator[etree._Element]:
    for node in root.iter():
        for key, value in node.attrib.items():
            if value == relation and etree.QName(str(key)).namespace == R:
                yield node
                break


def _is_custom(style: etree._Element) -> bool:
    return style.get(qualified("customStyle")) in ("1", "true", "on")


def _rename_styles(parts: dict[str, tuple[str, etree._Element]]) -> None:
    """Give custom styles ids that tell nothing: Word makes an id from the name someone typed."""
    names: dict[str, str] = {}
    for kind, root in parts.values():
        if kind != "styles":
            continue
        for number, style in enumerate(root.iter(qualified("style")), start=1):
            if _is_custom(style):
                names[style.get(qualified("styleId"), "")] = f"Custom{number}"
                style.set(qualified("styleId"), f"Custom{number}")
    for _, root in parts.values():
        for node in root.iter(*(qualified(use) for use in _STYLE_USES)):
            value = node.get(qualified("val"), "")
            node.set(qualified("val"), names.get(value, value))


def _suffix(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "png"
    if picture.startswith(b"\xff\xd8"):
        return "jpeg"
    if picture.startswith(b"GIF"):
        return "gif"
    return "bmp" if picture.startswith(b"BM") else "tiff"


def _relations_xml(relations: Sequence[_Relation]) -> bytes:
    root = etree.Element(f"{{{_RELATIONS}}}Relationships", nsmap={None: _RELATIONS})
    for relation in relations:
        node = etree.SubElement(root, f"{{{_RELATIONS}}}Relationship", Id=relation.id,
                                Type=f"{R}/{relation.kind}", Target=relation.target)  # fmt: skip
        if relation.external:
            node.set("TargetMode", "External")
    return write_xml(root)
