"""Statistics passed through as they stand."""

from __future__ import annotations

import pytest
from testshire import (
    AREAS,
    NORTH,
    make_contract,
    make_indicator,
    make_region,
    make_source,
)

from declarations.contracts import Contract
from declarations.errors import ConfigurationError
from indicators.compute import indicator_table
from indicators.published import statistic_table
from indicators.rates import add_rates

CODES = [a[0] for a in AREAS]
DEPRIVATION = Contract.model_validate(
    {
        "id": "deprivation",
        "title": "Deprivation",
        "specification": "made up for tests",
        "kind": "statistics",
        "columns": [{"name": "lsoa"}, {"name": "imd_score", "type": "number"}],
        "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
    }
)
SCORE = make_indicator(
    id="T03", name="score", kind="statistic", statistic="imd_score", numerator=None,
    denominator=None, interval="none", unit="score", additivity="none",
    outputs=[{"level": "lsoa21", "window": "latest"}],
)  # fmt: skip


@pytest.fixture
def statistics(con):
    def write(rows, admitted):
        con.execute(
            "CREATE OR REPLACE TABLE statistics (source_id VARCHAR, period VARCHAR, "
            "lsoa21cd VARCHAR, statistic VARCHAR, value DOUBLE)"
        )
        con.executemany("INSERT INTO statistics VALUES (?, ?, ?, ?, ?)", rows)
        con.execute("CREATE OR REPLACE TABLE admitted (source_id VARCHAR, period VARCHAR)")
        if admitted:
            con.executemany("INSERT INTO admitted VALUES (?, ?)", admitted)

    return write


def records(relation):
    return [dict(zip(relation.columns, r, strict=True)) for r in relation.fetchall()]


def once(**more):
    return make_region(
        [DEPRIVATION], [make_source("iod", "deprivation", "once", period="2025-10", **more)]
    )


def test_a_statistic_is_passed_through_as_it_stands(con, statistics):
    rows = [("iod", "2025-10", code, "imd_score", 10.5 + i) for i, code in enumerate(CODES[:4])]
    rows += [("iod", "2025-10", CODES[4], "imd_decile", 3.0)]
    statistics(rows, [("iod", "")])
    got = records(statistic_table(con, SCORE, once(), "statistics", "areas", "admitted"))
    assert [r["value"] for r in got] == [10.5, 11.5, 12.5, 13.5, None]
    assert [r["value_status"] for r in got] == [None] * 4 + ["[x]"]
    assert {r["period_label"] for r in got} == {"October 2025"}
    assert {(r["numerator"], r["lower_ci"], r["ci_method"]) for r in got} == {(None, None, "none")}


def test_a_statistic_that_was_not_admitted_is_not_published(con, statistics):
    statistics([("iod", "2025-10", c, "imd_score", 1.0) for c in CODES], [])
    got = records(statistic_table(con, SCORE, once(), "statistics", "areas", "admitted"))
    assert [r["value"] for r in got] == [None] * 5


def test_a_repeated_statistic_takes_its_last_admitted_delivery(con, statistics):
    declared = make_region([DEPRIVATION], [make_source("iod", "deprivation", "quarterly")])
    rows = [("iod", p, c, "imd_score", v) for c in CODES for p, v in
            (("2025-03", 1.0), ("2025-06", 2.0), ("2025-09", 3.0))]  # fmt: skip
    statistics(rows, [("iod", "2025-03"), ("iod", "2025-06")])
    got = records(statistic_table(con, SCORE, declared, "statistics", "areas", "admitted"))
    assert {(r["period_label"], r["value"]) for r in got} == {("June 2025", 2.0)}


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (make_region([DEPRIVATION], [make_source("iod", "deprivation", "once")]), "period"),
        (make_region([], []), "imd_score"),
    ],
)
def test_a_statistic_without_date_or_source_is_refused(con, statistics, declared, words):
    statistics([("iod", "2025-10", CODES[0], "imd_score", 1.0)], [])
    with pytest.raises(ConfigurationError, match=words):
        statistic_table(con, SCORE, declared, "statistics", "areas", "admitted")


def test_a_counted_indicator_is_refused(con, statistics):
    statistics([("iod", "2025-10", CODES[0], "imd_score", 1.0)], [])
    with pytest.raises(ConfigurationError, match="T01 is no published statistic"):
        statistic_table(con, make_indicator(), once(), "statistics", "areas", "admitted")


def test_rows_stack_with_those_of_rates(con, fill, statistics):
    census = make_contract("census_table", {"households": "stock"}, kind="values")
    declared = make_region(
        [census, DEPRIVATION],
        [
            make_source("census", "census_table", "once", period="2021-03"),
            make_source("iod", "deprivation", "once", period="2025-10"),
        ],
    )
    whole = make_indicator(
        kind="count", numerator="households", denominator=None, additivity="stock",
        outputs=[{"level": "lsoa21", "window": "latest"}],
    )  # fmt: skip
    fill(
        [("census", "2021-03", c, NORTH, "households", "all", 500) for c in CODES], [("census", "")]
    )
    indicator_table(con, whole, declared, "counts", "areas", "admitted").create("terms")
    rated = add_rates(con, "terms", whole)
    statistics([("iod", "2025-10", c, "imd_score", 1.0) for c in CODES], [("iod", "")])
    passed = statistic_table(con, SCORE, declared, "statistics", "areas", "admitted")
    assert rated.columns == passed.columns
    assert rated.types == passed.types
