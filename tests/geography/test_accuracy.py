"""How well boundaries place addresses: on squares, then real boundaries against real postcodes."""

import numpy as np
import pytest

from declarations.errors import GeographyError
from geography.boundaries import read_boundaries
from geography.boundaries.accuracy import AccuracyReport, grade, measure_accuracy
from geography.points import PointLocator

X = np.array([400_500, 401_500, 402_500, 403_500, 409_000, 400_600.0])
Y = np.full(6, 300_500.0)


@pytest.fixture
def official(squares):
    """Four points in their squares, one in none, and one said to be next door."""
    a, b, c, d = squares["lsoa21cd"]
    return np.array([a, b, c, d, d, b], dtype=object)


def test_points_are_in_their_area_in_another_or_in_none(squares, official):
    report = measure_accuracy(PointLocator(squares), X, Y, official)
    assert (report.points, report.agreeing, report.elsewhere, report.outside) == (6, 4, 1, 1)
    assert report.share == pytest.approx(4 / 6)
    assert report.districts == ()


def test_districts_add_up_to_the_whole(squares, official):
    district = np.array(["n", "n", "s", "s", "s", "n"], dtype=object)
    report = measure_accuracy(PointLocator(squares), X, Y, official, district)
    assert [(d, r.points, r.agreeing, r.outside) for d, r in report.districts] == [
        ("n", 3, 2, 0),
        ("s", 3, 2, 1),
    ]
    assert sum(r.points for _, r in report.districts) == report.points


def test_the_order_of_the_points_does_not_matter(squares, official):
    locator, turned = PointLocator(squares), np.arange(6)[::-1]
    assert measure_accuracy(locator, X[turned], Y[turned], official[turned]) == measure_accuracy(
        locator, X, Y, official
    )


def test_a_point_without_code_or_position_is_left_out(squares, official):
    official[0] = None
    official[1] = ""
    x = X.copy()
    x[2] = np.nan
    report = measure_accuracy(PointLocator(squares), x, Y, official)
    assert (report.points, report.agreeing) == (3, 1)


def test_nothing_to_compare_is_not_measured(squares):
    report = measure_accuracy(PointLocator(squares), [], [], [])
    assert (report.points, report.share, report.lower, report.upper) == (0, None, None, None)
    assert grade(report).level == "not_measured"


def test_lengths_that_differ_are_refused(squares):
    with pytest.raises(GeographyError, match="length"):
        measure_accuracy(PointLocator(squares), X, Y, ["E01990001"])
    with pytest.raises(GeographyError, match="length"):
        measure_accuracy(PointLocator(squares), X[:1], Y[:1], ["E01990001"], ["n", "s"])


def test_the_interval_is_wilsons():
    """Limits of 81 out of 263, worked in Newcombe (1998), Statistics in Medicine 17, table I."""
    report = AccuracyReport(263, 81, 0)
    assert (report.lower, report.upper) == (
        pytest.approx(0.2553, abs=5e-5),
        pytest.approx(0.3662, abs=5e-5),
    )
    assert AccuracyReport(20, 20, 0).upper == 1.0
    assert AccuracyReport(20, 0, 20).lower == 0.0


@pytest.mark.parametrize(
    ("agreeing", "level"),
    [(1000, "fine"), (990, "fine"), (989, "maps_only"), (950, "maps_only"), (949, "never_geocode")],
)
def test_the_grade_follows_the_share(agreeing, level):
    judged = grade(AccuracyReport(1000, agreeing, 0))
    assert judged.level == level
    assert judged.words


def test_the_shares_of_the_grades_can_be_declared():
    report = AccuracyReport(1000, 900, 0)
    assert grade(report, fine=0.9, maps=0.8).level == "fine"
    assert grade(report, fine=0.95, maps=0.9).level == "maps_only"
    for fine, maps in ((0.9, 0.95), (1.2, 0.9), (float("nan"), 0.9)):
        with pytest.raises(GeographyError, match="order"):
            grade(report, fine=fine, maps=maps)


@pytest.fixture
def birmingham(con, open_data):
    """Live postcodes of Birmingham: position, official area of 2011, and of 2021 where known."""
    return con.execute(
        """
WITH known AS (SELECT LSOA11CD, LSOA21CD FROM read_csv(?) WHERE CHGIND IN ('U', 'M'))
SELECT c.Eastings AS x, c.Northings AS y, p.lsoa11cd, k.LSOA21CD AS lsoa21cd
FROM read_csv(?) c JOIN read_csv(?) p ON p.pcds = c.Postcode
LEFT JOIN known k ON k.LSOA11CD = p.lsoa11cd
WHERE p.ladcd = 'E08000025' AND c.Positional_quality_indicator <= 20
""",
        [
            str(open_data / "lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv"),
            str(open_data / "postcodes/codepoint_open_2025-05_wm7_stockport.csv.gz"),
            str(open_data / "postcodes/PCD_OA_LSOA_MSOA_LAD_MAY22_wm7_stockport.csv.gz"),
        ],
    ).df()


@pytest.mark.open_data
@pytest.mark.parametrize(
    ("name", "heading", "code", "level"),
    [
        ("lsoa11_bgc_birmingham.geojson", "lsoa11cd", "lsoa11cd", "fine"),
        ("lsoa21_bgc_birmingham.geojson", "lsoa21cd", "lsoa21cd", "fine"),
        ("boundaries_lsoa11_EW.parquet", "lsoa11_code", "lsoa11cd", "never_geocode"),
        ("boundaries_lsoa21_EW.parquet", "lsoa21_code", "lsoa21cd", "never_geocode"),
    ],
)
def test_real_boundaries_are_told_apart_by_real_postcodes(
    open_data, birmingham, name, heading, code, level
):
    areas, _ = read_boundaries(open_data / "boundaries" / name, {code: heading})
    report = measure_accuracy(
        PointLocator(areas, code=code),
        birmingham["x"].to_numpy(),
        birmingham["y"].to_numpy(),
        birmingham[code].to_numpy(dtype=object),
    )
    assert report.points > 19_000
    assert grade(report).level == level
    if level == "fine":
        assert report.share >= 0.99
    else:
        # The file generalised to 200 m is known to place about 87 % of postcodes.
        assert report.share == pytest.approx(0.87, abs=0.02)
