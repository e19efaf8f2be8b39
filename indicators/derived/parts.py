"""Several indicators' published figures side by side, for one that is made from them.

Belongs here: bringing the rows of the same area and period together. Does not belong here: what is
made of them (``standardised.py``, ``medians.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from declarations.errors import ConfigurationError
from indicators.derived.reading import Figures, published
from indicators.notes import SEPARATOR, joined

if TYPE_CHECKING:
    import duckdb

    from declarations.declared import RegionDeclarations
    from declarations.indicators import Indicator, Kind

AREA = ("period_start", "period_end", "geography_type", "geography_code")


def parts_of(
    con: duckdb.DuckDBPyConnection,
    shown: str,
    indicator: Indicator,
    names: Sequence[str],
    kind: Kind,
    declarations: RegionDeclarations,
) -> tuple[Figures, list[Figures], np.ndarray]:
    """Return the published figures of the indicators another is made from, side by side.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    shown : str
        Table of published figures.
    indicator : Indicator
        The one that is made; only figures at its levels are taken.
    names : sequence of str
        The indicators it is made from, in order.
    kind : str
        What each of them must be.
    declarations : RegionDeclarations

    Returns
    -------
    rows, parts, places
        As :func:`aligned` has them, with the parts between.

    Raises
    ------
    ConfigurationError
        If one of them is of another kind, or none the region declares.
    """
    for name in names:
        part = declarations.indicators.get(name)
        if part is None or part.kind != kind:
            raise ConfigurationError(
                f"indicators/{indicator.id}: {name} is no {kind} of the region",
                f"Name indicators of kind {kind} that the region publishes",
            )
    parts = [levels_of(published(con, shown, [name]), indicator) for name in names]
    rows, places = aligned(parts)
    return rows, parts, places


def aligned(parts: list[Figures]) -> tuple[Figures, np.ndarray]:
    """Return one row for each area and period in any of the parts, and where each part has it.

    Parameters
    ----------
    parts : list of Figures
        Published figures of one indicator each.

    Returns
    -------
    rows : Figures
        The first part's row where it has one, otherwise the next one's; ordered by level, period
        and area.
    places : ndarray of int, shape (rows, parts)
        Row of each part, -1 where it has none.
    """
    keys = [list(zip(*(part.listed(c) for c in AREA), strict=True)) for part in parts]
    found: dict[tuple[object, ...], tuple[int, int]] = {}
    for number, part in enumerate(keys):
        for row, key in enumerate(part):
            found.setdefault(key, (number, row))
    order = sorted(found, key=lambda k: (k[2], k[0], k[1], k[3]))
    starts = np.cumsum([0, *(len(part) for part in parts)])
    every = pa.concat_tables([part.table for part in parts])
    rows = np.array([starts[found[k][0]] + found[k][1] for k in order], dtype=np.int64)
    where = [{key: row for row, key in enumerate(part)} for part in keys]
    places = np.array([[w.get(k, -1) for w in where] for k in order], dtype=np.int64)
    return Figures(every).take(rows), places.reshape(len(order), len(parts))


def gathered(parts: list[Figures], places: np.ndarray, column: str) -> np.ndarray:
    """Return a column of every part side by side, shape (rows, parts); None or NaN for no row."""
    numeric = column in ("numerator", "denominator", "value")
    sides = []
    for part, place in zip(parts, places.T, strict=True):
        # One more cell, at the place -1, for a row the part does not have.
        if numeric:
            sides.append(np.append(part.numbers(column), np.nan)[place])
        else:
            sides.append(np.array([*part.listed(column), None], dtype=object)[place])
    return np.stack(sides, axis=-1)


def levels_of(figures: Figures, indicator: Indicator) -> Figures:
    """Return the rows at the levels an indicator is published for."""
    levels = {o.level for o in indicator.outputs}
    kept = [i for i, level in enumerate(figures.listed("geography_type")) if level in levels]
    return figures.take(np.array(kept, dtype=np.int64))


def notes_of(parts: np.ndarray) -> list[str | None]:
    """Return the notes of all parts of each row, each once."""
    return [joined(n for cell in row if cell for n in cell.split(SEPARATOR)) for row in parts]
