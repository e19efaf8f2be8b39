"""Tables of counts by neighbourhood and reason, real in their margins and invented within.

Belongs here: reading districts' published totals and the nesting of areas from the folder of open
data, splitting totals over neighbourhoods at random, and the tables that result. Does not belong
here: what is published of them (``bench_leak_rates.py``, ``repaired_release.py``).

The people in the neighbourhoods are synthetic: only sums over a whole district are real.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from governance.disclosure.tables.linked import linked_table

REPOSITORY = Path(__file__).resolve().parents[1]
WORKBOOK = "homelessness/Statutory_Homelessness_Detailed_Local_Authority_Data_202512.xlsx"
NEIGHBOURHOODS = "lookups/lookup_lsoa21_ward24_ltla24.csv"
REGIONS = "lookups/lookup_ltla24_region24.csv"
DUTIES = ("A2P", "A2R")
"""Sheets of households owed a prevention and a relief duty, by reason of losing the last home."""

REASONS = {
    "End of private rented tenancy": "private tenancy",
    "Family or friends": "family or friends",
    "Non-violent relationship breakdown": "relationship or violence",
    "Domestic abuse": "relationship or violence",
    "Other violence": "relationship or violence",
    "End of social rented tenancy": "social or supported",
    "Eviction from supported housing": "social or supported",
    "Left institution": "institution or asylum support",
    "Required to leave accommodation": "institution or asylum support",
    "Home no longer suitable": "other",
    "Loss of placement": "other",
    "Other reasons": "other",
}
"""How the headings of the sheets begin, and the group of six each is counted in."""

GROUPS = tuple(dict.fromkeys(REASONS.values()))

SHAPE = 0.4
"""Shape of the gamma distribution of a neighbourhood's weight: 1 is exponential, more is evener."""

PER_MSOA = 5
"""Neighbourhoods to an invented MSOA."""

COLUMNS = ("lsoa21cd", "msoa21cd", "lad24cd", "rgn24cd")


class NoOpenDataError(Exception):
    """The folder of open data, or a file of it, is not here."""


@dataclass(frozen=True)
class Areas:
    """Neighbourhoods and what each lies in, all of shape (n,)."""

    lsoa: np.ndarray
    msoa: np.ndarray
    lad: np.ndarray
    region: np.ndarray

    def within(self, chosen):
        """Return the neighbourhoods of which ``chosen`` (n,) is true."""
        return Areas(self.lsoa[chosen], self.msoa[chosen], self.lad[chosen], self.region[chosen])

    def __len__(self):
        return len(self.lsoa)


def open_data():
    """Return the folder of open data.

    Raises
    ------
    NoOpenDataError
        If there is none.
    """
    default = REPOSITORY.parent / "shared" / "open-data"
    folder = Path(os.environ.get("LSOALINK_OPEN_DATA", default))
    if not (folder / WORKBOOK).is_file() or not (folder / NEIGHBOURHOODS).is_file():
        raise NoOpenDataError(
            "The folder of real open data is not here (name it in LSOALINK_OPEN_DATA): the "
            "districts' published totals are read from it"
        )
    return folder


def read_margins(folder):
    """Return each district's households owed a duty in October to December 2025, by group.

    Returns
    -------
    dict of str to (6,) int
        By code of the district, in the order of `GROUPS`; districts that gave no figures are left
        out.
    """
    import openpyxl

    book = openpyxl.load_workbook(folder / WORKBOOK, read_only=True, data_only=True)
    found = {}
    for sheet in DUTIES:
        rows = list(book[sheet].iter_rows(values_only=True))
        headings = {
            place: next(group for start, group in REASONS.items() if str(text).startswith(start))
            for place, text in enumerate(rows[1])
            if text
        }
        for row in rows[7:]:
            if not str(row[0]).startswith(("E06", "E07", "E08", "E09")):
                continue
            counts = found.setdefault(row[0], np.zeros(len(GROUPS)))
            for place, group in headings.items():
                value = row[place]
                counts[GROUPS.index(group)] += value if isinstance(value, int) else np.nan
    return {code: c.astype(int) for code, c in found.items() if not np.isnan(c).any()}


def read_areas(folder):
    """Return the neighbourhoods of England and Wales with their MSOA, district and region.

    A neighbourhood of 2021 bears the name of its MSOA and a letter, so the name tells the MSOA, in
    Wales too.
    """
    import duckdb

    rows = duckdb.execute(
        "SELECT lsoa21_code, regexp_replace(lsoa21_name, '[A-Z]+$', '') AS msoa, ltla24_code, "
        "coalesce(region24_code, 'W92000004') AS region "
        "FROM read_csv(?) AS areas LEFT JOIN read_csv(?) AS regions USING (ltla24_code) "
        "ORDER BY region, ltla24_code, msoa, lsoa21_code",
        [str(folder / NEIGHBOURHOODS), str(folder / REGIONS)],
    ).fetchnumpy()
    return Areas(*(np.asarray(rows[name], dtype=object) for name in rows))


def invented_areas(neighbourhoods, *, district="district"):
    """Return one district whose MSOAs have five neighbourhoods each."""
    number = np.arange(neighbourhoods)
    return Areas(
        np.array([f"{district}-{i:04d}" for i in number], dtype=object),
        np.array([f"{district}-M{i // PER_MSOA:03d}" for i in number], dtype=object),
        np.full(neighbourhoods, district, dtype=object),
        np.full(neighbourhoods, "region", dtype=object),
    )


def split(margins, neighbourhoods, rng, shape=SHAPE):
    """Return counts by neighbourhood and group that add up to a district's totals.

    Each neighbourhood has a weight from a gamma distribution, the same for every reason; counts
    given the weights are Poisson, which given their sum is to share the sum out by lot.

    Returns
    -------
    (neighbourhoods, groups) int
    """
    weight = rng.gamma(shape, size=neighbourhoods)
    chances = weight / weight.sum()
    return np.stack([rng.multinomial(total, chances) for total in margins], axis=1)


def table_of(areas, counts, levels=COLUMNS[:3]):
    """Return all cells of counts (n, groups) by area and reason: every level, every margin.

    The cells are in the order of areas, those of finer levels first, and within an area by reason
    with the sum last; so their numbers are those of a matrix with one row an area.
    """
    import pyarrow as pa

    reasons = counts.shape[1]
    named = dict(zip(COLUMNS, (areas.lsoa, areas.msoa, areas.lad, areas.region), strict=True))
    columns = {name: np.repeat(named[name], reasons) for name in levels}
    frame = pa.table(
        {
            **{name: pa.array(values) for name, values in columns.items()},
            "reason": pa.array(np.tile([f"{i:02d}" for i in range(reasons)], len(areas))),
            "households": pa.array(counts.ravel()),
        }
    )
    return linked_table(
        frame,
        count="households",
        hierarchies=[list(levels)],
        categories=["reason"],
        measure="owed a duty",
        total=None,
    )
