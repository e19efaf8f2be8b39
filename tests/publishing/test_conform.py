"""A table reaches the release as declared, or not at all."""

import pyarrow as pa
import pytest

from declarations.errors import DisclosureError, StorageError
from publishing.conform import conform, conform_all
from publishing.dictionary import ACCOUNTING, DELIVERIES, NOTES, OBSERVATIONS


def notes(**columns):
    return pa.table({"note_id": ["b", "a"], "text": ["two", "one"], **columns})


def test_rows_are_sorted_and_columns_ordered():
    shuffled = pa.table({"text": ["two", "one"], "note_id": ["b", "a"]})
    made = conform(shuffled, NOTES)
    assert made.column_names == ["note_id", "text"]
    assert made.column("note_id").to_pylist() == ["a", "b"]


def test_a_missing_column_is_named():
    with pytest.raises(StorageError, match="lacks text"):
        conform(notes().drop_columns(["text"]), NOTES)


def test_an_undeclared_column_is_never_published():
    with pytest.raises(DisclosureError) as caught:
        conform(notes(surname=["Planted", "Planted"]), NOTES)
    assert "Planted" not in str(caught.value)
    assert "surname" not in str(caught.value)


def test_a_repeated_key_is_refused():
    with pytest.raises(StorageError, match="1 row"):
        conform(pa.table({"note_id": ["a", "a"], "text": ["x", "y"]}), NOTES)


def test_an_empty_key_is_refused():
    with pytest.raises(StorageError, match="without note_id"):
        conform(pa.table({"note_id": ["a", None], "text": ["x", "y"]}), NOTES)


def test_quality_rows_may_share_a_key(quality):
    doubled = pa.concat_tables([quality["deliveries"]] * 2)
    assert conform(doubled, DELIVERIES).num_rows == doubled.num_rows


def test_a_wrong_type_is_refused_without_its_value(tables):
    accounting = tables["accounting"]
    planted = accounting.set_column(
        accounting.column_names.index("amount"), "amount", pa.array(["SW1A"] * len(accounting))
    )
    with pytest.raises(StorageError) as caught:
        conform(planted, ACCOUNTING)
    assert "SW1A" not in str(caught.value)


def test_a_figure_marked_hidden_must_be_empty(tables):
    good = tables["observations"]
    assert conform(good, OBSERVATIONS).num_rows == good.num_rows
    marked = good.set_column(
        good.column_names.index("value_status"), "value_status", pa.array(["[c]"] * len(good))
    )
    with pytest.raises(DisclosureError, match="value"):
        conform(marked, OBSERVATIONS)


def test_a_missing_table_is_named(tables):
    with pytest.raises(StorageError, match="lineage"):
        conform_all({k: v for k, v in tables.items() if k != "lineage"})
