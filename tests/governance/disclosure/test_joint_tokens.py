"""Fingerprints of many deliveries made in one pass are those that each delivery has alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import StorageError
from governance.disclosure.known.ledger_tables import TOKEN_BYTES, tokens, tokens_of_deliveries

SECRET = b"a secret of the tests, and no other's"
AREAS = ["L0", "L1", "L2"]
DELIVERIES = [("mere", "2024-01"), ("mere", "2024-02"), ("tarn", "")]
COLUMNS = ("source_id", "period", "lsoa21cd", "measure", "category", "value")

Row = tuple[str, str, str | None, str, str | None, int | None]

ROWS = st.lists(
    st.tuples(
        st.sampled_from(DELIVERIES),
        st.sampled_from([*AREAS, "D0", 'L"9', None]),
        st.sampled_from(["opened", "cafés"]),
        st.sampled_from(["a", 'b"\\', "é", "", None]),
        st.none() | st.integers(0, 9),
    ).map(lambda row: (*row[0], *row[1:])),
    max_size=12,
)


def table(rows: list[Row]) -> pa.Table:
    """Rows as an arrow table."""
    kinds = [pa.string()] * 5 + [pa.int64()]
    return pa.table(
        [pa.array([row[n] for row in rows], kind) for n, kind in enumerate(kinds)], names=COLUMNS
    )


def made(rows: list[Row], secret: bytes = SECRET) -> dict[tuple[str, str], dict[str, bytes]]:
    """All fingerprints, in one pass."""
    return tokens_of_deliveries(table(rows), secret, areas=AREAS, deliveries=DELIVERIES)


def by_hand(rows: list[Row], delivery: tuple[str, str], place: str, secret: bytes) -> bytes:
    """One fingerprint, as it is documented, by Python's own HMAC."""
    held: defaultdict[tuple[str, str | None], list[int | None]] = defaultdict(list)
    for row in rows:
        if row[:2] == delivery and row[2] == place:
            held[row[3], row[4]].append(row[5])
    content = []
    for (measure, category), values in held.items():
        known = [v for v in values if v is not None]
        hidden = len(values) - len(known)
        if hidden or sum(known):
            text = f"{sum(known)}" if known else ""
            content.append([measure, category or "", text + "?" * hidden])
    text = json.dumps(
        [*delivery, place, sorted(content)], ensure_ascii=False, separators=(",", ":")
    )
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()[:TOKEN_BYTES]


@settings(deadline=None)
@given(ROWS, st.binary(max_size=80))
def test_each_is_the_documented_code_of_its_content(rows: list[Row], secret: bytes) -> None:
    for delivery, places in made(rows, secret).items():
        for place, token in places.items():
            assert token == by_hand(rows, delivery, place, secret)


@settings(deadline=None)
@given(ROWS)
def test_together_they_are_what_they_are_one_by_one(rows: list[Row]) -> None:
    found = made(rows)
    assert [*found] == DELIVERIES
    for source, period in DELIVERIES:
        own = [row for row in rows if row[:2] == (source, period)]
        alone = tokens(
            table(own), SECRET, areas=AREAS, source_id=source, period=period, state="s"
        ).to_pylist()
        assert {r["lsoa21cd"]: r["token"] for r in alone} == found[source, period]
        assert (
            [r["lsoa21cd"] for r in alone]
            == [*found[source, period]]
            == sorted(r["lsoa21cd"] for r in alone)
        )


@settings(deadline=None)
@given(ROWS, st.randoms())
def test_rows_of_zero_and_their_order_do_not_matter(rows: list[Row], chance: Any) -> None:
    zeros = [(*DELIVERIES[0], "L0", "opened", "never", 0), (*DELIVERIES[2], "L1", "new", None, 0)]
    shuffled = [*rows, *zeros]
    chance.shuffle(shuffled)
    assert made(shuffled) == made(rows)


@settings(deadline=None)
@given(ROWS, st.integers(1, 9))
def test_one_more_in_a_place_changes_that_place_alone(rows: list[Row], more: int) -> None:
    before, after = made(rows), made([*rows, ("mere", "2024-01", "L1", "opened", "x", more)])
    changed = {
        (delivery, place)
        for delivery, places in after.items()
        for place in places
        if before[delivery][place] != places[place]
    }
    assert changed == {(("mere", "2024-01"), "L1")}


def test_a_delivery_without_a_row_has_a_token_for_every_area() -> None:
    found = made([])
    assert all([*places] == AREAS for places in found.values())
    different = {token for places in found.values() for token in places.values()}
    assert len(different) == len(DELIVERIES) * len(AREAS)


def test_a_hidden_count_is_not_the_same_as_none() -> None:
    hidden = [("mere", "2024-01", "L0", "opened", "a", None)]
    assert made(hidden)[DELIVERIES[0]]["L0"] != made([])[DELIVERIES[0]]["L0"]


def test_a_table_without_a_column_is_refused() -> None:
    with pytest.raises(StorageError, match="period"):
        tokens_of_deliveries(
            table([]).drop_columns(["period"]), SECRET, areas=AREAS, deliveries=DELIVERIES
        )
