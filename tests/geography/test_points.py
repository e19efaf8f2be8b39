from concurrent.futures import ThreadPoolExecutor

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.errors import GeographyError
from geography.points import PointLocator

A, B, C, D = (f"E0199000{i}" for i in range(1, 5))


def brute_force(areas, x, y):
    """Smallest code of all areas that meet the point, one by one."""
    codes = []
    for px, py in zip(x, y, strict=True):
        touching = [
            code
            for code, polygon in zip(areas["lsoa21cd"], areas.geometry, strict=True)
            if polygon.intersects(shapely.Point(px, py))
        ]
        codes.append(min(touching, default=None))
    return codes


def test_inside_outside_and_nowhere(locator):
    found = locator.locate([400_500, 403_500, 399_000, np.nan, np.inf], [300_500] * 5)
    assert found.tolist() == [A, D, None, None, None]


def test_a_point_on_a_border_goes_to_the_smallest_code(squares, locator):
    on_border = ([401_000, 402_000, 404_000], [300_500, 301_000, 300_000])
    assert locator.locate(*on_border).tolist() == [A, B, D]
    backwards = PointLocator(squares.iloc[::-1])
    assert backwards.locate(*on_border).tolist() == [A, B, D]


def test_chunks_make_no_difference(squares, monkeypatch):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(399_500, 404_500, 200), rng.uniform(299_500, 301_500, 200)
    whole = PointLocator(squares).locate(x, y).tolist()
    assert whole == brute_force(squares, x, y)
    monkeypatch.setattr("geography.points.CHUNK", 7)
    monkeypatch.setattr("geography.point_grid.CHUNK", 5)
    monkeypatch.setattr("geography.point_grid.EDGES_AT_A_TIME", 3)
    assert PointLocator(squares).locate(x, y).tolist() == whole


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda p: (p[0] / 2, p[1] / 2)),
        min_size=1,
        max_size=30,
    )
)
def test_overlapping_and_ragged_areas_as_brute_force(points):
    areas = geopandas.GeoDataFrame(
        {"lsoa21cd": [C, A, B]},
        geometry=[
            shapely.Polygon([(0, 0), (3, 0), (3, 3), (0, 3)], [[(1, 1), (2, 1), (2, 2), (1, 2)]]),
            shapely.Polygon([(2, 2), (4, 2), (3, 4)]),
            shapely.MultiPolygon([shapely.box(0, 3, 1, 4), shapely.box(3, 0, 4, 1)]),
        ],
    )
    x, y = zip(*points, strict=True)
    assert PointLocator(areas).locate(x, y).tolist() == brute_force(areas, x, y)


def test_one_locator_serves_several_threads(locator):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(400_000, 404_000, 5_000), rng.uniform(300_000, 301_000, 5_000)
    expected = locator.locate(x, y).tolist()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: locator.locate(x, y).tolist(), range(8)))
    assert all(result == expected for result in results)


def test_the_areas_are_never_prepared(squares):
    areas = squares.copy()
    PointLocator(areas).locate([400_500], [300_500])
    assert not shapely.is_prepared(areas.geometry.to_numpy()).any()


def test_no_points_give_no_codes(locator):
    assert locator.locate([], []).tolist() == []
    assert len(locator) == 4


def test_unfit_areas_are_refused(squares):
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    line = shapely.LineString([(0, 0), (1, 1)])
    for geometry in (bow_tie, shapely.Polygon(), line, None):
        bad = squares.copy()
        bad.loc[0, "geometry"] = geometry
        with pytest.raises(GeographyError, match="geometry"):
            PointLocator(bad)
    for codes in ([A, A, B, C], [A, None, B, C]):
        with pytest.raises(GeographyError, match="repeated"):
            PointLocator(squares.assign(lsoa21cd=codes))
    with pytest.raises(GeographyError, match="no column"):
        PointLocator(squares, code="msoa21cd")
    with pytest.raises(GeographyError, match="none at all"):
        PointLocator(squares.iloc[:0])
    with pytest.raises(GeographyError, match="Irish grid"):
        PointLocator(squares.set_crs(29902, allow_override=True))
    for tolerance in (-1.0, np.nan, np.inf):
        with pytest.raises(GeographyError, match="tolerance"):
            PointLocator(squares, tolerance=tolerance)


def test_coordinates_of_different_length_are_refused(locator):
    with pytest.raises(GeographyError):
        locator.locate([1.0], [1.0, 2.0])


def test_positions_name_the_same_areas_as_codes(locator):
    x, y = [400_500, 403_500, 399_000], [300_500] * 3
    assert locator.positions(x, y).tolist() == [0, 3, -1]
    assert locator.codes[locator.positions(x, y)[:2]].tolist() == [A, D]


def test_a_point_just_outside_is_given_to_the_nearest_area_within_the_tolerance(squares):
    coast = PointLocator(squares, tolerance=20.0)
    x = [399_990, 399_980, 399_979.9, 400_500, 401_000, np.nan]
    y = [300_500, 300_500, 300_500, 300_500, 301_010, 300_500]
    codes, snapped = coast.locate_or_snap(x, y)
    # The fifth is as far from A as from B.
    assert codes.tolist() == [A, A, None, A, A, None]
    assert snapped.tolist() == [True, True, False, False, True, False]
    assert coast.locate(x, y).tolist() == [None, None, None, A, None, None]


def test_without_a_tolerance_nothing_is_snapped(squares):
    codes, snapped = PointLocator(squares).locate_or_snap([399_999.999], [300_500])
    assert codes.tolist() == [None]
    assert not snapped.any()
