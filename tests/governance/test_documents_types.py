"""Every type of document: what was planted is gone from every byte, and the rest is still there."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pikepdf
import pytest
from document_samples import BAD, SAMPLES, FakeRedactor, planted, unzipped
from lxml import etree

from governance.redaction.documents.files import Options, open_document
from governance.redaction.documents.proof import message_parts, parts_of, prove
from governance.redaction.documents.proposals import cuts_of, default_decisions, propose

REJECTED = {"docx": 3, "xlsx": 3, "pdf": 5, "html": 11, "csv": 3, "txt": 2, "eml": 6}
STAYS = {
    "docx": ["The first paragraph about", "stays otherwise.", "inserted words stay", "good link",
             "Table cell", "Header", "Footer", "Footnote", "Comment on", "Box of", "Control of",
             "after a tab", "Picture of", "https://www.gov.example/page"],
    "xlsx": ["Name", "NHS number", "first note of", "Comment on", "Cases", "good link", "Header",
             "https://www.gov.example/page", "hidden"],
    "pdf": ["The first page is about", "and stays otherwise", "wraps, and this was rejected",
            "The second page holds nothing of anybody and stays whole", "Filled by"],
    "html": ["The first paragraph stays, and", "About", "Page of", "custom stays", "good link",
             'href="https://www.gov.example/page"', "cell"],
    "csv": ['"Name";"Born";Number;Note', 'says ""hello; ', '"kept; all"', "two"],
    "txt": ["Dear", "and the rest stays", "Caf\u00e9"],
    "eml": ["the plain text stays", "the page stays", "\u20ac budget", "says", "Table cell",
            "The second page holds nothing of anybody"],
}  # fmt: skip


@cache
def rewritten(kind: str, *, keep: int | None = None) -> bytes:
    """Redact everything but one planted value."""
    document = open_document(SAMPLES[kind](), f"letter.{kind}")
    texts = {block.id: block.text for block in document.blocks}
    decided = default_decisions(propose(document, FakeRedactor()), everything=keep is None)
    if keep is not None:
        decided = [
            d.model_copy(update={"decision": "keep"})
            if texts[d.block][d.start : d.end] == planted(keep) and d.kind == "NAME" else d
            for d in decided
        ]  # fmt: skip
    blocks, cuts = list(document.blocks), cuts_of(decided)
    result = document.written(cuts)
    prove(result, kind, blocks, cuts, f"letter.{kind}")
    return result


def everything(kind: str, content: bytes) -> list[tuple[str, bytes]]:
    return [*parts_of(content), *(message_parts(content) if kind == "eml" else [])]


def words(kind: str, content: bytes, tmp_path: Path) -> str:
    """Return the text as a program other than the one that wrote it reads it."""
    if kind in ("docx", "xlsx"):
        out = []
        for name, part in unzipped(content).items():
            out.append(name)
            if name.endswith((".xml", ".rels")):
                root = etree.fromstring(part)
                out.append("".join(root.itertext()))
                out += [str(v) for node in root.iter() for v in node.attrib.values()]
        return "\n".join(out)
    if kind == "pdf":
        path = tmp_path / "result.pdf"
        path.write_bytes(content)
        return pdf_text(path)
    if kind == "eml":
        message = email.message_from_bytes(content, policy=email.policy.default)
        out = [f"{k}: {v}" for k, v in message.items()]
        for part in message.walk():
            body = part.get_payload(decode=True)
            name = part.get_filename() or ""
            if not isinstance(body, bytes):
                continue
            if name.endswith((".docx", ".pdf")):
                out.append(words(name.rsplit(".", 1)[-1], body, tmp_path))
            else:
                out.append(body.decode("utf-8"))
        return "\n".join(out)
    return content.decode("utf-8-sig")


def pdf_text(path: Path) -> str:
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True)
        return " ".join(done.stdout.decode().split())
    import pypdfium2

    file = pypdfium2.PdfDocument(path)
    return " ".join(" ".join(p.get_textpage().get_text_range().split()) for p in file)


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_sample_has_what_the_search_looks_for(kind: str) -> None:
    assert any(BAD.search(body) for _, body in everything(kind, SAMPLES[kind]()))


@pytest.mark.parametrize("kind", SAMPLES)
def test_nothing_planted_is_left_in_any_byte(kind: str, tmp_path: Path) -> None:
    result = rewritten(kind)

    assert [name for name, body in everything(kind, result) if BAD.search(body)] == []
    assert not BAD.search(words(kind, result, tmp_path).encode())
    assert b"12/03/1980" not in result


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_rest_is_still_there_and_what_was_rejected_too(kind: str, tmp_path: Path) -> None:
    text = words(kind, rewritten(kind, keep=REJECTED[kind]), tmp_path)

    assert [w for w in STAYS[kind] if w not in text] == []
    assert planted(REJECTED[kind]) in text
    rest = text.replace(planted(REJECTED[kind]), "")
    assert not BAD.search(rest.encode())


@pytest.mark.parametrize("kind", SAMPLES)
def test_reading_the_same_bytes_twice_gives_the_same_places(kind: str) -> None:
    content = SAMPLES[kind]()
    one, two = (open_document(content, f"letter.{kind}") for _ in range(2))

    assert [(b.id, b.where, b.text) for b in one.blocks] == [
        (b.id, b.where, b.text) for b in two.blocks
    ]
    assert len({b.id for b in one.blocks}) == len(one.blocks)


@pytest.mark.parametrize("kind", SAMPLES)
def test_places_and_notices_hold_no_text_of_the_document(kind: str) -> None:
    document = open_document(SAMPLES[kind](), f"letter.{kind}")

    said = [b.where for b in document.blocks] + [n.what for n in document.notices]
    assert not BAD.search("\n".join(said).encode())


def test_word_and_excel_are_read_by_the_common_libraries() -> None:
    import docx
    import openpyxl

    letter = docx.Document(io.BytesIO(rewritten("docx", keep=3)))
    assert [p.text for p in letter.paragraphs][:3] == [
        "The first paragraph about [redacted] stays otherwise.",
        "Split: [redacted] and NHS number [redacted] end.",
        "Kept: Zaphod Plant003 was rejected.",
    ]
    assert letter.core_properties.author in ("", "python-docx")
    assert len(letter.inline_shapes) == 2

    book = openpyxl.load_workbook(io.BytesIO(rewritten("xlsx", keep=3)))
    assert book.sheetnames == ["Cases", "Redacted 2"]
    assert [c.value for c in book["Cases"][2]][:4] == [
        "[redacted]", "[redacted]", "[redacted]", "first note of [redacted] stays",
    ]  # fmt: skip
    assert [c.value for c in book["Cases"][3]][3:4] == [42]
    assert {s.sheet_state for s in book.worksheets} == {"visible"}
    assert book["Cases"]["F2"].value == 2
    assert not book.defined_names


def test_a_table_keeps_its_delimiter_quotes_and_line_ends() -> None:
    result = rewritten("csv", keep=3)

    assert result.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(result.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows == [
        ["Name", "Born", "Number", "Note"],
        ["[redacted]", "[redacted]", "[redacted]", 'says "hello; [redacted]" and stays'],
        ["Zaphod Plant003", "", "", "two\r\nlines [redacted]"],
        ["rejected", "plain", "12", "kept; all"],
    ]
    assert b'"Name";"Born";Number;Note\r\n' in result


def test_metadata_of_pictures_is_gone_and_the_picture_stays_or_goes_as_decided() -> None:
    from PIL import Image

    kept = unzipped(rewritten("docx", keep=3))
    pictures = {name: body for name, body in kept.items() if name.startswith("word/media/")}
    assert sorted(pictures) == ["word/media/image1.png", "word/media/image2.jpeg"]
    first = Image.open(io.BytesIO(pictures["word/media/image1.png"]))
    assert first.getpixel((5, 5)) == (200, 40, 40)
    assert not first.info

    gone = unzipped(rewritten("docx"))
    assert [name for name in gone if name.startswith("word/media/")] == []


def test_a_part_word_does_not_know_does_not_survive() -> None:
    assert set(unzipped(rewritten("docx"))) == {
        "[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/_rels/document.xml.rels",
        "word/header1.xml", "word/footer1.xml", "word/footnotes.xml", "word/endnotes.xml",
        "word/comments.xml", "word/styles.xml", "word/numbering.xml", "word/settings.xml",
    }  # fmt: skip


def test_the_message_keeps_few_headers_and_names_attachments_anew() -> None:
    message = email.message_from_bytes(rewritten("eml"), policy=email.policy.default)

    assert {k.lower() for k in message} == {
        "from", "to", "cc", "subject", "date", "content-type", "mime-version",
    }  # fmt: skip
    assert [a.display_name for a in message["From"].addresses] == ["[redacted]"]
    names = [part.get_filename() for part in message.walk() if part.get_filename()]
    assert names == ["attachment-1.docx", "list.csv", "plan.pdf", "attachment.eml"]


def test_a_pdf_is_built_anew_from_pictures(tmp_path: Path) -> None:
    result = rewritten("pdf", keep=5)

    assert result.count(b"%%EOF") == 1
    with pikepdf.open(io.BytesIO(result)) as file:
        assert len(file.pages) == 2
        assert set(file.Root.keys()) <= {"/Type", "/Pages", "/PageMode", "/Lang"}
        assert len(file.attachments) == 0
        assert "/Info" not in file.trailer
        for page in file.pages:
            assert "/Annots" not in page
            fonts = list(page.Resources.get("/Font", {}).keys())
            assert len(fonts) <= 2


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_black_is_burnt_where_the_passage_stood(rotation: int) -> None:
    import numpy as np
    import pypdfium2
    from document_samples import pdf

    content = pdf(rotation=rotation)
    document = open_document(content, "plan.pdf")
    blocks = {b.id: b.text for b in document.blocks}
    proposals = [
        p for p in propose(document, FakeRedactor())
        if p.block == "p1" and "Plant003" in blocks["p1"][p.start : p.end]
    ]  # fmt: skip
    assert len(proposals) == 1
    result = document.written(cuts_of(default_decisions(proposals)))

    def page(of: bytes) -> np.ndarray:
        picture = pypdfium2.PdfDocument(of)[0].render(
            scale=2, may_draw_forms=False, draw_annots=False
        )
        return np.asarray(picture.to_pil().convert("L").rotate(rotation, expand=True))

    # The name stands right of "The first page is about", 62 units below the top edge; twice that.
    before, after = page(content), page(result)
    assert before.shape == after.shape
    line = slice(2 * (842 - 790), 2 * (842 - 777))
    name = slice(2 * 200, 2 * 280)
    assert (after[line, name] < 30).mean() > 0.8
    assert (before[line, name] < 30).mean() < 0.4
    elsewhere = slice(2 * 300, 2 * 420)
    assert abs((after[line, elsewhere] < 90).mean() - (before[line, elsewhere] < 90).mean()) < 0.08


def test_a_picture_inside_a_group_is_blacked_out_where_it_is_seen() -> None:
    import numpy as np
    import pypdfium2
    from document_samples import png
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    canvas.drawString(72, 700, "text on the page")
    canvas.beginForm("group")
    canvas.translate(50, 30)
    canvas.drawImage(ImageReader(io.BytesIO(png())), 0, 0, 120, 80)
    canvas.endForm()
    canvas.translate(200, 300)
    canvas.scale(1.5, 1.5)
    canvas.doForm("group")
    canvas.save()
    document = open_document(buffer.getvalue(), "plan.pdf")
    decided = default_decisions(propose(document, FakeRedactor()), everything=True)
    result = document.written(cuts_of(decided))

    def red(content: bytes) -> int:
        picture = pypdfium2.PdfDocument(content)[0].render(scale=1).to_pil().convert("RGB")
        points = np.asarray(picture).astype(int)
        return int(((points[:, :, 0] > 150) & (points[:, :, 1] < 90)).sum())

    assert red(buffer.getvalue()) == 180 * 120
    assert red(result) == 0


def test_a_word_under_a_black_box_is_not_laid_back_for_searching() -> None:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    canvas.drawString(72, 700, f"About {planted(1)}")
    # The same place holds other words, as the text layer of a scan does.
    canvas.drawString(72, 701, "Shadow of someone")
    canvas.drawString(72, 600, "elsewhere stays")
    canvas.save()
    document = open_document(buffer.getvalue(), "plan.pdf")
    result = document.written(cuts_of(default_decisions(propose(document, FakeRedactor()))))
    again = open_document(result, "plan.pdf", Options(scanned_as_is=True))
    text = " ".join(block.text for block in again.blocks)

    assert "elsewhere stays" in " ".join(text.split())
    assert "someone" not in text
