"""HTML: a page rebuilt from its words, its structure and a short list of attributes.

Belongs here: which elements and attributes stay, and which texts are one to a reader. What is not
on the lists is removed, so that an element invented tomorrow is removed too. Does not belong here:
how a page looks; its style sheets can hide text and hold text, and go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from lxml import etree, html

from governance.redaction.documents.model import Block, Cuts, DocumentError, counted, visible
from governance.redaction.documents.pieces import Piece, cut_pieces, joined
from governance.redaction.documents.text import decoded

REMOVED = {
    "script": "scripts", "style": "style sheets", "link": "links to other files",
    "meta": "page metadata", "base": "page metadata", "object": "embedded objects",
    "embed": "embedded objects", "applet": "embedded objects", "iframe": "embedded pages",
    "frame": "embedded pages", "frameset": "embedded pages", "svg": "drawings", "math": "formulas",
    "canvas": "drawings", "audio": "recordings", "video": "recordings", "source": "recordings",
    "track": "recordings", "template": "templates", "noscript": "parts for old browsers",
    "picture": "pictures", "map": "maps of links", "noembed": "embedded objects",
    "noframes": "embedded pages", "dialog": "dialogues", "xml": "embedded XML",
}  # fmt: skip
"""Elements that go with all they hold, and how a notice calls them."""

INLINE = {
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "nobr",
}  # fmt: skip
"""Elements inside a line: a passage may run across them."""

KNOWN = INLINE | {
    "html", "head", "title", "body", "h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "br", "hr",
    "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "colgroup", "col", "thead", "tbody",
    "tfoot", "tr", "th", "td", "blockquote", "pre", "address", "article", "aside", "footer",
    "header", "main", "nav", "section", "figure", "figcaption", "details", "summary", "form",
    "fieldset", "legend", "input", "textarea", "select", "option", "optgroup", "button", "output",
    "img", "center", "hgroup", "search", "menu",
}  # fmt: skip

WORDS = {
    "alt",
    "title",
    "value",
    "placeholder",
    "label",
    "summary",
    "abbr",
    "aria-label",
    "content",
}
"""Attributes that people read: shown for review."""

HARMLESS = {
    "colspan": r"\d{1,4}", "rowspan": r"\d{1,4}", "span": r"\d{1,4}", "start": r"-?\d{1,4}",
    "type": r"[1aAiI]|text|checkbox|radio|button|submit", "dir": r"ltr|rtl|auto",
    "lang": r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?", "scope": r"row|col|rowgroup|colgroup",
    "checked": r"checked|", "selected": r"selected|", "align": r"left|right|center|justify",
}  # fmt: skip
"""Attributes that stay if their value is one of a few, so can tell nothing."""

_LINK = re.compile(r"(?:https?|mailto|tel|sms):", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_READABLE = {b"utf-8", b"utf8", b"windows-1252", b"cp1252", b"iso-8859-1", b"latin1", b"us-ascii",
             b"ascii"}  # fmt: skip
_BLANKS = re.compile(r"[ \t\r\n\f]+")
MOST_DEPTH = 250


class HtmlDocument:
    """An HTML file or the HTML part of an e-mail.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    """

    kind = "html"

    def __init__(self, content: bytes, name: str) -> None:
        declared = _CHARSET.search(content[:4096])
        if declared and declared[1].lower() not in _READABLE:
            raise DocumentError(
                f"{name} declares an encoding other than UTF-8 and Windows-1252",
                "Save it as UTF-8 and try that",
            )
        text, _ = decoded(content, name)
        self._name = name
        self._notices: list[str] = []
        self._root = _parsed(text, name)
        self._blocks: list[Block] = []
        self._pieces: dict[str, list[Piece]] = {}
        self._attributes: dict[str, tuple[etree._Element, str]] = {}
        self._line: list[Piece] = []
        self._strip()
        self._walk(self._root, depth=0, kept=False)
        self._flush()
        self.blocks: Sequence[Block] = self._blocks
        self.notices = counted(self._notices)

    def _strip(self) -> None:
        for node in list(self._root.iter()):
            if node.getparent() is None:
                continue
            if not isinstance(node.tag, str):
                self._notices.append("comments in the source removed")
                node.drop_tree()
            elif (what := REMOVED.get(node.tag)) is not None:
                self._notices.append(f"{what} removed")
                node.drop_tree()
        for node in list(self._root.iter()):
            hidden = node.tag == "input" and node.get("type", "").lower() in ("hidden", "password")
            if hidden:
                self._notices.append("hidden form fields removed")
                node.drop_tree()
            elif node.tag not in KNOWN and node.getparent() is not None:
                self._notices.append("unusual elements removed, their text kept")
                node.drop_tag()
            else:
                self._strip_attributes(node)

    def _strip_attributes(self, node: etree._Element) -> None:
        if node.tag == "img" and (node.get("src") or node.get("srcset")):
            self._notices.append("pictures removed, their descriptions kept")
        for key in list(node.attrib):
            name, value = str(key).lower(), str(node.attrib[key])
            if name in WORDS or (name == "href" and _LINK.match(value.strip())):
                continue
            allowed = HARMLESS.get(name)
            if allowed is not None and re.fullmatch(allowed, value.strip()):
                continue
            if name not in ("class", "style", "id"):
                self._notices.append("attributes nobody reads removed")
            del node.attrib[key]

    def _walk(self, node: etree._Element, *, depth: int, kept: bool) -> None:
        if depth > MOST_DEPTH:
            raise DocumentError(
                f"{self._name} is nested deeper than any page that is read",
                "Open it in a browser, save it again, and try that",
            )
        inline = node.tag in INLINE
        if not inline:
            self._flush()
        self._attribute_blocks(node)
        kept = kept or node.tag in ("pre", "textarea")
        self._text(node, "text", kept=kept)
        for child in node:
            self._walk(child, depth=depth + 1, kept=kept)
            self._text(child, "tail", kept=kept)
        if not inline:
            self._flush()

    def _attribute_blocks(self, node: etree._Element) -> None:
        for key in list(node.attrib):
            if str(key) not in WORDS and str(key) != "href":
                continue
            raw = visible(str(node.attrib[key]))
            value = unquote(raw) if key == "href" else raw
            if not value.strip():
                continue
            number = len(self._attributes) + 1
            words = "link target" if key == "href" else f"attribute {key}"
            self._blocks.append(Block(f"a{number}", f"{words} {number}", value))
            self._attributes[f"a{number}"] = (node, str(key))

    def _text(self, node: etree._Element, place: str, *, kept: bool) -> None:
        raw = getattr(node, place)
        if not raw:
            return
        text = visible(raw)
        if len(text) != len(raw):
            self._notices.append("characters that nobody sees removed")
        if not kept:
            text = _BLANKS.sub(" ", text)
        setattr(node, place, text)

        def write(new: str) -> None:
            setattr(node, place, new)

        self._line.append(Piece(text, write))

    def _flush(self) -> None:
        line, self._line = self._line, []
        text = joined(line)
        if not text.strip():
            return
        number = len(self._pieces) + 1
        self._pieces[f"t{number}"] = line
        self._blocks.append(Block(f"t{number}", f"paragraph {number}", text))

    def written(self, cuts: Cuts) -> bytes:
        """Return a page in UTF-8 of the words and attributes that were examined."""
        for key, (node, attribute) in self._attributes.items():
            if cuts.get(key):
                # Half a link or half a hidden value serves nobody.
                del node.attrib[attribute]
        for key, pieces in self._pieces.items():
            cut_pieces(pieces, cuts.get(key, ()))
        head = self._root.find("head")
        if head is None:
            head = etree.Element("head")
            self._root.insert(0, head)
        head.insert(0, etree.Element("meta", charset="utf-8"))
        body = etree.tostring(self._root, method="html", encoding="unicode", with_tail=False)
        return f"<!doctype html>\n{body}\n".encode()


def _parsed(text: str, name: str) -> etree._Element:
    # As text, so that no declaration inside it chooses another encoding.
    start = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(start.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise DocumentError(f"{name} holds no page", "Check that it is the right file") from None
    if root.tag != "html":
        page = html.Element("html")
        page.append(root)
        root = page
    return root
