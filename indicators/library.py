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
    from declarations.expressions import Summand, Term

DESCRIBED = (
    "indicator_id", "name", "title", "description", "rationale", "theme", "kind", "numerator",
    "denominator", "expression", "made_from", "multiplier", "unit", "decimals", "additivity",
    "outputs", "basis", "interval_method", "standardisation", "smoothing", "polarity", "profile",
    "minimum_denominator", "caveats", "definition_sources", "sources", "purposes", "owner",
    "version",
)  # fmt: skip
"""Columns of the table ``indicators``."""

AS_DECLARED = frozenset(
    {"name", "title", "description", "rationale", "theme", "kind", "multiplier", "unit", "decimals",
     "additivity", "basis", "standardisation", "smoothing", "polarity", "profile", "owner",
     "version"}
)  # fmt: skip

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
        One that is made from others stands on the sources of all of them.
    declarations : RegionDeclarations
        Holds those others, too.
    """
    return sorted(declarations.sources_behind(indicator), key=lambda source: source.id)


def indicators_table(declarations: RegionDeclarations) -> pa.Table:
    """Return one row for each indicator of a region: what it is, in words.

    Returns
    -------
    pyarrow.Table
        ``indicator_id, name, title, description, rationale, theme, kind, numerator, denominator,
        expression, made_from, multiplier, unit, decimals, additivity, outputs, basis,
        interval_method, standardisation, smoothing, polarity, profile, minimum_denominator,
        caveats, definition_sources, sources, purposes, owner, version``, in order of identifier.
        ``numerator`` and ``denominator`` are words, NULL where an indicator has none.
    """
    import pyarrow as pa  # noqa: PLC0415 - the command line lists indicators without it

    rows = [_described(i, declarations) for _, i in sorted(declarations.indicators.items())]
    types = {"multiplier": pa.float64(), "decimals": pa.int32(), "minimum_denominator": pa.int32()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in DESCRIBED])
    return pa.Table.from_pylist(rows, schema=schema)


def _described(i: Indicator, declarations: RegionDeclarations) -> dict[str, object]:
    suppliers = (f"{s.title} ({s.agency})" for s in sources_of(i, declarations))
    return {
        "indicator_id": i.id,
        "numerator": in_words(i.numerator, declarations),
        "denominator": in_words(i.denominator, declarations),
        "expression": " / ".join(str(t) for t in i.terms) or i.statistic,
        "made_from": ", ".join(i.made_of) or None,
        "outputs": ", ".join(f"{o.level} by {o.window}" for o in i.outputs),
        "interval_method": i.interval,
        "minimum_denominator": least_denominator(i, declarations),
        "caveats": " ".join(i.caveats),
        "definition_sources": "; ".join(i.sources),
        "sources": "; ".join(dict.fromkeys(suppliers)),
        "purposes": ", ".join(i.purposes),
        **{name: getattr(i, name) for name in DESCRIBED if name in AS_DECLARED},
    }


def least_denominator(indicator: Indicator, declarations: RegionDeclarations) -> int:
    """Return the smallest denominator a value is shown with: the indicator's or its profile's."""
    if indicator.denominator is None:
        return 0
    least = profile(indicator.profile).minimum_denominator
    of_unit = {"households": least.households, "people": least.persons}
    units = (declarations.measure(m).unit for m in indicator.denominator.measures)
    return max(indicator.minimum_denominator, *(of_unit.get(unit, 0) for unit in units))


def in_words(term: Term | None, declarations: RegionDeclarations) -> str | None:
    """Return a term in words: the titles of its measures, and which categories of them."""
    if term is None:
        return None
    return " + ".join(_summand_in_words(summand, declarations) for summand in term.summands)


def _summand_in_words(summand: Summand, declarations: RegionDeclarations) -> str:
    title = declarations.measure(summand.measure).title
    if summand.categories is None:
        return title
    return f"{title}: {', '.join(c.removesuffix('*').strip() for c in summand.categories)}"
