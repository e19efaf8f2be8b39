"""The whole bundle: which files, what they say, and that they say it again."""

import datetime as dt
import json

import duckdb
import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest

from declarations.errors import GeographyError, StorageError
from publishing.bundle import write_bundle
from publishing.dictionary import RELEASE_TABLES
from publishing.facts import SYNTHETIC_RECORDS, WHOLLY_SYNTHETIC, synthetic_words
from publishing.manifest import hash_file, verify_bundle

FILES = {
    "lsoalink.duckdb", "lsoalink.gpkg", "map.html", "quality.html", "manifest.json",
    "certificate.json",
    *(f"parquet/{t}.parquet" for t in RELEASE_TABLES),
    *(f"csv/{t}.csv" for t in RELEASE_TABLES),
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, tables, quality, borders, region, release):
    folder = tmp_path_factory.mktemp("release") / "new"
    hashes = write_bundle(
        folder, {**tables, **quality}, borders, region, release,
        extra_files={"certificate.json": b"{}\n"},
    )  # fmt: skip
    return folder, hashes


@pytest.fixture
def connection(bundle):
    with duckdb.connect(bundle[0] / "lsoalink.duckdb", read_only=True) as con:
        yield con


def test_every_file_is_there_and_hashed(bundle):
    folder, hashes = bundle
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert present == set(hashes) == FILES
    assert all(hash_file(folder / name) == value for name, value in hashes.items())
    assert verify_bundle(folder) == []


def test_every_table_view_and_column_has_a_comment(connection):
    uncommented = connection.sql(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND "
        "coalesce(comment, '') = '' "
        "UNION ALL SELECT table_name, '' FROM duckdb_tables() WHERE coalesce(comment, '') = '' "
        "UNION ALL SELECT view_name, '' FROM duckdb_views() WHERE NOT internal "
        "AND coalesce(comment, '') = ''"
    ).fetchall()
    assert uncommented == []
    (count,) = connection.sql("SELECT count(*) FROM duckdb_tables()").fetchone()
    assert count == len(RELEASE_TABLES)


def test_the_duckdb_file_opens_with_older_engines(connection):
    tags = connection.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchone()[0]
    assert tags["storage_version"].startswith("v1.4.0")


def test_duckdb_holds_the_tables_in_order(connection, tables):
    for name, table in RELEASE_TABLES.items():
        rows = connection.table(name).fetchall()
        assert len(rows) == tables[name].num_rows
        places = [table.column_names.index(k) for k in table.key]
        keys = [tuple(r[p] for p in places) for r in rows]
        assert keys == sorted(keys)


def test_latest_observations_holds_the_latest_period_only(connection):
    ends = connection.sql(
        "SELECT DISTINCT geography_type, period_end FROM latest_observations ORDER BY ALL"
    ).fetchall()
    assert ends == [
        ("lad24", dt.date(2026, 9, 30)),
        ("lsoa21", dt.date(2026, 10, 31)),
        ("msoa21", dt.date(2026, 10, 31)),
    ]


def test_coverage_counts_hidden_and_shown(connection, tables):
    total, shown, hidden = connection.sql(
        "SELECT sum(areas), sum(areas_with_value), sum(areas_hidden) FROM coverage"
    ).fetchone()
    status = tables["observations"].column("value_status").to_pylist()
    value = tables["observations"].column("value")
    assert (total, hidden) == (len(status), status.count("[c]"))
    assert shown == len(value) - value.null_count


def test_everything_synthetic_says_so(bundle, connection):
    folder, _ = bundle
    comments = connection.sql(
        "SELECT comment FROM duckdb_tables() UNION ALL "
        "SELECT comment FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    assert all(WHOLLY_SYNTHETIC in c for (c,) in comments)
    for name in RELEASE_TABLES:
        text = pq.read_schema(folder / "parquet" / f"{name}.parquet").metadata[b"lsoalink"]
        assert json.loads(text)["synthetic"] == WHOLLY_SYNTHETIC
    for layer in ("lsoa21", "lsoa21_latest", "lsoa21_latest_columns"):
        info = pyogrio.read_info(folder / "lsoalink.gpkg", layer=layer)
        assert info["layer_metadata"]["synthetic"] == WHOLLY_SYNTHETIC
        assert info["dataset_metadata"]["synthetic"] == WHOLLY_SYNTHETIC
    for page in ("map.html", "quality.html"):
        assert WHOLLY_SYNTHETIC in (folder / page).read_text()
    assert json.loads((folder / "manifest.json").read_text())["synthetic"] == WHOLLY_SYNTHETIC


def test_synthetic_words_follow_the_region(region):
    assert synthetic_words(region) == WHOLLY_SYNTHETIC
    records = region.model_copy(update={"synthetic": "records"})
    assert synthetic_words(records) == SYNTHETIC_RECORDS
    real = region.model_copy(update={"synthetic": "no"})
    assert synthetic_words(real) == ""


def test_the_geopackage_holds_borders_and_latest_figures(bundle, borders, tables):
    path = bundle[0] / "lsoalink.gpkg"
    areas = gpd.read_file(path, layer="lsoa21")
    assert areas.crs.to_epsg() == 27700
    assert areas.area.sum() == pytest.approx(borders.area.sum())
    assert areas["lsoa21cd"].tolist() == sorted(borders["lsoa21cd"])
    wide = gpd.read_file(path, layer="lsoa21_latest").set_index("lsoa21cd")
    wanted = [
        r
        for r in tables["observations"].to_pylist()
        if (r["indicator_id"], r["geography_type"]) == ("H01", "lsoa21")
        and r["period_end"] == dt.date(2026, 10, 31)
    ]
    assert len(wanted) == len(wide)
    for row in wanted:
        found = wide.loc[row["geography_code"]]
        if row["value"] is None:
            assert found["h01_status"] == row["value_status"]
            assert found["h01_value"] != found["h01_value"]
        else:
            assert found["h01_value"] == pytest.approx(row["value"])
    columns = gpd.read_file(path, layer="lsoa21_latest_columns")
    assert set(columns["column_name"]) == set(wide.columns) - {
        "lsoa21nm", "msoa21cd", "lad24cd", "lad24nm", "geometry",
    }  # fmt: skip


def test_the_same_tables_give_the_same_bytes(
    bundle, tmp_path, tables, quality, borders, region, release
):
    turned = {k: v.take(np.arange(len(v))[::-1]) for k, v in {**tables, **quality}.items()}
    again = write_bundle(
        tmp_path, turned, borders.iloc[::-1], region, release,
        extra_files={"certificate.json": b"{}\n"},
    )  # fmt: skip
    # DuckDB gives each file a random identifier, which the manifest then records.
    same = FILES - {"lsoalink.duckdb", "manifest.json"}
    assert {n: again[n] for n in same} == {n: bundle[1][n] for n in same}


def test_counts_of_single_deliveries_are_not_published(bundle):
    folder, _ = bundle
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".csv", ".json"):
            text = path.read_text()
            assert "1,187" not in text, path.name
            assert "1187" not in text, path.name
            assert "keyworker_notes" not in text, path.name


def test_a_folder_in_use_is_refused(tmp_path, tables, borders, region, release):
    (tmp_path / "old.txt").write_text("x")
    with pytest.raises(StorageError, match="not empty"):
        write_bundle(tmp_path, tables, borders, region, release)


@pytest.mark.parametrize("name", ["manifest.json", "../escape.txt", "map.html", "csv/x.csv"])
def test_an_extra_file_cannot_take_a_place(tmp_path, tables, borders, region, release, name):
    with pytest.raises(StorageError, match="cannot be added"):
        write_bundle(tmp_path, tables, borders, region, release, extra_files={name: b""})


def test_an_area_without_a_border_is_refused(tmp_path, tables, borders, region, release):
    with pytest.raises(GeographyError, match=r"2 area\(s\)"):
        write_bundle(tmp_path, tables, borders.iloc[2:], region, release)


def test_borders_in_degrees_are_refused(tmp_path, tables, borders, region, release):
    with pytest.raises(GeographyError, match="27700"):
        write_bundle(tmp_path, tables, borders.to_crs(4326), region, release)


def test_a_release_without_figures_still_publishes(tmp_path, tables, borders, region, release):
    empty = {**tables, "observations": tables["observations"].slice(0, 0)}
    write_bundle(tmp_path, empty, borders, region, release)
    assert "no figures to map" in (tmp_path / "map.html").read_text()


def test_an_all_null_column_is_written(tmp_path, tables, borders, region, release):
    areas = tables["areas"]
    nulls = areas.set_column(areas.column_names.index("wd24cd"), "wd24cd", pa.nulls(areas.num_rows))
    write_bundle(tmp_path, {**tables, "areas": nulls}, borders, region, release)
    assert pq.read_table(tmp_path / "parquet" / "areas.parquet")["wd24cd"].null_count == len(areas)
