"""What each figure of a candidate is a sum of, with its exact value.

Belongs here: reading the exact tables of the themes and the plan of each indicator, so that figures
which share counts can be seen to. Does not belong here: what is shown of them (``coarsening.py``).
Everything in this module is exact and stays inside.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from declarations.contracts import Source
from declarations.declared import RegionDeclarations
from declarations.expressions import Term
from governance.disclosure.known.joint import UNPLACED_LEVEL, Derived, Part
from governance.disclosure.known.ledger_tables import token_secret, tokens_of_deliveries
from indicators.compute import ANY_ENDING
from indicators.plan import Counted, Plan, TermName, plan
from indicators.tables import (
    COUNTS,
    counted_periods,
    gather_counts,
    of_theme,
    sources_needed,
    themes,
)
from warehouse.connection import run
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Categories = Mapping[tuple[str, str, str], Sequence[str]]
TERMS: tuple[TermName, ...] = ("numerator", "denominator")
ONCE = ""
"""Stands for the period of a source that is delivered once."""


class RowKey(NamedTuple):
    """Which figure: dates are ISO texts."""

    indicator_id: str
    period_start: str
    period_end: str
    geography_type: str
    geography_code: str


class Span(NamedTuple):
    """An indicator over one period at one level: the figures that share a definition."""

    indicator_id: str
    period_start: str
    period_end: str
    geography_type: str

    def at(self, area: str) -> RowKey:
        """Return the figure of one area."""
        return RowKey(*self, area)


@dataclass(frozen=True)
class Row:
    """A figure's exact terms; None where a delivery is missing or an agency hid a count."""

    key: RowKey
    period_label: str
    lad24cd: str
    numerator: int | None
    denominator: int | None

    def exact(self, term: TermName) -> int | None:
        """Return one of the terms."""
        return self.numerator if term == "numerator" else self.denominator


@dataclass(frozen=True)
class Candidate:
    """Everything that is to be published from sources under an agreement.

    Attributes
    ----------
    rows : mapping of RowKey to Row
    definitions : mapping of str to frozenset of Part
        What each definition sums, by its identifier.
    definition_of : mapping of (Span, term) to str
        Terms whose counts are all open data have none: they are nobody's secret.
    nesting : mapping of str to (str, str)
        MSOA and district of every LSOA.
    tokens : mapping of (source, period, state) to mapping of str to bytes
    categories : mapping of (source, period, measure) to sequence of str
        Those that each delivery counts.
    admitted : mapping of str to set of str
        The months each source was admitted for.
    """

    rows: Mapping[RowKey, Row]
    definitions: Mapping[str, frozenset[Part]]
    definition_of: Mapping[tuple[Span, TermName], str]
    nesting: Mapping[str, tuple[str, str]]
    tokens: Mapping[tuple[str, str, str], Mapping[str, bytes]]
    categories: Categories
    admitted: Mapping[str, set[str]]

    def span_of(self, key: RowKey) -> Span:
        """Return what a figure shares with those of other areas."""
        return Span(*key[:4])

    def definitions_of(self, span: Span) -> list[frozenset[Part]]:
        """Return what the secret terms of a span sum."""
        names = [self.definition_of.get((span, term)) for term in TERMS]
        return [self.definitions[name] for name in names if name is not None]

    def combined_terms(self, span: Span, members: Iterable[str]) -> dict[TermName, int | None]:
        """Return the exact terms of several areas taken together; None where one is unknown."""
        rows = [self.rows[span.at(area)] for area in members]
        found: dict[TermName, int | None] = {}
        for term in TERMS:
            values = [row.exact(term) for row in rows]
            known = [v for v in values if v is not None]
            found[term] = sum(known) if len(known) == len(values) else None
        return found

    def secret_terms(self, key: RowKey) -> list[TermName]:
        """Return the terms of a figure that rest on counts under an agreement."""
        return [t for t in TERMS if (self.span_of(key), t) in self.definition_of]


def definition_id(parts: Iterable[Part], geography_type: str) -> str:
    """Return the identifier of a sum at a level: the same parts always have the same."""
    text = json.dumps([geography_type, *sorted(parts)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def read_candidate(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, exact: str, areas: str
) -> Candidate:
    """Read what the themes' tables would publish.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Gets the table ``counts``, which `exact_sums` reads again.
    exact : str
        Table of the themes' exact rows.
    areas : str
        Table of the region's areas.
    """
    is_open = workspace.declared.is_open
    needed = {theme: sources_needed(workspace, theme) for theme in themes(workspace)}
    secret = {s.id: s for sources in needed.values() for s in sources if not is_open[s.id]}
    gather_counts(workspace, connection, list(secret.values()))
    run(
        connection,
        f"UPDATE {COUNTS} SET period = '{ONCE}' WHERE list_contains(?, source_id)",
        [[s.id for s in secret.values() if s.cadence == "once"]],
        table=COUNTS,
    )
    nesting = {
        lsoa: (msoa, lad)
        for lsoa, msoa, lad in run(
            connection, f"SELECT lsoa21cd, msoa21cd, lad24cd FROM {areas}", table=areas
        ).fetchall()
    }
    stated = _tokens(workspace, connection, secret.values(), sorted(nesting))
    states = {pair[:2]: pair[2] for pair in stated}
    categories = _categories(connection)
    everything: dict[str, set[str]] = {}
    definitions: dict[str, frozenset[Part]] = {}
    definition_of: dict[tuple[Span, TermName], str] = {}
    for theme, sources in needed.items():
        admitted = counted_periods(workspace, sources)
        everything |= admitted
        for indicator in of_theme(workspace, theme):
            if indicator.numerator is None:
                continue
            layout = plan(indicator, workspace.declared, admitted)
            stretches = {s.number: s for s in layout.stretches}
            found = parts_of_term(workspace.declared, indicator, layout, categories, states)
            for (number, term), parts in found.items():
                stretch = stretches[number]
                start, end = stretch.window.start.isoformat(), stretch.window.end.isoformat()
                name = definition_id(parts, stretch.level)
                definitions[name] = parts
                definition_of[Span(indicator.id, start, end, stretch.level), term] = name
    spans = {span for span, _ in definition_of}
    rows = {key: row for key, row in _rows(connection, exact) if Span(*key[:4]) in spans}
    return Candidate(rows, definitions, definition_of, nesting, stated, categories, everything)


def _tokens(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    sources: Iterable[Source],
    areas: Sequence[str],
) -> dict[tuple[str, str, str], dict[str, bytes]]:
    """Return the keyed fingerprints of every delivery's counts, place by place.

    A delivery's state is the hash of them: it changes with the counts, and with nothing else.
    Records known only by their district have a fingerprint under the district's code.
    """
    deliveries = [
        (source.id, ONCE if source.cadence == "once" else month)
        for source in sources
        for month in sorted(counted_periods(workspace, [source]).get(source.id, ()))
    ]
    counts = run(
        connection,
        "SELECT source_id, period, coalesce(lsoa21cd, lad24cd, 'nowhere') AS lsoa21cd, measure, "
        f"category, value FROM {COUNTS}",
        table=COUNTS,
    ).to_arrow_table()
    made = tokens_of_deliveries(
        counts, token_secret(workspace.keys), areas=areas, deliveries=deliveries
    )
    stated: dict[tuple[str, str, str], dict[str, bytes]] = {}
    for delivery, places in made.items():
        # Every token has the same length, so that no other table of places has this text.
        text = b"".join(place.encode() + b"\x00" + token for place, token in places.items())
        stated[(*delivery, hashlib.sha256(text).hexdigest()[:16])] = places
    return stated


def _categories(connection: duckdb.DuckDBPyConnection) -> Categories:
    """Return the categories that each delivery counts of each measure."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    rows = run(
        connection,
        f"SELECT DISTINCT source_id, period, measure, coalesce(category, 'all') FROM {COUNTS} "
        "ORDER BY ALL",
        table=COUNTS,
    ).fetchall()
    for source, period, measure, category in rows:
        found[source, period, measure].append(category)
    return found


def parts_of_term(
    declared: RegionDeclarations,
    counted: Counted,
    layout: Plan,
    categories: Categories,
    states: Mapping[tuple[str, str], str],
) -> dict[tuple[int, TermName], frozenset[Part]]:
    """Return what each term sums in each stretch of a plan, where it rests on secret counts.

    Parameters
    ----------
    counted : Counted
        An indicator, or anything else with terms.
    states : mapping of (source, period) to str
    """
    is_open = declared.is_open
    terms: dict[str, Term | None] = {
        "numerator": counted.numerator,
        "denominator": counted.denominator,
    }
    gathered: dict[tuple[int, TermName], set[Part]] = defaultdict(set)
    for use in layout.uses:
        term = terms[use.term]
        if term is None or is_open[use.source_id]:
            continue
        period = use.period or ONCE
        state = states.get((use.source_id, period), "")
        gathered[use.stretch, use.term].update(
            Part(use.source_id, use.measure, category, period, state)
            for category in categories.get((use.source_id, period, use.measure), ())
            if _chosen(category, term.categories_of(use.measure))
        )
    return {place: frozenset(parts) for place, parts in gathered.items()}


def _chosen(category: str, wanted: Sequence[str] | None) -> bool:
    """Whether a term counts a category, as ``indicators/compute.py`` matches them."""
    if wanted is None:
        return True
    # Letter by letter, as the database has it: Python would look at a letter's neighbours, and it
    # alone makes two of the Turkish dotted capital.
    text = "".join("i" if letter == "İ" else letter.lower() for letter in category)
    return any(
        text.startswith(w.lower().removesuffix(ANY_ENDING))
        if w.endswith(ANY_ENDING)
        else text == w.lower()
        for w in wanted
    )


def _rows(connection: duckdb.DuckDBPyConnection, exact: str) -> Iterable[tuple[RowKey, Row]]:
    rows = run(
        connection,
        "SELECT indicator_id, CAST(period_start AS VARCHAR), CAST(period_end AS VARCHAR), "
        "geography_type, geography_code, period_label, lad24cd, numerator, denominator "
        f"FROM {exact} ORDER BY ALL",
        table=exact,
    ).fetchall()
    for row in rows:
        key = RowKey(*row[:5])
        yield key, Row(key, *row[5:])


def exact_sums(
    connection: duckdb.DuckDBPyConnection, areas: str, derived: Sequence[Derived]
) -> dict[int, int | None]:
    """Return the exact value of sums nobody publishes, by their number; None where one is unknown.

    Parameters
    ----------
    derived : sequence of Derived
        Sums of parts of the deliveries in ``counts``; others are left out.
    """
    if not derived:
        return {}
    groups: dict[tuple[str, frozenset[Part]], int] = {}
    for item in derived:
        groups.setdefault((item.geography_type, item.parts), len(groups))
    import pyarrow as pa  # noqa: PLC0415 - heavy

    parts = [
        (number, level, *part[:4]) for (level, group), number in groups.items() for part in group
    ]
    names = ("number", "level", "source_id", "measure", "category", "period")
    table = pa.table({n: [p[i] for p in parts] for i, n in enumerate(names)})
    connection.register("wanted_parts", table)
    sums: dict[tuple[int, str], int | None] = {}
    # As ``indicators/compute.py`` has it: not placed, and so known by the district alone.
    unplaced = "CASE WHEN c.lsoa21cd IS NULL THEN c.lad24cd END"
    area_of = {
        "lsoa21": "a.lsoa21cd",
        "msoa21": "a.msoa21cd",
        "lad24": f"coalesce({unplaced}, a.lad24cd)",
        UNPLACED_LEVEL: unplaced,
    }
    for level, area in area_of.items():
        rows = run(
            connection,
            f"SELECT w.number, {area} AS area, sum(c.value), bool_or(c.value IS NULL) "
            f"FROM {COUNTS} c JOIN wanted_parts w ON w.level = '{level}' "
            "AND w.source_id = c.source_id AND w.measure = c.measure AND w.period = c.period "
            f"AND w.category = coalesce(c.category, 'all') LEFT JOIN {areas} a "
            "ON a.lsoa21cd = c.lsoa21cd GROUP BY 1, 2",
            table=COUNTS,
        ).fetchall()
        sums.update(
            {(n, place): None if hidden else int(total) for n, place, total, hidden in rows}
        )
    connection.unregister("wanted_parts")
    return {
        item.number: sums.get((groups[item.geography_type, item.parts], item.area_code), 0)
        for item in derived
    }
