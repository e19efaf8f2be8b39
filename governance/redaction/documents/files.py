"""Opening a document: its type by name and by content, its limits, and who reads it.

Belongs here: what is refused before anything is read. Does not belong here: the types themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from governance.redaction.documents.model import Document, DocumentError
from governance.redaction.documents.packages import encrypted

MOST_BYTES = 100_000_000
MOST_TEXT = 4_000_000
TYPES = ("docx", "xlsx", "pdf", "html", "csv", "txt", "eml")
_SUFFIXES = {
    ".docx": "docx", ".xlsx": "xlsx", ".pdf": "pdf", ".html": "html", ".htm": "html",
    ".csv": "csv", ".txt": "txt", ".eml": "eml",
}  # fmt: skip
_SAVE_AS = {
    ".doc": "DOCX", ".dot": "DOCX", ".rtf": "DOCX", ".odt": "DOCX", ".docm": "DOCX without macros",
    ".dotm": "DOCX without macros", ".xls": "XLSX", ".xlsb": "XLSX", ".ods": "XLSX",
    ".xlsm": "XLSX without macros", ".xltm": "XLSX without macros", ".xlam": "XLSX without macros",
    ".msg": "EML", ".mht": "HTML", ".mhtml": "HTML", ".xhtml": "HTML", ".tsv": "CSV",
    ".ppt": "PDF", ".pptx": "PDF", ".md": "TXT", ".log": "TXT",
}  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Options:
    """Choices of the person who redacts.

    Attributes
    ----------
    scanned_as_is : bool
        Take pages of a PDF on which nothing can be read, as pictures.
    """

    scanned_as_is: bool = False


def type_of(name: str) -> str:
    """Return the type a file's name claims.

    Raises
    ------
    DocumentError
        A type that is not redacted here; the fix names the one to save it as.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    better = _SAVE_AS.get(suffix)
    raise DocumentError(
        f"{name} is of a type that cannot be redacted here",
        f"Save it as {better} and redact that" if better
        else "Save it as one of DOCX, XLSX, PDF, HTML, CSV, TXT or EML and redact that",
    )  # fmt: skip


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    DocumentError
        It is not there, is no file, or is too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(path.name)
        return path.read_bytes()
    except IsADirectoryError:
        raise DocumentError(
            f"{path.name} is a folder", "Give one file of it after the other"
        ) from None
    except OSError:
        raise DocumentError(
            f"{path.name} cannot be opened", "Check its name and that you may read it"
        ) from None


def open_document(
    content: bytes, name: str, options: Options | None = None, depth: int = 0
) -> Document:
    """Read a document and refuse what cannot be examined.

    Parameters
    ----------
    content : bytes
    name : str
        File name: its end says the type, and messages name it.
    options : Options, optional
    depth : int
        How many messages it lies in, as an attachment.

    Raises
    ------
    DocumentError
        Empty, too large, encrypted, with macros, damaged, or not of the type its name says.
    """
    options = options or Options()
    kind = type_of(name)
    if not content.strip():
        raise DocumentError(f"{name} is empty", "Check that it was saved and sent whole")
    if len(content) > MOST_BYTES:
        raise _too_large(name)
    _refuse_other_type(content, name, kind)
    document = _read(kind, content, name, options, depth)
    if sum(len(block.text) for block in document.blocks) > MOST_TEXT:
        raise DocumentError(
            f"{name} holds more than {MOST_TEXT // 1_000_000} million characters, too many for a "
            "person to review",
            "Split it and redact the parts",
        )
    return document


def _too_large(name: str) -> DocumentError:
    return DocumentError(
        f"{name} is larger than {MOST_BYTES // 1_000_000} MB", "Split it and redact the parts"
    )


def _refuse_other_type(content: bytes, name: str, kind: str) -> None:
    head = content[:1024]
    packed, portable = head.startswith(b"PK\x03\x04"), b"%PDF-" in head
    if head.startswith(_OLE):
        if kind in ("docx", "xlsx"):
            # An encrypted DOCX or XLSX is an old-style container, and so is an old DOC or XLS.
            raise encrypted(name)
        raise _other(name)
    fits = {"docx": packed, "xlsx": packed, "pdf": portable}
    if not fits.get(kind, not packed and not head.startswith(b"%PDF-")):
        raise _other(name)


def _other(name: str) -> DocumentError:
    return DocumentError(
        f"{name} is not what the end of its name says",
        "Open it in the program it comes from, save it under the right type, and redact that",
    )


def _read(kind: str, content: bytes, name: str, options: Options, depth: int) -> Document:
    # Each type brings a library that the others do without.
    from governance.redaction.documents.docx import DocxDocument  # noqa: PLC0415
    from governance.redaction.documents.email import EmailDocument  # noqa: PLC0415
    from governance.redaction.documents.html import HtmlDocument  # noqa: PLC0415
    from governance.redaction.documents.pdf import PdfDocument  # noqa: PLC0415
    from governance.redaction.documents.text import CsvDocument, TextDocument  # noqa: PLC0415
    from governance.redaction.documents.xlsx import XlsxDocument  # noqa: PLC0415

    if kind == "pdf":
        return PdfDocument(content, name, scanned_as_is=options.scanned_as_is)
    if kind == "eml":
        return EmailDocument(
            content,
            name,
            lambda body, inner, deep: open_document(body, inner, options, deep),
            depth,
        )
    readers: dict[str, Callable[[bytes, str], Document]] = {
        "docx": DocxDocument, "xlsx": XlsxDocument, "html": HtmlDocument, "csv": CsvDocument,
        "txt": TextDocument,
    }  # fmt: skip
    return readers[kind](content, name)
