import json

import geopandas
import numpy as np
import pytest
import shapely

from declarations.errors import GeographyError
from geography.boundaries import check_coverage, read_boundaries, simplify_for_map
from geography.coordinates import to_bng

COLUMNS = {"lsoa21cd": "LSOA21CD", "lsoa21nm": "LSOA21NM"}


@pytest.fixture
def named(squares):
    return squares.rename(columns={"lsoa21cd": "LSOA21CD"}).assign(LSOA21NM="Place (synthetic)")


def without_crs_member(path):
    content = json.loads(path.read_text())
    content.pop("crs", None)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".fgb", ".parquet"])
def test_every_format_gives_the_same_areas(tmp_path, named, squares, suffix):
    path = tmp_path / f"areas{suffix}"
    named.to_parquet(path) if suffix == ".parquet" else named.to_file(path)
    lower = {ours: heading.lower() for ours, heading in COLUMNS.items()}
    for columns in (COLUMNS, lower):
        areas, report = read_boundaries(path, columns)
        assert areas["lsoa21cd"].tolist() == squares["lsoa21cd"].tolist()
        assert list(areas.columns) == ["lsoa21cd", "lsoa21nm", "geometry"]
        assert areas.crs.to_epsg() == 27700
        assert areas.geometry.area.tolist() == pytest.approx([1e6] * 4)
        assert (report.read, report.kept, report.epsg_read) == (4, 4, 27700)


def test_degrees_are_projected(tmp_path, named):
    path = tmp_path / "areas.geojson"
    named.to_crs(4326).to_file(path)
    without_crs_member(path)
    areas, report = read_boundaries(path, COLUMNS)
    assert report.epsg_read == 4326
    assert areas.total_bounds == pytest.approx([400_000, 300_000, 404_000, 301_000], abs=1)


def test_grid_coordinates_without_a_name_are_not_taken_for_degrees(tmp_path, named):
    path = tmp_path / "areas.geojson"
    named.to_file(path)
    without_crs_member(path)
    with pytest.raises(GeographyError, match="27700"):
        read_boundaries(path, COLUMNS)
    areas, report = read_boundaries(path, COLUMNS, crs=27700)
    assert report.epsg_read == 27700
    assert areas.total_bounds.tolist() == [400_000, 300_000, 404_000, 301_000]


def test_a_contradicted_or_impossible_system_is_refused(tmp_path, named):
    named.to_file(tmp_path / "grid.gpkg")
    with pytest.raises(GeographyError, match="say EPSG:27700"):
        read_boundaries(tmp_path / "grid.gpkg", COLUMNS, crs=4326)
    path = tmp_path / "degrees.geojson"
    named.to_crs(4326).to_file(path)
    without_crs_member(path)
    with pytest.raises(GeographyError, match="are degrees"):
        read_boundaries(path, COLUMNS, crs=27700)
    named.set_crs(29902, allow_override=True).to_file(tmp_path / "irish.gpkg")
    with pytest.raises(GeographyError, match="Irish"):
        read_boundaries(tmp_path / "irish.gpkg", COLUMNS)


def test_a_shapefile_without_a_system_must_be_declared(tmp_path, named):
    named.to_file(tmp_path / "areas.shp")
    (tmp_path / "areas.prj").unlink()
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(tmp_path / "areas.shp", COLUMNS)
    assert len(read_boundaries(tmp_path / "areas.shp", COLUMNS, crs=27700)[0]) == 4


def test_faulty_rows_are_repaired_or_left_out_and_counted(tmp_path):
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    spike = shapely.from_wkt("POLYGON ((10 0, 12 0, 12 2, 12 5, 12 2, 10 2, 10 0))")
    line = shapely.LineString([(0, 0), (1, 1)])
    frame = geopandas.GeoDataFrame(
        {
            "LSOA21CD": ["b", "a", "a", "c", "d", "e", None],
            "LSOA21NM": "x",
        },
        geometry=[
            bow_tie,
            shapely.box(20, 0, 21, 1),
            shapely.box(30, 0, 31, 1),
            None,
            line,
            spike,
            shapely.box(0, 0, 1, 1),
        ],
        crs=27700,
    )
    shifted = frame.set_geometry(frame.geometry.translate(400_000, 300_000))
    shifted.to_parquet(tmp_path / "areas.parquet")
    areas, report = read_boundaries(tmp_path / "areas.parquet", COLUMNS)
    assert areas["lsoa21cd"].tolist() == ["a", "b", "e"]
    assert areas.geometry.is_valid.all()
    assert set(areas.geom_type) <= {"Polygon", "MultiPolygon"}
    assert areas.geometry.area.tolist() == pytest.approx([2, 2, 4])
    assert (report.read, report.kept, report.empty) == (7, 3, 2)
    assert (report.without_code, report.duplicates, report.repaired) == (1, 1, 2)


def test_what_cannot_be_read_is_refused(tmp_path, named):
    named.to_file(tmp_path / "areas.gpkg")
    (tmp_path / "broken.gpkg").write_text("not a database")
    (tmp_path / "broken.parquet").write_text("not a table")
    (tmp_path / "areas.kml").write_text("")
    named.iloc[:0].to_parquet(tmp_path / "none.parquet")
    for name, message in [
        ("broken.gpkg", "cannot be read"),
        ("broken.parquet", "cannot be read"),
        ("areas.kml", "format"),
        ("missing.gpkg", "not there"),
        ("none.parquet", "no area"),
    ]:
        with pytest.raises(GeographyError, match=message):
            read_boundaries(tmp_path / name, COLUMNS)
    with pytest.raises(GeographyError, match="no column MSOA21CD"):
        read_boundaries(tmp_path / "areas.gpkg", {"msoa21cd": "MSOA21CD"})
    with pytest.raises(GeographyError, match="No column"):
        read_boundaries(tmp_path / "areas.gpkg", {})


def test_a_layer_can_be_chosen(tmp_path, named):
    named.iloc[:1].to_file(tmp_path / "areas.gpkg", layer="one")
    named.to_file(tmp_path / "areas.gpkg", layer="all")
    assert len(read_boundaries(tmp_path / "areas.gpkg", COLUMNS, layer="all")[0]) == 4
    assert len(read_boundaries(tmp_path / "areas.gpkg", COLUMNS, layer="one")[0]) == 1


def test_coverage_faults_are_found(squares):
    good = check_coverage(squares)
    assert good.valid
    assert good.faulty == ()
    assert good.overlap_area == pytest.approx(0, abs=1e-6)
    overlapping = squares.copy()
    overlapping.loc[1, "geometry"] = shapely.box(400_900, 300_000, 402_000, 301_000)
    bad = check_coverage(overlapping)
    assert not bad.valid
    assert set(bad.faulty) == {0, 1}
    assert bad.overlap_area == pytest.approx(100 * 1000)


def test_simplified_neighbours_still_share_their_borders():
    wiggle = [(10 + (i % 2) * 0.2, i) for i in range(11)]
    left = shapely.Polygon([(0, 0), *wiggle, (0, 10)])
    right = shapely.Polygon([(20, 0), *wiggle, (20, 10)])
    areas = geopandas.GeoDataFrame({"lsoa21cd": ["a", "b"]}, geometry=[left, right], crs=27700)
    simple = simplify_for_map(areas, 2)
    assert check_coverage(simple).valid
    assert (shapely.get_num_coordinates(simple.geometry) < 15).all()
    assert simple.geometry.area.sum() == pytest.approx(200)
    assert simplify_for_map(areas, 0).geometry.area.tolist() == areas.geometry.area.tolist()
    with pytest.raises(GeographyError, match="negative"):
        simplify_for_map(areas, -1)


@pytest.mark.open_data
def test_generalised_boundaries_agree_with_the_official_postcodes(con, open_data):
    """BGC boundaries of 2011 against the postcode file, which gives 2011 areas too."""
    from geography.points import PointLocator

    areas, report = read_boundaries(
        open_data / "boundaries/lsoa11_bgc_birmingham.geojson", {"lsoa11cd": "lsoa11cd"}
    )
    assert report.kept == 639
    rows = con.execute(
        """
SELECT c.Eastings AS x, c.Northings AS y, p.lsoa11cd
FROM read_csv(?) c JOIN read_csv(?) p ON p.pcds = c.Postcode
WHERE c.Admin_district_code = 'E08000025' AND p.ladcd = 'E08000025'
    AND c.Positional_quality_indicator <= 20
""",
        [
            str(open_data / "postcodes/codepoint_open_2025-05_wm7_stockport.csv.gz"),
            str(open_data / "postcodes/PCD_OA_LSOA_MSOA_LAD_MAY22_wm7_stockport.csv.gz"),
        ],
    ).fetchnumpy()
    found = PointLocator(areas, code="lsoa11cd").locate(rows["x"], rows["y"])
    assert len(found) > 15_000
    assert (found == rows["lsoa11cd"]).mean() >= 0.99


@pytest.mark.open_data
def test_real_files_in_three_formats_are_read(open_data):
    folder = open_data / "boundaries"
    areas, _ = read_boundaries(folder / "boundaries_ltla24.gpkg", {"lad24cd": "LTLA24_CODE"})
    assert len(areas) == 361
    areas, _ = read_boundaries(folder / "msoa21_wm7_stockport.geojson", {"msoa21cd": "MSOA21_CODE"})
    assert len(areas) == 399
    areas, report = read_boundaries(
        folder / "boundaries_lsoa11_EW.parquet", {"lsoa11cd": "lsoa11_code"}
    )
    assert (len(areas), report.repaired) == (34_753, 1)
    east, north = to_bng([-1.9], [52.48])
    assert np.isfinite([east[0], north[0]]).all()
