"""Who may read what, as a table: it follows from the agreements and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from region_factory import region_content, write_region

from declarations.agreements import PermittedRole
from declarations.declared import RegionDeclarations
from declarations.errors import AgreementError
from declarations.loader import load_region
from governance.roles import (
    ROLE_WORDS,
    ROLES,
    ZONES,
    key_uses,
    matrix,
    publication_closed_by,
    readable,
)

AGENCY = "Agency of north_cases (synthetic)"


@pytest.fixture
def declared(tmp_path) -> RegionDeclarations:
    content = region_content()
    content["agreements/DSA-TM-001.yaml"]["permitted_roles"] = [
        {"role": "data_engineer", "zones": ["restricted", "linked"]},
        {"role": "governance_officer", "zones": ["quality", "published"]},
        {"role": "supplier", "zones": ["quality", "published"]},
        {"role": "analyst", "zones": ["published"]},
    ]
    return load_region(write_region(tmp_path, content))


#    role, zone, may it read the cases of the north, may it read the open residents
ROWS = [
    ("data_engineer", "received", False, True),
    ("data_engineer", "restricted", True, True),
    ("data_engineer", "linked", True, True),
    ("data_engineer", "published", False, True),
    ("analyst", "restricted", False, False),
    ("analyst", "linked", False, False),
    ("analyst", "published", True, True),
    ("governance_officer", "quality", True, True),
    ("governance_officer", "restricted", False, False),
    ("public", "published", False, True),
    ("public", "quality", False, True),
]


@pytest.mark.parametrize(("role", "zone", "cases", "residents"), ROWS)
def test_what_a_role_reads(
    declared: RegionDeclarations, role: str, zone: str, cases: bool, residents: bool
) -> None:
    sources = readable(declared, role, zone)

    assert ("north_cases" in sources) is cases
    assert ("residents" in sources) is residents


def test_a_supplier_reads_quality_of_its_own_sources_only(declared: RegionDeclarations) -> None:
    assert readable(declared, "supplier", "quality", AGENCY) == ["north_cases"]
    assert {a.source for a in matrix(declared, "supplier", AGENCY)} == set(declared.sources)

    with pytest.raises(AgreementError, match="No agency of this name"):
        matrix(declared, "supplier", "Somebody else")


def test_one_agreement_that_closes_releases_closes_them_whole(declared: RegionDeclarations) -> None:
    assert publication_closed_by(declared, "public") == ["DSA-TM-001"]
    assert "DSA-TM-001" not in publication_closed_by(declared, "analyst")


def test_keys_go_to_those_who_may_read_records_and_only_for_those(
    declared: RegionDeclarations,
) -> None:
    uses = key_uses(declared, "data_engineer")

    assert "parquet:testmere:DSA-TM-001" in uses
    assert "original:testmere:DSA-TM-001" not in uses
    assert "original:testmere:DSA-TM-002" in uses
    assert all(key_uses(declared, role) == [] for role in ROLES if role != "data_engineer")


@pytest.mark.parametrize("role", ["public", "analyst", "supplier"])
def test_no_agreement_can_open_records_to_them(role: str) -> None:
    content: dict[str, Any] = {"role": role, "zones": ["restricted"]}

    with pytest.raises(ValidationError, match="can never read restricted"):
        PermittedRole.model_validate(content)


def test_an_unknown_role_is_refused(declared: RegionDeclarations) -> None:
    with pytest.raises(AgreementError, match="no role janitor"):
        matrix(declared, "janitor")
    assert set(ROLE_WORDS) == set(ROLES)
    assert len(ZONES) == 5
