"""How areas lie in larger areas: exact hierarchies, best-fit lookups, and sums up either of them.

Belongs here: which level leads to which, whether a lookup is what it says, and adding counts up.
Does not belong here: areas a region draws itself (`custom_areas`), splitting a count (`changes`),
or what may be published (`governance`).

Facts (Office for National Statistics, Open Geography): output areas are parts of LSOAs, LSOAs of
MSOAs and of local authority districts, districts of community safety partnerships, police force
areas and regions; these are exact. Wards, ICBs and sub-ICBs, and constituencies are given to an
LSOA as the best fit, by where most of its residents live: a sum over the LSOAs of a ward is near
the ward's own figure and not equal to it. A way that has one best-fit step is best fit as a whole.
Some districts hold several community safety partnerships (seven of England and Wales in 2024), so
that a lookup from districts to partnerships is a hierarchy only where it names one for each.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from declarations.errors import GeographyError
from geography.sql import ident, one_row, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb

Fit = Literal["exact", "best_fit"]

NO_PARENT = "no_parent"
INCOMPLETE = "[x]"
"""Status of a sum of which a part is missing (shorthand of the Government Analysis Function)."""


@dataclass(frozen=True)
class Link:
    """One step up: a lookup from each area of a level to its area of a larger level.

    Parameters
    ----------
    child, parent : str
        Levels, for instance ``lsoa21`` and ``wd24``.
    table : str
        Holds a column for each, named by the level and ``cd``; rows may repeat a pair.
    fit : {"exact", "best_fit"}
        Whether every child lies wholly in its parent.
    """

    child: str
    parent: str
    table: str
    fit: Fit

    @property
    def child_code(self) -> str:
        """Column of the child's code."""
        return f"{self.child}cd"

    @property
    def parent_code(self) -> str:
        """Column of the parent's code."""
        return f"{self.parent}cd"


@dataclass(frozen=True)
class NestingReport:
    """What was found in the lookup of one link.

    Attributes
    ----------
    link : Link
    children, parents : int
        Different codes in the lookup.
    without_parent : int
        Children none of whose rows names a parent.
    several_parents : int
        Children with more than one parent.
    not_in_lookup : int
        Children that should be there and are not; 0 where no list of children was given.
    without_children : int
        Parents that should be there and have no child; 0 where no list of parents was given.
    unknown_parents : int
        Parents of the lookup that the list of parents does not know.
    """

    link: Link
    children: int
    parents: int
    without_parent: int
    several_parents: int
    not_in_lookup: int = 0
    without_children: int = 0
    unknown_parents: int = 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps the lookup from being a hierarchy, in words with counts."""
        child, parent = self.link.child, self.link.parent
        found = [
            (self.several_parents, f"{{}} of {self.children} {child} in more than one {parent}"),
            (self.without_parent, f"{{}} of {self.children} {child} in no {parent}"),
            (self.not_in_lookup, f"{{}} {child} missing"),
        ]
        if self.link.fit == "exact":
            # A best-fit parent may rightly be without a child: a ward smaller than any LSOA.
            found += [
                (self.without_children, f"{{}} {parent} without any {child}"),
                (self.unknown_parents, f"{{}} {parent} that nobody knows"),
            ]
        return tuple(text.format(count) for count, text in found if count)


def fit_of(links: Iterable[Link]) -> Fit:
    """Return the fit of a way: best fit if any of its steps is."""
    return "best_fit" if any(link.fit == "best_fit" for link in links) else "exact"


@dataclass(frozen=True)
class Hierarchy:
    """Links between levels, and the ways along them.

    Parameters
    ----------
    links : tuple of Link

    Raises
    ------
    GeographyError
        If two links join the same levels, or going up leads in a circle.
    """

    links: tuple[Link, ...]

    def __post_init__(self) -> None:
        pairs = [(link.child, link.parent) for link in self.links]
        doubled = sorted({f"{c} in {p}" for c, p in pairs if pairs.count((c, p)) > 1})
        if doubled:
            raise GeographyError(
                f"More than one lookup says {', '.join(doubled)}", "Keep one lookup for each step"
            )
        circular = [c for c in dict.fromkeys(c for c, _ in pairs) if c in self._above(c)]
        if circular:
            raise GeographyError(
                f"The lookups of {', '.join(circular)} lead in a circle",
                "Name the smaller level as the child of each link",
            )

    @cached_property
    def _up(self) -> Mapping[str, tuple[Link, ...]]:
        up: dict[str, tuple[Link, ...]] = {}
        for link in sorted(self.links, key=lambda k: (k.child, k.parent)):
            up[link.child] = (*up.get(link.child, ()), link)
        return up

    def _above(self, level: str) -> set[str]:
        found: set[str] = set()
        waiting = [level]
        while waiting:
            for link in self._up.get(waiting.pop(), ()):
                if link.parent not in found:
                    found.add(link.parent)
                    waiting.append(link.parent)
        return found

    def levels(self, child: str) -> dict[str, Fit]:
        """Return every level that can be reached from ``child``, with the fit of the way there."""
        return {level: fit_of(self.path(child, level)) for level in sorted(self._above(child))}

    def path(self, child: str, parent: str) -> tuple[Link, ...]:
        """Return the links from one level up to another.

        An exact way goes before a best-fit one however long, then a short way before a long one,
        then names decide: the same links always give the same way.

        Raises
        ------
        GeographyError
            If no links lead there.
        """
        exact = [link for link in self.links if link.fit == "exact"]
        found = self._shortest(child, parent, exact) or self._shortest(child, parent, self.links)
        if found is None:
            raise GeographyError(
                f"No lookup leads from {child} to {parent}",
                "Add a source of role area_lookups that does",
            )
        return found

    def _shortest(
        self, child: str, parent: str, allowed: Sequence[Link]
    ) -> tuple[Link, ...] | None:
        waiting: deque[tuple[str, tuple[Link, ...]]] = deque([(child, ())])
        seen = {child}
        while waiting:
            level, way = waiting.popleft()
            for link in self._up.get(level, ()):
                if link not in allowed or link.parent in seen:
                    continue
                if link.parent == parent:
                    return (*way, link)
                seen.add(link.parent)
                waiting.append((link.parent, (*way, link)))
        return None

    def lookup_sql(self, child: str, parent: str) -> str:
        """SQL of the lookup from one level to another, the links on the way joined together.

        Returns
        -------
        str
            A query for the child's code, the parent's code (NULL where a step has none: no child is
            lost) and ``fit``, one row a pair.

        Raises
        ------
        GeographyError
            If no links lead there.
        """
        way = self.path(child, parent)
        first, last = way[0], way[-1]
        joins = "".join(
            f"\nLEFT JOIN {_pairs_sql(link)} t{number} "
            f"ON t{number}.{ident(link.child_code)} = t{number - 1}.{ident(link.child_code)}"
            for number, link in enumerate(way)
            if number
        )
        return (
            f"SELECT DISTINCT t0.{ident(first.child_code)}, "
            f"t{len(way) - 1}.{ident(last.parent_code)}, '{fit_of(way)}' AS fit\n"
            f"FROM {_pairs_sql(first)} t0{joins}"
        )


def _pairs_sql(link: Link) -> str:
    """Pairs of one link; a row without a parent stands only where the child has no other."""
    child, parent = ident(link.child_code), ident(link.parent_code)
    return (
        f"(SELECT DISTINCT {child}, {parent} FROM {ident(link.table)} WHERE {child} IS NOT NULL "
        f"QUALIFY {parent} IS NOT NULL OR max({parent}) OVER (PARTITION BY {child}) IS NULL)"
    )


def nesting(
    con: duckdb.DuckDBPyConnection,
    link: Link,
    *,
    children: str | None = None,
    parents: str | None = None,
) -> NestingReport:
    """Count everything in a lookup that keeps it from being a hierarchy.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    link : Link
        The lookup.
    children, parents : str, optional
        Tables of all areas of either level, with the lookup's own column names.

    Returns
    -------
    NestingReport

    Raises
    ------
    GeographyError
        If a table lacks its column.
    """
    require_columns(con, link.table, (link.child_code, link.parent_code))
    child, parent = ident(link.child_code), ident(link.parent_code)
    facts = one_row(
        con,
        f"""
        WITH pairs AS {_pairs_sql(link)},
        of_child AS (SELECT {child}, count({parent}) AS parents FROM pairs GROUP BY 1)
        SELECT count(*), (SELECT count(DISTINCT {parent}) FROM pairs),
               count(*) FILTER (parents = 0), count(*) FILTER (parents > 1)
        FROM of_child
        """,
    )
    missing = childless = unknown = 0
    if children is not None:
        missing = _only_in(con, children, link.table, link.child_code)
    if parents is not None:
        childless = _only_in(con, parents, link.table, link.parent_code)
        unknown = _only_in(con, link.table, parents, link.parent_code)
    found, above, orphans, doubled = facts
    return NestingReport(link, found, above, orphans, doubled, missing, childless, unknown)


def _only_in(con: duckdb.DuckDBPyConnection, table: str, other: str, column: str) -> int:
    for name in (table, other):
        require_columns(con, name, (column,))
    code = ident(column)
    (count,) = one_row(
        con,
        f"SELECT count(DISTINCT {code}) FROM {ident(table)} WHERE {code} IS NOT NULL AND {code} "
        f"NOT IN (SELECT {code} FROM {ident(other)} WHERE {code} IS NOT NULL)",
    )
    return int(count)


def check_nesting(
    con: duckdb.DuckDBPyConnection,
    link: Link,
    *,
    children: str | None = None,
    parents: str | None = None,
) -> NestingReport:
    """Stop unless every child has exactly one parent and, if exact, every parent its children.

    Parameters
    ----------
    con, link, children, parents
        As in `nesting`.

    Returns
    -------
    NestingReport
        Of a lookup that passed.

    Raises
    ------
    GeographyError
        Naming the table and how many areas are at fault in which way.
    """
    report = nesting(con, link, children=children, parents=parents)
    if report.problems:
        raise GeographyError(
            f"The lookup {link.table} has {'; '.join(report.problems)}",
            f"Deliver the complete lookup from {link.child} to {link.parent}, or leave it out",
        )
    return report


def check_additive(
    con: duckdb.DuckDBPyConnection,
    values: str,
    columns: Sequence[str],
    statuses: Sequence[str] = (),
) -> None:
    """Stop unless the columns are whole counts of which none was hidden.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the table.
    values : str
        Table of counts by area.
    columns : sequence of str
        Columns to be added up.
    statuses : sequence of str
        Columns with the markers of these counts.

    Raises
    ------
    GeographyError
        If a column is not of an integer type (a rate is computed again from its sums, never added)
        or a count is marked ``[c]``: a sum over hidden counts has bounds and no value.
    """
    require_columns(con, values, columns, integer=True)
    require_columns(con, values, statuses)
    for status in statuses:
        (hidden,) = one_row(
            con,
            f"SELECT count(*) FROM {ident(values)} "
            f"WHERE contains(CAST({ident(status)} AS VARCHAR), '[c]')",
        )
        if hidden:
            raise GeographyError(
                f"{hidden} counts of {values} are hidden, and a hidden count cannot be added up",
                "Use the bounds in the view v_area_counts of a release",
            )


def aggregate_sql(
    values: str, lookup: str, child: str, parent: str, columns: Sequence[str], fit: Fit
) -> str:
    """SQL that adds whole counts up to a larger level. Ask `check_additive` first.

    Parameters
    ----------
    values : str
        Table with the child's code, once each, and the columns.
    lookup : str
        Table with the child's and the parent's code, one parent each.
    child, parent : str
        Levels; their columns are named by the level and ``cd``.
    columns : sequence of str
        Integer columns, at least one.
    fit : {"exact", "best_fit"}
        Of the lookup; every sum carries it.

    Returns
    -------
    str
        One row for each parent with at least one child in ``values``, and one with a NULL code for
        counts whose area has no parent (reason ``no_parent``), so that totals are conserved: the
        parent's code, each column as BIGINT, ``children``, ``children_missing``, ``fit``,
        ``status``, ``reason``. A column is NULL, and the status ``[x]``, where a child of the
        parent is not in ``values`` or has no count: a part is never passed off as the whole.
    """
    code, up = ident(f"{child}cd"), ident(f"{parent}cd")
    sums = ", ".join(
        f"CASE WHEN count({ident(c)}) = count(*) THEN CAST(sum({ident(c)}) AS BIGINT) END "
        f"AS {ident(c)}"
        for c in columns
    )
    absent = " OR ".join(f"{ident(c)} IS NULL" for c in columns)
    given = ", ".join(f"v.{ident(c)}" for c in columns)
    return f"""
WITH pairs AS (SELECT DISTINCT {code}, {up} FROM {ident(lookup)}),
joined AS (
    SELECT p.{up}, v.{code} IS NOT NULL AS given, {given}
    FROM pairs p
    FULL JOIN {ident(values)} v ON v.{code} = p.{code}
)
SELECT {up}, {sums}, count(*) AS children, count(*) FILTER ({absent}) AS children_missing,
    '{fit}' AS fit,
    CASE WHEN count(*) FILTER ({absent}) > 0 THEN '{INCOMPLETE}' END AS status,
    CASE WHEN {up} IS NULL THEN '{NO_PARENT}' END AS reason
FROM joined
WHERE given OR {up} IS NOT NULL
GROUP BY {up}
HAVING bool_or(given)
ORDER BY {up} NULLS LAST
"""


def aggregate(
    con: duckdb.DuckDBPyConnection,
    hierarchy: Hierarchy,
    values: str,
    child: str,
    parent: str,
    columns: Sequence[str],
    statuses: Sequence[str] = (),
) -> duckdb.DuckDBPyRelation:
    """Check counts, find the way up, check that it nests, and add up.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds ``values`` and the tables of the links.
    hierarchy : Hierarchy
    values, child, parent, columns
        As in `aggregate_sql`.
    statuses : sequence of str
        As in `check_additive`.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The columns of `aggregate_sql`.

    Raises
    ------
    GeographyError
        If a count cannot be added, no way leads there, an area has several parents, or an area
        stands twice in ``values``.
    """
    check_additive(con, values, columns, statuses)
    code = f"{child}cd"
    require_columns(con, values, (code,))
    (doubled,) = one_row(
        con, f"SELECT count(*) - count(DISTINCT {ident(code)}) FROM {ident(values)}"
    )
    if doubled:
        raise GeographyError(
            f"{doubled} rows of {values} repeat an area or have none",
            f"Add up to one row for each {child} first",
        )
    way = hierarchy.path(child, parent)
    for link in way:
        report = nesting(con, link)
        if report.several_parents:
            raise GeographyError(
                f"The lookup {link.table} has {report.problems[0]}",
                "Each count can go to one area only",
            )
    name = f"lookup_{child}_{parent}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {ident(name)} AS {hierarchy.lookup_sql(child, parent)}"
    )
    return con.sql(aggregate_sql(values, name, child, parent, columns, fit_of(way)))
