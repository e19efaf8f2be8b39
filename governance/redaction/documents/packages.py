"""Office files as what they are: zip archives of XML parts, opened with suspicion.

Belongs here: unpacking within limits, reading XML without entities, packing again without dates or
names of a machine. Does not belong here: the meaning of a part (``docx.py``, ``xlsx.py``).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring as checked
from lxml import etree

from governance.redaction.documents.model import DocumentError

MOST_PARTS = 5_000
MOST_UNPACKED = 200_000_000
MOST_PART_OF_XML = 60_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)


def bomb(name: str) -> DocumentError:
    """Return the error for an archive that unpacks to more than any document needs."""
    return DocumentError(
        f"{name} unpacks to more than {MOST_UNPACKED // 1_000_000} MB or {MOST_PARTS} parts, which "
        "no document needs",
        "Ask its sender for another copy; do not open it",
    )


def damaged(name: str, what: str) -> DocumentError:
    """Return the error for a file that is not what it says it is."""
    return DocumentError(
        f"{name} cannot be read as {what}: it is damaged or of another type",
        "Open it in the program it comes from, save it again under the right type, and try that",
    )


def unpacked(content: bytes, name: str, what: str) -> dict[str, bytes]:
    """Return every part of an archive by its name.

    Raises
    ------
    DocumentError
        It is no archive, is encrypted, or unpacks beyond the limits.
    """
    parts: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MOST_PARTS:
                raise bomb(name)
            for member in members:
                if member.flag_bits & 0x1:
                    raise encrypted(name)
                if member.filename in parts:
                    raise damaged(name, what)
                with archive.open(member) as stream:
                    # The size a member declares is the sender's word: what is read is counted.
                    body = stream.read(MOST_UNPACKED - total + 1)
                total += len(body)
                if total > MOST_UNPACKED:
                    raise bomb(name)
                parts[member.filename] = body
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise damaged(name, what) from None
    return parts


def encrypted(name: str) -> DocumentError:
    """Return the error for a file locked with a password."""
    return DocumentError(
        f"{name} is protected with a password, so nothing in it can be examined",
        "Save a copy without protection and redact that",
    )


def read_xml(content: bytes, name: str, what: str) -> etree._Element:
    """Read one part, refusing entities and document types of its own.

    Raises
    ------
    DocumentError
    """
    if len(content) > MOST_PART_OF_XML:
        raise bomb(name)
    try:
        checked(content, forbid_dtd=True)
    except DefusedXmlException:
        raise DocumentError(
            f"{name} holds XML entities, which no office program writes",
            "Ask its sender for another copy; do not open it",
        ) from None
    except (ParseError, ValueError, LookupError):
        raise damaged(name, what) from None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise damaged(name, what) from None


def write_xml(root: etree._Element) -> bytes:
    """Return a part as bytes."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Return an archive of parts, all of one date, so that it tells nothing of its making."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
