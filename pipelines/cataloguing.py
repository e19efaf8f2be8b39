"""The catalogue of a region's indicators, listed or written as a page.

Belongs here: what ``lsoalink indicators`` gathers and prints. Does not belong here: how an
indicator reads on a page (``indicators/catalogue_page.py``).
"""

from __future__ import annotations

from pathlib import Path

from declarations.declared import RegionDeclarations
from declarations.definitions import available_counts
from declarations.errors import StorageError
from declarations.indicators import Indicator
from indicators.catalogue_page import KINDS, catalogue_lines
from indicators.library import catalogue
from pipelines.console import say, show_table
from pipelines.regions import open_region

SHORT_LEVELS = {"lsoa21": "LSOA", "msoa21": "MSOA", "lad24": "district"}


def list_indicators(name: str) -> None:
    """Write one line for each indicator of a region, then those it may not publish, and why."""
    declared = open_region(name)
    rows = [
        (i.id, i.title, KINDS[i.kind].split(",")[0], _shown(i), i.polarity.replace("_", " "))
        for _, i in sorted(declared.indicators.items())
    ]
    show_table("", ("id", "title", "kind", "shown for", "polarity"), rows)
    say(f"{len(rows)} indicators. Every definition in full: --page FILE")
    for key, reason in declared.withheld.items():
        say(f"Not published: {key}, since {reason}")
    for key, words in _lacking(declared):
        say(f"In the catalogue, not in this region: {key}, since {words}")


def _lacking(declared: RegionDeclarations) -> list[tuple[str, str]]:
    """Return the bundled indicators a region cannot make, with what it lacks for each."""
    counts = available_counts(declared)
    found = []
    for key, indicator in sorted(catalogue().items()):
        if key in declared.indicators or key in declared.withheld:
            continue
        measures = {m for t in (*indicator.terms, *indicator.populations) for m in t.measures}
        measures |= {indicator.statistic} if indicator.statistic else set()
        uncounted = sorted(measures - counts)
        others = sorted(set(indicator.made_of) - set(declared.indicators))
        if uncounted:
            found.append((key, f"no source counts {', '.join(uncounted)}"))
        elif others:
            found.append((key, f"it is made from {', '.join(others)}"))
    return found


def _shown(indicator: Indicator) -> str:
    return ", ".join(f"{SHORT_LEVELS[o.level]} {o.window}" for o in indicator.outputs)


def write_catalogue(name: str, page: Path) -> None:
    """Write the catalogue of a region as a page of Markdown.

    Raises
    ------
    StorageError
        If the page's folder does not exist.
    """
    declared = open_region(name)
    if not page.parent.is_dir():
        raise StorageError(f"{page.parent} is not a folder", "Make it, or name another file")
    head = [f"# Indicators of {declared.region.title}", ""]
    lines = [*head, *catalogue_lines(declared.indicators)]
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    say(f"{len(declared.indicators)} indicators in {page}")
