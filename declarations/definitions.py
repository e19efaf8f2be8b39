"""What makes the definition of an indicator sound, in the region it is used in.

Belongs here: unknown counts, definitions that go round in a circle, rates of rates, stocks summed
over time. Does not belong here: what one file must hold (``indicators.py``), or what agreements let
be published (``consistency.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from declarations.declared import RegionDeclarations
from declarations.errors import ConfigurationError
from declarations.indicators import COUNTED, Indicator

ANY_ENDING = "*"
"""At the end of a category: every category that begins with what stands before it."""

CATEGORIES_SHOWN = 6

ALLOWED = {
    "composite": COUNTED | {"statistic", "standardised", "expected"},
    "standardised": frozenset({"rate"}),
    "expected": COUNTED | {"statistic"},
    "median": frozenset({"share"}),
}
"""The kinds each kind may be made from."""


def available_counts(declared: RegionDeclarations) -> set[str]:
    """Return the measures the region's sources count, and the statistics they give."""
    names: set[str] = set()
    for source in declared.sources.values():
        contract = declared.contract_of(source)
        names |= {c.measure for c in contract.counts}
        if contract.kind == "statistics":
            names |= {c.name for c in contract.columns}
    return names


def check_definition(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    """Refuse an indicator whose definition does not hold together.

    Parameters
    ----------
    path : Path
        The indicator's file, for the message.

    Raises
    ------
    ConfigurationError
    """
    _refuse_rates_of_rates(indicator, declared, path)
    _refuse_unknown(indicator, declared, path)
    _refuse_unknown_categories(indicator, declared, path)
    _refuse_circles(indicator, declared, path)
    _refuse_unsuited(indicator, declared, path)
    _refuse_sums_over_time(indicator, declared, path)
    _refuse_secret_populations(indicator, declared, path)


def _refuse_rates_of_rates(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    others = {i.name: i for i in declared.indicators.values()}
    counts = available_counts(declared)
    for key, measures in _terms(indicator):
        for measure in measures:
            if measure in others and measure not in counts:
                other = others[measure]
                raise ConfigurationError(
                    f"{path}: {key}: {measure} is the indicator {other.id}, itself a {other.kind}",
                    "A rate is made from counts, never from rates: name the counts "
                    f"{other.id} is made from",
                )


def _refuse_unknown(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    counts = available_counts(declared)
    for key, measures in _terms(indicator):
        missing = sorted(set(measures) - counts)
        if missing:
            raise ConfigurationError(
                f"{path}: {key}: no source of this region counts {', '.join(missing)}",
                "Correct the measure's name, or add a source whose contract counts it",
            )
    unknown = sorted(set(indicator.made_of) - set(declared.indicators))
    if unknown:
        raise ConfigurationError(
            f"{path}: {indicator.id} is made from {', '.join(unknown)}, which no file declares",
            "Correct the identifier, or add the indicator's file",
        )


def _refuse_unknown_categories(
    indicator: Indicator, declared: RegionDeclarations, path: Path
) -> None:
    """A category no count has would be summed as 0, which looks like a figure."""
    for term in (*indicator.terms, *indicator.populations):
        for summand in term.summands:
            known = known_categories(summand.measure, declared)
            lost = [c for c in summand.categories or () if known and not chosen(c, known)]
            if known and lost:
                shown = ", ".join(sorted(known)[:CATEGORIES_SHOWN])
                more = "" if len(known) <= CATEGORIES_SHOWN else ", ..."
                raise ConfigurationError(
                    f"{path}: {summand.measure} has no category {', '.join(lost)}",
                    f"Its categories are: {shown}{more}; a * at the end takes in all that begin so",
                )


def known_categories(measure: str, declared: RegionDeclarations) -> set[str] | None:
    """Return every category a measure can have, or None where a contract leaves them open."""
    found: set[str] = set()
    for contract in declared.contracts.values():
        for count in contract.counts:
            if count.measure == measure:
                known = contract.categories_of(count)
                if known is None:
                    return None
                found |= set(known)
    return found


def chosen(category: str, known: Iterable[str]) -> list[str]:
    """Return the categories one of an expression takes in, as ``indicators/compute.py`` does."""
    text = category.lower()
    if text.endswith(ANY_ENDING):
        return [k for k in known if k.lower().startswith(text.removesuffix(ANY_ENDING))]
    return [k for k in known if k.lower() == text]


def _refuse_circles(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    circle = _circle(indicator.id, declared, (indicator.id,))
    if circle:
        raise ConfigurationError(
            f"{path}: the definition goes round in a circle: {' is made from '.join(circle)}",
            "Build an indicator from counts or from indicators that do not need it",
        )


def _circle(start: str, declared: RegionDeclarations, way: tuple[str, ...]) -> tuple[str, ...]:
    for name in declared.indicators[way[-1]].made_of:
        if name == start:
            return (*way, name)
        if name in declared.indicators and name not in way:
            found = _circle(start, declared, (*way, name))
            if found:
                return found
    return ()


def _refuse_unsuited(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    for name in indicator.made_of:
        other = declared.indicators[name]
        if other.kind not in ALLOWED[indicator.kind]:
            raise ConfigurationError(
                f"{path}: {indicator.id} is a {indicator.kind} and cannot be made from {name}, "
                f"a {other.kind}",
                f"It is made from: {', '.join(sorted(ALLOWED[indicator.kind]))}",
            )


def _refuse_sums_over_time(indicator: Indicator, declared: RegionDeclarations, path: Path) -> None:
    if indicator.numerator is None:
        return
    stocks = {
        m: declared.measure(m).additivity == "stock"
        for m in indicator.numerator.measures
        if any(s.cadence != "once" for s in declared.suppliers_of(m))
    }
    if indicator.additivity == "flow" and any(stocks.values()):
        named = ", ".join(m for m, stock in stocks.items() if stock)
        raise ConfigurationError(
            f"{path}: additivity: flow, but {named} is a stock: the state on a day, which must "
            "never be summed over time",
            "Write additivity: stock; the last count within a period then stands for it",
        )
    if indicator.additivity == "stock" and not all(stocks.values()):
        named = ", ".join(m for m, stock in stocks.items() if not stock)
        raise ConfigurationError(
            f"{path}: additivity: stock, but {named} is a flow, which is summed over a period",
            "Write additivity: flow, or take flows and stocks apart into two indicators",
        )


def _refuse_secret_populations(
    indicator: Indicator, declared: RegionDeclarations, path: Path
) -> None:
    for term in indicator.populations:
        secret = [
            s.id
            for measure in term.measures
            for s in declared.suppliers_of(measure)
            if not declared.is_open[s.id]
        ]
        if secret:
            raise ConfigurationError(
                f"{path}: population: {', '.join(secret)} is no open data, and what is expected "
                "of a population would tell its exact counts",
                "Take the population from an open source, such as the census",
            )


def _terms(indicator: Indicator) -> Iterator[tuple[str, list[str]]]:
    for key in ("numerator", "denominator"):
        term = getattr(indicator, key)
        if term is not None:
            yield key, term.measures
    for term in indicator.populations:
        yield "population", term.measures
    if indicator.statistic:
        yield "statistic", [indicator.statistic]
