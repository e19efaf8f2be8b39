"""The map page: one self-contained file with a choropleth, tables and area profiles.

Belongs here: what the page knows, as compact data. Does not belong here: how it looks and behaves
(``templates/map.*``), or the borders' simplification (``map_geometry.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from declarations.region import Region
from geography.boundaries.coverage import simplify_for_map
from governance.reports.self_contained import script_json
from publishing.facts import ReleaseFacts, synthetic_words
from publishing.map_coding import Codes, rounded
from publishing.map_derived import derived_data
from publishing.map_geometry import (
    TOLERANCES,
    View,
    dissolve,
    label_point,
    svg_path,
    view_of,
)
from publishing.page import in_words, render_page
from publishing.statuses import STATUS_WORDS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

MAX_PAGE_BYTES = 6_000_000
PERIODS_KEPT = (12, 8, 6, 4, 3, 2, 1)
"""Most periods of an indicator on the page; the next smaller number if the page is too large."""

LEVELS = {
    "lsoa21": ("Neighbourhoods (LSOA)", "2021 Lower layer Super Output Areas"),
    "msoa21": ("Wider areas (MSOA)", "2021 Middle layer Super Output Areas"),
    "lad24": ("Districts", "2024 local authority districts"),
}
THEMES = {
    "digital_inclusion": "Digital inclusion",
    "homelessness": "Homelessness",
    "social_care": "Social care",
    "context": "Context",
}
POLARITY = {
    "lower_is_better": "Lower is better.",
    "higher_is_better": "Higher is better.",
    "none": "Neither high nor low is better in itself.",
}
FURTHER = {
    "index_ranks": "ranks",
    "index_components": "components",
    "hotspots": "clusters",
    "trends": "trends",
    "comparisons": "comparisons",
    "need_and_service": "need and service",
}
"""Tables behind what is told beside the figures, and what they hold."""
BETTER = {"lower_is_better": "lower", "higher_is_better": "higher"}


def _series(
    rows: pd.DataFrame, codes: list[str], decimals: int, statuses: Codes, notes: Codes
) -> dict[str, Any]:
    by_area = rows.set_index("geography_code").reindex(codes)
    first = rows.iloc[0]
    entry: dict[str, Any] = {
        "p": first["period_label"],
        "a": str(first["period_start"]),
        "z": str(first["period_end"]),
        "v": rounded(by_area["value"].tolist(), decimals),
    }
    for key, column in (("l", "lower_ci"), ("u", "upper_ci")):
        limits = rounded(by_area[column].tolist(), decimals)
        if any(n is not None for n in limits):
            entry[key] = limits
    for key, column, coded in (("s", "value_status", statuses), ("n", "note_id", notes)):
        text = "".join(coded.character(t) for t in by_area[column].tolist())
        # An area without any row has no figure either, and must not look like a plain value.
        if key == "s":
            absent = (~by_area.index.isin(rows["geography_code"])).tolist()
            mark = statuses.character("[x]") if any(absent) else "."
            text = "".join(mark if gone else t for t, gone in zip(text, absent, strict=True))
        if text.strip("."):
            entry[key] = text
    return entry


def _all_series(
    observations: pd.DataFrame,
    indicators: pd.DataFrame,
    levels: Mapping[str, Mapping[str, Any]],
    statuses: Codes,
    notes: Codes,
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return indicator -> level -> series, the latest period first."""
    whole = observations[observations["breakdown_type"] == "none"]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    decimals = dict(zip(indicators["indicator_id"], indicators["decimals"], strict=True))
    for (indicator, level), rows in whole.groupby(["indicator_id", "geography_type"], sort=True):
        if level not in levels:
            continue
        groups = [g for _, g in rows.groupby(["period_end", "period_start"], sort=True)]
        found.setdefault(indicator, {})[level] = [
            _series(g, levels[level]["codes"], int(decimals[indicator]), statuses, notes)
            for g in reversed(groups)
        ]
    return found


def _level(names: Mapping[str, str], paths: list[str], districts: list[int]) -> dict[str, Any]:
    return {
        "codes": list(names),
        "names": list(names.values()),
        "paths": paths,
        "districts": districts,
    }


def _levels(
    areas: pd.DataFrame, borders: gpd.GeoDataFrame, view: View, tolerance: float
) -> tuple[dict[str, dict[str, Any]], list[list[int]]]:
    simple = simplify_for_map(borders, tolerance).geometry.to_numpy()
    districts = sorted(set(areas["lad24cd"]))
    place = {code: i for i, code in enumerate(districts)}
    levels = {}
    levels["lsoa21"] = _level(
        dict(zip(areas["lsoa21cd"], areas["lsoa21nm"], strict=True)),
        [svg_path(g, view) for g in simple],
        [place[d] for d in areas["lad24cd"]],
    )
    shapes: dict[str, Any] = {}
    for level, code, name in (
        ("msoa21", "msoa21cd", "msoa21nm"),
        ("lad24", "lad24cd", "lad24nm"),
    ):
        shapes = dissolve(simple, areas[code].tolist())
        first = areas.drop_duplicates(code).set_index(code)
        levels[level] = _level(
            {c: first.loc[c, name] for c in shapes},
            [svg_path(g, view) for g in shapes.values()],
            [place[first.loc[c, "lad24cd"]] if level == "msoa21" else place[c] for c in shapes],
        )
    return levels, [label_point(g, view) for g in shapes.values()]


def _indicator_facts(indicators: pa.Table) -> list[dict[str, Any]]:
    order = list(THEMES)
    facts = [
        {
            "id": row["indicator_id"],
            "title": row["title"],
            "description": row["description"] or "",
            "rationale": row["rationale"] or "",
            "kind": row["kind"],
            "theme": THEMES.get(str(row["theme"]), str(row["theme"])),
            "numerator": row["numerator"] or "",
            "denominator": row["denominator"] or "",
            "unit": row["unit"],
            "decimals": int(row["decimals"]),
            "interval": row["interval_method"],
            "polarity": POLARITY.get(str(row["polarity"]), ""),
            "better": BETTER.get(str(row["polarity"]), ""),
            "caveats": row["caveats"] or "",
            "sources": row["sources"] or "",
            "rank": order.index(row["theme"]) if row["theme"] in order else len(order),
        }
        for row in indicators.to_pylist()
    ]
    return sorted(facts, key=lambda f: (f["rank"], f["id"]))


def map_data(
    tables: Mapping[str, pa.Table],
    borders: gpd.GeoDataFrame,
    *,
    tolerance: float = TOLERANCES[0],
    periods: int = PERIODS_KEPT[0],
) -> dict[str, Any]:
    """Return everything the page's script works on.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Conformed release tables.
    borders : geopandas.GeoDataFrame
        One border per area (EPSG:27700), in the order of the areas table.
    tolerance : float
        Simplification in metres.
    periods : int
        Most periods kept of each indicator and level, the latest first.

    Returns
    -------
    dict
        ``view``, ``levels`` (codes, names, paths, district of each area), ``labels``,
        ``indicators``, ``series`` (columns in the order of the level's codes; one character per
        area for status and note), ``statuses``, ``words``, ``notes``, ``dropped`` (periods left
        out), and the ``derived``, ``coded`` and ``breaks`` of ``map_derived``.
    """
    areas = tables["areas"].to_pandas()
    indicators = tables["indicators"].to_pandas()
    view = view_of(borders.total_bounds.tolist())
    levels, labels = _levels(areas, borders, view, tolerance)
    statuses, notes = Codes(), Codes()
    series = _all_series(tables["observations"].to_pandas(), indicators, levels, statuses, notes)
    dropped = 0
    for by_level in series.values():
        for level, entries in by_level.items():
            dropped += max(0, len(entries) - periods)
            by_level[level] = entries[:periods]
    texts = dict(
        zip(
            tables["notes"].column("note_id").to_pylist(),
            tables["notes"].column("text").to_pylist(),
            strict=True,
        )
    )
    return {
        "view": [view.width, view.height, round(view.metres, 3)],
        "levels": {
            name: {**content, "label": LEVELS[name][0], "long": LEVELS[name][1]}
            for name, content in levels.items()
        },
        "labels": labels,
        "indicators": [f for f in _indicator_facts(tables["indicators"]) if f["id"] in series],
        "series": series,
        "statuses": statuses.texts,
        "words": STATUS_WORDS,
        "notes": [" ".join(texts.get(n) or n for n in ids.split(",")) for ids in notes.texts],
        "dropped": dropped,
        **derived_data(
            tables,
            levels,
            {
                row.indicator_id: int(row.decimals)
                for row in indicators.itertuples()
                if row.indicator_id in series
            },
        ),
    }


def _fitting(
    tables: Mapping[str, pa.Table], borders: gpd.GeoDataFrame, budget: int
) -> dict[str, Any]:
    """Return the page's data in the most detail that fits, borders giving way before periods."""
    steps = [(t, PERIODS_KEPT[0]) for t in TOLERANCES[:3]]
    steps += [(TOLERANCES[2], p) for p in PERIODS_KEPT[1:]]
    steps += [(t, PERIODS_KEPT[-1]) for t in TOLERANCES[3:]]
    data: dict[str, Any] = {}
    for tolerance, periods in steps:
        data = map_data(tables, borders, tolerance=tolerance, periods=periods)
        if len(script_json(data).encode()) <= budget:
            break
    return data


def map_page(
    tables: Mapping[str, pa.Table],
    borders: gpd.GeoDataFrame,
    region: Region,
    release: ReleaseFacts,
    *,
    budget: int = MAX_PAGE_BYTES - 100_000,
) -> str:
    """Return the map page of a release as HTML.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Conformed release tables.
    borders : geopandas.GeoDataFrame
        One border per area (EPSG:27700), in the order of the areas table.
    region : Region
        Its declaration.
    release : ReleaseFacts
        What the release says of itself.
    budget : int
        Most bytes of the embedded data; detail gives way to it.
    """
    data = _fitting(tables, borders, budget)
    return render_page(
        "map.html.j2",
        ["map.css"],
        ["map_derived.js", "map.js"],
        data=script_json(data),
        indicators=data["indicators"],
        region=region,
        release=release,
        synthetic=synthetic_words(region, release),
        as_of=in_words(release.as_of),
        statuses=[(f"[{m}]", STATUS_WORDS[m]) for m in _used_markers(data)],
        dropped=data["dropped"],
        further=[(name, words) for name, words in FURTHER.items() if name in data["derived"]],
        area_count=len(data["levels"]["lsoa21"]["codes"]),
        district_count=len(data["levels"]["lad24"]["codes"]),
    )


def _used_markers(data: Mapping[str, Any]) -> list[str]:
    joined = "".join(data["statuses"])
    return [m for m in STATUS_WORDS if f"[{m}]" in joined]
