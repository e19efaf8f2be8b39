"""Which reference tables a region has, what each is made from, and which a contract needs.

Belongs here: the plan, from declarations alone, so that the asset graph and the work agree.
Does not belong here: the work (``intake/reference.py``).
"""

from __future__ import annotations

from declarations.contracts import Contract, Source
from declarations.declared import RegionDeclarations

RESIDENTS = "residents"
"""The measure whose counts weigh the parts of a split area."""

COPIED_ROLES = ("uprns", "output_areas", "practices", "boundaries_2011", "district_totals")
"""Roles whose admitted table is the reference table as it stands."""

MADE_FROM = {
    "areas": ("areas", "hierarchy"),
    "lsoa_changes": ("lsoa_changes", "areas", "output_areas"),
    "postcodes": ("postcodes", "postcode_points"),
    **{role: (role,) for role in COPIED_ROLES},
    "area_lookups": ("areas", "hierarchy", "lsoa_changes"),
    "neighbours": ("areas",),
    "buffer": ("areas",),
}
"""For each reference table the roles it is made from; without the first there is no table."""

MADE_AFTER = {"area_lookups": ("areas",), "neighbours": ("areas",), "buffer": ("areas",)}
"""Reference tables that are made from other reference tables besides."""

ROLES_OF_KEY = {
    "uprn": ("uprns",),
    # A postcode without an LSOA of its own is placed by its output area.
    "postcode": ("postcodes", "output_areas"),
    "output_area": ("output_areas",),
}
"""Which reference tables a location key needs, besides areas and changes."""


def reference_roles(declared: RegionDeclarations) -> list[str]:
    """Return the reference tables a region has."""
    return [role for role, made in MADE_FROM.items() if declared.reference_source(made[0])]


def inputs_of(declared: RegionDeclarations, role: str) -> list[Source]:
    """Return the sources a reference table is made from."""
    sources = [s for s in (declared.reference_source(r) for r in MADE_FROM[role]) if s]
    if role == "area_lookups":
        sources.extend(declared.reference_sources("area_lookups"))
    if role == "lsoa_changes":
        sources.extend(declared.suppliers_of(RESIDENTS)[:1])
    return sources


def roles_of(declared: RegionDeclarations, contract: Contract) -> list[str]:
    """Return the reference tables a contract's records are placed with."""
    if contract.locate is None:
        return []
    wanted = {"areas", "lsoa_changes"}
    for key in contract.locate.by:
        wanted |= set(ROLES_OF_KEY.get(key, ()))
    return [role for role in reference_roles(declared) if role in wanted]
