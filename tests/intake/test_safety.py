from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from intake.containers import expanded
from intake.errors import UnsafeFileError
from intake.safety import REASONS, Limits, inspect_file

GOOD = "postcode,month,sessions\nQA1 1AA,2026-01,3\nQA1 1AB,2026-01,4\n"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["postcode", "month", "sessions"])
    book.active.append(["QA1 1AA", "2026-01", 3])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def rezipped(content: bytes, changes: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    return zipped({**members, **changes})


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"postcode": ["QA1 1AA"], "sessions": [3]}), buffer)
    return buffer.getvalue()


def linked_member() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("data.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/hostname")
    return buffer.getvalue()


def forged_size() -> bytes:
    """An archive whose directory says ten bytes where there are twenty million."""
    content = bytearray(zipped({"data.csv": b"1,2,3,4\n" * 2_500_000}))
    real = struct.pack("<I", 20_000_000)
    while (at := content.find(real)) >= 0:
        content[at : at + 4] = struct.pack("<I", 10)
    return bytes(content)


XXE = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]><w>&x;</w>'

GOOD_FILES = {
    "data.csv": GOOD.encode(),
    "bom.csv": b"\xef\xbb\xbf" + GOOD.encode(),
    "utf16.csv": GOOD.encode("utf-16"),
    "utf16_no_bom.csv": GOOD.encode("utf-16-le"),
    "latin.csv": GOOD.replace("QA1 1AA", "Zoë").encode("cp1252"),
    "no_last_line_end.csv": GOOD.strip().encode(),
    "data.csv.gz": gzip.compress(GOOD.encode()),
    "two_members.csv.gz": gzip.compress(GOOD.encode()) + gzip.compress(GOOD.encode()),
    "data.zip": zipped({"data.csv": GOOD.encode(), "__MACOSX/._data.csv": b"\x00"}),
    "stored.zip": zipped({"data.csv": GOOD.encode()}, zipfile.ZIP_STORED),
    "data.xlsx": workbook(),
    "data.parquet": parquet(),
    "area.geojson": b'{"type": "FeatureCollection", "features": []}\n',
}

BAD_FILES = [
    ("empty.csv", b"", "empty_file"),
    ("nul.csv", b"a,b\n1,\x00\x00\n", "not_utf8_or_cp1252"),
    ("junk.csv", bytes(range(1, 256)) * 20, "not_utf8_or_cp1252"),
    ("c1.csv", b"a,b\n1,\x81\n", "not_utf8_or_cp1252"),
    ("renamed.csv", workbook(), "not_utf8_or_cp1252"),
    ("half_row.csv", GOOD.encode()[:-7], "truncated"),
    ("half_field.csv", b'a,b,c\n1,2,3\n1,2,"half a fie', "truncated"),
    ("half_character.csv", "a,b\n1,Zo\u00eb".encode()[:-1], "truncated"),
    ("half.csv.gz", gzip.compress(GOOD.encode() * 50)[:-9], "truncated"),
    ("damaged.csv.gz", gzip.compress(GOOD.encode())[:-8] + b"\x00" * 8, "truncated"),
    ("half.zip", zipped({"data.csv": GOOD.encode()})[:-30], "truncated"),
    ("half.xlsx", workbook()[:-200], "truncated"),
    ("no_footer.parquet", parquet()[:-4], "truncated"),
    ("half.geojson", b'{"type": "FeatureCollection", "features": [', "truncated"),
    ("not.xlsx", GOOD.encode(), "wrong_type"),
    ("not.parquet", GOOD.encode(), "wrong_type"),
    ("old.xlsx", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "wrong_type"),
    ("old.csv", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "wrong_type"),
    ("up.zip", zipped({"../data.csv": GOOD.encode()}), "path_traversal"),
    ("root.zip", zipped({"/data.csv": GOOD.encode()}), "path_traversal"),
    ("drive.zip", zipped({"C:data.csv": GOOD.encode()}), "path_traversal"),
    ("back.zip", zipped({"..\\data.csv": GOOD.encode()}), "path_traversal"),
    ("link.zip", linked_member(), "path_traversal"),
    ("two.zip", zipped({"a.csv": GOOD.encode(), "b.csv": GOOD.encode()}), "not_one_file"),
    ("none.zip", zipped({"__MACOSX/a.csv": b"x"}), "not_one_file"),
    ("nested.zip", zipped({"inner.zip": zipped({"a.csv": b"a"})}), "zip_bomb"),
    ("disguised.zip", zipped({"inner.csv": zipped({"a.csv": b"a"})}), "zip_bomb"),
    ("book.zip", zipped({"inner.xlsx": workbook()}), "zip_bomb"),
    ("forged.zip", forged_size(), "zip_bomb"),
    ("entity.xlsx", rezipped(workbook(), {"xl/workbook.xml": XXE}), "xml_external_entity"),
    (
        "entity16.xlsx",
        rezipped(workbook(), {"xl/styles.xml": XXE.decode().encode("utf-16")}),
        "xml_external_entity",
    ),
    ("entity.gml", XXE, "xml_external_entity"),
]


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_good_file_passes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD_FILES[name])
    assert inspect_file(path) == inspect_file(path)
    assert inspect_file(path).ok, inspect_file(path)


@pytest.mark.parametrize(("name", "content", "reason"), BAD_FILES, ids=[b[0] for b in BAD_FILES])
def test_a_bad_file_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = inspect_file(path)
    assert (found.ok, found.reason) == (False, reason)
    assert reason in REASONS
    assert found.message is not None
    assert name in found.message


def test_a_bomb_is_found_without_being_expanded(tmp_path: Path) -> None:
    zeros = io.BytesIO()
    with gzip.open(zeros, "wb", compresslevel=1) as sink:
        for _ in range(300):
            sink.write(b"0" * (1 << 20))
    bombs = {"bomb.csv.gz": zeros.getvalue(), "bomb.zip": zipped({"a.csv": b"0" * (300 << 20)})}
    for name, content in bombs.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert inspect_file(path).reason == "zip_bomb"
        with pytest.raises(UnsafeFileError), expanded(path, tmp_path):
            pass
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(bombs)


def test_a_dense_but_small_file_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "blanks.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 500_000))
    assert inspect_file(path).ok


@pytest.mark.parametrize(("over", "reason"), [(0, None), (1, "too_large")])
def test_the_limit_of_size_is_the_last_size_allowed(
    tmp_path: Path, over: int, reason: str | None
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(GOOD)
    assert inspect_file(path, Limits(file_bytes=len(GOOD) - over)).reason == reason


@pytest.mark.parametrize(("members", "reason"), [(3, None), (4, "zip_bomb")])
def test_the_limit_of_members_is_the_last_number_allowed(
    tmp_path: Path, members: int, reason: str | None
) -> None:
    path = tmp_path / "data.zip"
    litter = {f"__MACOSX/{n}": b"" for n in range(members - 1)}
    path.write_bytes(zipped({"data.csv": GOOD.encode(), **litter}))
    assert inspect_file(path, Limits(members=3)).reason == reason


@pytest.mark.parametrize(("allowed", "reason"), [(0, None), (1, "zip_bomb")])
def test_the_expanded_size_is_limited(tmp_path: Path, allowed: int, reason: str | None) -> None:
    for name, content in (
        ("data.csv.gz", gzip.compress(GOOD.encode())),
        ("data.zip", zipped({"data.csv": GOOD.encode()})),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        # The archive's directory and its content are two looks at the same bytes.
        assert inspect_file(path, Limits(expanded_bytes=len(GOOD) - allowed)).reason == reason


def test_what_is_no_file_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert inspect_file(folder).reason == "unreadable"
    assert inspect_file(tmp_path / "gone.csv").reason == "unreadable"
    closed = tmp_path / "closed.csv"
    closed.write_text(GOOD)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert inspect_file(closed).reason == "unreadable"


def test_a_link_may_not_leave_the_landing_folder(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    outside = tmp_path / "outside.csv"
    outside.write_text(GOOD)
    (landing / "real.csv").write_text(GOOD)
    (landing / "out.csv").symlink_to(outside)
    (landing / "in.csv").symlink_to(landing / "real.csv")
    (landing / "loop.csv").symlink_to(landing / "loop.csv")
    assert inspect_file(landing / "out.csv").reason == "unreadable"
    assert inspect_file(landing / "loop.csv").reason == "unreadable"
    assert inspect_file(landing / "in.csv").ok


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.zip", "two_members.csv.gz"])
def test_expanding_gives_the_file_and_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD_FILES[name])
    copies = 2 if name.startswith("two") else 1
    with expanded(path, tmp_path) as plain:
        assert plain.read_text() == GOOD * copies
        assert plain.suffix == ".csv"
    assert [p.name for p in tmp_path.iterdir()] == [name]
