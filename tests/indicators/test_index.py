"""Statistics passed through, and composites fed with what is published."""

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
from indicators.composite import rank_exponential
from indicators.compute import indicator_table
from indicators.index import composite_table, statistic_table
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
    denominator=None, interval="none", unit="score",
    outputs=[{"level": "lsoa21", "window": "latest"}],
)  # fmt: skip


def part(indicator, weight=1, worse="high"):
    return {
        "indicator": indicator, "component": "need", "weight": weight, "worse": worse,
        "rationale": "test",
    }  # fmt: skip


def index_of(*parts, window="latest"):
    return make_indicator(
        id="T09", name="risk", kind="composite", components=list(parts), numerator=None,
        denominator=None, interval="none", unit="score, 0 to 100",
        outputs=[{"level": "lsoa21", "window": window}],
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


@pytest.fixture
def rates(con):
    """Write published LSOA values: (indicator, first month, last month, values, status)."""

    def write(*series):
        con.execute(
            "CREATE OR REPLACE TABLE rates (indicator_id VARCHAR, geography_type VARCHAR, "
            "geography_code VARCHAR, period_start DATE, period_end DATE, value DOUBLE, "
            "value_status VARCHAR)"
        )
        for indicator, start, end, values, status in series:
            con.executemany(
                "INSERT INTO rates VALUES (?, 'lsoa21', ?, ?, ?, ?, ?)",
                [
                    (indicator, c, start, end, v, "[c]" if v is None else status)
                    for c, v in zip(CODES, values, strict=True)
                ],
            )
        con.execute(
            "INSERT INTO rates VALUES ('A01', 'lad24', ?, '2025-01-01', '2025-12-31', 9e9, NULL)",
            [NORTH],
        )

    return write


def test_a_composite_takes_each_input_at_its_last_period_with_values(con, rates):
    rates(
        ("A01", "2024-01-01", "2024-12-31", [5, 4, 3, 2, 1], None),
        ("A01", "2025-01-01", "2025-12-31", [1, 2, 3, 4, 5], None),
        ("A02", "2021-03-01", "2021-03-31", [1, 2, 3, 4, 5], "[e]"),
        ("A02", "2025-03-01", "2025-03-31", [None] * 5, None),
    )
    declared = make_region([], [])
    got = records(
        composite_table(con, index_of(part("A01"), part("A02")), declared, "rates", "areas")
    )
    assert [r["geography_code"] for r in got] == CODES
    expected = rank_exponential([1, 2, 3, 4, 5], 5)
    assert [r["value"] for r in got] == pytest.approx(list(expected))
    assert {r["value_status"] for r in got} == {"[e]"}
    assert {(str(r["period_start"]), str(r["period_end"])) for r in got} == {
        ("2021-03-01", "2025-12-31")
    }
    assert {r["period_label"] for r in got} == {"Latest figures to December 2025"}


def test_a_yearly_composite_sees_nothing_later_than_its_year(con, rates):
    rates(
        ("A01", "2024-01-01", "2024-12-31", [5, 4, 3, 2, 1], None),
        ("A01", "2025-01-01", "2025-12-31", [1, 2, 3, 4, 5], None),
    )
    declared = make_region([], [], first_period="2024-01")
    got = records(
        composite_table(con, index_of(part("A01"), window="year"), declared, "rates", "areas")
    )
    worst = {
        r["period_label"]: r["geography_code"] for r in got if r["value"] == pytest.approx(100)
    }
    assert worst == {
        "January to December 2024": CODES[0],
        "January to December 2025": CODES[4],
    }


def test_missing_inputs_are_noted_and_too_few_give_no_score(con, rates):
    rates(
        ("A01", "2025-01-01", "2025-12-31", [1, 2, 3, None, 5], None),
        ("A02", "2025-01-01", "2025-12-31", [1, 2, None, 4, 5], None),
    )
    got = records(
        composite_table(
            con, index_of(part("A01", 3), part("A02", 1)), make_region([], []), "rates", "areas"
        )
    )
    assert [r["note_id"] for r in got] == [None, None, "fewer_inputs", None, None]
    assert [r["value_status"] for r in got] == [None, None, None, "[x]", None]
    assert [r["missing"] for r in got] == [False, False, False, True, False]


def test_without_any_input_every_area_is_missing(con, rates):
    rates()
    got = records(
        composite_table(con, index_of(part("A07")), make_region([], []), "rates", "areas")
    )
    assert [r["value_status"] for r in got] == ["[x]"] * 5


def test_all_kinds_of_rows_stack(con, fill, statistics, rates):
    census = make_contract("census_table", {"households": "stock"}, kind="values")
    declared = make_region(
        [census, DEPRIVATION],
        [
            make_source("census", "census_table", "once", period="2021-03"),
            make_source("iod", "deprivation", "once", period="2025-10"),
        ],
    )
    whole = make_indicator(
        numerator={"measures": ["households"]}, outputs=[{"level": "lsoa21", "window": "latest"}]
    )
    fill(
        [("census", "2021-03", c, NORTH, "households", "all", 500) for c in CODES], [("census", "")]
    )
    terms = indicator_table(con, whole, declared, "counts", "areas", "admitted")
    terms.create("terms")
    rated = add_rates(con, "terms", whole)
    statistics([("iod", "2025-10", c, "imd_score", 1.0) for c in CODES], [("iod", "")])
    passed = statistic_table(con, SCORE, declared, "statistics", "areas", "admitted")
    rates()
    index = composite_table(con, index_of(part("A01")), declared, "rates", "areas")
    assert rated.columns == passed.columns == index.columns
    assert rated.types == passed.types == index.types


def test_an_indicator_of_another_kind_is_refused(con, statistics, rates):
    statistics([("iod", "2025-10", CODES[0], "imd_score", 1.0)], [])
    rates()
    with pytest.raises(ConfigurationError, match="T01 is no published statistic"):
        statistic_table(con, make_indicator(), once(), "statistics", "areas", "admitted")
    with pytest.raises(ConfigurationError, match="T01 is no composite"):
        composite_table(con, make_indicator(), once(), "rates", "areas")
