"""Points just outside a clipped coast: placed within the declared tolerance, and flagged."""

from __future__ import annotations

import numpy as np
import pytest

from geography.placement import PlacementKeys, Reference, place
from geography.placement.point_lookup import locate_points
from geography.points import PointLocator

A, B = "E01990001", "E01990002"
KEYS = PlacementKeys(by=("point",), x="x", y="y")


def placed(region, locator, x, y):
    """Place one record; return its area, method, reason and flag."""
    region.execute(
        "CREATE OR REPLACE TABLE records AS SELECT 1::BIGINT AS record_id, ? AS x, ? AS y", [x, y]
    )
    place(region, "records", KEYS, Reference(areas="areas", locator=locator), "placed")
    columns = "lsoa21cd, geo_method, geo_reason, geo_flag"
    return region.execute(f"SELECT {columns} FROM placed").fetchone()


def test_within_the_tolerance_a_point_is_placed_and_flagged(region, squares):
    coast = PointLocator(squares, tolerance=25.0)
    assert placed(region, coast, 399_980.0, 300_500.0) == (A, "point", None, "point_snapped")
    assert placed(region, coast, 400_020.0, 300_500.0) == (A, "point", None, None)


def test_beyond_the_tolerance_or_without_one_it_is_outside(region, squares):
    for locator, x in ((PointLocator(squares, tolerance=25.0), 399_970.0),
                       (PointLocator(squares), 399_999.0)):  # fmt: skip
        assert placed(region, locator, x, 300_500.0) == (None, "none", "point_outside", None)


def test_the_nearest_area_decides_even_if_it_is_out_of_the_region(region, squares):
    """Beyond an inland border lies a neighbour; no tolerance draws its points into the region."""
    wider = squares.assign(lsoa21cd=["E01000001", A, B, "E01000002"])
    coast = PointLocator(wider, tolerance=25.0)
    assert placed(region, coast, 399_990.0, 300_500.0) == (None, "none", "out_of_region", None)
    assert placed(region, coast, 400_990.0, 300_500.0) == (None, "none", "out_of_region", None)
    assert placed(region, coast, 401_010.0, 300_500.0) == (A, "point", None, None)


def test_longitude_and_latitude_are_snapped_in_metres(squares):
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(27700, 4326, always_xy=True).transform(399_990.0, 300_500.0)
    codes, reasons, snapped = locate_points(
        PointLocator(squares, tolerance=15.0), np.array([lon]), np.array([lat])
    )
    assert (codes[0], reasons[0], snapped[0]) == (A, None, True)


@pytest.mark.parametrize("axes", [(300_500.0, 400_500.0), (52.6, -2.0)])
def test_exchanged_coordinates_are_never_snapped(region, squares, axes):
    coast = PointLocator(squares, tolerance=500.0)
    assert placed(region, coast, *axes)[1:3] == ("none", "point_swapped")
