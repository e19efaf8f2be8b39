"""``lsoalink redact``: what it writes where, what it never touches, what its log leaves out."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner, Result

from declarations.errors import ConfigurationError, LsoalinkError
from governance.redaction.documents.model import DocumentError
from governance.redaction.findings import Finding
from pipelines.commands import redact

NAME, OTHER = "Zaphod Plant001", "Zaphod Plant002"
NUMBER = "943 476 5919"
TEXT = f"Dear {NAME},\n\nyour number {NUMBER} and {OTHER} are here; the rest stays.\n"
SECRET = re.compile(r"zaphod|plant0|943 ?476", re.IGNORECASE)


class FakeRedactor:
    names_note = "Names are found by rules alone"

    def find(self, text: str) -> list[Finding]:
        return [
            Finding(m.start(), m.end(), "NAME" if m[0][0] == "Z" else "NHS_NUMBER", 0.8, "planted")
            for m in re.finditer(r"Zaphod Plant\d{3}|943 ?476 ?5919", text)
        ]


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    import governance.redaction.engine

    monkeypatch.setattr(governance.redaction.engine, "Redactor", FakeRedactor)


@pytest.fixture
def letter(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "letter.txt"
    path.write_text(TEXT, encoding="utf-8")
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before


def run(*arguments: object, ok: bool = True) -> Result:
    app = typer.Typer()
    redact.register(app)
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if ok:
        assert result.exit_code == 0, result.output
    return result


def page_data(page: Path) -> dict[str, Any]:
    (data,) = re.findall(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    return dict(json.loads(data))


def decide(page: Path, *, keep: tuple[int, ...] = ()) -> Path:
    """Save decisions as the page does."""
    data = page_data(page)
    decisions = [
        {"block": p[0], "start": p[1], "end": p[2], "kind": p[3], "score": p[4], "by_hand": False,
         "looked_at": True, "decision": "keep" if n in keep else "redact"}
        for n, p in enumerate(data["proposals"])
    ]  # fmt: skip
    path = page.with_name(data["saveAs"])
    held = {key: data[key] for key in ("format", "file_sha256", "blocks_sha256")}
    path.write_text(json.dumps({**held, "decisions": decisions}), encoding="utf-8")
    return path


def test_propose_review_apply(letter: Path) -> None:
    shown = run(letter)
    page = letter.with_name("letter.txt.redaction.html")

    assert "3 passages proposed" in shown.output
    assert "2 name" in shown.output
    assert not SECRET.search(shown.output)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "Names are found by rules alone" in page.read_text(encoding="utf-8")
    assert sorted(p.name for p in letter.parent.iterdir()) == [
        "letter.txt",
        "letter.txt.redaction.html",
    ]

    decisions = decide(page, keep=(2,))
    shown = run(letter, "--apply", decisions)
    assert "2 passages redacted, 1 kept" in shown.output
    assert not SECRET.search(shown.output)
    out = letter.with_name("letter.redacted.txt")
    assert out.read_text(encoding="utf-8") == (
        f"Dear [redacted],\n\nyour number [redacted] and {OTHER} are here; the rest stays.\n"
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not page.exists()


def test_the_log_says_what_where_who_and_when_and_no_value(letter: Path) -> None:
    run(letter)
    decisions = decide(letter.with_name("letter.txt.redaction.html"), keep=(2,))
    run(letter, "--apply", decisions)
    text = letter.with_name("letter.txt.redaction-log.json").read_text(encoding="utf-8")
    log = json.loads(text)

    assert not SECRET.search(text)
    assert "letter" not in text
    assert log["counts"] == {"redact": {"NHS number": 1, "name": 1}, "keep": {"name": 1}}
    assert [(p["where"], p["kind"], p["decision"]) for p in log["passages"]] == [
        ("paragraph 1", "name", "redact"),
        ("paragraph 2", "NHS number", "redact"),
        ("paragraph 2", "name", "keep"),
    ]
    assert log["sha256_before"] == hashlib.sha256(TEXT.encode()).hexdigest()
    after = letter.with_name("letter.redacted.txt").read_bytes()
    assert log["sha256_after"] == hashlib.sha256(after).hexdigest()
    assert log["reviewed_by_a_person"] is True
    assert log["not_looked_at"] == 0
    assert {"by", "at", "tool", "type"} <= set(log)


def test_unattended_everything_goes_and_the_log_says_nobody_looked(letter: Path) -> None:
    run(letter, "--accept-all")
    log = json.loads(letter.with_name("letter.txt.redaction-log.json").read_text(encoding="utf-8"))

    assert not SECRET.search(letter.with_name("letter.redacted.txt").read_text(encoding="utf-8"))
    assert log["reviewed_by_a_person"] is False
    assert log["not_looked_at"] == 3


def test_files_of_one_stem_do_not_share_a_name(letter: Path) -> None:
    other = letter.with_name("letter.csv")
    other.write_text(f"Name\n{OTHER}\n", encoding="utf-8")
    for file in (letter, other):
        shown = " ".join(run(file).output.split())
        assert f"{file.name}.decisions.json" in shown
    pages = [letter.with_name(f"letter.{end}.redaction.html") for end in ("txt", "csv")]
    assert [page_data(p)["saveAs"] for p in pages] == [
        "letter.txt.decisions.json", "letter.csv.decisions.json",
    ]  # fmt: skip
    run(letter, "--apply", decide(pages[0]))
    assert pages[1].exists()
    run(other, "--apply", decide(pages[1]))
    logs = [letter.with_name(f"letter.{end}.redaction-log.json") for end in ("txt", "csv")]
    assert [json.loads(log.read_text(encoding="utf-8"))["type"] for log in logs] == ["txt", "csv"]


def test_a_page_of_another_file_is_replaced_by_force_alone(letter: Path, tmp_path: Path) -> None:
    to, other = tmp_path / "review", tmp_path / "other" / "letter.txt"
    other.parent.mkdir()
    other.write_text(f"About {OTHER}.\n", encoding="utf-8")
    run(letter, "--to", to)
    page = to / "letter.txt.redaction.html"
    before = page.read_bytes()
    result = run(other, "--to", to, ok=False)

    assert isinstance(result.exception, ConfigurationError)
    assert "page of another file" in str(result.exception)
    assert page.read_bytes() == before
    run(letter, "--to", to)
    run(other, "--to", to, "--force")
    assert page_data(page)["blocks"][0][2] == f"About {OTHER}.\n"
    # The page of a file that changed since is its own page, and is made anew.
    other.write_text(f"Now about {OTHER}.\n", encoding="utf-8")
    run(other, "--to", to)
    assert page_data(page)["blocks"][0][2] == f"Now about {OTHER}.\n"


def test_another_folder_and_another_name(letter: Path, tmp_path: Path) -> None:
    to = tmp_path / "review"
    run(letter, "--to", to)
    decisions = decide(to / "letter.txt.redaction.html")
    run(letter, "--apply", decisions, "--to", to, "--out", to / "public.txt", "--keep-page")

    assert {p.name for p in to.iterdir()} == {
        "letter.txt.redaction.html", "letter.txt.decisions.json", "public.txt",
        "public.txt.redaction-log.json",
    }  # fmt: skip


def test_the_original_is_never_replaced_and_a_result_only_by_force(letter: Path) -> None:
    run(letter, "--accept-all")
    for arguments in (
        ["--accept-all"],
        ["--accept-all", "--force", "--out", letter],
        ["--accept-all", "--out", letter.with_suffix(".pdf")],
    ):
        result = run(letter, *arguments, ok=False)
        assert isinstance(result.exception, ConfigurationError)
    link = letter.with_name("link.txt")
    link.hardlink_to(letter)
    result = run(letter, "--accept-all", "--force", "--out", link, ok=False)
    assert "would replace letter.txt itself" in str(result.exception)
    run(letter, "--accept-all", "--force")


def test_a_file_that_changed_since_its_page_is_refused(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(TEXT, encoding="utf-8")
    run(letter)
    decisions = decide(tmp_path / "letter.txt.redaction.html")
    letter.write_text(TEXT + "more", encoding="utf-8")
    result = run(letter, "--apply", decisions, ok=False)

    assert "has changed since its review page" in str(result.exception)
    assert not (tmp_path / "letter.redacted.txt").exists()
    assert (tmp_path / "letter.txt.redaction.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--apply", "x.json", "--accept-all"], "exclude each other"),
        (["--apply", "nowhere.json"], "cannot be opened"),
    ],
)
def test_wrong_options_are_one_sentence(letter: Path, arguments: list[str], words: str) -> None:
    result = run(letter, *arguments, ok=False)

    assert isinstance(result.exception, LsoalinkError)
    assert words in str(result.exception)


def test_a_type_that_is_not_known_is_refused_before_anything_loads(tmp_path: Path) -> None:
    result = run(tmp_path / "letter.doc", ok=False)

    assert isinstance(result.exception, DocumentError)
    assert "Save it as DOCX" in str(result.exception)
    assert result.exception.exit_code == 4


def test_when_the_proof_fails_nothing_is_written(
    letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from governance.redaction.documents.text import TextDocument

    monkeypatch.setattr(TextDocument, "written", lambda self, cuts: TEXT.encode())
    result = run(letter, "--accept-all", ok=False)

    assert "nothing was written" in str(result.exception)
    assert not SECRET.search(str(result.exception))
    assert [p.name for p in letter.parent.iterdir()] == ["letter.txt"]


def test_a_name_that_tells_is_said(tmp_path: Path) -> None:
    path = tmp_path / "Zaphod Plant001.txt"
    path.write_text(TEXT, encoding="utf-8")
    page_shown = run(path).output
    applied = run(path, "--accept-all").output

    assert "use --out" in page_shown
    assert "rename it" in applied
    log = (tmp_path / "Zaphod Plant001.txt.redaction-log.json").read_text(encoding="utf-8")
    assert not SECRET.search(log)
    assert "rename it" not in run(path, "--accept-all", "--out", tmp_path / "a.txt").output


def test_dropping_pictures_and_a_workbook(tmp_path: Path) -> None:
    import docx
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 9, 9)).save(buffer, format="PNG")
    word = docx.Document()
    word.add_paragraph(f"About {NAME}, who stays.")
    word.add_picture(buffer)
    path = tmp_path / "letter.docx"
    word.save(str(path))
    run(path)
    decisions = decide(tmp_path / "letter.docx.redaction.html", keep=(1,))
    run(path, "--apply", decisions, "--out", tmp_path / "with.docx", "--keep-page")
    run(path, "--apply", decisions, "--out", tmp_path / "without.docx", "--drop-images")
    shapes = [len(docx.Document(str(tmp_path / n)).inline_shapes)
              for n in ("with.docx", "without.docx")]  # fmt: skip
    assert shapes == [1, 0]

    book = Workbook()
    book.active.append(["Number", "Count"])
    book.active.append([9434765919, 12])
    book.save(tmp_path / "book.xlsx")
    run(tmp_path / "book.xlsx", "--accept-all")
    sheet = load_workbook(tmp_path / "book.redacted.xlsx").active
    assert [c.value for c in sheet[2]] == ["[redacted]", 12]


def test_the_help_teaches() -> None:
    shown = run("--help").output

    for word in ("--apply", "--accept-all", "--drop-images", "--scanned-as-is", "letter.docx"):
        assert word in shown
