"""Whose words a release must carry: the open licences behind its figures, areas and places.

Belongs here: which open sources of a region are used, and what their licences ask for. Does not
belong here: which delivered file stands behind which indicator (the release's lineage).
"""

from __future__ import annotations

from dataclasses import dataclass

from declarations.contracts import Source
from declarations.declared import RegionDeclarations


@dataclass(frozen=True)
class Attribution:
    """What one open licence asks for.

    Attributes
    ----------
    agreement_id : str
    licence : str
        Name of the licence.
    words : str
        The attribution to show.
    sources : tuple of str
        The region's used sources under it, in order.
    """

    agreement_id: str
    licence: str
    words: str
    sources: tuple[str, ...]


def open_sources_used(declared: RegionDeclarations) -> list[Source]:
    """Return the open sources a release stands on, in order of identifier.

    These are the sources behind an indicator, directly or through others; those whose patients
    weigh what is known by practice alone; and every reference source, since records are placed
    and maps are drawn with them, though no indicator is made from them.
    """
    behind = {s.id: s for i in declared.indicators.values() for s in declared.sources_behind(i)}
    for source in list(behind.values()):
        locate = declared.contract_of(source).locate
        if locate is not None and locate.practice_weights is not None:
            behind[locate.practice_weights] = declared.sources[locate.practice_weights]
    behind |= {s.id: s for s in declared.sources_of_kind("reference")}
    return [behind[name] for name in sorted(behind) if declared.is_open[name]]


def attributions(declared: RegionDeclarations) -> list[Attribution]:
    """Return what each open licence behind a region's release asks for, in order of agreement.

    The words of every licence whose data is used stand in it, and of no other: an attribution of
    data that is not there would be as wrong as one that is missing.
    """
    found: dict[str, list[str]] = {}
    for source in open_sources_used(declared):
        found.setdefault(source.agreement, []).append(source.id)
    return [
        Attribution(name, licence, words, tuple(found[name]))
        for name in sorted(found)
        if (licence := declared.agreements[name].licence)
        and (words := declared.agreements[name].attribution)
    ]
