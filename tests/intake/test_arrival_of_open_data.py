"""Receiving from a folder of published files that other sources read, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from intake_samples import make_contract, make_source

from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.region import Region
from intake.arrival import receive_source
from warehouse.keys import open_key_ring
from warehouse.workspace import Workspace

REGION = Region.model_validate(
    {
        "id": "testshire",
        "title": "Testshire (synthetic)",
        "synthetic": "wholly",
        "clock": "file-times",
        "as_of": "2026-11-16",
        "districts": [{"lad24cd": "E08990001", "name": "North (synthetic)"}],
        "first_period": "2026-01",
        "purpose": "tests",
        "owners": ["team:tests"],
        "publication": {"publisher": "Nobody", "contact": "nobody@example.org"},
    }
)
HEADER = "postcode,month,sessions\n"


def arrivals(
    folder: Path, source: Source, *, open_data: bool = True
) -> dict[str, tuple[str, str | None]]:
    contract = make_contract()
    declared = RegionDeclarations(folder, REGION, {}, {contract.id: contract}, {}, {})
    workspace = Workspace(
        declared,
        folder / "data",
        folder / "landing",
        open_key_ring(folder),
        open_data=folder / "open" if open_data else None,
    )
    found = receive_source(workspace, source)
    return {d.file_name: (d.outcome, d.reason) for d in found.new}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("open/libraries", "landing/northwood_library_sessions"):
        (tmp_path / place).mkdir(parents=True)
        for month in ("2026-09", "2026-10"):
            file = tmp_path / place / f"library_sessions_{month}.csv"
            file.write_text(HEADER + f"QX1 1AA,{month},5\n")
            # Long enough ago not to be a file that is still being written.
            os.utime(file, (1_790_000_000, 1_790_000_000))
        (tmp_path / place / "TS001.csv").write_text("total\n1\n")
    return tmp_path


def test_names_of_other_sources_are_refused_in_landing_but_not_in_open_data(folder: Path) -> None:
    assert arrivals(folder, make_source(open_data="libraries")) == {
        "library_sessions_2026-09.csv": ("accepted", None),
        "library_sessions_2026-10.csv": ("accepted", None),
    }
    assert arrivals(folder, make_source())["TS001.csv"] == ("refused", "unknown_name")


def test_a_source_that_has_ended_takes_nothing_later(folder: Path) -> None:
    source = make_source(open_data="libraries", last_period="2026-09")
    assert arrivals(folder, source) == {
        "library_sessions_2026-09.csv": ("accepted", None),
        "library_sessions_2026-10.csv": ("refused", "out_of_calendar"),
    }


def test_an_open_data_folder_must_be_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="none was given"):
        arrivals(folder, make_source(open_data="libraries"), open_data=False)
