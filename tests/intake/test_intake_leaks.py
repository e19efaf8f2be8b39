"""No value of a record leaves this room, except in the stored original and the tables made."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
from pathlib import Path

import duckdb
import pytest
from intake_samples import make_contract, make_source

from declarations.errors import LsoalinkError
from intake.containers import expanded
from intake.landing import Found
from intake.naming import shown_name
from intake.reading import read_table
from intake.received import ReceivedStore
from intake.safety import inspect_file
from intake.typed import type_table

NHS_NUMBER, SURNAME, POSTCODE, UPRN = "9991234567", "Quillfeatherby", "QA4 7XB", "099912345678"
PLANTED = (NHS_NUMBER, "999 123 4567", SURNAME, POSTCODE, "QA47XB", UPRN)

HEAD = "postcode,month,sessions,member"
ROW = f"{POSTCODE},2026-01,3,{SURNAME}"
FILES = {
    "good": f"{HEAD}\n{ROW}\n",
    "without_headings": f"{ROW}\n{ROW}\n",
    "headings_lost": f"postcode,month,{SURNAME},{NHS_NUMBER}\n{ROW}\n",
    "personal_headings": f"{HEAD},{NHS_NUMBER},999 123 4567,{POSTCODE} {UPRN}\n{ROW},1,2,3\n",
    "ragged": f"{HEAD}\n{ROW}\n{SURNAME},{NHS_NUMBER}\n{ROW},{UPRN},{UPRN}\n",
    "open_quote": f'{HEAD}\n{ROW}\n"{SURNAME},{NHS_NUMBER},1\n{ROW}\n',
    "bad_types": f"{HEAD}\n{POSTCODE},{SURNAME},{NHS_NUMBER}x,{UPRN}\n",
    "formula": f"{HEAD}\n={SURNAME}!{NHS_NUMBER},2026-01,3,{POSTCODE}\n",
    "half_row": f"{HEAD}\n{ROW}\n{POSTCODE},2026-01",
    "junk": f"{HEAD}\n{ROW}\n\x00{SURNAME}\n",
    "two_headings": f"{HEAD},Post Code\n{ROW},{POSTCODE}\n",
    "twice": f"{HEAD}\n{ROW}\n{ROW}\n",
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_no_planted_value_is_said_or_written(
    tmp_path: Path,
    con: duckdb.DuckDBPyConnection,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    packed: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    contract, source = make_contract(), make_source()
    content = FILES[kind].encode()
    path = tmp_path / f"library_sessions_2026-01.csv{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(content) if packed else content)
    work = tmp_path / "work"
    work.mkdir()
    store = ReceivedStore(tmp_path / "received")
    said = [repr(inspect_file(path))]
    delivery = store.receive(Found(path, "2026-01"), source, dt.date(2026, 2, 9))
    said += [repr(delivery), repr(store.deliveries())]
    try:
        report = read_table(con, path, contract, source, "raw", work=work)
        said.append(repr(report))
        keep = {"postcode", "month", "sessions", "member"}
        typed = type_table(con, "raw", contract, keep, "typed", rows_broken=report.rows_broken)
        said.append(repr(typed))
    except LsoalinkError as error:
        said += [str(error), repr(error), repr(error.__cause__), str(error.fix)]
    streams = capfd.readouterr()
    said += [caplog.text, streams.out, streams.err]
    originals = {store.stored_path(delivery)} if delivery.outcome == "accepted" else set()
    written = [p for p in store.root.rglob("*") if p.is_file() and p not in originals]
    said += [p.read_text() for p in written] + [str(p) for p in store.root.rglob("*")]
    assert len(written) >= 2
    assert not [value for value in PLANTED if any(value in text for text in said)]
    assert not list(work.iterdir())
    assert [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()] in (
        ["raw", "typed"],
        [],
    )


def test_the_same_search_finds_a_value_that_is_there(tmp_path: Path) -> None:
    source = make_source()
    path = tmp_path / "library_sessions_2026-01.csv"
    path.write_text(FILES["good"])
    store = ReceivedStore(tmp_path / "received")
    delivery = store.receive(Found(path, "2026-01"), source, dt.date(2026, 2, 9))
    with store.open(delivery) as path:
        assert SURNAME in path.read_text()


def test_an_unread_copy_is_never_left_in_the_work_folder(tmp_path: Path) -> None:
    path = tmp_path / "library_sessions_2026-01.csv.gz"
    path.write_bytes(gzip.compress(FILES["good"].encode() * 100)[:-10])
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(LsoalinkError), expanded(path, work):
        pass
    assert not list(work.iterdir())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("library_sessions_2026-01 (1).csv", "library_sessions_2026-01 (1).csv"),
        ("epraccur_20261030.csv", "epraccur_20261030.csv"),
        (f"case {NHS_NUMBER}.csv", "case #.csv"),
        ("case 999 123 4567.csv", "case #.csv"),
        ("a\nb\x1b[31m.csv", "a_b_[31m.csv"),
        ("../up.csv", "_up.csv"),
        ("...", "unnamed"),
    ],
)
def test_a_file_name_is_shown_without_long_numbers_or_control_characters(
    name: str, shown: str
) -> None:
    assert shown_name(name) == shown
    assert len(shown_name(name * 60)) <= 120
