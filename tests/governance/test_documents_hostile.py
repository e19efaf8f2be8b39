"""Files that are broken, locked or meant to harm: one plain sentence with the fix."""

from __future__ import annotations

import email.policy
import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

import pikepdf
import pytest
from document_samples import (
    BAD,
    csv_file,
    docx,
    html,
    pdf,
    planted,
    scanned_pdf,
    txt,
    unzipped,
    xlsx,
    zipped,
)

from governance.redaction.documents import files, packages
from governance.redaction.documents.files import Options, open_document
from governance.redaction.documents.model import DocumentError
from governance.redaction.documents.pictures import drawn_again

ENTITY = '<!DOCTYPE x [<!ENTITY a "Zaphod Plant001">]>'


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    parts = unzipped(content)
    assert old in parts[part].decode()
    parts[part] = parts[part].decode().replace(old, new, 1).encode()
    return zipped(dict(parts))


def with_part(content: bytes, name: str, body: str = "x") -> bytes:
    return zipped({**unzipped(content), name: body})


def locked_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as file:
        file.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    return out.getvalue()


def restricted_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as file:
        file.save(out, encryption=pikepdf.Encryption(owner="a", user=""))
    return out.getvalue()


def locked_zip() -> bytes:
    content = bytearray(docx())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    local = content.find(b"PK\x03\x04")
    content[local + 6] |= 1
    return bytes(content)


def xfa() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as file:
        file.Root.AcroForm.XFA = pikepdf.String("x")
        file.save(out)
    return out.getvalue()


def deep_html(depth: int) -> bytes:
    return b"<div>" * depth + planted(1).encode() + b"</div>" * depth + b"<p>after"


# ruff: noqa: E501 - a row of the table is read best on one line
#    name of the file, its bytes, words of the answer
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("letter.doc", docx, "Save it as DOCX"),
    ("letter.docm", docx, "DOCX without macros"),
    ("book.xlsm", xlsx, "XLSX without macros"),
    ("book.xls", xlsx, "Save it as XLSX"),
    ("mail.msg", txt, "Save it as EML"),
    ("picture.png", txt, "DOCX, XLSX, PDF"),
    ("letter", txt, "DOCX, XLSX, PDF"),
    *((f"empty.{kind}", bytes, "is empty") for kind in files.TYPES),
    *((f"blank.{kind}", lambda: b" \r\n ", "is empty") for kind in files.TYPES),
    ("letter.docx", xlsx, "cannot be read as a Word document"),
    ("book.xlsx", docx, "cannot be read as an Excel workbook"),
    ("letter.docx", pdf, "not what the end of its name says"),
    ("plan.pdf", docx, "not what the end of its name says"),
    ("table.csv", xlsx, "not what the end of its name says"),
    ("letter.txt", pdf, "not what the end of its name says"),
    ("letter.docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
    ("letter.docx", locked_zip, "password"),
    ("plan.pdf", locked_pdf, "password"),
    ("plan.pdf", restricted_pdf, "password"),
    ("plan.pdf", xfa, "XFA"),
    ("letter.docx", lambda: docx()[:3000], "damaged"),
    ("plan.pdf", lambda: b"%PDF-1.7\n" + planted(1).encode(), "damaged"),
    ("letter.docx", lambda: with_part(docx(), "word/vbaProject.bin"), "macros"),
    ("book.xlsx", lambda: with_part(xlsx(), "xl/vbaProject.bin"), "macros"),
    ("book.xlsx", lambda: with_part(xlsx(), "xl/macrosheets/sheet1.xml", "<x/>"), "macros"),
    ("letter.docx", lambda: changed(docx(), "word/document.xml", "<w:document", ENTITY + "<w:document"),
     "XML entities"),
    ("book.xlsx", lambda: changed(xlsx(), "xl/worksheets/sheet1.xml", "<worksheet", ENTITY + "<worksheet"),
     "XML entities"),
    ("letter.docx", lambda: changed(docx(), "word/document.xml", "</w:body>", ""), "damaged"),
    ("book.xlsx", lambda: changed(xlsx(), "xl/worksheets/sheet1.xml", "<pageMargins",
                                  '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells><pageMargins'),
     "merges more cells"),
    ("letter.txt", lambda: planted(1).encode("utf-16"), "UTF-8 or Windows-1252"),
    ("letter.txt", lambda: b"a\x00b\x81" + planted(1).encode(), "UTF-8 or Windows-1252"),
    ("page.html", lambda: html().replace(b'"utf-8"', b'"utf-7"'), "encoding other than"),
    ("mail.eml", txt, "no header of an e-mail"),
    ("scan.pdf", scanned_pdf, "Nothing can be read on page 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"), REFUSED, ids=[f"{n}-{w}" for n, _, w in REFUSED]
)
def test_it_is_refused_in_one_sentence_with_the_fix_and_no_content(
    name: str, content: Callable[[], bytes], words: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        open_document(content(), name)

    assert words in str(caught.value)
    assert caught.value.fix
    assert not BAD.search(str(caught.value).encode())
    # No cause that would show the document in a traceback.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_bomb_is_counted_while_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MOST_UNPACKED", 1_000_000)
    fine = with_part(docx(), "word/media/z.bin", "0" * 500_000)
    bomb = with_part(docx(), "word/media/z.bin", "0" * 2_000_000)

    assert open_document(fine, "letter.docx").blocks
    assert len(bomb) < 20_000
    with pytest.raises(DocumentError, match="unpacks to more than"):
        open_document(bomb, "letter.docx")


def test_an_archive_of_many_parts_or_with_one_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twice = io.BytesIO(docx())
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(DocumentError, match="damaged"):
        open_document(twice.getvalue(), "letter.docx")

    monkeypatch.setattr(packages, "MOST_PARTS", 5)
    with pytest.raises(DocumentError, match="unpacks to more than"):
        open_document(docx(), "letter.docx")


def test_huge_files_and_texts_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(txt())
    assert files.read_bytes(path) == txt()
    monkeypatch.setattr(files, "MOST_BYTES", 20)
    for read in (lambda: files.read_bytes(path), lambda: open_document(txt(), "letter.txt")):
        with pytest.raises(DocumentError, match="larger than"):
            read()
    monkeypatch.undo()
    monkeypatch.setattr(files, "MOST_TEXT", 20)
    with pytest.raises(DocumentError, match="characters"):
        open_document(txt(), "letter.txt")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path) -> None:
    for path in (tmp_path / "no.txt", tmp_path):
        with pytest.raises(DocumentError) as caught:
            files.read_bytes(path)
        assert caught.value.__suppress_context__


def test_a_stray_cell_far_out_does_not_make_a_sheet_of_billions() -> None:
    far = changed(
        xlsx(), "xl/worksheets/sheet1.xml", "</sheetData>",
        '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>',
    )  # fmt: skip
    document = open_document(far, "book.xlsx")

    assert [b.text for b in document.blocks if "XFD1048576" in b.where] == ["7"]


def test_deeply_nested_pages_end_in_an_answer() -> None:
    read = open_document(deep_html(200), "page.html")
    assert [block.text for block in read.blocks] == [planted(1), "after"]

    for depth in (300, 5_000):
        with pytest.raises(DocumentError, match="nested deeper"):
            open_document(deep_html(depth), "page.html")


def test_a_scan_is_taken_only_when_asked_and_shown_as_a_picture() -> None:
    document = open_document(scanned_pdf(), "scan.pdf", Options(scanned_as_is=True))

    (block,) = document.blocks
    assert "nothing can be read" in block.where
    assert block.kept_unless_cut
    assert block.picture.startswith(b"\x89PNG")


def test_messages_inside_messages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapped(inner: EmailMessage | None) -> EmailMessage:
        message = EmailMessage(policy=email.policy.default)
        message["From"], message["Subject"] = "a@b.example", "outer"
        message.set_content("text")
        if inner is not None:
            message.add_attachment(inner)
        return message

    message = None
    for _ in range(8):
        message = wrapped(message)
    assert message is not None
    document = open_document(message.as_bytes(), "mail.eml")

    # The outermost five are read; what lies deeper is removed and said.
    assert sum(b.text == "outer" for b in document.blocks) == 5
    assert any("cannot be examined" in n.what for n in document.notices)


def test_an_attachment_that_cannot_be_read_is_removed_and_said() -> None:
    message = EmailMessage(policy=email.policy.default)
    message["From"] = "a@b.example"
    message.set_content("text")
    message.add_attachment(
        b"PK\x03\x04" + planted(1).encode(), maintype="application", subtype="octet-stream",
        filename="broken.docx",
    )  # fmt: skip
    message.add_attachment(csv_file(), maintype="text", subtype="csv", filename="fine.csv")
    document = open_document(message.as_bytes(), "mail.eml")

    assert any("removed" in n.what for n in document.notices)
    result = document.written({})
    assert b"broken" not in result
    assert b"fine.csv" in result


def test_pictures_that_cannot_be_drawn_again_are_none() -> None:
    assert drawn_again(b"") is None
    assert drawn_again(b"\x89PNG\r\n\x1a\n" + planted(1).encode()) is None
    assert drawn_again(b'<svg xmlns="http://www.w3.org/2000/svg"/>') is None
