"""The verdict of an attack: on the console, as JSON, and as a page.

Belongs here: words and order. The report shows how hidden counts can be worked back, so it is as
confidential as they are, and says so. Does not belong here: the attack (``attacking.py``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from declarations.errors import ConfigurationError
from governance.disclosure.tables.linked import IDENTITY, TOTAL, Cell
from governance.reports.pages import Facts, Grid, Light, Page, Section, Text, html_page
from pipelines.attacking import Attacked, Exposed
from warehouse.lake import write_atomically
from warehouse.provenance import code_version

SCHEMA = "lsoalink-attack-report/1"
NARROWEST = 10
MODE = 0o600

WORDS = {
    "exact": "it can be worked back exactly",
    "narrow": "fewer counts fit than its marker promises",
    "protected_range": "it is provably a small count",
    "insider": "somebody with a record of their own can work it back",
    "not_proven": "not proven safe in the time given",
}
CONFIDENTIAL_WORDS = (
    "Confidential: this report shows how hidden counts can be worked back. Keep it as you keep the "
    "records."
)


def cell_words(cell: Cell) -> str:
    """Name a cell: its area and what is counted."""
    area = "all areas" if cell.level == TOTAL else f"{cell.area} ({_level(cell)})"
    held = ", ".join(f"{n}: {v}" for n, v in cell.categories)
    measure = "" if cell.measure == "count" else cell.measure
    return ", ".join(part for part in (area, measure, held) if part)


def interval_words(lower: float, upper: float) -> str:
    """Put an interval into words."""
    if lower == upper:
        return f"{lower:.0f}"
    return f"{lower:.0f} or more" if np.isinf(upper) else f"{lower:.0f} to {upper:.0f}"


def verdict(attacked: Attacked) -> str:
    """Return the verdict in a sentence."""
    known = len(attacked.exposed) - len(attacked.unsafe)
    beside = f" ({known:,} more are known without this release)" if known else ""
    if not attacked.unsafe:
        return (
            f"Safe: none of {len(attacked.cells):,} counts that could be small can be worked back"
            f"{beside}."
        )
    return (
        f"UNSAFE: {len(attacked.unsafe):,} of {len(attacked.cells):,} counts that could be small "
        f"can be worked back{beside}."
    )


def narrowest(attacked: Attacked) -> list[tuple[str, str, str]]:
    """Return the narrowest intervals: cell, interval and width."""
    widths = attacked.upper - attacked.lower
    # What surely is no small count, or is known to be empty, has nothing to hide.
    open_ones = (attacked.lower < attacked.below) & (attacked.upper >= 1)
    order = np.argsort(np.where(open_ones, widths, np.inf), kind="stable")[:NARROWEST]
    order = order[open_ones[order]]
    return [
        (
            cell_words(attacked.cells[i]),
            interval_words(attacked.lower[i], attacked.upper[i]),
            "no upper limit" if np.isinf(widths[i]) else f"{widths[i]:.0f}",
        )
        for i in order.tolist()
    ]


def exposed_rows(exposed: Sequence[Exposed]) -> list[tuple[str, str, str]]:
    """Return exposed counts: cell, what it must be, and why that is too much."""
    return [
        (cell_words(e.cell), interval_words(e.lower, e.upper), WORDS.get(e.reason, e.reason))
        for e in exposed
    ]


def write_report(attacked: Attacked, path: Path) -> None:
    """Write the report, as JSON or HTML by the name of the file, for its owner's eyes only.

    Raises
    ------
    ConfigurationError
        If the name ends in neither.
    """
    kinds = {".json": _json, ".html": _html}
    write = kinds.get(path.suffix.lower())
    if write is None:
        raise ConfigurationError(
            f"A report is JSON or HTML, and {path.name} is neither",
            "Give --report a name that ends in .json or .html",
        )
    write_atomically(path, write(attacked).encode(), mode=MODE)


def _json(attacked: Attacked) -> str:
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "confidential": CONFIDENTIAL_WORDS,
        "release": attacked.folder.name,
        "with": [folder.name for folder in attacked.earlier],
        "public": attacked.public.name if attacked.public else None,
        "safe": not attacked.unsafe,
        "attacked": len(attacked.cells),
        "exposed": [
            {
                "level": _level(e.cell), "area": e.cell.area, "measure": e.cell.measure,
                "categories": dict(e.cell.categories), "reason": e.reason, "lower": e.lower,
                "upper": None if np.isinf(e.upper) else e.upper,
                "known_without_this_release": e.otherwise,
            }
            for e in attacked.exposed
        ],
        "interval_widths": [
            {"width": width, "cells": cells} for width, cells in _widths(attacked)
        ],
        "true_counts_inside_their_intervals": attacked.proven_by_truth,
        "solver": attacked.solver,
        "linear_programmes": attacked.linear_programmes,
        "integer_programmes": attacked.integer_programmes,
        "components": attacked.components,
        "code_version": code_version(),
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _html(attacked: Attacked) -> str:
    state = Light("bad", "unsafe") if attacked.unsafe else Light("good", "safe")
    known = [e for e in attacked.exposed if e.otherwise]
    knowledge = [f.name for f in (*attacked.earlier, attacked.public) if f is not None]
    sections = [
        Section("verdict", "Verdict", (Facts((("Verdict", state),)), Text(verdict(attacked)))),
    ]
    heads = ("Count", "It must be", "Why that is too much")
    for name, title, rows in (
        ("exposed", "Exposed by this release", attacked.unsafe),
        ("otherwise", "Known without this release", known),
    ):
        if rows:
            grid = Grid(title, heads, tuple(exposed_rows(rows)), folded=len(rows) > 50)
            sections.append(Section(name, title, (grid,)))
    sections += [
        Section(
            "narrowest", "The narrowest intervals",
            (Grid("Narrowest first", ("Count", "Possible", "Width"),
                  tuple(narrowest(attacked))),),
        ),
        Section(
            "how", "How it was attacked",
            (Facts((
                ("With", ", ".join(knowledge) or "nothing but the release"),
                ("Solver", attacked.solver),
                ("Programmes", f"{attacked.linear_programmes:,} linear, "
                 f"{attacked.integer_programmes:,} of whole numbers, in "
                 f"{attacked.components:,} parts"),
                ("True counts inside their intervals",
                 "not asked" if attacked.proven_by_truth is None
                 else f"all {attacked.proven_by_truth:,}"),
            )),),
        ),
    ]  # fmt: skip
    return html_page(
        Page(
            title=f"Attack on {attacked.folder.name}",
            eyebrow="Disclosure control",
            lead="What anybody can conclude from the published figures together.",
            banner=CONFIDENTIAL_WORDS,
            sections=tuple(sections),
            foot=(("Made by", f"lsoalink, code version {code_version()}"),),
        )
    )


def _level(cell: Cell) -> str:
    """Return the column of the area's code, as it is called in the file."""
    return cell.level.removesuffix("_") if cell.level[:-1] in IDENTITY else cell.level


def _widths(attacked: Attacked) -> list[tuple[int | None, int]]:
    counted = Counter(
        None if np.isinf(w) else int(w) for w in (attacked.upper - attacked.lower).tolist()
    )
    return sorted(counted.items(), key=lambda item: (item[0] is None, item[0] or 0))
