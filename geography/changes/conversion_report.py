"""What a conversion is told of weights, and what it says of its totals.

Belongs here: the plain data that goes in and comes out. Does not belong here: the conversion
(`conversion`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["2011_to_2021", "2021_to_2011"]
Basis = Literal["population", "households", "addresses"]


@dataclass(frozen=True)
class SplitWeights:
    """By what the counts of a split area are shared among its parts.

    Attributes
    ----------
    basis : {"population", "households", "addresses"}
        What the weights count; it should be what the values are counts of.
    table : str
        One row per area of the vintage converted to: `code` and the whole number `count`.
    code, count : str
        Its columns.
    pairs : str or None
        Table lsoa11cd, lsoa21cd, weight for complex areas, made by `vintages.pair_weights_sql`
        from the same basis.
    """

    basis: Basis
    table: str
    code: str
    count: str
    pairs: str | None = None


@dataclass(frozen=True)
class Totals:
    """One column of counts, before and after.

    Attributes
    ----------
    received, converted, residual : int
        Sums over the table, its conversion, and what could not be converted.
    """

    received: int
    converted: int
    residual: int

    @property
    def close(self) -> bool:
        """Whether nothing was lost or made."""
        return self.received == self.converted + self.residual


@dataclass(frozen=True)
class ConversionReport:
    """What `convert` did.

    Attributes
    ----------
    direction : str
        "2011_to_2021" or "2021_to_2011".
    basis : str or None
        What the weights count; None where none were given.
    rows_received, rows_converted : int
        Rows of the table and of its conversion.
    conversions : dict of str to int
        Rows of the conversion by `geo_conversion`.
    residual_rows : dict of str to int
        Rows of the residual by reason: code_missing, code_unknown (in neither vintage), complex
        (no output-area weights), no_weights, suppressed, merged_with_missing.
    totals : dict of str to Totals
        For each column of counts; they close.
    partial_mergers : int
        Rows of the conversion, merged or complex, for which an area that feeds them had no row in
        the group; their sums are marked ``[u]``.
    """

    direction: Direction
    basis: Basis | None
    rows_received: int
    rows_converted: int
    conversions: dict[str, int]
    residual_rows: dict[str, int]
    totals: dict[str, Totals]
    partial_mergers: int
