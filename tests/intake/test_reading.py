from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_samples import make_contract, make_source

from declarations.contracts import Contract, Source
from intake.errors import ReadError
from intake.reading import ReadReport, read_table

HEAD = "postcode,month,sessions\n"
TWO_ROWS = [(1, "QA1 1AA", "2026-01", "3"), (2, "QA1 1AB", "2026-01", "4")]
TEXT = HEAD + "QA1 1AA,2026-01,3\nQA1 1AB,2026-01,4\n"

Read = Callable[..., tuple[ReadReport, list[tuple[Any, ...]]]]


@pytest.fixture
def read(con: duckdb.DuckDBPyConnection, tmp_path: Path, source: Source) -> Read:
    def run(
        content: bytes | str,
        contract: Contract | None = None,
        name: str = "library_sessions_2026-01.csv",
        source: Source = source,
    ) -> tuple[ReadReport, list[tuple[Any, ...]]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        before = {p.name for p in tmp_path.iterdir()}
        con.execute("DROP TABLE IF EXISTS raw")
        try:
            report = read_table(
                con, path, contract or make_contract(), source, "raw", work=tmp_path
            )
        finally:
            assert {p.name for p in tmp_path.iterdir()} == before
            tables = {
                row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            }
            assert tables <= {"raw"}
        assert report.rows_read == report.rows_out + report.rows_broken + report.rows_filtered
        return report, con.execute("SELECT * FROM raw ORDER BY record_id").fetchall()

    return run


@pytest.mark.parametrize(
    ("content", "encoding", "bom"),
    [
        (TEXT.encode(), "utf-8", False),
        (b"\xef\xbb\xbf" + TEXT.encode(), "utf-8", True),
        (TEXT.encode("utf-16"), "utf-16-le", True),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be", True),
        (TEXT.encode("utf-16-le"), "utf-16-le", False),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8", False),
        (TEXT.replace("\n", "\r").encode(), "utf-8", False),
        (TEXT.replace("3\n", "3\r\n").encode(), "utf-8", False),
        (TEXT.rstrip("\n").encode(), "utf-8", False),
        (TEXT.replace("\n", "\n\n").encode(), "utf-8", False),
        (TEXT.replace(",", ";").encode(), "utf-8", False),
        (TEXT.replace(",", "\t").encode(), "utf-8", False),
        (TEXT.replace(",", " , ").encode(), "utf-8", False),
        (TEXT.replace(HEAD, "Post  Code,MONTH , Sessions\n").encode(), "utf-8", False),
    ],
)
def test_every_way_to_write_the_same_rows_gives_the_same_table(
    read: Read, content: bytes, encoding: str, bom: bool
) -> None:
    report, rows = read(content)
    assert rows == TWO_ROWS
    assert (report.encoding, report.bom, report.rows_read) == (encoding, bom, 2)
    assert report.columns_present == ("postcode", "month", "sessions")
    assert report.columns_missing == ("member",)


def test_the_headings_of_the_file_are_mapped_to_our_names(read: Read) -> None:
    report, _ = read(TEXT.replace(HEAD, "POST CODE,Month,sessions\n"))
    assert report.heading_map == {"postcode": "POST CODE", "month": "Month", "sessions": "sessions"}
    own = make_source(headers={"sessions": ["Besuche"]})
    report, rows = read(TEXT.replace("sessions", "Besuche"), source=own)
    assert (rows, report.heading_map["sessions"]) == (TWO_ROWS, "Besuche")


def test_names_in_cp1252_keep_their_letters(read: Read) -> None:
    text = "postcode,month,sessions,member\nQA1 1AA,2026-01,3,Zoëlla-Núñezworth €\n"
    report, rows = read(text.encode("cp1252"))
    assert report.encoding == "cp1252"
    assert rows == [(1, "QA1 1AA", "2026-01", "3", "Zoëlla-Núñezworth €")]


def test_a_heading_row_may_stand_below_a_preamble(read: Read) -> None:
    preamble = 'Library sessions (synthetic)\n\n"made\nby hand",x\n,,\n'
    report, rows = read(preamble + TEXT)
    # The quoted cell with a line break is one row, and blank lines count.
    assert (report.header_row, rows) == (5, TWO_ROWS)
    with pytest.raises(ReadError) as caught:
        read("note\n" * 30 + TEXT)
    assert caught.value.reason == "missing_column"
    assert read("note\n" * 29 + TEXT)[1] == TWO_ROWS


def test_cells_are_trimmed_and_missing_is_null(read: Read) -> None:
    head = "postcode,month,sessions,member\n"
    text = '" QA1 1AA\t",\u00a02026-01 ,NULL,"a ""b""\nc, d"\nQA1 1AB, ,"",\n'
    _, rows = read(head + text)
    assert rows == [
        (1, "QA1 1AA", "2026-01", None, 'a "b"\nc, d'),
        (2, "QA1 1AB", None, None, None),
    ]


def test_broken_rows_are_counted_and_the_others_kept(read: Read) -> None:
    good = [f"QA1 1AA,2026-01,{n}" for n in range(90)]
    short, long = ["QA1 1AA,2026-01"] * 6, ["QA1 1AA,2026-01,1,2,3"] * 4
    lines = [line for part in (good[:50], short, good[50:], long) for line in part]
    for line_end in ("\n", "\r\n"):
        report, rows = read(line_end.join([HEAD.strip(), *lines, ""]))
        assert (report.rows_read, report.rows_broken, report.rows_out) == (100, 10, 90)
        assert [row[0] for row in rows] == list(range(1, 91))
        assert [row[3] for row in rows] == [str(n) for n in range(90)]


@pytest.mark.parametrize("rows_behind", [5, 200_000])
def test_a_quote_that_never_closes_hides_no_row(read: Read, rows_behind: int) -> None:
    behind = "QA1 1AA,2026-01,5\n" * rows_behind
    report, rows = read(HEAD + 'QA1 1AA,2026-01,1\n"QA1 1AA,2026-01,2\n' + behind)
    assert report.rows_broken + len(rows) == 2 + rows_behind
    assert report.rows_broken >= 1


def test_blank_fields_at_the_end_of_rows_do_no_harm(read: Read) -> None:
    assert read(TEXT.replace("\n", ",,\n"))[1] == TWO_ROWS
    assert read(TEXT.replace("3\n", "3,\n").replace("4\n", "4,\n"))[1] == TWO_ROWS
    assert (
        read(
            TEXT.replace("sessions\n", "sessions,,\n")
            .replace("3\n", "3,,\n")
            .replace("4\n", "4,,\n")
        )[1]
        == TWO_ROWS
    )


def test_a_column_without_a_heading_is_not_loaded_and_breaks_no_row(read: Read) -> None:
    last = TEXT.replace("sessions\n", "sessions,\n").replace("3\n", "3,x\n")
    assert read(last.replace("4\n", "4,y\n"))[1] == TWO_ROWS
    first = f",{HEAD}"
    assert read(first + "0,QA1 1AA,2026-01,3\n1,QA1 1AB,2026-01,4\n")[1] == TWO_ROWS


def test_headings_repeated_among_the_data_are_dropped_and_counted(read: Read) -> None:
    report, rows = read(TEXT + HEAD + ",,\n" + HEAD.upper())
    assert (report.repeated_headers, report.rows_blank, rows) == (2, 1, TWO_ROWS)


def test_notes_below_a_table_are_counted_apart(read: Read) -> None:
    contract = make_contract(format={"drop_rows_without": "sessions"})
    notes = ',,\n"Counts are rounded,",and synthetic,\nA short note\n'
    report, rows = read(TEXT + notes, contract)
    assert (report.rows_noted, report.rows_broken, report.rows_blank) == (2, 0, 1)
    assert rows == TWO_ROWS
    report, _ = read(TEXT + "QA1 1AA,2026-01,7,8\n", contract)
    assert (report.rows_noted, report.rows_broken) == (0, 1)


def test_rows_of_another_kind_are_left_out_and_counted(read: Read) -> None:
    contract = make_contract(format={"keep_rows": {"member": ["ALL"]}})
    head = "postcode,month,sessions,member\n"
    text = "QA1 1AA,2026-01,3,all\nQA1 1AA,2026-01,1,MALE\nQA1 1AB,2026-01,2,\n"
    report, rows = read(head + text, contract)
    assert (report.rows_read, report.rows_filtered, report.rows_out) == (3, 2, 1)
    assert rows == [(1, "QA1 1AA", "2026-01", "3", "all")]


def test_undeclared_columns_are_named_but_never_loaded(
    read: Read, con: duckdb.DuckDBPyConnection
) -> None:
    head = "NHS Number,postcode,month,sessions,QUILLFEATHERBY 999 123 4567,Größe\n"
    report, rows = read(head + "999,QA1 1AA,2026-01,3,x,y\n")
    assert (report.columns_undeclared, report.columns_unnamed) == (("NHS Number",), 2)
    assert rows == [(1, "QA1 1AA", "2026-01", "3")]
    loaded = [row[0] for row in con.execute("DESCRIBE raw").fetchall()]
    assert loaded == ["record_id", "postcode", "month", "sessions"]


@pytest.mark.parametrize(
    ("content", "reason", "named"),
    [
        ("postcode,month\nQA1 1AA,2026-01\n", "missing_column", ["sessions"]),
        ("month,sessions\n2026-01,3\n", "missing_column", ["postcode", "'Post Code'"]),
        ("QA1 1AA,2026-01,3\nQA1 1AB,2026-01,4\n", "missing_column", ["postcode", "month"]),
        (HEAD, "header_only", []),
        (HEAD + "\n,,\n" + HEAD, "header_only", []),
        ("postcode,Post Code,month,sessions\na,b,2026-01,3\n", "two_headers", ["postcode"]),
        ("month,postcode,month,sessions\n2026-01,b,2026-01,3\n", "two_headers", ["month"]),
        (b"\x00\x01\x02\x03", "not_utf8_or_cp1252", []),
        (b"PAR1 but nothing else", "unreadable_file", []),
        (b"PK\x03\x04 but nothing else", "unreadable_file", []),
    ],
)
def test_a_file_that_breaks_its_contract_is_refused_with_a_reason(
    read: Read, con: duckdb.DuckDBPyConnection, content: bytes | str, reason: str, named: list[str]
) -> None:
    with pytest.raises(ReadError) as caught:
        read(content)
    assert caught.value.reason == reason
    assert "library_sessions_2026-01.csv" in str(caught.value)
    assert all(name in str(caught.value) for name in named)
    assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)


def test_a_file_without_headings_is_read_by_position(read: Read) -> None:
    columns = [
        {"name": "practice", "position": 1},
        {"name": "postcode", "position": 4},
        {"name": "members", "position": 9, "required": False},
    ]
    contract = make_contract(
        kind="reference", role="practices", key=[], columns=columns, locate=None, counts=[],
        format={"header": False},
    )  # fmt: skip
    report, rows = read('Q99001,"SURGERY, THE",x,QA1 1AA\nQ99002,B,y,QA1 1AB\n', contract)
    assert rows == [(1, "Q99001", "QA1 1AA"), (2, "Q99002", "QA1 1AB")]
    assert (report.header_row, report.columns_missing) == (0, ("members",))
    assert (report.columns_undeclared, report.columns_unnamed) == ((), 2)
    with pytest.raises(ReadError, match="too few") as caught:
        read("Q99001,B\n", contract)
    assert caught.value.reason == "missing_column"


@pytest.mark.parametrize("name", ["data [1].csv", "data*.csv", "what?.csv", "it's.csv", "ü ë.csv"])
def test_no_file_name_is_a_wildcard(read: Read, tmp_path: Path, name: str) -> None:
    (tmp_path / "data 1.csv").write_text("other")
    assert read(TEXT, name=name)[1] == TWO_ROWS


def test_compressed_files_are_read_as_what_they_hold(read: Read) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", TEXT.encode("utf-16"))
        archive.writestr("__MACOSX/._inner.csv", b"\x00")
    assert read(buffer.getvalue(), name="a.zip")[1] == TWO_ROWS
    assert read(gzip.compress(TEXT.encode()), name="a.csv.gz")[1] == TWO_ROWS


def test_a_workbook_gives_what_its_csv_would(read: Read) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["Library sessions (synthetic)"])
    sheet = book.create_sheet("Data")
    sheet.append(["Title"])
    sheet.append([])
    sheet.append(["Post Code", "Month", "Sessions", "Secret", "Member"])
    sheet.append(["QA1 1AA", dt.datetime(2026, 1, 1), 3.0, "x", True])
    sheet.append([None, None, None])
    sheet.append([" QA1 1AB ", dt.date(2026, 1, 1), 4.5, "y", "=1+1"])
    sheet.cell(1048, 6).number_format = "0.00"
    buffer = io.BytesIO()
    book.save(buffer)
    report, rows = read(buffer.getvalue(), name="a.xlsx")
    # A formula has no stored result until a spreadsheet program saves it: it is not evaluated.
    assert rows == [
        (1, "QA1 1AA", "2026-01-01", "3", "true"),
        (2, "QA1 1AB", "2026-01-01", "4.5", None),
    ]
    assert (report.encoding, report.header_row) == ("xlsx", 3)
    assert report.columns_undeclared == ("Secret",)
    with pytest.raises(ReadError) as caught:
        read(buffer.getvalue(), make_contract(format={"sheet": "Data 2"}), name="a.xlsx")
    assert caught.value.reason == "missing_sheet"
    assert (
        read(buffer.getvalue(), make_contract(format={"sheet": "data"}), name="a.xlsx")[1] == rows
    )


def test_a_parquet_file_gives_texts_of_the_declared_columns(read: Read) -> None:
    table = pa.table(
        {
            "Post Code": ["QA1 1AA ", None],
            "secret": ["x", "y"],
            "month": pa.array([dt.date(2026, 1, 1)] * 2),
            "sessions": [3, 4],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    report, rows = read(buffer.getvalue(), name="a.parquet")
    assert rows == [(1, "QA1 1AA", "2026-01-01", "3"), (2, None, "2026-01-01", "4")]
    assert (report.encoding, report.columns_undeclared) == ("parquet", ("secret",))


def test_the_attributes_of_boundaries_are_read_without_their_shapes(read: Read) -> None:
    shape = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    features = [
        {"type": "Feature", "properties": {"LSOA21CD": f"E0199000{n}", "x": n}, "geometry": shape}
        for n in (1, 2)
    ]
    contract = make_contract(
        kind="reference", role="areas", key=["lsoa21cd"], columns=[{"name": "lsoa21cd"}],
        locate=None, counts=[], format={"type": "boundaries"},
    )  # fmt: skip
    content = json.dumps({"type": "FeatureCollection", "features": features})
    report, rows = read(content, contract, name="areas.geojson")
    assert rows == [(1, "E01990001"), (2, "E01990002")]
    assert report.columns_undeclared == ("x",)


def test_the_shapes_of_a_geoparquet_file_are_no_undeclared_column(read: Read) -> None:
    contract = make_contract(
        kind="reference", role="areas", key=["lsoa21cd"], columns=[{"name": "lsoa21cd"}],
        locate=None, counts=[], format={"type": "boundaries"},
    )  # fmt: skip
    buffer = io.BytesIO()
    pq.write_table(pa.table({"geometry": [b"x"], "LSOA21CD": ["E01990001"], "z": [1]}), buffer)
    report, rows = read(buffer.getvalue(), contract, name="areas.parquet")
    assert (rows, report.columns_undeclared) == ([(1, "E01990001")], ("z",))


def test_the_order_of_the_file_is_kept_whatever_the_connection_says(
    read: Read, con: duckdb.DuckDBPyConnection
) -> None:
    con.execute("SET preserve_insertion_order = false")
    lines = "".join(f"QA1 1AA,2026-01,{n}\n" for n in range(300_000))
    read(HEAD + lines)
    disorder = "SELECT count(*) FROM raw WHERE CAST(sessions AS BIGINT) <> record_id - 1"
    assert con.execute(disorder).fetchone() == (0,)
    assert con.execute("SELECT current_setting('preserve_insertion_order')").fetchone() == (False,)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs")), max_size=8)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=20))
def test_what_is_written_is_what_is_read(read: Read, cells: list[tuple[str, str, str]]) -> None:
    rows = [r for r in cells if any(c.strip("\ufeff") for c in r)] or [("a", "b", "c")]
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["postcode", "month", "member", "sessions"])
    writer.writerows([*r, "1"] for r in rows)
    _, read_rows = read(buffer.getvalue())
    expected = [tuple(c.strip("\ufeff") or None for c in row) for row in rows]
    assert [(r[1], r[2], r[4]) for r in read_rows] == expected
