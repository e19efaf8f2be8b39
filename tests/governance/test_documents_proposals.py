"""What is proposed, what a person decided, and the proof that the two were followed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from typing import Any

import pytest
from document_samples import FakeRedactor, planted, txt

from governance.redaction.documents.files import open_document
from governance.redaction.documents.model import (
    CORRESPONDENT,
    PICTURE,
    Block,
    Cut,
    DocumentError,
    merged,
    visible,
    without,
)
from governance.redaction.documents.pieces import Piece, cut_pieces
from governance.redaction.documents.proof import prove
from governance.redaction.documents.proposals import (
    FORMAT,
    blocks_hash,
    cuts_of,
    default_decisions,
    propose,
    read_decisions,
    settled,
)
from governance.redaction.findings import Finding

SHA = hashlib.sha256(txt()).hexdigest()


class Texts:
    """A document of blocks alone."""

    kind = "txt"
    notices = ()

    def __init__(self, *blocks: Block) -> None:
        self.blocks = blocks

    def written(self, cuts: Any) -> bytes:
        return b""


class Asked(FakeRedactor):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def find(self, text: str) -> list[Any]:
        self.texts.append(text)
        return super().find(text)


@pytest.mark.parametrize(
    ("cuts", "text"),
    [
        ([], "abcdef"),
        ([Cut(1, 3)], "a[redacted]def"),
        ([Cut(3, 4), Cut(1, 3)], "a[redacted]ef"),
        ([Cut(0, 6), Cut(2, 3)], "[redacted]"),
        ([Cut(0, 1), Cut(5, 6)], "[redacted]bcde[redacted]"),
    ],
)
def test_cuts_and_their_overlaps(cuts: list[Cut], text: str) -> None:
    assert without("abcdef", cuts) == text
    assert without("abcdef", merged(cuts)) == text


@pytest.mark.parametrize(
    ("cuts", "pieces"),
    [
        ([], ["ab", "", "cd", "ef"]),
        ([Cut(1, 5)], ["a[redacted]", "", "", "f"]),
        ([Cut(0, 2)], ["[redacted]", "", "cd", "ef"]),
        ([Cut(2, 4)], ["ab", "", "[redacted]", "ef"]),
        ([Cut(0, 1), Cut(3, 6)], ["[redacted]b", "", "c[redacted]", ""]),
    ],
)
def test_a_passage_is_cut_out_of_every_piece_it_lies_in(cuts: list[Cut], pieces: list[str]) -> None:
    held = ["ab", "", "cd", "ef"]

    def writer(n: int):
        return lambda text: held.__setitem__(n, text)

    cut_pieces([Piece(t, writer(n)) for n, t in enumerate(list(held))], cuts)

    assert held == pieces


def test_signs_that_nobody_sees_cannot_split_an_identifier() -> None:
    assert visible("943\u200b476\u00ad59\ufeff19\u202e") == "9434765919"
    assert visible("caf\u00e9 \u20ac \t\n") == "caf\u00e9 \u20ac \t\n"


def test_what_is_found_once_is_proposed_wherever_it_stands() -> None:
    class Once(FakeRedactor):
        def find(self, text: str) -> list[Any]:
            return super().find(text) if text.startswith("Dear") else []

    document = Texts(
        Block("1", "here", f"Dear {planted(1)}"),
        Block("2", "there", "as Zaphod\n Plant001 said; notZaphod Plant001"),
    )
    found = propose(document, Once())

    assert [(p.block, p.start, p.end, p.why) for p in found] == [
        ("1", 5, 20, "planted"),
        ("2", 3, 19, "same words elsewhere"),
    ]


class Knows(FakeRedactor):
    """Finds given words in texts that hold "Seen"."""

    def __init__(self, **kinds: str) -> None:
        self.kinds = kinds

    def find(self, text: str) -> list[Any]:
        places = [(text.find(words), words, kind) for kind, words in self.kinds.items()]
        return [
            Finding(at, at + len(words), kind, 0.9, "planted")
            for at, words, kind in places
            if at >= 0 and "Seen" in text
        ]


def elsewhere(first: str, second: str, **kinds: str) -> list[tuple[str, str]]:
    document = Texts(Block("1", "here", first), Block("2", "there", second))
    return [
        (p.kind, second[p.start : p.end]) for p in propose(document, Knows(**kinds))
        if p.block == "2"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("Zoe Okon-Vale", "Okon-Vale", ["Okon-Vale"]),
        ("Zoe Okon-Vale", "case okon-vale, 2", ["okon-vale"]),
        ("Zoe Okonkwo", "okonkwo", []),
        ("Okonkwo", "okonkwo.docx", ["okonkwo"]),
        ("Zoe Okon-Vale", "zoe_okon_vale_letter.docx", ["zoe_okon_vale"]),
        ("Zoe Okon-Vale", "ZOE OKON\u2011VALE's", ["ZOE OKON\u2011VALE"]),
        ("Zoe Okonkwo", "Mrs Okonkwo rang Zoe", ["Okonkwo"]),
        ("Zoe Okonkwo", "Okonkwo Street, Okonkwos", []),
        ("Mrs Grace", "by the grace of; Grace left", ["Grace"]),
        ("Will", "it will rain", []),
        ("Aman", "a man", []),
        ("Li", "Li said", []),
    ],
)
def test_a_name_is_proposed_elsewhere_however_it_is_written(
    name: str, text: str, found: list[str]
) -> None:
    assert elsewhere(f"Seen {name}", text, NAME=name) == [("NAME", words) for words in found]


@pytest.mark.parametrize(
    ("kind", "value", "text", "found"),
    [
        ("NHS_NUMBER", "943 476 5919", "scan-9434765919.pdf", ["9434765919"]),
        ("NHS_NUMBER", "9434765919", "943.476.5919", ["943.476.5919"]),
        ("EMAIL", "Jo.Bloggs@mail.example", "jo.bloggs@mail.example", ["jo.bloggs@mail.example"]),
        ("POSTCODE", "QA1 6SW", "qa1-6sw", ["qa1-6sw"]),
        ("DATE_OF_BIRTH", "3/4/81", "count 3481", []),
        ("BANK_ACCOUNT", "12345678", "123456789", []),
    ],
)
def test_an_identifier_is_proposed_elsewhere_in_other_groups(
    kind: str, value: str, text: str, found: list[str]
) -> None:
    assert elsewhere(f"Seen {value}", text, **{kind: value}) == [(kind, words) for words in found]


def test_thousands_of_names_are_all_looked_for() -> None:
    class All(FakeRedactor):
        def find(self, text: str) -> list[Any]:
            return [Finding(0, len(text), "NAME", 0.9, "planted")] if text[0] == "Q" else []

    names = [Block(str(n), "a", f"Q{n:05d}") for n in range(3_500)]
    found = propose(Texts(*names, Block("x", "a", "of Q00007 only")), All())
    assert [(p.start, p.end) for p in found if p.block == "x"] == [(3, 9)]


def test_who_stands_in_a_header_is_proposed_in_the_text() -> None:
    header = Block("h", "header To", f"{planted(1)} <a@b.example>", suspect=CORRESPONDENT)

    class Once(FakeRedactor):
        def find(self, text: str) -> list[Any]:
            return super().find(text) if "<" in text else []

    found = propose(Texts(header, Block("t", "a", f"dear {planted(1)}")), Once())
    assert [(p.block, p.kind, p.start, p.end) for p in found] == [
        ("h", CORRESPONDENT, 0, len(header.text)), ("t", "NAME", 5, 20),
    ]  # fmt: skip


def test_an_old_date_alone_in_a_cell_is_proposed_without_a_heading() -> None:
    old, young = "03/04/1951", dt.date.today().strftime("%d/%m/%Y")
    document = Texts(
        Block("1", "a", old, row="row 1"), Block("2", "a", young, row="row 1"), Block("3", "a", old)
    )
    found = propose(document, Knows())
    assert [(p.block, p.kind, p.score < 0.5) for p in found if "alone" in p.why] == [
        ("1", "DATE_OF_BIRTH", True)
    ]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_old_dates_in_cells_go_and_so_does_a_surname_in_the_name_of_a_sheet(kind: str) -> None:
    from openpyxl import Workbook

    content = b"Ref,When\n1,03/04/1951\n2,1951-04-03\n"
    if kind == "xlsx":
        book = Workbook()
        book.active.title = "Okon-Vale"
        for row in (["Who", "When"], ["Seen Zoe Okon-Vale", "03/04/1951"],
                    ["-", dt.date(1951, 4, 3)]):  # fmt: skip
            book.active.append(row)
        book.create_sheet("Redacted 1")
        buffer = io.BytesIO()
        book.save(buffer)
        content = buffer.getvalue()
    document = open_document(content, f"a.{kind}")
    blocks = list(document.blocks)
    cuts = cuts_of(default_decisions(propose(document, Knows(NAME="Zoe Okon-Vale"))))
    result = document.written(cuts)
    prove(result, kind, blocks, cuts, f"a.{kind}")

    again = open_document(result, f"a.{kind}")
    left = "\n".join(block.text for block in again.blocks)
    assert "1951" not in left
    if kind == "xlsx":
        assert "Okon" not in left
        names = [block.text for block in again.blocks if block.where.endswith("its name")]
        assert names == ["Redacted 1 again", "Redacted 1"]


def test_a_heading_is_told_to_the_finder_but_not_proposed() -> None:
    asked = Asked()
    document = Texts(
        Block("1", "a", "12/03/1980", hint=planted(1)), Block("2", "b", "plain", hint="x")
    )
    found = propose(document, asked)

    assert asked.texts == [f"{planted(1)}: 12/03/1980", "x: plain"]
    assert [(p.block, p.start, p.end) for p in found] == [("1", 0, 10)]


def test_the_same_text_is_looked_at_once_and_progress_is_told() -> None:
    asked = Asked()
    told: list[tuple[int, int]] = []
    blocks = [Block(str(n), "a", f"text {n % 3}") for n in range(50)]
    propose(Texts(*blocks), asked, lambda done, total: told.append((done, total)))

    assert len(asked.texts) == 3
    assert told == [(3, 3)]


def test_pictures_stay_unless_somebody_or_an_unattended_run_removes_them() -> None:
    document = Texts(Block("1", "picture 1", "[picture 1]", suspect=PICTURE, kept_unless_cut=True))
    proposals = propose(document, FakeRedactor())

    assert [d.decision for d in default_decisions(proposals)] == ["keep"]
    assert [d.decision for d in default_decisions(proposals, everything=True)] == ["redact"]


def decisions(**changes: Any) -> bytes:
    document = open_document(txt(), "letter.txt")
    held = {
        "format": FORMAT, "file_sha256": SHA, "blocks_sha256": blocks_hash(document.blocks),
        "decisions": [
            {"block": p.block, "start": p.start, "end": p.end, "kind": p.kind, "decision": "redact",
             "by_hand": False, "looked_at": True, "score": p.score}
            for p in propose(document, FakeRedactor())
        ],
    } | changes  # fmt: skip
    return json.dumps(held).encode()


def settle(content: bytes) -> list[Any]:
    document = open_document(txt(), "letter.txt")
    given = read_decisions(content, "letter.decisions.json")
    return settled(given, document, propose(document, FakeRedactor()), SHA, "letter.txt")


ONE = {"block": "t1", "start": 0, "end": 4, "kind": "BY_HAND", "decision": "redact"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a decisions file"),
        (b"[" * 100_000, "not a decisions file"),
        (b'{"format": "x"}', "not a decisions file"),
        (decisions(text="x"), "not a decisions file"),
        (decisions(decisions=[{**ONE, "text": "x"}]), "not a decisions file"),
        (decisions(decisions=[{**ONE, "start": -1}]), "not a decisions file"),
        (decisions(file_sha256="0" * 64), "has changed"),
        (decisions(blocks_sha256="0" * 64), "read in another way"),
        (decisions(decisions=[{**ONE, "end": 4_000}]), "a place that it does not have"),
        (decisions(decisions=[{**ONE, "block": "t9"}]), "a place that it does not have"),
        (decisions(decisions=[{**ONE, "start": 4}]), "a place that it does not have"),
    ],
)
def test_decisions_that_do_not_fit_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        settle(content)


def test_decisions_that_fit_are_followed() -> None:
    assert len(settle(decisions())) == 4
    by_hand = settle(decisions(decisions=[*json.loads(decisions())["decisions"], ONE]))
    assert Cut(0, 4) in cuts_of(by_hand)["t1"]


def test_what_the_decisions_leave_out_is_redacted() -> None:
    cuts = cuts_of(settle(decisions(decisions=[])))

    assert cuts == cuts_of(settle(decisions()))


def test_where_redact_and_keep_overlap_redact_wins() -> None:
    kept = [{**d, "decision": "keep"} for d in json.loads(decisions())["decisions"]]
    cuts = cuts_of(settle(decisions(decisions=[*kept, ONE])))

    assert cuts == {"t1": [Cut(0, 4)]}


def test_a_keep_of_half_a_passage_does_not_keep_the_whole() -> None:
    first = json.loads(decisions())["decisions"][0]
    half = {**first, "end": first["start"] + 3, "decision": "keep"}
    rest = [d for d in json.loads(decisions())["decisions"] if d != first]

    assert cuts_of(settle(decisions(decisions=[half, *rest]))).keys() >= {first["block"]}


def test_proof_finds_what_a_writer_left() -> None:
    block = Block("t1", "paragraph 1", "About Zaphod Plant001 and more")
    cuts = {"t1": [Cut(6, 21)]}

    prove(b"About [redacted] and more", "txt", [block], cuts, "letter.txt")
    for left in (b"About Zaphod Plant001 and more", b"About Zaphod\nPlant001 and more"):
        with pytest.raises(DocumentError, match="nothing was written") as caught:
            prove(left, "txt", [block], cuts, "letter.txt")
        assert "Zaphod" not in str(caught.value)


def test_proof_looks_into_packed_parts_too() -> None:
    from document_samples import docx, unzipped, zipped

    document = open_document(docx(), "a.docx")
    blocks = list(document.blocks)
    cuts = cuts_of(default_decisions(propose(document, FakeRedactor())))
    result = document.written(cuts)
    prove(result, "docx", blocks, cuts, "a.docx")
    for body in (planted(1), planted(1).encode("utf-16-le")):
        worse = zipped({**unzipped(result), "word/more.bin": body})
        with pytest.raises(DocumentError, match="nothing was written"):
            prove(worse, "docx", blocks, cuts, "a.docx")


def test_what_the_writers_put_in_place_is_no_leak() -> None:
    from document_samples import eml

    document = open_document(eml(), "a.eml")
    blocks = list(document.blocks)
    (name,) = [b for b in blocks if b.text == "Zaphod Plant009.docx"]
    everything = default_decisions(propose(document, FakeRedactor()), everything=True)
    cuts = {**cuts_of(everything), name.id: [Cut(0, 15), Cut(16, 20)]}
    result = document.written(cuts)

    assert b'filename="attachment-1.docx"' in result
    prove(result, "eml", blocks, cuts, "a.eml")
