"""The SQL of a conversion between vintages, one statement per step.

Belongs here: the text of the steps. Does not belong here: their order, what is refused, and the
proof that totals close (`conversion`).

The steps: the `links` from each area to its parts, with weights; one row per area of what becomes
of it; all rows, `staged` by one join with the areas that are unchanged; the `rows` that this join
does not convert, with the reason where they cannot be converted at all; the `split` of their
counts; their `parts`, and the `sums` of parts; and from these the conversion and its residual.

Within the steps the columns of the caller have names of their own (`Layout.inner` of
`conversion_layout`), so that a column called like one of the steps', such as ``key`` or ``hidden``,
is not taken for it. They get their own names back at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geography.changes.apportionment import apportion_sql, first_of_two_sql
from geography.changes.conversion_layout import (
    CONVERSION_TYPE,
    ESTIMATED,
    HIDDEN,
    MISSING,
    PARTIAL,
    SUPPRESSED,
    UNDERSTOOD,
    Layout,
)
from geography.changes.vintages import pair_weight_sql
from geography.codes import tidied_sql
from geography.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTIAL = "CAST(feeds AS INTEGER) < feeding"


def known(count: str) -> str:
    """Name of the column with what is known of a sum."""
    return f"{count}__known"


def _joined(statuses: str) -> str:
    # With a blank between, or two statuses without brackets would make one that nobody knows.
    joined = f"array_to_string(list_sort(list_distinct(list({statuses}))), ' ')"
    return f"nullif(replace({joined}, '] [', ']['), '')"


def _list(names: Iterable[str], form: str = "{}") -> str:
    return "".join(f", {form.format(ident(name))}" for name in names)


def _renamed(outer: Iterable[str], inner: Iterable[str], form: str) -> str:
    pairs = zip(outer, inner, strict=True)
    return "".join(f", {form.format(ident(old))} AS {ident(new)}" for old, new in pairs)


def links_sql(
    changes: str,
    codes: tuple[str, str],
    weights: tuple[str, str, str] | None,
    pair_weights: str | None,
) -> str:
    """SQL: from each area to each of its parts.

    Parameters
    ----------
    changes : str
        Table lsoa11cd, lsoa21cd, chgind.
    codes : tuple of str
        The columns it leads from and to.
    weights : tuple of str, optional
        Table, code and count of the weights of the areas led to.
    pair_weights : str, optional
        Table lsoa11cd, lsoa21cd, weight for complex pairs.

    Returns
    -------
    str
        from_code, to_code, conversion, weight BIGINT (NULL where unknown); of the parts of the area
        with a weight above zero their number (sharing), their sum (total), the weight of the first
        by code (first_weight), and the part's own place among them; feeding, how many areas of
        changed borders give something to to_code. A code of the other vintage
        alone leads to itself.
    """
    old, new = codes
    merging, splitting = ("M", "S") if new == "lsoa21cd" else ("S", "M")
    join, weight = "", "CAST(NULL AS BIGINT)"
    if weights is not None:
        table, code, count = weights
        join = f"LEFT JOIN {ident(table)} w ON w.{ident(code)} = c.{new}"
        weight = f"CAST(w.{ident(count)} AS BIGINT)"
    complex_weight = "CAST(NULL AS BIGINT)"
    if pair_weights is not None:
        join += (
            f" LEFT JOIN {ident(pair_weights)} p"
            " ON p.lsoa11cd = c.lsoa11cd AND p.lsoa21cd = c.lsoa21cd"
        )
        complex_weight = pair_weight_sql(pair_weights, "p", "c.lsoa21cd")
    return f"""
WITH pairs AS (
    SELECT c.{old} AS from_code, c.{new} AS to_code,
        CAST(CASE c.chgind WHEN '{merging}' THEN 'merged'
            WHEN '{splitting}' THEN 'split_weighted' ELSE 'complex' END AS {CONVERSION_TYPE})
            AS conversion,
        CASE c.chgind WHEN '{merging}' THEN 1 WHEN '{splitting}' THEN {weight}
            ELSE {complex_weight} END AS weight
    FROM {ident(changes)} c {join}
    WHERE c.chgind <> 'U'
), same AS (
    SELECT {old} AS code FROM {ident(changes)} WHERE chgind = 'U'
    UNION ALL
    SELECT DISTINCT {new} FROM {ident(changes)}
    WHERE {new} NOT IN (SELECT {old} FROM {ident(changes)})
)
SELECT code AS from_code, code AS to_code, CAST('none' AS {CONVERSION_TYPE}) AS conversion,
    CAST(1 AS BIGINT) AS weight, 1 AS sharing, CAST(1 AS HUGEINT) AS total, 1 AS first_weight,
    1 AS place, 0 AS feeding
FROM same
UNION ALL
SELECT *, count(*) FILTER (weight > 0) OVER area AS sharing,
    CAST(sum(weight) OVER area AS HUGEINT) AS total,
    arg_min(weight, to_code) FILTER (weight > 0) OVER area AS first_weight,
    count(*) FILTER (weight > 0) OVER (
        PARTITION BY from_code ORDER BY to_code ROWS UNBOUNDED PRECEDING) AS place,
    count(*) FILTER (weight > 0) OVER (PARTITION BY to_code) AS feeding
FROM pairs
WINDOW area AS (PARTITION BY from_code)
"""


def areas_sql(links: str) -> str:
    """SQL: what becomes of each area.

    Returns
    -------
    str
        from_code, conversion, sharing, splittable (every part has a weight, and not all are zero),
        unchanged (the code stays: it is the same in both vintages, or already of the other).
    """
    return f"""
SELECT from_code, min(conversion) AS conversion, min(sharing) AS sharing,
    count(weight) = count(*) AND sum(weight) > 0 AS splittable,
    min(conversion) = 'none' AS unchanged
FROM {ident(links)}
GROUP BY from_code
"""


def staged_sql(values: str, areas: str, layout: Layout) -> str:
    """SQL: every row as it stands, told by one join whether that is all there is to do.

    Returns
    -------
    str
        The columns of the conversion under the names of `layout.inner`; geo_conversion is NULL
        where the row is to be converted.
    """
    inner = layout.inner
    source = f"CAST(v.{ident(layout.source)} AS VARCHAR)"
    groups = _renamed(layout.by, inner.by, "v.{}")
    counts = _renamed(layout.counts, inner.counts, "TRY_CAST(v.{} AS BIGINT)")
    rates = _renamed(layout.rates, inner.rates, "v.{}")
    return f"""
SELECT {source} AS {ident(inner.target)}{groups}{counts}{rates},
    CAST({layout.status_sql} AS {layout.status_type}) AS {ident(inner.status_out)},
    CASE WHEN u.from_code IS NOT NULL
        THEN TRY_CAST({layout.carried_sql} AS {CONVERSION_TYPE}) END AS geo_conversion
FROM {ident(values)} v
LEFT JOIN (SELECT from_code FROM {ident(areas)} WHERE unchanged) u ON u.from_code = {source}
"""


def beyond_bounds_sql(staged: str, layout: Layout) -> str:
    """SQL: for each count, the sum of what is to be converted, signs left aside, HUGEINT.

    Every number made on the way is a part or a sum of these, so none is larger.
    """
    sums = [f"coalesce(sum(abs(CAST({ident(c)} AS HUGEINT))), 0)" for c in layout.counts]
    return f"SELECT {', '.join(sums)} FROM {ident(staged)} WHERE geo_conversion IS NULL"


def changed_rows_sql(staged: str, areas: str, layout: Layout) -> str:
    """SQL: the rows to be converted, added up by area and group.

    Returns
    -------
    str
        key (the code, tidied), the columns of `by`; the counts, NULL where one of those
        added up is, and as ``<name>__known`` the sum of the others; the rates, NULL where those of
        several rows differ; row_status (all of them), hidden (one is suppressed), strange (one has
        a status that is not understood); of the area
        conversion and sharing; reason (why it cannot be converted, or NULL).
    """
    # A code with blanks or in lower case is not found by the join of all rows, and comes here.
    code = f"nullif({tidied_sql(ident(layout.target))}, '')"
    sums = "".join(
        f", CASE WHEN count({ident(c)}) = count(*) THEN CAST(sum({ident(c)}) AS BIGINT) END"
        f" AS {ident(c)}, CAST(sum({ident(c)}) AS BIGINT) AS {ident(known(c))}"
        for c in layout.counts
    )
    rates = _list(
        layout.rates,
        "CASE WHEN count({0}) = count(*) AND min({0}) = max({0}) THEN min({0}) END AS {0}",
    )
    status, hidden, strange = "CAST(NULL AS VARCHAR)", "false", "false"
    if layout.status:
        status = _joined(ident(layout.status))
        given = f"lower({ident(layout.status)})"
        hidden = f"coalesce(bool_or(regexp_matches({given}, '{SUPPRESSED}')), false)"
        strange = f"coalesce(bool_or(NOT regexp_full_match({given}, '{UNDERSTOOD}')), false)"
    unweighted = "AND NOT a.splittable" if layout.counts else "AND false"
    return f"""
WITH added AS (
    SELECT {code} AS key{_list(layout.by)}{sums}{rates}, {status} AS row_status, {hidden} AS hidden,
        {strange} AS strange
    FROM {ident(staged)}
    WHERE geo_conversion IS NULL
    GROUP BY {code}{_list(layout.by)}
)
SELECT k.*, a.conversion, a.sharing,
    CASE
        WHEN k.key IS NULL THEN 'code_missing'
        WHEN a.from_code IS NULL THEN 'code_unknown'
        WHEN a.conversion = 'complex' AND NOT a.splittable THEN 'complex'
        WHEN k.hidden AND a.conversion IN ('split_weighted', 'complex') THEN 'suppressed'
        WHEN a.conversion = 'split_weighted' {unweighted} THEN 'no_weights'
    END AS reason
FROM added k LEFT JOIN {ident(areas)} a ON a.from_code = k.key
"""


def refusals_sql(rows: str, layout: Layout) -> str:
    """SQL that counts rows that may have to be refused.

    Returns
    -------
    str
        One row: with rates, suppressed, without weights, of a status that is not understood.
    """
    rated = " OR ".join(f"{ident(r)} IS NOT NULL" for r in layout.rates) or "false"
    # Rates take no weights, and a missing count has nothing to split.
    counted = " OR ".join(f"{ident(c)} IS NOT NULL" for c in layout.counts) or "false"
    return f"""
SELECT count(*) FILTER (conversion <> 'none' AND ({rated})),
    count(*) FILTER (reason = 'suppressed'),
    count(*) FILTER (reason = 'no_weights' AND ({counted})),
    count(*) FILTER (strange AND reason IS NULL AND conversion IN ('split_weighted', 'complex'))
FROM {ident(rows)}
"""


def split_sql(rows: str, links: str, layout: Layout) -> str:
    """SQL: the counts of areas with three parts or more, by part.

    Returns
    -------
    str
        row_id, to_code, the counts. Parts of weight zero have no row.
    """
    if not layout.counts:
        return "SELECT CAST(NULL AS BIGINT) AS row_id, CAST(NULL AS VARCHAR) AS to_code WHERE false"
    return f"""
WITH to_split AS (
    SELECT rowid AS row_id, key AS from_code{_list(layout.counts)}
    FROM {ident(rows)}
    WHERE reason IS NULL AND sharing > 2
)
SELECT * FROM (
    {apportion_sql("to_split", "from_code", "to_code", "weight", layout.counts, links, "row_id")}
)
"""


def shared_sql(rows: str, links: str) -> str:
    """SQL: to_code of the areas to which several areas with rows lead."""
    return f"""
SELECT to_code FROM {ident(links)}
WHERE from_code IN (SELECT DISTINCT key FROM {ident(rows)} WHERE key IS NOT NULL)
GROUP BY to_code HAVING count(*) > 1
"""


def largest_product_sql(rows: str, links: str, layout: Layout) -> str:
    """SQL: a bound on the numbers reckoned with where an area has two parts, HUGEINT."""
    if not layout.counts:
        return "SELECT CAST(0 AS HUGEINT)"
    largest = [f"max(abs(CAST({ident(c)} AS HUGEINT)))" for c in layout.counts]
    value = f"coalesce(greatest({', '.join(largest)}), 0)"
    return f"""
SELECT (2 * (SELECT {value} FROM {ident(rows)}) + 2)
    * (SELECT coalesce(max(total), 0) FROM {ident(links)} WHERE sharing = 2)
"""


def parts_sql(rows: str, links: str, split: str, shared: str, layout: Layout, *, wide: bool) -> str:
    """SQL: each changed row, once for each part of its area.

    `wide` says whether 128 bits are needed to split in two.

    Returns
    -------
    str
        row_id, to_code, the columns of `by`, counts and rates, row_status, hidden, conversion,
        reason, shared (other parts are to be added), feeds (it gives something to the sum),
        feeding (how many areas should). Counts are NULL where the row has a reason.
    """
    first = first_of_two_sql("r.{0}", "l.first_weight", "l.total", wide=wide)
    counts = _list(
        layout.counts,
        "CASE WHEN r.reason IS NOT NULL OR r.{0} IS NULL THEN NULL"
        " WHEN coalesce(l.weight, 0) = 0 THEN 0"
        " WHEN l.sharing = 1 THEN r.{0}"
        f" WHEN l.sharing = 2 AND l.place = 1 THEN {first}"
        f" WHEN l.sharing = 2 THEN r.{{0}} - {first}"
        " ELSE s.{0} END AS {0}",
    )
    # Merged and redrawn areas have no rate of their own.
    rates = _list(
        layout.rates,
        "CASE WHEN r.reason IS NULL AND r.conversion IN ('none', 'split_weighted')"
        " THEN r.{0} END AS {0}",
    )
    return f"""
SELECT r.rowid AS row_id, l.to_code{_list(layout.by, "r.{}")}{counts}{rates}, r.row_status,
    r.hidden, r.conversion, r.reason, l.to_code IN (SELECT to_code FROM {ident(shared)}) AS shared,
    coalesce(l.weight > 0 AND r.conversion <> 'none', false) AS feeds, l.feeding
FROM {ident(rows)} r
JOIN {ident(links)} l ON l.from_code = r.key
LEFT JOIN {ident(split)} s ON s.row_id = r.rowid AND s.to_code = l.to_code
"""


def sums_sql(parts: str, layout: Layout) -> str:
    """SQL: the parts of areas that several areas lead to, added up.

    Returns
    -------
    str
        to_code, the columns of `by`, counts and rates, row_status, hidden (a part of it is
        suppressed, so the sum is not shown), blocked (a part could not be converted), partial (an
        area that belongs to it has no row), conversion.
    """
    # A suppressed row that is passed on alone stays as it came, as rows of unchanged areas do.
    hidden = "bool_or(hidden) AND (count(*) > 1 OR min(conversion) <> 'none')"
    sums = _list(
        layout.counts,
        "CASE WHEN count({0}) = count(*) AND NOT (" + hidden + ")"
        " THEN CAST(sum({0}) AS BIGINT) END AS {0}",
    )
    rates = _list(
        layout.rates,
        "CASE WHEN count(*) = 1 AND NOT (" + hidden + ") THEN min({0}) END AS {0}",
    )
    return f"""
SELECT to_code{_list(layout.by)}{sums}{rates}, {_joined("row_status")} AS row_status,
    {hidden} AS hidden, bool_or(reason IS NOT NULL) AS blocked,
    count(*) FILTER (feeds) < max(feeding) AS partial, max(conversion) AS conversion
FROM {ident(parts)}
WHERE shared
GROUP BY to_code{_list(layout.by)}
"""


def converted_sql(parts: str, sums: str, layout: Layout) -> str:
    """SQL of the converted rows: parts that stand alone, and sums.

    Returns
    -------
    str
        The columns of `staged_sql`, in their order.
    """
    numbers = (*layout.counts, *layout.rates)
    lacking = " OR ".join(f"{ident(name)} IS NULL" for name in numbers)
    rated = " OR ".join(f"{ident(name)} IS NOT NULL" for name in layout.rates) or "false"
    single = _list(numbers, "CASE WHEN NOT hidden OR conversion = 'none' THEN {0} END AS {0}")
    return f"""
SELECT to_code{_list(layout.by)}{_list(numbers)},
    CASE
        WHEN hidden THEN '{HIDDEN}'
        WHEN blocked THEN '{MISSING}'
        WHEN {lacking} THEN coalesce(row_status, '{MISSING}')
        WHEN conversion = 'split_weighted' AND ({rated})
            AND NOT contains(coalesce(row_status, ''), '{ESTIMATED}')
            THEN coalesce(row_status, '') || '{ESTIMATED}'
        WHEN partial AND NOT contains(coalesce(row_status, ''), '{PARTIAL}')
            THEN coalesce(row_status, '') || '{PARTIAL}'
        ELSE row_status
    END,
    conversion
FROM (
    SELECT to_code{_list(layout.by)}{single}, row_status,
        hidden AND conversion <> 'none' AS hidden, reason IS NOT NULL AS blocked,
        {_PARTIAL} AS partial, conversion
    FROM {ident(parts)}
    WHERE NOT shared
    UNION ALL
    SELECT to_code{_list(layout.by)}{_list(numbers)}, row_status, hidden, blocked, partial,
        conversion
    FROM {ident(sums)}
)
"""


def partial_sql(parts: str, sums: str) -> str:
    """SQL that counts converted rows to which an area that belongs to them gave no row."""
    return f"""
SELECT (SELECT count(*) FROM {ident(parts)} WHERE NOT shared AND {_PARTIAL})
    + (SELECT count(*) FROM {ident(sums)} WHERE partial)
"""


def residual_sql(rows: str, parts: str, sums: str, layout: Layout) -> str:
    """SQL of what could not be converted.

    Returns
    -------
    str
        The code, tidied, the columns of `by`, the counts, reason: whole rows that were not
        converted, what is known of rows added up of which one is missing, and known parts of sums
        that are missing because another part of them is.
    """
    code, by = ident(layout.source), _list(layout.by, "r.{}")
    whole = (
        f"SELECT r.key AS {code}{by}{_list([known(c) for c in layout.counts], 'r.{}')}, r.reason"
        f" FROM {ident(rows)} r WHERE r.reason IS NOT NULL"
    )
    if not layout.counts:
        return whole
    incomplete = "".join(
        f", CASE WHEN r.{ident(c)} IS NULL THEN r.{ident(known(c))} END AS {ident(c)}"
        for c in layout.counts
    )
    lost = _list(layout.counts, "CASE WHEN z.{0} IS NULL THEN p.{0} END AS {0}")
    any_left = " OR ".join(f"{ident(c)} IS NOT NULL" for c in layout.counts)
    same = "".join(f" AND z.{ident(c)} IS NOT DISTINCT FROM p.{ident(c)}" for c in layout.by)
    names = _list(layout.counts)
    return f"""
SELECT {code}{_list(layout.by)}{names}, reason
FROM ({whole}) AS t({code}{_list(layout.by)}{names}, reason)
UNION ALL
SELECT * FROM (
    SELECT r.key{by}{incomplete}, 'merged_with_missing'
    FROM {ident(rows)} r WHERE r.reason IS NULL
) WHERE {any_left}
UNION ALL
SELECT * FROM (
    SELECT r.key{by}{lost},
        CASE WHEN z.hidden THEN 'suppressed' ELSE 'merged_with_missing' END
    FROM {ident(parts)} p
    JOIN {ident(sums)} z ON z.to_code = p.to_code{same}
    JOIN {ident(rows)} r ON r.rowid = p.row_id
    WHERE p.shared
) WHERE {any_left}
UNION ALL
SELECT * FROM (
    SELECT r.key{by}{_list(layout.counts, "p.{}")}, 'suppressed'
    FROM {ident(parts)} p JOIN {ident(rows)} r ON r.rowid = p.row_id
    WHERE NOT p.shared AND p.hidden AND p.conversion <> 'none'
) WHERE {any_left}
"""
