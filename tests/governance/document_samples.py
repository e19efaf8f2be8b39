"""Documents with made-up identifiers in every hiding place, and a finder that knows them.

Each place holds another number, so that a leak says which place leaked. Nobody in them is real.
"""

# ruff: noqa: E501 - an element of XML is read best on one line

from __future__ import annotations

import io
import re
import zipfile
from functools import cache

from governance.redaction.findings import Finding

PLANTED = re.compile(
    r"Zaphod[\s_%20]*Plant\d{3}|\b943\s?476\s?\d{4}\b|\b\d{2}/\d{2}/19\d{2}\b|"
    r"zaphod\.?\w*@\w+\.example"
)
BAD = re.compile(
    rb"(?i)z\x00?a\x00?p\x00?h\x00?o\x00?d|P\x00?l\x00?a\x00?n\x00?t\x00?\d|943\s?476\s?\d"
)
"""What must be in no part of a result, in UTF-8 or UTF-16."""

DAY = b"12/03/1980"


def planted(number: int) -> str:
    return f"Zaphod Plant{number:03d}"


class FakeRedactor:
    """Finds what is planted, as the engine would."""

    names_note = ""

    def find(self, text: str) -> list[Finding]:
        found = []
        for match in PLANTED.finditer(text):
            kind = "NAME" if match[0][0] in "Zz" else "NHS_NUMBER"
            if "/" in match[0]:
                kind = "DATE_OF_BIRTH"
            found.append(Finding(match.start(), match.end(), kind, 0.9, "planted"))
        return found


def png(text: str = "") -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", text or planted(900))
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 40, 40)).save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def jpeg() -> bytes:
    from PIL import Image

    picture = Image.new("RGB", (60, 40), (10, 140, 40))
    exif = Image.Exif()
    exif[0x013B] = planted(901)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", exif=exif, comment=planted(902).encode())
    return buffer.getvalue()


def zipped(parts: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


_W = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:x="http://unknown.example/x"'
)
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_T = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def _p(*runs: str) -> str:
    return (
        "<w:p>"
        + "".join(f'<w:r><w:t xml:space="preserve">{r}</w:t></w:r>' for r in runs)
        + "</w:p>"
    )


def _picture(relation: str, number: int, crop: str = "") -> str:
    return (
        f'<w:p><w:r><w:drawing><wp:inline><wp:extent cx="600000" cy="400000"/><wp:docPr id="{number}" '
        f'name="{planted(100 + number)}" descr="Picture of {planted(110 + number)} at school" '
        f'title="{planted(120 + number)}"/><a:graphic><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="{number}" name="{planted(130 + number)}.png"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip r:embed="{relation}"/>{crop}<a:stretch><a:fillRect/></a:stretch>'
        '</pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="600000" cy="400000"/></a:xfrm>'
        '<a:prstGeom prst="rect"/></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r></w:p>"
    )


@cache
def docx() -> bytes:
    """A Word file with something planted in each place Word has."""
    box = (
        '<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor>'
        '<wp:docPr id="9" name="box"/><a:graphic><a:graphicData '
        'uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:txbx>'
        f"<w:txbxContent>{_p('Box of ' + planted(20) + ' stays')}</w:txbxContent></wps:txbx>"
        "<wps:bodyPr/></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape alt='{planted(21)}'><v:textbox><w:txbxContent>"
        f"{_p(planted(22))}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    field = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "mailto:'
        f'zaphod.field@mail.example" \\o "{planted(31)}"</w:instrText></w:r><w:r><w:fldChar '
        'w:fldCharType="separate"/></w:r><w:r><w:t>write to us</w:t></w:r><w:r><w:fldChar '
        'w:fldCharType="end"/></w:r></w:p>'
        f'<w:p><w:fldSimple w:instr="AUTHOR {planted(32)}"><w:r><w:t>the author</w:t></w:r></w:fldSimple></w:p>'
    )
    tracked = (
        f'<w:p w:rsidR="00AB12CD"><w:r><w:t>Tracked </w:t></w:r><w:ins w:id="1" w:author="{planted(40)}" '
        'w:date="2026-01-01T00:00:00Z"><w:r><w:t>inserted words stay</w:t></w:r></w:ins>'
        f'<w:del w:id="2" w:author="{planted(41)}"><w:r><w:delText>{planted(42)}</w:delText></w:r></w:del>'
        f'<w:r><w:rPr><w:rPrChange w:id="3" w:author="{planted(43)}"><w:rPr><w:b/></w:rPr></w:rPrChange>'
        "</w:rPr><w:t>.</w:t></w:r></w:p>"
        f'<w:moveFrom w:id="4" w:author="{planted(44)}"/>'
    )
    control = (
        f'<w:sdt><w:sdtPr><w:alias w:val="{planted(50)}"/><w:tag w:val="{planted(51)}"/><w:dataBinding '
        f'w:xpath="/{planted(52)}" w:storeItemID="x"/></w:sdtPr><w:sdtContent>'
        f"{_p('Control of ' + planted(53) + ' stays')}</w:sdtContent></w:sdt>"
    )
    other = (
        f'<w:p><w:bookmarkStart w:id="5" w:name="{planted(60)}"/><w:bookmarkEnd w:id="5"/>'
        f'<w:hyperlink r:id="rIdMail" w:tooltip="{planted(61)}"><w:r><w:t>a link that stays</w:t></w:r>'
        '</w:hyperlink><w:r><w:t xml:space="preserve"> </w:t></w:r><w:hyperlink r:id="rIdFine"><w:r>'
        "<w:t>good link</w:t></w:r></w:hyperlink></w:p>"
        f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden {planted(62)}</w:t></w:r></w:p>"
        f"<w:p><w:pPr><w:pStyle w:val='ZaphodPlant063'/></w:pPr><w:r><w:t>styled</w:t></w:r></w:p>"
        f"<w:p><w:r><w:object><o:OLEObject r:id='rIdOle' ProgID='{planted(64)}'/></w:object></w:r></w:p>"
        f"<w:p><w:r><x:strange>{planted(65)}</x:strange><w:commentReference w:id='0'/></w:r></w:p>"
        f"<w:p><w:r><w:t>Zero\u200bwidth: Zaphod Pl\u200bant0\u200b66 ends</w:t></w:r></w:p>"
        f"<w:p><w:r><w:t>Zaphod</w:t></w:r><w:r><w:tab/></w:r><w:r><w:t>Plant067 after a tab</w:t></w:r></w:p>"
        f"<w:p><w:r><w:pict><v:shape id='{planted(68)}' alt='alt {planted(69)}' o:title='{planted(70)}'>"
        f"<v:textbox><w:txbxContent>{_p('Old box ' + planted(71))}</w:txbxContent></v:textbox></v:shape>"
        "</w:pict></w:r></w:p>"
        "<w:p><w:r><w:footnoteReference w:id='1'/><w:endnoteReference w:id='1'/></w:r></w:p>"
        "<!-- Zaphod Plant072 -->"
        f"<w:p>{planted(73)}<w:r>{planted(74)}<w:t>loose text goes</w:t>{planted(75)}</w:r></w:p>"
        f"<w:r><w:t>{planted(76)}</w:t></w:r><w:p><w:pPr><w:odd w:val='{planted(77)}'/></w:pPr></w:p>"
    )
    chart = (
        "<w:p><w:r><w:drawing><wp:inline><wp:docPr id='8' name='c'/><a:graphic><a:graphicData "
        "uri='http://schemas.openxmlformats.org/drawingml/2006/chart'><a:x r:id='rIdChart'/>"
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    body = (
        _p("The first paragraph about ", planted(1), " stays otherwise.")
        + _p("Split: Za", "phod Pl", "ant0", "02 and NHS number 943", " 476 ", "5919 end.")
        + _p("Kept: " + planted(3) + " was rejected.")
        + f"<w:tbl><w:tr><w:tc>{_p('Table cell ' + planted(4))}</w:tc></w:tr><w:tr><w:trPr><w:del w:id='77'/>"
        f"</w:trPr><w:tc>{_p(planted(5))}</w:tc></w:tr></w:tbl>"
        + box + field + tracked + control + other + chart
        + _picture("rIdPng", 1) + _picture("rIdJpg", 2, '<a:srcRect l="40000"/>')
        + _picture("rIdEmf", 3)
        + "<w:sectPr><w:headerReference w:type='default' r:id='rIdHead'/>"
        "<w:footerReference w:type='default' r:id='rIdFoot'/></w:sectPr>"
    )  # fmt: skip
    kinds = {
        "rIdHead": ("header", "header1.xml"), "rIdFoot": ("footer", "footer1.xml"),
        "rIdNotes": ("footnotes", "footnotes.xml"), "rIdEnds": ("endnotes", "endnotes.xml"),
        "rIdComments": ("comments", "comments.xml"), "rIdStyles": ("styles", "styles.xml"),
        "rIdNum": ("numbering", "numbering.xml"), "rIdSet": ("settings", "settings.xml"),
        "rIdPng": ("image", "media/image1.png"), "rIdJpg": ("image", "media/image2.jpg"),
        "rIdEmf": ("image", "media/image3.emf"), "rIdOle": ("oleObject", "embeddings/o.bin"),
        "rIdChart": ("chart", "charts/chart1.xml"), "rIdPeople": ("people", "people.xml"),
    }  # fmt: skip
    relations = "".join(
        f'<Relationship Id="{i}" Type="{_R}/{kind}" Target="{target}"/>'
        for i, (kind, target) in kinds.items()
    ) + (
        f'<Relationship Id="rIdMail" Type="{_R}/hyperlink" Target="mailto:zaphod.link@mail.example" '
        'TargetMode="External"/>'
        f'<Relationship Id="rIdFine" Type="{_R}/hyperlink" Target="https://www.gov.example/page" '
        'TargetMode="External"/>'
        f'<Relationship Id="rIdFile" Type="{_R}/hyperlink" Target="file:///D:/papers/Zaphod%20Plant080" '
        'TargetMode="External"/>'
    )
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"

    def part(tag: str, inner: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?><w:{tag} {_W}>{inner}</w:{tag}>'

    notes = "<w:footnote w:id='1'>" + _p("Footnote " + planted(11)) + "</w:footnote>"
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
            'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="png" ContentType="image/png"/><Override '
            f'PartName="/word/document.xml" ContentType="{_T}.document.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" '
            f'Type="{_R}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": part("document", f"<w:body>{body}</w:body>"),
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{rels}">{relations}</Relationships>',
            "word/_rels/settings.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="t" '
            f'Type="{_R}/attachedTemplate" Target="file:///{planted(81)}" TargetMode="External"/>'
            "</Relationships>",
            "word/header1.xml": part("hdr", _p("Header " + planted(9))),
            "word/footer1.xml": part("ftr", _p("Footer " + planted(10))),
            "word/footnotes.xml": part("footnotes", notes),
            "word/endnotes.xml": part("endnotes", notes.replace("footnote", "endnote").replace("011", "012")),
            "word/comments.xml": part("comments", f"<w:comment w:id='0' w:author='{planted(13)}' "
                                      f"w:initials='{planted(14)}'>{_p('Comment on ' + planted(15))}</w:comment>"),
            "word/styles.xml": part("styles", "<w:style w:type='paragraph' w:customStyle='1' "
                                    f"w:styleId='ZaphodPlant063'><w:name w:val='{planted(63)}'/></w:style>"),
            "word/numbering.xml": part("numbering", "<w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'>"
                                       f"<w:lvlText w:val='%1 of {planted(16)}'/></w:lvl></w:abstractNum>"),
            "word/settings.xml": part("settings", "<w:rsids><w:rsidRoot w:val='00AB12CD'/></w:rsids>"
                                      f"<w:docVars><w:docVar w:name='a' w:val='{planted(82)}'/></w:docVars>"),
            "word/people.xml": f"<p>{planted(83)}</p>",
            "word/media/image1.png": png(), "word/media/image2.jpg": jpeg(),
            "word/media/image3.emf": planted(84),
            "word/embeddings/o.bin": planted(85), "word/charts/chart1.xml": f"<c>{planted(86)}</c>",
            "customXml/item1.xml": f"<c>{planted(87)}</c>",
            "docProps/core.xml": f"<c>{planted(88)}</c>", "docProps/app.xml": f"<c>{planted(89)}</c>",
            "docProps/custom.xml": f"<c>{planted(90)}</c>", "docProps/thumbnail.jpeg": jpeg(),
            "word/unknown.bin": planted(91),
        }
    )  # fmt: skip


@cache
def xlsx() -> bytes:
    """A workbook with something planted in each place Excel has."""
    import datetime as dt

    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.workbook.defined_name import DefinedName
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = "Cases"
    rows = [
        ["Name", "NHS number", "Born", "Note"],
        [planted(1), 9434765919, dt.date(1980, 3, 12), "first note of " + planted(2) + " stays"],
        [planted(3), "943 476 5919", dt.datetime(1980, 3, 12), 42],
    ]
    for row in rows:
        sheet.append(row)
    sheet["F1"] = f'="{planted(4)}"&A2'
    sheet["F2"] = "=1+1"
    sheet["D3"].number_format = f'0 "{planted(5)}"'
    sheet["A2"].comment = Comment("Comment on " + planted(6), planted(7))
    sheet["G1"] = "a link"
    sheet["G1"].hyperlink = "mailto:zaphod.sheet@mail.example"
    sheet["G2"] = "a file"
    sheet["G2"].hyperlink = f"file:///C:/{planted(8)}.docx"
    sheet["G3"] = "good link"
    sheet["G3"].hyperlink = "https://www.gov.example/page"
    rule = DataValidation(type="list", formula1=f'"{planted(9)},other"')
    rule.prompt = planted(10)
    sheet.add_data_validation(rule)
    rule.add("A5")
    sheet.oddHeader.left.text = "Header " + planted(11)
    sheet.evenFooter.right.text = planted(12)
    hidden = book.create_sheet("Of " + planted(13))
    hidden.sheet_state = "veryHidden"
    hidden["B2"] = "hidden " + planted(14)
    hidden.column_dimensions["B"].hidden = True
    book.defined_names["Zaphod_Plant015"] = DefinedName(
        "Zaphod_Plant015", attr_text='"' + planted(16) + '"'
    )
    book.properties.creator = planted(17)
    book.properties.lastModifiedBy = planted(18)
    book.properties.keywords = planted(19)
    buffer = io.BytesIO()
    book.save(buffer)
    parts: dict[str, bytes | str] = dict(unzipped(buffer.getvalue()))
    name = "xl/worksheets/sheet1.xml"
    body = bytes(parts[name]).decode()
    # The value that Excel would have stored with each formula.
    body = re.sub(r"&amp;A2</f>(?:<v ?/>|<v></v>)", f"&amp;A2</f><v>{planted(20)}</v>", body)
    body = re.sub(r"<f>1\+1</f>(?:<v ?/>|<v></v>)", "<f>1+1</f><v>2</v>", body)
    body = re.sub(r'<c r="F1"([^>]*)>', r'<c r="F1"\1 t="str">', body)
    body = body.replace("</row>", '<c r="H1" t="s"><v>0</v></c></row>', 1)
    parts[name] = body
    parts["xl/sharedStrings.xml"] = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>shared Zap</t>'
        f"</r><r><t>hod Plant031</t></r><rPh sb='0' eb='1'><t>{planted(22)}</t></rPh></si>"
        f"<si><t>unused {planted(21)}</t></si></sst>"
    )
    relations = "xl/_rels/workbook.xml.rels"
    parts[relations] = (
        bytes(parts[relations])
        .decode()
        .replace(
            "</Relationships>",
            f'<Relationship Id="rIdS" Type="{_R}/sharedStrings" '
            'Target="sharedStrings.xml"/></Relationships>',
        )
    )
    types = "[Content_Types].xml"
    parts[types] = (
        bytes(parts[types])
        .decode()
        .replace(
            "</Types>",
            '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
        )
    )
    parts["xl/pivotCache/pivotCacheRecords1.xml"] = f"<r>{planted(23)}</r>"
    parts["xl/externalLinks/externalLink1.xml"] = f"<r>{planted(24)}</r>"
    parts["xl/media/image1.png"] = png()
    parts["xl/connections.xml"] = f"<c>{planted(25)}</c>"
    parts["xl/printerSettings/printerSettings1.bin"] = planted(26)
    parts["xl/persons/person.xml"] = f"<c>{planted(27)}</c>"
    parts["customXml/item1.xml"] = f"<c>{planted(28)}</c>"
    parts["docProps/custom.xml"] = f"<c>{planted(29)}</c>"
    parts["xl/odd.bin"] = planted(30)
    return zipped(parts)  # fmt: skip


@cache
def pdf(*, rotation: int = 0) -> bytes:
    """A PDF with something planted in each place a PDF has."""
    import pikepdf
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    canvas.setAuthor(planted(1))
    canvas.setTitle(planted(2))
    canvas.drawString(72, 780, f"The first page is about {planted(3)} and stays otherwise.")
    canvas.drawString(72, 760, "The number 943 476 5919 is split over two of its")
    canvas.drawString(72, 740, "This line about Zaphod")
    canvas.drawString(72, 720, "Plant004 wraps, and this was rejected: Zaphod Plant005.")
    invisible = canvas.beginText(72, 700)
    invisible.setTextRenderMode(3)
    invisible.textLine("invisible " + planted(6))
    canvas.drawText(invisible)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(72, 680, "white " + planted(7))
    canvas.setFillColorRGB(0, 0, 0)
    canvas.rect(70, 652, 200, 16, fill=1)
    canvas.drawString(72, 655, "covered " + planted(8))
    canvas.drawImage(ImageReader(io.BytesIO(png())), 300, 400, 120, 80)
    canvas.acroForm.textfield(
        name=planted(9),
        value="Filled by " + planted(10),
        x=72,
        y=600,
        width=220,
        height=20,
        tooltip=planted(11),
    )
    canvas.bookmarkPage("here")
    canvas.addOutlineEntry("Chapter " + planted(12), "here")
    canvas.linkURL("mailto:zaphod.pdf@mail.example", (72, 500, 200, 520))
    canvas.showPage()
    canvas.drawString(72, 780, "The second page holds nothing of anybody and stays whole.")
    canvas.drawString(72, 7800, "off the page " + planted(13))
    canvas.showPage()
    canvas.save()
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(buffer.getvalue())) as file:
        file.attachments["a.txt"] = pikepdf.AttachedFileSpec(
            file, planted(14).encode(), filename=planted(15)
        )
        file.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=planted(16))
        with file.open_metadata() as metadata:
            metadata["dc:creator"] = [planted(17)]
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Text,
            Rect=[400, 700, 420, 720],
            Contents=planted(18),
            T=planted(19),
        )
        file.pages[0].Annots.append(file.make_indirect(note))
        file.pages[0].Rotate = rotation
        file.save(out)
    return out.getvalue()  # fmt: skip


def scanned_pdf() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (595, 842), (240, 240, 230)).save(buffer, format="PDF")
    return buffer.getvalue()


@cache
def html() -> bytes:
    """A page with something planted in each place HTML has."""
    return f"""<!DOCTYPE html><!-- {planted(1)} -->
<html lang="en"><head><meta charset="utf-8"><meta name="author" content="{planted(2)}">
<title>Page of {planted(3)}</title><style>.x{{content:"{planted(4)}"}}</style>
<script>var who = "{planted(5)}";</script><link rel="author" href="mailto:zaphod.link@mail.example"></head>
<body class="Zaphod-Plant006" data-name="{planted(7)}" onload="greet('{planted(8)}')">
<h1>About <b>Zap</b>hod <i>Pl</i>ant009</h1>
<p title="{planted(10)}">The first paragraph stays, and 943
   476 5919 goes. Rejected: Zaphod Plant011.</p>
<img src="data:image/png;base64,AAAA" alt="Picture of {planted(12)}">
<a href="mailto:zaphod.mail@mail.example">write</a> <a href="https://www.gov.example/page">good link</a>
<a href="javascript:alert('{planted(13)}')">bad</a>
<form><input type="hidden" value="{planted(14)}"><input type="text" value="{planted(15)}" placeholder="{planted(16)}">
<textarea>{planted(17)}</textarea></form>
<noscript>{planted(18)}</noscript><template>{planted(19)}</template><svg><text>{planted(20)}</text></svg>
<iframe srcdoc="{planted(21)}"></iframe><custom-thing secret="{planted(22)}">custom stays {planted(23)}</custom-thing>
<table><tr><td>cell {planted(24)}</td></tr></table>
<p>Zero: Zaphod Pl&#8203;ant025, entity &#90;aphod Plant026 and&nbsp;end.</p>
</body></html>
""".encode()


@cache
def csv_file() -> bytes:
    return (
        '\ufeff"Name";"Born";Number;Note\r\n'
        f'"{planted(1)}";12/03/1980;9434765919;"says ""hello; {planted(2)}"" and stays"\r\n'
        f'Zaphod Plant003;;;"two\r\nlines {planted(4)}"\r\n'
        '"rejected";plain;12;"kept; all"\r\n'
    ).encode()


@cache
def txt() -> bytes:
    return (
        f"Dear {planted(1)},\r\n\r\nyour number is 943\r\n476 5919, and the rest stays.\r\n\r\n\r\n"
        f"Rejected: Zaphod Plant002. Caf\u00e9 Zaphod Pl\u200bant003.\r\n"
    ).encode()


@cache
def eml(attachments: bool = True) -> bytes:
    """A message with something planted in each place e-mail has."""
    import email.policy
    from email.message import EmailMessage

    message = EmailMessage()
    message["Received"] = (
        f"from {planted(1).replace(' ', '.')}.example by mx; Mon, 1 Jan 2026 00:00:00 +0000"
    )
    message["Message-ID"] = "<zaphod.id@mail.example>"
    message["From"] = f'"{planted(2)}" <zaphod.from@mail.example>'
    message["To"] = (
        f"J\u00fcrgen {planted(3)} <zaphod.to@mail.example>, Un Known <un.known@mail.example>"
    )
    message["Cc"] = "zaphod.cc@mail.example"
    message["Subject"] = f"About {planted(4)} and the \u20ac budget"
    message["Date"] = "Mon, 02 Feb 2026 10:00:00 +0000"
    message["X-Originating-User"] = planted(5)
    message.set_content(f"Dear {planted(6)},\n\nthe plain text stays; 943 476 5919.\n")
    message.add_alternative(
        f"<p>Dear <b>Za</b>phod Plant007, the page stays</p><!--{planted(8)}-->", subtype="html"
    )
    if attachments:
        message.add_attachment(
            docx(), maintype="application", subtype="octet-stream", filename=f"{planted(9)}.docx"
        )
        message.add_attachment(csv_file(), maintype="text", subtype="csv", filename="list.csv")
        message.add_attachment(pdf(), maintype="application", subtype="pdf", filename="plan.pdf")
        message.add_attachment(
            planted(10).encode(),
            maintype="application",
            subtype="zip",
            filename=f"{planted(11)}.zip",
        )
        message.add_attachment(png(), maintype="image", subtype="png", filename="photo.png")
        inner = email.message_from_bytes(eml(attachments=False), policy=email.policy.default)
        message.add_attachment(inner)
    message.preamble = planted(12)
    return message.as_bytes()  # fmt: skip


SAMPLES = {
    "docx": docx, "xlsx": xlsx, "pdf": pdf, "html": html, "csv": csv_file, "txt": txt, "eml": eml,
}  # fmt: skip
