"""A made-up region of six neighbourhoods, small enough to go through every stage in a second.

Belongs here: its declarations, its deliveries and the run of its stages, written by functions into
a folder of the caller's. Does not belong here: any expectation of a test.

Everything here describes synthetic people in a place that does not exist.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import yaml

from declarations.declared import RegionDeclarations
from declarations.loader import load_region
from indicators.counting import count_source
from indicators.tables import build_theme, themes
from intake.admission import admit
from intake.arrival import receive_source
from intake.location import locate, located_table
from intake.quality import build_quality
from intake.reference import build_reference
from intake.reference_plan import reference_roles
from publishing.derived import derive
from publishing.protection import protect_themes
from publishing.release import ReleaseOutcome, build_release
from warehouse.connection import Limits
from warehouse.keys import KeyRing, open_key_ring
from warehouse.lake import TableRef
from warehouse.workspace import Workspace

NORTH, SOUTH = "E08990001", "E08990002"
PURPOSE = "neighbourhood-indicators"
ARRIVED = dt.date(2026, 4, 20)
"""The day every delivery of the region arrives, unless a test says otherwise."""

AREAS = {
    "E01990001": ("Testmere 001A", "E02990001", NORTH),
    "E01990002": ("Testmere 001B", "E02990001", NORTH),
    "E01990003": ("Testmere 002A", "E02990002", NORTH),
    "E01990004": ("Testmere 003A", "E02990003", SOUTH),
    "E01990005": ("Testmere 003B", "E02990003", SOUTH),
    "E01990006": ("Testmere 004A", "E02990004", SOUTH),
}
RESIDENTS = {
    "E01990001": 1403, "E01990002": 1617, "E01990003": 1539,
    "E01990004": 1288, "E01990005": 1711, "E01990006": 1456,
}  # fmt: skip
POSTCODES = {
    "TM1 1AA": "E01990001", "TM1 1AB": "E01990002", "TM1 1AD": "E01990003",
    "TM2 1AA": "E01990004", "TM2 1AB": "E01990005", "TM2 1AD": "E01990006",
}  # fmt: skip
POSTCODE_OF = {lsoa: postcode for postcode, lsoa in POSTCODES.items()}
NO_FIXED_ABODE = "ZZ99 3VZ"
CHANGES = [
    ("E01990001", "E01990001", "U"),
    ("E01980002", "E01990002", "S"),
    ("E01980002", "E01990003", "S"),
    ("E01990004", "E01990004", "U"),
    ("E01980005", "E01990005", "M"),
    ("E01980006", "E01990005", "M"),
    ("E01990006", "E01990006", "U"),
]

OPENED = {
    "E01990001": 3, "E01990002": 13, "E01990003": 0,
    "E01990004": 4, "E01990005": 23, "E01990006": 1,
}  # fmt: skip
"""Cases opened in the quarter, by neighbourhood: small, large and none."""

NOT_PLACED = 1
"""Further cases of the southern district without a fixed abode; its total is no multiple of 5."""

PLANTED = {
    "name": "Zebedee Quillfeather",
    "nhs_number": "9998887771",
    "note": "confides-in-the-heron",
    "undeclared": "undeclared-marmalade",
    "person": "PID-PLANTED-0042",
}
"""Values of the northern delivery that must be in nothing we make from it."""

CASE_HEADER = ("person_id", "name", "nhs_number", "postcode", "service", "opened", "closed", "note")


def _column(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


CONTRACTS: dict[str, dict[str, Any]] = {
    "mere_areas": {
        "kind": "reference", "role": "areas", "format": {"type": "boundaries", "crs": 27700},
        "columns": [_column(c) for c in ("lsoa21cd", "lsoa21nm", "msoa21cd", "lad24cd")],
        "key": ["lsoa21cd"],
    },
    "mere_changes": {
        "kind": "reference", "role": "lsoa_changes",
        "columns": [_column(c) for c in ("lsoa11cd", "lsoa21cd", "chgind")],
        "key": ["lsoa11cd", "lsoa21cd"],
    },
    "mere_postcodes": {
        "kind": "reference", "role": "postcodes", "key": ["pcds"],
        "columns": [
            *(_column(c, required=False) for c in ("dointr", "doterm", "lsoa11cd")),
            *(_column(c, required=False, type="number") for c in ("easting", "northing")),
            _column("pcds"), _column("lsoa21cd"),
        ],
    },
    "mere_residents": {
        "kind": "values", "key": ["lsoa"], "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
        "columns": [_column("lsoa"), _column("residents", type="integer", additive=True)],
        "counts": [
            {"measure": "residents", "title": "Residents", "unit": "people",
             "additivity": "stock", "value": "residents"},
        ],
    },
    "mere_cases": {
        "kind": "records", "key": ["person_id", "service", "opened"],
        "locate": {"by": ["postcode"], "postcode": "postcode", "date": "opened"},
        "columns": [
            _column("person_id", headers=["Client No"], nullable=False),
            _column("name", required=False),
            _column("nhs_number", required=False),
            _column("postcode"),
            _column("service", codes=["advice", "support"], blocking=True),
            _column("opened", type="date", nullable=False),
            _column("closed", type="date", required=False),
            _column("note", required=False),
        ],
        "counts": [
            {"measure": "cases_opened", "title": "Cases opened", "unit": "cases",
             "additivity": "flow", "during": "opened", "category": "service"},
            {"measure": "people_supported", "title": "People supported", "unit": "people",
             "additivity": "stock", "where": {"service": ["support"]},
             "open_at_end": ["opened", "closed"], "distinct": "person_id"},
        ],
    },
    "mere_visits": {
        "kind": "values", "key": ["lsoa"], "locate": {"by": ["lsoa"], "lsoa": "lsoa"},
        "columns": [
            _column("lsoa"),
            _column("visits", type="integer", additive=True, minimum=0),
            _column("visits_online", type="integer", additive=True, minimum=0),
        ],
        "counts": [
            {"measure": m, "title": m.replace("_", " ").capitalize(), "unit": "visits",
             "additivity": "flow", "value": m}
            for m in ("visits", "visits_online")
        ],
    },
}  # fmt: skip

SOURCES: dict[str, dict[str, Any]] = {
    "areas": {"contract": "mere_areas", "cadence": "once", "files": "areas.geojson"},
    "changes": {"contract": "mere_changes", "cadence": "once", "files": "changes.csv"},
    "postcodes": {"contract": "mere_postcodes", "cadence": "once", "files": "postcodes.csv"},
    "residents": {
        "contract": "mere_residents", "cadence": "once", "files": "residents.csv",
        "period": "2021-03",
    },
    "north_cases": {
        "contract": "mere_cases", "cadence": "quarterly", "files": "cases_{period}*.csv",
        "first_period": "2026-03", "lad24cd": NORTH, "agreement": "DSA-TM-001",
    },
    "south_cases": {
        "contract": "mere_cases", "cadence": "quarterly", "files": "cases_{period}*.csv",
        "first_period": "2026-03", "lad24cd": SOUTH, "agreement": "DSA-TM-002",
    },
    "north_visits": {
        "contract": "mere_visits", "cadence": "monthly", "files": "visits_{period}*.csv",
        "lad24cd": NORTH, "agreement": "DSA-TM-003",
    },
}  # fmt: skip

_CASE_COLUMNS = [
    {"name": "person_id", "class": "direct_identifier", "action": "pseudonymise"},
    {"name": "name", "class": "direct_identifier", "action": "drop"},
    {"name": "nhs_number", "class": "direct_identifier", "action": "drop"},
    {"name": "postcode", "class": "quasi_identifier", "action": "generalise"},
    {"name": "service", "class": "measure", "action": "keep"},
    {"name": "opened", "class": "quasi_identifier", "action": "keep"},
    {"name": "closed", "class": "quasi_identifier", "action": "keep"},
    {"name": "note", "class": "special", "action": "drop"},
]
_VISIT_COLUMNS = [
    {"name": "lsoa", "class": "reference", "action": "generalise"},
    {"name": "visits", "class": "measure", "action": "keep"},
    {"name": "visits_online", "class": "measure", "action": "keep"},
]


SHARED = ("DSA-TM-001", "DSA-TM-002", "DSA-TM-003")


def _sharing(identifier: str, source: str, columns: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "id": identifier, "version": "1.0", "title": f"{source} (synthetic)",
        "kind": "data_sharing_agreement", "synthetic": True,
        "parties": ["A council (synthetic)", "Testmere partnership (synthetic)"],
        "controllers": ["A council (synthetic)"], "purposes": [PURPOSE],
        "lawful_basis": "Article 6(1)(e) public task",
        "sources": [{"id": source, "columns": columns}],
        "start_date": dt.date(2025, 1, 1), "expiry_date": dt.date(2027, 12, 31),
        "retention": {"received_days": 90, "restricted_days": 365, "linked_days": 730},
        "permitted_outputs": [
            {"indicator": name, "geography": "lsoa21", "frequency": "monthly"}
            for name in INDICATORS
        ],
        "permitted_roles": [
            {"role": "data_engineer", "zones": ["received", "restricted", "linked", "published"]},
            {"role": "governance_officer", "zones": ["quality", "published"]},
            {"role": "public", "zones": ["published"]},
        ],
        "permitted_linkages": [
            {"agreement": other, "level": "area"} for other in SHARED if other != identifier
        ],
        "signatories": [
            {"role": "Director", "organisation": "A council (synthetic)",
             "date": dt.date(2024, 12, 1)},
            {"role": "Officer", "organisation": "Testmere partnership (synthetic)",
             "date": dt.date(2024, 12, 2)},
        ],
    }  # fmt: skip


def _open_licence() -> dict[str, Any]:
    covered = []
    for name, source in SOURCES.items():
        if "agreement" in source:
            continue
        contract = CONTRACTS[source["contract"]]
        placed = contract.get("locate", {}).get("by", [])
        covered.append(
            {
                "id": name,
                "columns": [
                    {"name": c["name"], "class": "reference",
                     "action": "generalise" if c["name"] in placed else "keep"}
                    for c in contract["columns"]
                ],
            }
        )  # fmt: skip
    return {
        "id": "OGL-TM-OPEN", "version": "3.0", "title": "Open layouts (synthetic)",
        "kind": "open_licence", "synthetic": True, "parties": ["Nobody (synthetic)"],
        "purposes": [PURPOSE], "licence": "Open Government Licence v3.0",
        "attribution": "Synthetic data; it describes no real place.", "sources": covered,
        "start_date": dt.date(2020, 1, 1), "expiry_date": None,
    }  # fmt: skip


def _indicator(identifier: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier, "name": name, "title": name.replace("_", " ").capitalize(),
        "description": "Made up.", "rationale": "Made up.", "theme": "social_care",
        "multiplier": 1000.0, "unit": "per 1,000 residents", "polarity": "lower_is_better",
        "minimum_denominator": 0, "owner": "team:tests", "version": "1.0", "additivity": "flow",
        "basis": "registered", "sources": ["Made up for tests"], "purposes": [PURPOSE], **more,
    }  # fmt: skip


def index_component(name: str, indicator: str, worse: str) -> dict[str, Any]:
    """Return a component of an index with one input."""
    return {
        "name": name, "title": name.capitalize(), "weight": 1.0, "rationale": "Made up.",
        "inputs": [
            {"indicator": indicator, "weight": 1.0, "worse": worse, "rationale": "Made up."}
        ],
    }  # fmt: skip


INDICATORS: dict[str, dict[str, Any]] = {
    "T01": _indicator(
        "T01", "cases_opened_rate", kind="rate", interval="byar", smoothing="district",
        numerator="cases_opened", denominator="residents",
        outputs=[{"level": level, "window": "quarter"} for level in ("lsoa21", "msoa21", "lad24")],
    ),
    "T02": _indicator(
        "T02", "people_supported_rate", kind="rate", interval="byar", additivity="stock",
        numerator="people_supported", denominator="residents",
        outputs=[{"level": "lsoa21", "window": "latest"}],
    ),
    "T03": _indicator(
        "T03", "visits_online_share", kind="share", interval="wilson", theme="digital_inclusion",
        numerator="visits_online", denominator="visits",
        multiplier=100.0, unit="%", polarity="higher_is_better",
        outputs=[{"level": "lsoa21", "window": "month"}],
    ),
    "T04": _indicator(
        "T04", "need_index", kind="composite", interval="simulation", unit="score", multiplier=1.0,
        additivity="none", basis="none",
        index={
            "weights_agreed": "Nobody: made up for tests.",
            "uncertainty": {"draws": 100},
            "components": [
                index_component("need", "T01", "high"), index_component("online", "T03", "low"),
            ],
        },
        outputs=[{"level": "lsoa21", "window": "latest"}],
    ),
}  # fmt: skip


def region_content(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return every declaration of the region by file path, as plain content to be changed.

    Parameters
    ----------
    **changes
        Keys of ``region.yaml``; None takes a key away.
    """
    region = {
        "id": "testmere", "title": "Testmere (synthetic region)", "synthetic": "wholly",
        "clock": "file-times", "as_of": dt.date(2026, 5, 10), "landing_after_receipt": "keep",
        "districts": [
            {"lad24cd": NORTH, "name": "North Mere (synthetic)"},
            {"lad24cd": SOUTH, "name": "South Mere (synthetic)"},
        ],
        "expected_lsoas": len(AREAS), "first_period": "2026-01", "last_period": "2026-03",
        "release_month": 3, "purpose": PURPOSE, "owners": ["team:tests"],
        "publication": {"publisher": "Testmere (synthetic)", "contact": "team@mere.example"},
        "standing_approval": {
            "requester": "First person (synthetic)", "approver": "Second person (synthetic)",
            "reason": "Nobody here is real.",
        },
        **changes,
    }  # fmt: skip
    content: dict[str, dict[str, Any]] = {
        "region.yaml": {k: v for k, v in region.items() if v is not None}
    }
    for name, contract in CONTRACTS.items():
        content[f"contracts/{name}.yaml"] = {
            "id": name, "title": name, "specification": "made up for tests", **contract
        }  # fmt: skip
    for name, source in SOURCES.items():
        content[f"sources/{name}.yaml"] = {
            "id": name, "title": f"{name} (synthetic)", "agency": f"Agency of {name} (synthetic)",
            "theme": "context", "agreement": "OGL-TM-OPEN", "synthetic": True, **source,
        }  # fmt: skip
    content["agreements/OGL-TM-OPEN.yaml"] = _open_licence()
    for identifier, name, columns in (
        ("DSA-TM-001", "north_cases", _CASE_COLUMNS),
        ("DSA-TM-002", "south_cases", _CASE_COLUMNS),
        ("DSA-TM-003", "north_visits", _VISIT_COLUMNS),
    ):
        content[f"agreements/{identifier}.yaml"] = _sharing(identifier, name, columns)
    for name, indicator in INDICATORS.items():
        content[f"indicators/{name}.yaml"] = indicator
    return copy.deepcopy(content)


def without_purpose(
    content: dict[str, dict[str, Any]], agreement: str
) -> dict[str, dict[str, Any]]:
    """Take the region's purpose out of one agreement; its indicators need another that all allow.

    An indicator of the region's own whose purpose is not allowed stops the region from loading:
    what is left for the gate is the purpose of the region.
    """
    for name, declaration in content.items():
        if name.startswith("indicators/"):
            declaration["purposes"] = ["planning"]
        if name.startswith("agreements/DSA-"):
            declaration["purposes"] = ["planning", PURPOSE]
    content[f"agreements/{agreement}.yaml"]["purposes"] = ["planning"]
    return content


def write_region(folder: Path, content: dict[str, dict[str, Any]] | None = None) -> Path:
    """Write a region's declarations as YAML files, in place of those that are there."""
    for path in folder.rglob("*.yaml"):
        path.unlink()
    for name, declaration in (content or region_content()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(declaration, sort_keys=False), encoding="utf-8")
    return folder


def put(landing: Path, source: str, name: str, lines: list[str], *, day: dt.date = ARRIVED) -> Path:
    """Put a file in a source's landing folder, dated the day it is to have arrived."""
    path = landing / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    moment = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC).timestamp()
    os.utime(path, (moment, moment))
    return path


def case_lines(cases: list[dict[str, str]], header: tuple[str, ...] = CASE_HEADER) -> list[str]:
    """Return the lines of a file of cases; what a case does not say is filled in."""
    lines = [",".join(header)]
    for number, case in enumerate(cases, start=1):
        whole = {
            "person_id": f"P{number:04d}", "postcode": "TM1 1AA", "service": "advice",
            "opened": "2026-02-02", **case,
        }  # fmt: skip
        lines.append(",".join(whole.get(column, "") for column in header))
    return lines


def cases_of(lsoas: list[str]) -> list[dict[str, str]]:
    """Return as many cases in each neighbourhood as `OPENED` says, every third one of support."""
    return [
        {
            "person_id": f"{lsoa}-{n}",
            "postcode": POSTCODE_OF[lsoa],
            "service": "support" if n % 3 == 0 else "advice",
        }
        for lsoa in lsoas
        for n in range(OPENED[lsoa])
    ]


def north_lines() -> list[str]:
    """Return the northern delivery, with planted values and a column nobody agreed to."""
    cases = cases_of(["E01990001", "E01990002", "E01990003"])
    cases[0] |= {
        "person_id": PLANTED["person"], "name": PLANTED["name"], "note": PLANTED["note"],
        "nhs_number": PLANTED["nhs_number"], "favourite": PLANTED["undeclared"],
    }  # fmt: skip
    return case_lines(cases, (*CASE_HEADER, "favourite"))


def write_landing(landing: Path, *, leave_out: tuple[str, ...] = ()) -> Path:
    """Put one good delivery of every source in the landing folder."""
    files: dict[tuple[str, str], list[str]] = {
        ("areas", "areas.geojson"): [json.dumps(_squares())],
        ("changes", "changes.csv"): ["lsoa11cd,lsoa21cd,chgind", *map(",".join, CHANGES)],
        ("postcodes", "postcodes.csv"): [
            "pcds,dointr,doterm,lsoa21cd",
            *(f"{postcode},200001,,{lsoa}" for postcode, lsoa in POSTCODES.items()),
        ],
        ("residents", "residents.csv"): [
            "lsoa,residents", *(f"{lsoa},{n}" for lsoa, n in RESIDENTS.items())
        ],
        ("north_cases", "cases_2026-03.csv"): north_lines(),
        ("south_cases", "cases_2026-03.csv"): case_lines(
            [
                *cases_of(["E01990004", "E01990005", "E01990006"]),
                *({"person_id": f"nfa{n}", "postcode": NO_FIXED_ABODE} for n in range(NOT_PLACED)),
            ]
        ),
    }  # fmt: skip
    for month, online in (("2026-01", 2), ("2026-02", 31), ("2026-03", 47)):
        files["north_visits", f"visits_{month}.csv"] = [
            "lsoa,visits,visits_online",
            *(f"{lsoa},{n + 61},{n + online}" for n, lsoa in enumerate(list(AREAS)[:3])),
        ]
    for (source, name), lines in files.items():
        if source not in leave_out:
            put(landing, source, name, lines)
    return landing


def _squares() -> dict[str, Any]:
    """Return the neighbourhoods as squares of one kilometre, in EPSG:27700."""
    features = []
    for number, (code, (name, msoa, lad)) in enumerate(AREAS.items()):
        x, y = 450_000 + 1000 * (number % 3), 270_000 + 1000 * (number // 3)
        ring = [[x, y], [x + 1000, y], [x + 1000, y + 1000], [x, y + 1000], [x, y]]
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "lsoa21cd": code, "lsoa21nm": name, "msoa21cd": msoa, "lad24cd": lad
                },
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    return {"type": "FeatureCollection", "crs": crs, "features": features}


def make_workspace(
    folder: Path,
    content: dict[str, dict[str, Any]] | None = None,
    *,
    keys: KeyRing | None = None,
    leave_out: tuple[str, ...] = (),
) -> Workspace:
    """Write region and landing folder below ``folder`` and return the region's workspace."""
    declared = load_region(write_region(folder / "region", content))
    landing = write_landing(folder / "landing", leave_out=leave_out)
    return workspace_of(folder, declared, landing, keys)


def workspace_of(
    folder: Path, declared: RegionDeclarations, landing: Path, keys: KeyRing | None = None
) -> Workspace:
    """Return a workspace with its data below ``folder``."""
    data = folder / "data"
    return Workspace(
        declared, data, landing, keys or open_key_ring(data), limits=Limits("500MB", 1)
    )


def receive(workspace: Workspace, *names: str) -> None:
    """Take in everything in the landing folder, or that of the sources named."""
    for name in names or workspace.declared.sources:
        receive_source(workspace, workspace.declared.sources[name])


def each(workspace: Workspace, *kinds: str) -> Iterator[tuple[Any, str]]:
    """Yield every source of the kinds with each of its periods, references of records first."""
    for source in workspace.declared.sources_of_kind(*kinds):
        for period in workspace.expected_periods(source):
            yield source, period


def run_to_location(workspace: Workspace) -> None:
    """Run the stages from the landing folder to placed records."""
    receive(workspace)
    for source, period in each(workspace, "reference", "records", "values", "statistics"):
        admit(workspace, source, period)
    for role in reference_roles(workspace.declared):
        build_reference(workspace, role)
    for source, period in each(workspace, "records", "values", "statistics"):
        locate(workspace, source, period)


def run_to_protection(workspace: Workspace) -> None:
    """Run the stages from the landing folder to protected and derived figures and quality."""
    run_to_location(workspace)
    for source, period in each(workspace, "records", "values", "statistics"):
        count_source(workspace, source, period, located_table(source))
    for theme in themes(workspace):
        build_theme(workspace, theme)
    protect_themes(workspace)
    derive(workspace)
    build_quality(workspace)


def run_all(workspace: Workspace) -> ReleaseOutcome:
    """Run every stage, the release included."""
    run_to_protection(workspace)
    return build_release(workspace)


def texts_below(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield every file of the data folder but the originals: its name, bytes and decoded cells.

    Parquet is compressed and record-level Parquet encrypted, so that a search of bytes alone would
    find nothing: their cells are read as text, with the region's key.
    """
    for path in sorted(workspace.data_dir.rglob("*")):
        relative = path.relative_to(workspace.data_dir)
        if path.is_dir() or path.is_symlink() or "received" in relative.parts:
            continue
        texts = [relative.as_posix(), path.read_bytes().decode("latin-1")]
        if path.suffix == ".parquet":
            texts.append(_cells(workspace, path))
        elif path.suffix == ".duckdb":
            texts.append(_database_text(path))
        yield relative.as_posix(), "\n".join(texts)


def _cells(workspace: Workspace, path: Path) -> str:
    with workspace.connect(encryption=True) as connection:
        cursor = connection.execute(f"SELECT * FROM {workspace.lake.scan_file(path)}")
        return repr([d[0] for d in cursor.description or ()]) + repr(cursor.fetchall())


def _database_text(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names]
    return repr(rows)


def rows_of(workspace: Workspace, table: TableRef, period: str = "all") -> list[dict[str, Any]]:
    """Return a partition's rows; none where it is absent."""
    scan = workspace.lake.scan(table, [period])
    if scan is None:
        return []
    with workspace.connect(encryption=True) as connection:
        cursor = connection.execute(f"SELECT * FROM {scan}")
        names = [d[0] for d in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
