"""The table ``hotspots``: a map anybody can check, and what is said where there is no class."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from region_factory import INDICATORS, index_component

from declarations.indicators import Indicator
from indicators.derived.hotspots import SCHEMA, hotspot_indicators, hotspots_table
from indicators.place.local import CLASSES, HIGH_HIGH, HOT, LOW_LOW

START, END = dt.date(2025, 1, 1), dt.date(2025, 12, 31)

# Eight rows of ten neighbourhoods: the figure of each. ? is hidden, x is missing.
FIGURES = """
    9 9 9 9 9 1 1 1 1 1
    9 9 9 9 9 1 1 1 1 1
    9 9 9 9 9 1 1 1 1 1
    9 9 9 9 9 1 1 ? 1 1
    9 9 9 9 9 1 1 1 1 1
    9 9 9 9 9 1 1 1 1 1
    9 9 9 9 9 1 1 x 1 1
    9 9 9 9 9 1 1 1 1 1
"""
# H: high among high, L: low among low, -: not significant. Of 78 figures 40 are high and 38 low.
# That all k neighbours of an area are like itself has the two-sided chance 2 C(39, k) / C(77, k)
# for a high one, 2 C(37, k) / C(77, k) for a low one: with eight neighbours 0.0058 and 0.0037, with
# seven 0.0128 and 0.0086, with the five of an area at the side 0.0583 and 0.0441. Of 78 tests the
# 34 inner ones stand, up to 0.05 x 34 / 78 = 0.0218 (Benjamini and Hochberg). With the eleven low
# ones at the sides they would be 45, whose limit of 0.0288 is below 0.0441.
EXPECTED = """
    - - - - - - - - - -
    - H H H - - L L L -
    - H H H - - L L L -
    - H H H - - L ? L -
    - H H H - - L L L -
    - H H H - - L L L -
    - H H H - - L x L -
    - - - - - - - - - -
"""
NAMES = {"H": HIGH_HIGH, "L": LOW_LOW, "-": "not significant", "?": None, "x": None}


def cells(picture: str) -> list[list[str]]:
    return [line.split() for line in picture.split("\n") if line.strip()]


def code(row: int, column: int) -> str:
    return f"E01{row:03d}{column:03d}"


def beside(size: tuple[int, int]) -> list[tuple[str, str]]:
    """Return every pair of squares that meet at a border or a corner."""
    rows, columns = size
    return [
        (code(r, c), code(r + dr, c + dc))
        for r, c in itertools.product(range(rows), range(columns))
        for dr, dc in itertools.product((-1, 0, 1), repeat=2)
        if (dr, dc) != (0, 0) and 0 <= r + dr < rows and 0 <= c + dc < columns
    ]


def figure(place: str, sign: str, **more: Any) -> dict[str, Any]:
    """Return one published row of a statistic."""
    status = {"?": "[c]", "x": "[x]"}.get(sign)
    return {
        "indicator_id": "T06", "period_start": START, "period_end": END,
        "geography_type": "lsoa21", "geography_code": place, "lad24cd": "E08990001",
        "numerator": None, "denominator": None, "value": None if status else float(sign),
        "value_status": status, **more,
    }  # fmt: skip


def rows_of(picture: str) -> list[dict[str, Any]]:
    return [
        figure(code(r, c), sign)
        for r, line in enumerate(cells(picture))
        for c, sign in enumerate(line)
    ]


def made_up(identifier: str = "T06", **more: Any) -> Indicator:
    base = {**INDICATORS["T02"], "id": identifier, "outputs": [
        {"level": "lsoa21", "window": "latest"}]}  # fmt: skip
    if more.get("kind", "statistic") == "statistic":
        for key in ("numerator", "denominator"):
            base.pop(key)
        base |= {"kind": "statistic", "statistic": "made_up", "interval": "none",
                 "additivity": "none"}  # fmt: skip
    return Indicator.model_validate({**base, **more})


SCHEMA_SHOWN = pa.schema(
    [
        ("indicator_id", pa.string()), ("period_start", pa.date32()), ("period_end", pa.date32()),
        ("geography_type", pa.string()), ("geography_code", pa.string()),
        ("lad24cd", pa.string()), ("numerator", pa.int64()), ("denominator", pa.int64()),
        ("value", pa.float64()), ("value_status", pa.string()),
    ]
)  # fmt: skip


def run(
    shown: list[dict[str, Any]],
    *,
    size: tuple[int, int] = (8, 10),
    pairs: Iterable[tuple[str, str]] | None = None,
    indicators: list[Indicator] | None = None,
    beyond: list[tuple[Any, ...]] | None = None,
    outside: Iterable[str] = (),
    districts: dict[str, str] | None = None,
    threads: int = 1,
) -> pa.Table:
    """Class the squares, ``outside`` of the region being neighbours only."""
    left_out = set(outside)
    with duckdb.connect(config={"threads": threads}) as con:
        con.register("shown", pa.Table.from_pylist(shown, schema=SCHEMA_SHOWN))
        con.execute("CREATE TABLE areas (lsoa21cd VARCHAR, lad24cd VARCHAR)")
        con.execute("CREATE TABLE neighbours (lsoa21cd VARCHAR, neighbour_lsoa21cd VARCHAR)")
        con.execute(
            "CREATE TABLE beyond (indicator_id VARCHAR, period_start DATE, period_end DATE, "
            "lsoa21cd VARCHAR, numerator BIGINT, denominator BIGINT, value DOUBLE)"
        )
        squares = [code(r, c) for r, c in itertools.product(*map(range, size))]
        con.executemany(
            "INSERT INTO areas VALUES (?, ?)",
            [(s, (districts or {}).get(s, "E08990001")) for s in squares if s not in left_out],
        )
        links = [p for p in (beside(size) if pairs is None else pairs) if p[0] not in left_out]
        if links:
            con.executemany("INSERT INTO neighbours VALUES (?, ?)", links)
        if beyond:
            con.executemany("INSERT INTO beyond VALUES (?, ?, ?, ?, ?, ?, ?)", beyond)
        return hotspots_table(
            con, "shown", "areas", "neighbours", None,  # type: ignore[arg-type]
            buffer_figures="beyond" if beyond is not None else None,
            indicators=[made_up()] if indicators is None else indicators,
        )  # fmt: skip


def of(table: pa.Table, method: str = "local_moran") -> dict[str, dict[str, Any]]:
    return {r["lsoa21cd"]: r for r in table.to_pylist() if r["method"] == method}


def test_the_map_of_classes() -> None:
    table = run(rows_of(FIGURES))

    found = of(table)
    expected = {
        code(r, c): NAMES[sign]
        for r, line in enumerate(cells(EXPECTED))
        for c, sign in enumerate(line)
    }
    assert {place: row["class"] for place, row in found.items()} == expected
    assert table.schema == SCHEMA
    assert found[code(3, 7)]["value_status"] == "[c]"
    assert found[code(6, 7)]["value_status"] == "[x]"
    assert found[code(0, 0)]["value_status"] is None
    assert found[code(0, 0)]["neighbours_used"] == 3
    # One of its eight neighbours is hidden.
    assert found[code(2, 6)]["neighbours_used"] == 7


def test_both_methods_have_a_row_for_every_area() -> None:
    table = run(rows_of(FIGURES))

    assert Counter(table.column("method").to_pylist()) == {"gi_star": 80, "local_moran": 80}
    hot = {p for p, r in of(table, "gi_star").items() if r["class"] == HOT}
    assert hot == {p for p, r in of(table).items() if r["class"] == HIGH_HIGH}
    for row in table.to_pylist():
        assert row["class"] is None or row["class"] in CLASSES[row["method"]]
        assert (row["class"] is None) == (row["statistic"] is None) == (row["p_value"] is None)


def test_a_hidden_figure_is_neither_0_nor_guessed() -> None:
    # Were the hidden area among the low ones 0 or their mean, it would count among the neighbours.
    hidden = rows_of(FIGURES)
    gone = [r for r in hidden if r["value"] is not None]

    one, two = of(run(hidden)), of(run(gone))

    assert {p: (r["class"], r["statistic"]) for p, r in one.items()} == {
        p: (r["class"], r["statistic"]) for p, r in two.items()
    }
    # Without even a row, it is missing.
    assert two[code(3, 7)]["value_status"] == "[x]"


def test_the_order_of_rows_and_the_number_of_threads_change_nothing() -> None:
    shown, pairs = rows_of(FIGURES), beside((8, 10))
    one = run(shown, pairs=pairs)
    random.Random(3).shuffle(shown)
    random.Random(4).shuffle(pairs)

    assert run(shown, pairs=pairs, threads=4).equals(one)
    assert run(shown, pairs=pairs).to_pandas().to_csv() == one.to_pandas().to_csv()


def test_only_the_last_period_with_a_figure_is_classed() -> None:
    earlier = rows_of(FIGURES)
    later = [
        {**r, "period_start": dt.date(2026, 1, 1), "period_end": dt.date(2026, 12, 31),
         "value": None, "value_status": "[x]"}
        for r in earlier
    ]  # fmt: skip
    month = [{**r, "period_start": dt.date(2025, 12, 1), "value": 1.0} for r in earlier]
    district = [{**r, "geography_type": "lad24", "period_end": dt.date(2027, 1, 1)}
                for r in earlier]  # fmt: skip

    found = run([*earlier, *later, *month, *district])

    # Of a month and a year that end together the year is taken.
    assert set(found.column("period_start").to_pylist()) == {START}
    assert found.equals(run(earlier))


def test_an_indicator_without_any_figure_has_no_row() -> None:
    nothing = [{**r, "value": None, "value_status": "[x]"} for r in rows_of(FIGURES)]

    assert run(nothing).num_rows == 0
    assert run(nothing).schema == SCHEMA
    assert run([]).num_rows == 0
    assert run(rows_of(FIGURES), indicators=[]).num_rows == 0


def test_figures_beyond_the_region_serve_as_neighbours_and_get_no_class() -> None:
    # The upper row lies beyond the region; its figures are those of the map.
    upper = [code(0, c) for c in range(10)]
    shown = [r for r in rows_of(FIGURES) if r["geography_code"] not in upper]
    values = dict(zip(upper, [9.0] * 5 + [1.0] * 5, strict=True))
    beyond = [("T06", START, END, p, None, None, v) for p, v in values.items()]

    with_them = of(run(shown, outside=upper, beyond=beyond))
    whole = of(run(rows_of(FIGURES)))
    without = of(run(shown, outside=upper))

    assert not set(upper) & set(with_them)
    inner = code(1, 2)
    assert with_them[inner]["class"] == whole[inner]["class"] == HIGH_HIGH
    assert with_them[inner]["statistic"] == whole[inner]["statistic"]
    assert (with_them[inner]["neighbours_used"], with_them[inner]["neighbours_outside"]) == (8, 0)
    # Without them it lies at the edge: five neighbours, three more beyond that have no figure.
    assert without[inner]["class"] == "not significant"
    assert (without[inner]["neighbours_used"], without[inner]["neighbours_outside"]) == (5, 3)
    assert without[code(1, 0)]["neighbours_outside"] == 2
    assert without[code(2, 2)]["neighbours_outside"] == 0


def test_a_neighbour_beyond_whose_own_figure_is_lacking_is_counted_as_such() -> None:
    upper = [code(0, c) for c in range(10)]
    shown = [r for r in rows_of(FIGURES) if r["geography_code"] not in upper]
    beyond = [("T06", START, END, p, None, None, 9.0) for p in upper if p != code(0, 3)]

    found = of(run(shown, outside=upper, beyond=beyond))

    assert (found[code(1, 2)]["neighbours_used"], found[code(1, 2)]["neighbours_outside"]) == (7, 1)


def test_figures_beyond_of_another_period_or_of_the_region_itself_are_not_taken() -> None:
    upper = [code(0, c) for c in range(10)]
    shown = [r for r in rows_of(FIGURES) if r["geography_code"] not in upper]
    other = [("T06", START, dt.date(2026, 12, 31), p, None, None, 9.0) for p in upper]
    another = [("T99", START, END, p, None, None, 9.0) for p in upper]
    own = [("T06", START, END, code(3, 7), None, None, 500.0)]

    plain = run(shown, outside=upper)

    assert run(shown, outside=upper, beyond=[*other, *another, *own]).equals(plain)


def test_rates_are_taken_from_the_published_counts() -> None:
    rate = made_up(
        kind="rate", numerator="cases", denominator="residents", interval="byar", additivity="stock"
    )
    shown = []
    for row in rows_of(FIGURES):
        if row["value"] is not None:
            events = int(row["value"]) * 10
            row |= {"numerator": events, "denominator": 1500, "value": events / 1.5}
        shown.append(row)
    # A value whose counts are not published cannot be weighed by them, and is left out.
    shown[0] |= {"numerator": None, "denominator": None}

    found = of(run(shown, indicators=[rate]))

    assert found[code(4, 2)]["class"] == HIGH_HIGH
    assert (found[code(0, 0)]["class"], found[code(0, 0)]["value_status"]) == (None, "[x]")
    assert found[code(0, 1)]["neighbours_used"] == 4


def test_a_share_rounded_above_its_whole_counts_as_the_whole() -> None:
    share = made_up(
        kind="share",
        numerator="cases",
        denominator="residents",
        interval="wilson",
        additivity="stock",
    )

    def shown(top: int) -> list[dict[str, Any]]:
        return [
            {**r, "numerator": top if r["value"] == 9.0 else 5, "denominator": 50}
            for r in rows_of(FIGURES)
            if r["value"] is not None
        ]

    assert run(shown(55), indicators=[share]).equals(run(shown(50), indicators=[share]))


def test_where_most_figures_are_hidden_none_is_classed() -> None:
    shown = rows_of(FIGURES)
    for row in shown[:41]:
        row |= {"value": None, "value_status": "[c]"}

    found = of(run(shown))

    assert {r["class"] for r in found.values()} == {None}
    assert Counter(r["value_status"] for r in found.values()) == {"[c]": 41, "[u]": 38, "[x]": 1}


def test_figures_of_whole_districts_are_not_classed() -> None:
    districts = {code(r, c): f"E0899000{c // 5}" for r in range(8) for c in range(10)}

    found = of(run(rows_of(FIGURES), districts=districts))

    assert {r["class"] for r in found.values()} == {None}
    assert found[code(0, 0)]["value_status"] == "[z]"


@pytest.mark.parametrize("size", [(1, 1), (5, 5)])
def test_too_few_areas_are_not_classed(size: tuple[int, int]) -> None:
    shown = [figure(code(r, c), str(r + c)) for r, c in itertools.product(*map(range, size))]

    found = of(run(shown, size=size))

    assert {(r["class"], r["value_status"]) for r in found.values()} == {(None, "[z]")}


def test_an_island_without_a_neighbour_that_has_a_figure_is_not_classed() -> None:
    # The island's nearest neighbour, its only one, is hidden.
    pairs = [p for p in beside((8, 10)) if code(7, 9) not in p]
    pairs += [(code(7, 9), code(3, 7)), (code(3, 7), code(7, 9))]

    found = of(run(rows_of(FIGURES), pairs=pairs))[code(7, 9)]

    assert (found["class"], found["value_status"], found["neighbours_used"]) == (None, "[z]", 0)


def test_estimated_figures_are_not_classed() -> None:
    """Spread from practices over their patients' areas, they are alike where these are beside."""
    shown = [{**r, "value_status": r["value_status"] or "[e]"} for r in rows_of(FIGURES)]

    found = of(run(shown))

    assert {(r["class"], r["statistic"], r["p_value"]) for r in found.values()} == {(None,) * 3}
    assert Counter(r["value_status"] for r in found.values()) == {
        "[e][z]": 78, "[c]": 1, "[x]": 1,
    }  # fmt: skip
    # One estimated figure among the others is enough: it lends its neighbours its practice's.
    one = rows_of(FIGURES)
    one[0]["value_status"] = "[e]"
    assert {r["class"] for r in of(run(one)).values()} == {None}


def test_an_index_with_an_estimated_part_is_classed_and_says_so() -> None:
    component = index_component("need", "T01", "high")
    index = Indicator.model_validate(
        {**INDICATORS["T04"], "index": {"weights_agreed": "Nobody.", "components": [component]}}
    )
    shown = [
        {**r, "indicator_id": "T04", "value_status": r["value_status"] or "[e]"}
        for r in rows_of(FIGURES)
    ]

    found = of(run(shown, indicators=[index]))[code(3, 2)]

    assert (found["class"], found["value_status"]) == (HIGH_HIGH, "[e]")


def test_which_indicators_are_looked_at() -> None:
    larger = [{"level": "msoa21", "window": "latest"}]
    index = {
        "weights_agreed": "Nobody.",
        "components": [index_component("need", "T01", "high")],
    }
    given = [
        made_up("T13", polarity="higher_is_better"),
        made_up("T12", polarity="none"),
        made_up("T11", kind="rate", interval="byar", additivity="stock"),
        made_up("T10", kind="rate", interval="byar", additivity="stock", outputs=larger),
        made_up("T09", kind="count", interval="none", additivity="stock", denominator=None),
        Indicator.model_validate({**INDICATORS["T04"], "polarity": "none", "index": index}),
    ]
    declared = SimpleNamespace(indicators={i.id: i for i in given})

    found = hotspot_indicators(declared)  # type: ignore[arg-type]

    assert [i.id for i in found] == ["T04", "T11", "T13"]
