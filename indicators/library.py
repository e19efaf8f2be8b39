"""The catalogue of indicators as data, and what it says of each indicator in words.

Belongs here: where the bundled catalogue lies, which sources stand behind an indicator, and the
table ``indicators`` that goes with every release.
Does not belong here: the model of an indicator file (``declarations/indicators.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from declarations.loader import read_declaration
from governance.disclosure.profiles import profile

if TYPE_CHECKING:
    import pyarrow as pa

    from declarations.contracts import Source
    from declarations.indicators import Term

CATALOGUE = Path(__file__).parent / "catalogue"
"""Folder of the bundled indicators: the ``indicator_library`` of ``load_region``."""


def catalogue() -> dict[str, Indicator]:
    """Read every bundled indicator, by identifier.

    Raises
    ------
    ConfigurationError
        If a file is malformed.
    """
    found = (read_declaration(path, Indicator) for path in sorted(CATALOGUE.glob("*.yaml")))
    return {indicator.id: indicator for indicator in found}


def sources_of(indicator: Indicator, declarations: RegionDeclarations) -> list[Source]:
    """Return the sources an indicator is made from, in order of identifier.

    Parameters
    ----------
    indicator : Indicator
        A composite stands on the sources of all its components.
    declarations : RegionDeclarations
        Holds the composite's components, too.
    """
    terms = [t for t in (indicator.numerator, indicator.denominator) if t]
    found = {
        s.id: s for t in terms for measure in t.measures for s in declarations.suppliers_of(measure)
    }
    for source in declarations.sources_of_kind("statistics"):
        columns = {c.name for c in declarations.contract_of(source).columns}
        if indicator.statistic in columns:
            found[source.id] = source
    for component in indicator.components:
        behind = sources_of(declarations.indicators[component.indicator], declarations)
        found.update({s.id: s for s in behind})
    return [found[key] for key in sorted(found)]


def indicators_table(declarations: RegionDeclarations) -> pa.Table:
    """Return one row for each indicator of a region: what it is, in words.

    Returns
    -------
    pyarrow.Table
        ``indicator_id, name, title, description, rationale, theme, kind, numerator, denominator,
        multiplier, unit, decimals, interval_method, polarity, profile, minimum_denominator,
        caveats, sources, owner, version``, in order of identifier. ``numerator`` and
        ``denominator`` are words, NULL where an indicator has none.
    """
    import pyarrow as pa  # noqa: PLC0415 - the command line lists indicators without it

    schema = pa.schema(
        [
            ("indicator_id", pa.string()),
            ("name", pa.string()),
            ("title", pa.string()),
            ("description", pa.string()),
            ("rationale", pa.string()),
            ("theme", pa.string()),
            ("kind", pa.string()),
            ("numerator", pa.string()),
            ("denominator", pa.string()),
            ("multiplier", pa.float64()),
            ("unit", pa.string()),
            ("decimals", pa.int32()),
            ("interval_method", pa.string()),
            ("polarity", pa.string()),
            ("profile", pa.string()),
            ("minimum_denominator", pa.int32()),
            ("caveats", pa.string()),
            ("sources", pa.string()),
            ("owner", pa.string()),
            ("version", pa.string()),
        ]
    )
    rows = [
        {
            "indicator_id": i.id,
            "name": i.name,
            "title": i.title,
            "description": i.description,
            "rationale": i.rationale,
            "theme": i.theme,
            "kind": i.kind,
            "numerator": in_words(i.numerator, declarations),
            "denominator": in_words(i.denominator, declarations),
            "multiplier": i.multiplier,
            "unit": i.unit,
            "decimals": i.decimals,
            "interval_method": i.interval,
            "polarity": i.polarity,
            "profile": i.profile,
            "minimum_denominator": least_denominator(i, declarations),
            "caveats": " ".join(i.caveats),
            "sources": "; ".join(
                dict.fromkeys(f"{s.title} ({s.agency})" for s in sources_of(i, declarations))
            ),
            "owner": i.owner,
            "version": i.version,
        }
        for _, i in sorted(declarations.indicators.items())
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def least_denominator(indicator: Indicator, declarations: RegionDeclarations) -> int:
    """Return the smallest denominator a value is shown with: the indicator's or its profile's."""
    if indicator.denominator is None:
        return indicator.minimum_denominator
    least = profile(indicator.profile).minimum_denominator
    of_unit = {"households": least.households, "people": least.persons}
    units = (declarations.measure(m).unit for m in indicator.denominator.measures)
    return max(indicator.minimum_denominator, *(of_unit.get(unit, 0) for unit in units))


def in_words(term: Term | None, declarations: RegionDeclarations) -> str | None:
    """Return a term in words: the titles of its measures, and which categories of them."""
    if term is None:
        return None
    titles = " + ".join(declarations.measure(measure).title for measure in term.measures)
    if term.categories is None:
        return titles
    return f"{titles}: {', '.join(c.removesuffix('*').strip() for c in term.categories)}"
