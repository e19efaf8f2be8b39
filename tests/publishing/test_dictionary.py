"""Every table and column of a release is described, once."""

import pytest

from publishing.dictionary import QUALITY_TABLES, RELEASE_TABLES
from publishing.views import VIEWS

ALL_TABLES = {**RELEASE_TABLES, **QUALITY_TABLES}
MEASURED = ("BIGINT", "INTEGER", "DOUBLE")
UNITLESS = {"multiplier"}


def test_the_release_has_the_declared_tables():
    assert set(RELEASE_TABLES) == {
        "areas", "indicators", "observations", "combined_observations", "accounting", "lineage",
        "notes", "area_lookups", "area_neighbours", "series_breaks", "smoothed_figures", "trends",
        "comparisons", "inequality", "index_ranks", "index_components", "index_sensitivity",
        "hotspots", "need_and_service",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL_TABLES)
def test_every_table_and_column_is_described(name):
    table = ALL_TABLES[name]
    assert table.description.endswith(".")
    for column in table.columns:
        assert column.description.endswith("."), column.name
        if column.type in MEASURED and column.name not in UNITLESS:
            assert column.unit, column.name
    assert set(table.key) <= set(table.column_names)
    assert len(set(table.column_names)) == len(table.columns)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_describes_its_columns(name):
    assert VIEWS[name].description
    assert all(text.endswith(".") for _, text in VIEWS[name].columns)
