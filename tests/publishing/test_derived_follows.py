"""What is made from published figures can be made again from the published files alone.

So it tells nothing that they do not. Every table is made again from a release's CSV files, without
anything of the region's own data, and held against each of its formats; that a difference would be
seen is shown by planting one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exposed_region import rows_of_release

from declarations.declared import RegionDeclarations
from indicators.derived.reading import RATE_SCHEMA
from indicators.rates import add_rates
from indicators.tables import RATE_COLUMNS
from publishing.conform import conform
from publishing.derived import DERIVED_OBSERVATIONS, DERIVED_TABLES
from publishing.derived.stage import AREA_ROWS, NEIGHBOUR_ROWS, OPEN_COUNTS, SHOWN, derived_tables
from publishing.dictionary import RELEASE_TABLES
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace

Released = tuple[Workspace, ReleaseOutcome]


def read_csv(con: duckdb.DuckDBPyConnection, folder: Path, name: str, table: str) -> None:
    con.execute(f"CREATE TABLE {table} AS FROM read_csv('{folder / 'csv' / name}.csv')")


def made_again(folder: Path, declared: RegionDeclarations) -> dict[str, pa.Table]:
    """Make every derived table from the files of a release."""
    counted = [i for i in declared.indicators.values() if i.counted]
    assert {i.kind for i in declared.indicators.values()} <= {"rate", "share", "composite"}
    with duckdb.connect() as con:
        read_csv(con, folder, "observations", "observations")
        read_csv(con, folder, "areas", AREA_ROWS)
        read_csv(con, folder, "area_neighbours", NEIGHBOUR_ROWS)
        con.execute(
            f"CREATE TABLE {OPEN_COUNTS} (lsoa21cd VARCHAR, measure VARCHAR, category VARCHAR, "
            "value BIGINT)"
        )
        con.execute(
            f"""
            CREATE TABLE counts AS
            SELECT o.* EXCLUDE (value, lower_ci, upper_ci, ci_method, value_status, unit),
                   coalesce(o.value_status LIKE '%[e]%', false) AS estimated,
                   coalesce(o.value_status LIKE '%[x]%', false) AS missing, a.lad24cd
            FROM observations o
            JOIN (SELECT lsoa21cd AS code, lad24cd FROM {AREA_ROWS}
                  UNION SELECT msoa21cd, lad24cd FROM {AREA_ROWS}
                  UNION SELECT lad24cd, lad24cd FROM {AREA_ROWS}) a ON a.code = o.geography_code
            WHERE list_contains(?, o.indicator_id)
            """,
            [[i.id for i in counted]],
        )
        rates = add_rates(con, "counts", counted).select(RATE_COLUMNS)
        con.register("rates", rates.to_arrow_table().cast(RATE_SCHEMA))
        con.execute(f"CREATE TABLE {SHOWN} AS FROM rates")
        breaks = [tuple(row.values()) for row in rows_of_release(folder, "series_breaks")]
        return derived_tables(con, declared, breaks, has_buffer=False)  # type: ignore[arg-type]


def published(folder: Path, name: str) -> Iterator[tuple[str, pa.Table]]:
    """Yield a table as each format of a release has it."""
    wanted = RELEASE_TABLES[name]
    yield "parquet", pq.read_table(folder / "parquet" / f"{name}.parquet")
    with duckdb.connect(str(folder / "lsoalink.duckdb"), read_only=True) as con:
        yield "duckdb", con.execute(f"FROM {name}").to_arrow_table()
    with (folder / "csv" / f"{name}.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    texts = pa.Table.from_pylist(rows, schema=pa.schema([(c, pa.string()) for c in
                                                         wanted.column_names]))  # fmt: skip
    yield "csv", texts


def differences(folder: Path, again: dict[str, pa.Table]) -> list[str]:
    """Return every table of a release that is not the one made again."""
    found = []
    for name in DERIVED_TABLES:
        wanted = conform(again[name], RELEASE_TABLES[name])
        for form, table in published(folder, name):
            same = conform(table, RELEASE_TABLES[name])
            if same.replace_schema_metadata() != wanted.replace_schema_metadata():
                found.append(f"{form}/{name}")
    return found


@pytest.fixture(scope="module")
def again(exposed: Released) -> dict[str, pa.Table]:
    return made_again(exposed[1].folder, exposed[0].declared)


def test_every_derived_table_follows_from_the_files(
    exposed: Released, again: dict[str, pa.Table]
) -> None:
    assert differences(exposed[1].folder, again) == []


def test_the_tables_hold_something(again: dict[str, pa.Table]) -> None:
    full = {name for name in DERIVED_TABLES if again[name].num_rows}
    assert full >= {
        "smoothed_figures", "comparisons", "index_ranks", "index_components",
        "index_sensitivity", "hotspots",
    }  # fmt: skip


def test_indices_among_the_figures_follow_too(
    exposed: Released, again: dict[str, pa.Table]
) -> None:
    decimals = {i.id: i.decimals for i in exposed[0].declared.indicators.values()}
    made = {
        (r["indicator_id"], r["geography_code"], str(r["period_end"])): r
        for r in again[DERIVED_OBSERVATIONS.name].to_pylist()
    }
    told = [
        r for r in rows_of_release(exposed[1].folder, "observations")
        if (r["indicator_id"], r["geography_code"], r["period_end"]) in made
    ]  # fmt: skip
    assert len(told) == len(made) > 0
    for row in told:
        other = made[row["indicator_id"], row["geography_code"], row["period_end"]]
        for figure in ("value", "lower_ci", "upper_ci"):
            wanted = other[figure]
            places = decimals[row["indicator_id"]]
            assert (
                row[figure] == ""
                if wanted is None
                else float(row[figure]) == pytest.approx(wanted, abs=0.51 * 10**-places)
            )


def test_a_figure_that_does_not_follow_is_found(
    exposed: Released, again: dict[str, pa.Table]
) -> None:
    ranks = again["index_ranks"]
    scores: list[Any] = ranks.column("score").to_pylist()
    known = next(i for i, score in enumerate(scores) if score is not None)
    scores[known] += 0.001
    place = ranks.schema.get_field_index("score")
    planted = ranks.set_column(place, "score", pa.array(scores, pa.float64()))

    found = differences(exposed[1].folder, {**again, "index_ranks": planted})

    assert found == ["parquet/index_ranks", "duckdb/index_ranks", "csv/index_ranks"]
