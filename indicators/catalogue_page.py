"""The catalogue of indicators as a page of Markdown.

Belongs here: how an indicator's declaration reads as a section of a page, in a fixed order. Does
not belong here: what it says, which stands in its YAML file and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from declarations.indicators import Indicator

THEMES = {
    "digital_inclusion": "Digital inclusion",
    "homelessness": "Homelessness",
    "social_care": "Social care",
    "context": "Context",
}

KINDS = {
    "count": "count",
    "rate": "rate",
    "share": "share of a whole",
    "statistic": "published figure, taken over as it stands",
    "composite": "composite index",
    "standardised": "directly standardised rate",
    "expected": "observed against expected",
    "median": "median",
}

LEVELS = {"lsoa21": "LSOA 2021", "msoa21": "MSOA 2021", "lad24": "district 2024"}

WINDOWS = {
    "month": "by month", "quarter": "by quarter", "year": "by year", "latest": "latest figure",
}  # fmt: skip

BASES = {
    "last_settled": "last settled home",
    "applied_from": "the address applied from",
    "placement": "the address placed at",
    "registered": "the address registered with the agency",
    "place_of_event": "where it happened",
    "residence": "residence",
}

ADDITIVITY = {
    "flow": "flow: summed over the months of a period",
    "stock": "stock: the state at a period's end, never summed over time",
}

POLARITY = {
    "lower_is_better": "lower is better",
    "higher_is_better": "higher is better",
    "none": "none: neither end is better",
}

INTERVALS = {
    "wilson": "Wilson's score interval, 95 %",
    "byar": "Byar's approximation, exact Poisson limits below 10 events, 95 %",
    "dobson": "Dobson's method, 95 %",
    "simulation": "simulation over inputs, weights and normalisation, 95 %",
    "none": "none",
}


def catalogue_lines(indicators: Mapping[str, Indicator]) -> list[str]:
    """Return the catalogue as lines of Markdown: a table of contents, then a section for each.

    Parameters
    ----------
    indicators : mapping of str to Indicator
        By identifier.
    """
    lines = [f"{len(indicators)} indicators.", ""]
    by_theme = {
        theme: [i for _, i in sorted(indicators.items()) if i.theme == theme] for theme in THEMES
    }
    for theme, title in THEMES.items():
        if by_theme[theme]:
            lines += [f"**{title}**", ""]
            lines += [f"- [{i.id}](#{i.id.lower()}) {i.title}" for i in by_theme[theme]]
            lines += [""]
    for theme, title in THEMES.items():
        if by_theme[theme]:
            lines += [f"## {title}", ""]
            for indicator in by_theme[theme]:
                lines += _section(indicator, indicators)
    return lines


def _section(indicator: Indicator, others: Mapping[str, Indicator]) -> list[str]:
    facts = [
        (name, text) for name, say in FACTS if (text := say(indicator)) not in (None, "", "none")
    ]
    lines = [
        f"### {indicator.id}",
        "",
        f"**{indicator.title}** (`{indicator.name}`, version {indicator.version})",
        "",
        indicator.description.strip(),
        "",
        f"*Why:* {indicator.rationale.strip()}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_cell(text or '')} |" for name, text in facts),
        "",
    ]
    if indicator.index:
        lines += _weights(indicator, others)
    if indicator.caveats:
        lines += ["Beware:", "", *(f"- {caveat.strip()}" for caveat in indicator.caveats), ""]
    return lines


def _weights(indicator: Indicator, others: Mapping[str, Indicator]) -> list[str]:
    method = indicator.index
    if method is None:
        return []
    shares = method.shares
    lines = ["| component | input | worse end | weight | why |", "|---|---|---|---|---|"]
    for component in method.components:
        for entry in component.inputs:
            other = others.get(entry.indicator)
            title = f"{entry.indicator} {other.title}" if other else entry.indicator
            share = f"{100 * shares[entry.indicator]:.1f} %"
            cells = (component.title, title, entry.worse, share, entry.rationale)
            lines.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    return [*lines, ""]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _listed(texts: Iterable[str]) -> str:
    return "; ".join(text.strip() for text in texts)


def _levels(i: Indicator) -> str:
    return _listed(f"{LEVELS[o.level]}, {WINDOWS[o.window]}" for o in i.outputs)


def _method(i: Indicator) -> str | None:
    if i.index is None:
        return None
    rules = i.index
    among = "the region" if rules.reference_area == "region" else "each district"
    return (
        f"{rules.normalisation.replace('_', ' ')} within {among}; "
        f"{rules.aggregation.replace('_', ' ')} over components; weights agreed: "
        f"{rules.weights_agreed}"
    )


def _made_of(i: Indicator) -> str | None:
    if i.standardised:
        strata = ", ".join(
            f"{s.indicator} ({s.title}, {s.weight:,.0f})" for s in i.standardised.strata
        )
        return f"{strata}; standard population: {i.standardised.standard}"
    if i.expected:
        strata = ", ".join(f"{s.rate} for {s.population} ({s.title})" for s in i.expected.strata)
        needs = ", ".join(p.indicator for p in i.expected.predictors)
        adjusted = f", adjusted for {needs}" if needs else ""
        return f"{i.expected.observed} observed; expected from {strata}{adjusted}"
    if i.median:
        limits = ", ".join(f"{s.indicator} (to {s.upper:g})" for s in i.median.shares)
        return f"cumulative shares {limits}"
    return None


FACTS: tuple[tuple[str, Callable[[Indicator], str | None]], ...] = (
    ("Kind", lambda i: KINDS[i.kind]),
    ("Numerator", lambda i: f"`{i.numerator}`" if i.numerator else None),
    ("Denominator", lambda i: f"`{i.denominator}`" if i.denominator else None),
    ("Published figure", lambda i: f"`{i.statistic}`" if i.statistic else None),
    ("Made from", _made_of),
    ("Method", _method),
    ("Unit", lambda i: i.unit),
    ("Multiplier", lambda i: f"{i.multiplier:,g}" if i.multiplier != 1 else None),
    ("Time", lambda i: ADDITIVITY.get(i.additivity)),
    ("Published for", _levels),
    ("Area by", lambda i: BASES.get(i.basis)),
    ("Interval", lambda i: INTERVALS[i.interval]),
    ("Standardisation", lambda i: i.standardisation),
    ("Smoothed towards", lambda i: f"the {i.smoothing}" if i.smoothing != "none" else None),
    ("Breaks", lambda i: _listed(f"{b.period}: {b.reason}" for b in i.breaks)),
    ("Polarity", lambda i: POLARITY[i.polarity]),
    ("Disclosure profile", lambda i: i.profile if i.counted else None),
    (
        "Least denominator",
        lambda i: f"{i.minimum_denominator:,}" if i.denominator else None,
    ),
    ("Definition from", lambda i: _listed(i.sources)),
    ("Purposes needed", lambda i: _listed(i.purposes)),
    ("Owner", lambda i: i.owner),
)
"""What is said of an indicator, in order; nothing where there is nothing to say."""
