"""Need against service: which areas come out as candidates, and why others do not."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from need_world import count_people, expected, figure, made, place, publish, world

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from indicators.derived.need import SCHEMA, need_table

LAD = "E08990001"
AREAS = 40
CODES = [f"E0299{n:04d}" for n in range(1, AREAS + 1)]
LSOAS = [f"E0199{n:04d}" for n in range(1, AREAS + 1)]
NEED = np.linspace(10, 49, AREAS)
"""The made-up need: 10 in the first area, 49 in the last."""


def region(con: duckdb.DuckDBPyConnection, use: dict[int, int | None] | None = None) -> list[tuple]:
    """Every area has 1,000 adults; use rises with need, but for what ``use`` says otherwise."""
    place(con, [(lsoa, code, LAD) for lsoa, code in zip(LSOAS, CODES, strict=True)])
    count_people(con, [(lsoa, "residents_18_64", "all", 1000) for lsoa in LSOAS])
    events = {n: 5 * round(0.2 * 2 * NEED[n]) for n in range(AREAS)} | (use or {})
    shown = [
        figure("T80", "msoa21", CODES[n], events[n], 1000, status=None if events[n] else "[c]")
        for n in range(AREAS)
    ]
    shown += [figure("T83", "msoa21", CODES[n], None, value=float(NEED[n])) for n in range(AREAS)]
    whole = 5 * round(sum(e or 0 for e in events.values()) / 5)
    shown.append(figure("T81", "lad24", LAD, whole, 1000 * AREAS))
    publish(con, shown)
    return shown


def needy(**more: object) -> Indicator:
    return expected(strata=[("T81", "residents_18_64")], predictors=[{"indicator": "T83"}], **more)


def rows(
    con: duckdb.DuckDBPyConnection,
    *indicators: Indicator,
    declared: RegionDeclarations | None = None,
) -> list[dict]:
    declared = declared or world(*(indicators or (needy(),)))
    table = need_table(con, "shown", "areas", "open_counts", declared)
    assert table.schema == SCHEMA
    return table.to_pylist()


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def test_high_need_and_low_use_make_a_candidate(con: duckdb.DuckDBPyConnection) -> None:
    """Area 40 has the most need and a third of the use its like have; area 1 has little need."""
    region(con, {39: 30, 0: 5, 20: 200})

    found = rows(con)

    assert found[39]["class"] == "unmet need candidate"
    assert (found[39]["need_clearly_high"], found[39]["use_clearly_low"]) == (True, True)
    assert found[0]["class"] == "less use than expected"
    assert (found[0]["need_clearly_high"], found[0]["use_clearly_low"]) == (False, True)
    assert found[20]["class"] == "more use than expected"
    assert [r["class"] for r in found].count("unmet need candidate") == 1
    assert {r["class"] for r in found[25:35]} == {"use as expected"}


def test_what_stands_in_a_row_agrees_with_itself(con: duckdb.DuckDBPyConnection) -> None:
    region(con, {39: 30})
    found = rows(con)

    for row in found:
        assert row["ratio"] == pytest.approx(row["observed"] / row["expected_need"], abs=1e-5)
        assert row["lower"] < row["ratio"] < row["upper"]
        assert row["need_lower"] < row["need_score"] < row["need_upper"]
        assert row["adjusted_for"] == "T83"
        assert row["not_adjusted"] is None
        # One group, the same people everywhere: the groups expect the same of all.
        assert row["expected_age"] == pytest.approx(found[0]["expected_age"])


def test_need_rises_with_the_predictor_and_is_1_in_the_region(
    con: duckdb.DuckDBPyConnection,
) -> None:
    region(con)

    scores = [r["need_score"] for r in rows(con)]

    assert scores == sorted(scores)
    # Every area has the same people, so that the mean of the ratios is the region's own: 1.
    assert np.mean(scores) == pytest.approx(1, abs=1e-4)


def test_a_predictor_whose_low_end_is_the_worse_is_turned_round(
    con: duckdb.DuckDBPyConnection,
) -> None:
    shown = region(con, {39: 30})
    straight = rows(con)
    publish(con, [
        (*row[:12], -row[12], *row[13:]) if row[0] == "T83" else row for row in shown
    ])  # fmt: skip
    turned = expected(
        strata=[("T81", "residents_18_64")], predictors=[{"indicator": "T83", "worse": "low"}]
    )

    assert rows(con, turned) == straight


def test_a_hidden_count_cannot_be_said(con: duckdb.DuckDBPyConnection) -> None:
    region(con, {39: None})

    found = rows(con)[39]

    assert found["class"] == "cannot be said"
    assert (found["ratio"], found["value_status"]) == (None, "[c]")
    assert (found["use_clearly_low"], found["use_clearly_high"]) == (None, None)
    # Its need can: it is made of others' use and its own predictor.
    assert found["need_clearly_high"] is True


def test_without_a_predictor_the_groups_stand_alone(con: duckdb.DuckDBPyConnection) -> None:
    region(con, {39: 30})
    con.execute("UPDATE shown SET value = NULL WHERE indicator_id = 'T83' AND geography_code = $1",
                [CODES[39]])  # fmt: skip

    found = rows(con)[39]

    assert found["expected_need"] is None
    assert found["ratio"] == pytest.approx(found["observed"] / found["expected_age"], abs=1e-5)
    assert "missing here" in found["not_adjusted"]
    assert found["adjusted_for"] is None


def test_where_need_cannot_be_fitted_the_table_says_why(con: duckdb.DuckDBPyConnection) -> None:
    region(con, dict.fromkeys(range(9), None))

    found = rows(con)

    assert {r["expected_need"] for r in found} == {None}
    assert all("hidden" in r["not_adjusted"] for r in found)
    # With one group and no predictor there is no need to speak of, so no candidate.
    assert {r["need_clearly_high"] for r in found} == {None}
    assert "unmet need candidate" not in {r["class"] for r in found}


def test_use_that_falls_with_need_shows_as_unmet_need_against_the_groups(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The inverse care law: those in most need use least. That must not lower what is expected."""
    region(con, {n: 5 * round(0.2 * 2 * NEED[AREAS - 1 - n]) for n in range(AREAS)})

    found = rows(con)

    assert found[39]["use_clearly_low"] is True
    assert "falls where need rises" in found[39]["not_adjusted"]


def test_a_published_score_is_averaged_over_an_area_by_people(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The score exists for LSOAs only; MSOA 40 has two, of 1,000 and 3,000 people.

    Score 100 and 200: (1,000 x 100 + 3,000 x 200) / 4,000 = 175.
    """
    shown = [row for row in region(con) if row[0] != "T83"]
    score = made(
        "T83", kind="statistic", interval="none", standardisation="none", statistic="imd_score",
        outputs=[{"level": "lsoa21", "window": "latest"}],
    )  # fmt: skip

    places = [(lsoa, code, LAD) for lsoa, code in zip(LSOAS, CODES, strict=True)]
    place(con, [*places, ("E01999999", CODES[39], LAD)])
    people = [(lsoa, "residents_18_64", "all", 1000) for lsoa in LSOAS]
    count_people(con, [*people, ("E01999999", "residents_18_64", "all", 3000)])
    scores = [figure("T83", "lsoa21", LSOAS[n], None, value=float(NEED[n])) for n in range(39)]
    whole = [*shown, *scores, figure("T83", "lsoa21", LSOAS[39], None, value=100.0)]
    publish(con, [*whole, figure("T83", "lsoa21", "E01999999", None, value=200.0)])
    averaged = rows(con, declared=world(needy(), score))

    publish(con, [*shown, *(figure("T83", "msoa21", CODES[n], None, value=float(NEED[n]))
                            for n in range(39)),
                  figure("T83", "msoa21", CODES[39], None, value=175.0)])  # fmt: skip
    given = rows(con)

    assert [r["expected_need"] for r in averaged] == pytest.approx(
        [r["expected_need"] for r in given]
    )

    publish(con, whole)
    assert rows(con, declared=world(needy(), score))[39]["expected_need"] is None


def test_the_reach_of_the_service_stands_beside(con: duckdb.DuckDBPyConnection) -> None:
    """Learners reached for every 1,000 people at risk, where the indicator names it."""
    shown = region(con)
    reach = figure("T84", "msoa21", CODES[0], 25, 1000, value=25.0, unit="per 1,000 at risk")
    publish(con, [*shown, reach])

    found = rows(con, needy(coverage="T84"))

    assert (found[0]["coverage"], found[0]["coverage_unit"]) == (25.0, "per 1,000 at risk")
    assert (found[1]["coverage"], found[1]["coverage_unit"]) == (None, None)


def test_every_indicator_of_the_kind_is_in_order(con: duckdb.DuckDBPyConnection) -> None:
    region(con)

    found = rows(con, needy(identifier="T92"), needy(identifier="T91"))

    assert [r["indicator_id"] for r in found] == ["T91"] * AREAS + ["T92"] * AREAS


def test_a_region_without_such_an_indicator_has_an_empty_table(
    con: duckdb.DuckDBPyConnection,
) -> None:
    region(con)

    assert rows(con, declared=world()) == []


def test_chance_alone_makes_few_candidates(con: duckdb.DuckDBPyConnection) -> None:
    """Use drawn around what need gives: of areas in clear need about 1 in 40 falls below."""
    draw = np.random.default_rng(3)
    found = []
    for _ in range(15):
        region(con, {n: 5 * round(int(draw.poisson(2 * NEED[n])) / 5) or None
                     for n in range(AREAS)})  # fmt: skip
        found += rows(con)

    high = [r for r in found if r["need_clearly_high"]]
    assert len(high) > 200
    candidates = sum(r["class"] == "unmet need candidate" for r in high)
    assert candidates <= 0.04 * len(high)
