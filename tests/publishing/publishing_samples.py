"""A small made-up release: 120 areas in three districts, two of whose names are hostile."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from publishing.facts import ExpectedDelivery, SourceFact

HOSTILE_NAME = '</script><script>alert("1")</script> & <b>'
FORMULA_NAME = '=HYPERLINK("x")'
DISTRICTS = {"E07000901": "Alder Vale", "E07000902": "Brookmere", "E08000903": "Castleford Heath"}

INDICATORS = (
    # id, theme, kind, title, unit, decimals, typical, spread, interval, polarity
    ("H01", "homelessness", "rate", "Households owed a homelessness duty", "per 1,000 households",
     1, 9.0, 6.0, "byar", "lower_is_better"),
    ("H04", "homelessness", "rate", "Households in temporary accommodation",
     "per 1,000 households", 1, 4.0, 3.0, "byar", "lower_is_better"),
    ("S03", "social_care", "rate", "Adults receiving long-term support",
     "per 100,000 adults", 0, 900.0, 300.0, "byar", "none"),
    ("D02", "digital_inclusion", "composite", "Digital exclusion risk score", "score 0 to 100",
     1, 45.0, 20.0, "none", "lower_is_better"),
    ("D05", "digital_inclusion", "share", "Premises able to get a gigabit connection", "%",
     1, 78.0, 12.0, "wilson", "higher_is_better"),
    ("C01", "context", "share", "Residents aged 65 and over", "%", 1, 18.0, 6.0, "wilson", "none"),
)  # fmt: skip


def make_borders(count: int = 120, seed: int = 7) -> gpd.GeoDataFrame:
    """Voronoi cells in a 20 km by 14 km box on the British National Grid."""
    random = np.random.default_rng(seed)
    box = shapely.box(410_000, 280_000, 430_000, 294_000)
    points = shapely.points(
        random.uniform(410_000, 430_000, count), random.uniform(280_000, 294_000, count)
    )
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=box, ordered=True)
    )
    inside = shapely.intersection(cells, box)
    codes = [f"E0199{i:04d}" for i in range(count)]
    return gpd.GeoDataFrame({"lsoa21cd": codes}, geometry=list(inside), crs=27700)


def make_areas(borders: gpd.GeoDataFrame, seed: int = 8) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = borders.geometry.centroid.x.to_numpy()
    districts = list(DISTRICTS)
    place = np.digitize(x, np.quantile(x, [1 / 3, 2 / 3]))
    order = np.lexsort((borders.geometry.centroid.y.to_numpy(), place))
    msoa = np.empty(len(borders), dtype=int)
    msoa[order] = np.arange(len(borders)) // 5
    # A larger neighbourhood lies in one district.
    msoa_district = {m: place[np.flatnonzero(msoa == m)[0]] for m in set(msoa.tolist())}
    place = np.array([msoa_district[m] for m in msoa])
    frame = pd.DataFrame(
        {
            "lsoa21cd": borders["lsoa21cd"].to_numpy(),
            "lsoa21nm": [
                f"{DISTRICTS[districts[p]]} {m + 1:03d}{'ABCDEFGHIJ'[i % 10]}"
                for i, (p, m) in enumerate(zip(place, msoa, strict=True))
            ],
            "msoa21cd": [f"E0299{m:04d}" for m in msoa],
            "msoa21nm": [
                f"{DISTRICTS[districts[p]]} {m + 1:03d}" for p, m in zip(place, msoa, strict=True)
            ],
            "wd24cd": None,
            "wd24nm": None,
            "lad24cd": [districts[p] for p in place],
            "lad24nm": [DISTRICTS[districts[p]] for p in place],
            "households": random.integers(500, 900, len(borders)),
            "residents": random.integers(1200, 2400, len(borders)),
            "area_hectares": borders.area.to_numpy() / 10_000,
            "synthetic": True,
        }
    )
    frame.loc[3, "lsoa21nm"] = HOSTILE_NAME
    frame.loc[4, "lsoa21nm"] = FORMULA_NAME
    return frame


def make_area_lookups(areas: pd.DataFrame) -> pd.DataFrame:
    """Districts and neighbourhoods as larger areas, and one the region drew over both."""
    parts = [
        pd.DataFrame(
            {
                "level": level,
                "area_code": areas[f"{level}cd"],
                "area_name": areas[f"{level}nm"],
                "lsoa21cd": areas["lsoa21cd"],
                "fit": "exact",
                "lsoas_outside": 0,
                "source_id": "reference_areas",
            }
        )
        for level in ("msoa21", "lad24")
    ]
    drawn = (
        parts[0]
        .iloc[:7]
        .assign(
            level="custom",
            area_code="old-canal",
            area_name="Old canal",
            fit="best_fit",
            source_id=None,
        )
    )
    return pd.concat([*parts, drawn], ignore_index=True)


def make_area_neighbours(areas: pd.DataFrame) -> pd.DataFrame:
    """Each area beside the next in the list, and the last beside one outside the region."""
    pairs = list(pairwise([*areas["lsoa21cd"], "E01999999"]))
    back = [(b, a) for a, b in pairs[:-1]]
    return pd.DataFrame(
        [
            {
                "lsoa21cd": a,
                "neighbour_lsoa21cd": b,
                "kind": "border",
                "border_metres": 250,
                "in_region": b != "E01999999",
            }
            for a, b in [*pairs, *back]
        ]
    )


def _periods(level: str) -> list[tuple[str, str, str]]:
    if level == "lad24":
        return [
            ("2026-04-01", "2026-06-30", "April to June 2026"),
            ("2026-07-01", "2026-09-30", "July to September 2026"),
        ]
    return [
        ("2024-11-01", "2025-10-31", "November 2024 to October 2025"),
        ("2025-11-01", "2026-10-31", "November 2025 to October 2026"),
    ]


def make_observations(areas: pd.DataFrame, seed: int = 9) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    levels = {
        "lsoa21": ("lsoa21cd", "lsoa21nm", "2021"),
        "msoa21": ("msoa21cd", "msoa21nm", "2021"),
        "lad24": ("lad24cd", "lad24nm", "2024"),
    }
    for ident, _, kind, _, unit, decimals, typical, spread, interval, _ in INDICATORS:
        for level, (code, name, vintage) in levels.items():
            if kind == "composite" and level != "lsoa21":
                continue
            places = areas.drop_duplicates(code)
            for number, (start, end, label) in enumerate(_periods(level)):
                if kind == "composite" and number == 0:
                    continue
                raw = random.normal(typical, spread, len(places))
                value = np.clip(raw, 0, 100 if kind != "rate" else None)
                status: list[str | None] = [None] * len(places)
                if level == "lsoa21" and kind == "rate":
                    for i in np.flatnonzero(raw < typical - 0.4 * spread):
                        status[i] = "[c]"
                if level == "lsoa21":
                    status[10] = "[x]"
                    status[11] = "[u]"
                    status[12] = "[e]"
                blank = np.array([s is not None and s != "[e]" for s in status])
                shown = np.where(blank, np.nan, np.round(value, decimals))
                half = spread * 0.35
                has_interval = interval != "none"
                for i, place in enumerate(places.itertuples()):
                    limit = has_interval and not blank[i]
                    rows.append(
                        {
                            "period_start": dt.date.fromisoformat(start),
                            "period_end": dt.date.fromisoformat(end),
                            "period_label": label,
                            "geography_type": level,
                            "geography_code": getattr(place, code),
                            "geography_name": getattr(place, name),
                            "geography_vintage": vintage,
                            "indicator_id": ident,
                            "breakdown_type": "none",
                            "breakdown_value": "all",
                            "numerator": None if blank[i] else 5 * int(value[i] // 5 + 1),
                            "denominator": 600,
                            "value": None if blank[i] else float(shown[i]),
                            "unit": unit,
                            "lower_ci": max(0.0, float(shown[i]) - half) if limit else None,
                            "upper_ci": float(shown[i]) + half if limit else None,
                            "ci_method": interval,
                            "value_status": status[i],
                            "note_id": "includes_not_placed" if level == "lad24" else None,
                            "release_id": "2026-11-r1",
                        }
                    )
    return pd.DataFrame(rows)


def make_combined(areas: pd.DataFrame) -> pd.DataFrame:
    """Two neighbourhoods of one MSOA taken together in the latest period, and a whole MSOA."""
    start, end, label = _periods("lsoa21")[-1]
    rows = []
    for (msoa, lad), places in list(areas.groupby(["msoa21cd", "lad24cd"]))[:2]:
        codes = sorted(places["lsoa21cd"])
        pair = not rows
        members = codes[:2] if pair else codes
        rows.append(
            {
                "period_start": dt.date.fromisoformat(start),
                "period_end": dt.date.fromisoformat(end),
                "period_label": label,
                "geography_type": "lsoa21_pair" if pair else "msoa21",
                "geography_code": "+".join(members) if pair else msoa,
                "members": " ".join(members),
                "lad24cd": lad,
                "indicator_id": "H01",
                "numerator": 10 if pair else None,
                "denominator": 600 * len(members),
                "value": 8.3 if pair else None,
                "unit": "per 1,000 households",
                "lower_ci": 4.0 if pair else None,
                "upper_ci": 15.3 if pair else None,
                "ci_method": "byar",
                "value_status": None if pair else "[c]",
                "note_id": None,
            }
        )
    return pd.DataFrame(rows)


def make_indicators() -> pd.DataFrame:
    rows = []
    for ident, theme, kind, title, unit, decimals, *_, interval, polarity in INDICATORS:
        rows.append(
            {
                "indicator_id": ident,
                "name": title.lower().replace(" ", "_"),
                "title": title,
                "description": f"{title} in the period, {unit}. Made up for a test.",
                "rationale": "Shows where help may be needed first.",
                "theme": theme,
                "kind": kind,
                "numerator": title,
                "denominator": "Households" if "households" in unit else "Residents",
                "expression": "cases / households",
                "made_from": None,
                "multiplier": 1000.0 if "1,000" in unit else 100.0,
                "unit": unit,
                "decimals": decimals,
                "additivity": "flow",
                "outputs": "lsoa21 by year",
                "basis": "registered",
                "interval_method": interval,
                "standardisation": "none",
                "smoothing": "none",
                "polarity": polarity,
                "profile": "hide0-r5",
                "minimum_denominator": 50,
                "caveats": "Counts are rounded to the nearest 5 before the rate is computed.",
                "definition_sources": "Made up for a test",
                "sources": "alder_homelessness; census_households",
                "purposes": "tests",
                "owner": "team:insight",
                "version": "1",
            }
        )
    return pd.DataFrame(rows)


FILES = (
    ("alder_homelessness", "Homelessness cases (H-CLIC)", "Alder Vale Council",
     "DSA-ALDER-1", "Alder Vale homelessness agreement", None, None, "2026-09"),
    ("alder_homelessness", "Homelessness cases (H-CLIC)", "Alder Vale Council",
     "DSA-ALDER-1", "Alder Vale homelessness agreement", None, None, "2026-06"),
    ("census_households", "Census households", "Office for National Statistics",
     "OGL-ONS-1", "Open Government Licence", "OGL-UK-3.0",
     "Source: Office for National Statistics licensed under the Open Government "
     "Licence v.3.0", ""),
)  # fmt: skip


def make_lineage() -> pd.DataFrame:
    names = ("source_id", "title", "agency", "agreement_id", "agreement_title", "licence",
             "attribution", "period")  # fmt: skip
    return pd.DataFrame(
        [
            {
                "indicator_id": ident,
                **dict(zip(names, file, strict=True)),
                "synthetic": True,
                "file_name": f"{file[0]}_{file[-1] or 'once'}.csv",
                "sha256": f"{number:064x}",
                "code_version": "0.1.0",
            }
            for number, file in enumerate(FILES)
            for ident in ("H01", "H04")
        ]
    )


def make_accounting(protected: bool) -> pd.DataFrame:
    rows = []
    for source, agency in (
        ("alder_homelessness", "Alder Vale Council"),
        ("brook_social_care", "Brookmere Council"),
    ):
        for period in ("2026-06", "2026-09"):
            parts = [
                ("received", "all", 1260),
                ("placed", "postcode", 900),
                ("placed", "uprn", 180),
                ("apportioned", "lsoa11_code", 60),
                ("out of region", "out_of_region", 40),
                ("not placed", "no_fixed_abode", 77),
                ("not placed", "unknown_postcode", 3),
            ]
            for outcome, detail, amount in parts:
                hidden = protected and amount < 5
                shown = 5 * round(amount / 5) if protected else amount
                rows.append(
                    {
                        "source_id": source,
                        "agency": agency,
                        "period": period,
                        "quantity": "rows",
                        "outcome": outcome,
                        "detail": detail,
                        "amount": None if hidden else shown,
                        "amount_status": "[c]" if hidden else None,
                        "protected": protected,
                    }
                )
    return pd.DataFrame(rows)


def delivery(source: str, period: str, version: int = 1, **changes: object) -> dict[str, object]:
    """A row of the deliveries table."""
    return {
        "source_id": source,
        "period": period,
        "version": version,
        "file_name": f"{source}_{period}.csv",
        "sha256": f"{version:064x}",
        "bytes": 123_457,
        "arrived_on": dt.date(2026, 10, 12),
        "outcome": "accepted",
        "reason": None,
        "message": None,
        "days_late": 0,
        **changes,
    }


def decision(source: str, period: str, version: int = 1, **changes: object) -> dict[str, object]:
    """A row of the decisions table."""
    return {
        "source_id": source,
        "period": period,
        "version": version,
        "decision": "admitted",
        "reasons": None,
        "message": None,
        "clause": "Schedule 2",
        "agreement_id": "DSA-ALDER-1",
        "agreement_version": "1.2",
        "columns_kept": "case_ref,duty",
        "columns_dropped": None,
        "columns_redacted": None,
        "columns_undeclared": None,
        "rows_read": 1263,
        "rows_filtered": 0,
        "rows_broken": 2,
        "rows_formula": 0,
        "rows_duplicate": 1,
        "rows_kept": 1260,
        **changes,
    }


def check(source: str, period: str, check_id: str, **changes: object) -> dict[str, object]:
    """A row of the checks table."""
    return {
        "source_id": source,
        "period": period,
        "version": 1,
        "check_id": check_id,
        "expectation": "expect_column_values_to_not_be_null",
        "column_name": "duty",
        "severity": "warning",
        "outcome": "passed",
        "rows_checked": 1260,
        "rows_failed": 0,
        "meaning": "Every case says which duty is owed.",
        **changes,
    }


def make_quality() -> dict[str, pd.DataFrame]:
    deliveries, decisions, checks = [], [], []
    for period in (f"2026-{m:02d}" for m in range(1, 10)):
        deliveries.append(delivery("alder_homelessness", period))
        decisions.append(
            decision(
                "alder_homelessness",
                period,
                decision="trimmed",
                reasons="columns_dropped",
                columns_dropped="surname,date_of_birth,nino",
                columns_undeclared="keyworker_notes" if period > "2026-06" else None,
            )
        )
        checks.append(check("alder_homelessness", period, "not_null.duty"))
        checks.append(
            check("alder_homelessness", period, "codes.reason", outcome="failed", rows_failed=37)
        )
    for period in ("2026-03", "2026-06", "2026-09"):
        late = 23 if period == "2026-06" else 0
        deliveries.append(delivery("brook_social_care", period, days_late=late))
        decisions.append(
            decision("brook_social_care", period)
            if period != "2026-09"
            else decision(
                "brook_social_care",
                period,
                decision="quarantined",
                reasons="contract_failed",
                message="1,187 of 1,263 rows have no postcode.",
            )
        )
    deliveries.append(
        delivery(
            "castle_contacts",
            "2026-08",
            outcome="refused",
            reason="missing_column",
            message="castle_contacts_2026-08.csv lacks the column channel.",
        )
    )
    deliveries.append(delivery("census_households", "", days_late=None))
    decisions.append(decision("census_households", "", agreement_id="OGL-ONS-1"))
    checks.append(
        check(
            "brook_social_care",
            "2026-09",
            "not_null.postcode",
            outcome="failed",
            severity="blocking",
            rows_failed=1187,
            column_name="postcode",
            meaning="Without a postcode a person cannot be placed; send the current address.",
        )
    )
    return {
        "deliveries": pd.DataFrame(deliveries),
        "decisions": pd.DataFrame(decisions),
        "checks": pd.DataFrame(checks),
    }


def expected(periods: list[str]) -> tuple[ExpectedDelivery, ...]:
    """Due on the last day but three of the month after the period."""
    due = []
    for period in periods:
        year, month = int(period[:4]), int(period[5:7])
        due.append(ExpectedDelivery(period, dt.date(year + month // 12, month % 12 + 1, 28)))
    return tuple(due)


SOURCES = (
    SourceFact("alder_homelessness", "Homelessness cases (H-CLIC)", "Alder Vale Council",
               "monthly", True, expected([f"2026-{m:02d}" for m in range(1, 12)])),
    SourceFact("brook_social_care", "Adult social care (CLD)", "Brookmere Council",
               "quarterly", True, expected(["2026-03", "2026-06", "2026-09"])),
    SourceFact("castle_contacts", "Customer contacts", "Castleford Heath Council",
               "monthly", True, expected(["2026-07", "2026-08", "2026-09"])),
    SourceFact("census_households", "Census households", "Office for National Statistics",
               "once", True),
)  # fmt: skip


def to_arrow(frames: dict[str, pd.DataFrame]) -> dict[str, pa.Table]:
    return {k: pa.Table.from_pandas(v, preserve_index=False) for k, v in frames.items()}
