"""Custom areas: which LSOAs a list or a polygon means, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely
from shapely.geometry import box

from declarations.errors import GeographyError
from geography.custom_areas import check_codes, match_polygon, read_polygon

A, B, C, D = "E01990001", "E01990002", "E01990003", "E01990004"
REGION = {A, B, C, D}
BNG = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}


def write(path: Path, *shapes: Any, crs: dict[str, Any] | None = None) -> Path:
    features = [
        {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(s))}
        for s in shapes
    ]
    content = {"type": "FeatureCollection", "features": features} | ({"crs": crs} if crs else {})
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_list_of_the_regions_codes_comes_back_in_order() -> None:
    assert check_codes([C, A], REGION, "areas/x.yaml") == (A, C)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([], "names no LSOA"),
        ([A, "E01980001", "E01980002"], "2 of the 3 codes in areas/x.yaml are of 2011"),
        ([A, "E01000001"], "1 of the 2 codes in areas/x.yaml lie outside the region"),
        (["E01999999"], "1 of the 1 codes in areas/x.yaml are no 2021 LSOA"),
    ],
)
def test_codes_that_are_not_the_regions_are_refused(codes: list[str], message: str) -> None:
    with pytest.raises(GeographyError, match=message) as caught:
        check_codes(
            codes, REGION, "areas/x.yaml", known={"E01000001", *REGION},
            known_2011={"E01980001", "E01980002", "E01000001"},
        )  # fmt: skip
    assert not any(code in str(caught.value) for code in codes)


@pytest.mark.parametrize(
    ("rule", "codes"),
    # From the middle of A over B to a hair into C; A is covered by 40 %, C by 5 %.
    [("most", (B,)), ("any", (A, B, C)), ("centre", (B,))],
)
def test_each_rule_takes_its_lsoas(
    squares: geopandas.GeoDataFrame, rule: Any, codes: tuple[str, ...]
) -> None:
    border = box(400_600, 300_000, 402_050, 301_000)

    match = match_polygon(border, squares, rule, "x")

    assert match.codes == codes
    assert match.outside_share == pytest.approx(0, abs=1e-12)


def test_the_centre_decides_where_most_does_not(squares: geopandas.GeoDataFrame) -> None:
    border = box(400_450, 300_450, 400_550, 300_550)

    assert match_polygon(border, squares, "centre", "x").codes == (A,)
    with pytest.raises(GeographyError, match="touches 1 and, by the rule most, holds none"):
        match_polygon(border, squares, "most", "x")


def test_a_sliver_is_no_touch(squares: geopandas.GeoDataFrame) -> None:
    border = box(400_000, 300_000, 401_005, 301_000)

    assert match_polygon(border, squares, "any", "x").codes == (A,)


def test_the_share_outside_the_region_is_told(squares: geopandas.GeoDataFrame) -> None:
    border = box(399_000, 300_000, 401_000, 301_000)

    match = match_polygon(border, squares, "most", "x")

    assert match.codes == (A,)
    assert match.outside_share == pytest.approx(0.5)


def test_the_order_of_areas_does_not_matter(squares: geopandas.GeoDataFrame) -> None:
    border = box(400_300, 300_100, 403_700, 300_900)

    assert match_polygon(border, squares.iloc[::-1], "most", "x") == match_polygon(
        border, squares, "most", "x"
    )


def test_a_polygon_outside_the_region_is_refused(squares: geopandas.GeoDataFrame) -> None:
    with pytest.raises(GeographyError, match="lies outside all of the region's LSOAs"):
        match_polygon(box(500_000, 300_000, 501_000, 301_000), squares, "any", "x")


def test_a_polygon_on_the_grid_is_read_as_it_stands(tmp_path: Path) -> None:
    shape = box(400_000, 300_000, 401_000, 301_000)

    assert read_polygon(write(tmp_path / "a.geojson", shape, crs=BNG)).equals(shape)


def test_degrees_are_brought_to_the_grid(tmp_path: Path, squares: geopandas.GeoDataFrame) -> None:
    # The projection gives the corners of squares to about a metre either way.
    shape = squares.to_crs(4326).geometry.iloc[1]

    border = read_polygon(write(tmp_path / "a.geojson", shape))

    assert match_polygon(border, squares, "most", "x").codes == (B,)


def test_polygons_of_several_features_are_one_area(tmp_path: Path) -> None:
    parts = [box(400_000, 300_000, 401_000, 301_000), box(403_000, 300_000, 404_000, 301_000)]

    border = read_polygon(write(tmp_path / "a.geojson", *parts, crs=BNG))

    assert border.area == pytest.approx(2_000_000)


def test_a_bow_tie_is_repaired(tmp_path: Path) -> None:
    tie = shapely.Polygon([(400_000, 300_000), (401_000, 301_000), (401_000, 300_000),
                           (400_000, 301_000)])  # fmt: skip

    border = read_polygon(write(tmp_path / "a.geojson", tie, crs=BNG))

    assert border.is_valid
    assert border.area == pytest.approx(500_000)


def test_grid_metres_without_a_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", box(400_000, 300_000, 401_000, 301_000))

    with pytest.raises(GeographyError, match="coordinates are too large"):
        read_polygon(path)


def test_a_crs_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", box(400_000, 300_000, 401_000, 301_000), crs=BNG)

    with pytest.raises(GeographyError, match="EPSG:27700 and their declaration EPSG:4326"):
        read_polygon(path, 4326)


@pytest.mark.parametrize("code", [29902, 2157])
def test_irish_coordinates_are_refused(tmp_path: Path, code: int) -> None:
    path = tmp_path / "a.gpkg"
    geopandas.GeoDataFrame(geometry=[box(300_000, 300_000, 301_000, 301_000)], crs=code).to_file(
        path
    )

    with pytest.raises(GeographyError, match=r"Irish|EPSG"):
        read_polygon(path)


@pytest.mark.parametrize(
    "shape", [shapely.Point(400_000, 300_000), shapely.LineString([(0, 0), (1, 1)])]
)
def test_a_file_without_polygons_is_refused(tmp_path: Path, shape: Any) -> None:
    with pytest.raises(GeographyError, match="holds no polygon"):
        read_polygon(write(tmp_path / "a.geojson", shape, crs=BNG))


@pytest.mark.parametrize("text", ["", "{", "not json", '{"type": "FeatureCollection"}', "[]"])
def test_a_file_that_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(GeographyError, match=r"a\.geojson"):
        read_polygon(path)


def test_a_collection_without_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeographyError, match=r"a\.geojson holds no polygon"):
        read_polygon(write(tmp_path / "a.geojson"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GeographyError, match=r"b\.geojson is not there"):
        read_polygon(tmp_path / "b.geojson")


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    with path.open("wb") as file:
        file.truncate(21_000_000)

    with pytest.raises(GeographyError, match="larger than 20 MB"):
        read_polygon(path)
