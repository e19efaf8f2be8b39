"""Shared by the geography tests: a tiny region, and the real open data where it is to be had."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

A, B, C, D = "E01990001", "E01990002", "E01990003", "E01990004"
MERGED, COMPLEX = "E01990005", "E01990006"
OUTSIDE = "E01000001"


@pytest.fixture
def con():
    """An empty database in memory."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        yield connection


@pytest.fixture
def region(con):
    """Six areas, A to D unit squares of 1 km; lookups of every kind; one area known outside."""
    con.execute(f"""
CREATE TABLE areas AS SELECT * FROM (VALUES
    ('{A}', 'E08990001'), ('{B}', 'E08990001'), ('{C}', 'E08990002'), ('{D}', 'E08990002'),
    ('{MERGED}', 'E08990002'), ('{COMPLEX}', 'E08990002')) t(lsoa21cd, lad24cd);
CREATE TABLE changes AS SELECT lsoa11cd, lsoa21cd, chgind, CAST(weight AS BIGINT) AS weight
FROM (VALUES
    ('{A}', '{A}', 'U', 1), ('{D}', '{D}', 'U', 1),
    ('E01980001', '{B}', 'S', 100), ('E01980001', '{C}', 'S', 200),
    ('E01980002', '{MERGED}', 'M', 1), ('E01980003', '{MERGED}', 'M', 1),
    ('E01980004', '{COMPLEX}', 'X', NULL), ('E01980005', '{COMPLEX}', 'X', NULL),
    ('E01980004', 'E01000009', 'X', NULL),
    ('{OUTSIDE}', '{OUTSIDE}', 'U', 1)) t(lsoa11cd, lsoa21cd, chgind, weight);
CREATE TABLE known AS SELECT lsoa21cd FROM areas UNION ALL SELECT 'E01000002';
CREATE TABLE postcodes AS SELECT * FROM (VALUES
    ('QA4 7XB', NULL, '{A}', NULL, NULL, NULL),
    ('QA1 1AA', '202403', '{B}', NULL, NULL, NULL),
    ('QA10 1AA', NULL, '{D}', NULL, NULL, NULL),
    ('QZ1 1AA', NULL, '{OUTSIDE}', NULL, NULL, NULL),
    ('QA2 1AA', NULL, NULL, NULL, NULL, NULL),
    ('QB1 1AA', NULL, NULL, '{A}', NULL, NULL),
    ('QB1 1AB', NULL, NULL, 'E01980002', NULL, NULL),
    ('QB1 1AD', NULL, NULL, 'E01980001', 401500, 300500),
    ('QB1 1AE', NULL, NULL, 'E01980001', 400500, 300500),
    ('QB1 1AF', NULL, NULL, 'E01980001', NULL, NULL),
    ('QB1 1AG', NULL, NULL, 'E01980004', NULL, NULL)
) t(pcds, doterm, lsoa21cd, lsoa11cd, easting, northing);
CREATE TABLE uprns AS SELECT * FROM (VALUES
    ('099900000001', '{A}'), ('99900000002', '{B}'), ('099900000003', '{OUTSIDE}')
) t(uprn, lsoa21cd);
CREATE TABLE oas AS SELECT * FROM (VALUES
    ('E00990001', '{A}'), ('E00990002', '{OUTSIDE}')) t(oa21cd, lsoa21cd);
CREATE TABLE practices AS SELECT practice_code, lsoa21cd, CAST(patients AS BIGINT) AS patients
FROM (VALUES
    ('Q99001', '{A}', 1), ('Q99001', '{B}', 1), ('Q99001', '{OUTSIDE}', 1),
    ('Q99002', '{OUTSIDE}', 5), ('Q99003', '{A}', 0)) t(practice_code, lsoa21cd, patients);
""")
    return con


@pytest.fixture(scope="session")
def squares():
    """Areas A, B, C, D: kilometre squares from left to right, from (400000, 300000)."""
    import geopandas
    from shapely.geometry import box

    return geopandas.GeoDataFrame(
        {"lsoa21cd": [A, B, C, D]},
        geometry=[box(400_000 + 1000 * i, 300_000, 401_000 + 1000 * i, 301_000) for i in range(4)],
        crs=27700,
    )


@pytest.fixture(scope="session")
def locator(squares):
    from geography.points import PointLocator

    return PointLocator(squares)


@pytest.fixture(scope="session")
def open_data() -> Path:
    """The folder of real published files."""
    given = os.environ.get("LSOALINK_OPEN_DATA")
    repository = Path(__file__).resolve().parents[2]
    folder = Path(given) if given else repository.parent / "shared" / "open-data"
    if not folder.is_dir():
        pytest.skip("the folder of real open data is not there; set LSOALINK_OPEN_DATA to it")
    return folder
