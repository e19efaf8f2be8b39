"""Columns of free text: dropped below the recall asked for, redacted whole, leaking nothing."""

from __future__ import annotations

import logging
import traceback

import duckdb
import pytest

from declarations.errors import ConfigurationError, StorageError
from governance.redaction import columns
from governance.redaction.columns import decide_free_text, redact_table_column
from governance.redaction.engine import Redactor
from governance.redaction.findings import KINDS
from governance.redaction.measurement import KindMeasurement, Measurement, measure
from governance.redaction.names import NamesUnavailableError
from governance.redaction.sample_texts import sample_texts

PLANTED = "Quillfeather"


def measured(**covered: int) -> Measurement:
    """A measurement of a hundred planted stretches a kind, all covered unless given."""
    return Measurement(
        {kind: KindMeasurement(100, covered.get(kind, 100), 100, 90) for kind in KINDS}, 50, 1.0
    )


def test_free_text_is_kept_where_every_kind_reaches_the_recall_asked_for():
    decision = decide_free_text(0.95, measurement=measured(NAME=96))
    assert decision.action == "redact"
    assert decision.precision == pytest.approx(0.9)
    assert decision.recall == pytest.approx((100 * (len(KINDS) - 1) + 96) / (100 * len(KINDS)))


def test_exactly_the_recall_asked_for_is_enough():
    assert decide_free_text(0.95, measurement=measured(NAME=95)).action == "redact"


def test_one_kind_below_the_recall_asked_for_drops_the_column_and_is_named():
    decision = decide_free_text(0.95, measurement=measured(NAME=94))
    assert decision.action == "drop"
    assert "name 0.940" in decision.reason
    assert "NHS number" not in decision.reason


def test_only_the_kinds_that_are_asked_for_count():
    assert (
        decide_free_text(0.95, kinds=["NHS_NUMBER"], measurement=measured(NAME=1)).action
        == "redact"
    )
    assert decide_free_text(0.95, kinds=["NAME"], measurement=measured(NAME=1)).action == "drop"


def test_a_kind_that_was_not_measured_drops_the_column():
    nothing = Measurement({**measured().kinds, "UPRN": KindMeasurement(0, 0, 0, 0)}, 50, 1.0)
    decision = decide_free_text(0.5, measurement=nothing)
    assert decision.action == "drop"
    assert "UPRN was not measured" in decision.reason


def test_without_the_name_model_the_column_is_dropped_and_the_reason_says_why(monkeypatch):
    def missing():
        raise NamesUnavailableError("the package is not installed")

    monkeypatch.setattr("governance.redaction.engine.name_model", missing)
    decision = decide_free_text(0.9, measurement=measure(Redactor(), sample_texts(5, 92)))
    assert decision.action == "drop"
    assert "name 0." in decision.reason
    assert "the package is not installed" in decision.reason


def test_a_recall_of_one_is_not_reached_by_the_redactor_as_it_is():
    assert decide_free_text(1.0).action == "drop"


@pytest.mark.parametrize("recall", [0, -0.1, 1.01, 95, float("nan")])
def test_a_recall_that_is_no_share_is_refused(recall):
    with pytest.raises(ConfigurationError):
        decide_free_text(recall, measurement=measured())


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="SHOE_SIZE"):
        decide_free_text(0.9, kinds=["SHOE_SIZE"], measurement=measured())


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def forms():
    return Redactor(names=False)


def test_a_column_is_redacted_and_the_rest_of_the_table_is_as_it_was(connection, forms):
    connection.execute(
        """CREATE TABLE notes AS SELECT * FROM (VALUES
        (1, 'NHS 943 476 5919 seen', 'a'), (2, NULL, 'b'), (3, 'nothing here', 'c'),
        (4, 'NHS 943 476 5919 seen', 'd'), (5, '', 'e')) t(id, note, other)"""
    )
    report = redact_table_column(connection, "notes", "note", forms)
    assert connection.execute("FROM notes ORDER BY id").fetchall() == [
        (1, "NHS [NHS number] seen", "a"),
        (2, None, "b"),
        (3, "nothing here", "c"),
        (4, "NHS [NHS number] seen", "d"),
        (5, "", "e"),
    ]
    assert (report.rows, report.redacted, report.dropped) == (5, 2, 0)
    assert report.findings == {"NHS_NUMBER": 2}


def test_more_rows_than_one_batch_and_gaps_between_them(connection, forms, monkeypatch):
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 10)
    connection.execute(
        "CREATE TABLE notes AS SELECT i AS id, 'tel 07700 900123 ' || i AS note FROM range(57) r(i)"
    )
    connection.execute("DELETE FROM notes WHERE id % 3 = 0")
    seen = []
    report = redact_table_column(
        connection, "notes", "note", forms, progress=lambda done, of: seen.append((done, of))
    )
    left = connection.execute("SELECT id, note FROM notes ORDER BY id").fetchall()
    assert left == [(i, f"tel [phone number] {i}") for i in range(57) if i % 3]
    assert report.rows == report.findings["PHONE"] == len(left)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(left), len(left))


def test_an_empty_table_and_odd_names(connection, forms):
    connection.execute('CREATE TABLE "odd table; --" ("the note" VARCHAR)')
    assert redact_table_column(connection, "odd table; --", "the note", forms).rows == 0


class Choking(Redactor):
    """Fails on one text, with the text in its message, as a library might."""

    def find_many(self, texts):
        for text in texts:
            if PLANTED in text:
                raise ValueError(text)
        return super().find_many(texts)


def test_a_text_that_cannot_be_redacted_is_dropped_and_counted(connection, caplog):
    connection.execute(
        "CREATE TABLE notes AS SELECT * FROM (VALUES"
        f" (1, 'Mr {PLANTED}'), (2, 'jo@example.org')) t(id, note)"
    )
    with caplog.at_level(logging.DEBUG):
        report = redact_table_column(connection, "notes", "note", Choking(names=False))
    assert connection.execute("SELECT note FROM notes ORDER BY id").fetchall() == [
        (None,),
        ("[e-mail address]",),
    ]
    assert report.dropped == 1
    assert PLANTED not in caplog.text


def test_a_text_too_long_to_be_read_is_dropped_and_counted(connection, forms, monkeypatch):
    monkeypatch.setattr(columns, "LONGEST", 20)
    connection.execute("CREATE TABLE notes AS SELECT 'a long note that goes on and on' AS note")
    assert redact_table_column(connection, "notes", "note", forms).dropped == 1
    assert connection.execute("SELECT note FROM notes").fetchall() == [(None,)]


class Stopped(Exception):
    """Stands for a person who stops the run."""


def test_a_run_that_is_stopped_leaves_the_column_as_it_was(connection, forms, monkeypatch):
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 2)
    connection.execute("CREATE TABLE notes AS SELECT 'jo@example.org' AS note FROM range(5)")

    def stop(done, of):
        raise Stopped

    with pytest.raises(Stopped):
        redact_table_column(connection, "notes", "note", forms, progress=stop)
    assert set(connection.execute("SELECT note FROM notes").fetchall()) == {("jo@example.org",)}
    assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (1,)


def test_a_column_that_is_not_text_is_refused_without_a_value(connection, forms):
    connection.execute(f"CREATE TABLE notes AS SELECT 7 AS id, '{PLANTED}' AS note")
    for column, words in (("id", "INTEGER"), ("nope", "not there")):
        with pytest.raises(StorageError, match=words) as caught:
            redact_table_column(connection, "notes", column, forms)
        assert PLANTED not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(StorageError):
        redact_table_column(connection, "absent", "note", forms)
