"""Invented homelessness cases that add up to the figures published for real districts.

Belongs here: where such cases come from, how many there are, and their files. Does not belong here:
the life of a case (``homelessness``), its export (``homelessness_export``) or the reading of the
published figures (``published_totals``).

Every household is invented. What is real is the number of them by district, duty and type of
temporary accommodation, and the postcodes they are said to come from, which are drawn at random.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from declarations.errors import ConfigurationError
from synthetic.delivery import Extract, land
from synthetic.homelessness import make_cases, quarter_bounds
from synthetic.homelessness_export import in_quarter, quarter_table
from synthetic.published_totals import OTHER_TYPE, QUARTER, DistrictTotals, read_totals
from synthetic.seeds import topic_rng

DISTRICTS = {
    "E08000025": "birmingham",
    "E08000026": "coventry",
    "E08000027": "dudley",
    "E08000028": "sandwell",
    "E08000029": "solihull",
    "E08000030": "walsall",
    "E08000031": "wolverhampton",
}
"""GSS code to the beginning of the source's id."""

WORKBOOK = Path("homelessness/Statutory_Homelessness_Detailed_Local_Authority_Data_202512.xlsx")
POSTCODES = Path("postcodes/PCD_OA_LSOA_MSOA_LAD_MAY22_wm7_stockport.csv.gz")
CHANGES = Path("lookups/LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv")
HOUSEHOLDS = Path("census/census2021_households_by_lsoa21_EW.csv")
DEPRIVATION = Path("imd/imd2025_england_lsoa21.csv")
FILES = (WORKBOOK, POSTCODES, CHANGES, HOUSEHOLDS, DEPRIVATION)

ARRIVED = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
LIVE_BEFORE = 202000
"""Postcodes introduced from 2020 on are not drawn: a case may be older than they are."""

NO_FIXED_ABODE_SHARE = 0.05
"""Gives about one case in twenty without an address, as relief cases have more of them."""

DEPRIVATION_SLOPE = 0.03
"""Each point of IMD score makes a household 3 % likelier to be drawn: invented, not estimated."""

SPARE_QUARTERS = 3


@dataclass(frozen=True)
class CalibrationReport:
    """What was made.

    Attributes
    ----------
    files : int
        Files in the landing folder, one a district.
    rows : int
        Cases in them.
    seconds : float
        Time taken.
    totals : dict of str to DistrictTotals
        The published figures the files add up to, by GSS code.
    """

    files: int
    rows: int
    seconds: float
    totals: dict[str, DistrictTotals]


def synthesise_cases(open_data: Path, landing: Path, *, seed: int = 20251231) -> CalibrationReport:
    """Write one H-CLIC file for each of the seven West Midlands districts.

    In each file the cases assessed from October to December 2025 are, duty by duty, as many as
    table A1 says, and the households in temporary accommodation on 31 December 2025 as many as
    table TA1 says, by type as far as it is published. The rest of a case is invented.

    Parameters
    ----------
    open_data : pathlib.Path
        Folder of published files; those of ``FILES`` are read.
    landing : pathlib.Path
        Folder to fill with ``<district>_homelessness/hclic_2025-12.csv``.
    seed : int, optional
        The same seed and published files give the same bytes.

    Returns
    -------
    CalibrationReport

    Raises
    ------
    ConfigurationError
        If a published file is missing or is not what it should be.
    """
    begun = time.perf_counter()
    missing = [str(file) for file in FILES if not (open_data / file).is_file()]
    if missing:
        raise ConfigurationError(
            f"The open-data folder lacks {', '.join(missing)}",
            "Name a folder that holds these published files",
        )
    totals = read_totals(open_data / WORKBOOK, DISTRICTS)
    homes = read_homes(open_data)
    rows = 0
    for code, name in DISTRICTS.items():
        rng = topic_rng(seed, "calibrated_homelessness", code)
        places = homes[homes["lad24cd"] == code].reset_index(drop=True)
        cases = calibrated_cases(rng, places, code, name[:3].upper(), totals[code])
        sent = cases[in_quarter(cases, QUARTER)]
        extract = Extract(
            f"{name}_homelessness",
            QUARTER,
            f"hclic_{QUARTER}.csv",
            quarter_table(sent, QUARTER),
            ARRIVED,
        )
        land(extract, landing)
        rows += extract.rows()
    return CalibrationReport(len(DISTRICTS), rows, time.perf_counter() - begun, totals)


def calibrated_cases(
    rng: Generator, places: pd.DataFrame, la_code: str, short_name: str, totals: DistrictTotals
) -> pd.DataFrame:
    """Invent the cases of one district so that they meet its published totals.

    Parameters
    ----------
    rng : numpy.random.Generator
    places : pandas.DataFrame
        ``postcode``, ``lsoa21cd`` and ``weight``, as ``make_cases`` takes them.
    la_code : str
        GSS code.
    short_name : str
        Letters for the case references, after ``SYN-``.
    totals : DistrictTotals

    Returns
    -------
    pandas.DataFrame
        As from ``make_cases``.

    Raises
    ------
    ConfigurationError
        If the households in temporary accommodation cannot be reached, because the district has
        no relief cases.
    """
    relief = max(totals.duties["relief"], 1)
    cases = make_cases(
        rng,
        places,
        la_code,
        f"SYN-{short_name}",
        [QUARTER],
        totals.duties,
        totals.stock,
        no_fixed_abode_share=NO_FIXED_ABODE_SHARE,
        # Households stay for years: as many earlier quarters as it takes to fill the stock.
        history_quarters=totals.stock // relief + SPARE_QUARTERS,
    )
    high = quarter_bounds(QUARTER)[1]
    entry = cases["ta_entry"].to_numpy().astype("datetime64[D]")
    leaving = cases["ta_exit"].to_numpy().astype("datetime64[D]")
    inside = np.flatnonzero((entry <= high) & (np.isnat(leaving) | (leaving > high)))
    if inside.size != totals.stock:
        raise ConfigurationError(
            f"The cases of {la_code} reach {inside.size} of the {totals.stock} households in "
            "temporary accommodation",
            "Cases can be made only for districts with relief duties",
        )
    labels = np.repeat(np.array(list(totals.types), dtype=object), _type_counts(totals))
    kinds = cases["ta_type"].to_numpy(dtype=object).copy()
    kinds[inside] = rng.permutation(labels)
    return cases.assign(ta_type=kinds)


def _type_counts(totals: DistrictTotals) -> list[int]:
    """Give each type its published count, and the unpublished ones what is left, evenly."""
    left = totals.stock - sum(count for count in totals.types.values() if count is not None)
    open_types = [kind for kind, count in totals.types.items() if count is None] or [OTHER_TYPE]
    counts = {kind: count or 0 for kind, count in totals.types.items()}
    for number, kind in enumerate(open_types):
        counts[kind] += left // len(open_types) + (number < left % len(open_types))
    return list(counts.values())


def read_homes(open_data: Path) -> pd.DataFrame:
    """Read the postcodes households may come from, with the weight of each.

    Parameters
    ----------
    open_data : pathlib.Path

    Returns
    -------
    pandas.DataFrame
        ``postcode``, ``lsoa21cd`` (the first of the 2021 LSOAs its area of 2011 became),
        ``lad24cd`` and ``weight``: the households of its area, shared among the area's postcodes,
        and more where the Index of Multiple Deprivation is higher. Only live postcodes of ordinary
        users.
    """
    postcodes = pd.read_csv(
        open_data / POSTCODES,
        usecols=["pcds", "dointr", "doterm", "usertype", "lsoa11cd", "ladcd"],
        dtype={"pcds": str, "lsoa11cd": str, "ladcd": str},
    )
    postcodes = postcodes[
        postcodes["doterm"].isna()
        & (postcodes["usertype"] == 0)
        & (postcodes["dointr"] < LIVE_BEFORE)
        & postcodes["ladcd"].isin(list(DISTRICTS))
    ]
    areas = _areas(open_data)
    homes = postcodes.merge(areas, on="lsoa11cd", how="inner")
    shared = homes.groupby("area")["pcds"].transform("size")
    homes["weight"] = homes["likely"] / shared
    homes = homes.rename(columns={"pcds": "postcode", "ladcd": "lad24cd"})
    columns = ["postcode", "lsoa21cd", "lad24cd", "weight"]
    return homes.sort_values("postcode", kind="stable")[columns].reset_index(drop=True)


def _areas(open_data: Path) -> pd.DataFrame:
    """Give each 2011 LSOA the whole it belongs to, and how many cases to expect of that whole.

    Postcodes are known by 2011 LSOA and households by 2021 LSOA. The whole is the area of 2011, or
    where areas were merged that of 2021.
    """
    changes = pd.read_csv(
        open_data / CHANGES, usecols=["LSOA11CD", "LSOA21CD", "CHGIND"], encoding="utf-8-sig"
    ).set_axis(["lsoa11cd", "lsoa21cd", "chgind"], axis=1)
    households = pd.read_csv(open_data / HOUSEHOLDS).set_axis(["lsoa21cd", "households"], axis=1)
    scores = pd.read_csv(open_data / DEPRIVATION, usecols=["lsoa21_code", "IMD_score"]).set_axis(
        ["lsoa21cd", "score"], axis=1
    )
    known = changes.merge(households, on="lsoa21cd").merge(scores, on="lsoa21cd")
    known["likely"] = known["households"] * np.exp(DEPRIVATION_SLOPE * known["score"])
    known["area"] = known["lsoa11cd"].where(known["chgind"] != "M", known["lsoa21cd"])
    whole = known.drop_duplicates(["area", "lsoa21cd"]).groupby("area")["likely"].sum()
    first = known.sort_values("lsoa21cd").drop_duplicates("lsoa11cd")
    first = first[["lsoa11cd", "lsoa21cd", "area"]]
    return first.merge(whole.rename("likely"), left_on="area", right_index=True)
