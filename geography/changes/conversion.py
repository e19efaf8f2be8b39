"""Converting a table of values between the LSOAs of 2011 and of 2021, in either direction.

Belongs here: what becomes of each value of a table, and the proof that its totals close. Does not
belong here: the SQL of the steps (`conversion_steps`), the lookup and its weights (`vintages`), and
the placing of records, which never go back to 2011 (`placement`).

Each area is unchanged, split, merged or complex, and each is handled apart:

=================  =============================================================================
`geo_conversion`   what was done
=================  =============================================================================
none               the area is the same, or the row already had a code of the other vintage
merged             the counts of the areas that became one were added up
split_weighted     whole counts were split by declared weights, by largest remainder
complex            split by the output areas of each pair; without them NULL and `[x]`
=================  =============================================================================

What is split on the way from 2011 to 2021 is merged on the way back, and the other way round.

A rate is never split and never added up. It is refused, or on request copied to each part of a
split area with the status `[e]`; where areas were merged or redrawn it is NULL with `[x]`. A
suppressed cell (status c) is refused where it would be split, or on request each part of it is
NULL with `[c]`; a sum with a suppressed or missing part is missing too. A row is suppressed if a
word of its status, in any case, is c or suppressed (``[C]``, ``c,e``); a row whose status has
anything but the known words (`conversion_layout.KNOWN_TOKENS`), such as ``*``, is not split.

Where several areas feed one, and not all of them have a row for a group, the sum of those that do
is given, with ``[u]`` (of low reliability) added to its status, and counted as a partial merger.
An absent row is not a zero here: where a table leaves out zeros, write them out first.

Whatever could not be converted stands in the residual, with its reason, so that

    total received = total converted + total in the residual

holds for every column of counts; `convert` checks it. Counts must be whole numbers: a modelled
fraction is not something largest remainder can keep whole.

Rows of one area and group are added up before they are split, so that the order of rows does not
matter; rows of unchanged areas, and those that already have a code of the other vintage, stay rows
of their own. Only split, merged and complex areas (3 % of them) are grouped and ranked; everything
else is one hash join.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import duckdb

from declarations.errors import GeographyError
from geography.changes import conversion_steps as steps
from geography.changes.conversion_layout import KNOWN_TOKENS, RESERVED, Layout
from geography.changes.conversion_report import ConversionReport, Direction, SplitWeights, Totals
from geography.changes.vintages import CONVERSIONS, validate_changes
from geography.placement.scratch import Scratch
from geography.sql import columns_of, ident, one_row, require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ConversionReport", "SplitWeights", "Totals", "convert", "shares_sql"]

Handling = Literal["refuse", "mark"]

CODES: dict[str, tuple[str, str]] = {
    "2011_to_2021": ("lsoa11cd", "lsoa21cd"),
    "2021_to_2011": ("lsoa21cd", "lsoa11cd"),
}
"""Direction to the columns of the lookup it leads from and to."""

LARGEST = 2**63 - 1
"""The largest BIGINT, and the bound of sums of counts and of weights."""


def shares_sql(changes: str, direction: Direction, split_by: SplitWeights) -> str:
    """SQL that shows by which shares the counts of each area are split.

    Parameters
    ----------
    changes, direction, split_by
        As for `convert`.

    Returns
    -------
    str
        from_code, to_code, conversion, weight, share DOUBLE. The shares of an area add up to one;
        they are NULL where a part has no weight or all are zero: such an area is not split.
    """
    links = steps.links_sql(
        changes,
        CODES[direction],
        (split_by.table, split_by.code, split_by.count),
        split_by.pairs,
    )
    return f"""
SELECT from_code, to_code, conversion, weight,
    CASE WHEN count(weight) OVER area = count(*) OVER area AND total > 0
        THEN weight / CAST(total AS DOUBLE) END AS share
FROM ({links})
WINDOW area AS (PARTITION BY from_code)
"""


@dataclass(frozen=True)
class _Refusals:
    rates: bool
    suppressed: bool
    unweighted: bool

    def check(
        self, found: tuple[int, ...], rates: Sequence[str], split_by: SplitWeights | None
    ) -> None:
        rated, suppressed, unweighted, strange = found
        if strange:
            raise GeographyError(
                f"{strange} rows of areas that would have to be split have a status that is not "
                "known, and may be suppressed",
                "Give such rows the status c if they are suppressed, else one of "
                f"{', '.join(KNOWN_TOKENS)} or none",
            )
        if rated and self.rates:
            raise GeographyError(
                f"The rates {', '.join(rates)} stand in {rated} rows of areas that were split, "
                "merged or redrawn, and a rate cannot be split or added up",
                "Convert its numerator and denominator and divide them, or ask for it to be copied",
            )
        if suppressed and self.suppressed:
            raise GeographyError(
                f"{suppressed} suppressed rows are of areas that would have to be split",
                "Ask the supplier for the counts, or have the parts marked as suppressed",
            )
        if unweighted and self.unweighted:
            lack = f"no weights of {split_by.basis}" if split_by else "no weights declared"
            raise GeographyError(
                f"{unweighted} rows are of areas to be split that have {lack} for all their parts, "
                "or only zeros",
                "Give a table of population, households or addresses of every area, or have such "
                "areas marked as not available",
            )


def convert(
    con: duckdb.DuckDBPyConnection,
    values: str,
    into: str,
    *,
    changes: str,
    direction: Direction = "2011_to_2021",
    code: str | None = None,
    by: Sequence[str] = (),
    counts: Sequence[str] = (),
    rates: Sequence[str] = (),
    status: str | None = None,
    split_by: SplitWeights | None = None,
    copy_rates: bool = False,
    if_suppressed: Handling = "refuse",
    if_unweighted: Handling = "refuse",
    residual: str | None = None,
) -> ConversionReport:
    """Write the values of a table for the areas of the other vintage.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Holds the tables.
    values : str
        The table: `code`, the columns of `by`, `counts`, `rates` and `status`; others are left out.
    into, residual : str
        Names of the tables written, in place of any of the name; `residual` is by default `into`
        with ``_residual`` behind it.
    changes : str
        Table lsoa11cd, lsoa21cd, chgind; validated here, its completeness is for
        `completeness.check_complete`.
    direction : {"2011_to_2021", "2021_to_2011"}
        Which way.
    code : str, optional
        The column of area codes; by default lsoa11cd or lsoa21cd, by the direction.
    by : sequence of str
        Columns that tell the values of one area apart, such as a period.
    counts : sequence of str
        Additive whole numbers.
    rates : sequence of str
        Rates, means, shares, scores: anything that does not add up.
    status : str, optional
        The column of value statuses. A row is suppressed if one of the words of its status, split
        at all that is no letter, is c or suppressed, in any case.
    split_by : SplitWeights, optional
        Needed where a count is to be split.
    copy_rates : bool, default False
        Copy rates to the parts of a split area and flag them, instead of refusing.
    if_suppressed : {"refuse", "mark"}
        What to do where a suppressed row would have to be split.
    if_unweighted : {"refuse", "mark"}
        What to do where an area to be split has a part without weight, or only zeros: its parts
        become NULL with ``[x]``, and its counts go to the residual.

    Returns
    -------
    ConversionReport
        Numbers of rows, and totals that close. `into` has the other code, the columns of `by`,
        `counts` (BIGINT), `rates`, the status (by default ``value_status``) and `geo_conversion`;
        `residual` has the code, tidied, `by`, `counts`, `reason`.

    Raises
    ------
    GeographyError
        If a column is absent, named twice or begins with ``_lsoalink_``, a table to be written is
        one that is read or a view, counts are not whole numbers or add up beyond 63 bits, the
        lookup or the weights contradict themselves, a `geo_conversion` that came along is none of
        ours, rates, suppressed rows or unweighted areas are refused, a row to be split has a status
        that is not known, or the database fails. `into` and `residual` are then as they were: both
        are made under other names, and named only when their totals are proved.
    """
    old, new = CODES[direction]
    refuse = _Refusals(not copy_rates, if_suppressed == "refuse", if_unweighted == "refuse")
    failure = ""
    try:
        layout = Layout(
            source=code or old,
            lookup_source=old,
            target=new,
            by=tuple(by),
            counts=tuple(counts),
            rates=tuple(rates),
            status=status,
            carries_conversion="geo_conversion" in columns_of(con, values),
        )
        named = (into, residual or f"{into}_residual")
        return _checked_and_converted(
            con, values, named, changes, layout, direction, split_by, refuse
        )
    except duckdb.Error as error:
        # Its text may repeat a value of a record, so only its kind is told.
        failure = type(error).__name__
    raise GeographyError(
        f"The conversion of {values} failed in the database ({failure})",
        "See that its tables are there, that codes and statuses are texts and counts are integers, "
        "and that the memory suffices",
    )


def _checked_and_converted(
    con: duckdb.DuckDBPyConnection,
    values: str,
    named: tuple[str, str],
    changes: str,
    layout: Layout,
    direction: Direction,
    split_by: SplitWeights | None,
    refuse: _Refusals,
) -> ConversionReport:
    into = named[0]
    made = (f"_converting_{into}", f"_converting_{into}_residual")
    read = [values, changes]
    if split_by is not None:
        read += [split_by.table, split_by.pairs or split_by.table]
    _check_tables(con, read, named, made)
    _check_layout(con, values, layout)
    _check_values(con, values, layout)
    validate_changes(con, changes)
    _check_weights(con, split_by)
    try:
        with Scratch(con, into) as scratch:
            partial = _convert(con, scratch, values, made, changes, layout, split_by, refuse)
        report = _report(con, values, made, layout, direction, split_by, partial)
        for name in named:
            con.execute(f"DROP TABLE IF EXISTS {ident(name)}")
        for staged, name in zip(made, named, strict=True):
            con.execute(f"ALTER TABLE {ident(staged)} RENAME TO {ident(name)}")
    finally:
        for staged in made:
            con.execute(f"DROP TABLE IF EXISTS {ident(staged)}")
    return report


def _check_tables(
    con: duckdb.DuckDBPyConnection, read: list[str], named: tuple[str, str], made: tuple[str, str]
) -> None:
    written = [name.lower() for name in (*named, *made)]
    if len(set(written)) < len(written) or {name.lower() for name in read} & set(written):
        raise GeographyError(
            f"The conversion of {read[0]} would be written over a table that it reads, or over its "
            "own residual",
            "Give the tables different names",
        )
    views = {
        row[0].lower() for row in con.execute("SELECT view_name FROM duckdb_views()").fetchall()
    }
    if views & set(written):
        raise GeographyError(
            f"The conversion of {read[0]} would be written in place of a view",
            "Give it the name of a table, or a new name",
        )


def _check_values(con: duckdb.DuckDBPyConnection, values: str, layout: Layout) -> None:
    types = columns_of(con, values)
    wide = [c for c in layout.counts if types[c.lower()] in {"HUGEINT", "UBIGINT"}]
    for name in wide:
        (large,) = one_row(
            con,
            f"SELECT count({ident(name)}) - count(TRY_CAST({ident(name)} AS BIGINT)) "
            f"FROM {ident(values)}",
        )
        if large:
            raise _too_large(name, values)
    if layout.carries_conversion:
        kinds = ", ".join(f"'{kind}'" for kind in CONVERSIONS.values())
        (foreign,) = one_row(
            con,
            f"SELECT count(*) FROM {ident(values)} "
            f"WHERE CAST(geo_conversion AS VARCHAR) NOT IN ({kinds})",
        )
        if foreign:
            raise GeographyError(
                f"The column geo_conversion of {values} has {foreign} rows with a text that is no "
                "kind of conversion",
                f"It may be {', '.join(CONVERSIONS.values())} or NULL; rename the column if it "
                "means something else",
            )


def _too_large(names: str, table: str) -> GeographyError:
    return GeographyError(
        f"The numbers of {names} in {table} are too large: one of them, or the sum of those of "
        "changed areas, does not fit into 63 bits",
        "See whether the column is a count; convert the table in parts if it is",
    )


def _check_layout(con: duckdb.DuckDBPyConnection, values: str, layout: Layout) -> None:
    named = [layout.source, *layout.by, *layout.counts, *layout.rates]
    named += [layout.status] if layout.status else []
    require_columns(con, values, named)
    require_columns(con, values, layout.counts, integer=True)
    lowered = [name.lower() for name in named]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise GeographyError(
            f"The column {', '.join(twice)} of {values} is named more than once",
            "Name each column as the code, a grouping column, a count, a rate or the status",
        )
    reserved = sorted(name for name in lowered if name.startswith(RESERVED))
    if reserved:
        raise GeographyError(
            f"{len(reserved)} columns of {values} begin with {RESERVED}, which is reserved",
            "Rename them",
        )
    source, status = layout.source.lower(), (layout.status or "").lower()
    clash = {layout.target, "geo_conversion", "reason", layout.status_out.lower()} & set(lowered)
    clash -= {source if source != "reason" else ""}
    clash -= {status if status not in {layout.target, "geo_conversion"} else ""}
    if clash:
        raise GeographyError(
            f"The column {', '.join(sorted(clash))} of {values} would be written twice",
            "Rename it, or leave it out of the columns to convert",
        )
    if not layout.counts and not layout.rates:
        raise GeographyError(
            f"No column of {values} is to be converted", "Name its counts or its rates"
        )


def _check_weights(con: duckdb.DuckDBPyConnection, split_by: SplitWeights | None) -> None:
    if split_by is None:
        return
    tables: list[tuple[str, tuple[str, ...], str]] = [
        (split_by.table, (split_by.code,), split_by.count)
    ]
    if split_by.pairs is not None:
        tables.append((split_by.pairs, ("lsoa11cd", "lsoa21cd"), "weight"))
    for table, codes, count in tables:
        require_columns(con, table, codes)
        require_columns(con, table, (count,), integer=True)
        key = ", ".join(ident(c) for c in codes)
        negative, repeated, total = one_row(
            con,
            f"SELECT coalesce(sum(negative), 0), count(*) FILTER (rows > 1), "
            f"coalesce(sum(total), 0) FROM ("
            f"SELECT count(*) AS rows, sum(CAST({ident(count)} AS HUGEINT)) AS total, "
            f"count(*) FILTER ({ident(count)} < 0) AS negative "
            f"FROM {ident(table)} WHERE {ident(codes[0])} IS NOT NULL GROUP BY {key})",
        )
        if negative or repeated:
            raise GeographyError(
                f"The weights of {split_by.basis} in {table} have {negative} negative numbers and "
                f"{repeated} areas that stand more than once",
                "Give one count, zero or above, for each area",
            )
        if total > LARGEST:
            raise _too_large(count, table)


def _convert(
    con: duckdb.DuckDBPyConnection,
    scratch: Scratch,
    values: str,
    made: tuple[str, str],
    changes: str,
    outer: Layout,
    split_by: SplitWeights | None,
    refuse: _Refusals,
) -> int:
    staged, residual = made
    layout = outer.inner
    codes = (outer.lookup_source, outer.target)
    weights = (split_by.table, split_by.code, split_by.count) if split_by else None
    pairs = split_by.pairs if split_by else None
    links = scratch.table("links", steps.links_sql(changes, codes, weights, pairs))
    areas = scratch.table("areas", steps.areas_sql(links))
    con.execute(
        f"CREATE OR REPLACE TABLE {ident(staged)} AS {steps.staged_sql(values, areas, outer)}"
    )
    if layout.counts:
        sums_of = zip(
            outer.counts, one_row(con, steps.beyond_bounds_sql(staged, layout)), strict=True
        )
        large = [name for name, total in sums_of if total > LARGEST]
        if large:
            raise _too_large(", ".join(large), values)
    rows = scratch.table("rows", steps.changed_rows_sql(staged, areas, layout))
    refuse.check(one_row(con, steps.refusals_sql(rows, layout)), outer.rates, split_by)
    split = scratch.table("split", steps.split_sql(rows, links, layout))
    shared = scratch.table("shared", steps.shared_sql(rows, links))
    (product,) = one_row(con, steps.largest_product_sql(rows, links, layout))
    parts = scratch.table(
        "parts", steps.parts_sql(rows, links, split, shared, layout, wide=product >= 2**63)
    )
    sums = scratch.table("sums", steps.sums_sql(parts, layout))
    con.execute(f"DELETE FROM {ident(staged)} WHERE geo_conversion IS NULL")
    con.execute(f"INSERT INTO {ident(staged)} {steps.converted_sql(parts, sums, layout)}")
    con.execute(
        f"CREATE OR REPLACE TABLE {ident(residual)} AS "
        f"{steps.residual_sql(rows, parts, sums, layout)}"
    )
    for table, code in ((staged, outer.target), (residual, outer.source)):
        for name, given in outer.outward(code, residual=table == residual):
            con.execute(f"ALTER TABLE {ident(table)} RENAME COLUMN {ident(name)} TO {ident(given)}")
    (partial,) = one_row(con, steps.partial_sql(parts, sums))
    return int(partial)


def _report(
    con: duckdb.DuckDBPyConnection,
    values: str,
    written: tuple[str, str],
    layout: Layout,
    direction: Direction,
    split_by: SplitWeights | None,
    partial: int,
) -> ConversionReport:
    into, residual = written
    sums = "".join(f", coalesce(sum({ident(c)}), 0)" for c in layout.counts)
    kinds = list(CONVERSIONS.values())
    by_kind = "".join(f", count(*) FILTER (geo_conversion = '{kind}')" for kind in kinds)
    received = one_row(con, f"SELECT count(*){sums} FROM {ident(values)}")
    converted = one_row(con, f"SELECT count(*){sums}{by_kind} FROM {ident(into)}")
    remaining = one_row(con, f"SELECT count(*){sums} FROM {ident(residual)}")
    totals = {
        name: Totals(int(received[i]), int(converted[i]), int(remaining[i]))
        for i, name in enumerate(layout.counts, start=1)
    }
    wrong = [name for name, total in totals.items() if not total.close]
    if wrong:
        raise GeographyError(
            f"The totals of {', '.join(wrong)} do not close in the conversion of {values}",
            "Report this; nothing was written",
        )
    reasons = con.execute(
        f"SELECT reason, count(*) FROM {ident(residual)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return ConversionReport(
        direction=direction,
        basis=split_by.basis if split_by else None,
        rows_received=received[0],
        rows_converted=converted[0],
        conversions=dict(zip(kinds, converted[1 + len(totals) :], strict=True)),
        residual_rows=dict(reasons),
        totals=totals,
        partial_mergers=partial,
    )
