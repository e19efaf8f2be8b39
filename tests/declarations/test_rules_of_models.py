"""Rules inside one file: what a region, agreement, source, contract or indicator may not say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError
from region_factory import region_content

from declarations.agreements import Agreement
from declarations.base import (
    Declaration,
    first_day,
    last_day,
    month_index,
    month_of,
    months_between,
    period_of,
)
from declarations.contracts import Contract, Source
from declarations.indicators import Indicator
from declarations.region import Region

MODELS: dict[str, type[Declaration]] = {
    "region.yaml": Region,
    "agreements/DSA-TM-001.yaml": Agreement,
    "agreements/OGL-TM-OPEN.yaml": Agreement,
    "sources/north_cases.yaml": Source,
    "sources/areas.yaml": Source,
    "contracts/mere_cases.yaml": Contract,
    "contracts/mere_visits.yaml": Contract,
    "indicators/T01.yaml": Indicator,
    "indicators/T03.yaml": Indicator,
    "indicators/T04.yaml": Indicator,
}
REAL = {"synthetic": "no", "clock": "system", "as_of": None, "standing_approval": None}
COLUMN = {"name": "shoe_size", "class": "special", "action": "keep"}
SIGNED = {"role": "Officer", "organisation": "A council (synthetic)", "date": dt.date(2024, 12, 2)}


def covering(column: dict[str, str]) -> list[dict[str, Any]]:
    return [{"id": "north_cases", "columns": [column]}]


FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "as_of is synthetic": ("region.yaml", {**REAL, "as_of": dt.date(2026, 5, 10)}, "as_of"),
    "standing approval is synthetic": (
        "region.yaml",
        {**REAL, "standing_approval": {"requester": "A", "approver": "B", "reason": "r"}},
        "standing_approval",
    ),
    "file-times is synthetic": ("region.yaml", {**REAL, "clock": "file-times"}, "file-times"),
    "one person twice": (
        "region.yaml",
        {"standing_approval": {"requester": "Ann", "approver": "ANN", "reason": "r"}},
        "two different people",
    ),
    "district twice": (
        "region.yaml",
        {"districts": [{"lad24cd": "E08990001", "name": n} for n in ("A", "B")]},
        "listed twice",
    ),
    "ends before it begins": ("region.yaml", {"last_period": "2025-12"}, "before first_period"),
    "no such month": ("region.yaml", {"first_period": "2026-13"}, "YYYY-MM"),
    "a district of Scotland": (
        "region.yaml", {"districts": [{"lad24cd": "S12000033", "name": "A"}]}, "pattern"
    ),
    "identifier kept": (
        "agreements/DSA-TM-001.yaml",
        {"sources": covering({**COLUMN, "class": "direct_identifier"})},
        "cannot be kept",
    ),
    "special without a condition": (
        "agreements/DSA-TM-001.yaml", {"sources": covering(COLUMN)}, "need special_condition"
    ),
    "no lawful basis": ("agreements/DSA-TM-001.yaml", {"lawful_basis": None}, "lawful_basis"),
    "no expiry": ("agreements/DSA-TM-001.yaml", {"expiry_date": None}, "expiry_date"),
    "no retention": ("agreements/DSA-TM-001.yaml", {"retention": None}, "retention"),
    "no controllers": ("agreements/DSA-TM-001.yaml", {"controllers": []}, "controllers"),
    "one organisation": (
        "agreements/DSA-TM-001.yaml", {"signatories": [SIGNED, SIGNED]}, "two organisations"
    ),
    "column agreed twice": (
        "agreements/DSA-TM-001.yaml",
        {"sources": [{"id": "north_cases", "columns": [{**COLUMN, "action": "drop"}] * 2}]},
        "named twice",
    ),
    "licence over identifiers": (
        "agreements/OGL-TM-OPEN.yaml",
        {"sources": covering({**COLUMN, "class": "direct_identifier", "action": "drop"})},
        "cannot cover personal columns",
    ),
    "licence over special categories": (
        "agreements/OGL-TM-OPEN.yaml",
        {"sources": covering({**COLUMN, "action": "drop"})},
        "cannot cover personal columns",
    ),
    "licence without attribution": (
        "agreements/OGL-TM-OPEN.yaml", {"attribution": None}, "attribution"
    ),
    "no month in the file name": ("sources/north_cases.yaml", {"files": "cases.csv"}, "period"),
    "month in the name of a single file": (
        "sources/areas.yaml", {"files": "a_{period}.csv"}, "no {period}"
    ),
    "file outside its folder": (
        "sources/north_cases.yaml", {"files": "../{period}.csv"}, "below their folder"
    ),
    "folder outside the open data": (
        "sources/areas.yaml", {"open_data": "/etc"}, "below their folder"
    ),
    "single file with a first month": (
        "sources/areas.yaml", {"first_period": "2026-01"}, "not a first_period"
    ),
    "key of no column": ("contracts/mere_cases.yaml", {"key": ["ghost"]}, "ghost"),
    "nothing counted": ("contracts/mere_cases.yaml", {"counts": []}, "needs counts"),
    **{
        f"Irish coordinates as {crs}": (
            "contracts/mere_cases.yaml",
            {"locate": {"by": ["point"], "x": "case_ref", "y": "case_ref", "crs": crs}},
            "Irish grid",
        )
        for crs in ("EPSG:29902", "epsg:29903", 2157)
    },
    "a coast tolerance below zero": ("region.yaml", {"coast_tolerance": -1}, "greater than"),
    "nowhere": ("contracts/mere_cases.yaml", {"locate": None}, "needs locate"),
    "role of records": ("contracts/mere_cases.yaml", {"role": "areas"}, "role goes with"),
    "place of no column": (
        "contracts/mere_cases.yaml", {"locate": {"by": ["uprn"]}}, "names its column"
    ),
    "no additive column": (
        "contracts/mere_visits.yaml",
        {"columns": [{"name": n} for n in ("lsoa", "visits", "visits_online")]},
        "additive column",
    ),
    "a sum of costs": (
        "contracts/mere_cases.yaml",
        {
            "columns": [
                *region_content()["contracts/mere_cases.yaml"]["columns"],
                {"name": "unit_cost", "type": "number", "never_summed": True},
            ],
            "counts": [
                {"measure": "costs", "title": "Costs", "unit": "pounds", "additivity": "flow",
                 "value": "unit_cost"},
            ],
        },
        "never summed",
    ),
    "a multiplier below zero": ("indicators/T01.yaml", {"multiplier": -100}, "greater than"),
    "a multiplier of nothing": ("indicators/T01.yaml", {"multiplier": 0}, "greater than"),
    "a multiplier that is no number": (
        "indicators/T01.yaml",
        {"multiplier": float("nan")},
        "finite",
    ),
    "an endless multiplier": ("indicators/T01.yaml", {"multiplier": float("inf")}, "finite"),
    "an output twice": (
        "indicators/T03.yaml",
        {"outputs": [{"level": "lsoa21", "window": "month"}] * 2},
        "stands twice",
    ),
    "a count over itself": ("indicators/T01.yaml", {"denominator": "cases_opened"}, "always 1"),
    "rate without denominator": ("indicators/T01.yaml", {"denominator": None}, "denominator"),
    "share with Byar": ("indicators/T03.yaml", {"interval": "byar"}, "wilson"),
    "index of a district": (
        "indicators/T04.yaml",
        {"outputs": [{"level": "lad24", "window": "latest"}]},
        "never averaged",
    ),
    "index without a method": ("indicators/T04.yaml", {"index": None}, "composite"),
    "index without components": (
        "indicators/T04.yaml",
        {"index": {"weights_agreed": "Nobody", "components": []}},
        "components",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_unchanged_file_is_accepted(name: str) -> None:
    MODELS[name].model_validate(region_content()[name])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_breaks_a_rule_is_refused(fault: str) -> None:
    name, changes, said = FAULTS[fault]
    content = {**region_content()[name], **changes}

    with pytest.raises(ValidationError) as raised:
        MODELS[name].model_validate(content)

    assert said in str(raised.value)


def test_a_real_region_is_accepted_without_what_only_synthetic_ones_may_say() -> None:
    content = {**region_content()["region.yaml"], **REAL}

    assert Region.model_validate(content).standing_approval is None


def test_special_categories_may_be_kept_with_a_condition() -> None:
    content = region_content()["agreements/DSA-TM-001.yaml"]

    kept = Agreement.model_validate(
        {**content, "sources": covering(COLUMN), "special_condition": "Article 9(2)(h)"}
    )

    assert kept.source("north_cases") is not None
    assert kept.source("south_cases") is None


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2025-11", "2026-02", ["2025-11", "2025-12", "2026-01", "2026-02"]),
        ("2026-02", "2026-02", ["2026-02"]),
        ("2026-02", "2026-01", []),
    ],
)
def test_months_between(first: str, last: str, months: list[str]) -> None:
    assert months_between(first, last) == months


@pytest.mark.parametrize(
    ("period", "last"),
    [("2026-02", dt.date(2026, 2, 28)), ("2024-02", dt.date(2024, 2, 29)),
     ("2026-12", dt.date(2026, 12, 31))],
)  # fmt: skip
def test_first_and_last_day_of_a_month(period: str, last: dt.date) -> None:
    assert first_day(period) == last.replace(day=1)
    assert last_day(period) == last
    assert period_of(last) == period
    assert month_of(month_index(period)) == period
