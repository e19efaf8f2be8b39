"""The made-up release of ``publishing_samples``, and a region in which detail is withheld."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest
from derived_samples import with_derived
from exposed_region import make_exposed
from publishing_samples import (
    DISTRICTS,
    SOURCES,
    make_accounting,
    make_area_lookups,
    make_area_neighbours,
    make_areas,
    make_borders,
    make_combined,
    make_indicators,
    make_lineage,
    make_observations,
    make_quality,
    to_arrow,
)
from region_factory import run_all

from declarations.region import District, Publication, Region, StandingApproval
from publishing.facts import ApprovalFact, InputFact, ReleaseFacts
from publishing.release import ReleaseOutcome
from warehouse.workspace import Workspace


@pytest.fixture(scope="session")
def borders() -> gpd.GeoDataFrame:
    return make_borders()


@pytest.fixture(scope="session")
def tables(borders: gpd.GeoDataFrame) -> dict[str, pa.Table]:
    areas = make_areas(borders)
    made = to_arrow(
        {
            "areas": areas,
            "area_lookups": make_area_lookups(areas),
            "area_neighbours": make_area_neighbours(areas),
            "indicators": make_indicators(),
            "observations": make_observations(areas),
            "combined_observations": make_combined(areas),
            "accounting": make_accounting(protected=True),
            "lineage": make_lineage(),
            "notes": pd.DataFrame(
                [
                    {
                        "note_id": "includes_not_placed",
                        "text": "Includes people who could not be placed in a neighbourhood.",
                    }
                ]
            ),
        }
    )
    return with_derived(made)


@pytest.fixture(scope="session")
def quality() -> dict[str, pa.Table]:
    return to_arrow(make_quality())


@pytest.fixture(scope="session")
def region() -> Region:
    return Region(
        id="three-vales",
        title="Three Vales",
        synthetic="wholly",
        districts=[District(lad24cd=c, name=n) for c, n in DISTRICTS.items()],
        first_period="2024-11",
        purpose="prevention",
        owners=["team:insight"],
        publication=Publication(publisher="Three Vales Partnership", contact="data@example.org"),
        standing_approval=StandingApproval(
            requester="Data lead", approver="Governance officer", reason="Nothing is real."
        ),
    )


@pytest.fixture(scope="session")
def release() -> ReleaseFacts:
    return ReleaseFacts(
        release_id="2026-11-r1",
        region_id="three-vales",
        title="Three Vales neighbourhood indicators",
        period_label="November 2024 to October 2026",
        code_version="0.1.0",
        profile="hide0-r5",
        candidate_hash="c" * 64,
        as_of=dt.date(2026, 11, 16),
        licence="OGL-UK-3.0",
        approvals=(
            ApprovalFact("Data lead", "requester", "requested", dt.date(2026, 11, 14)),
            ApprovalFact("Governance officer", "approver", "approved", dt.date(2026, 11, 15)),
        ),
        inputs=(InputFact("alder_homelessness", "2026-09", "a" * 64),),
        attribution=(
            "Source: Office for National Statistics licensed under the Open Government "
            "Licence v.3.0.",
        ),
        sources=SOURCES,
    )


Release = tuple[Workspace, ReleaseOutcome]


@pytest.fixture(scope="session")
def release_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Release]:
    """Run the region with other counts to its release, each variant once. To be read only."""
    made: dict[str, Release] = {}

    def run(changes: dict[str, int] | None = None, **more: Any) -> Release:
        name = repr((changes, more))
        if name not in made:
            workspace = make_exposed(tmp_path_factory.mktemp("variant"), changes, **more)
            made[name] = workspace, run_all(workspace)
        return made[name]

    return run


@pytest.fixture(scope="session")
def exposed(release_of: Callable[..., Release]) -> Release:
    """Release the region in which a neighbourhood must be shown with its neighbour."""
    return release_of()
