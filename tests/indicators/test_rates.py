"""Rates: value, interval and status, row by row, before and after protection."""

from __future__ import annotations

import pytest
from testshire import make_indicator

from declarations.errors import ConfigurationError
from indicators.rates import add_rates

SHARE = make_indicator(
    id="T02", name="cases_share", kind="share", interval="wilson", multiplier=100, unit="%",
    minimum_denominator=20,
)  # fmt: skip
RATE = make_indicator(minimum_denominator=50)


@pytest.fixture
def rated(con):
    """Write rows (indicator, numerator, denominator, missing, estimated, note) and rate them."""

    def run(*rows, indicators=(RATE, SHARE)):
        con.execute(
            "CREATE OR REPLACE TABLE terms (indicator_id VARCHAR, period_start DATE, "
            "geography_code VARCHAR, numerator BIGINT, denominator BIGINT, estimated BOOLEAN, "
            "note_id VARCHAR, missing BOOLEAN, protection VARCHAR)"
        )
        for number, (indicator, x, n, *rest) in enumerate(rows):
            missing, estimated, note = [*rest, *(False, False, None)[len(rest) :]]
            con.execute(
                "INSERT INTO terms VALUES (?, '2025-01-01', ?, ?, ?, ?, ?, ?, 'hide0-r5')",
                [indicator, f"E0199{number:04d}", x, n, estimated, note, missing],
            )
        relation = add_rates(con, "terms", indicators)
        return [dict(zip(relation.columns, r, strict=True)) for r in relation.fetchall()]

    return run


@pytest.mark.parametrize(
    ("row", "value", "status"),
    [
        (("T01", 5, 1000), 5.0, None),
        (("T01", 0, 1000), 0.0, None),
        (("T01", 5, 1000, False, True), 5.0, "[e]"),
        (("T01", None, 1000), None, "[c]"),
        (("T01", 5, None), None, "[c]"),
        (("T01", None, 1000, True), None, "[x]"),
        (("T01", None, None, True), None, "[x]"),
        (("T01", None, 1000, True, True), None, "[x]"),
        (("T01", 0, 0), None, "[z]"),
        (("T01", 5, 49), None, "[u]"),
        (("T01", 5, 50), 100.0, None),
        (("T01", 5, 51), 5000 / 51, None),
        (("T01", 60, 50), 1200.0, None),
        (("T02", 15, 20), 75.0, None),
        (("T02", 15, 19), None, "[u]"),
    ],
)
def test_value_and_status(rated, row, value, status):
    (got,) = rated(row)
    assert got["value"] == (None if value is None else pytest.approx(value))
    assert got["value_status"] == status
    if value is None:
        assert (got["lower_ci"], got["upper_ci"], got["ci_method"]) == (None, None, "none")
    else:
        assert got["lower_ci"] <= got["value"] <= got["upper_ci"]


def test_a_rate_takes_byars_interval_in_its_unit(rated):
    (got,) = rated(("T01", 65, 2000))
    assert (got["ci_method"], got["unit"]) == ("byar", "per 1,000 households")
    assert got["lower_ci"] == pytest.approx(50.16 / 2, abs=5e-3)
    assert got["upper_ci"] == pytest.approx(82.85 / 2, abs=5e-3)


def test_a_share_takes_wilsons_interval_in_per_cent(rated):
    (got,) = rated(("T02", 65, 100))
    assert (got["ci_method"], got["unit"]) == ("wilson", "%")
    assert got["lower_ci"] == pytest.approx(55.25, abs=1e-2)
    assert got["upper_ci"] == pytest.approx(73.64, abs=1e-2)


def test_a_share_above_the_whole_is_capped_and_says_so(rated):
    """100 of 102 may be published as 100 of 100, and 103 of 102 as 105 of 100."""
    capped, noted, whole = rated(
        ("T02", 105, 100), ("T02", 105, 100, False, False, "stock_earlier"), ("T02", 100, 100)
    )
    assert (capped["value"], capped["note_id"]) == (100.0, "capped")
    assert capped["upper_ci"] == pytest.approx(100.0)
    assert noted["note_id"] == "capped,stock_earlier"
    assert (whole["value"], whole["note_id"]) == (100.0, None)


def test_counts_and_other_columns_pass_through_in_order(rated):
    rows = [("T02", 5, 10), ("T01", None, 900), ("T01", 5, 900)]
    got = rated(*rows)
    assert [(r["indicator_id"], r["numerator"], r["denominator"]) for r in got] == rows
    assert [r["geography_code"] for r in got] == ["E01990000", "E01990001", "E01990002"]
    assert {r["protection"] for r in got} == {"hide0-r5"}


def test_published_england_figures(rated):
    """MHCLG, October to December 2025: 3.12 owed and 5.49 in temporary accommodation per 1,000."""
    owed, housed = rated(("T01", 33_630 + 42_640, 24_440_280), ("T01", 134_210, 24_440_280))
    assert owed["value"] == pytest.approx(3.12, abs=5e-3)
    assert housed["value"] == pytest.approx(5.49, abs=5e-3)
    (share,) = rated(("T02", 18_870, 34_250))
    assert share["value"] == pytest.approx(55.1, abs=5e-2)


def test_an_indicator_without_interval_has_none(rated):
    plain = make_indicator(interval="none")
    (got,) = rated(("T01", 5, 1000), indicators=plain)
    assert (got["value"], got["lower_ci"], got["ci_method"]) == (5.0, None, "none")


def test_no_rows_give_no_rows_with_all_columns(con, rated):
    assert rated() == []
    relation = add_rates(con, "terms", {"T01": RATE})
    columns = ["value", "lower_ci", "upper_ci", "ci_method", "value_status", "unit"]
    assert relation.columns[-6:] == columns
    assert [str(t) for t in relation.types[-6:]] == ["DOUBLE"] * 3 + ["VARCHAR"] * 3


def test_an_undeclared_indicator_is_refused(rated):
    with pytest.raises(ConfigurationError, match="T02"):
        rated(("T02", 5, 1000), indicators=[RATE])
