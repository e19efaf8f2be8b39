"""Tables made from published figures, for the made-up release of ``publishing_samples``.

Belongs here: a few rows of each, chosen so that each word a page may say is said of some area. Does
not belong here: any statistic; nothing here is computed from the other samples.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from publishing.conform import arrow_schema
from publishing.dictionary import RELEASE_TABLES
from publishing.dictionary_derived import DERIVED

YEAR = {"period_start": dt.date(2025, 11, 1), "period_end": dt.date(2026, 10, 31)}
YEAR_BEFORE = {"period_start": dt.date(2024, 11, 1), "period_end": dt.date(2025, 10, 31)}
QUARTER = {"period_start": dt.date(2026, 7, 1), "period_end": dt.date(2026, 9, 30)}

MAY_BE, CLEARLY_WORST, NOT_WORST, WIDE, UNKNOWN = 0, 1, 5, 2, 10
"""Places of areas in the index: the words for each are in ``index_rows``."""
HIGH, LOW = range(20, 26), range(30, 35)
"""Places of the areas that are high among high and low among low."""
HIGH_LOW, LOW_HIGH = 40, 41

Rows = list[dict[str, Any]]


def index_rows(areas: Rows) -> Rows:
    """Return ranks of 120 areas; a place is unsure in the first and in one of the sure classes."""
    said = {
        MAY_BE: (37, 21, 64, 0.42, "may be in the worst fifth"),
        CLEARLY_WORST: (3, 1, 8.5, 0.97, "clearly worst fifth"),
        WIDE: (90, 60, 115, 0.004, "clearly not in the worst fifth"),
        UNKNOWN: (None, None, None, None, None),
    }
    rows = []
    for place, area in enumerate(areas):
        rank, low, high, part, named = said.get(
            place, (70, 65, 75, 0.05, "clearly not in the worst fifth")
        )
        rows.append(
            {
                "indicator_id": "D02", **YEAR, **_lsoa(area), "score": None if rank is None else 45,
                "rank": rank, "areas": 119, "rank_low": low, "rank_high": high,
                "p_worst_fifth": part, "class": named, "weight_present": 1,
                "value_status": "[x]" if rank is None else None,
            }
        )  # fmt: skip
    return rows


def component_rows(areas: Rows) -> Rows:
    """Return two components: the score of the second is known for the first area alone."""
    return [
        {
            "indicator_id": "D02", **YEAR, **_lsoa(area), "component": name, "title": title,
            "score": score(place), "weight": weight,
        }
        for place, area in enumerate(areas)
        for name, title, weight, score in (
            ("skills", "Digital skills", 0.75, lambda place: 10 + place / 2),
            ("lines", "Broadband lines", 0.25, lambda place: 62.5 if place == 0 else None),
        )
    ]  # fmt: skip


def hotspot_rows(areas: Rows) -> Rows:
    """Return classes by both methods; an area by the edge has neighbours outside."""
    moran = {
        **dict.fromkeys(HIGH, "high among high"), **dict.fromkeys(LOW, "low among low"),
        HIGH_LOW: "high among low", LOW_HIGH: "low among high",
    }  # fmt: skip
    return [
        {
            "indicator_id": "D02", **YEAR, **_lsoa(area), "method": method, "statistic": 0.5,
            "p_value": 0.01, "class": classes.get(place, "not significant"),
            "neighbours_used": 5, "neighbours_outside": 2 if place == HIGH[0] else 0,
        }
        for method, classes in (
            ("local_moran", moran), ("gi_star", dict.fromkeys(range(50, 60), "hot spot")),
        )
        for place, area in enumerate(areas)
    ]  # fmt: skip


def trend_rows(areas: Rows) -> Rows:
    """Return the trend of each of the three districts: up, unclear since a break, and none."""
    said = (
        (4.2, 1.1, 7.4, "rising", None), (-1.5, -6.0, 3.2, "no clear change", "[b]"),
        (None, None, None, "too few points", "[z]"),
    )  # fmt: skip
    return [
        {
            "indicator_id": "H01", "geography_type": "lad24", "geography_code": code,
            "lad24cd": code, "months": 3, "first_period_start": dt.date(2024, 10, 1),
            "last_period_end": dt.date(2026, 9, 30), "points": 8, "points_hidden": 0,
            "change_per_year": change, "lower_ci": low, "upper_ci": high,
            "change_unit": "% per year", "direction": direction, "value_status": status,
        }
        for code, (change, low, high, direction, status) in zip(
            sorted({a["lad24cd"] for a in areas}), said, strict=True
        )
    ]  # fmt: skip


def comparison_rows(areas: Rows) -> Rows:
    """Return the neighbourhoods against their district, before and now, and one district."""
    first = min(a["lad24cd"] for a in areas)
    said = {
        "H01": ("worse", "better", "similar"), "D05": ("worse", "better", "similar"),
        "C01": ("higher", "lower", "similar"),
    }  # fmt: skip
    rows = [
        {
            "indicator_id": name, **period, "period_label": "A year", "geography_type": "lsoa21",
            "geography_code": area["lsoa21cd"], "lad24cd": area["lad24cd"], "value": 9.0,
            "lower_ci": 8.0, "upper_ci": 10.0, "benchmark": benchmark,
            "benchmark_value": value if area["lad24cd"] == first else value + 1,
            "result": results[place % 3], "funnel": "within", "unit": "%",
        }
        for name, results in said.items()
        for period, value in ((YEAR_BEFORE, 99.9), (YEAR, 12.3))
        for benchmark in ("district", "region")
        for place, area in enumerate(areas)
    ]  # fmt: skip
    return [
        *rows,
        {
            "indicator_id": "H01", **QUARTER, "period_label": "A quarter",
            "geography_type": "lad24", "geography_code": first, "lad24cd": first, "value": 9.0,
            "benchmark": "region", "benchmark_value": 8.7, "result": "similar",
            "funnel": "within", "unit": "%",
        },
    ]  # fmt: skip


def need_rows(areas: Rows) -> Rows:
    """Return an unmet need candidate, an area of ordinary use, and one nothing can be said of."""
    codes = list(dict.fromkeys(a["msoa21cd"] for a in areas))[:3]
    districts = {a["msoa21cd"]: a["lad24cd"] for a in areas}
    said = (
        (50, 52.4, 70.2, 0.71, 0.53, 0.94, 1.41, "unmet need candidate"),
        (60, 58.0, 61.3, 0.98, 0.75, 1.26, 0.95, "use as expected"),
        (None, 12.0, 11.5, None, None, None, 1.02, "cannot be said"),
    )
    return [
        {
            "indicator_id": "H04", **YEAR, "period_label": "A year", "geography_type": "msoa21",
            "geography_code": code, "lad24cd": districts[code], "observed": used,
            "expected_age": age, "expected_need": need, "ratio": ratio, "lower": low,
            "upper": high, "need_score": score, "need_lower": score - 0.1,
            "need_upper": score + 0.1, "class": named, "coverage": 31.5,
            "coverage_unit": "per 1,000 adults", "adjusted_for": "C02",
            "value_status": None if used else "[c]",
        }
        for code, (used, age, need, ratio, low, high, score, named) in zip(
            codes, said, strict=True
        )
    ]  # fmt: skip


def make_derived(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return every derived table of the made-up release, some of them empty."""
    areas = tables["areas"].to_pylist()
    rows: dict[str, Rows] = {
        "series_breaks": [
            {"indicator_id": "H01", "period": "2025-11", "kind": "definition",
             "reason": "a new form of case record"},
            {"indicator_id": "H01", "period": "2027-01", "kind": "source",
             "reason": "a change still to come"},
        ],
        "trends": trend_rows(areas),
        "comparisons": comparison_rows(areas),
        "index_ranks": index_rows(areas),
        "index_components": component_rows(areas),
        "hotspots": hotspot_rows(areas),
        "need_and_service": need_rows(areas),
    }  # fmt: skip
    return {
        t.name: pa.Table.from_pylist(rows.get(t.name, []), schema=arrow_schema(t)) for t in DERIVED
    }


def with_derived(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the release with its derived tables, every column of its definitions, and intervals.

    Scores of the index get an interval of 5 to either side.
    """
    definitions = tables["indicators"]
    for column in RELEASE_TABLES["indicators"].column_names:
        if column not in definitions.column_names:
            definitions = definitions.append_column(
                column, pa.nulls(definitions.num_rows, pa.string())
            )
    figures = [
        row
        | (
            {"lower_ci": row["value"] - 5, "upper_ci": row["value"] + 5}
            if row["indicator_id"] == "D02" and row["value"] is not None
            else {}
        )
        for row in tables["observations"].to_pylist()
    ]
    observations = pa.Table.from_pylist(figures, schema=tables["observations"].schema)
    return {
        **tables, "indicators": definitions, "observations": observations, **make_derived(tables)
    }  # fmt: skip


def _lsoa(area: Mapping[str, Any]) -> dict[str, str]:
    return {"lsoa21cd": area["lsoa21cd"], "lad24cd": area["lad24cd"]}
