"""Placement as small tables: what the record says, and what must come of it."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declarations.errors import GeographyError
from geography.placement import PlacementKeys, PlacementReport, Reference, place
from geography.placement.choice import OUTPUT_COLUMNS

A, B, C, D = (f"E0199000{i}" for i in range(1, 5))
MERGED, COMPLEX, OUTSIDE = "E01990005", "E01990006", "E01000001"
SPLIT = "E01980001"

TYPES = {"record_id": "BIGINT", "d": "DATE", "x": "DOUBLE", "y": "DOUBLE", "n": "INTEGER"}


def load(con, columns, rows, name="records"):
    declared = ", ".join(f"{c} {TYPES.get(c, 'VARCHAR')}" for c in ("record_id", *columns))
    con.execute(f"CREATE OR REPLACE TABLE {name} ({declared})")
    marks = ", ".join("?" * (1 + len(columns)))
    numbered = [(i, *row) for i, row in enumerate(rows)]
    if numbered:
        con.executemany(f"INSERT INTO {name} VALUES ({marks})", numbered)


def reference(locator=None, **changed):
    names = {
        "areas": "areas",
        "changes": "changes",
        "known_lsoa21": "known",
        "postcodes": "postcodes",
        "uprns": "uprns",
        "output_areas": "oas",
        "practice_weights": "practices",
    }
    return Reference(**(names | changed), locator=locator)


def outcome(con, *extra):
    columns = ", ".join(("lsoa21cd", "geo_method", "geo_reason", "geo_conversion", "geo_flag"))
    more = "".join(f", {name}" for name in extra)
    return con.execute(
        f"SELECT {columns}{more} FROM placed ORDER BY record_id, lsoa21cd NULLS LAST"
    ).fetchall()


def place_one(con, column, value, keys, ref):
    load(con, [column], [(value,)])
    report = place(con, "records", keys, ref, "placed")
    assert report.received == 1
    (row,) = outcome(con)
    return row


def expect(con, columns, table, keys, ref):
    """Place all rows of a table at once; the last item of each row is what must come of it."""
    load(con, columns, [row[:-1] for row in table])
    place(con, "records", keys, ref, "placed")
    got = outcome(con)
    assert list(zip([row[:-1] for row in table], got, strict=True)) == [
        (row[:-1], row[-1]) for row in table
    ]


def put(area, method, conversion="none", flag=None):
    return (area, method, None, conversion, flag)


def not_put(reason, flag=None):
    return (None, "none", reason, None, flag)


UPRNS = [
    ("099900000001", put(A, "uprn")),
    ("99900000001", put(A, "uprn")),
    (" 099900000002 ", put(B, "uprn")),
    ("099900000003", not_put("out_of_region")),
    ("099900000009", not_put("uprn_unknown")),
    # A spreadsheet made a number of it: the first still names the property, the second no more.
    ("99900000001.0", put(A, "uprn", flag="uprn_repaired")),
    (" 099900000002.00", put(B, "uprn", flag="uprn_repaired")),
    ("99900000003.0", not_put("out_of_region", "uprn_repaired")),
    ("099900000009.0", not_put("uprn_unknown")),
    ("9.99E+10", not_put("uprn_invalid")),
    ("1.00012E+11", not_put("uprn_invalid")),
    ("99900000001.5", not_put("uprn_invalid")),
    ("99900000001.", not_put("uprn_invalid")),
    (".0", not_put("uprn_invalid")),
    ("0999000000010", not_put("uprn_invalid")),
    ("flat 2", not_put("uprn_invalid")),
    ("", not_put("uprn_missing")),
    (None, not_put("uprn_missing")),
]


def test_uprn(region):
    keys = PlacementKeys(by=("uprn",), uprn="u")
    expect(region, ["u"], UPRNS, keys, reference())


POSTCODES = [
    ("QA4 7XB", put(A, "postcode_exact")),
    (" qa47xb", put(A, "postcode_exact")),
    ("QA1 1AA", put(B, "postcode_terminated")),
    ("QA1O 1AA", put(D, "postcode_exact", flag="postcode_repaired")),
    ("QAI 1AA", put(B, "postcode_terminated", flag="postcode_repaired")),
    ("QZ1 1AA", not_put("out_of_region")),
    ("QA2 1AA", not_put("postcode_no_area")),
    ("QA9 9ZZ", not_put("postcode_unknown")),
    ("QA4 7XV", not_put("postcode_invalid")),
    ("QAI IAV", not_put("postcode_invalid")),
    ("  ", not_put("postcode_missing")),
    (None, not_put("postcode_missing")),
    ("ZZ99 3VZ", not_put("zz99_no_fixed_abode")),
    ("zz993wz", not_put("zz99_not_known")),
    ("ZZ99 3CZ", not_put("zz99_england")),
    ("ZZ99 1WZ", not_put("zz99_scotland")),
    ("ZZ99 2WZ", not_put("zz99_northern_ireland")),
    ("ZZ99 3GZ", not_put("zz99_wales")),
    ("ZZ99 6CZ", not_put("zz99_overseas")),
    ("QB1 1AA", put(A, "postcode_exact", flag="vintage_2011")),
    ("QB1 1AB", put(MERGED, "postcode_exact", "merged", "vintage_2011")),
    ("QB1 1AD", put(B, "postcode_exact", flag="vintage_2011")),
    # The point lies in A, which is no child of the split area: not believed.
    ("QB1 1AE", not_put("lsoa11_split", "vintage_2011")),
    ("QB1 1AF", not_put("lsoa11_split", "vintage_2011")),
    ("QB1 1AG", not_put("lsoa11_complex", "vintage_2011")),
]


def test_postcode(region, locator):
    keys = PlacementKeys(by=("postcode",), postcode="p")
    expect(region, ["p"], POSTCODES, keys, reference(locator))


def test_a_split_postcode_without_a_locator_is_not_placed(region):
    keys = PlacementKeys(by=("postcode",), postcode="p")
    assert place_one(region, "p", "QB1 1AD", keys, reference())[2] == "lsoa11_split"


@pytest.mark.parametrize(
    ("date", "method"),
    [
        (dt.date(2024, 2, 1), "postcode_exact"),
        (dt.date(2024, 3, 31), "postcode_exact"),
        (dt.date(2024, 4, 1), "postcode_terminated"),
        (None, "postcode_terminated"),
    ],
)
def test_a_postcode_terminated_later_was_live_then(region, date, method):
    load(region, ["p", "d"], [("QA1 1AA", date), ("QA4 7XB", date)])
    keys = PlacementKeys(by=("postcode",), postcode="p", date="d")
    place(region, "records", keys, reference(), "placed")
    assert outcome(region) == [put(B, method), put(A, "postcode_exact")]


LIVES = """
CREATE OR REPLACE TABLE lives AS SELECT * FROM (VALUES
    -- Two lives, in two places.
    ('QA5 1AA', '199001', '200006', 'E01990001', 8),
    ('QA5 1AA', '201003', NULL, 'E01990002', 1),
    -- Three lives, all over; the second began before the first had ended.
    ('QA5 1AB', '199001', '199512', 'E01990001', 1),
    ('QA5 1AB', '199506', '200001', 'E01990002', 2),
    ('QA5 1AB', '200101', '200212', 'E01990003', 3),
    -- When it began again is not known.
    ('QA5 1AD', NULL, '200006', 'E01990001', 1),
    ('QA5 1AD', NULL, NULL, 'E01990002', 1)
) t(pcds, dointr, doterm, lsoa21cd, quality)
"""


@pytest.mark.parametrize(
    ("postcode", "date", "area", "method"),
    [
        ("QA5 1AA", dt.date(1985, 1, 1), A, "postcode_exact"),
        ("QA5 1AA", dt.date(2000, 6, 30), A, "postcode_exact"),
        ("QA5 1AA", dt.date(2000, 7, 1), A, "postcode_terminated"),
        ("QA5 1AA", dt.date(2010, 2, 28), A, "postcode_terminated"),
        ("QA5 1AA", dt.date(2010, 3, 1), B, "postcode_exact"),
        ("QA5 1AA", None, B, "postcode_exact"),
        ("QA5 1AB", dt.date(1995, 5, 31), A, "postcode_exact"),
        ("QA5 1AB", dt.date(1995, 6, 1), B, "postcode_exact"),
        ("QA5 1AB", dt.date(2000, 12, 1), B, "postcode_terminated"),
        ("QA5 1AB", dt.date(2002, 12, 1), C, "postcode_exact"),
        ("QA5 1AB", dt.date(2030, 1, 1), C, "postcode_terminated"),
        ("QA5 1AB", None, C, "postcode_terminated"),
        ("QA5 1AD", dt.date(2000, 6, 1), A, "postcode_exact"),
        ("QA5 1AD", dt.date(2000, 7, 1), B, "postcode_exact"),
        ("QA5 1AD", None, B, "postcode_exact"),
    ],
)
def test_a_postcode_of_several_lives_is_the_one_of_the_date(region, postcode, date, area, method):
    region.execute(LIVES)
    keys = PlacementKeys(by=("postcode",), postcode="p", date="d")
    load(region, ["p", "d"], [(postcode, date)])
    place(region, "records", keys, reference(postcodes="lives"), "placed")
    assert outcome(region) == [put(area, method)]
    if date is None:
        undated = PlacementKeys(by=("postcode",), postcode="p")
        place(region, "records", undated, reference(postcodes="lives"), "placed")
        assert outcome(region) == [put(area, method)]


def test_a_point_is_used_where_the_life_of_that_date_has_no_area(region, locator):
    region.execute("""
CREATE TABLE lives AS SELECT * FROM (VALUES
    ('QA5 1AA', '199001', '200006', NULL), ('QA5 1AA', '201003', NULL, 'E01990002')
) t(pcds, dointr, doterm, lsoa21cd)""")
    keys = PlacementKeys(by=("postcode", "point"), postcode="p", x="x", y="y", date="d")
    rows = [("QA5 1AA", dt.date(2000, 1, 1), 403_500, 300_500)]
    load(region, ["p", "d", "x", "y"], rows)
    place(region, "records", keys, reference(locator, postcodes="lives"), "placed")
    assert outcome(region) == [put(D, "point")]


def test_an_entry_without_an_area_of_its_own_is_placed_by_its_output_area(region, locator):
    region.execute("""
CREATE TABLE partial AS SELECT * FROM (VALUES
    ('QA6 1AA', NULL, 'E00990001', NULL, NULL, 1, NULL, NULL),
    ('QA6 1AB', '201001', 'e00990001 ', NULL, NULL, 8, NULL, NULL),
    ('QA6 1AD', NULL, 'E00990001', 'E01990004', NULL, 1, NULL, NULL),
    ('QA6 1AE', NULL, 'E00990001', NULL, 'E01980001', 1, NULL, NULL),
    ('QA6 1AF', NULL, 'E00990001', NULL, 'E01980002', 1, NULL, NULL),
    ('QA6 1AG', NULL, 'E00990002', NULL, NULL, 1, NULL, NULL),
    ('QA6 1AH', NULL, 'E00990009', NULL, NULL, 1, NULL, NULL),
    ('QA6 1AJ', NULL, NULL, NULL, 'E01980001', 1, 401500, 300500),
    ('QA6 1AL', NULL, '', '', '', 9, NULL, NULL)
) t(pcds, doterm, oa21cd, lsoa21cd, lsoa11cd, quality, easting, northing)""")
    keys = PlacementKeys(by=("postcode",), postcode="p")
    table = [
        ("QA6 1AA", put(A, "oa_bestfit")),
        ("QA6 1AB", put(A, "oa_bestfit")),
        ("QA6 1AD", put(D, "postcode_exact")),
        ("QA6 1AE", put(A, "oa_bestfit")),
        ("QA6 1AF", put(MERGED, "postcode_exact", "merged", "vintage_2011")),
        ("QA6 1AG", not_put("out_of_region")),
        ("QA6 1AH", not_put("postcode_no_area")),
        ("QA6 1AJ", put(B, "postcode_exact", flag="vintage_2011")),
        ("QA6 1AL", not_put("postcode_no_area")),
    ]
    expect(region, ["p"], table, keys, reference(locator, postcodes="partial"))
    without = reference(locator, postcodes="partial", output_areas=None)
    assert place_one(region, "p", "QA6 1AA", keys, without) == not_put("postcode_no_area")


def test_a_directory_of_output_areas_alone_needs_their_lookup(region):
    region.execute(
        "CREATE TABLE bare AS SELECT 'QA6 1AA' AS pcds, '' AS doterm, 'E00990001' oa21cd"
    )
    keys = PlacementKeys(by=("postcode",), postcode="p")
    found = place_one(region, "p", "QA6 1AA", keys, reference(postcodes="bare"))
    assert found == put(A, "oa_bestfit")
    with pytest.raises(GeographyError, match="no column lsoa21cd"):
        place(region, "records", keys, reference(postcodes="bare", output_areas=None), "placed")


def test_the_quality_of_the_postcode_is_carried_along_where_it_decided(region):
    region.execute(LIVES)
    load(
        region,
        ["u", "p", "d"],
        [
            (None, "QA5 1AA", dt.date(2000, 1, 1)),
            (None, "QA5 1AA", None),
            (None, "qa5 iaa", None),
            (None, "QZ9 9ZZ", None),
            ("099900000001", "QA5 1AA", None),
        ],
    )
    keys = PlacementKeys(by=("uprn", "postcode"), uprn="u", postcode="p", date="d")
    place(region, "records", keys, reference(postcodes="lives"), "placed")
    query = "SELECT geo_quality FROM placed ORDER BY record_id"
    assert region.execute(query).fetchall() == [(8,), (1,), (1,), (None,), (None,)]
    place(region, "records", keys, reference(), "placed")
    assert region.execute(f"SELECT DISTINCT geo_quality FROM ({query})").fetchall() == [(None,)]


POINTS = [
    (400_500, 300_500, put(A, "point")),
    (401_000, 300_500, put(A, "point")),
    (403_500, 300_500, put(D, "point")),
    (390_000, 300_500, not_put("point_outside")),
    (300_500, 400_500, not_put("point_swapped")),
    (52.6, -2.0, not_put("point_swapped")),
    (4_005, 3_005, not_put("point_truncated")),
    (-1.2, 51.0, not_put("point_outside")),
    (0, 0, not_put("point_missing")),
    (0, 99.999999, not_put("point_missing")),
    (None, 300_500, not_put("point_missing")),
    (float("nan"), 300_500, not_put("point_missing")),
]


def test_point(region, locator):
    keys = PlacementKeys(by=("point",), x="x", y="y")
    expect(region, ["x", "y"], POINTS, keys, reference(locator))


def test_points_in_degrees_and_as_text(region, squares, locator):
    degrees = squares.geometry.centroid.to_crs(4326)
    load(region, ["lon", "lat"], [(str(p.x), str(p.y)) for p in degrees] + [("west", "north")])
    keys = PlacementKeys(by=("point",), x="lon", y="lat")
    place(region, "records", keys, reference(locator), "placed")
    assert [row[0] for row in outcome(region)] == [A, B, C, D, None]


def test_a_point_in_an_area_outside_the_region(region, squares):
    from geography.points import PointLocator

    wider = squares.assign(lsoa21cd=[A, B, C, OUTSIDE])
    load(region, ["x", "y"], [(403_500, 300_500)])
    keys = PlacementKeys(by=("point",), x="x", y="y")
    place(region, "records", keys, reference(PointLocator(wider)), "placed")
    assert outcome(region) == [not_put("out_of_region")]


def test_points_in_several_chunks(region, locator, monkeypatch):
    monkeypatch.setattr("geography.placement.point_lookup.POINTS_AT_A_TIME", 3)
    rows = [(400_050 + 100 * i, 300_500) for i in range(40)]
    load(region, ["x", "y"], rows)
    keys = PlacementKeys(by=("point",), x="x", y="y")
    report = place(region, "records", keys, reference(locator), "placed")
    assert [row[0] for row in outcome(region)] == [A] * 10 + [B] * 10 + [C] * 10 + [D] * 10
    assert report.by_method == {"point": 40}


LSOAS = [
    (A, put(A, "lsoa_code")),
    (f" {A.lower()} ", put(A, "lsoa_code")),
    (B, put(B, "lsoa_code")),
    ("E01980002", put(MERGED, "lsoa11_code", "merged", "vintage_2011")),
    (SPLIT, not_put("lsoa11_split", "vintage_2011")),
    ("E01980004", not_put("lsoa11_complex", "vintage_2011")),
    (OUTSIDE, not_put("out_of_region")),
    ("E01000002", not_put("out_of_region")),
    ("E01777777", not_put("lsoa_unknown")),
    ("Kingsmere", not_put("lsoa_unknown")),
    ("CLOSED", not_put("lsoa_pseudo")),
    ("EMPTY", not_put("lsoa_pseudo")),
    ("NO2011", not_put("lsoa_pseudo")),
    ("S01006506", not_put("out_of_region")),
    ("95AA01S1", not_put("out_of_region")),
    ("W01000001", not_put("out_of_region")),
    ("", not_put("lsoa_missing")),
    (None, not_put("lsoa_missing")),
]


def test_lsoa_code(region):
    keys = PlacementKeys(by=("lsoa",), lsoa="l")
    expect(region, ["l"], LSOAS, keys, reference())


def test_a_welsh_code_is_unknown_where_the_region_has_welsh_areas(region):
    region.execute("INSERT INTO areas VALUES ('W01990001', 'W06999999')")
    keys = PlacementKeys(by=("lsoa",), lsoa="l")
    assert place_one(region, "l", "W01000001", keys, reference()) == not_put("lsoa_unknown")


def test_the_vintage_of_a_file_is_detected_and_reported(region):
    keys = PlacementKeys(by=("lsoa",), lsoa="l")
    load(region, ["l"], [(A,), (D,), ("E01980003",)])
    report = place(region, "records", keys, reference(), "placed")
    # One code of the three decides, and it alone is no certainty.
    assert report.vintage.vintage == "2011"
    assert 0.5 < report.vintage.confidence < 1
    assert outcome(region) == [
        put(A, "lsoa11_code", flag="vintage_2011"),
        put(D, "lsoa11_code", flag="vintage_2011"),
        put(MERGED, "lsoa11_code", "merged", "vintage_2011"),
    ]
    load(region, ["l"], [(A,), (D,), (B,)])
    report = place(region, "records", keys, reference(), "placed")
    assert report.vintage.vintage == "2021"
    assert report.by_flag == {}
    load(region, ["l"], [(B,), ("E01980003",)])
    report = place(region, "records", keys, reference(), "placed")
    assert report.vintage.vintage == "mixed"
    assert report.by_method == {"lsoa_code": 1, "lsoa11_code": 1}


def test_without_changes_only_the_areas_are_known(region):
    keys = PlacementKeys(by=("lsoa",), lsoa="l")
    load(region, ["l"], [(A,), ("E01980003",), ("E01000002",)])
    report = place(region, "records", keys, reference(changes=None), "placed")
    assert outcome(region) == [
        put(A, "lsoa_code"),
        not_put("lsoa_unknown"),
        not_put("out_of_region"),
    ]
    assert report.vintage.vintage == "unknown"


OUTPUT_AREAS = [
    ("E00990001", put(A, "output_area")),
    (" e00990001", put(A, "output_area")),
    ("E00990002", not_put("out_of_region")),
    ("E00990009", not_put("output_area_unknown")),
    (None, not_put("output_area_missing")),
]


def test_output_area(region):
    keys = PlacementKeys(by=("output_area",), output_area="o")
    expect(region, ["o"], OUTPUT_AREAS, keys, reference())


def test_practices_are_split_over_the_areas_of_their_patients(region):
    rows = [("Q99001", 10), ("q99001 ", 1), ("Q99002", 4), ("Q99003", 5), ("Q1", 6), (None, 7)]
    load(region, ["g", "n"], rows)
    keys = PlacementKeys(by=("practice",), practice="g", values=("n",))
    report = place(region, "records", keys, reference(), "placed")
    apportioned = "practice_apportioned"
    assert outcome(region, "record_id", "n") == [
        # 10 over three equal weights: the unit left goes to the smallest code, which is outside.
        (*put(A, apportioned), 0, 3),
        (*put(B, apportioned), 0, 3),
        (*not_put("out_of_region"), 0, 4),
        (*put(A, apportioned), 1, 0),
        (*put(B, apportioned), 1, 0),
        (*not_put("out_of_region"), 1, 1),
        (*not_put("out_of_region"), 2, 4),
        (*not_put("practice_unknown"), 3, 5),
        (*not_put("practice_unknown"), 4, 6),
        (*not_put("practice_missing"), 5, 7),
    ]
    assert (report.received, report.placed, report.not_placed, report.rows) == (6, 2, 4, 10)
    assert report.values_received == {"n": 33}
    assert report.values_placed == {"n": 6}
    assert report.values_not_placed == {"n": 27}


def test_counts_of_split_areas_are_split_by_residents(region):
    load(region, ["l", "n"], [(SPLIT, 10), (SPLIT, None), (A, None), ("E01980004", 3)])
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    report = place(region, "records", keys, reference(), "placed")
    old = "lsoa11_code"
    assert outcome(region, "n") == [
        (*put(B, old, "split_weighted", "vintage_2011"), 3),
        (*put(C, old, "split_weighted", "vintage_2011"), 7),
        (*not_put("value_missing", "vintage_2011"), None),
        (*put(A, old, flag="vintage_2011"), None),
        (*not_put("lsoa11_complex", "vintage_2011"), 3),
    ]
    assert report.values_received == {"n": 13}
    assert report.values_placed == {"n": 10}


def test_complex_areas_are_split_where_the_pairs_have_weights(region):
    region.execute("UPDATE changes SET weight = 1 WHERE chgind = 'X'")
    load(region, ["l", "n"], [("E01980004", 5)])
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    place(region, "records", keys, reference(), "placed")
    assert outcome(region, "n") == [
        (*put(COMPLEX, "lsoa11_code", "complex", "vintage_2011"), 2),
        (*not_put("out_of_region", "vintage_2011"), 3),
    ]


def test_split_areas_without_all_weights_are_not_split(region):
    region.execute(f"UPDATE changes SET weight = NULL WHERE lsoa21cd = '{C}'")
    load(region, ["l", "n"], [(SPLIT, 10)])
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    place(region, "records", keys, reference(), "placed")
    assert outcome(region, "n") == [(*not_put("lsoa11_split", "vintage_2011"), 10)]


def test_counts_by_a_postcode_known_by_a_split_area_are_split(region):
    load(region, ["p", "n"], [("QB1 1AF", 10)])
    keys = PlacementKeys(by=("postcode",), postcode="p", values=("n",))
    place(region, "records", keys, reference(), "placed")
    assert outcome(region, "n") == [
        (*put(B, "postcode_exact", "split_weighted", "vintage_2011"), 3),
        (*put(C, "postcode_exact", "split_weighted", "vintage_2011"), 7),
    ]


PRECEDENCE = [
    ("099900000001", "QA1 1AA", D, put(A, "uprn")),
    ("099900000009", "QA1 1AA", D, put(B, "postcode_terminated")),
    (None, None, D, put(D, "lsoa_code")),
    (None, None, B, put(B, "lsoa_code")),
    ("099900000009", "ZZ99 3VZ", D, put(D, "lsoa_code")),
    # Known to be elsewhere: a weaker key must not bring it back.
    ("099900000003", "QA4 7XB", A, not_put("out_of_region")),
    ("099900000009", "QZ1 1AA", A, not_put("out_of_region")),
    # The most informative reason stays, the earlier key's between equals.
    (None, "ZZ99 3VZ", None, not_put("zz99_no_fixed_abode")),
    ("099900000009", "ZZ99 3VZ", None, not_put("zz99_no_fixed_abode")),
    ("099900000009", "QA9 9ZZ", "E01777777", not_put("uprn_unknown")),
    (None, "rubbish", "E01777777", not_put("lsoa_unknown")),
    ("flat", None, None, not_put("uprn_invalid")),
    ("flat", "ZZ99 3VZ", SPLIT, not_put("lsoa11_split", "vintage_2011")),
    (None, "", None, not_put("no_location")),
]


def test_precedence_of_keys(region):
    keys = PlacementKeys(by=("uprn", "postcode", "lsoa"), uprn="u", postcode="p", lsoa="l")
    expect(region, ["u", "p", "l"], PRECEDENCE, keys, reference())


def test_records_of_a_split_area_fall_to_their_point(region, locator):
    load(region, ["l", "x", "y"], [(SPLIT, 402_500, 300_500), (SPLIT, None, None)])
    keys = PlacementKeys(by=("lsoa", "point"), lsoa="l", x="x", y="y")
    place(region, "records", keys, reference(locator), "placed")
    assert outcome(region) == [put(C, "point"), not_put("lsoa11_split", "vintage_2011")]


def test_all_columns_stay_and_the_local_authority_is_added(region):
    load(region, ["p"], [("QA4 7XB",), (None,)])
    region.execute("ALTER TABLE records ADD COLUMN \"Case Ref\" VARCHAR DEFAULT 'x'")
    keys = PlacementKeys(by=("postcode",), postcode="p")
    report = place(region, "records", keys, reference(), "placed")
    described = region.execute("DESCRIBE placed").fetchall()
    assert [row[0] for row in described] == ["record_id", "p", "Case Ref", *OUTPUT_COLUMNS]
    found = region.execute("SELECT lad24cd FROM placed ORDER BY record_id").fetchall()
    assert found == [("E08990001",), (None,)]
    assert report.as_dict()["not_placed"] == 1
    left = region.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == []


def test_an_empty_table_is_placed(region):
    load(region, ["l", "n"], [])
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    report = place(region, "records", keys, reference(), "placed")
    assert (report.received, report.placed, report.rows) == (0, 0, 0)
    assert report.values_received == {"n": 0}


codes = st.sampled_from([A, B, SPLIT, "E01980002", "E01980004", OUTSIDE, "CLOSED", "junk", None])
practices = st.sampled_from(["Q99001", "Q99002", "Q99003", "none", None])
postcodes = st.sampled_from(["QA4 7XB", "QA1 1AA", "QB1 1AF", "ZZ99 3VZ", "QZ1 1AA", "", None])
counts = st.none() | st.integers(-5, 10**9)


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(codes, practices, postcodes, counts), max_size=25),
    by=st.permutations(["lsoa", "practice", "postcode"]),
)
def test_nothing_is_lost_and_order_does_not_matter(region, rows, by):
    keys = PlacementKeys(by=tuple(by), lsoa="l", practice="g", postcode="p", values=("n",))
    load(region, ["l", "g", "p", "n"], rows)
    report = place(region, "records", keys, reference(), "placed")
    first = region.execute("FROM placed").fetchall()
    total = sum(row[3] or 0 for row in rows)
    assert report.values_received == {"n": total}
    assert report.values_placed["n"] + report.values_not_placed["n"] == total
    parts = region.execute("SELECT record_id, sum(n)::BIGINT FROM placed GROUP BY ALL").fetchall()
    assert dict(parts) == {i: row[3] for i, row in enumerate(rows)}
    assert region.execute(
        "SELECT count(*) FROM placed WHERE (lsoa21cd IS NULL) <> (geo_reason IS NOT NULL)"
        " OR (lsoa21cd IS NULL) <> (geo_method = 'none')"
        " OR (lsoa21cd IS NULL) <> (geo_conversion IS NULL)"
    ).fetchone() == (0,)
    region.execute("CREATE OR REPLACE TABLE records AS FROM records ORDER BY record_id DESC")
    assert place(region, "records", keys, reference(), "placed") == report
    assert region.execute("FROM placed").fetchall() == first


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(codes, postcodes), max_size=25))
def test_in_records_mode_each_record_is_one_row(region, rows):
    load(region, ["l", "p"], rows)
    keys = PlacementKeys(by=("postcode", "lsoa"), lsoa="l", postcode="p")
    report = place(region, "records", keys, reference(), "placed")
    ids = region.execute("SELECT record_id FROM placed").fetchall()
    assert [i for (i,) in ids] == list(range(len(rows)))
    assert report.placed + sum(report.by_reason.values()) == report.received == len(rows)


def bad_keys(**changed):
    return PlacementKeys(**({"by": ("postcode",), "postcode": "p"} | changed))


@pytest.mark.parametrize(
    ("keys", "ref", "message"),
    [
        (bad_keys(by=()), reference(), "order of keys"),
        (bad_keys(by=("postcode", "postcode")), reference(), "order of keys"),
        (bad_keys(by=("address",)), reference(), "order of keys"),
        (bad_keys(by=("practice",), practice="p"), reference(), "cannot be placed by practice"),
        (bad_keys(by=("uprn",)), reference(), "its column is not named"),
        (bad_keys(by=("point",), x="p"), reference("any"), "its column is not named"),
        (bad_keys(postcode="absent"), reference(), "no column absent"),
        (bad_keys(date="absent"), reference(), "no column absent"),
        (bad_keys(values=("p",)), reference(), "not whole numbers"),
        (bad_keys(), reference(postcodes=None), "no reference table .* postcode"),
        (bad_keys(by=("point",), x="p", y="p"), reference(), "no reference table .* point"),
        (bad_keys(), reference(postcodes="oas"), "no column pcds"),
        (bad_keys(), reference(postcodes="bare"), "no column lsoa21cd"),
        (bad_keys(), reference(changes="oas"), "no column lsoa11cd"),
        (bad_keys(), reference(changes="floats"), "not whole numbers"),
        (bad_keys(), reference(known_lsoa21="bare"), "no column lsoa21cd"),
        (bad_keys(), reference(areas="twice"), "lsoa21cd of twice is missing or repeated in 1"),
        (bad_keys(by=("uprn",), uprn="p"), reference(uprns="oas"), "no column uprn"),
        (
            bad_keys(by=("output_area",), output_area="p"),
            reference(output_areas="uprns"),
            "no column oa21cd",
        ),
        (
            bad_keys(by=("practice",), practice="p", values=("record_id",)),
            reference(practice_weights="oas"),
            "no column practice_code",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(region, keys, ref, message):
    region.execute("CREATE TABLE bare AS SELECT '' AS pcds, '' AS doterm")
    region.execute(
        "CREATE TABLE floats AS SELECT lsoa11cd, lsoa21cd, chgind, 0.5 AS weight FROM changes"
    )
    region.execute("CREATE TABLE twice AS FROM areas UNION ALL (FROM areas LIMIT 1)")
    load(region, ["p"], [("QA4 7XB",)])
    with pytest.raises(GeographyError, match=message):
        place(region, "records", keys, ref, "placed")
    tables = region.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert ("placed",) not in tables


def test_a_locator_in_degrees_is_refused(region, squares):
    from geography.points import PointLocator

    load(region, ["x", "y"], [(400_500, 300_500)])
    keys = PlacementKeys(by=("point",), x="x", y="y")
    degrees = PointLocator(squares.to_crs(4326))
    with pytest.raises(GeographyError, match="EPSG:4326"):
        place(region, "records", keys, reference(degrees), "placed")


def test_counts_too_large_to_keep_are_an_error_that_shows_none(region):
    region.execute(f"CREATE TABLE records AS SELECT 0 AS record_id, '{A}' AS l, {2**64} AS n")
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    with pytest.raises(GeographyError, match="the totals of n") as caught:
        place(region, "records", keys, reference(), "placed")
    assert str(2**64) not in str(caught.value)


def test_records_that_cannot_be_told_apart_are_refused(region):
    load(region, ["p"], [("QA4 7XB",)] * 2)
    keys = bad_keys()
    region.execute("UPDATE records SET record_id = 1")
    with pytest.raises(GeographyError, match="record_id of records is missing or repeated in 1"):
        place(region, "records", keys, reference(), "placed")
    region.execute("UPDATE records SET record_id = NULL")
    with pytest.raises(GeographyError, match="in 2 rows"):
        place(region, "records", keys, reference(), "placed")
    with pytest.raises(GeographyError, match="overwritten"):
        place(region, "records", keys, reference(), "Records")


def test_a_column_that_placing_writes_is_refused(region):
    load(region, ["LSOA21CD"], [(A,)])
    keys = PlacementKeys(by=("lsoa",), lsoa="LSOA21CD")
    with pytest.raises(GeographyError, match="already have a column lsoa21cd"):
        place(region, "records", keys, reference(), "placed")


def test_a_loss_is_an_error(region, monkeypatch):
    load(region, ["l", "n"], [(A, 5), (B, 6)])
    keys = PlacementKeys(by=("lsoa",), lsoa="l", values=("n",))
    from geography.placement import choice

    sound = choice.placed_sql
    monkeypatch.setattr(choice, "placed_sql", lambda *a: f"FROM ({sound(*a)}) WHERE n > 5")
    with pytest.raises(GeographyError, match="changed"):
        place(region, "records", keys, reference(), "placed")
    doubled = "SELECT * REPLACE (2 * n AS n)"
    monkeypatch.setattr(choice, "placed_sql", lambda *a: f"{doubled} FROM ({sound(*a)})")
    with pytest.raises(GeographyError, match="the totals of n"):
        place(region, "records", keys, reference(), "placed")


def test_no_value_of_a_record_is_in_the_report(region):
    load(region, ["p"], [("QA4 7XB",), ("SECRETVALUE",)])
    report = place(region, "records", bad_keys(), reference(), "placed")
    assert isinstance(report, PlacementReport)
    assert "SECRETVALUE" not in str(report.as_dict())
    assert "QA4" not in str(report)


@pytest.mark.open_data
def test_real_crimes_of_2011_areas_are_converted(con, open_data):
    """Cleveland, October 2022: every coded row is placed, split or known to be elsewhere."""
    lookups = open_data / "lookups"
    con.execute(
        """
CREATE TABLE changes AS
SELECT LSOA11CD AS lsoa11cd, LSOA21CD AS lsoa21cd, CHGIND AS chgind FROM read_csv(?)
""",
        [str(lookups / "LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv")],
    )
    con.execute(
        """
CREATE TABLE areas AS SELECT LSOA21CD AS lsoa21cd, LAD22CD AS lad24cd FROM read_csv(?)
WHERE LAD22CD IN ('E06000001', 'E06000002', 'E06000003', 'E06000004') GROUP BY ALL
""",
        [str(lookups / "LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv")],
    )
    con.execute(
        """
CREATE TABLE crimes AS
SELECT row_number() OVER () AS record_id, "LSOA code" AS lsoa FROM read_csv(?)
""",
        [str(open_data / "police/2022-10-cleveland-street.csv")],
    )
    keys = PlacementKeys(by=("lsoa",), lsoa="lsoa")
    report = place(con, "crimes", keys, Reference(areas="areas", changes="changes"), "placed")
    assert report.vintage.vintage == "2011"
    assert report.received == 9_210
    assert set(report.by_reason) <= {"lsoa_missing", "lsoa11_split", "out_of_region"}
    assert report.by_reason["lsoa11_split"] > 0
    assert report.placed > 0.8 * report.received
