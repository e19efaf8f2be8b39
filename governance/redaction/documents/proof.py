"""Proof that what was cut is gone: the written bytes are opened again and searched.

Belongs here: looking into every part of a written file, packed or encoded. Does not belong here:
how it was written. Nothing is put on disk that did not pass.
"""

from __future__ import annotations

import email
import email.policy
import html
import io
import zipfile
from collections.abc import Iterable, Iterator

import pikepdf

from governance.redaction.documents.files import TYPES, Options, open_document
from governance.redaction.documents.model import (
    PICTURE,
    Block,
    Cuts,
    DocumentError,
    without,
)

_SHORTEST = 4
_SHORTEST_IN_BYTES = 6
_WRITTEN_HERE = "[redacted] Redacted redacted@redacted.invalid attachment- bookmark " + " ".join(
    f".{suffix}" for suffix in TYPES
)
"""What the writers put in place of a passage, a name or an address; it tells nothing."""


def parts_of(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file and every file, stream or message part inside it, unpacked.

    Parameters
    ----------
    content : bytes

    Yields
    ------
    tuple of str and bytes
        A name for the part, and what it holds.
    """
    yield "file", content
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield f"name of {name}", name.encode()
                for inner, body in parts_of(archive.read(name)):
                    yield f"{name}/{inner}", body
    elif content.startswith(b"%PDF-"):
        yield from _streams(content)


def message_parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of an e-mail, decoded, and what is in them."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    for number, part in enumerate(message.walk()):
        yield (
            f"headers of part {number}",
            "\n".join(f"{name}: {value}" for name, value in part.items()).encode(),
        )
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            for inner, held in parts_of(body):
                yield f"part {number}/{inner}", held
            if body.lstrip()[:5].lower() in (b"from:", b"to: ", b"subje", b"date:"):
                yield from message_parts(body)


def _streams(content: bytes) -> Iterator[tuple[str, bytes]]:
    with pikepdf.open(io.BytesIO(content)) as file:
        for number, thing in enumerate(file.objects):
            if isinstance(thing, pikepdf.Stream):
                try:
                    yield f"stream {number}", thing.read_bytes()
                except pikepdf.PdfError:
                    yield f"stream {number}", thing.read_raw_bytes()
            else:
                yield f"object {number}", thing.unparse(resolved=True)


def prove(content: bytes, kind: str, blocks: Iterable[Block], cuts: Cuts, name: str) -> None:
    """Raise unless every passage that was cut is gone from the bytes about to be written.

    Words that stand in a passage which a person decided to keep may stay as often as there.

    Raises
    ------
    DocumentError
    """
    blocks = [block for block in blocks if block.suspect != PICTURE]
    kept = _flat("\n".join(without(block.text, cuts.get(block.id, ())) for block in blocks))
    values = {
        _flat(block.text[cut.start : cut.end])
        for block in blocks
        for cut in cuts.get(block.id, ())
    }  # fmt: skip
    again = open_document(content, f"result.{kind}", Options(scanned_as_is=True))
    text = _flat("\n".join(b.text for b in again.blocks if b.suspect != PICTURE))
    parts = [body for _, body in parts_of(content)]
    if kind == "eml":
        parts += [body for _, body in message_parts(content)]
    for value in values:
        if len(value) < _SHORTEST or value in _WRITTEN_HERE:
            continue
        left = text.count(value) > kept.count(value)
        # A short or common word also names styles and fonts in the file's own language.
        telling = len(value) >= _SHORTEST_IN_BYTES and any(c in "@ " or c.isdigit() for c in value)
        if not left and telling and value not in kept:
            left = any(form in body for form in _forms(value) for body in parts)
        if left:
            raise DocumentError(
                f"A passage that was to be removed from {name} could still be found in the result, "
                "so nothing was written",
                "Print the document to a PDF and redact that, and report this",
            )


def _flat(text: str) -> str:
    return " ".join(text.split())


def _forms(value: str) -> set[bytes]:
    texts = {value, html.escape(value), html.escape(value, quote=False)}
    return {t.encode(code) for t in texts for code in ("utf-8", "utf-16-le", "utf-16-be")}
