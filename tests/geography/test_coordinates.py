import numpy as np
import pytest

from declarations.errors import GeographyError
from geography.coordinates import KINDS, classify, detect_crs, require_supported_crs, to_bng


@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [
        (406_523, 286_448, "bng"),
        (83_000, 5_300, "bng"),
        (-1.9, 52.48, "wgs84"),
        (52.48, -1.9, "wgs84_swapped"),
        (0.0, 51.5, "wgs84"),
        (4_065, 2_864, "truncated"),
        (0, 0, "missing"),
        (0.0, 99.999999, "missing"),
        (99.999999, 0.0, "missing"),
        (np.nan, 52.0, "missing"),
        (np.inf, 52.0, "missing"),
        (-211_500, 6_880_000, "web_mercator"),
        (-74.0, 40.7, "unknown"),
        (406_523, -5, "unknown"),
    ],
)
def test_each_kind_of_pair(x, y, kind):
    assert KINDS[classify([x], [y])[0]] == kind


def test_columns_are_what_nine_tenths_of_their_pairs_are():
    assert detect_crs([400_000] * 9 + [-1.9], [300_000] * 9 + [52.0]).crs == "bng"
    assert detect_crs([400_000] * 8 + [-1.9] * 2, [300_000] * 8 + [52.0] * 2).crs == "mixed"
    found = detect_crs([-1.9, 0, np.nan], [52.0, 0, 52.0])
    assert found.crs == "wgs84"
    assert found.counts["missing"] == 2
    assert detect_crs([0.0], [0.0]).crs == "unknown"
    assert detect_crs([], []).crs == "unknown"


def test_irish_grids_are_refused_by_their_code():
    assert require_supported_crs(27700) == 27700
    for code in (29902, 29903, 2157):
        with pytest.raises(GeographyError, match="Irish"):
            require_supported_crs(code)


def test_projection_meets_a_point_known_in_both_systems():
    # The worked example of the Ordnance Survey's guide to coordinate systems (the Caister water
    # tower): a GPS position and its grid reference by the definitive transformation.
    lon, lat = 1 + 42 / 60 + 57.8663 / 3600, 52 + 39 / 60 + 28.8282 / 3600
    east, north = to_bng([lon], [lat])
    assert east[0] == pytest.approx(651_409.804, abs=5)
    assert north[0] == pytest.approx(313_177.450, abs=5)


def test_columns_of_different_length_are_refused():
    with pytest.raises(GeographyError):
        classify([1.0, 2.0], [1.0])
