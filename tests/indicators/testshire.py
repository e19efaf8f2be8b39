"""A small made-up region: two districts, two MSOAs each, and builders of its declarations.

Everything here describes synthetic people.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from declarations.contracts import Contract, Source
from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from declarations.region import Region

NORTH, SOUTH = "E08990001", "E08990002"
AREAS = [
    ("E01990001", "E02990001", NORTH),
    ("E01990002", "E02990001", NORTH),
    ("E01990003", "E02990002", NORTH),
    ("E01990004", "E02990003", SOUTH),
    ("E01990005", "E02990004", SOUTH),
]

CountRow = tuple[str, str, str | None, str | None, str, str, int]
"""source_id, period, lsoa21cd, lad24cd, measure, category, value."""

Fill = Callable[[list[CountRow], list[tuple[str, str]]], None]


def make_contract(
    identifier: str,
    measures: dict[str, str],
    *,
    kind: str = "records",
    estimated: bool = False,
    columns: tuple[str, ...] = (),
) -> Contract:
    """Build a contract that counts ``measures`` (name -> flow or stock)."""
    names = ["lsoa", "kind_of", *columns, *(measures if kind == "values" else ())]
    return Contract.model_validate(
        {
            "id": identifier,
            "title": identifier,
            "specification": "made up for tests",
            "kind": kind,
            "columns": [
                {"name": n, "type": "integer", "additive": True}
                if kind == "values" and n in measures
                else {"name": n}
                for n in names
            ],
            "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
            "counts": [
                {
                    "measure": m,
                    "title": m.replace("_", " "),
                    "unit": "cases",
                    "additivity": a,
                    "estimated": estimated,
                    **({"value": m} if kind == "values" else {"category": "kind_of"}),
                }
                for m, a in measures.items()
            ],
        }
    )


def make_source(identifier: str, contract: str, cadence: str, **more: object) -> Source:
    """Build a source of a contract."""
    period = "" if cadence == "once" else "_{period}"
    return Source.model_validate(
        {
            "id": identifier,
            "title": identifier,
            "agency": "An agency",
            "agreement": "DSA-TEST",
            "contract": contract,
            "theme": "context",
            "cadence": cadence,
            "files": f"{identifier}{period}.csv",
            "synthetic": True,
            **more,
        }
    )


def make_region(
    contracts: list[Contract],
    sources: list[Source],
    indicators: list[Indicator] | None = None,
    *,
    first_period: str = "2025-01",
    last_period: str | None = "2025-12",
    release_month: int = 12,
) -> RegionDeclarations:
    """Build the region of the two districts."""
    region = Region.model_validate(
        {
            "id": "testshire",
            "title": "Testshire (synthetic)",
            "synthetic": "wholly",
            "districts": [
                {"lad24cd": NORTH, "name": "North (synthetic)"},
                {"lad24cd": SOUTH, "name": "South (synthetic)"},
            ],
            "first_period": first_period,
            "last_period": last_period,
            "release_month": release_month,
            "purpose": "tests",
            "owners": ["team:tests"],
            "publication": {"publisher": "Nobody", "contact": "nobody@example.org"},
        }
    )
    return RegionDeclarations(
        root=Path("testshire"),
        region=region,
        agreements={},
        contracts={c.id: c for c in contracts},
        sources={s.id: s for s in sources},
        indicators={i.id: i for i in indicators or []},
    )


def make_indicator(**changes: object) -> Indicator:
    """Build a rate of cases per 1,000 households, changed as asked."""
    return Indicator.model_validate(
        {
            "id": "T01",
            "name": "cases_rate",
            "title": "Cases per 1,000 households",
            "description": "Made up.",
            "rationale": "Made up.",
            "theme": "context",
            "kind": "rate",
            "numerator": "cases",
            "denominator": "households",
            "multiplier": 1000,
            "unit": "per 1,000 households",
            "outputs": [{"level": "lsoa21", "window": "year"}],
            "additivity": "flow",
            "basis": "registered",
            "interval": "byar",
            "polarity": "none",
            "minimum_denominator": 0,
            "sources": ["Made up for tests"],
            "purposes": ["tests"],
            "owner": "team:tests",
            "version": "1.0",
            **changes,
        }
    )
