"""Choosing between the keys of one record, and laying the chosen areas beside the records.

Belongs here: the SQL that joins records to the look-ups of `lookups`, chooses, and writes the
result. Does not belong here: what a key means (`lookups`), or the order of the work (`placement`).

The first key, in the declared order, that gives an area decides. So does the first that says the
place is known and outside the region: a later, weaker key must not bring such a record back. Where
no key decides, the reason kept is the most informative one, and between equals the earlier key's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geography.sql import ident

if TYPE_CHECKING:
    from collections.abc import Sequence

FIELDS = ("area", "split_key", "method", "reason", "flag", "conversion", "quality")
DECISIVE = 100
INFORMATIVENESS: tuple[tuple[str, int], ...] = (
    ("reason IS NULL OR reason = 'out_of_region'", DECISIVE),
    ("starts_with(reason, 'lsoa11_')", 70),
    ("starts_with(reason, 'zz99_')", 60),
    ("reason = 'district_only'", 55),
    ("reason IN ('point_swapped', 'point_truncated')", 50),
    ("ends_with(reason, '_missing')", 10),
    ("ends_with(reason, '_invalid') OR reason = 'lsoa_pseudo'", 30),
)
"""Condition on a reason to how much it tells, tried in this order; unknown and outside tell 40."""
OTHERWISE = 40

UNDATED = "999912"
"""Month, YYYYMM, of a record that has no date: its postcode is taken as it is today."""

OUTPUT_COLUMNS = (
    "lsoa21cd",
    "lad24cd",
    "geo_method",
    "geo_reason",
    "geo_conversion",
    "geo_flag",
    "geo_quality",
)
"""What `placement.place` adds to the records."""


@dataclass(frozen=True)
class Lookup:
    """A key that is to be tried.

    Attributes
    ----------
    key : str
        One of the keys of `placement.KEYS`.
    table : str
        Its look-up table.
    columns : tuple of str
        The records' columns it is joined by: one, or x and y for points.
    """

    key: str
    table: str
    columns: tuple[str, ...]


def chosen_sql(records: str, tried: Sequence[Lookup], date: str | None) -> str:
    """SQL that gives each record the outcome of the key that decides.

    Parameters
    ----------
    records : str
        Table with record_id and the key columns.
    tried : sequence of Lookup
        In order of precedence, at least one.
    date : str or None
        Column that says when the record happened. A postcode is terminated if `doterm` (YYYYMM) is
        before that month, or is set at all where there is no date.

    Returns
    -------
    str
        One row per record: record_id, area, split_key, method, reason, flag, conversion, quality.
    """
    numbers = range(len(tried))
    columns = ", ".join(_tried_columns(i, lookup, date) for i, lookup in enumerate(tried))
    joins = " ".join(_join(i, lookup, date) for i, lookup in enumerate(tried))
    ranks = ", ".join(f"{_rank_sql(i, len(tried))} AS rank{i}" for i in numbers)
    return f"""
WITH tried AS (
    SELECT r.record_id, {columns}
    FROM {ident(records)} r {joins}
), ranked AS (
    SELECT *, {ranks}
    FROM tried
), decided AS (
    SELECT *, greatest({", ".join(f"rank{i}" for i in numbers)}) AS best
    FROM ranked
)
SELECT record_id, {", ".join(_best_column(name, len(tried)) for name in FIELDS)}
FROM decided
"""


def undecided_sql(
    records: str, tried: Sequence[Lookup], columns: Sequence[str], date: str | None
) -> str:
    """SQL: some columns of the records that no key tried so far decides.

    Parameters
    ----------
    records : str
        Table with record_id, the key columns and `columns`.
    tried : sequence of Lookup
        The keys that go before.
    columns : sequence of str
        What is wanted of the records.
    date : str or None
        As for `chosen_sql`.

    Returns
    -------
    str
        The columns, one row per such record. Costly keys need to look at no others.
    """
    wanted = ", ".join(f"r.{ident(name)}" for name in columns)
    return f"""
WITH chosen AS ({chosen_sql(records, tried, date)})
SELECT {wanted}
FROM {ident(records)} r JOIN chosen c ON c.record_id = r.record_id
WHERE c.reason IS NOT NULL AND c.reason <> 'out_of_region'
"""


def split_rows_sql(records: str, chosen: str, values: Sequence[str]) -> str:
    """SQL: the records whose counts must be split, with the key of their weights.

    Parameters
    ----------
    records : str
        Table with record_id and the value columns.
    chosen : str
        Table made by `chosen_sql`.
    values : sequence of str
        The additive columns.

    Returns
    -------
    str
        record_id, split_key, the value columns.
    """
    columns = ", ".join(f"r.{ident(v)}" for v in values)
    return f"""
SELECT r.record_id, c.split_key, {columns}
FROM {ident(records)} r JOIN {ident(chosen)} c ON c.record_id = r.record_id
WHERE c.split_key IS NOT NULL
"""


def split_parts_sql(parts: str, areas: str, values: Sequence[str]) -> str:
    """SQL: the parts of split records, those outside the region gathered into one row a record.

    Parameters
    ----------
    parts : str
        Table made by `apportionment.apportion_sql`: record_id, lsoa21cd, values, apportion_reason.
    areas : str
        Table with lsoa21cd.
    values : sequence of str
        The additive columns.

    Returns
    -------
    str
        record_id, area, reason, the value columns as BIGINT.
    """
    sums = ", ".join(f"TRY_CAST(sum(p.{ident(v)}) AS BIGINT) AS {ident(v)}" for v in values)
    return f"""
SELECT p.record_id, a.lsoa21cd AS area,
    CASE WHEN a.lsoa21cd IS NULL THEN coalesce(p.apportion_reason, 'out_of_region') END AS reason,
    {sums}
FROM {ident(parts)} p LEFT JOIN {ident(areas)} a ON a.lsoa21cd = p.lsoa21cd
GROUP BY ALL
"""


def placed_sql(
    records: str,
    chosen: str,
    areas: str,
    values: Sequence[str],
    split_parts: str | None,
    district: str | None = None,
) -> str:
    """SQL: the records with their areas.

    Parameters
    ----------
    records, chosen, areas : str
        The records; the table made by `chosen_sql`; the areas with lsoa21cd and lad24cd.
    values : sequence of str
        The additive columns; they come out as BIGINT.
    split_parts : str or None
        Table made by `split_parts_sql`, where some records are split.
    district : str or None
        Column with the district of a record that has no area.

    Returns
    -------
    str
        All columns of the records and `OUTPUT_COLUMNS`, in the order of record_id and lsoa21cd.
    """
    whole = _with_area(
        star=_star({v: f"r.{ident(v)}" for v in values}),
        area="c.area",
        reason="c.reason",
        source=f"{ident(records)} r JOIN {ident(chosen)} c ON c.record_id = r.record_id",
        areas=areas,
        district=district,
    )
    if split_parts is None:
        return f"{whole} ORDER BY record_id"
    parts = _with_area(
        star=_star({v: f"p.{ident(v)}" for v in values}),
        area="p.area",
        reason="p.reason",
        source=(
            f"{ident(records)} r JOIN {ident(chosen)} c ON c.record_id = r.record_id"
            f" JOIN {ident(split_parts)} p ON p.record_id = r.record_id"
        ),
        areas=areas,
        district=district,
    )
    return f"""
{whole} WHERE c.split_key IS NULL
UNION ALL
{parts} WHERE c.split_key IS NOT NULL
ORDER BY record_id, lsoa21cd NULLS LAST
"""


def _star(replaced: dict[str, str]) -> str:
    if not replaced:
        return "r.*"
    # A count beyond 63 bits becomes NULL here, so that the totals disagree: a failing CAST would
    # show the count in its message.
    columns = ", ".join(f"TRY_CAST({sql} AS BIGINT) AS {ident(v)}" for v, sql in replaced.items())
    return f"r.* REPLACE ({columns})"


def _with_area(
    *, star: str, area: str, reason: str, source: str, areas: str, district: str | None
) -> str:
    lad, known = "a.lad24cd", ""
    if district is not None:
        # A place known to lie elsewhere is not brought back by the district named beside it.
        lad = f"CASE WHEN {reason} = 'out_of_region' THEN NULL ELSE coalesce({lad}, k.lad24cd) END"
        known = (
            f" LEFT JOIN (SELECT DISTINCT lad24cd FROM {ident(areas)}) k"
            f" ON k.lad24cd = upper(trim(CAST(r.{ident(district)} AS VARCHAR)))"
        )
    return f"""
SELECT {star}, {area} AS lsoa21cd, {lad} AS lad24cd,
    CASE WHEN {area} IS NULL THEN 'none' ELSE c.method END AS geo_method,
    {reason} AS geo_reason,
    CASE WHEN {area} IS NOT NULL THEN c.conversion END AS geo_conversion,
    c.flag AS geo_flag, c.quality AS geo_quality
FROM {source} LEFT JOIN {ident(areas)} a ON a.lsoa21cd = {area}{known}
"""


def _tried_columns(i: int, lookup: Lookup, date: str | None) -> str:
    e = f"e{i}"
    method, quality = f"{e}.method", "CAST(NULL AS INTEGER)"
    if lookup.key == "postcode":
        live = f"{e}.doterm IS NULL OR {e}.doterm >= {_month_sql(date)}"
        method = (
            f"CASE WHEN {live} OR {method} <> 'postcode_exact' THEN {method}"
            " ELSE 'postcode_terminated' END"
        )
        quality = f"{e}.quality"
    return (
        f"{e}.area AS area{i}, {e}.split_key AS split_key{i}, {method} AS method{i},"
        f" CASE WHEN {e}.method IS NULL THEN '{lookup.key}_missing' ELSE {e}.reason END"
        f" AS reason{i},"
        f" {e}.flag AS flag{i}, {e}.conversion AS conversion{i}, {quality} AS quality{i}"
    )


def _month_sql(date: str | None) -> str:
    """Month of the record as YYYYMM; without a date a month after every other."""
    if date is None:
        return f"'{UNDATED}'"
    return f"coalesce(strftime(TRY_CAST(r.{ident(date)} AS DATE), '%Y%m'), '{UNDATED}')"


def _join(i: int, lookup: Lookup, date: str | None) -> str:
    e = f"e{i}"
    if lookup.key == "point":
        x, y = lookup.columns
        condition = (
            f"{e}.x = TRY_CAST(r.{ident(x)} AS DOUBLE) AND {e}.y = TRY_CAST(r.{ident(y)} AS DOUBLE)"
        )
    else:
        condition = f"{e}.raw = CAST(r.{ident(lookup.columns[0])} AS VARCHAR)"
    if lookup.key == "postcode" and date is not None:
        month = _month_sql(date)
        condition += f" AND {month} >= {e}.from_month AND {month} < {e}.until_month"
    return f"LEFT JOIN {ident(lookup.table)} {e} ON {condition}"


def _rank_sql(i: int, total: int) -> str:
    # A larger number decides; earlier keys win ties, and no two keys can have the same number.
    cases = " ".join(
        f"WHEN {condition.replace('reason', f'reason{i}')} THEN {rank}"
        for condition, rank in INFORMATIVENESS
    )
    return f"(CASE {cases} ELSE {OTHERWISE} END) * {total} - {i}"


def _best_column(name: str, total: int) -> str:
    picks = " ".join(f"WHEN rank{i} THEN {name}{i}" for i in range(total))
    value = f"CASE best {picks} END"
    if name == "reason" and total > 1:
        missing = " AND ".join(
            f"coalesce(ends_with(reason{i}, '_missing'), false)" for i in range(total)
        )
        value = f"CASE WHEN {missing} THEN 'no_location' ELSE {value} END"
    return f"{value} AS {name}"
