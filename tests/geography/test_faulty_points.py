"""Coordinates exchanged, cut short, masked or no numbers at all: named, and never placed."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
from shapely.geometry import box

from declarations.errors import GeographyError
from geography.placement.point_lookup import locate_points
from geography.points import PointLocator

PLACES = {
    "London": (530_000, 180_000),
    "Norwich": (623_000, 308_000),
    "Falmouth": (180_000, 32_000),
    "Scilly": (90_000, 10_500),
    "Birmingham": (407_000, 287_000),
}


@pytest.fixture(scope="module")
def towns():
    """A locator of one square of two kilometres around each place."""
    shapes = [box(x - 1000, y - 1000, x + 1000, y + 1000) for x, y in PLACES.values()]
    codes = [f"E0199000{i}" for i in range(len(PLACES))]
    return PointLocator(geopandas.GeoDataFrame({"lsoa21cd": codes}, geometry=shapes, crs=27700))


def outcome(locator, x, y):
    """Code and reason of one pair."""
    codes, reasons, _ = locate_points(locator, np.array([float(x)]), np.array([float(y)]))
    return codes[0], reasons[0]


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_found_as_it_stands(towns, place):
    code, reason = outcome(towns, *PLACES[place])
    assert code is not None
    assert reason is None


@pytest.mark.parametrize("place", PLACES)
def test_exchanged_axes_are_named(towns, place):
    x, y = PLACES[place]
    assert outcome(towns, y, x) == (None, "point_swapped")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lost", [(10, 10), (100, 100), (1000, 1000), (10, 1), (1, 10)])
def test_lost_digits_are_named_on_one_axis_or_both(towns, place, lost):
    x, y = PLACES[place]
    assert outcome(towns, x // lost[0], y // lost[1]) == (None, "point_truncated")


def test_degrees_without_decimals_are_cut_short(towns):
    assert outcome(towns, -1, 52) == (None, "point_truncated")
    assert outcome(towns, -1.5, 52)[1] == "point_outside"


def test_a_point_elsewhere_is_just_outside(towns):
    for pair in ((450_000, 400_000), (300_000, 620_000), (610_000, 150_000)):
        assert outcome(towns, *pair) == (None, "point_outside")


def test_what_lies_under_a_mask_is_not_there(towns):
    x, y = PLACES["London"]
    masked = [np.ma.array([v, v], mask=[False, True]) for v in (x, y)]
    assert towns.locate(*masked).tolist() == ["E01990000", None]
    assert towns.locate_or_snap(*masked)[0].tolist() == ["E01990000", None]


def test_texts_are_refused_without_being_quoted(towns):
    with pytest.raises(GeographyError) as raised:
        towns.locate(["SECRET 4 High St"], ["2"])
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_areas_without_geometry_or_out_of_this_world_are_refused():
    plain = geopandas.GeoDataFrame({"lsoa21cd": ["E01990001"]})
    with pytest.raises(GeographyError, match="no geometry"):
        PointLocator(plain)
    far = geopandas.GeoDataFrame({"lsoa21cd": ["A"]}, geometry=[box(0, 0, 1e160, 1e160)])
    with pytest.raises(GeographyError, match="larger than any place"):
        PointLocator(far)
    squares = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    alike = geopandas.GeoDataFrame({"lsoa21cd": [1, "1"]}, geometry=squares)
    with pytest.raises(GeographyError, match="repeated"):
        PointLocator(alike)
    doubled = geopandas.GeoDataFrame({"a": [1, 2], "b": [1, 2]}, geometry=squares)
    doubled.columns = ["lsoa21cd", "lsoa21cd", "geometry"]
    with pytest.raises(GeographyError, match="no column"):
        PointLocator(doubled)
