"""Reference tables that are odd, and calls that would write over them."""

from __future__ import annotations

import pytest

from declarations.errors import GeographyError
from geography.placement import PlacementKeys, Reference, place
from geography.points import PointLocator
from geography.postal.counting import count_by_lsoa

A = "E01990001"


def records(con, column, value, kind="VARCHAR"):
    """Make a table of one record."""
    con.execute(f"CREATE OR REPLACE TABLE records AS SELECT 1::BIGINT AS record_id,"
                f" CAST(? AS {kind}) AS {column}", [value])  # fmt: skip


@pytest.mark.parametrize(("uprn", "placed"), [("12", None), ("123", A), ("123.0", A)])
def test_a_uprn_of_thirteen_digits_is_no_other_property(region, uprn, placed):
    region.execute(f"""
        CREATE OR REPLACE TABLE uprns AS
        SELECT * FROM (VALUES ('0000000000123', '{A}'), ('123.0', '{A}')) t(uprn, lsoa21cd)""")
    records(region, "uprn", uprn)
    place(region, "records", PlacementKeys(by=("uprn",), uprn="uprn"),
          Reference(areas="areas", uprns="uprns"), "placed")  # fmt: skip
    assert region.execute("SELECT lsoa21cd FROM placed").fetchone() == (placed,)


def test_a_pseudo_postcode_is_no_place_whatever_the_directory_says(region):
    region.execute(f"INSERT INTO postcodes VALUES ('ZZ99 3VZ', NULL, '{A}', NULL, NULL, NULL)")
    records(region, "postcode", "zz993vz")
    reference = Reference(areas="areas", postcodes="postcodes")
    place(region, "records", PlacementKeys(by=("postcode",), postcode="postcode"), reference,
          "placed")  # fmt: skip
    outcome = "SELECT lsoa21cd, geo_reason FROM {}"
    expected = (None, "zz99_no_fixed_abode")
    assert region.execute(outcome.format("placed")).fetchone() == expected
    count_by_lsoa(region, "records", "postcode", reference, "counted")
    assert region.execute(outcome.format("counted")).fetchone() == expected


def test_areas_of_no_known_system_place_no_points(region, squares):
    region.execute(
        "CREATE OR REPLACE TABLE records AS SELECT 1::BIGINT AS record_id, 1.0 AS x, 2.0 AS y"
    )
    keys = PlacementKeys(by=("point",), x="x", y="y")
    nameless = PointLocator(squares.set_crs(None, allow_override=True))
    with pytest.raises(GeographyError, match="no known system"):
        place(region, "records", keys, Reference(areas="areas", locator=nameless), "placed")


@pytest.mark.parametrize("into", ["areas", "POSTCODES", "records"])
def test_nothing_is_written_over_a_table_that_is_read(region, into):
    records(region, "postcode", "QA4 7XB")
    reference = Reference(areas="areas", postcodes="postcodes")
    keys = PlacementKeys(by=("postcode",), postcode="postcode")
    with pytest.raises(GeographyError, match="overwritten"):
        place(region, "records", keys, reference, into)


@pytest.mark.parametrize(("kind", "taken"), [("DATE", True), ("VARCHAR", False)])
def test_when_a_record_happened_is_a_date_or_refused(region, kind, taken):
    region.execute(f"""
        CREATE OR REPLACE TABLE records AS
        SELECT 1::BIGINT AS record_id, 'QA1 1AA' AS postcode,
            CAST('2009-01-02' AS {kind}) AS day""")
    reference = Reference(areas="areas", postcodes="postcodes")
    keys = PlacementKeys(by=("postcode",), postcode="postcode", date="day")
    if taken:
        place(region, "records", keys, reference, "placed")
        found = region.execute("SELECT geo_method FROM placed").fetchone()
        assert found == ("postcode_exact",)
    else:
        with pytest.raises(GeographyError, match="is no date"):
            place(region, "records", keys, reference, "placed")
