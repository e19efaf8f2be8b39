"""Boundary files of every format, with every way of not saying where they are."""

import json
import sqlite3
import traceback
import zipfile

import geopandas
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from pyproj.exceptions import CRSError

from declarations.errors import GeographyError
from geography.boundaries import read_boundaries
from geography.custom_areas import read_polygon

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


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".fgb"])
def test_a_file_that_names_another_to_be_opened_is_refused(tmp_path, named, suffix):
    named.to_file(tmp_path / "elsewhere.gpkg")
    path = tmp_path / f"areas{suffix}"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="elsewhere">'
        f"<SrcDataSource>{tmp_path / 'elsewhere.gpkg'}</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(GeographyError, match="as its ending says"):
        read_boundaries(path, COLUMNS)


def test_a_layer_can_be_chosen(tmp_path, named):
    named.iloc[:1].to_file(tmp_path / "areas.gpkg", layer="one")
    named.to_file(tmp_path / "areas.gpkg", layer="all")
    assert len(read_boundaries(tmp_path / "areas.gpkg", COLUMNS, layer="all")[0]) == 4
    assert len(read_boundaries(tmp_path / "areas.gpkg", COLUMNS, layer="one")[0]) == 1


def test_of_several_layers_one_must_be_named(tmp_path, named):
    path = tmp_path / "areas.gpkg"
    named.iloc[:1].to_file(path, layer="one")
    named.to_file(path, layer="all")
    with pytest.raises(GeographyError, match="2 layers"):
        read_boundaries(path, COLUMNS)
    with pytest.raises(GeographyError, match="no layer of the name"):
        read_boundaries(path, COLUMNS, layer="two")


def with_crs_member(path, member, *, last=False):
    content = json.loads(path.read_text())
    content.pop("crs", None)
    content = (
        {**content, "crs": member} if last else {"type": content["type"], "crs": member} | (content)
    )
    path.write_text(json.dumps(content))
    return path


def named_member(name):
    return {"type": "name", "properties": {"name": name}}


@pytest.mark.parametrize("last", [False, True])
def test_the_old_crs_member_of_geojson_is_obeyed(tmp_path, named, last):
    path = tmp_path / "areas.geojson"
    named.to_file(path)
    for name in ("urn:ogc:def:crs:EPSG::27700", "EPSG:27700"):
        _, report = read_boundaries(with_crs_member(path, named_member(name), last=last), COLUMNS)
        assert report.epsg_read == 27700
    with pytest.raises(GeographyError, match="say EPSG:27700"):
        read_boundaries(path, COLUMNS, crs=3857)
    irish = with_crs_member(path, named_member("urn:ogc:def:crs:EPSG::29902"), last=last)
    with pytest.raises(GeographyError, match="Irish"):
        read_boundaries(irish, COLUMNS)
    named.to_crs(4326).to_file(path)
    degrees = with_crs_member(path, named_member("urn:ogc:def:crs:OGC:1.3:CRS84"), last=last)
    assert read_boundaries(degrees, COLUMNS)[1].epsg_read == 4326
    with pytest.raises(GeographyError, match="say EPSG:4326"):
        read_boundaries(degrees, COLUMNS, crs=4258)


@pytest.mark.parametrize(
    "member",
    [None, {}, "EPSG:4326", named_member("nonsense")],
)
def test_a_crs_member_that_says_nothing_must_be_declared(tmp_path, named, member):
    path = tmp_path / "areas.geojson"
    named.to_crs(4326).to_file(path)
    with_crs_member(path, member)
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(path, COLUMNS)
    assert read_boundaries(path, COLUMNS, crs=4326)[1].epsg_read == 4326


def test_a_crs_member_that_is_a_link_is_not_followed(tmp_path, named):
    path = tmp_path / "areas.geojson"
    named.to_crs(4326).to_file(path)
    with_crs_member(path, {"type": "link", "properties": {"href": "elsewhere.json"}})
    with pytest.raises(GeographyError, match="something elsewhere"):
        read_boundaries(path, COLUMNS, crs=4326)


def test_a_property_called_crs_is_no_coordinate_system(tmp_path, named):
    path = tmp_path / "areas.geojson"
    named.assign(crs="EPSG:4326").to_file(path)
    without_crs_member(path)
    assert read_boundaries(path, COLUMNS, crs=27700)[1].epsg_read == 27700


@pytest.mark.parametrize("srs", [0, -1])
def test_an_undefined_system_of_a_geopackage_must_be_declared(tmp_path, named, srs):
    path = tmp_path / "areas.gpkg"
    named.to_file(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs,))
        connection.execute("UPDATE gpkg_contents SET srs_id = ?", (srs,))
    connection.close()
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(path, COLUMNS)
    assert read_boundaries(path, COLUMNS, crs=27700)[1].epsg_read == 27700


def geoparquet_with(path, change):
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    change(geo["columns"]["geometry"])
    metadata = {**table.schema.metadata, b"geo": json.dumps(geo).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_geoparquet_says_its_system_or_does_not(tmp_path, named):
    path = tmp_path / "areas.parquet"
    named.to_parquet(path)
    with pytest.raises(GeographyError, match="say EPSG:27700"):
        read_boundaries(path, COLUMNS, crs=4326)
    geoparquet_with(path, lambda column: column.update(crs=None))
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(path, COLUMNS)
    assert read_boundaries(path, COLUMNS, crs=27700)[1].epsg_read == 27700
    named.to_crs("OGC:CRS84").to_parquet(path)
    geoparquet_with(path, lambda column: column.pop("crs"))
    assert read_boundaries(path, COLUMNS)[1].epsg_read == 4326
    named.to_parquet(path)
    geoparquet_with(path, lambda column: column.pop("crs"))
    with pytest.raises(GeographyError, match="too large"):
        read_boundaries(path, COLUMNS)
    geoparquet_with(path, lambda column: column.update(crs="nonsense"))
    with pytest.raises(GeographyError, match="cannot be read"):
        read_boundaries(path, COLUMNS)


def test_flatgeobuf_without_a_system_must_be_declared(tmp_path, named):
    path = tmp_path / "areas.fgb"
    with pytest.warns(UserWarning, match="crs"):
        named.set_crs(None, allow_override=True).to_file(path)
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(path, COLUMNS)
    assert read_boundaries(path, COLUMNS, crs=27700)[1].epsg_read == 27700


GRID = "+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +units=m"
"""The National Grid by its parameters, as an old .prj gives it."""


def test_a_system_described_without_its_code_is_held_to_the_declaration(tmp_path, named):
    path = tmp_path / "areas.shp"
    named.to_file(path)
    grid = pyproj.CRS.from_proj4(f"{GRID} +ellps=airy").to_wkt("WKT1_ESRI")
    path.with_suffix(".prj").write_text(grid)
    with pytest.raises(GeographyError, match="without an EPSG code"):
        read_boundaries(path, COLUMNS)
    assert read_boundaries(path, COLUMNS, crs=27700)[1].epsg_read == 27700
    other = pyproj.CRS.from_proj4(f"{GRID.replace('400000', '500000')} +ellps=airy")
    path.with_suffix(".prj").write_text(other.to_wkt("WKT1_ESRI"))
    with pytest.raises(GeographyError, match="another coordinate system"):
        read_boundaries(path, COLUMNS, crs=27700)
    path.with_suffix(".prj").write_text("nonsense")
    with pytest.raises(GeographyError, match="do not say"):
        read_boundaries(path, COLUMNS)
    with pytest.raises(GeographyError, match="does not exist"):
        read_boundaries(path, COLUMNS, crs=12)


def test_exchanged_degrees_are_not_taken_for_the_arctic(tmp_path, named):
    path = tmp_path / "areas.geojson"
    exchanged = shapely.transform(named.to_crs(4326).geometry.to_numpy(), lambda xy: xy[:, ::-1])
    named.set_geometry(exchanged, crs=4326).to_file(path)
    with pytest.raises(GeographyError, match="outside Great Britain"):
        read_boundaries(path, COLUMNS)


def test_a_compressed_file_is_not_opened_here(tmp_path, named):
    named.to_file(tmp_path / "areas.geojson")
    path = tmp_path / "areas.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "areas.geojson", "areas.geojson")
    with pytest.raises(GeographyError, match="no format that is read"):
        read_boundaries(path, COLUMNS)


PLANTED = "planted-value"


def test_the_words_of_the_library_go_nowhere(tmp_path, named):
    """They may repeat what the file holds, and the history of a run keeps a whole traceback."""
    named.to_parquet(tmp_path / "areas.parquet")
    geoparquet_with(tmp_path / "areas.parquet", lambda column: column.update(crs=PLANTED))
    with pytest.raises(CRSError, match=PLANTED):
        geopandas.read_parquet(tmp_path / "areas.parquet")

    for read in (lambda p: read_boundaries(p, COLUMNS), read_polygon):
        with pytest.raises(GeographyError, match="cannot be read") as caught:
            read(tmp_path / "areas.parquet")
        assert PLANTED not in "".join(traceback.format_exception(caught.value))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_holds_no_area_is_said(tmp_path):
    line = shapely.LineString([(400_000, 300_000), (400_100, 300_000)])
    nowhere = shapely.Polygon([(400_000, 300_000), (float("nan"), 300_000), (401_000, 301_000)])
    for name, shape in (("line", line), ("nowhere", nowhere), ("missing", None)):
        frame = geopandas.GeoDataFrame(
            {"LSOA21CD": ["a"], "LSOA21NM": ["A"]}, geometry=[shape], crs=27700
        )
        frame.to_parquet(tmp_path / f"{name}.parquet")
        with pytest.raises(GeographyError, match="hold no area"):
            read_boundaries(tmp_path / f"{name}.parquet", COLUMNS)
    (tmp_path / "zero.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(GeographyError, match="hold no area"):
        read_boundaries(tmp_path / "zero.geojson", COLUMNS)
    (tmp_path / "empty.geojson").write_text("")
    with pytest.raises(GeographyError, match="cannot be read"):
        read_boundaries(tmp_path / "empty.geojson", COLUMNS)


def test_a_table_without_shapes_is_no_boundary_file(tmp_path, named):
    import pyogrio

    pyogrio.write_dataframe(named.drop(columns="geometry"), tmp_path / "table.gpkg")
    with pytest.raises(GeographyError, match="no geometry"):
        read_boundaries(tmp_path / "table.gpkg", COLUMNS)
    named.to_file(tmp_path / "table.gpkg", layer="shapes")
    assert len(read_boundaries(tmp_path / "table.gpkg", COLUMNS)[0]) == 4


def test_codes_are_stripped_and_blank_ones_left_out(tmp_path, named):
    frame = named.assign(LSOA21CD=[" E01990001", "E01990002 ", "  ", "E01990004"])
    frame.to_file(tmp_path / "areas.gpkg")
    areas, report = read_boundaries(tmp_path / "areas.gpkg", COLUMNS)
    assert areas["lsoa21cd"].tolist() == ["E01990001", "E01990002", "E01990004"]
    assert report.without_code == 1


def test_a_heading_met_letter_by_letter_comes_first(tmp_path, named):
    frame = named.assign(lsoa21cd="other")[["lsoa21cd", "LSOA21CD", "LSOA21NM", "geometry"]]
    frame.to_parquet(tmp_path / "areas.parquet")
    areas, _ = read_boundaries(tmp_path / "areas.parquet", COLUMNS)
    assert areas["lsoa21cd"].tolist() == named["LSOA21CD"].tolist()


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
