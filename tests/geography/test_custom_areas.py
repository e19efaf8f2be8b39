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
from geography.boundaries.formats import check_format
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


def vrt(target: str) -> str:
    return (
        f'<OGRVRTDataSource><OGRVRTLayer name="b"><SrcDataSource>{target}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.gpkg", "a.fgb", "a.parquet", "a.shp"])
@pytest.mark.parametrize("blanks", ["", "\n  ", "\ufeff"])
def test_a_file_that_leads_to_another_is_not_followed(
    tmp_path: Path, name: str, blanks: str
) -> None:
    other = write(tmp_path / "b.geojson", box(400_000, 300_000, 401_000, 301_000), crs=BNG)
    (tmp_path / name).write_text(blanks + vrt(str(other)), encoding="utf-8")

    with pytest.raises(GeographyError, match=r"is not .*, as its ending says"):
        check_format(tmp_path / name)
    with pytest.raises(GeographyError, match=r"a\.\w+ cannot be read"):
        read_polygon(tmp_path / name)


LINK = {"properties": {"href": "http://127.0.0.1:9/x"}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read b"}),
        json.dumps({"type": "FeatureCollection", "crs": LINK | {"type": "link"}, "features": []}),
        json.dumps({"type": "FeatureCollection", "crs": LINK | {"type": "URL"}, "features": []}),
        '{"type": "FeatureCollection", "\\u0063rs": {"type": "Link"}, "features": []}',
        '{"type": "FeatureCollection", "crs"/**/: {"type": "link"}, "features": []}',
        '{"type": "FeatureCollection", "crs": {"type": \'link\'}, "features": []}',
    ],
)
def test_geojson_that_names_something_elsewhere_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")

    with pytest.raises(GeographyError, match="names something elsewhere"):
        check_format(tmp_path / "a.geojson")


@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.parquet", "a.shp", "a.geojson"])
def test_a_file_of_its_own_format_passes(
    tmp_path: Path, squares: geopandas.GeoDataFrame, name: str
) -> None:
    path = tmp_path / name
    squares.to_parquet(path) if path.suffix == ".parquet" else squares.to_file(path)

    check_format(path)
    assert read_polygon(path).area == pytest.approx(squares.area.sum(), rel=1e-6)


@pytest.mark.parametrize(
    "text", ['\ufeff {"a": "crs"}', '{"crs": null}', json.dumps({"crs": BNG, "b": ["crs"]})]
)
def test_geojson_that_says_its_system_passes(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")

    check_format(tmp_path / "a.geojson")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.filterwarnings("error")
def test_a_corner_that_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    path = write(tmp_path / "a.geojson", box(400_000, 300_000, 401_000, 301_000), crs=BNG)
    path.write_text(path.read_text().replace("401000.0", number), encoding="utf-8")
    assert number in path.read_text()

    with pytest.raises(GeographyError, match=r"polygon a\.geojson"):
        read_polygon(path)


def test_what_cannot_be_repaired_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise shapely.errors.GEOSException("in words of the library")

    path = write(tmp_path / "a.geojson", box(400_000, 300_000, 401_000, 301_000), crs=BNG)
    monkeypatch.setattr("shapely.make_valid", fail)

    with pytest.raises(GeographyError, match=r"polygon a\.geojson cannot be repaired"):
        read_polygon(path)


@pytest.mark.filterwarnings("error")
def test_of_several_layers_none_is_taken(tmp_path: Path, squares: geopandas.GeoDataFrame) -> None:
    path = tmp_path / "a.gpkg"
    squares.to_file(path, layer="one")
    assert read_polygon(path).area == pytest.approx(squares.area.sum())
    squares.to_file(path, layer="two")

    with pytest.raises(GeographyError, match=r"2 layers in the polygon a\.gpkg.*one, two"):
        read_polygon(path)


def test_a_polygon_over_the_whole_world_is_told(tmp_path: Path) -> None:
    for bounds in ((-180, -90, 180, 90), (-20, 40, 20, 60)):
        path = write(tmp_path / "a.geojson", box(*bounds))
        with pytest.raises(GeographyError, match="covers far more than the region"):
            read_polygon(path)
    metres = write(tmp_path / "a.geojson", box(-2_000_000, 0, 2_000_000, 1_000_000), crs=BNG)
    with pytest.raises(GeographyError, match="covers far more than the region"):
        read_polygon(metres)


def test_exchanged_coordinates_are_hinted_at(
    tmp_path: Path, squares: geopandas.GeoDataFrame
) -> None:
    shape = squares.to_crs(4326).geometry.iloc[1]
    exchanged = shapely.transform(shape, lambda corners: corners[:, ::-1])

    with pytest.raises(GeographyError, match="longitude and latitude are exchanged"):
        match_polygon(read_polygon(write(tmp_path / "a.geojson", exchanged)), squares, "most", "x")


def test_the_message_of_a_polygons_system_speaks_of_the_polygon(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", box(400_000, 300_000, 401_000, 301_000))

    with pytest.raises(GeographyError, match=r"^The corners of the polygon a\.geojson"):
        read_polygon(path)
