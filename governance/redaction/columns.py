"""Columns of free text: kept redacted where that is measured to be good enough, else dropped.

Belongs here: the decision by measured recall, and the redaction of one column of a DuckDB table in
bounded memory. Does not belong here: that a column is free text and what recall it needs (the
agreement), or the dropping itself (the caller's).

No value of a column reaches a log or an error. A text that cannot be redacted is not kept: it
becomes NULL and is counted.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from declarations.errors import ConfigurationError, StorageError
from governance.redaction.engine import Redacted, Redactor
from governance.redaction.findings import KINDS
from governance.redaction.measurement import Measurement, standard_measurement
from warehouse.connection import run
from warehouse.sql import ident

if TYPE_CHECKING:
    import duckdb

_log = logging.getLogger(__name__)

ROWS_AT_ONCE = 8_192
_TEXTS_AT_ONCE = 64
LONGEST = 200_000
"""Characters of the longest text that is read; a longer one is dropped and counted."""
_QUIET_SECONDS = 2.0
_TEXT_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What reading one odd text may raise; an interrupt or an exit is none of them."""


@dataclass(frozen=True)
class FreeTextDecision:
    """What becomes of a column of free text.

    Attributes
    ----------
    action : {"redact", "drop"}
    recall, precision : float
        Measured over all kinds that were asked for.
    reason : str
        In words, for an officer.
    """

    action: Literal["redact", "drop"]
    recall: float
    precision: float
    reason: str


@dataclass(frozen=True)
class RedactionReport:
    """What was done to a column, in counts only.

    Attributes
    ----------
    rows : int
        Rows of the table.
    findings : mapping of str to int
        Replacements by kind (a key of `KINDS`), over all rows.
    redacted : int
        Rows in which something was replaced.
    dropped : int
        Rows whose text could not be redacted and is NULL now.
    """

    rows: int
    findings: Mapping[str, int]
    redacted: int
    dropped: int


def decide_free_text(
    minimum_recall: float,
    *,
    kinds: Sequence[str] | None = None,
    measurement: Measurement | None = None,
) -> FreeTextDecision:
    """Decide whether free text may be kept redacted.

    Parameters
    ----------
    minimum_recall : float
        Above 0, at most 1: what the agreement asks for, over all kinds and of each one.
    kinds : sequence of str, optional
        Keys of `KINDS` that must each reach it; all of them unless given.
    measurement : Measurement, optional
        Of this installation's redactor on the standard texts unless given.

    Returns
    -------
    FreeTextDecision
        "drop" if the recall over these kinds, or of one of them, is lower or was not measured.

    Raises
    ------
    ConfigurationError
        If the recall is out of range or a kind is unknown.
    """
    if not 0 < minimum_recall <= 1:
        raise ConfigurationError(
            "The minimum recall of a redaction is not above 0 and at most 1",
            "Declare a share such as 0.95",
        )
    unknown = sorted(set(kinds or ()) - set(KINDS))
    if unknown:
        raise ConfigurationError(
            f"There is no kind of identifier called {', '.join(unknown)}",
            f"Choose from {', '.join(KINDS)}",
        )
    measured = measurement or standard_measurement()
    asked = {kind: measured.kinds[kind] for kind in kinds or KINDS}
    over_all = Measurement(asked, measured.texts, measured.seconds)
    recall, precision = over_all.recall or 0.0, over_all.precision or 0.0
    missed = [
        f"{KINDS[kind]} {'was not measured' if each.recall is None else _share(each.recall)}"
        for kind, each in asked.items()
        if each.recall is None or each.recall < minimum_recall
    ]
    if recall < minimum_recall:
        missed.insert(0, f"all kinds together {_share(recall)}")
    basis = f"on {measured.texts} synthetic texts"
    if missed:
        return FreeTextDecision(
            "drop",
            recall,
            precision,
            f"Free text is dropped: a recall of {minimum_recall:g} is asked for, and measured "
            f"{basis} it is lower for {', '.join(missed)}"
            + (f". {measured.note}" if measured.note else ""),
        )
    return FreeTextDecision(
        "redact",
        recall,
        precision,
        f"Free text is kept redacted: a recall of {minimum_recall:g} is asked for, and measured "
        f"{basis} it is {_share(recall)} over all kinds and as much as asked for each",
    )


def redact_table_column(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    redactor: Redactor,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> RedactionReport:
    """Replace every text of a VARCHAR column by its redacted form.

    The new texts are made batch by batch beside the table and put in by one statement, so the
    column is either as it was or redacted throughout. NULL stays NULL.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        One that holds its data in memory or encrypted: rows as they were may stay in the pages of a
        database file until it is compacted.
    table, column : str
        Names of a table (not a view) and of a VARCHAR column of it.
    redactor : Redactor
    progress : callable, optional
        Called with the rows done and all rows after each batch. Without it, whatever takes over two
        seconds is logged in counts.

    Returns
    -------
    RedactionReport

    Raises
    ------
    StorageError
        If the column is not there, not text, or cannot be written.
    """
    _require_text(connection, table, column)
    rows, last = _one_row(
        connection, f"SELECT count(*), max(rowid) FROM {ident(table)}", table=table
    )
    counts: Counter[str] = Counter()
    redacted = dropped = 0
    beside = f"redacted_{uuid.uuid4().hex}"
    run(connection, f"CREATE TEMP TABLE {beside} (place BIGINT, text VARCHAR)", table=table)
    report = progress or _logged(table, column)
    try:
        for first in range(0, (-1 if last is None else last) + 1, ROWS_AT_ONCE):
            places, texts = _batch(connection, table, column, first)
            results = _redacted(redactor, texts)
            for text in texts:
                result = results[text]
                counts.update(result.counts_by_kind if result else ())
                redacted += bool(result and result.counts_by_kind)
                dropped += result is None
            made = [results[text] for text in texts]
            _write(connection, beside, places, [each.text if each else None for each in made])
            report(min(first + ROWS_AT_ONCE, rows), rows)
        run(
            connection,
            f"UPDATE {ident(table)} SET {ident(column)} = {beside}.text FROM {beside}"
            f" WHERE {ident(table)}.rowid = {beside}.place",
            table=table,
        )
    finally:
        run(connection, f"DROP TABLE IF EXISTS {beside}", table=table)
    return RedactionReport(rows, dict(counts), redacted, dropped)


def _redacted(redactor: Redactor, texts: Sequence[str]) -> dict[str, Redacted | None]:
    """Redact distinct texts; None for one that cannot be."""
    distinct = list(dict.fromkeys(texts))
    results: dict[str, Redacted | None] = dict.fromkeys(distinct)
    short = [text for text in distinct if len(text) <= LONGEST]
    for some in _portions(short):
        try:
            results.update(zip(some, redactor.redact_many(some), strict=True))
        except _TEXT_ERRORS:
            results.update((text, _redacted_alone(redactor, text)) for text in some)
    return results


def _portions(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into runs that are few and short enough to be read at once."""
    portion: list[str] = []
    length = 0
    for text in texts:
        if portion and (len(portion) == _TEXTS_AT_ONCE or length + len(text) > LONGEST):
            yield portion
            portion, length = [], 0
        portion.append(text)
        length += len(text)
    if portion:
        yield portion


def _redacted_alone(redactor: Redactor, text: str) -> Redacted | None:
    try:
        return redactor.redact(text)
    except _TEXT_ERRORS:
        return None


def _require_text(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    columns = run(connection, f"DESCRIBE {ident(table)}", table=table).fetchall()
    kinds = {str(row[0]): str(row[1]) for row in columns}
    if kinds.get(column) != "VARCHAR":
        found = "is not there" if column not in kinds else f"is {kinds[column]}, not VARCHAR"
        raise StorageError(
            f"The column {column} of the table {table} {found}, so it cannot be redacted",
            "Declare as free text only columns of text",
        )


def _one_row(
    connection: duckdb.DuckDBPyConnection, sql: str, *, table: str
) -> tuple[int, int | None]:
    row = run(connection, sql, table=table).fetchone()
    return (int(row[0]), None if row[1] is None else int(row[1])) if row else (0, None)


def _batch(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, first: int
) -> tuple[list[int], list[str]]:
    name = ident(column)
    rows = run(
        connection,
        f"SELECT rowid, {name} FROM {ident(table)} WHERE {name} IS NOT NULL"
        f" AND rowid >= {first} AND rowid < {first + ROWS_AT_ONCE}",
        table=table,
    ).fetchall()
    return [int(row[0]) for row in rows], [str(row[1]) for row in rows]


def _write(
    connection: duckdb.DuckDBPyConnection,
    beside: str,
    places: Sequence[int],
    texts: Sequence[str | None],
) -> None:
    import pyarrow as pa  # noqa: PLC0415

    batch = pa.table({"place": pa.array(places, pa.int64()), "text": pa.array(texts, pa.string())})
    view = f"{beside}_batch"
    connection.register(view, batch)
    try:
        run(connection, f"INSERT INTO {beside} SELECT * FROM {view}", table=beside)
    finally:
        connection.unregister(view)


def _logged(table: str, column: str) -> Callable[[int, int], None]:
    shown = time.monotonic()

    def report(done: int, of: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > _QUIET_SECONDS:
            _log.info("Redacting %s.%s: %d of %d rows", table, column, done, of)
            shown = time.monotonic()

    return report


def _share(value: float) -> str:
    """Write a share in three places, rounded down, so that none looks better than it is."""
    return f"{math.floor(value * 1000) / 1000:.3f}"
