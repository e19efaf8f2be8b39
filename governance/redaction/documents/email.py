"""E-mail: a message built anew from the headers people read, its text and its attachments.

Belongs here: which headers stay, and which parts are handed to the other types of file. Does not
belong here: those types; the reader of attachments is handed in.
"""

from __future__ import annotations

import email
import email.encoders
import email.policy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart

from governance.redaction.documents.html import HtmlDocument
from governance.redaction.documents.model import (
    CORRESPONDENT,
    REDACTED,
    Block,
    Cuts,
    Document,
    DocumentError,
    Notice,
    visible,
    without,
)
from governance.redaction.documents.text import TextDocument

PARTIES = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc")
"""Headers that name people: the whole of each is proposed."""

KEPT = (*PARTIES, "Date", "Subject")
"""Headers that stay once examined. All others tell machines, routes and numbers, and go."""

MOST_NESTED = 4
_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf", "html": "text/html", "csv": "text/csv", "txt": "text/plain",
    "eml": "message/rfc822",
}  # fmt: skip

OpenAttachment = Callable[[bytes, str, int], Document]
"""Reads an attachment: its bytes, its name, how deep it lies. Raises DocumentError."""


@dataclass
class _Part:
    """A part of the message that is read as a document of its own."""

    id: str
    role: str
    document: Document
    name: str = ""


class EmailDocument:
    """An EML file.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    open_attachment : callable
        Reads an attachment of a known type; raises `DocumentError` for one that cannot be examined.
    depth : int
        How many messages this one lies in.
    """

    kind = "eml"

    def __init__(
        self, content: bytes, name: str, open_attachment: OpenAttachment, depth: int = 0
    ) -> None:
        if depth > MOST_NESTED:
            raise DocumentError(
                f"{name} holds messages inside messages more than {MOST_NESTED} deep",
                "Redact the inner ones by themselves",
            )
        self._open, self._depth, self._name = open_attachment, depth, name
        message = email.message_from_bytes(content, policy=email.policy.default)
        if not any(message.get_all(header) for header in (*KEPT, "Received", "Message-ID")):
            raise DocumentError(
                f"{name} has no header of an e-mail", "Save the message again as EML"
            )
        self.notices: list[Notice] = []
        self._blocks: list[Block] = []
        self._headers: list[tuple[str, Block]] = []
        self._names: list[tuple[_Part, Block]] = []
        self._parts: list[_Part] = []
        try:
            self._read_headers(message)
            self._read_parts(message)
        except (MessageError, LookupError, ValueError, AttributeError, TypeError):
            # The standard parser fails in many ways on a broken header; none of them is a reading.
            raise DocumentError(
                f"{name} cannot be read as an e-mail: it is damaged",
                "Save the message again as EML and try that",
            ) from None
        self.blocks: Sequence[Block] = self._blocks

    def _read_headers(self, message: EmailMessage) -> None:
        kept = {header.lower(): header for header in KEPT}
        removed = 0
        for raw_name, raw_value in message.items():
            header = kept.get(raw_name.lower())
            if header is None:
                removed += 1
                continue
            text = " ".join(visible(str(raw_value)).split())
            if not text:
                continue
            block = Block(
                f"h{len(self._headers) + 1}", f"header {header}", text, hint=header,
                suspect=CORRESPONDENT if header in PARTIES else "",
            )  # fmt: skip
            self._headers.append((header, block))
            self._blocks.append(block)
        if removed:
            what = "other headers (route, numbers, programs) removed"
            self.notices.append(Notice(what, removed))

    def _read_parts(self, message: EmailMessage) -> None:
        if message.preamble or message.epilogue:
            self.notices.append(Notice("text outside the parts of the message removed"))
        for part in _leaves(message):
            kind = part.get_content_type()
            named = part.get_filename()
            body = _bytes_of(part)
            if part.get_content_disposition() != "attachment" and not named:
                if kind == "text/plain":
                    self._body(part, body, "plain")
                    continue
                if kind == "text/html":
                    self._body(part, body, "html")
                    continue
            self._attachment(kind, named, body)

    def _body(self, part: Message, body: bytes, role: str) -> None:
        charset = part.get_content_charset("utf-8") or "utf-8"
        try:
            text = body.decode(charset)
        except (UnicodeDecodeError, LookupError):
            text = body.decode("cp1252", errors="replace")
        if not text.strip():
            return
        document: Document
        if role == "plain":
            document = TextDocument(text.encode(), self._name)
        else:
            # It says utf-8 of itself again when it is written; what it declared is already undone.
            document = HtmlDocument(_undeclared(text).encode(), self._name)
        self._add(_Part(f"m{len(self._parts) + 1}", role, document), "message")

    def _attachment(self, kind: str, named: str | None, body: bytes) -> None:
        known = {mime: suffix for suffix, mime in _TYPES.items()}
        number = sum(1 for part in self._parts if part.role == "attachment") + 1
        name = visible(named or f"attachment.{known.get(kind, 'bin')}")
        if kind == "message/rfc822" and not name.lower().endswith(".eml"):
            name += ".eml"
        try:
            document = self._open(body, name, self._depth + 1)
        except DocumentError:
            self.notices.append(Notice(f"attachment of type {_plain_type(kind)} removed: it cannot "
                                       "be examined"))  # fmt: skip
            return
        part = _Part(f"m{len(self._parts) + 1}", "attachment", document, name)
        block = Block(f"{part.id}.name", f"attachment {number}, its name", name, hint="File name")
        self._names.append((part, block))
        self._blocks.append(block)
        self._add(part, f"attachment {number}")

    def _add(self, part: _Part, where: str) -> None:
        self._parts.append(part)
        for block in part.document.blocks:
            row = f"{part.id} {block.row}" if block.row else ""
            self._blocks.append(
                replace(block, id=f"{part.id}.{block.id}", where=f"{where}, {block.where}", row=row)
            )
        self.notices += [replace(n, what=f"{where}: {n.what}") for n in part.document.notices]

    def written(self, cuts: Cuts) -> bytes:
        """Return a new message; its order is headers, text, attachments."""
        message = self._message(cuts)
        for header, block in self._headers:
            text = without(block.text, cuts.get(block.id, ()))
            if header in PARTIES and text == REDACTED:
                # Mail programs show nothing for an address that is none.
                text = f'"{REDACTED}" <redacted@redacted.invalid>'
            message[header] = text if text.isascii() else Header(text, "utf-8").encode()
        return message.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n"))

    def _message(self, cuts: Cuts) -> Message:
        bodies = [self._written_body(p, cuts) for p in self._parts if p.role != "attachment"]
        attached = [self._written_attachment(n, p, cuts) for n, p in enumerate(
            (p for p in self._parts if p.role == "attachment"), start=1)]  # fmt: skip
        if len(bodies) == 1 and not attached:
            return bodies[0]
        roles = [p.role for p in self._parts if p.role != "attachment"]
        text: list[Message] = bodies
        if sorted(roles) == ["html", "plain"]:
            alternative = MIMEMultipart("alternative")
            for body in bodies:
                alternative.attach(body)
            text = [alternative]
            if not attached:
                return alternative
        mixed = MIMEMultipart("mixed")
        for each in [*text, *attached]:
            mixed.attach(each)
        return mixed

    def _written_body(self, part: _Part, cuts: Cuts) -> Message:
        content = part.document.written(_under(part.id, cuts)).decode("utf-8")
        body = MIMENonMultipart("text", part.role, charset="utf-8")
        body.set_payload(content, "utf-8")
        return body

    def _written_attachment(self, number: int, part: _Part, cuts: Cuts) -> Message:
        kind = part.document.kind
        content = part.document.written(_under(part.id, cuts))
        main, sub = _TYPES[kind].split("/")
        if kind == "eml":
            main, sub = "application", "octet-stream"
        attachment = MIMEBase(main, sub)
        attachment.set_payload(content)
        email.encoders.encode_base64(attachment)
        (block,) = [b for p, b in self._names if p is part]
        cut = cuts.get(block.id, ())
        suffix = f".{kind}"
        name = f"attachment-{number}{suffix}" if cut else block.text
        attachment.add_header("Content-Disposition", "attachment", filename=name)
        return attachment


def _under(prefix: str, cuts: Cuts) -> Cuts:
    return {
        key.removeprefix(f"{prefix}."): value
        for key, value in cuts.items()
        if key.startswith(f"{prefix}.")
    }


def _leaves(message: Message) -> list[Message]:
    """Return the parts that are no containers; a message inside is one part, not its parts."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        return [message]
    return [leaf for part in message.get_payload() for leaf in _leaves(part)]  # type: ignore[arg-type]


def _bytes_of(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        payload = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else payload
        if isinstance(inner, Message):
            return inner.as_bytes(policy=email.policy.compat32)
    body = part.get_payload(decode=True)
    return body if isinstance(body, bytes) else b""


def _undeclared(text: str) -> str:
    """Return a page without what it says of its encoding, which was that of the message's part."""
    return text.replace("charset", "declared", 1) if "charset" in text[:4096] else text


def _plain_type(kind: str) -> str:
    known = (
        "image/png", "image/jpeg", "image/gif", "application/zip", "application/pdf",
        "application/msword", "application/octet-stream", "text/calendar", "text/plain",
    )  # fmt: skip
    return kind if kind in known else "another kind"
