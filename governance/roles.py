"""Roles: what each may read, derived from the agreements, and the keys that go with it.

Belongs here: the matrix of roles, sources and zones, and which keys a role's bundle holds. What a
role gets in its hands (files and keys) is what it can read; nothing here asks who somebody is.
Does not belong here: writing the files (``pipelines/granting.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from declarations.agreements import Agreement, RoleName, ZoneName
from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.errors import AgreementError
from warehouse.key_ring import original_use, parquet_use

ROLES: tuple[str, ...] = get_args(RoleName)
ZONES: tuple[str, ...] = get_args(ZoneName)

ROLE_WORDS = {
    "data_engineer": "runs the pipelines", "analyst": "asks the published tables",
    "governance_officer": "reviews quality and releases", "supplier": "sends files of an agency",
    "public": "anybody",
}  # fmt: skip

_OPEN_TO = {"data_engineer": frozenset(ZONES)}
_OPEN_TO_OTHERS = frozenset({"quality", "published"})


@dataclass(frozen=True)
class Access:
    """What one role may read of one source.

    Attributes
    ----------
    role, source, agency, agreement : str
    zones : tuple of str
        In the order data goes through them; empty if the role may read nothing of it.
    """

    role: str
    source: str
    agency: str
    agreement: str
    zones: tuple[str, ...]


def zones_of(agreement: Agreement, role: str) -> frozenset[str]:
    """Return the zones a role may read under an agreement; an open licence closes nothing secret.

    Raises
    ------
    AgreementError
        If there is no such role.
    """
    if role not in ROLES:
        raise AgreementError(f"There is no role {role}", f"Use one of {', '.join(ROLES)}")
    if agreement.kind == "open_licence":
        return _OPEN_TO.get(role, _OPEN_TO_OTHERS)
    return agreement.zones_of(role)


def matrix(
    declared: RegionDeclarations, role: str | None = None, agency: str | None = None
) -> list[Access]:
    """Return what every role may read of every source.

    Parameters
    ----------
    role : str, optional
        Only this one.
    agency : str, optional
        A supplier reads of its own sources only: those of this agency.

    Raises
    ------
    AgreementError
        If there is no such role, or a supplier's agency supplies nothing.
    """
    if role == "supplier" and agency is not None:
        _check_agency(declared, agency)
    found = []
    for name in (role,) if role else ROLES:
        for source in declared.sources.values():
            agreement = declared.agreement_of(source)
            zones = zones_of(agreement, name)
            if name == "supplier" and agency is not None and source.agency != agency:
                zones &= {"published"}
            ordered = tuple(z for z in ZONES if z in zones)
            found.append(Access(name, source.id, source.agency, agreement.id, ordered))
    return found


def readable(
    declared: RegionDeclarations, role: str, zone: str, agency: str | None = None
) -> list[str]:
    """Return the sources of which a role may read a zone."""
    return [a.source for a in matrix(declared, role, agency) if zone in a.zones]


def publication_closed_by(declared: RegionDeclarations, role: str) -> list[str]:
    """Return the agreements that do not let a role read releases made with their data.

    A release holds the figures of every agreement at once, so one that closes it closes it whole.
    """
    return [
        agreement.id
        for agreement in declared.agreements.values()
        if agreement.kind != "open_licence" and "published" not in zones_of(agreement, role)
    ]


def key_uses(declared: RegionDeclarations, role: str) -> list[str]:
    """Return which keys a role's bundle holds: those of the agreements that let it read records.

    Returns
    -------
    list of str
        Uses as ``warehouse.key_ring`` names them; empty for every role but the data engineer, for
        no agreement can open records to another.
    """
    region = declared.region.id
    uses: list[str] = []
    for agreement in declared.agreements.values():
        zones = zones_of(agreement, role)
        if "received" in zones:
            uses.append(original_use(region, agreement.id))
        if "restricted" in zones:
            uses.extend((parquet_use(region, agreement.id), f"pseudonym:{agreement.id}"))
    return uses


def suppliers(declared: RegionDeclarations) -> list[str]:
    """Return the agencies that deliver under an agreement, in order."""
    return sorted({s.agency for s in declared.sources.values() if _is_shared(declared, s)})


def _is_shared(declared: RegionDeclarations, source: Source) -> bool:
    return declared.agreement_of(source).kind != "open_licence"


def _check_agency(declared: RegionDeclarations, agency: str) -> None:
    known = suppliers(declared)
    if agency not in known:
        raise AgreementError(
            f"No agency of this name supplies {declared.region.id}",
            f"Use one of: {', '.join(known) or '(none)'}",
        )
