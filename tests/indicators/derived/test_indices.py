"""Composite indices from published figures: which figures serve, and what the tables say."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from shown_figures import declare_open
from testshire import AREAS, NORTH, SOUTH, make_indicator, make_region

from declarations.errors import ConfigurationError
from indicators.composite import rank_exponential
from indicators.derived.indices import COMPONENTS, RANKS, SENSITIVITY, index_tables
from indicators.derived.reading import COLUMNS, RATE_SCHEMA
from indicators.statistics.protected import Within
from indicators.statistics.shrinkage import logit

CODES = [a[0] for a in AREAS]
MSOAS = ["E02990001", "E02990002", "E02990003", "E02990004"]
DISTRICT = {a[0]: a[2] for a in AREAS} | {"E02990001": NORTH, "E02990002": NORTH,
                                          "E02990003": SOUTH, "E02990004": SOUTH}  # fmt: skip


def component(name, *inputs, weight=1):
    return {
        "name": name, "title": f"Part {name}", "weight": weight, "rationale": "test",
        "inputs": [
            {"indicator": i, "weight": w, "worse": worse, "rationale": "test"}
            for i, w, worse in inputs
        ],
    }  # fmt: skip


def index_of(*components, window="latest", **method):
    return make_indicator(
        id="T09", name="risk", kind="composite", numerator=None, denominator=None,
        interval="simulation", additivity="none", unit="score, 0 to 100",
        outputs=[{"level": "lsoa21", "window": window}],
        index={
            "components": list(components), "weights_agreed": "nobody",
            "uncertainty": {"draws": 200}, **method,
        },
    )  # fmt: skip


def only(indicator, worse="high"):
    return component("need", (indicator, 1, worse))


def input_of(identifier, kind="statistic", level="lsoa21", **more):
    """An indicator an index is made of."""
    ratio = kind in ("share", "rate")
    made = (
        {"numerator": "cases", "denominator": "people", "additivity": "stock",
         "interval": "wilson" if kind == "share" else "byar", "multiplier": 100}
        if ratio
        else {"numerator": None, "denominator": None, "statistic": identifier.lower(),
              "additivity": "none", "interval": "none"}
    )  # fmt: skip
    return make_indicator(
        id=identifier, name=f"name_{identifier.lower()}", kind=kind,
        outputs=[{"level": level, "window": "latest"}], **made, **more,
    )  # fmt: skip


@pytest.fixture
def shown(con: duckdb.DuckDBPyConnection):
    """Write published figures: (indicator, first day, last day, cells, status of what is shown).

    A cell is a value, or a pair of counts whose value is 100 times their ratio, or None. There are
    as many cells as LSOAs (5) or MSOAs (4).
    """
    con.register("schema_only", RATE_SCHEMA.empty_table())
    con.execute("CREATE TABLE shown AS SELECT * FROM schema_only")

    def write(*series):
        for identifier, start, end, cells, status in series:
            codes, level = (MSOAS, "msoa21") if len(cells) == len(MSOAS) else (CODES, "lsoa21")
            for code, cell in zip(codes, cells, strict=True):
                x, n = cell if isinstance(cell, tuple) else (None, None)
                value = 100 * x / n if x is not None else cell
                row = {
                    "indicator_id": identifier, "period_start": start, "period_end": end,
                    "geography_type": level, "geography_code": code, "lad24cd": DISTRICT[code],
                    "numerator": x, "denominator": n, "value": value,
                    "value_status": "[c]" if value is None else status,
                }  # fmt: skip
                con.execute(
                    f"INSERT INTO shown VALUES ({', '.join('?' * len(COLUMNS))})",
                    [row.get(c) for c in COLUMNS],
                )

    return write


def made(con, indicator, declared=None, **more):
    return index_tables(con, indicator, declared or make_region([], []), "shown", "areas", **more)


def column(table: pa.Table, name):
    return table.column(name).to_pylist()


YEAR = ("2025-01-01", "2025-12-31")


def test_an_index_of_two_parts_row_by_row(con, shown):
    """Skills: A01 (weight 3) and A02 (weight 1). Use: A03, whose low end is the worse.

    Each input goes from 0 to 10, so that min-max leaves the numbers as they are, tenfold.
    """
    shown(
        ("A01", *YEAR, [0, 10, 5, None, 2], None),
        ("A02", *YEAR, [10, 0, 5, 4, None], None),
        ("A03", *YEAR, [10, 0, 5, 5, None], None),
    )
    tables = made(
        con,
        index_of(
            component("skills", ("A01", 3, "high"), ("A02", 1, "high"), weight=1),
            component("use", ("A03", 1, "low"), weight=3),
            normalisation="min_max",
        ),
    )
    #        skills                use  index
    expected = [
        ((3 * 0 + 100) / 4, 0, (25 + 3 * 0) / 4),
        ((3 * 100 + 0) / 4, 100, (75 + 3 * 100) / 4),
        (50, 50, 50),
        (40, 50, (40 + 3 * 50) / 4),  # A01 is hidden: A02 stands for skills
        (20, None, None),  # a quarter of the weight is too little for an index
    ]
    parts = tables.components.to_pylist()
    of = {(r["lsoa21cd"], r["component"]): r for r in parts}
    for code, (skills, use, index) in zip(CODES, expected, strict=True):
        assert of[code, "skills"]["score"] == pytest.approx(skills)
        assert of[code, "use"]["score"] == (None if use is None else pytest.approx(use))
        row = next(r for r in tables.ranks.to_pylist() if r["lsoa21cd"] == code)
        assert row["score"] == (None if index is None else pytest.approx(index))
    assert {(r["component"], r["title"], r["weight"]) for r in parts} == {
        ("skills", "Part skills", 0.25), ("use", "Part use", 0.75),
    }  # fmt: skip
    assert of[CODES[4], "use"]["value_status"] == "[x]"
    assert column(tables.ranks, "rank") == [4, 1, 2, 3, None]
    assert column(tables.ranks, "areas") == [4] * 5
    # A01 weighs 3/4 of 1/4 of the index.
    assert column(tables.ranks, "weight_present") == pytest.approx([1, 1, 1, 13 / 16, 3 / 16])
    assert column(tables.ranks, "value_status") == [None] * 4 + ["[x]"]
    assert column(tables.figures, "note_id") == [None] * 3 + ["fewer_inputs", None]
    assert column(tables.figures, "value_status") == [None] * 4 + ["[x]"]
    assert column(tables.figures, "ci_method") == ["simulation"] * 4 + ["none"]
    assert column(tables.figures, "value") == column(tables.ranks, "score")


def test_tables_have_the_columns_they_promise(con, shown):
    shown(("A01", *YEAR, [1, 2, 3, 4, 5], None), ("A02", *YEAR, [1, 2, 3, 4, 5], None))
    two = index_of(component("need", ("A01", 1, "high")), component("use", ("A02", 1, "high")))
    tables = made(con, two)
    assert tables.figures.schema == RATE_SCHEMA
    assert tables.ranks.schema == RANKS
    assert tables.components.schema == COMPONENTS
    assert tables.sensitivity.schema == SENSITIVITY
    kinds = list(zip(column(tables.sensitivity, "kind"), column(tables.sensitivity, "name"),
                     strict=True))  # fmt: skip
    assert kinds == [
        ("input", "A01"), ("input", "A02"), ("weight", "A01"), ("weight", "A02"),
        ("leave_one_out", "need"), ("leave_one_out", "use"),
    ]  # fmt: skip
    # Both inputs say the same, so nothing that is done to one changes the order.
    assert set(column(tables.sensitivity, "kendall_tau")) == {1.0}
    assert set(column(tables.sensitivity, "mean_rank_change")) == {0.0}
    assert column(tables.sensitivity, "title")[-1] == "Part use"


def test_each_input_serves_with_its_last_period_with_values(con, shown):
    shown(
        ("A01", "2024-01-01", "2024-12-31", [5, 4, 3, 2, 1], None),
        ("A01", *YEAR, [1, 2, 3, 4, 5], None),
        ("A01", "2025-12-01", "2025-12-31", [9, 9, 9, 9, 9], None),  # the year is steadier
        ("A02", "2021-03-01", "2021-03-31", [1, 2, 3, 4, 5], "[e]"),
        ("A02", "2025-03-01", "2025-03-31", [None] * 5, None),
    )
    figures = made(con, index_of(component("need", ("A01", 1, "high"), ("A02", 1, "high")))).figures
    assert column(figures, "geography_code") == CODES
    assert column(figures, "value") == pytest.approx(list(rank_exponential([1, 2, 3, 4, 5], 5)))
    assert set(column(figures, "value_status")) == {"[e]"}
    assert {str(d) for d in column(figures, "period_start")} == {"2021-03-01"}
    assert {str(d) for d in column(figures, "period_end")} == {"2025-12-31"}
    assert set(column(figures, "period_label")) == {"Latest figures to December 2025"}


def test_a_yearly_index_sees_nothing_later_than_its_year(con, shown):
    shown(
        ("A01", "2024-01-01", "2024-12-31", [5, 4, 3, 2, 1], None),
        ("A01", *YEAR, [1, 2, 3, 4, 5], None),
    )
    declared = make_region([], [], first_period="2024-01")
    rows = made(con, index_of(only("A01"), window="year"), declared).figures.to_pylist()
    worst = {r["period_label"]: r["geography_code"] for r in rows if r["value"] > 99.9}
    assert worst == {
        "January to December 2024": CODES[0],
        "January to December 2025": CODES[4],
    }


def test_an_input_of_msoas_serves_all_of_their_neighbourhoods_alike(con, shown):
    """The first two neighbourhoods share an MSOA, so they are drawn together and never differ."""
    declared = make_region([], [], [input_of("A01", "share", "msoa21")])
    shown(
        ("A01", *YEAR, [(40, 200), (30, 200), (60, 200), None], None),
        ("A01", *YEAR, [(1, 2)] * 5, None),  # not what the indicator declares
    )
    ranks = made(con, index_of(only("A01")), declared).ranks.to_pylist()
    assert [r["rank"] for r in ranks] == [2.5, 2.5, 4, 1, None]
    first, second = ranks[0], ranks[1]
    assert (first["rank_low"], first["rank_high"]) == (second["rank_low"], second["rank_high"])
    assert first["p_worst_fifth"] == second["p_worst_fifth"]


def test_counts_are_unsure_and_statistics_are_not(con, shown):
    declared = make_region([], [], [input_of("A01", "share"), input_of("A02")])
    counts = [(30, 100), (35, 100), (40, 100), (45, 100), (50, 100)]
    shown(("A01", *YEAR, counts, None), ("A02", *YEAR, [30, 35, 40, 45, 50], None))
    unsure = made(con, index_of(only("A01")), declared).ranks.to_pylist()
    sure = made(con, index_of(only("A02")), declared).ranks.to_pylist()
    assert all(r["rank_low"] == r["rank_high"] == r["rank"] for r in sure)
    assert [r["p_worst_fifth"] for r in sure] == [0, 0, 0, 0, 1]
    assert all(r["rank_low"] < r["rank_high"] for r in unsure)
    assert [r["class"] for r in sure] == ["clearly not in the worst fifth"] * 4 + [
        "clearly worst fifth"
    ]
    assert "may be in the worst fifth" in {r["class"] for r in unsure}


@pytest.mark.parametrize("kind", ["share", "rate"])
def test_the_chance_of_being_the_worst_is_that_of_exact_posteriors(con, shown, kind):
    """Two areas far from all others: which of them is the worst is a matter of two posteriors."""
    declared = make_region([], [], [input_of("A01", kind)])
    shown(("A01", *YEAR, [(5, 400), (5, 400), (5, 400), (100, 400), (110, 400)], None))
    method = {"uncertainty": {"draws": 5000, "vary_normalisation": False}}
    ranks = made(con, index_of(only("A01"), **method), declared).ranks.to_pylist()
    rng = np.random.default_rng(1)
    # The published counts stand for any of the five that round to them.
    fourth, fifth = (x + rng.integers(-2, 3, 400_000) + 0.5 for x in (100, 110))
    if kind == "share":
        drawn = stats.beta.rvs(fourth, 401 - fourth, random_state=rng) < stats.beta.rvs(
            fifth, 401 - fifth, random_state=rng
        )
    else:
        drawn = rng.gamma(fourth) < rng.gamma(fifth)
    assert ranks[4]["p_worst_fifth"] == pytest.approx(drawn.mean(), abs=0.02)
    assert ranks[3]["p_worst_fifth"] == pytest.approx(1 - drawn.mean(), abs=0.02)


def test_counts_of_open_data_are_as_unsure_as_others(con, shown):
    """They are rounded like any others before they are published."""
    shown(("A01", *YEAR, [(30, 100), (35, 100), (40, 100), (45, 100), (50, 100)], None))
    closed, opened = make_region([], [], [input_of("A01", "share")]), declare_open(
        input_of("A01", "share")
    )  # fmt: skip
    assert all(opened.is_open.values())
    assert made(con, index_of(only("A01")), opened) == made(con, index_of(only("A01")), closed)


@pytest.mark.parametrize("kind", ["share", "rate"])
def test_the_lowest_count_shown_stands_for_no_hidden_one(con, shown, kind):
    """A published 5 is 5 to 7, since 3 and 4 are hidden; a 10 is 8 to 12."""
    declared = make_region([], [], [input_of("A01", kind)])
    shown(("A01", *YEAR, [(200, 400), (210, 400), (220, 400), (5, 400), (10, 400)], None))
    method = {"uncertainty": {"draws": 5000, "vary_normalisation": False}}
    index = index_of(component("need", ("A01", 1, "low")), **method)
    ranks = made(con, index, declared).ranks.to_pylist()
    rng = np.random.default_rng(1)
    five, ten = rng.integers(5, 8, 400_000) + 0.5, rng.integers(8, 13, 400_000) + 0.5
    if kind == "share":
        drawn = rng.beta(five, 401 - five) < rng.beta(ten, 401 - ten)
    else:
        drawn = rng.gamma(five) < rng.gamma(ten)
    assert ranks[3]["p_worst_fifth"] == pytest.approx(drawn.mean(), abs=0.02)


def test_shrinkage_draws_values_to_their_district(con, shown):
    """The scores are those of the shrunk shares, whatever is published of the raw ones."""
    counts = [(5, 10), (100, 1000), (120, 1000), (200, 1000), (210, 1000)]
    declared = make_region([], [], [input_of("A01", "share", minimum_denominator=0)])
    shown(("A01", *YEAR, counts, None))
    plain = made(con, index_of(only("A01")), declared)
    assert column(plain.ranks, "rank") == [1, 5, 4, 3, 2]
    shrunk = made(
        con, index_of(only("A01"), normalisation="min_max", shrinkage="district"), declared
    )
    # A 5 stands for 5 to 7, as smaller counts are hidden; the others for two less or more.
    x, n = (np.array([float(c[i]) for c in counts]) for i in (0, 1))
    within = Within(np.array([5, *(x[1:] - 2)]), x + 2)
    values = logit(x, n, [a[2] for a in AREAS], within=within).value
    expected = 100 * (values - values.min()) / (values.max() - values.min())
    assert column(shrunk.ranks, "score") == pytest.approx(expected.tolist())
    # Ten people say little: the area keeps less of its lead over its district than it had.
    lead = (values[0] - values[1]) / (5 / 10 - 100 / 1000)
    assert 0 < lead < 1


def test_the_same_rows_come_out_whatever_the_order_and_the_threads(con, shown):
    declared = make_region([], [], [input_of("A01", "share"), input_of("A02", "rate")])
    shown(
        ("A01", *YEAR, [(30, 100), (35, 100), (40, 100), (45, 100), None], None),
        ("A02", *YEAR, [(5, 400), (5, 400), (10, 400), (100, 400), (110, 400)], None),
    )
    index = index_of(component("need", ("A01", 1, "high"), ("A02", 2, "low")), shrinkage="district")
    one = made(con, index, declared, threads=1)
    con.execute("CREATE TABLE turned AS SELECT * FROM shown ORDER BY value DESC NULLS FIRST")
    con.execute("CREATE TABLE areas_turned AS SELECT * FROM areas ORDER BY lsoa21cd DESC")
    two = index_tables(con, index, declared, "turned", "areas_turned", threads=3)
    assert one == two


def test_without_any_input_every_area_is_missing(con, shown):
    shown()
    tables = made(con, index_of(only("A07")))
    assert column(tables.figures, "value_status") == ["[x]"] * 5
    assert column(tables.ranks, "class") == [None] * 5
    assert column(tables.ranks, "p_worst_fifth") == [None] * 5
    assert tables.sensitivity.num_rows == 0


def test_a_region_of_one_area_has_an_index_that_says_nothing(con, shown):
    con.execute("DELETE FROM areas WHERE lsoa21cd != ?", [CODES[0]])
    shown(("A01", *YEAR, [1, 2, 3, 4, 5], None))
    ranks = made(con, index_of(only("A01"))).ranks.to_pylist()
    assert [(r["rank"], r["rank_low"], r["rank_high"]) for r in ranks] == [(1, 1, 1)]
    assert math.isclose(ranks[0]["score"], 100)


def test_an_indicator_of_another_kind_is_refused(con, shown):
    shown()
    with pytest.raises(ConfigurationError, match="T01 is no composite"):
        made(con, make_indicator())
