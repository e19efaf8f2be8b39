"""What a conversion is told of the table it converts: its columns, and the words of its statuses.

Belongs here: which column is what, under which name it goes through the steps, and the meaning of a
status. Does not belong here: the steps themselves (`conversion_steps`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from geography.sql import ident

RESERVED = "_lsoalink_"
"""With this begin the names that the caller's columns have within the steps."""

SUPPRESSED_TOKENS = ("c", "suppressed")
"""Words of a status that mark a suppressed row, in any case, alone or among others."""

KNOWN_TOKENS = ("b", "d", "e", "f", "low", "p", "r", "u", "w", "x", "z", *SUPPRESSED_TOKENS)
"""Words a status may be made of if its row is to be split: the shorthand of the Government
Statistical Service for tables (break, deviation, estimated, forecast, low, provisional, revised,
unreliable, no data, unavailable, not applicable), and those of a suppressed row."""

SUPPRESSED = rf"(^|[^a-z])({'|'.join(SUPPRESSED_TOKENS)})([^a-z]|$)"
"""Found in the lower-cased status of a suppressed row: a word is what stands between characters
that are no letters."""

_BETWEEN = r"[\s\[\](),;/|+]"
UNDERSTOOD = rf"{_BETWEEN}*(({'|'.join(KNOWN_TOKENS)})({_BETWEEN}+|$))*"
"""Matches all of a lower-cased status that is made of known words alone, or empty."""

MISSING = "[x]"
HIDDEN = "[c]"
ESTIMATED = "[e]"
PARTIAL = "[u]"
"""Mark of a sum for which an area that belongs to it had no row."""

CONVERSION_TYPE = "ENUM('none', 'merged', 'split_weighted', 'complex')"
"""One byte a row instead of sixteen: the column is written for every row. In the order in which one
outweighs another where rows are added up."""


@dataclass(frozen=True)
class Layout:
    """Which columns of the table to convert are what.

    Attributes
    ----------
    source, target : str
        The column of codes, and that of the result and of the lookup.
    lookup_source : str
        The column of the lookup the codes are to be found in.
    by, counts, rates : tuple of str
        Grouping columns, additive whole numbers, and what does not add up.
    status : str or None
        The column of statuses, None where there is none.
    carries_conversion : bool
        Whether the table already has a `geo_conversion`, kept where nothing is converted.
    """

    source: str
    lookup_source: str
    target: str
    by: tuple[str, ...]
    counts: tuple[str, ...]
    rates: tuple[str, ...]
    status: str | None
    carries_conversion: bool

    @property
    def status_out(self) -> str:
        """Name of the column of statuses in the result."""
        return self.status or "value_status"

    @property
    def status_type(self) -> str:
        """Type of the statuses in the result: where none came, one of those given here."""
        if self.status:
            return "VARCHAR"
        return f"ENUM('{HIDDEN}', '{MISSING}', '{ESTIMATED}', '{PARTIAL}')"

    @functools.cached_property
    def inner(self) -> Layout:
        """The same layout under the names used within the steps."""
        code = f"{RESERVED}code"
        return Layout(
            source=code,
            lookup_source=self.lookup_source,
            target=code,
            by=tuple(f"{RESERVED}by_{i}" for i, _ in enumerate(self.by)),
            counts=tuple(f"{RESERVED}count_{i}" for i, _ in enumerate(self.counts)),
            rates=tuple(f"{RESERVED}rate_{i}" for i, _ in enumerate(self.rates)),
            status=f"{RESERVED}status" if self.status else None,
            carries_conversion=self.carries_conversion,
        )

    def outward(self, code: str, *, residual: bool) -> list[tuple[str, str]]:
        """Give names within the steps, each with the name in the tables written.

        Parameters
        ----------
        code : str
            Name of the column of codes in the table.
        residual : bool
            Whether it is the residual, which has neither rates nor a status.
        """
        pairs = [(self.inner.source, code)]
        pairs += zip(self.inner.by, self.by, strict=True)
        pairs += zip(self.inner.counts, self.counts, strict=True)
        if not residual:
            pairs += zip(self.inner.rates, self.rates, strict=True)
            pairs += [(self.inner.status_out, self.status_out)]
        return [pair for pair in pairs if pair[0] != pair[1]]

    @property
    def carried_sql(self) -> str:
        """Expression of the conversion a row brings along."""
        return (
            "coalesce(CAST(v.geo_conversion AS VARCHAR), 'none')"
            if self.carries_conversion
            else "'none'"
        )

    @property
    def status_sql(self) -> str:
        """Expression of the status of a row."""
        return f"CAST(v.{ident(self.status)} AS VARCHAR)" if self.status else "NULL::VARCHAR"
