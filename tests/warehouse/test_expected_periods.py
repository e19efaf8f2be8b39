"""Which months a source owes a delivery for."""

from __future__ import annotations

from pathlib import Path

import pytest

from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.region import Region
from warehouse.keys import open_key_ring
from warehouse.workspace import Workspace

REGION = Region.model_validate(
    {
        "id": "testshire",
        "title": "Testshire (synthetic)",
        "synthetic": "wholly",
        "as_of": "2025-08-15",
        "districts": [{"lad24cd": "E08990001", "name": "North (synthetic)"}],
        "first_period": "2025-01",
        "purpose": "tests",
        "owners": ["team:tests"],
        "publication": {"publisher": "Nobody", "contact": "nobody@example.org"},
    }
)


def source(cadence: str, **more: str) -> Source:
    return Source.model_validate(
        {
            "id": "cases",
            "title": "Cases (synthetic)",
            "agency": "Nobody (synthetic)",
            "agreement": "DSA-TEST",
            "contract": "case_list",
            "theme": "context",
            "cadence": cadence,
            "files": "cases.csv" if cadence == "once" else "cases_{period}.csv",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("cadence", "limits", "expected"),
    [
        ("once", {}, ["all"]),
        ("quarterly", {}, ["2025-01", "2025-04", "2025-07"]),
        ("monthly", {"first_period": "2025-06"}, ["2025-06", "2025-07"]),
        ("monthly", {"last_period": "2025-02"}, ["2025-01", "2025-02"]),
        ("quarterly", {"first_period": "2025-03", "last_period": "2025-03"}, ["2025-03"]),
        ("monthly", {"first_period": "2025-06", "last_period": "2025-12"}, ["2025-06", "2025-07"]),
        ("monthly", {"first_period": "2024-02", "last_period": "2024-02"}, []),
    ],
)  # fmt: skip
def test_a_source_is_expected_from_its_first_to_its_last_month(
    tmp_path: Path, cadence: str, limits: dict[str, str], expected: list[str]
) -> None:
    declared = RegionDeclarations(tmp_path, REGION, {}, {}, {}, {})
    workspace = Workspace(declared, tmp_path, tmp_path / "landing", open_key_ring(tmp_path))
    assert workspace.expected_periods(source(cadence, **limits)) == expected
